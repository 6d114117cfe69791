"""What the questions and changes of the access engine cost at 1,000 and at 100,000 people, and whether that is enough.

    .venv/bin/python -m benchmarks.access [SIZE …] [--million] [--sqlite]

Each size gets a database of its own on a private PostgreSQL (or the one that DATABASE_URL names). What is asked often
runs in a loop of two, it and SELECT 1, each time about another person and application: how many of those it costs can
be compared, for machines differ and change their minds. Milliseconds are medians, of the slowest of their kind where
there are several. --million measures 1,000,000 people too; --sqlite a decision in a SQLite file of 100,000. The goals
are those of 100,000 people; exit status 1 when one is missed.
"""

# ruff: noqa: E402 models can be imported once Django is set up
import argparse
import json
import os
import random
import statistics
import sys
import tempfile
import time
from collections import Counter
from functools import partial

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()

from django.db import connection, transaction
from django.db.models import Count
from django.utils import timezone

from benchmarks.database import measure_each, measure_in_a_process, warn_when_busy
from directory import services as directory
from directory.models import Organization, User
from licensing import services
from licensing.access import changes, decide, seats_in_use, seats_of, who_can_use
from licensing.access.decisions import _OF, ask_prepared, statement
from licensing.access.previews import preview
from licensing.kinds import GROUPS, USERS
from licensing.models import Application
from portal.audit.log import Actor
from portal.lists import PAGE_SIZE, _beyond, matching
from tests.test_plans import buffers, faults, plans_of_decisions

GOALS_AT = 100_000
DECISION = "decision (× SELECT 1)"
GOALS = [  # number, what, at most
    (1, DECISION, 3.5),
    (1, "decision (p99 × p50)", 3),
    (4, "all applications of a user (× SELECT 1)", 4.5),
    (5, "heaviest decision (buffers)", 130),
    (5, "decisions: tables read whole, hashed subplans", 0),
    (6, "who can use, slowest: count and first page (ms)", 150),
    (6, "who can use, up to 8,000: count and first page (ms)", 20),
    (7, "seats of one allocation (ms)", 130),
    (7, "seats of all allocations that limit them (ms)", 200),
    (7, "seats of every allocation, by one statement (ms)", 1000),
    (8, "preview: unassign the largest group (ms)", 200),
    (9, "search, slowest (ms)", 10),
    (10, "assign to the largest group (× to a tiny one)", 1.2),
    (11, "move the largest subtree (ms)", 60),
    (11, "move the largest subtree (rows of users)", 0),
    (11, "move it far down (rows of users)", 0),
    (15, "SQLite: decision (µs)", 100),
]
ROUNDS, PAIRS = 7, 1000  # of what is asked beside SELECT 1
RUNS = 9  # of what takes milliseconds
WRITES = 30
FEW = 8000
BENCHMARK = Actor("command", None, "benchmark")


def main(sizes, *, sqlite):
    measured = measure_each("benchmarks.access", sizes)
    if sqlite:
        with tempfile.TemporaryDirectory() as folder:
            found = measure_in_a_process("benchmarks.access", f"sqlite:///{folder}/scale.sqlite3", GOALS_AT)
        measured.setdefault(GOALS_AT, {}).update({f"SQLite: {what}": number for what, number in found.items()})
    print(f"{'':54}" + "".join(f"{size:>12,} people" for size in measured))
    for what in dict.fromkeys(what for found in measured.values() for what in found):
        print(f"{what:54}" + "".join(f"{_write(found.get(what)):>19}" for found in measured.values()))

    small, large = min(sizes), max(sizes)
    goals = [(*goal, measured.get(GOALS_AT, {}).get(goal[1])) for goal in GOALS]
    if small < large:
        growth = measured[large][DECISION] / measured[small][DECISION]
        goals.append((2, f"{DECISION}: at {large:,} over at {small:,}", 1.3, growth))
    failed = 0
    print(f"\n{'goal':54}{'measured':>14}{'at most':>12}")
    for number, what, most, found in sorted(goals, key=lambda goal: goal[0]):
        verdict = "not measured" if found is None else "FAIL" if found > most else "PASS"
        failed += verdict == "FAIL"
        print(f"{number:>2}  {what:50}{_write(found):>14}{_write(most):>12}  {verdict}")
    print(f"{failed} missed.")
    warn_when_busy()
    return failed


def _write(number):
    return "" if number is None else f"{number:,}" if isinstance(number, int) else f"{number:,.2f}"


def measure():
    """Return {what: number} of the organization `scale`, as the table shows it."""
    scale, at = Organization.objects.get(slug="scale"), timezone.now()
    parts = [_decisions]
    if connection.vendor == "postgresql":
        parts += [_buffers, _who_can_use, _seats, _search, _preview, _assign, _move]
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")  # else autovacuum does it, in the middle
    rng = random.Random(1)  # noqa: S311 it is to be the same every time
    return {what: number for part in parts for what, number in part(scale, at, rng)}


def _seconds(act, *args, **kwargs):
    started = time.perf_counter()
    act(*args, **kwargs)
    return time.perf_counter() - started


