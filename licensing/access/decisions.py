"""May this user do this, why or why not, and until when does that hold.

One prepared statement finds every way in which a policy can come to the user; the rest is worked out from its rows.
"""

import json
from collections import defaultdict
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from functools import cached_property, lru_cache
from typing import NamedTuple

from django.db import connection
from psycopg.types.datetime import TimestamptzLoader
from psycopg.types.numeric import Int8

from licensing.models import Allocation, Application, Policy, covers
from licensing.states import State, state_of

from .reach import from_stored


class Reason(StrEnum):
    """Why a decision is what it is, in the order of the conditions: the later, the closer to being allowed."""

    UNKNOWN_RESOURCE = "unknown_resource"
    UNKNOWN_SUBJECT = "unknown_subject"
    USER_INACTIVE = "user_inactive"
    NO_ALLOCATION = "no_allocation"
    ALLOCATION_ENDED = "allocation_ended"  # or cancelled
    ALLOCATION_NOT_STARTED = "allocation_not_started"
    NO_ASSIGNMENT = "no_assignment"
    ASSIGNMENT_ENDED = "assignment_ended"
    ASSIGNMENT_NOT_STARTED = "assignment_not_started"
    ACTION_NOT_COVERED = "action_not_covered"  # by a policy that the user has
    ALLOWED = "allowed"

    @property
    def place(self):
        """How close it is to being allowed, to compare."""
        return _PLACES[self]


_PLACES = {reason: place for place, reason in enumerate(Reason)}


class Way(NamedTuple):
    """A way for a policy to come to a user: a license that holds it, and an assignment that comes to them, if one does.

    What is named without more is a primary key.
    """

    application: int
    policy: int
    actions: str  # JSON, as it is stored: few are different, and each is read once
    role: str
    is_given: bool  # by the assignment: it is a default policy, or chosen
    allocation: int
    is_cancelled: bool
    allocation_starts_at: datetime
    allocation_ends_at: datetime | None
    assignment: int | None
    target_key: int | None
    starts_at: datetime | None
    ends_at: datetime | None

    def covers(self, action):
        """Whether the policy covers the action (None: any at all)."""
        return covers(self.covered, action)

    @property
    def covered(self):
        """The names of the actions that the policy lists."""
        return _actions(self.actions)

    @property
    def dates(self):
        return self.allocation_starts_at, self.allocation_ends_at, self.starts_at, self.ends_at

    def missing(self, at):
        """Return the Reason for which it gives nothing at the instant: the first condition not met; or None."""
        state = state_of(self.allocation_starts_at, self.allocation_ends_at, at)
        if self.is_cancelled or state is State.ENDED:
            return Reason.ALLOCATION_ENDED
        if state is State.SCHEDULED:
            return Reason.ALLOCATION_NOT_STARTED
        if self.assignment is None:
            return Reason.NO_ASSIGNMENT
        state = state_of(self.starts_at, self.ends_at, at)
        if state is State.ENDED:
            return Reason.ASSIGNMENT_ENDED
        if state is State.SCHEDULED:
            return Reason.ASSIGNMENT_NOT_STARTED
        return None if self.is_given else Reason.ACTION_NOT_COVERED


@lru_cache(maxsize=4096)
def _actions(text):
    return frozenset(json.loads(text))


@dataclass(frozen=True)
class Decision:
    """What was decided at an instant, and what led to it."""

    reason: Reason
    in_effect: tuple[Way, ...]  # what the user has there; whether it covers the action or not
    at: datetime
    valid_until: datetime | None  # when a date makes it another decision, or another reason; None: no date does
    ways: tuple[Way, ...] = ()  # all of them

    @property
    def allowed(self) -> bool:
        return self.reason is Reason.ALLOWED


