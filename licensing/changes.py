"""What would change if: who gains, who loses and who keeps what, before it is done. Nothing is written to find out.

A change is two frames of the same statement, before and after it: which grants are in effect, what they give and whom
they reach. What is reached by the grants in which the frames differ, and was not before, is gained; what is reached by
them and is not after, is lost; what stays through something else is kept.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from django.db import connection
from django.db.models import Q

from directory.models import OrgUnitClosure, User

from .access import as_stored
from .kinds import GROUPS, ORGANIZATION, UNITS, USERS
from .models import Allocation, Assignment, LicensePolicy, Policy
from .states import State, state_of

LICENSE, POLICY, SEATS = range(3)  # what a grant gives: an allocation, a policy, a seat of an allocation

_TABLES = "licensing_assignment a JOIN licensing_allocation al ON al.id = a.allocation_id"


_ALLOCATION_LIVE = """al.cancelled_at IS NULL AND al.starts_at <= %(at)s
    AND (al.ends_at IS NULL OR al.ends_at > %(at)s)"""
_ALLOCATION_HELD = "al.cancelled_at IS NULL AND (al.ends_at IS NULL OR al.ends_at > %(now)s)"
_OWN_LIVE = "(a.starts_at IS NULL OR a.starts_at <= %(at)s) AND (a.ends_at IS NULL OR a.ends_at > %(at)s)"
_OWN_HELD = "(a.ends_at IS NULL OR a.ends_at > %(now)s)"
_CHOSEN = """EXISTS (SELECT 1 FROM licensing_assignmentpolicy c
    WHERE c.assignment_id = a.id AND c.policy_id = lp.policy_id)"""


@dataclass(frozen=True)
class Frame:
    """How grants stand, as SQL over licensing_assignment a, licensing_allocation al and licensing_licensepolicy lp."""

    exists: str = "TRUE"
    live: str = f"{_ALLOCATION_LIVE} AND {_OWN_LIVE}"
    held: str = f"{_ALLOCATION_HELD} AND {_OWN_HELD}"  # it takes seats: it is live, or will be
    gives: str = f"(lp.is_default OR {_CHOSEN})"
    everybody: str = "a.whole_organization"
    unit: str = "a.unit_id"
    more: str = ""  # grants that are in no table yet


NOTHING = Frame(exists="FALSE")
_NO_UNIT = "CAST(NULL AS bigint)"


@dataclass(frozen=True)
class Change:
    """A change that is not made yet, at the instant `at`."""

    at: datetime
    organizations: frozenset[int]
    allocations: frozenset[int]  # of which it may change the reach
    seats: frozenset[int] = frozenset()  # those of them of which not everybody who takes a seat is reached by then
    policies: frozenset[int] = frozenset()  # of which its effect on the allocations does not tell all
    before: Frame = Frame()
    after: Frame = Frame()
    people: str = ""  # SQL for the ids of those it can concern; empty: everybody
    inactive_too: bool = False
    gives: bool = False  # whether the frame after it may have grants that the one before has not
    takes: bool = False  # and the other way round
    felt_at: datetime | None = None  # when it is felt, if that is later


@dataclass(frozen=True)
class Effect:
    """What a change does to an Allocation or Policy: who gains it, loses it, or keeps it by another source."""

    thing: Allocation | Policy
    numbers: dict[str, int]  # by sign: + gains, - loses, = keeps
    people: dict[str, list[User]]  # the first of them by name, where they are few

    @property
    def gains(self):
        return self.numbers.get("+", 0)

    @property
    def loses(self):
        return self.numbers.get("-", 0)

    @property
    def keeps(self):
        return self.numbers.get("=", 0)


@dataclass(frozen=True)
class Preview:
    effects: list[Effect]  # licenses first, then policies that differ from them; those without any effect are absent
    seats: dict[Allocation, int]  # by how many the seats in use change


# The changes ---------------------------------------------------------------------------------------------------------


def assigning(allocation, *, kind, assignees, policies=(), starts_at=None, ends_at=None, at):
    """assign(): the allocation to assignees of one kind; who has it directly already is left out."""
    keys = {kind.target_key(assignee.pk): assignee for assignee in assignees}
    taken = set(allocation.assignments.filter(target_key__in=keys).values_list("target_key", flat=True))
    assignees = [assignee for key, assignee in keys.items() if key not in taken]
    felt_at = max(filter(None, (at, starts_at, allocation.starts_at)))
    change = _change(allocation.organization_id, [allocation.pk], at, people=_people_of(kind, assignees), gives=True)
    change = replace(change, felt_at=felt_at if felt_at > at else None)
    change = replace(change, seats=change.seats | (change.allocations if change.felt_at else set()))
    subjects = [(SEATS, pk) for pk in change.seats]
    if State.LIVE is state_of(None, allocation.ends_at, felt_at) is state_of(None, ends_at, felt_at):
        given = {policy.pk for policy in (*allocation.license.default_policies, *policies)}
        subjects += [(LICENSE, allocation.pk), *((POLICY, pk) for pk in given & change.policies)]
    rows = []
    for number, assignee in enumerate(assignees, start=1):
        targets = [str(assignee.pk) if kind is other else _NO_UNIT for other in (USERS, GROUPS, UNITS)]
        rows.append(f"({-number}, {', '.join(targets)}, {kind is ORGANIZATION})")
    if not rows or not subjects:
        return change
    organization, codes = int(allocation.organization_id), ", ".join(f"({_code(*subject)})" for subject in subjects)
    more = f"""SELECT g.column1, s.column1, {organization}, g.column2, g.column3, g.column4, g.column5
        FROM (VALUES {", ".join(rows)}) g CROSS JOIN (VALUES {codes}) s"""
    return replace(change, after=Frame(more=more))


def unassigning(assignment, *, at):
    after = Frame(exists=f"a.id <> {int(assignment.pk)}")
    return replace(_of_assignment(assignment, at), after=after, takes=True)


def setting_policies(assignment, policies, *, at):
    """set_policies(): `policies` become the chosen ones."""
    changed = {policy.pk for policy in {*assignment.chosen_policies} ^ {*policies}}
    chosen = f"lp.policy_id IN {_ids(policy.pk for policy in policies)}"
    gives = f"(lp.is_default OR CASE WHEN a.id = {int(assignment.pk)} THEN {chosen} ELSE {_CHOSEN} END)"
    change = _of_policies(changed, [assignment.organization_id], Frame(gives=gives), at)
    return replace(change, people=_people_of(assignment.kind, [assignment.assignee]))


def setting_dates(assignment, starts_at, ends_at, *, at):
    """set_dates(): the instants become the assignment's own."""
    state = state_of(starts_at, ends_at, at)
    mine = f"CASE WHEN a.id = {int(assignment.pk)} THEN {{}} ELSE ({{}}) END"
    after = Frame(
        live=f"{_ALLOCATION_LIVE} AND {mine.format(state is State.LIVE, _OWN_LIVE)}",
        held=f"{_ALLOCATION_HELD} AND {mine.format(state is not State.ENDED, _OWN_HELD)}",
    )
    return replace(_with_all_seats(_of_assignment(assignment, at)), after=after, gives=True, takes=True)


