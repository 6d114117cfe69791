"""What may be done with licenses. Every write is one transaction with its audit entries; all take an Actor, and raise
ValidationError, in words for the person and at the field where they belong, when a rule says no."""

from .allocations import allocate, cancel, change_allocation, reinstate
from .assignments import Assigned, assign, removal_of, set_dates, set_policies, unassign
from .catalogue import delete, save, set_license_policies, set_staff, why_kept
from .removals import delete_group, delete_unit, delete_user
from .tokens import create_token, digest_of, revoke_token

__all__ = [
    "Assigned",
    "allocate",
    "assign",
    "cancel",
    "change_allocation",
    "create_token",
    "delete",
    "delete_group",
    "delete_unit",
    "delete_user",
    "digest_of",
    "reinstate",
    "removal_of",
    "revoke_token",
    "save",
    "set_dates",
    "set_license_policies",
    "set_policies",
    "set_staff",
    "unassign",
    "why_kept",
]
