"""What the access engine costs, against its goals: at 1,000 and at 100,000 people, with --million at 1,000,000 too.

    .venv/bin/python -m benchmarks.access [SIZE …] [--million] [--sqlite]

Each size gets a database of its own on a private PostgreSQL (or the one that DATABASE_URL names); --sqlite measures the
decision at the largest size on SQLite too. A statement that is compared with `SELECT 1` runs in turn with it, over
random people and applications: only the ratio within one such loop means anything, for machines differ and change
their minds. Times are medians of several rounds. Goals in milliseconds are for 100,000 people.
"""

import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from functools import partial

from benchmarks.database import measure_each, seed, warn_if_busy

GOAL_AT = 100_000
ROUNDS, PAIRS = 3, 1000
FEW = 8000  # people, up to whom "who can use" is to be quick
SELECT_1 = "SELECT %(user)s + %(thing)s"


def main(sizes, with_sqlite):
    measured = measure_each("benchmarks.access", sizes)
    print(f"{'':58}" + "".join(f"{size:>12,}" for size in sizes))
    for name in measured[sizes[-1]]:
        print(f"{name:58}" + "".join(f"{_shown(measured[size][name]):>12}" for size in sizes))
    goals = list(_goals(measured, sizes))
    if with_sqlite:
        goals.append(("SQLite: a decision, µs", on_sqlite(sizes[-1]), 100))
    print()
    for name, value, goal in goals:
        print(f"{'PASS' if value <= goal else 'FAIL'}  {name}: {_shown(value)} (at most {_shown(goal)})")
    failed = sum(value > goal for _, value, goal in goals)
    print(f"{len(goals) - failed} of {len(goals)} pass.")
    warn_if_busy()
    return failed


def _goals(measured, sizes):
    """Yield (name, measured, goal)."""
    last = measured[sizes[-1]]
    yield "decision, × SELECT 1", last["decision, × SELECT 1"], 3.5
    yield "decision, p99 × its own p50", last["decision, p99 × its own p50"], 3
    if len(sizes) > 1:
        first = measured[sizes[0]]["decision, × SELECT 1"]
        yield f"decision, ratio at {sizes[-1]:,} over that at {sizes[0]:,}", last["decision, × SELECT 1"] / first, 1.3
    yield "all applications, × SELECT 1", last["all applications, × SELECT 1"], 4.5
    yield "decision, buffers of the heaviest person", last["decision, buffers of the heaviest person"], 130
    yield "decision, sequential reads and hashed subplans", last["decision, sequential reads and hashed subplans"], 0
    yield "assign to the largest group, × to a tiny one", last["assign to the largest group, × to a tiny one"], 1.2
    yield "move of the largest subtree, rows of people touched", last["move of the largest subtree, rows of people"], 0
    if GOAL_AT in sizes:
        of = measured[GOAL_AT]
        for name, goal in MILLISECONDS.items():
            yield name, of[name], goal


MILLISECONDS = {
    "who can use, count and first page, the slowest, ms": 150,
    f"who can use, up to {FEW:,} people, the slowest, ms": 20,
    "seats of one allocation, the slowest, ms": 130,
    "seats of all allocations that have seats, ms": 200,
    "preview of the largest group's loss, the slowest, ms": 200,
    "search of people, the slowest, ms": 10,
    "move of the largest subtree, ms": 60,
}


def _shown(value):
    return f"{value:,}" if isinstance(value, int) else f"{value:,.2f}"


# In the process that has the database --------------------------------------------------------------------------------


def measure():
    """Return {name: number} of the organization `scale`."""
    import django

    django.setup()
    from django.utils import timezone

    from directory.models import Organization

    scale, now = Organization.objects.get(slug="scale"), timezone.now()
    return {
        **measure_decisions(scale, now),
        **measure_plans(scale),
        **measure_who(scale, now),
        **measure_previews(scale, now),
        **measure_search(scale),
        **measure_writes(scale),
    }