def joining(group, users, *, at):
    """join_group(): who is a member already is left out."""
    members = set(group.memberships.filter(user__in=users).values_list("user", flat=True))
    users = [user for user in users if user.pk not in members]
    everybody = f"(a.whole_organization OR coalesce(a.group_id, 0) = {int(group.pk)})"
    return _of_people(users, _assigned_to(GROUPS, [group.pk]), at, after=Frame(everybody=everybody), gives=True)


def leaving(group, users, *, at):
    after = Frame(exists=f"coalesce(a.group_id, 0) <> {int(group.pk)}")
    return _of_people(users, _assigned_to(GROUPS, [group.pk]), at, after=after, takes=True)


def placing(unit, users, *, at):
    """place_in_unit(), or leave_unit() where unit is None."""
    above = _above([unit.pk]) if unit else set()
    before = _above({user.unit_id for user in users if user.unit_id})
    everybody = f"(a.whole_organization OR coalesce(a.unit_id, 0) IN {_ids(above)})"
    after = Frame(unit=_NO_UNIT, everybody=everybody)
    return _of_people(users, _assigned_to(UNITS, before | above), at, after=after, gives=True, takes=True)


def deactivating(users, *, at):
    """deactivate(), and delete_user(): nothing reaches them."""
    return _of_people(users, _allocated_to(users), at, after=NOTHING, takes=True)


