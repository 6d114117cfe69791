"""What access is, worked out slowly and obviously from plain rows: what the engine's answers are compared with.

Written from the specification (design.md, consequences.md) alone: it knows nothing of licensing.access, of the derived
rows of the tree, nor of target keys. Everything is a primary key or a plain row; times are instants.
"""

from collections import defaultdict
from typing import NamedTuple

from directory.models import GroupMembership, OrgUnit, User
from licensing.models import Allocation, Assignment, AssignmentPolicy, LicensePolicy, Policy

# Why somebody may not, the first condition first.
CONDITIONS = (
    "no_allocation",
    "allocation_ended",
    "allocation_not_started",
    "no_assignment",
    "assignment_ended",
    "assignment_not_started",
    "action_not_covered",
)


class Source(NamedTuple):
    """A path by which an assignment comes to a user."""

    assignment: int
    kind: str  # users, groups, units or organization
    assignee: int
    path: tuple[int, ...]  # of a unit's: the units from the one that is assigned down to the user's


class Oracle:
    """The rows of an Organization as they are now, and what follows from them."""

    def __init__(self, organization):
        def rows(model, *fields):
            found = model.objects.filter(organization=organization).values("pk", *fields)
            return {row["pk"]: row for row in found.order_by("pk")}

        self.organization = organization.pk
        self.users = rows(User, "is_active", "unit", "role", "account")
        self.units = rows(OrgUnit, "parent")
        self.memberships = set(GroupMembership.objects.filter(organization=organization).values_list("group", "user"))
        self.allocations = rows(Allocation, "license", "seats", "starts_at", "ends_at", "cancelled_at")
        fields = ("allocation", "user", "group", "unit", "whole_organization", "starts_at", "ends_at")
        self.assignments = rows(Assignment, *fields)
        chosen = AssignmentPolicy.objects.filter(organization=organization)
        self.chosen = set(chosen.values_list("assignment", "policy"))
        fields = ("license", "policy", "is_default", "policy__application")
        self.in_licenses = set(LicensePolicy.objects.values_list(*fields))
        self.actions = dict(Policy.objects.values_list("pk", "actions"))

    @property
    def rows(self):
        """All that it goes by, to compare."""
        return {name: value for name, value in vars(self).items() if name != "organization"}

    # One assignment --------------------------------------------------------------------------------------------------

    def path(self, assignment, user):
        """The Source by which the assignment comes to the user, whether or not it gives anything, or None."""
        row = self.assignments[assignment]
        if row["whole_organization"]:
            return Source(assignment, "organization", self.organization, ())
        if row["user"] == user:
            return Source(assignment, "users", user, ())
        if (row["group"], user) in self.memberships:
            return Source(assignment, "groups", row["group"], ())
        path, unit = (), self.users[user]["unit"]
        while unit is not None:
            path = (unit, *path)
            if unit == row["unit"]:
                return Source(assignment, "units", unit, path)
            unit = self.units[unit]["parent"]
        return None

    def in_effect(self, assignment, at):
        """Whether it gives access at the instant: within its own dates, and its allocation is live."""
        row = self.assignments[assignment]
        allocation = self.allocations[row["allocation"]]
        return is_within(row, at) and is_within(allocation, at) and allocation["cancelled_at"] is None

    def gives(self, assignment):
        """The policies it gives: the default ones of its license as they are now, and those chosen."""
        license = self.allocations[self.assignments[assignment]["allocation"]]["license"]
        defaults = {policy for of, policy, is_default, _ in self.in_licenses if of == license and is_default}
        return defaults | {policy for of, policy in self.chosen if of == assignment}

    # One user --------------------------------------------------------------------------------------------------------

    def sources(self, user):
        """Every Source that comes to the user, in effect or not."""
        return {source for assignment in self.assignments if (source := self.path(assignment, user))}

    def sources_in_effect(self, user, at):
        """The Sources that give the user something at the instant: none of an inactive one."""
        is_active = self.users[user]["is_active"]
        return {source for source in self.sources(user) if is_active and self.in_effect(source.assignment, at)}

    def policies(self, user, at):
        """What the user may do at the instant, and why: {policy: its Sources}."""
        found = defaultdict(set)
        for source in self.sources_in_effect(user, at):
            for policy in self.gives(source.assignment):
                found[policy].add(source)
        return dict(found)

    def decision(self, user, at, *, action=None, **of):
        """Why the user may or may not at the instant, as a code, and what they have there: {policy: assignments}.

        of: application, allocation or policy: what is asked about. action: of its policies; None: any of them.
        """
        ways = self.ways(**of)
        has = defaultdict(set)
        for source in self.sources_in_effect(user, at):
            for allocation, policy in ways:
                is_of = self.assignments[source.assignment]["allocation"] == allocation
                if is_of and policy in self.gives(source.assignment):
                    has[policy].add(source.assignment)
        if not self.users[user]["is_active"]:
            return "user_inactive", {}
        if any(self.covers(policy, action) for policy in has):
            return "allowed", has
        if has:
            return "action_not_covered", has
        wanted = [way for way in ways if self.covers(way[1], action)] or ways
        # Of all ways in which it could be, what the one lacks that comes closest.
        lacks = [self.lacks(user, allocation, at) for allocation, _ in wanted]
        return max(lacks, key=CONDITIONS.index, default="no_allocation"), {}

    def ways(self, *, application=None, allocation=None, policy=None):
        """Return what is asked about as (allocation, policy): each allocation whose license holds the policy."""
        return [
            (of, each)
            for of, row in self.allocations.items()
            for license, each, _, its_application in self.in_licenses
            if license == row["license"]
            and application in (None, its_application)
            and allocation in (None, of)
            and policy in (None, each)
        ]

    def covers(self, policy, action):
        return action is None or not self.actions[policy] or action in self.actions[policy]

    def lacks(self, user, allocation, at):
        """The first condition that is not met for the user to have something of an allocation that they have not."""
        row = self.allocations[allocation]
        if row["cancelled_at"] or has_ended(row, at):
            return "allocation_ended"
        if not is_within(row, at):
            return "allocation_not_started"
        assignments = [self.assignments[source.assignment] for source in self.sources(user)]
        assignments = [row for row in assignments if row["allocation"] == allocation]
        if not assignments:
            return "no_assignment"
        if any(is_within(row, at) for row in assignments):
            return "action_not_covered"  # it would have to be chosen
        return "assignment_ended" if all(has_ended(row, at) for row in assignments) else "assignment_not_started"

    def next_change(self, user, at, **asked):
        """The first instant after `at` at which decision() is another one although nobody changes anything, or None."""
        now = self.decision(user, at, **asked)
        return next((then for then in self.turns(at) if self.decision(user, then, **asked) != now), None)

    def turns(self, at):
        """The instants after `at` at which anything starts or ends, in order."""
        dated = [*self.assignments.values(), *self.allocations.values()]
        instants = {row[name] for row in dated for name in ("starts_at", "ends_at")}
        return sorted(instant for instant in instants if instant is not None and instant > at)

    # All users -------------------------------------------------------------------------------------------------------

    def reached(self, allocation, at):
        """The users who have the allocation at the instant, with their Sources: {user: Sources}."""
        return self._those_with(
            lambda user: {
                source
                for source in self.sources_in_effect(user, at)
                if self.assignments[source.assignment]["allocation"] == allocation
            }
        )

    def who_has(self, policy, at):
        """The users who have the policy at the instant, with their Sources: {user: Sources}."""
        return self._those_with(lambda user: self.policies(user, at).get(policy))

    def _those_with(self, sources_of):
        return {user: sources for user in self.users if (sources := sources_of(user))}

    def counted(self, allocation, at):
        """The active users whom an assignment of the allocation comes to that has not ended: what seats are for."""
        return {
            user
            for user, row in self.users.items()
            for source in self.sources(user)
            if row["is_active"]
            and self.assignments[source.assignment]["allocation"] == allocation
            and not has_ended(self.assignments[source.assignment], at)
        }

    def seats(self, allocation, at):
        """How many seats are in use at the instant: those counted; none of an allocation that is cancelled or ended."""
        row = self.allocations[allocation]
        return 0 if row["cancelled_at"] or has_ended(row, at) else len(self.counted(allocation, at))


def has_ended(row, at):
    return row["ends_at"] is not None and row["ends_at"] <= at


def is_within(row, at):
    """Half-open: from its start, which is part of it, to its end, which is not."""
    return (row["starts_at"] is None or row["starts_at"] <= at) and not has_ended(row, at)
