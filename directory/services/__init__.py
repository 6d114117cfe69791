"""What may be done to the directory. Every write is one transaction with its audit entries; all are keyword-only,
take an Actor, and raise ValidationError, in words for the person, when a rule says no."""

from .groups import create_group, join_group, leave_group
from .organizations import create_account, create_organization, link_to_password, update_organization
from .people import create_user, deactivate, keep_an_admin, reactivate, update_user
from .rules import Outcome, is_admin, lock, require_may_change, target
from .units import create_unit, leave_unit, move_unit, place_in_unit

__all__ = [
    "Outcome",
    "create_account",
    "create_group",
    "create_organization",
    "create_unit",
    "create_user",
    "deactivate",
    "is_admin",
    "join_group",
    "keep_an_admin",
    "leave_group",
    "leave_unit",
    "link_to_password",
    "lock",
    "move_unit",
    "place_in_unit",
    "reactivate",
    "require_may_change",
    "target",
    "update_organization",
    "update_user",
]