def reactivating(users, *, at):
    """reactivate(): who is active is left out."""
    users = [user for user in users if not user.is_active]
    return _of_people(users, _allocated_to(users), at, before=NOTHING, inactive_too=True, gives=True)


def deleting_group(group, *, at):
    members = f"SELECT user_id FROM directory_groupmembership WHERE group_id = {int(group.pk)}"
    after = Frame(exists=f"coalesce(a.group_id, 0) <> {int(group.pk)}")
    allocations = _assigned_to(GROUPS, [group.pk])
    return _change(group.organization_id, allocations, at, people=members, after=after, takes=True)


def deleting_unit(unit, *, at):
    people = f"SELECT id FROM directory_user WHERE unit_id = {int(unit.pk)}"
    allocations = _assigned_to(UNITS, _above([unit.pk]))
    return _change(unit.organization_id, allocations, at, people=people, after=Frame(unit=_NO_UNIT), takes=True)


def moving_unit(unit, parent, *, at):
    """move_unit(): with all below it under `parent`, or to the top (None)."""
    old = _above([unit.pk]) - {unit.pk}
    new = _above([parent.pk]) if parent else set()
    people = f"""SELECT id FROM directory_user WHERE unit_id IN (
        SELECT descendant_id FROM directory_orgunitclosure WHERE ancestor_id = {int(unit.pk)})"""
    after = Frame(
        unit=f"CASE WHEN a.unit_id IN {_ids(old)} THEN NULL ELSE a.unit_id END",
        everybody=f"(a.whole_organization OR coalesce(a.unit_id, 0) IN {_ids(new)})",
    )
    allocations = _assigned_to(UNITS, old ^ new)
    return _change(unit.organization_id, allocations, at, people=people, after=after, gives=True, takes=True)


def cancelling(allocation, *, at):
    return replace(_of_allocation(allocation, at), after=Frame(exists=f"al.id <> {int(allocation.pk)}"), takes=True)


def reinstating(allocation, *, at):
    return _with_terms(allocation, allocation.starts_at, allocation.ends_at, at)


def changing_allocation(allocation, starts_at, ends_at, *, at):
    """change_allocation(): the instants become its dates. Its seats change nobody's access."""
    if allocation.cancelled_at:
        return Change(at, frozenset(), frozenset())
    return _with_terms(allocation, starts_at, ends_at, at)


def _with_terms(allocation, starts_at, ends_at, at):
    """The allocation, not cancelled, with these dates."""
    state = state_of(starts_at, ends_at, at)
    mine = f"CASE WHEN al.id = {int(allocation.pk)} THEN {{}} ELSE {{}} END"
    after = Frame(
        live=f"{mine.format(state is State.LIVE, _ALLOCATION_LIVE)} AND {_OWN_LIVE}",
        held=f"{mine.format(state is not State.ENDED, _ALLOCATION_HELD)} AND {_OWN_HELD}",
    )
    return replace(_with_all_seats(_of_allocation(allocation, at)), after=after, gives=True, takes=True)


