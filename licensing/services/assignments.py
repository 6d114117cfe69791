from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import groupby

from django.core.exceptions import ValidationError
from django.db.models import Q
from django.utils import timezone

from directory.models import Organization
from directory.services import Outcome, in_bulk
from portal.audit.log import Target, record
from portal.audit.models import AuditEntry
from portal.days import first_day, last_day, write_day
from portal.text import join_some
from portal.transactions import one_transaction

from ..access import count_reached
from ..kinds import USERS, AssigneeKind
from ..models import Allocation, Assignment, AssignmentPolicy
from ..states import State


@dataclass(frozen=True)
class Assigned:
    """What assign() did: for whom, who had it already, and the policies that are now assigned."""

    allocation: Allocation
    kind: AssigneeKind
    done: list
    skipped: list
    policies: list


@one_transaction
def assign(allocation, *, kind, assignees, policies=(), starts_at=None, ends_at=None, actor):
    """Assign an Allocation to assignees of one kind, with chosen optional policies; returns Assigned.

    starts_at, ends_at: instants of the assignments' own dates, or None. Whoever has it already is skipped, the others
    go through. Raises ValidationError when it cannot be assigned (any more), an assignee or policy does not belong
    here, the end is not after the start, or the seats do not suffice.
    """
    with _assigning(allocation, policies, starts_at, ends_at, actor) as (allocation, policies, give):
        outcome = give(kind, _require_candidates(allocation.organization, kind, assignees))
    given = allocation.license.default_policies + policies
    return Assigned(allocation, kind, outcome.done, outcome.skipped, given)


@one_transaction
def assign_in_bulk(allocation, *, kind, assignees, policies=(), starts_at=None, ends_at=None, actor):
    """Do the same for a QuerySet of very many, of the Allocation's organization; returns a Tally."""
    with _assigning(allocation, policies, starts_at, ends_at, actor) as (_, _, give):
        return in_bulk(assignees, partial(give, kind), already="Had it directly already", why_not=why_not_assign(kind))


def why_not_assign(kind):
    """Say what of a kind nothing is assigned to with many others, for directory.services.left_out()."""
    return [("Inactive", Q(is_active=False))] if kind is USERS else []


@contextmanager
def _assigning(allocation, policies, starts_at, ends_at, actor):
    """Check what an assignment would say, and give (allocation, policies, a function that gives it to assignees).

    The function takes a kind and assignees, which are candidates, and returns an Outcome.
    """
    # Lock: two editors may hand out the last seat at once, or the provider may cancel.
    allocation = lock_allocation(allocation)
    now = timezone.now()
    _require_assignable(allocation, now)
    _require_order(starts_at, ends_at, now)
    policies = _require_optional(allocation, policies)
    details = {"policies": _names(policies), **_days(starts_at, ends_at)}

    def give(kind, assignees):
        keys = {kind.target_key(assignee.pk): assignee for assignee in assignees}
        existing = Assignment.objects.filter(allocation=allocation, target_key__in=keys)
        taken = set(existing.values_list("target_key", flat=True))
        done = [assignee for key, assignee in keys.items() if key not in taken]
        assignments = Assignment.objects.bulk_create(
            (
                Assignment(
                    organization_id=allocation.organization_id,
                    allocation=allocation,
                    starts_at=starts_at,
                    ends_at=ends_at,
                    created_by=actor.name,
                    **kind.assigned_to(assignee),
                )
                for assignee in done
            ),
            batch_size=1000,
        )
        AssignmentPolicy.objects.bulk_create(
            (_chosen(assignment, policy) for assignment in assignments for policy in policies), batch_size=1000
        )
        pairs = zip(assignments, done, strict=True)
        assigned = [(assignment, kind, assignee) for assignment, assignee in pairs]
        _record(actor, "assignment.created", allocation, assigned, details)
        return Outcome(done, [assignee for key, assignee in keys.items() if key in taken])

    with _seats_respected(allocation, now):
        yield allocation, policies, give