def decide(user, thing, action=None, *, at):
    """Return the Decision whether a User may use a thing at the instant. One statement, prepared on PostgreSQL.

    thing: an Application, a Policy, or an Allocation of the user's organization. action: the name of what they would do
    there; None: anything. The user is read anew: one that is gone is an unknown subject.
    """
    pk = thing.license_id if isinstance(thing, Allocation) else thing.pk
    rows = ask_prepared(statement(connection.vendor, _OF[type(thing)]), {"user": user.pk, "thing": pk})
    if not rows:
        return Decision(Reason.UNKNOWN_SUBJECT, (), at, None)
    ways = [way for _, way in ways_in(rows)]
    if isinstance(thing, Allocation):  # nothing of another organization that has the same license
        ways = [way for way in ways if way.allocation == thing.pk]
    return judge(ways, action, at=at, is_active=rows[0][0])


def usable(user, *, at):
    """Return what a User can use at the instant: {pk of an Application: Decision}. One statement, prepared."""
    found = defaultdict(list)
    rows = ask_prepared(statement(connection.vendor), {"user": user.pk})
    for (is_active, *_), way in ways_in(rows):
        if is_active:
            found[way.application].append(way)
    decisions = {application: judge(ways, at=at) for application, ways in found.items()}
    return {application: decision for application, decision in decisions.items() if decision.allowed}


def judge(ways, action=None, *, at, is_active=True):
    """Return the Decision that the ways to one user lead to."""
    return Standing(ways, at=at, is_active=is_active).decide(action)


class Standing:
    """How a user stands at an instant by all ways to them, whatever the action: found once, to decide about many."""

    def __init__(self, ways, *, at, is_active=True):
        self.ways, self.at, self.is_active = tuple(ways), at, is_active
        self.assigned = [way for way in self.ways if way.assignment is not None]
        self.in_effect = self._in_effect(at) if is_active else ()

    def decide(self, action=None):
        """Return the Decision about an action (None: any)."""
        if not self.is_active:
            return Decision(Reason.USER_INACTIVE, (), self.at, None, self.ways)
        if self.in_effect:
            is_covered = any(way.covers(action) for way in self.in_effect)
            reason = Reason.ALLOWED if is_covered else Reason.ACTION_NOT_COVERED
            return Decision(reason, self.in_effect, self.at, self._ends, self.ways)
        reason = self._closest(action, self.at)
        turns = self._dates(self.ways)
        until = next((date for date in turns if self._in_effect(date) or self._closest(action, date) != reason), None)
        return Decision(reason, (), self.at, until, self.ways)

    def _in_effect(self, at):
        return tuple(way for way in self.assigned if way.missing(at) is None)

    @cached_property
    def _ends(self):
        """The first date on which something else is in effect; what no assignment gives makes no difference."""
        return next((date for date in self._dates(self.assigned) if self._in_effect(date) != self.in_effect), None)

    def _dates(self, ways):
        return sorted({date for way in ways for date in way.dates if date and date > self.at})

    def _closest(self, action, at):
        """Return what is missing of the way that comes closest, of those that would cover the action, if any would."""
        missing = [way.missing(at) for way in self.ways if way.covers(action)] or [way.missing(at) for way in self.ways]
        return max(missing, key=_PLACES.__getitem__, default=Reason.NO_ALLOCATION)


# The statement -------------------------------------------------------------------------------------------------------


_OF = {Application: "application_id", Allocation: "license_id", Policy: "policy_id"}
_POLICIES = """(SELECT p.application_id, lp.policy_id, p.actions, p.role, lp.license_id, lp.is_default
    FROM licensing_policy p JOIN licensing_licensepolicy lp ON lp.policy_id = p.id{where}{fence}) o"""
_COLUMNS = """o.application_id, o.policy_id, {actions}, o.role, CASE WHEN a.id IS NULL OR o.is_default
      THEN o.is_default ELSE EXISTS (SELECT 1 FROM licensing_assignmentpolicy c
        WHERE c.assignment_id = a.id AND c.policy_id = o.policy_id{fence}) END,
    al.id, al.cancelled_at IS NOT NULL, al.starts_at, al.ends_at, a.id, a.target_key, a.starts_at, a.ends_at"""
_ABOVE = """SELECT c.ancestor_id * 4 + 2 FROM directory_orgunitclosure c WHERE c.descendant_id = u.unit_id
      UNION ALL SELECT m.group_id * 4 + 1 FROM directory_groupmembership m WHERE m.user_id = u.id"""
