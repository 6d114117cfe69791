"""Whom assignments reach: who can use something, who has nothing, and how many seats are in use."""

from dataclasses import dataclass
from datetime import UTC, datetime

from django.db import connection
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet

from directory.models import GroupMembership, OrgUnitClosure, User
from licensing.kinds import GROUPS, ORGANIZATION, UNITS, USERS
from licensing.models import Assignment, AssignmentPolicy, LicensePolicy
from portal.lists import COUNT_LIMIT

# Who can use it ------------------------------------------------------------------------------------------------------

MANY = 3000  # people, from which on walking through all by name finds a page sooner than sorting those who are reached


@dataclass(frozen=True)
class Reached:
    """Those whom something reaches at an instant, or nothing."""

    people: QuerySet  # to show by name; counting it may take a probe per user: seconds at 100,000 (docs/access.md)
    counted: QuerySet  # the same Users, to count when they are narrowed further; of those whom nothing reaches: people
    number: int  # exact up to COUNT_LIMIT; beyond, at least so many


def who_can_use(organization, *, at, allocation=None, policies=None, kind=None):
    """Return the active Users of an Organization whom something reaches at the instant, as Reached.

    allocation: only those who have that Allocation. policies: only those who have one of these Policies (those of an
    Application: who can use it). kind: only those whom an assignment of that AssigneeKind gives it.
    """
    granted = organization.assignments.in_effect(at)
    if allocation is not None:
        granted = granted.filter(allocation=allocation)
    if policies is not None:
        granted = giving(granted, policies)
    if kind is not None:
        granted = granted.of_kind(kind)
    people = organization.users.active()
    if granted.of_kind(ORGANIZATION).exists():
        return Reached(people, people, people.count())
    number = _count(granted, organization)
    if number <= MANY:
        reached = users_reached(granted)
        return Reached(reached, reached, number)
    paths = (granted.of_kind(USERS), _memberships_reached(granted))
    is_direct, is_member = (Exists(those.filter(user=OuterRef("pk"))) for those in paths)
    walked = people.filter(Q(unit__in=_units_reached(granted)) | is_direct | is_member)
    return Reached(walked, walked if number > COUNT_LIMIT else users_reached(granted, to_count=True), number)


def giving(assignments, policies):
    """Return those of assignments (a QuerySet) that give one of the Policies: by default, or because it was chosen."""
    default = LicensePolicy.objects.filter(policy__in=policies, is_default=True).values("license")
    chosen = AssignmentPolicy.objects.filter(policy__in=policies, assignment=OuterRef("pk"))
    return assignments.filter(Q(allocation__license__in=default) | Exists(chosen))


def count_holders(policies, *, at):
    """Return how many active Users have one of the Policies at the instant: {organization: number}. One query."""
    people = users_reached(giving(Assignment.objects.in_effect(at), policies)).order_by()
    return dict(people.values_list("organization").annotate(number=Count("pk")))


def users_reached(assignments, *, to_count=False):
    """Return the active Users whom assignments (a QuerySet, of one organization or several) reach, as a QuerySet.

    to_count: they are many, and will be counted. PostgreSQL believes of a union that it is 200 people, and looks each
    up by the key; for pk + 0 there is no index, so it joins them all, in a fourth of the time.
    """
    people = User.objects.active()
    whole = people.filter(organization__in=assignments.of_kind(ORGANIZATION).values("organization"))
    others = (
        _memberships_reached(assignments).values("user"),
        people.filter(unit__in=_units_reached(assignments)).values("pk"),
        whole.values("pk"),
    )
    reached = assignments.of_kind(USERS).values("user").union(*others, all=True)
    return people.alias(key=F("pk") + 0).filter(key__in=reached) if to_count else people.filter(pk__in=reached)


def _units_reached(assignments):
    above = assignments.of_kind(UNITS).values("unit")
    return OrgUnitClosure.objects.filter(ancestor__in=above).values("descendant")


def _memberships_reached(assignments):
    return GroupMembership.objects.filter(group__in=assignments.of_kind(GROUPS).values("group"))


def _count(granted, organization):
    """Return how many active users assignments (a QuerySet of one organization) reach; beyond COUNT_LIMIT, a part.

    The first paths tell of many that they are many, in a tenth of the time that it takes to count them. Only where they
    lead to the same people again and again are all of them followed.
    """
    columns = granted.order_by().values("user_id", "group_id", "unit_id", "whole_organization")
    sql, parameters = columns.query.sql_with_params()
    reached, active = paths("a", int(organization.pk)), is_active("r.id", f"= {int(organization.pk)}")
    with connection.cursor() as cursor:
        for limit in (f"LIMIT {2 * COUNT_LIMIT}", ""):
            cursor.execute(
                f"""WITH a AS NOT MATERIALIZED ({sql}), found AS (
                SELECT r.id FROM ({reached}) r WHERE {active} {limit})
                SELECT count(DISTINCT id), count(*) FROM found""",
                parameters,
            )
            people, found = cursor.fetchone()
            if found < 2 * COUNT_LIMIT or people > COUNT_LIMIT:
                break
    return people