def changing_policies(license, default, optional, *, at):
    """set_license_policies(), in every organization that has the license."""
    old = {row.policy_id: row.is_default for row in license.license_policies.all()}
    new = {policy.pk: False for policy in optional} | {policy.pk: True for policy in default}
    changed = {pk for pk in old.keys() | new.keys() if old.get(pk) != new.get(pk)}
    default = {pk for pk, is_default in new.items() if is_default}
    still_chosen = {pk for pk, is_default in new.items() if not is_default and old.get(pk) is False}
    gives = f"""CASE WHEN al.license_id = {int(license.pk)}
        THEN lp.policy_id IN {_ids(default)} OR (lp.policy_id IN {_ids(still_chosen)} AND {_CHOSEN})
        ELSE {Frame.gives} END"""
    added = [
        f"""SELECT a.id, CAST({_code(POLICY, pk)} AS bigint), a.organization_id, a.user_id, a.group_id, a.unit_id,
            a.whole_organization FROM {_TABLES} WHERE al.license_id = {int(license.pk)} AND {Frame.live}"""
        for pk in sorted(default - old.keys())
    ]
    organizations = license.allocations.values_list("organization", flat=True)
    return _of_policies(changed, organizations, Frame(gives=gives, more=" UNION ALL ".join(added)), at)


# Whom they concern ---------------------------------------------------------------------------------------------------


def _of_allocation(allocation, at):
    return _change(allocation.organization_id, [allocation.pk], at)


def _of_assignment(assignment, at):
    people = _people_of(assignment.kind, [assignment.assignee])
    return _change(assignment.organization_id, [assignment.allocation_id], at, people=people)


def _people_of(kind, assignees):
    """Return the SQL for whom assignments to these concern, where they are few enough to be named."""
    return _ids(user.pk for user in assignees)[1:-1] if kind is USERS else ""


def _of_policies(policies, organizations, after, at):
    return Change(
        at, frozenset(organizations), frozenset(), policies=frozenset(policies), after=after, gives=True, takes=True
    )


def _of_people(users, allocations, at, **how):
    """A change of Users (a list, of one organization) that touches the allocations."""
    organization = users[0].organization_id if users else 0
    return _change(organization, allocations, at, people=_ids(user.pk for user in users)[1:-1], **how)


def _change(organization, allocations, at, **how):
    allocations = frozenset(allocations)
    given = {}
    rows = LicensePolicy.objects.filter(license__allocations__organization=organization)
    for policy, is_default, allocation in rows.values_list("policy", "is_default", "license__allocations"):
        given.setdefault(policy, []).append((allocation, is_default))
    policies = frozenset(
        policy
        for policy, by in given.items()
        if allocations.intersection(allocation for allocation, _ in by) and by != [(by[0][0], True)]
    )
    later = Q(starts_at__gt=at) | Q(assignments__starts_at__gt=at)
    seats = Allocation.objects.filter(later, pk__in=allocations).exclude(seats=None).values_list("pk", flat=True)
    return Change(at, frozenset({organization}), allocations, frozenset(seats), policies, **how)


def _with_all_seats(change):
    return replace(change, seats=change.allocations)


def _allocated_to(users):
    organizations = {user.organization_id for user in users}
    return Allocation.objects.filter(organization__in=organizations, cancelled_at=None).values_list("pk", flat=True)


def _assigned_to(kind, pks):
    """Return the pks of the allocations that are assigned to groups or units."""
    keys = [kind.target_key(pk) for pk in pks]
    return set(Assignment.objects.filter(target_key__in=keys).values_list("allocation", flat=True))


def _above(units):
    """Return the pks of units and of all units above them."""
    return set(OrgUnitClosure.objects.filter(descendant__in=units).values_list("ancestor", flat=True))


# The statement -------------------------------------------------------------------------------------------------------


NAMED = 3  # people whom an effect names
FEW = 200  # of more people no names are looked up: sorting them would take longer than counting


