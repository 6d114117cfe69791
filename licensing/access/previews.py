"""What a change would do: who gains, who loses and who keeps what, before it is done. Nothing is written to find out.

A change is two frames of the same statement, before and after it: which grants are in effect, what they give and whom
they reach. What is reached by the grants in which the frames differ, and was not before, is gained; what is reached by
them and is not after, is lost; what stays through something else is kept.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from django.db import connection

from directory.models import User
from licensing.models import Allocation, Policy

from .reach import as_stored, is_active, paths

LICENSE, POLICY = range(2)  # what a grant gives

TABLES = "licensing_assignment a JOIN licensing_allocation al ON al.id = a.allocation_id"


ALLOCATION_LIVE = """al.cancelled_at IS NULL AND al.starts_at <= %(at)s
    AND (al.ends_at IS NULL OR al.ends_at > %(at)s)"""
ALLOCATION_HELD = "al.cancelled_at IS NULL AND (al.ends_at IS NULL OR al.ends_at > %(now)s)"
OWN_LIVE = "(a.starts_at IS NULL OR a.starts_at <= %(at)s) AND (a.ends_at IS NULL OR a.ends_at > %(at)s)"
OWN_HELD = "(a.ends_at IS NULL OR a.ends_at > %(now)s)"
CHOSEN = """EXISTS (SELECT 1 FROM licensing_assignmentpolicy c
    WHERE c.assignment_id = a.id AND c.policy_id = lp.policy_id)"""


@dataclass(frozen=True)
class Frame:
    """How grants stand, as SQL over licensing_assignment a, licensing_allocation al and licensing_licensepolicy lp."""

    exists: str = "TRUE"
    live: str = f"{ALLOCATION_LIVE} AND {OWN_LIVE}"
    held: str = f"{ALLOCATION_HELD} AND {OWN_HELD}"  # it takes seats already: it is live, or will be
    gives: str = f"(lp.is_default OR {CHOSEN})"
    everybody: str = "a.whole_organization"
    unit: str = "a.unit_id"
    more: str = ""  # grants that are in no table yet


NOTHING = Frame(exists="FALSE")


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
    people: str = ""  # SQL that selects the ids of those it can concern; empty: everybody
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
    organizations: dict[str, int] = field(default_factory=dict)  # of how many they are, where that was asked

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


# The statement -------------------------------------------------------------------------------------------------------


NAMED = 3  # people whom an effect names
FEW = 200  # of more people no names are looked up: sorting them would take longer than counting


def preview(change):
    """Return the Preview of a Change: what it will do if made at its instant: as many queries for many as for few."""
    rows = _ask(
        change,
        """, total AS MATERIALIZED (SELECT subject, sign, count(*) AS number,
            sum(CASE seat WHEN '+' THEN 1 WHEN '-' THEN -1 ELSE 0 END) AS seats FROM effect GROUP BY 1, 2),
        first AS (SELECT e.subject, e.sign, u.id,
            row_number() OVER (PARTITION BY e.subject, e.sign ORDER BY u.sort_key, u.id) AS place
            FROM effect e JOIN directory_user u ON u.id = e.id
            WHERE (e.subject, e.sign) IN (SELECT subject, sign FROM total WHERE number <= %(few)s))
        SELECT t.subject, t.sign, t.number, t.seats, f.id FROM total t LEFT JOIN first f
        ON f.subject = t.subject AND f.sign = t.sign AND f.place <= %(named)s ORDER BY f.place""",
        few=FEW,
        named=NAMED,
    )
    users = User.objects.in_bulk({user for *_, user in rows if user})
    numbers, people = defaultdict(dict), defaultdict(lambda: defaultdict(list))
    for subject, sign, number, _, user in rows:
        if sign:
            numbers[subject][sign] = number
        if user:
            people[subject][sign].append(users[user])
    by_sign = {(subject, sign): seats for subject, sign, _, seats, _ in rows}
    return _preview(change, numbers, by_sign.items(), people=people)


def count_effects(change):
    """Return the Preview of a Change in numbers alone: nobody is looked up, and each Effect knows of how many
    organizations they are. For who must not know people: a provider."""
    rows = _ask(
        change,
        """ SELECT e.subject, e.sign, count(*), count(DISTINCT u.organization_id),
            sum(CASE e.seat WHEN '+' THEN 1 WHEN '-' THEN -1 ELSE 0 END)
            FROM effect e JOIN directory_user u ON u.id = e.id GROUP BY 1, 2""",
    )
    numbers, organizations = defaultdict(dict), defaultdict(dict)
    for subject, sign, number, of, _ in rows:
        if sign:
            numbers[subject][sign], organizations[subject][sign] = number, of
    seats = [((subject, sign), more) for subject, sign, *_, more in rows]
    return _preview(change, numbers, seats, organizations=organizations)


def _preview(change, numbers, seats, *, people=None, organizations=None):
    """Return the Preview of what was counted: {code: {sign: number}}, and so the others.

    seats: ((code, sign), by how many more) pairs.
    """
    people, organizations = people or {}, organizations or {}
    allocations = Allocation.objects.with_license().select_related("organization").in_bulk(change.allocations)
    policies = Policy.objects.select_related("application").in_bulk(
        [subject // 2 for subject in numbers if subject % 2 == POLICY]
    )
    effects = [
        Effect(thing, numbers[code], people.get(code, {}), organizations.get(code, {}))
        for what, things in ((LICENSE, allocations), (POLICY, policies))
        for thing in sorted(things.values(), key=lambda thing: (str(thing).casefold(), thing.pk))
        if (code := code_of(what, thing.pk)) in numbers
    ]
    more = defaultdict(int)
    for (subject, _), number in seats:
        more[subject] += number
    return Preview(
        effects,
        {each: more[code_of(LICENSE, pk)] for pk, each in allocations.items() if each.seats is not None},
    )


def count_by_organization(change, things):
    """Return how many people a Change gives (+) or takes the things (Allocations or Policies), for each organization.

    {organization: [(sign, thing, number), …]}; where nobody gains or loses anything, the organization is absent. One
    query.
    """
    by_code = {_code(thing): thing for thing in things}
    rows = _ask(
        change,
        """ SELECT u.organization_id, e.sign, e.subject, count(*) FROM effect e JOIN directory_user u ON u.id = e.id
        WHERE e.sign IN ('+', '-') GROUP BY 1, 2, 3""",
    )
    found = defaultdict(list)
    for organization, sign, subject, number in sorted(rows):
        if subject in by_code:
            found[organization].append((sign, by_code[subject], number))
    return found


def affected(change, thing, sign, *, after=None, limit):
    """Return the first `limit` Users, by name, whom a Change gives (+), takes from (-) or leaves (=) the thing.

    thing: an Allocation or Policy. after: a User; only those after them.
    """
    subject = _code(thing)
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


# What a path to somebody tells of them, as bits: those of a grant that takes seats but gives nothing yet are shifted.
GAINED, LOST, HAD, HAS = 1, 2, 4, 8
LATER = 4


def _effects(change):
    """Return the SQL, to be gone on with, that names `effect`: (subject, id of a user, sign, sign for the seat).

    Each side that there is contributes its pairs once, marked, and one aggregate tells them apart: set operations
    would read them three times. What other grants give is asked only where something is given or taken. Whoever keeps
    a license by nothing but what starts later loses it, and keeps the seat: so there is a sign for each.
    """
    active = "TRUE" if change.inactive_too else is_active("p.id", f"IN {ids(change.organizations)}")
    # Whom it can concern is joined, not asked with IN: so PostgreSQL goes by how many they are, from the people to what
    # reaches them or the other way round. Of what is in IN it believes that few are distinct.
    named = [f"among(id) AS MATERIALIZED ({change.people})"] * bool(change.people)
    named += [
        f"grants_before AS MATERIALIZED ({_grants(change, change.before)})",
        f"grants_after AS MATERIALIZED ({_grants(change, change.after)})",
    ]
    pairs = []
    sides = [("dropped", "before", "after", LOST, HAS)] * change.takes
    sides += [("added", "after", "before", GAINED, HAD)] * change.gives
    for side, mine, others, *_ in sides:
        named.append(f"{side} AS MATERIALIZED (SELECT * FROM grants_{mine} EXCEPT SELECT * FROM grants_{others})")
        named.append(f"from_{side} AS ({_paths(side, change)})")
    for side, _, others, mark, other_mark in sides:
        other_side = {"dropped": "added", "added": "dropped"}[side]
        except_same = f" EXCEPT SELECT * FROM from_{other_side}" if len(sides) == 2 else ""
        pairs.append(f"SELECT subject, id, {_mark(mark)} AS mark FROM (SELECT * FROM from_{side}{except_same}) r")
        pairs.append(f"""SELECT subject, id, {_mark(other_mark)} FROM ({_paths(f"grants_{others}", change)}) r
            WHERE EXISTS (SELECT 1 FROM {side})""")
    return f"""WITH {", ".join(named)},
    effect AS MATERIALIZED (SELECT p.subject, p.id, {_sign("bits")} AS sign, {_sign("all_bits")} AS seat
        FROM (SELECT subject, id, bits, bits | (bits >> {LATER}) AS all_bits
            FROM (SELECT subject, id, {_all_marks()} AS bits FROM ({" UNION ALL ".join(pairs)}) marked
                GROUP BY subject, id) m) p
        WHERE {active} AND (p.all_bits & {GAINED | LOST}) <> 0)
    """


def _mark(mark):
    return f"CASE WHEN later THEN {mark << LATER} ELSE {mark} END"


def _all_marks():
    """Return the SQL for the marks of a group together, as bits."""
    if connection.vendor == "postgresql":
        return "bit_or(mark)"
    return " + ".join(f"max(mark & {1 << place})" for place in range(2 * LATER))  # SQLite has no such aggregate


def _sign(bits):
    return f"""CASE WHEN ({bits} & {GAINED | LOST}) = 0 THEN NULL WHEN ({bits} & {LOST | HAS}) = {LOST} THEN '-'
        WHEN ({bits} & {GAINED | HAD}) = {GAINED} THEN '+' ELSE '=' END"""


def _grants(change, frame):
    """Return the SQL for what is granted in a frame: (id of the grant, subject, whether later, its targets)."""
    targets = (
        f"a.organization_id, a.user_id, a.group_id, {frame.unit} AS unit_id, {frame.everybody} AS whole_organization"
    )
    is_held = f" OR (al.id IN {ids(change.seats)} AND {frame.held})" if change.seats else ""
    selects = [
        f"""SELECT a.id AS grant_id, al.id * 2 + {LICENSE} AS subject, NOT ({frame.live}) AS later, {targets}
            FROM {TABLES}
            WHERE a.allocation_id IN {ids(change.allocations)} AND {frame.exists} AND (({frame.live}){is_held})"""
    ]
    if change.policies:
        selects.append(f"""SELECT a.id, lp.policy_id * 2 + {POLICY}, FALSE, {targets} FROM {TABLES}
            JOIN licensing_licensepolicy lp ON lp.license_id = al.license_id
            WHERE lp.policy_id IN {ids(change.policies)} AND a.organization_id IN {ids(change.organizations)}
            AND {frame.exists} AND {frame.live} AND {frame.gives}""")
    return " UNION ALL ".join(filter(None, [*selects, frame.more]))


def _paths(grants, change):
    """Return the SQL for whom grants reach, once for each path: (id of a user, grant, subject, whether later, …)."""
    also = ", a.grant_id, a.subject, a.later, a.organization_id"
    among = "among" if change.people else ""
    return paths(grants, "a.organization_id", also=also, among=among, inactive_too=change.inactive_too)


def code_of(what, pk):
    return int(pk) * 2 + what


def _code(thing):
    return code_of(POLICY if isinstance(thing, Policy) else LICENSE, thing.pk)


def listed(pks: Iterable[int]):
    """Return the SQL that selects very many ids: an array, which is read in a tenth of the time of a list."""
    numbers = ", ".join(str(int(pk)) for pk in pks)
    if connection.vendor == "postgresql":
        return f"SELECT unnest(CAST('{{{numbers}}}' AS bigint[])) AS id"
    return f"SELECT value AS id FROM json_each('[{numbers}]')"


def ids(pks: Iterable[int]):
    return f"({', '.join(str(int(pk)) for pk in sorted(pks)) or 'NULL'})"
