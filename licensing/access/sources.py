"""What reaches somebody: every path by which assignments come to users, groups and units."""

from collections import defaultdict
from dataclasses import dataclass

from directory.models import GroupMembership, OrgUnit
from directory.trees import unit_paths, write_path
from licensing.kinds import GROUPS, ORGANIZATION, UNITS, USERS, AssigneeKind
from licensing.models import Assignment, Policy
from licensing.states import INACTIVE, State, Status


@dataclass(frozen=True)
class Source:
    """One path by which a user, group or unit is reached: an assignment, and how it comes here."""

    assignment: Assignment
    is_direct: bool
    path: tuple[OrgUnit, ...]  # for a unit: from the one that has the license down to the one that is reached
    status: Status

    @property
    def kind(self) -> AssigneeKind:
        return self.assignment.kind

    @property
    def in_effect(self) -> bool:
        return self.status.state is State.LIVE

    @property
    def label(self) -> str:
        if self.is_direct:
            return "Direct"
        if self.kind is ORGANIZATION:
            return "Whole organization"
        if self.kind is UNITS:
            return f"Unit: {write_path(self.path)}"
        return f"Group: {self.assignment.assignee.name}"

    @property
    def short(self) -> str:
        """The name of what gives it: "it still comes through Support"."""
        if self.is_direct:
            return "a direct assignment"
        return "the whole organization" if self.kind is ORGANIZATION else self.assignment.assignee.name

    @property
    def policies(self) -> list[tuple[Policy, bool]]:
        """What it gives: (policy, whether it was chosen), the default ones first."""
        defaults = [(policy, False) for policy in self.assignment.allocation.license.default_policies]
        return defaults + [(policy, True) for policy in self.assignment.chosen_policies]


def sources_of(kind, things, *, at, allocation=None, with_policies=True):
    """Return every path by which assignments reach the things: {pk: [Source, …]}, direct ones first.

    kind: of the things. things: instances of one organization, a page of them at most. at: the instant.
    allocation: an Allocation, for its assignments only; what they give is then the caller's to know, not fetched.
    with_policies: whether a Source will be asked which policies it gives. If not, they and providers are not fetched.
    Also those not in effect are returned, each with its Status: a list says them apart, and an assignment to an
    inactive user is among them. The number of queries does not depend on the things.
    """
    keys = {thing.pk: [kind.target_key(thing.pk)] for thing in things}
    paths = defaultdict(dict)  # pk of a reached thing -> pk of a unit above it -> path between them
    if kind is USERS:
        for membership in GroupMembership.objects.filter(user__in=things):
            keys[membership.user_id].append(GROUPS.target_key(membership.group_id))
    unit_of = (
        {thing.pk: thing.unit_id if kind is USERS else thing.pk for thing in things} if kind in (USERS, UNITS) else {}
    )
    above = unit_paths(set(filter(None, unit_of.values())))
    for pk, unit_id in unit_of.items():
        path = above.get(unit_id, ())
        for position, unit in enumerate(path):
            paths[pk][unit.pk] = path[position:]
            keys[pk].append(UNITS.target_key(unit.pk))
    if kind is not ORGANIZATION:
        for thing in things:
            keys[thing.pk].append(ORGANIZATION.target_key(thing.organization_id))

    found = Assignment.objects.filter(target_key__in={key for own in keys.values() for key in own}).with_assignees()
    if allocation:
        found = found.filter(allocation=allocation)
    elif with_policies:
        found = found.with_license().with_policies()
    else:
        found = found.select_related("allocation__license")
    by_key, statuses = defaultdict(list), {}
    for assignment in found:
        if allocation:
            assignment.allocation = allocation
        by_key[assignment.target_key].append(assignment)
        statuses[assignment.pk] = assignment.status(at)

    def source(thing, key, assignment):
        status = INACTIVE if kind is USERS and not thing.is_active else statuses[assignment.pk]
        return Source(assignment, key == kind.target_key(thing.pk), paths[thing.pk].get(assignment.unit_id, ()), status)

    return {
        thing.pk: [
            source(thing, key, assignment) for key in dict.fromkeys(keys[thing.pk]) for assignment in by_key[key]
        ]
        for thing in things
    }


def by_license(sources):
    """Return sources as [(allocation, [source, …])], by license name."""
    found = {}
    for source in sources:
        found.setdefault(source.assignment.allocation_id, (source.assignment.allocation, []))[1].append(source)
    return sorted(found.values(), key=lambda pair: (pair[0].license.sort_key, pair[0].pk))


def by_application(sources):
    """Return what sources give as [(application, [(policy, [source, …])])], by name."""
    found = defaultdict(lambda: defaultdict(list))
    for source in sources:
        for policy, _ in source.policies:
            found[policy.application][policy].append(source)
    return [
        (application, sorted(found[application].items(), key=lambda pair: pair[0].name.casefold()))
        for application in sorted(found, key=lambda application: (application.name.casefold(), application.pk))
    ]