def _slowest(acts):
    """Return the milliseconds of the slowest, each by its median."""
    return max(statistics.median(_seconds(act) for _ in range(RUNS)) for act in acts) * 1000


# What is asked often -------------------------------------------------------------------------------------------------


def _decisions(scale, at, rng):
    everybody, most = _pks(scale.users.order_by("pk")), _pks(_with_most_groups(scale)[:50])
    applications = list(Application.objects.order_by("pk"))
    decision, usable = statement(connection.vendor, _OF[Application]), statement(connection.vendor)

    def decided(user, application):
        ask_prepared(decision, {"user": user.pk, "thing": application.pk})

    asked = {
        "decision": (decided, everybody),
        "decision, 50 with most groups": (decided, most),
        "decide()": (partial(decide, at=at), everybody),
        "all applications of a user": (lambda user, _: ask_prepared(usable, {"user": user.pk}), everybody),
    }
    for name, (ask, users) in asked.items():
        p50, one, ratio, tail = _beside_one(
            ask, lambda users=users: (User(pk=rng.choice(users)), rng.choice(applications))
        )
        if name == "decision":
            yield "SELECT 1 (µs)", one
        yield f"{name} (µs)", p50
        yield f"{name} (× SELECT 1)", ratio
        yield f"{name} (p99 × p50)", tail


def _beside_one(ask, pick):
    """Ask about what is picked, each time beside SELECT 1; return medians of the rounds: p50, that of SELECT 1, their
    ratio, and p99 over p50."""
    rounds = []
    for _ in range(1 + ROUNDS):
        pairs = [pick() for _ in range(PAIRS)]
        asked, ones = zip(*((_seconds(ask, *pair), _seconds(_select_1, *pair)) for pair in pairs), strict=True)
        p50, one, p99 = statistics.median(asked), statistics.median(ones), statistics.quantiles(asked, n=100)[-1]
        rounds.append((p50 * 1e6, one * 1e6, p50 / one, p99 / p50))
    return [statistics.median(column) for column in zip(*rounds[1:], strict=True)]  # the first one warms up


def _select_1(user, application):
    ask_prepared("SELECT 1 WHERE %(user)s > 0 AND %(thing)s > 0", {"user": user.pk, "thing": application.pk})


def _pks(queryset):
    return list(queryset.values_list("pk", flat=True))


def _with_most_groups(scale):
    return scale.users.annotate(n=Count("memberships")).order_by("-n", "pk")


# What the plan of a decision reads -----------------------------------------------------------------------------------


def _buffers(scale, at, rng):
    applications, everybody = _pks(Application.objects.order_by("pk")), _pks(scale.users.order_by("pk"))
    users = [*_pks(_with_most_groups(scale)[:100]), *rng.sample(everybody, 200)]
    plans = plans_of_decisions([(user, rng.choice(applications)) for user in users])
    yield "heaviest decision (buffers)", max(map(buffers, plans))
    yield "median decision (buffers)", int(statistics.median(map(buffers, plans)))
    yield "decisions: tables read whole, hashed subplans", len({fault for plan in plans for fault in faults(plan)})


# What is asked for a page --------------------------------------------------------------------------------------------


def _who_can_use(scale, at, rng):
    """Of each live allocation: how many people, and the first of them by name."""
    found = []
    for allocation in scale.allocations.live(at).order_by("pk"):
        ask = partial(who_can_use, scale, at=at, allocation=allocation)
        reached = ask()
        page = reached.people.order_by("sort_key", "pk")[: PAGE_SIZE + 1]
        parts = [(_seconds(ask), _seconds(list, page.all())) for _ in range(RUNS)]
        found.append((reached.number, [statistics.median(part) * 1000 for part in zip(*parts, strict=True)]))
    most, (count, page) = max(found)
    yield "who can use, most: people", most
    yield "who can use, most: count (ms)", count
    yield "who can use, most: first page (ms)", page
    yield "who can use, slowest: count and first page (ms)", max(sum(parts) for _, parts in found)
    few = [sum(parts) for people, parts in found if people <= FEW]
    yield "who can use, up to 8,000: allocations", len(few)
    if few:
        yield "who can use, up to 8,000: count and first page (ms)", max(few)


def _seats(scale, at, rng):
    limited = scale.allocations.exclude(seats=None).order_by("pk")
    runs = [[_seconds(seats_in_use, allocation, at=at) * 1000 for allocation in limited] for _ in range(RUNS)]
    yield "seats of one allocation (ms)", max(map(statistics.median, zip(*runs, strict=True)))
    yield "seats of all allocations that limit them (ms)", statistics.median(map(sum, runs))
    yield (
        "seats of every allocation, by one statement (ms)",
        _slowest([partial(seats_of, scale.allocations.all(), at=at)]),
    )