@one_transaction
def set_policies(assignment, *, policies, actor):
    """Make `policies` the chosen optional policies of an Assignment; returns (added, removed) policies."""
    assignment = _lock_assignment(assignment)
    policies = _require_optional(assignment.allocation, policies)
    before = assignment.chosen_policies
    added = [policy for policy in policies if policy not in before]
    removed = [policy for policy in before if policy not in policies]
    if added or removed:
        AssignmentPolicy.objects.filter(assignment=assignment, policy__in=removed).delete()
        AssignmentPolicy.objects.bulk_create(_chosen(assignment, policy) for policy in added)
        details = {"added": _names(added), "removed": _names(removed), "policies": _names(policies)}
        _record_one(actor, "assignment.policies", assignment, details)
    return added, removed


@one_transaction
def set_dates(assignment, *, starts_at, ends_at, actor):
    """Give an Assignment its own dates (instants; None: open); returns whether that changed anything.

    Raises ValidationError when the end is not after the start, or when more people would be reached than seats suffice.
    """
    allocation = lock_allocation(assignment.allocation)
    assignment = _lock_assignment(assignment)
    if (starts_at, ends_at) == (assignment.starts_at, assignment.ends_at):
        return False
    now = timezone.now()
    _require_order(starts_at, ends_at, now)
    details = {"old": _days(assignment.starts_at, assignment.ends_at), **_days(starts_at, ends_at)}
    with _seats_respected(allocation, now):
        Assignment.objects.filter(pk=assignment.pk).update(starts_at=starts_at, ends_at=ends_at)
    _record_one(actor, "assignment.dates", assignment, details)
    return True


@one_transaction
def unassign(assignment, *, actor):
    """Remove an Assignment with its chosen policies. Those it reached lose what no other source gives."""
    _remove([_lock_assignment(assignment)], actor)


def unassign_all(kind, assignee, *, actor):
    """Remove every Assignment to the assignee, inside the transaction that deletes it; names are as they were."""
    _remove(_locked().filter(target_key=kind.target_key(assignee.pk)).order_by("pk"), actor)


def unassign_in_bulk(allocation, *, kind, assignees, actor):
    """Remove the Assignments of an Allocation to a QuerySet of very many assignees of one kind; returns a Tally."""

    def take(things):
        keys = {kind.target_key(thing.pk): thing for thing in things}
        assignments = list(_locked().filter(allocation=allocation, target_key__in=keys).order_by("pk"))
        _remove(assignments, actor)
        had = {assignment.target_key for assignment in assignments}
        return Outcome([keys[key] for key in had], [thing for key, thing in keys.items() if key not in had])

    return in_bulk(assignees, take, already="Did not have it directly")


def _remove(assignments, actor):
    """Remove Assignments that are locked and know all that is to be said of them, each with an entry of its own."""
    for allocation, some in groupby(sorted(assignments, key=_by_allocation), key=lambda each: each.allocation):
        told = [(each, each.kind, each.assignee, {"policies": _names(each.chosen_policies)}) for each in some]
        _record(actor, "assignment.removed", allocation, told, {})
        Assignment.objects.filter(pk__in=[assignment.pk for assignment, *_ in told]).delete()


def _by_allocation(assignment):
    return assignment.allocation_id


def removal_of(organization, pk):
    """Return the AuditEntry of the removal of an assignment of the organization, or None where there was none."""
    entries = AuditEntry.objects.filter(target_kind="assignment", target_id=pk, organization_id=organization.pk)
    return entries.filter(verb="assignment.removed").first()


# Locks ---------------------------------------------------------------------------------------------------------------


def lock_allocation(allocation):
    """Lock an Allocation until the transaction ends and return it as it is now, with its license."""
    queryset = (
        Allocation.objects.select_for_update(no_key=True, of=("self",)).with_license().select_related("organization")
    )
    return queryset.get(pk=allocation.pk)


def _locked():
    """Assignments as a QuerySet that locks them and knows all that is to be said of them."""
    queryset = Assignment.objects.select_for_update(no_key=True, of=("self",))
    return queryset.with_assignees().with_license().with_policies()


def _lock_assignment(assignment):
    found = _locked().filter(pk=assignment.pk).first()
    if found is None:
        removal = removal_of(assignment.organization, assignment.pk)
        by = f" by {removal.actor_name}" if removal else " meanwhile"
        raise ValidationError(f"This assignment was already removed{by}.", code="gone")
    return found


