"""What may be done to the directory. Every write is one transaction with its audit entries; all are keyword-only,
take an Actor, and raise ValidationError, in words for the person, when a rule says no."""

from .accounts import (
    account_with,
    create_account,
    has_verified,
    is_shared,
    path_to_password,
    record_own_act,
    rename_account,
    reset_password,
)
from .bulk import Tally, in_bulk, left_out, why_not_deactivate, why_not_reactivate
from .cancelling import cancel_invitation, cancel_invitations
from .groups import create_group, join_group, join_groups, leave_group, update_group
from .invitations import (
    Invitee,
    accept,
    invitation_of,
    invite,
    invite_first_admin,
    plan_invitations,
    resend,
    token_of,
)
from .many import Told, Verdict, foresee_people, put_people
from .organizations import create_organization, update_organization
from .people import create_user, deactivate, join_places, keep_an_admin, reactivate, update_user
from .rules import Outcome, is_admin, lock, require_may_change, target
from .units import create_unit, leave_unit, move_unit, place_in_unit, update_unit

__all__ = [
    "Invitee",
    "Outcome",
    "Tally",
    "Told",
    "Verdict",
    "accept",
    "account_with",
    "cancel_invitation",
    "cancel_invitations",
    "create_account",
    "create_group",
    "create_organization",
    "create_unit",
    "create_user",
    "deactivate",
    "in_bulk",
    "foresee_people",
    "has_verified",
    "invitation_of",
    "invite",
    "invite_first_admin",
    "is_admin",
    "is_shared",
    "join_group",
    "join_groups",
    "join_places",
    "keep_an_admin",
    "leave_group",
    "leave_unit",
    "left_out",
    "lock",
    "move_unit",
    "place_in_unit",
    "put_people",
    "path_to_password",
    "plan_invitations",
    "reactivate",
    "record_own_act",
    "rename_account",
    "require_may_change",
    "resend",
    "reset_password",
    "target",
    "update_group",
    "update_unit",
    "token_of",
    "update_organization",
    "update_user",
    "why_not_deactivate",
    "why_not_reactivate",
]