def measure_decisions(scale, now):
    from licensing.access import decide
    from licensing.access.decisions import ask_prepared, statement

    people, applications = _some_people(scale, 1000), _applications()
    found = {}
    loops = {
        "decision": partial(ask_prepared, statement("postgresql", "application_id")),
        "all applications": partial(_ask_about_a_person, statement("postgresql")),
    }
    for name, ask in loops.items():
        ratios, p50s, tails = zip(*(_in_turn(ask, people, applications) for _ in range(ROUNDS)), strict=True)
        found[f"{name}, µs"] = statistics.median(p50s)
        found[f"{name}, × SELECT 1"] = statistics.median(ratios)
        found[f"{name}, p99 × its own p50"] = statistics.median(tails)
    pairs = [(random.choice(people), random.choice(applications)) for _ in range(PAIRS)]  # noqa: S311
    times = [_time(partial(decide, person, application, at=now)) for person, application in pairs]
    found["decide() with what it makes of the rows, µs"] = statistics.median(times) * 1000
    return found


def _ask_about_a_person(sql, parameters):
    from licensing.access.decisions import ask_prepared

    return ask_prepared(sql, {"user": parameters["user"]})


def _in_turn(ask, people, applications):
    """Return (p50 over that of SELECT 1, p50 in µs, p99 over p50) of a statement that takes turns with SELECT 1."""
    from licensing.access.decisions import ask_prepared

    times, ones = [], []
    for _ in range(PAIRS):
        parameters = {"user": random.choice(people).pk, "thing": random.choice(applications).pk}  # noqa: S311
        times.append(_time(partial(ask, parameters)))
        ones.append(_time(partial(ask_prepared, SELECT_1, parameters)))
    p50 = statistics.median(times)
    return p50 / statistics.median(ones), p50 * 1000, sorted(times)[PAIRS * 99 // 100] / p50


def measure_plans(scale):
    """With the generic plan, which a prepared statement comes to have, of those with most groups and others."""
    from django.db.models import Count

    from tests.plans import plans_of_decisions

    most = scale.users.active().annotate(n=Count("memberships")).order_by("-n", "pk")[:50]
    plans = list(plans_of_decisions([*most, *_some_people(scale, 150)], _applications()))
    return {
        "decision, buffers of the heaviest person": max(buffers for buffers, _ in plans),
        "decision, sequential reads and hashed subplans": sum(len(wrong) for _, wrong in plans),
    }


def measure_who(scale, now):
    from licensing.access import seats_in_use, who_can_use

    sizes, who, seats = {}, {}, {}

    def ask(allocation):
        who = who_can_use(scale, at=now, allocation=allocation)
        sizes[allocation.pk] = who.number
        return list(who.people.order_by("sort_key", "pk")[:51])

    for allocation in scale.allocations.live(now):
        who[allocation.pk] = _median(partial(ask, allocation))
        if allocation.seats is not None:
            seats[allocation.pk] = _median(partial(seats_in_use, allocation, at=now))
    return {
        "who can use, the most people": max(sizes.values()),
        "who can use, count and first page, the slowest, ms": max(who.values()),
        f"who can use, up to {FEW:,} people, the slowest, ms": max(ms for pk, ms in who.items() if sizes[pk] <= FEW),
        "seats of one allocation, the slowest, ms": max(seats.values()),
        "seats of all allocations that have seats, ms": sum(seats.values()),
    }


def measure_previews(scale, now):
    from licensing.access import changes
    from licensing.access.previews import preview

    assignments = scale.assignments.in_effect(now).filter(group=_groups(scale)[0]).with_assignees().with_license()
    return {
        "preview of the largest group's loss, the slowest, ms": max(
            _median(lambda assignment=each: preview(changes.unassigning(assignment, at=now)))
            for each in assignments.with_policies()
        )
    }


def measure_search(scale):
    from portal.lists import _beyond, matching

    people, fields = scale.users.active(), ("sort_key", "pk")
    person = people.order_by("pk")[people.count() // 2]
    words = ["an", person.name.split()[-1], person.email, "qqxqq", ""]
    late = people.order_by(*fields)[people.count() * 9 // 10]
    times = []
    for word in words:
        found = people.filter(matching(word, "search_text__contains")).order_by(*fields)
        for page in (found, found.filter(_beyond(fields, [late.sort_key, late.pk], "gt"))):
            times.append(_median(lambda page=page: list(page[:51])))
    return {"search of people, the slowest, ms": max(times)}


def measure_writes(scale):
    from directory.services import move_unit
    from licensing import services
    from licensing.kinds import GROUPS
    from portal.audit.log import Actor

    actor, groups = Actor("command", None, "benchmark"), _groups(scale)
    largest, tiny = groups[0], groups.reverse()[0]
    free = scale.allocations.filter(cancelled_at=None, ends_at=None, seats=None)
    allocation = free.exclude(assignments__group__in=[largest, tiny]).with_license().first()
    policies = allocation.license.optional_policies[:1]
    found, times = {}, {}
    for name, group in (("largest", largest), ("tiny", tiny)):
        act = partial(services.assign, allocation, kind=GROUPS, assignees=[group], policies=policies, actor=actor)
        times[name], wal, rows = _taken_back(act, ("licensing_assignment", "licensing_assignmentpolicy"))
        found |= {f"assign to the {name} group, ms": times[name], f"assign to the {name} group, bytes of WAL": wal}
        found[f"assign to the {name} group, rows beside the audit's"] = rows
    found["assign to the largest group, × to a tiny one"] = times["largest"] / times["tiny"]
    unit, parent = _subtree(scale)
    act = partial(move_unit, unit, parent=parent, actor=actor)
    ms, wal, rows = _taken_back(act, ("directory_user",))
    return found | {
        "move of the largest subtree, people": scale.users.filter(unit__above__ancestor=unit).count(),
        "move of the largest subtree, ms": ms,
        "move of the largest subtree, bytes of WAL": wal,
        "move of the largest subtree, rows of people": rows,
    }


def _taken_back(act, tables):
    """Return (median ms, bytes of WAL, rows written in the tables) of an act that is rolled back each time."""
    from django.db import connection, transaction

    times = []
    for _ in range(ROUNDS * 3):
        with transaction.atomic(), connection.cursor() as cursor:
            before = _written(cursor, tables)
            times.append(_time(act))
            after = _written(cursor, tables)
            transaction.set_rollback(True)
    return statistics.median(times), after[0] - before[0], after[1] - before[1]


def _written(cursor, tables):
    """Return (bytes of WAL, rows written in the tables) up to now."""
    cursor.execute(
        """SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint, (
        SELECT sum(n_tup_ins + n_tup_upd + n_tup_del)::bigint FROM pg_stat_xact_user_tables WHERE relname = ANY(%s))""",
        [list(tables)],
    )
    return cursor.fetchone()


def on_sqlite(size):
    """Return the median µs of a decision on a SQLite database of that size."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {
            **os.environ,
            "DATABASE_URL": f"sqlite:///{folder}/scale.sqlite3",
            "DJANGO_SETTINGS_MODULE": "tests.settings",
        }
        seed(environment, size)
        command = [sys.executable, "-m", "benchmarks.access", "--measure-sqlite"]
        return json.loads(subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE).stdout)


def measure_on_sqlite():
    import django

    django.setup()
    from directory.models import Organization
    from licensing.access.decisions import ask_prepared, statement

    people, applications = _some_people(Organization.objects.get(slug="scale"), 1000), _applications()
    ask = partial(ask_prepared, statement("sqlite", "application_id"))
    return statistics.median(_in_turn(ask, people, applications)[1] for _ in range(ROUNDS))


# What is measured on, and how ----------------------------------------------------------------------------------------


def _some_people(scale, number):
    keys = list(scale.users.active().order_by("pk").values_list("pk", flat=True))
    return list(scale.users.filter(pk__in=random.sample(keys, min(number, len(keys)))))


def _applications():
    from licensing.models import Application

    return list(Application.objects.order_by("pk"))


def _groups(scale):
    """The groups, the largest first."""
    from django.db.models import Count

    return scale.groups.annotate(n=Count("memberships")).filter(n__gt=0).order_by("-n", "pk")


def _subtree(scale):
    """Return the unit with most units below it that lies below another, and a unit at the top to move it to."""
    from django.db.models import Count

    units = scale.units.annotate(n=Count("below")).order_by("-n", "pk")
    unit = units.filter(parent__isnull=False).first()
    return unit, units.filter(parent=None).exclude(below__descendant=unit).first()


def _median(act):
    act()
    return statistics.median(_time(act) for _ in range(ROUNDS))


def _time(act):
    """Return the milliseconds that it takes."""
    started = time.perf_counter()
    act()
    return (time.perf_counter() - started) * 1000


if __name__ == "__main__":
    random.seed(1)
    options = {argument for argument in sys.argv[1:] if argument.startswith("--")}
    if "--measure" in options:
        print(json.dumps(measure()))
    elif "--measure-sqlite" in options:
        print(json.dumps(measure_on_sqlite()))
    else:
        sizes = [int(argument) for argument in sys.argv[1:] if argument not in options] or [1_000, GOAL_AT]
        sys.exit(bool(main(sizes + [1_000_000] * ("--million" in options), "--sqlite" in options)))