@contextmanager
def _seats_respected(allocation, at):
    """Refuse what happens inside when it reaches more people than before and more than there are seats."""
    if allocation.seats is None:
        yield
        return
    before = count_reached(allocation, at=at)
    yield
    needed = count_reached(allocation, at=at) - before
    free = max(allocation.seats - before, 0)
    if needed > free:
        numbers = f"{needed:,} {_is(needed)} needed, {free:,} of {allocation.seats:,} {_is(free)} free"
        way_out = f"Choose fewer, or ask {allocation.license.provider} for more seats."
        raise ValidationError(f"Not enough seats: {numbers}. {way_out}", code="seats")


def _is(number):
    return "is" if number == 1 else "are"


# Rules ---------------------------------------------------------------------------------------------------------------


def _require_assignable(allocation, at):
    state = allocation.state(at)
    if state is State.CANCELLED:
        how = f"was cancelled by {allocation.license.provider} on {write_day(first_day(allocation.cancelled_at))}"
    elif state is State.ENDED:
        how = f"ended on {write_day(last_day(allocation.ends_at))}"
    else:
        return
    raise ValidationError(f"{allocation} {how}, so it cannot be assigned.", code="not_assignable")


def _require_order(starts_at, ends_at, at):
    if ends_at and ends_at <= at:
        raise ValidationError({"ends_on": ValidationError("This day has passed. Choose today or later.", code="past")})
    if starts_at and ends_at and ends_at <= starts_at:
        raise ValidationError(
            {"ends_on": ValidationError("The last day is before the first. Choose a later one.", code="order")}
        )


def _require_optional(allocation, policies):
    """Return the policies in the license's order; refuse one that is not optional in it."""
    policies, optional = set(policies), allocation.license.optional_policies
    if foreign := policies - set(optional):
        message = f"{join_some(sorted(map(str, foreign)))}: not an optional policy of {allocation}. Choose again."
        raise ValidationError({"policies": ValidationError(message, code="policy")})
    return [policy for policy in optional if policy in policies]


def _require_candidates(organization: Organization, kind, assignees):
    """Return the assignees as they are now; refuse none at all, a foreign one, and one that was deleted meanwhile."""
    asked = {assignee.pk: assignee for assignee in assignees}
    if not asked:
        raise ValidationError({"assignees": ValidationError(f"Choose at least one {kind.one}.", code="none")})
    found = list(kind.candidates(organization).filter(pk__in=asked))
    if len(found) < len(asked):
        gone = asked.keys() - {assignee.pk for assignee in found}
        message = f"{join_some(str(asked[pk]) for pk in gone)} cannot be chosen any more. Choose again."
        raise ValidationError({"assignees": ValidationError(message, code="gone")})
    return sorted(found, key=lambda assignee: list(asked).index(assignee.pk))


def _chosen(assignment, policy):
    return AssignmentPolicy(
        organization_id=assignment.organization_id,
        assignment=assignment,
        allocation_id=assignment.allocation_id,
        license_id=assignment.allocation.license_id,
        policy=policy,
    )


# Audit ---------------------------------------------------------------------------------------------------------------


def _names(policies):
    return [policy.name for policy in policies]


def _days(starts_at, ends_at):
    """The dates of an audit entry, as days: they are read by people, years later."""
    return {"from": starts_at and first_day(starts_at).isoformat(), "until": ends_at and last_day(ends_at).isoformat()}


def _record(actor, verb, allocation, assigned, details):
    """assigned: (Assignment, its kind, its assignee), and what is told of this one alone, where there is something."""
    targets = [
        (
            Target("assignment", assignment.pk, assignee.name),
            {"kind": kind.one, "assignee_id": assignee.pk, **dict(*own)},
        )
        for assignment, kind, assignee, *own in assigned
    ]
    details = {"license": allocation.license.name, "allocation_id": allocation.pk, **details}
    record(actor, verb, targets, organization_id=allocation.organization_id, details=details)


def _record_one(actor, verb, assignment, details):
    _record(actor, verb, assignment.allocation, [(assignment, assignment.kind, assignment.assignee)], details)
