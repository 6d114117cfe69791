"""What may be done with licenses. Every write is one transaction with its audit entries; all take an Actor, and raise
ValidationError, in words for the person and at the field where they belong, when a rule says no."""

from .allocations import allocate, cancel, change_allocation, reinstate
from .assignments import (
    Assigned,
    assign,
    assign_in_bulk,
    removal_of,
    set_dates,
    set_policies,
    unassign,
    unassign_in_bulk,
)
from .catalogue import delete, save, set_license_policies, set_staff, why_kept
from .notices import send_notices
from .removals import Plan, delete_group, delete_unit, delete_user, offboard, plan_of
from .tokens import create_token, digest_of, revoke_token

__all__ = [
    "Assigned",
    "Plan",
    "allocate",
    "assign",
    "assign_in_bulk",
    "cancel",
    "change_allocation",
    "create_token",
    "delete",
    "delete_group",
    "delete_unit",
    "delete_user",
    "digest_of",
    "offboard",
    "plan_of",
    "reinstate",
    "removal_of",
    "revoke_token",
    "save",
    "send_notices",
    "set_dates",
    "set_license_policies",
    "set_policies",
    "set_staff",
    "unassign",
    "unassign_in_bulk",
    "why_kept",
]
