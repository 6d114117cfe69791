"""A decision in words: whether somebody may, through what, or what is missing, and where that can be changed."""

from dataclasses import dataclass
from functools import cached_property
from operator import attrgetter

from django.urls import reverse

from directory.models import User
from portal.days import first_day, write_day
from portal.text import join_words

from .access import Decision, Reason, Source, by_license, decide, judge, sources_of
from .kinds import USERS
from .models import Allocation, Application, LicensePolicy, Policy
from .states import Status

_TEXTS = {
    Reason.ALLOCATION_ENDED: "{allocation} gives nothing any more. Only its provider, {provider}, can renew it.",
    Reason.ALLOCATION_NOT_STARTED: "{allocation} gives nothing before its first day.",
    Reason.NO_ASSIGNMENT: "Not assigned to {person}, to a group or unit of theirs, or to everyone.",
    Reason.ASSIGNMENT_ENDED: "Assigned, but it has ended.",
    Reason.ASSIGNMENT_NOT_STARTED: "Assigned, but it has not started.",
    Reason.ACTION_NOT_COVERED: "{policy} is optional, and not chosen.",
}


@dataclass(frozen=True)
class Missing:
    """What one license lacks: the first condition that is not met, and what an editor can do about it."""

    reason: Reason
    allocation: Allocation
    source: Source | None  # the assignment that is not enough
    license_policy: LicensePolicy | None  # where one that was not chosen is what is missing
    status: Status | None  # where dates are what is missing
    text: str
    act: str  # what a button says that opens the modal at `url`; empty: nobody here can change it
    url: str

    @property
    def id(self):
        assignment = self.source.assignment.pk if self.source else 0
        return f"{self.reason}-{self.allocation.pk}-{assignment}-{self.license_policy.pk if self.license_policy else 0}"

    @property
    def order(self):
        """What is closest stands first; policies of one license stand as the provider ordered them."""
        row, license = self.license_policy, self.allocation.license
        return -self.reason.place, license.sort_key, (row.position, row.pk) if row else (0, 0), self.id


@dataclass(frozen=True)
class Explanation:
    """Why a User may or may not use a thing."""

    person: User
    thing: Application | Allocation | Policy
    action: str | None
    decision: Decision
    allocations: dict[int, Allocation]  # with their licenses
    sources: dict[int, Source]  # all that come to the person, by assignment

    @property
    def verdict(self):
        return self._say(self.decision)

    @property
    def turn(self):
        """What a date will change, if one will."""
        if self.decision.valid_until is None:
            return "No date changes this."
        day = write_day(first_day(self.decision.valid_until))
        then = judge(self.decision.ways, self.action, at=self.decision.valid_until)
        if then.allowed is not self.decision.allowed:
            return f"From {day}: {self._say(then)}."
        return f"On {day} a date changes {'through what' if then.allowed else 'what is missing'}."

    def _say(self, decision):
        word = {Application: "in", Allocation: "with", Policy: "by"}[type(self.thing)]
        may = "may" if decision.allowed else "may not"
        return f"{self.person} {may} {f'do “{self.action}” {word}' if self.action else 'use'} {self.thing}"

    @cached_property
    def _if_active(self):
        """What is decided, or for who is inactive would be if they were not."""
        return judge(self.decision.ways, self.action, at=self.decision.at)

    @property
    def through(self):
        """What gives it, or else what gives them other things there: [(Allocation, [Source])]."""
        ways, allowed = self._if_active.in_effect, self._if_active.allowed
        assignments = dict.fromkeys(way.assignment for way in ways if not allowed or way.covers(self.action))
        return by_license([self.sources[pk] for pk in assignments if pk in self.sources])

    @property
    def through_title(self):
        if self.decision.allowed:
            return "Through"
        return "When they are active again, through" if self._if_active.allowed else "What they have there"

    @property
    def covered(self):
        """The actions there are, if none of the policies covers the one that was asked about; else nothing."""
        ways = self.decision.ways
        if self.action is None or any(way.covers(self.action) for way in ways):
            return ""
        return join_words(sorted({action for way in ways for action in way.covered}))

    @property
    def missing(self):
        """What is missing, the closest way first: [Missing]; nothing where nothing is.

        What came or went while all this was read is left out: the next question finds it.
        """
        if self._if_active.allowed or self.covered:
            return []
        found = {}
        known = [way for way in self.decision.ways if way.allocation in self.allocations]
        for way in (way for way in known if way.assignment is None or way.assignment in self.sources):
            if way.covers(self.action) and (reason := way.missing(self.decision.at)):
                policy = way.policy if reason is Reason.ACTION_NOT_COVERED else None
                found[reason, way.allocation, way.assignment, policy] = way
        lines = [self._line(reason, way) for (reason, *_), way in found.items()]
        return sorted(lines, key=attrgetter("order"))

    def _line(self, reason, way):
        allocation, source = self.allocations[way.allocation], self.sources.get(way.assignment)
        row = None
        if reason is Reason.ACTION_NOT_COVERED:
            rows = allocation.license.license_policies.all()
            row = next((row for row in rows if row.policy_id == way.policy), None)
        text = _TEXTS[reason].format(
            allocation=allocation,
            provider=allocation.license.provider,
            person=self.person,
            policy=row.policy if row else "A policy",
        )
        status, act, url = None, "", ""
        if reason in (Reason.ALLOCATION_ENDED, Reason.ALLOCATION_NOT_STARTED):
            status = allocation.status(self.decision.at)
        elif reason is Reason.NO_ASSIGNMENT and self.person.is_active:
            query = {"allocation": allocation.pk}
            act, url = "Assign", reverse("licensing:choose_license", args=[USERS, self.person.pk], query=query)
        elif reason in (Reason.ASSIGNMENT_ENDED, Reason.ASSIGNMENT_NOT_STARTED):
            status = source.assignment.status(self.decision.at)
            act, url = "Change dates", reverse("licensing:change_dates", args=[way.assignment])
        elif reason is Reason.ACTION_NOT_COVERED:
            act, url = "Manage Optional Policies", reverse("licensing:choose_policies", args=[way.assignment])
        return Missing(reason, allocation, source, row, status, text, act, url)


def explain(person, thing, action, allocations, *, at):
    """Return the Explanation why a User may or may not use a thing at the instant.

    thing, action: as decide() takes them. allocations: all of the organization, with their licenses.
    """
    sources = sources_of(USERS, [person], at=at)[person.pk]
    return Explanation(
        person=person,
        thing=thing,
        action=action,
        decision=decide(person, thing, action, at=at),
        allocations={allocation.pk: allocation for allocation in allocations},
        sources={source.assignment.pk: source for source in sources},
    )
