"""The same for very many: in one transaction and as one act, by thousands, so that memory stays flat."""

from dataclasses import dataclass, field

from django.db.models import Q

from portal.audit.log import one_act
from portal.lists import in_chunks
from portal.transactions import one_transaction

from ..models import Role
from .rules import is_admin

CHUNK = 1000
NAMED = 20  # of those for whom it was not done for one reason


@dataclass
class Tally:
    """What was done for very many: for how many, and for how many not and why, the first of them by name."""

    done: int = 0
    numbers: dict[str, int] = field(default_factory=dict)  # by reason
    names: dict[str, list[str]] = field(default_factory=dict)  # by reason, at most NAMED

    def leave(self, number, things, reason):
        """number: how many of them there are; things: some of them at least."""
        if number:
            self.numbers[reason] = self.numbers.get(reason, 0) + number
            names = self.names.setdefault(reason, [])
            names += [thing.name for thing in things[: NAMED - len(names)]]


@one_transaction
def in_bulk(things, act, *, already, why_not=()):
    """Run a service over a QuerySet; returns a Tally. What it raises undoes all of it.

    act: called with a list of things, returns an Outcome. already: the reason of whom it skips. why_not: who is left
    out, as for left_out().
    """
    tally = Tally()
    things, left = left_out(things, why_not)
    for reason, those in left:
        tally.leave(those.count(), those.order_by("pk"), reason)
    with one_act():
        for chunk in in_chunks(things, "pk", size=CHUNK):
            outcome = act(chunk)
            tally.done += len(outcome.done)
            tally.leave(len(outcome.skipped), outcome.skipped, already)
    return tally


def left_out(things, why_not):
    """Part a QuerySet: returns (those that an act upon many is for, [(reason, those that it leaves out)]).

    why_not: (reason, Q) pairs; of several that hold the first counts. Nothing is loaded.
    """
    left = []
    for reason, which in why_not:
        left.append((reason, things.filter(which)))
        things = things.exclude(which)
    return things, left


def why_not_deactivate(organization, actor):
    """Say which Users are not deactivated with many others, for left_out(): nobody locks themselves out.

    So at least one active Admin is left: who acts, or those whom an Editor cannot deactivate.
    """
    rules = [("That is you", Q(account=actor.id))] if actor.kind == "account" else []
    return rules + _why_not_admins(organization, actor, "deactivate")


def why_not_reactivate(organization, actor):
    """Say which Users are not reactivated with many others, for left_out(): an Admin is by an Admin only."""
    return _why_not_admins(organization, actor, "reactivate", is_active=False)  # who is active is told to be so


def why_not_resend(organization, actor):
    """Say which Invitations are not sent again with many others. Those that came to their end are told to be so."""
    rules = [("Inactive", Q(user__is_active=False, **_OPEN))]
    return rules + _why_not_admins(organization, actor, "invite", "user__", **_OPEN)


def why_not_cancel_invitation(organization, actor):
    """… and which are not cancelled with them."""
    return _why_not_admins(organization, actor, "cancel the invitation of", "user__", **_OPEN)


_OPEN = {"accepted_at": None, "cancelled_at": None}


def _why_not_admins(organization, actor, act, path="", **which):
    if is_admin(organization, actor):
        return []
    return [(f"Only an Admin can {act} an Admin", Q(**{f"{path}role": Role.ADMIN}, **which))]
