"""Open invitations come to their end: by hand, or because the person goes or has another address."""

from collections import defaultdict

from django.core.exceptions import ValidationError
from django.utils import timezone

from portal.audit.log import record
from portal.transactions import one_transaction

from ..models import Invitation, User
from .rules import lock, lock_users, require_may_change, split, target


@one_transaction
def cancel_invitation(invitation, *, actor):
    """Cancel an open Invitation: its link stops working. The person stays in the directory."""
    lock_open(invitation)
    cancel_invitations([invitation], actor=actor)


@one_transaction
def cancel_invitations(invitations, *, actor):
    """Cancel Invitations of one Organization; returns an Outcome, which skips what has come to its end already.

    Raises ValidationError where an Editor cancels that of an Admin.
    """
    outcome = lock_all(invitations)
    require_may_change([each.user for each in outcome.done], actor=actor)
    cancelled = Invitation.objects.filter(pk__in=[each.pk for each in outcome.done])
    cancelled.update(cancelled_at=timezone.now())
    record_each(actor, "invitation.cancelled", outcome.done)
    return outcome


def lock_open(invitation):
    """Lock an Invitation after its User and return it; refuse it where it has come to its end."""
    user = lock(User, invitation.user)
    invitation = lock(Invitation, invitation)
    invitation.user = user
    if invitation.accepted_at or user.account_id:
        raise ValidationError(f"{user} has accepted already.", code="accepted")
    if invitation.cancelled_at:
        raise ValidationError(f"The invitation of {user} was cancelled already.", code="cancelled")
    return invitation


def lock_all(invitations):
    """Lock Invitations after their Users; returns an Outcome: those that are open, and those that are not any more."""
    users = {user.pk: user for user in lock_users([each.user for each in invitations])}
    rows = Invitation.objects.select_for_update(no_key=True).filter(pk__in=[each.pk for each in invitations])
    found = list(rows.order_by("pk"))
    for invitation in found:
        invitation.user = users[invitation.user_id]
    return split(found, lambda each: not each.is_unfinished or each.user.account_id)


def record_each(actor, verb, invitations):
    """Record what became of Invitations, each for its organization."""
    by_organization = defaultdict(list)
    for each in invitations:
        told = {"email": each.email, "role": each.user.get_role_display()}
        by_organization[each.organization_id].append((target(each.user), told))
    for organization, targets in by_organization.items():
        record(actor, verb, targets, organization_id=organization)
