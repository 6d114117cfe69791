"""What may be done with licenses. Every write is one transaction with its audit entries; all take an Actor, and raise
ValidationError, in words for the person and at the field where they belong, when a rule says no."""

from .allocations import (
    allocate,
    cancel,
    change_allocation,
    change_end,
    reinstate,
    require_cancelled,
    require_not_cancelled,
    require_order,
)
from .assignments import (
    Assigned,
    assign,
    assign_in_bulk,
    removal_of,
    set_dates,
    set_policies,
    unassign,
    unassign_in_bulk,
    why_not_assign,
)
from .catalogue import delete, save, set_license_policies, why_kept
from .customers import create_customer, customer_is_open_to, has_come_in, invite_admin, update_customer
from .notices import send_notices
from .removals import Plan, delete_group, delete_unit, delete_user, offboard, plan_of
from .staff import add_staff, invite_staff, leads, remove_staff, set_lead
from .tokens import create_token, digest_of, require_not_revoked, revoke_token

__all__ = [
    "Assigned",
    "Plan",
    "add_staff",
    "allocate",
    "assign",
    "assign_in_bulk",
    "cancel",
    "change_allocation",
    "change_end",
    "create_customer",
    "create_token",
    "customer_is_open_to",
    "delete",
    "delete_group",
    "delete_unit",
    "delete_user",
    "digest_of",
    "has_come_in",
    "invite_admin",
    "offboard",
    "plan_of",
    "invite_staff",
    "leads",
    "reinstate",
    "removal_of",
    "remove_staff",
    "require_cancelled",
    "require_not_cancelled",
    "require_order",
    "require_not_revoked",
    "revoke_token",
    "save",
    "send_notices",
    "set_dates",
    "set_lead",
    "set_license_policies",
    "set_policies",
    "unassign",
    "unassign_in_bulk",
    "update_customer",
    "why_kept",
    "why_not_assign",
]