def preview(change):
    """Return the Preview of a Change: what it will do if made at its instant: as many queries for many as for few."""
    rows = _ask(
        change,
        """, total AS MATERIALIZED (SELECT subject, sign, count(*) AS number FROM effect GROUP BY 1, 2),
        first AS (SELECT e.subject, e.sign, u.id,
            row_number() OVER (PARTITION BY e.subject, e.sign ORDER BY u.sort_key, u.id) AS place
            FROM total t JOIN effect e ON e.subject = t.subject AND e.sign = t.sign
            JOIN directory_user u ON u.id = e.id WHERE t.number <= %(few)s)
        SELECT t.subject, t.sign, t.number, f.id FROM total t LEFT JOIN first f
        ON f.subject = t.subject AND f.sign = t.sign AND f.place <= %(named)s ORDER BY f.place""",
        few=FEW,
        named=NAMED,
    )
    users = User.objects.in_bulk({user for *_, user in rows if user})
    numbers, people = defaultdict(dict), defaultdict(lambda: defaultdict(list))
    for subject, sign, number, user in rows:
        numbers[subject][sign] = number
        if user:
            people[subject][sign].append(users[user])
    allocations = Allocation.objects.with_license().in_bulk(change.allocations)
    policies = Policy.objects.select_related("application").in_bulk(
        [subject // 3 for subject in numbers if subject % 3 == POLICY]
    )
    effects = [
        Effect(thing, numbers[code], people[code])
        for what, things in ((LICENSE, allocations), (POLICY, policies))
        for thing in sorted(things.values(), key=lambda thing: (str(thing).casefold(), thing.pk))
        if (code := _code(what, thing.pk)) in numbers
    ]
    seats = {}
    for pk, allocation in allocations.items():
        if allocation.seats is not None:
            found = numbers.get(_code(SEATS if pk in change.seats else LICENSE, pk), {})
            seats[allocation] = found.get("+", 0) - found.get("-", 0)
    return Preview(effects, seats)


def affected(change, thing, sign, *, after=None, limit):
    """Return the first `limit` Users, by name, whom a Change gives (+), takes from (-) or leaves (=) the thing.

    thing: an Allocation or Policy. after: a User; only those after them.
    """
    subject = _code(POLICY if isinstance(thing, Policy) else LICENSE, thing.pk)
    beyond = "AND (u.sort_key, u.id) > (%(sort_key)s, %(pk)s)" if after else ""
    sql = f""" SELECT u.id FROM effect e JOIN directory_user u ON u.id = e.id
        WHERE e.subject = {subject} AND e.sign = %(sign)s {beyond} ORDER BY u.sort_key, u.id LIMIT %(limit)s"""
    place = {"sort_key": after.sort_key, "pk": after.pk} if after else {}
    ids = [pk for (pk,) in _ask(change, sql, sign=sign, limit=limit, **place)]
    return list(User.objects.filter(pk__in=ids).order_by("sort_key", "pk"))


def _ask(change, sql, **parameters):
    if not change.allocations and not change.policies:
        return []
    parameters |= {"now": as_stored(change.at), "at": as_stored(change.felt_at or change.at)}
    with connection.cursor() as cursor:
        cursor.execute(_effects(change) + sql, parameters)
        return cursor.fetchall()


def _effects(change):
    """Return the SQL, to be gone on with, that names `effect`: (subject, sign, id of a user).

    Each side that there is contributes its pairs once, marked, and one aggregate tells them apart: set operations
    would read them three times. What other grants give is asked only where something is given or taken.
    """
    active = f"""WHERE NOT EXISTS (SELECT 1 FROM directory_user x
        WHERE x.organization_id IN {_ids(change.organizations)} AND NOT x.is_active AND x.id = p.id)"""
    named = [
        f"grants_before AS MATERIALIZED ({_grants(change, change.before)})",
        f"grants_after AS MATERIALIZED ({_grants(change, change.after)})",
    ]
    pairs = []
    sides = [("dropped", "before", "after", "2")] * change.takes + [("added", "after", "before", "1")] * change.gives
    for side, mine, others, _ in sides:
        named.append(f"{side} AS MATERIALIZED (SELECT * FROM grants_{mine} EXCEPT SELECT * FROM grants_{others})")
        named.append(f"from_{side} AS MATERIALIZED ({_reach(side, change)})")
    for side, _, others, mark in sides:
        other_side = {"dropped": "added", "added": "dropped"}[side]
        except_same = f" EXCEPT SELECT * FROM from_{other_side}" if len(sides) == 2 else ""
        pairs.append(f"SELECT subject, id, {mark} AS mark FROM (SELECT * FROM from_{side}{except_same}) r")
        pairs.append(f"""SELECT subject, id, {int(mark) * 4} FROM ({_reach(f"grants_{others}", change)}) r
            WHERE EXISTS (SELECT 1 FROM {side})""")
    return f"""WITH {", ".join(named)},
    effect AS MATERIALIZED (SELECT p.subject, p.id, CASE WHEN p.lost = 1 AND p.has = 0 THEN '-'
            WHEN p.gained = 1 AND p.had = 0 THEN '+' ELSE '=' END AS sign
        FROM (SELECT subject, id, max(CASE mark WHEN 2 THEN 1 ELSE 0 END) AS lost,
            max(CASE mark WHEN 8 THEN 1 ELSE 0 END) AS has,
            max(CASE mark WHEN 1 THEN 1 ELSE 0 END) AS gained,
            max(CASE mark WHEN 4 THEN 1 ELSE 0 END) AS had, min(mark) AS least
            FROM ({" UNION ALL ".join(pairs)}) marked GROUP BY subject, id) p
        {"" if change.inactive_too else active} {"WHERE" if change.inactive_too else "AND"} p.least < 4)
    """


def _grants(change, frame):
    """Return the SQL for what is granted in a frame: (id of the grant, subject, its targets)."""
    targets = f"a.organization_id, a.user_id, a.group_id, {frame.unit} AS unit_id, {frame.everybody} AS everybody"
    of_allocations = f"FROM {_TABLES} WHERE a.allocation_id IN {_ids(change.allocations)} AND {frame.exists}"
    selects = [
        f"SELECT a.id, al.id * 3 + {LICENSE} AS subject, {targets} {of_allocations} AND {frame.live}",
    ]
    if change.seats:
        seats = f"FROM {_TABLES} WHERE a.allocation_id IN {_ids(change.seats)} AND {frame.exists} AND {frame.held}"
        selects.append(f"SELECT a.id, al.id * 3 + {SEATS}, {targets} {seats} AND al.seats IS NOT NULL")
    if change.policies:
        selects.append(f"""SELECT a.id, lp.policy_id * 3 + {POLICY}, {targets} FROM {_TABLES}
            JOIN licensing_licensepolicy lp ON lp.license_id = al.license_id
            WHERE lp.policy_id IN {_ids(change.policies)} AND a.organization_id IN {_ids(change.organizations)}
            AND {frame.exists} AND {frame.live} AND {frame.gives}""")
    return " UNION ALL ".join(filter(None, [*selects, frame.more]))


def _reach(grants, change):
    """Return the SQL for whom grants reach: (id of the grant, subject, id of a user), once for each path."""
    among = f"AND {{}} IN ({change.people})" if change.people else ""
    active = "" if change.inactive_too else "AND u.is_active"
    return f"""
    SELECT r.id AS grant_id, r.subject, r.user_id AS id FROM {grants} r
      WHERE r.user_id IS NOT NULL {among.format("r.user_id")}
    UNION ALL SELECT r.id, r.subject, m.user_id FROM {grants} r
      JOIN directory_groupmembership m ON m.group_id = r.group_id
      WHERE r.group_id IS NOT NULL {among.format("m.user_id")}
    UNION ALL SELECT r.id, r.subject, u.id FROM (
      SELECT DISTINCT r.id, r.subject, r.organization_id, c.descendant_id FROM {grants} r
      JOIN directory_orgunitclosure c ON c.ancestor_id = r.unit_id WHERE r.unit_id IS NOT NULL) r
      JOIN directory_user u ON u.unit_id = r.descendant_id AND u.organization_id = r.organization_id
      {active} {among.format("u.id")}
    UNION ALL SELECT r.id, r.subject, u.id FROM {grants} r
      JOIN directory_user u ON u.organization_id = r.organization_id {active}
      WHERE r.everybody {among.format("u.id")}"""


def _code(what, pk):
    return int(pk) * 3 + what


def _ids(pks: Iterable[int]):
    return f"({', '.join(str(int(pk)) for pk in sorted(pks)) or 'NULL'})"