def _search(scale, at, rng):
    """As a picker searches; a page at 90 % is what a person sees who paged on until there."""
    people = User.objects.filter(pk__in=rng.sample(_pks(scale.users.order_by("pk")), 10))
    searches = {
        "no word": [""],
        "a word of many": ["an"],
        "surnames": [person.name.split()[-1] for person in people],
        "e-mails": [person.email for person in people],
        "no hit": ["qqxqq"],
        "no hit, two letters": ["qx"],
    }
    slowest = 0
    for name, words in searches.items():
        pages = {"": [_found(scale, word) for word in words]}
        if name in ("no word", "a word of many"):
            pages[", at 90 %"] = [_from_90_percent(page) for page in pages[""]]
        for where, found in pages.items():
            took = _slowest(partial(lambda page: list(page[: PAGE_SIZE + 1].all()), page) for page in found)
            slowest = max(slowest, took)
            yield f"search, {name}{where} (ms)", took
    yield "search, slowest (ms)", slowest


def _found(scale, word):
    return USERS.candidates(scale).filter(matching(word, "search_text__finds")).order_by("sort_key", "pk")


def _from_90_percent(people):
    last = people[people.count() * 9 // 10]
    return people.filter(_beyond(("sort_key", "pk"), (last.sort_key, last.pk), "gt"))


def _preview(scale, at, rng):
    held = scale.assignments.with_assignees().in_effect(at).filter(group=_by_size(scale)[0])
    acts = [lambda assignment=assignment: preview(changes.unassigning(assignment, at=at)) for assignment in held]
    yield "preview: unassign the largest group (ms)", _slowest(acts)


# What is written -----------------------------------------------------------------------------------------------------


def _assign(scale, at, rng):
    """Committed, and undone each time, to the two groups in turns; without a limit of seats, which counts people."""
    groups = {"the largest group": _by_size(scale)[0], "a tiny group": _by_size(scale).last()}
    keys = [GROUPS.target_key(group.pk) for group in groups.values()]
    free = scale.allocations.live(at).filter(seats=None).exclude(assignments__target_key__in=keys).with_license()
    allocation = free.order_by("pk")[0]
    acts = {
        name: partial(
            services.assign,
            allocation,
            kind=GROUPS,
            assignees=[group],
            policies=allocation.license.optional_policies[:1],
            actor=BENCHMARK,
        )
        for name, group in groups.items()
    }
    times, logged = ({name: [] for name in groups} for _ in range(2))
    for _ in range(WRITES):
        for name, group in groups.items():
            before = _logged_bytes()
            times[name].append(_seconds(acts[name]) * 1000)
            logged[name].append(_logged_bytes() - before)
            services.unassign(allocation.assignments.get(group=group), actor=BENCHMARK)
    for name, group in groups.items():
        yield f"{name}: people", group.memberships.count()
        yield f"assign to {name} (ms)", statistics.median(times[name])
        yield f"assign to {name} (rows)", _rows_written(acts[name]).total()
        yield f"assign to {name} (bytes of WAL)", int(statistics.median(logged[name]))
    large, tiny = map(statistics.median, times.values())
    yield "assign to the largest group (× to a tiny one)", large / tiny


def _move(scale, at, rng):
    """To a unit at the top, which makes a row for each unit that moves; to the deepest one, which makes the most."""
    unit = scale.units.annotate(n=Count("below")).order_by("-n", "pk").select_related("parent")[0]
    outside = scale.units.exclude(above__ancestor=unit)
    parents = {
        "move the largest subtree": outside.filter(parent=None).order_by("pk")[0],
        "move it far down": outside.annotate(n=Count("above")).order_by("-n", "pk")[0],
    }
    yield "the largest subtree: people", scale.users.filter(unit__above__ancestor=unit).count()
    for name, parent in parents.items():
        move, times = partial(directory.move_unit, unit, actor=BENCHMARK), []
        for _ in range(RUNS):
            times.append(_seconds(move, parent=parent) * 1000)
            move(parent=unit.parent)
        rows = _rows_written(partial(move, parent=parent))
        yield f"{name} (ms)", statistics.median(times)
        yield f"{name} (rows)", rows.total()
        yield f"{name} (rows of users)", rows["directory_user"]


def _by_size(scale):
    return scale.groups.annotate(n=Count("memberships")).order_by("-n", "pk")


def _logged_bytes():
    with connection.cursor() as cursor:
        cursor.execute("SELECT CAST(pg_current_wal_insert_lsn() - '0/0' AS bigint)")
        return cursor.fetchone()[0]


def _rows_written(act):
    """Return how many rows of which tables the act inserts, changes and deletes. It is undone."""

    def written():
        with connection.cursor() as cursor:
            cursor.execute("SELECT relname, n_tup_ins + n_tup_upd + n_tup_del FROM pg_stat_xact_user_tables")
            return Counter(dict(cursor.fetchall()))

    with transaction.atomic():
        before = written()
        act()
        rows = written() - before
        transaction.set_rollback(True)
    return rows


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sizes", metavar="SIZE", type=int, nargs="*", default=[1_000, GOALS_AT])
    parser.add_argument("--million", action="store_true")
    parser.add_argument("--sqlite", action="store_true")
    parser.add_argument("--measure", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        print(json.dumps(measure()))
    else:
        sizes = [*arguments.sizes, 1_000_000] if arguments.million else arguments.sizes
        sys.exit(bool(main(sizes, sqlite=arguments.sqlite)))
