"""The same for very many: in one transaction and as one act, by thousands, so that memory stays flat."""

from dataclasses import dataclass, field

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

    def leave(self, things, reason):
        if things:
            self.numbers[reason] = self.numbers.get(reason, 0) + len(things)
            names = self.names.setdefault(reason, [])
            names += [thing.name for thing in things[: NAMED - len(names)]]


@one_transaction
def in_bulk(things, act, *, already, why_not=lambda thing: ""):
    """Run a service over a QuerySet; returns a Tally. What it raises undoes all of it.

    act: called with a list of things, returns an Outcome. already: the reason of whom it skips.
    why_not: thing -> the reason why it is left out, or nothing.
    """
    tally = Tally()
    with one_act():
        for chunk in in_chunks(things, "pk", size=CHUNK):
            reasons = [(thing, why_not(thing)) for thing in chunk]
            for reason in dict.fromkeys(reason for _, reason in reasons if reason):
                tally.leave([thing for thing, why in reasons if why == reason], reason)
            if left := [thing for thing, reason in reasons if not reason]:
                outcome = act(left)
                tally.done += len(outcome.done)
                tally.leave(outcome.skipped, already)
    return tally


def why_not_deactivate(organization, actor):
    """Return the function that says why a User is not deactivated with many others: nobody locks themselves out.

    So at least one active Admin is left: who acts, or those whom an Editor cannot deactivate.
    """
    why_not_admin = _why_not_admin(organization, actor, "deactivate")

    def why_not(user):
        return "That is you" if actor.kind == "account" and user.account_id == actor.id else why_not_admin(user)

    return why_not


def why_not_reactivate(organization, actor):
    """Return the function that says why a User is not reactivated with many others: an Admin is by an Admin only."""
    why_not_admin = _why_not_admin(organization, actor, "reactivate")
    return lambda user: "" if user.is_active else why_not_admin(user)  # who is active is told to be so


def _why_not_admin(organization, actor, act):
    may_all = is_admin(organization, actor)
    return lambda user: "" if may_all or user.role != Role.ADMIN else f"Only an Admin can {act} an Admin"