# Whom nothing reaches ------------------------------------------------------------------------------------------------


FEW = 1000  # people: up to so many are read by their ids; to walk by name would be to ask about nearly everybody


def without_license(organization, *, at, among=None):
    """Return the active Users of an Organization whom no assignment in effect at the instant reaches, as Reached.

    Directly, through a group or through a unit, that is: what the whole organization has is not looked at.
    among: only those of these of its Users (a QuerySet), as a search finds them.

    A first query tells how many they are, up to COUNT_LIMIT. Few are read by their ids: to walk by name would be to ask
    about nearly everybody. Among many a page by name is soon full.
    """
    active = (organization.users if among is None else among).active()
    in_effect = organization.assignments.in_effect(at)
    members, this_user = _memberships_reached(in_effect), Q(user=OuterRef("pk"))
    left = active.exclude(unit__in=_units_reached(in_effect)).exclude(Exists(in_effect.filter(this_user)))
    # Half of this is never true. It keeps PostgreSQL from joining groups first, of which it believes that they have few
    # members: so memberships and people are read side by side, each in the order of an index.
    in_groups = Q(group__in=in_effect.of_kind(GROUPS).values("group")) | Q(group=None)
    counted = left.exclude(Exists(GroupMembership.objects.filter(in_groups, this_user)))
    ids = list(counted.order_by().values_list("pk", flat=True)[: COUNT_LIMIT + 1])
    people = active.filter(pk__in=ids) if len(ids) <= FEW else left.exclude(Exists(members.filter(this_user)))
    return Reached(people, people, len(ids))


# Whom an allocation reaches ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class SeatUse:
    """Seats in use: distinct active people reached now, or by an assignment that starts later."""

    seats: int | None
    used: int
    later: int  # of them, those who are reached only later
    later_from: datetime | None

    @property
    def now(self) -> int:
        return self.used - self.later

    @property
    def free(self) -> int:
        return max((self.seats or 0) - self.used, 0)

    @property
    def over(self) -> int:
        return max(self.used - self.seats, 0) if self.seats is not None else 0

    @property
    def width(self) -> int:
        """What the bar is as long as."""
        return max(self.used, self.seats or 0, 1)

    @property
    def tick(self) -> str:
        """How thick the mark of the limit is, on a bar of that length."""
        return f"{self.width / 60:.2f}"

    @property
    def near(self) -> bool:
        """From 90 % on: also what is full, or over."""
        return self.seats is not None and self.used >= 0.9 * self.seats


def seats_in_use(allocation, *, at):
    """Return the SeatUse of an Allocation at the instant; a cancelled or ended one uses none. One query."""
    if not allocation.is_assignable(at):
        return SeatUse(allocation.seats, 0, 0, None)
    return _seat_use(allocation, at, *_count_seats(allocation, at))


def _seat_use(allocation, at, used, now, later_from):
    if allocation.starts_at > at:
        return SeatUse(allocation.seats, used, used, allocation.starts_at if used else None)
    later = used - now
    return SeatUse(allocation.seats, used, later, from_stored(later_from) if later else None)


def seats_of(allocations, *, at):
    """Return the SeatUse of each of the Allocations (a QuerySet, of one organization or many), by primary key.

    What seats_in_use() says of each, in two queries. Who has something with everybody else is not looked for by name:
    the active people of their organization are counted once.
    """
    allocations = allocations.order_by().select_related(None)
    found = list(allocations.only("seats", "starts_at", "ends_at", "cancelled_at"))
    if not found:
        return {}
    ids, parameters = allocations.assignable(at).values("pk").query.sql_with_params()
    reached = paths("few", "a.organization_id", also=", a.allocation_id, a.organization_id, a.is_later")
    active = is_active("r.id", "= r.organization_id")
    sql = f"""
    WITH a AS NOT MATERIALIZED (
      SELECT allocation_id, organization_id, user_id, group_id, unit_id, whole_organization, starts_at,
        coalesce(starts_at > %s, FALSE) AS is_later
      FROM licensing_assignment WHERE allocation_id IN ({ids}) AND (ends_at IS NULL OR ends_at > %s)),
    few AS NOT MATERIALIZED (SELECT * FROM a WHERE NOT whole_organization),
    terms AS MATERIALIZED (
      SELECT allocation_id, organization_id, max(CASE WHEN whole_organization THEN 1 ELSE 0 END) AS has_all,
        max(CASE WHEN whole_organization AND NOT is_later THEN 1 ELSE 0 END) AS has_all_now,
        min(CASE WHEN is_later THEN starts_at END) AS later_from
      FROM a GROUP BY allocation_id, organization_id),
    reached AS MATERIALIZED (
      SELECT r.allocation_id, count(DISTINCT r.id) AS used, count(DISTINCT r.id) FILTER (WHERE NOT r.is_later) AS now
      FROM ({reached}) r WHERE {active} GROUP BY r.allocation_id),
    everybody AS MATERIALIZED (
      SELECT organization_id, count(*) AS number FROM directory_user
      WHERE is_active AND organization_id IN (SELECT organization_id FROM terms WHERE has_all = 1)
      GROUP BY organization_id)
    SELECT t.allocation_id, coalesce(CASE WHEN t.has_all = 1 THEN e.number ELSE r.used END, 0),
      coalesce(CASE WHEN t.has_all_now = 1 THEN e.number ELSE r.now END, 0), t.later_from
    FROM terms t LEFT JOIN reached r ON r.allocation_id = t.allocation_id
    LEFT JOIN everybody e ON e.organization_id = t.organization_id"""
    with connection.cursor() as cursor:
        cursor.execute(sql, [as_stored(at), *parameters, as_stored(at)])
        counted = {allocation: numbers for allocation, *numbers in cursor.fetchall()}
    return {each.pk: _seat_use(each, at, *counted.get(each.pk, (0, 0, None))) for each in found}


