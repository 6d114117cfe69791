"""What may be done to the directory. Every write is one transaction with its audit entries; all are keyword-only,
take an Actor, and raise ValidationError, in words for the person, when a rule says no."""

from .bulk import Tally, in_bulk, why_not_deactivate
from .groups import create_group, join_group, join_groups, leave_group, update_group
from .many import Told, Verdict, foresee_people, put_people
from .organizations import create_account, create_organization
from .people import create_user, deactivate, join_places, keep_an_admin, reactivate, update_user
from .rules import Outcome, is_admin, lock, require_may_change, target
from .units import create_unit, leave_unit, move_unit, place_in_unit, update_unit

__all__ = [
    "Outcome",
    "Tally",
    "Told",
    "Verdict",
    "create_account",
    "create_group",
    "create_organization",
    "create_unit",
    "create_user",
    "deactivate",
    "in_bulk",
    "foresee_people",
    "is_admin",
    "join_group",
    "join_groups",
    "join_places",
    "keep_an_admin",
    "leave_group",
    "leave_unit",
    "lock",
    "move_unit",
    "place_in_unit",
    "put_people",
    "reactivate",
    "require_may_change",
    "target",
    "update_group",
    "update_unit",
    "update_user",
    "why_not_deactivate",
]