_HELD = "licensing_allocation al ON al.organization_id = u.organization_id AND al.license_id = o.license_id"


@lru_cache
def statement(
    vendor,
    of="",
    value="%(thing)s",
    *,
    told="u.is_active",
    more="",
    users="directory_user u",
    where="u.id = %(user)s",
):
    """Return the SQL for every way to users: what is told of them, a Way's columns (null: there is none), and `more`.

    of, value: which policies, by application_id, license_id or policy_id, with the ways of which no assignment comes
    to the user; without: all that do come to them. users: SQL that names u, and what `told`, `value` and `where` speak
    of. On PostgreSQL OFFSET 0 keeps it from merging what is to be found first, and one probe of the index with all keys
    of the user finds what is assigned to them. SQLite has no LATERAL, and sees by itself what is small.
    """
    join = "LEFT JOIN" if of else "JOIN"
    if vendor == "postgresql":
        keys = f"ANY(ARRAY[u.id * 4, u.organization_id * 4 + 3] || ARRAY({_ABOVE}))"
        condition = f" WHERE {'p' if of == 'application_id' else 'lp'}.{of} = {value}" if of else ""
        return f"""SELECT {told}, w.* FROM {users} LEFT JOIN LATERAL (
            SELECT {_COLUMNS.format(actions="o.actions::text", fence=" OFFSET 0")}{more}
            FROM {_POLICIES.format(where=condition, fence=" OFFSET 0" if of else "")} JOIN {_HELD}
            {join} (SELECT * FROM licensing_assignment a WHERE a.target_key = {keys} OFFSET 0) a
            ON a.allocation_id = al.id) w ON TRUE WHERE {where}"""
    keys = f"SELECT u.id * 4 UNION ALL SELECT u.organization_id * 4 + 3 UNION ALL {_ABOVE}"
    return f"""SELECT {told}, {_COLUMNS.format(actions="o.actions", fence="")}{more} FROM {users}
        {join} {_POLICIES.format(where="", fence="")} ON {f"o.{of} = {value}" if of else "TRUE"} {join} {_HELD}
        {join} licensing_assignment a ON a.allocation_id = al.id AND a.target_key IN ({keys}) WHERE {where}"""


def ways_in(rows, told=1):
    """Give (row, Way) of a statement's rows that have one, after so many columns that tell something else."""
    make = Way._make if connection.vendor == "postgresql" else _from_sqlite
    first, last = told, told + len(Way._fields)
    place = first + Way._fields.index("allocation")
    for row in rows:
        if row[place] is not None:
            yield row, make(row[first:last])


def _from_sqlite(columns):
    way = Way._make(columns)
    names = ("allocation_starts_at", "allocation_ends_at", "starts_at", "ends_at")
    dates = {name: from_stored(date) for name, date in zip(names, way.dates, strict=True)}
    return way._replace(is_given=bool(way.is_given), is_cancelled=bool(way.is_cancelled), **dates)


def ask_prepared(sql, parameters):
    """Run a statement that is asked often, prepared where the database prepares, and return its rows.

    Prepared it takes a quarter of the time, and only through psycopg's own cursor can that be asked for. It stands in
    Django's log of queries like every other.
    """
    with connection.cursor() as cursor:
        if connection.vendor != "postgresql":
            return cursor.execute(sql, parameters).fetchall()
        logged = cursor.debug_sql(sql, parameters) if connection.queries_logged else nullcontext()
        # psycopg sends each number as the smallest type that holds it, and prepares a statement anew for each type.
        typed = {name: Int8(value) if isinstance(value, int) else value for name, value in parameters.items()}
        # Django's loader makes each instant in Python, a third of the whole. It adds nothing: the session is in UTC.
        cursor.cursor.adapters.register_loader("timestamptz", TimestamptzLoader)
        with logged, connection.wrap_database_errors:
            return cursor.cursor.execute(sql, typed, prepare=True).fetchall()