def count_reached(allocation, *, at):
    """Return how many distinct active users the allocation's assignments reach at the instant or later.

    That is what seats are counted by. The allocation's own state is the caller's question.
    """
    return _count_seats(allocation, at)[0]


def _count_seats(allocation, at):
    """Return (how many are reached at the instant or later, how many at the instant, when the first is later)."""
    organization = int(allocation.organization_id)
    reached, active = paths("a", organization, also=", a.is_later"), is_active("r.id", f"= {organization}")
    # NOT MATERIALIZED: each branch is planned by what PostgreSQL knows of the table. Of a materialized list it believes
    # that every assignment is a unit's, and reads everybody: where few are reached, four times slower.
    sql = f"""
    WITH a AS NOT MATERIALIZED (
      SELECT user_id, group_id, unit_id, whole_organization, starts_at, coalesce(starts_at > %(at)s, FALSE) AS is_later
      FROM licensing_assignment WHERE allocation_id = %(allocation)s AND (ends_at IS NULL OR ends_at > %(at)s))
    SELECT count(DISTINCT r.id), count(DISTINCT r.id) FILTER (WHERE NOT r.is_later),
      (SELECT min(starts_at) FROM a WHERE is_later)
    FROM ({reached}) r WHERE {active}"""
    with connection.cursor() as cursor:
        cursor.execute(sql, {"allocation": allocation.pk, "at": as_stored(at)})
        return cursor.fetchone()


def paths(grants, organization, *, also="", among="", inactive_too=False):
    """Return the SQL for the ids of the users whom grants reach, once for each path to them.

    grants: name of a table with an assignment's columns user_id, group_id, unit_id and whole_organization.
    organization: theirs: a number, or a.organization_id, which is to be among also. also: further columns of the table
    `a`, to go with each id. among: name of a table with the id of everybody who matters; else all do.
    Some of those who are reached directly or by a group are inactive: is_active() is to be asked. That people of units
    are active is asked here, for the index that finds them knows it (user_in_unit).
    Never OR: a probe per user takes seconds at 100,000 people, and a hash of all members falls off a cliff when it
    outgrows work_mem.
    """

    def if_among(column):
        return f"JOIN {among} p ON p.id = {column}" if among else ""

    active = "" if inactive_too else "AND u.is_active"
    return f"""
    SELECT a.user_id AS id{also} FROM {grants} a {if_among("a.user_id")} WHERE a.user_id IS NOT NULL
    UNION ALL SELECT m.user_id{also} FROM {grants} a
      JOIN directory_groupmembership m ON m.group_id = a.group_id {if_among("m.user_id")} WHERE a.group_id IS NOT NULL
    UNION ALL SELECT u.id{also} FROM (
      SELECT DISTINCT c.descendant_id{also} FROM {grants} a
      JOIN directory_orgunitclosure c ON c.ancestor_id = a.unit_id WHERE a.unit_id IS NOT NULL) a
      JOIN directory_user u ON u.unit_id = a.descendant_id AND u.organization_id = {organization} {active}
      {if_among("u.id")}
    UNION ALL SELECT u.id{also} FROM {grants} a
      JOIN directory_user u ON u.organization_id = {organization} {active} {if_among("u.id")}
      WHERE a.whole_organization"""


def is_active(user, organizations):
    """Return the SQL for whether a user, by the column with the id, is active. organizations: "= 5", "IN (5, 6)"."""
    return f"""NOT EXISTS (SELECT 1 FROM directory_user x
      WHERE x.organization_id {organizations} AND NOT x.is_active AND x.id = {user})"""


def as_stored(at):
    """Return the instant as the database stores it (SQLite: text)."""
    return connection.ops.adapt_datetimefield_value(at)


def from_stored(value):
    """Return an instant that a statement of ours gave as an aware datetime, or None (SQLite: text, or naive)."""
    value = datetime.fromisoformat(value) if isinstance(value, str) else value
    return value.replace(tzinfo=UTC) if value and value.tzinfo is None else value
