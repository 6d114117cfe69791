"""Queries, median milliseconds and bytes of every page, dialog and search, at 1,000 and at 100,000 people.

    .venv/bin/python -m benchmarks.pages [SIZE …]

Each size gets a database of its own on a private PostgreSQL (or the one that DATABASE_URL names). Pages are asked for
through all middleware by one client, in rounds that go through all of them, beside a view that answers a constant:
compare within one run, for machines differ and change their minds. Goals: the same number of queries at both sizes;
at 100,000 people at most 150 ms each, the seat count, which is loaded apart, at most 250.
"""

import json
import os
import statistics
import subprocess
import sys
import time
from urllib.parse import urlparse, urlunparse

ROUNDS = 9
GOAL, SEATS_GOAL, GOAL_AT = 150, 250, 100_000


def main(sizes):
    from tests.postgres import database

    with database() as url:
        measured = {size: _measure_in_a_process(url, size) for size in sizes}
    small, large = min(sizes), max(sizes)
    print(f"{'':44}" + "".join(f"{size:>12,} people{'':9}" for size in sizes))
    print(f"{'page':44}" + f"{'queries':>8}{'ms':>9}{'bytes':>9}  " * len(sizes))
    failed = 0
    for name, last in measured[large].items():
        cells = (measured[size][name] for size in sizes)
        row = f"{name:44}" + "".join(f"{q:>8}{ms:>9.1f}{length:>9,}  " for q, ms, length in cells)
        goal = SEATS_GOAL if name.startswith("seats") else GOAL
        wrong = ["queries differ"] if measured[small][name][0] != last[0] else []
        wrong += [f"over {goal} ms"] if large >= GOAL_AT and last[1] > goal else []
        failed += bool(wrong)
        print(row + ("FAIL: " + ", ".join(wrong) if wrong else "PASS"))
    print(f"{len(measured[large]) - failed} of {len(measured[large])} pass.")
    return failed


def _measure_in_a_process(url, size):
    """Measure one size in a process of its own, for Django knows one database in its life."""
    environment = {**os.environ, "DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "tests.settings"}
    name = f"pages_{size}"
    code = (
        "import django; django.setup(); from django.db import connection as c; c.ensure_connection();"
        f"c.cursor().execute('DROP DATABASE IF EXISTS {name}'); c.cursor().execute('CREATE DATABASE {name}')"
    )
    subprocess.run([sys.executable, "-c", code], env=environment, check=True)
    environment["DATABASE_URL"] = urlunparse(urlparse(url)._replace(path=f"/{name}"))
    for command in (["migrate", "-v0"], ["createcachetable"], ["seed_scale", "--users", str(size)]):
        subprocess.run([sys.executable, "manage.py", *command], env=environment, check=True, stdout=sys.stderr)
    answer = subprocess.run(
        [sys.executable, "-m", "benchmarks.pages", "--measure"], env=environment, check=True, stdout=subprocess.PIPE
    )
    return json.loads(answer.stdout)


def measure():
    """Return {name: (queries, median ms, bytes)} of the pages of the organization `scale`."""
    import django

    django.setup()
    from django.conf import settings
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    from directory.models import Account

    settings.ROOT_URLCONF = "benchmarks.urls"
    client = Client(SERVER_NAME="localhost")
    client.force_login(Account.objects.get(email="admin@scale.example"))

    def ask(url, data, headers):
        return client.get(url, headers=headers) if data is None else client.post(url, data, headers=headers)

    asked, counts, lengths, times = dict(_pages(client)), {}, {}, {}
    for name, page in asked.items():
        with CaptureQueriesContext(connection) as queries:
            answer = ask(*page)
        if answer.status_code != 200:
            raise SystemExit(f"{name}: {page[0]} answers {answer.status_code}")
        counts[name], lengths[name], times[name] = len(queries), len(answer.content), []
    for _ in range(ROUNDS):
        for name, page in asked.items():
            started = time.perf_counter()
            ask(*page)
            times[name].append((time.perf_counter() - started) * 1000)
    return {name: (counts[name], statistics.median(times[name]), lengths[name]) for name in asked}


def _pages(client):
    """Yield (name, (url, POST data or None, headers)); the heaviest of each kind."""
    from django.db.models import Count

    from directory.models import Organization
    from licensing.kinds import GROUPS, UNITS, USERS

    scale = Organization.objects.get(slug="scale")
    live = scale.allocations.filter(cancelled_at=None, ends_at=None, seats=None)
    allocation = live.annotate(n=Count("assignments")).order_by("-n", "pk").first()
    seated = scale.allocations.filter(cancelled_at=None, seats__isnull=False).order_by("pk")
    group = scale.groups.annotate(n=Count("memberships")).order_by("-n").first()
    unit = scale.units.annotate(n=Count("below")).order_by("-n").first()
    person = scale.users.filter(is_active=True, unit__isnull=False, memberships__group=group).order_by("pk").first()
    held = {
        kind: scale.assignments.filter(kind.where).in_effect(_now()).order_by("pk") for kind in (USERS, GROUPS, UNITS)
    }
    largest = {
        "a user": held[USERS].first(),
        "the largest group": held[GROUPS].filter(group=group).first() or held[GROUPS].first(),
        "the largest unit": held[UNITS].filter(unit=unit).first() or held[UNITS].first(),
        "everybody": scale.assignments.filter(whole_organization=True).first(),
    }
    rare = scale.users.filter(is_active=True).order_by("-pk").first().name.split()[-1]
    dialog = {"HX-Request": "true"}

    def get(url, **headers):
        return url, None, headers

    yield "a constant view", get("/constant/")
    yield "Licenses", get("/licenses/")
    for number, one in enumerate(seated):
        yield f"seats of license {number}", get(f"/licenses/{one.pk}/seats/")
    lists = {f"license: {kind.tab}": f"/licenses/{allocation.pk}/{kind}/" for kind in (USERS, GROUPS, UNITS)}
    lists |= {"Users": "/users/", "Groups": "/groups/", "Organizational Units": "/units/", "Activity": "/activity/"}
    lists |= {"the largest group: Users": f"/groups/{group.pk}/", "the largest unit: Users": f"/units/{unit.pk}/"}
    for name, url in lists.items():
        yield name, get(url)
        yield f"{name}, search, many hits", get(f"{url}?q=an")
        yield f"{name}, search, few hits", get(f"{url}?q={rare}")
        yield f"{name}, search, no hit", get(f"{url}?q=qqxqq")
    yield "Users, late page", get(f"/users/?after={_cursor('wout', 1)}")
    yield "Users, by date", get("/users/?sort=-added")
    yield "license: Users, late page", get(f"/licenses/{allocation.pk}/users/?after={_cursor('wout', 1)}")
    roots = "&".join(
        f"open={pk}"
        for pk in scale.units.filter(children__isnull=False).order_by("pk").values_list("pk", flat=True)[:20]
    )
    yield "Organizational Units, 20 open", get(f"/units/?{roots}")
    yield "user: Basic Information", get(f"/users/{person.pk}/")
    yield "user: Groups", get(f"/users/{person.pk}/groups/")
    for kind, thing in ((USERS, person), (GROUPS, group), (UNITS, unit)):
        yield f"{kind.one}: Licenses", get(f"/{kind}/{thing.pk}/licenses/")
        yield f"{kind.one}: Assign License", (f"/{kind}/{thing.pk}/licenses/assign/", None, dialog)
    yield "Organization", get("/organization/")
    yield "Organization: Licenses", get("/organization/licenses/")
    yield "Organization: Assign License", ("/organization/licenses/assign/", None, dialog)
    yield "My access", get("/my-access/")
    for kind in (USERS, GROUPS, UNITS):
        url = f"/licenses/{allocation.pk}/{kind}/assign/"
        yield f"license: Assign License, {kind}", (url, None, dialog)
        for name, q in (("many hits", "an"), ("few hits", rare), ("no hit", "qqxqq")):
            yield f"license: Assign License, {kind}, {name}", (url, {"look": "search", "q": q}, dialog)
    yield "group: Add people", (f"/groups/{group.pk}/add/", None, dialog)
    yield "unit: Add people", (f"/units/{unit.pk}/add/", None, dialog)
    for name, assignment in largest.items():
        yield f"Manage Optional Policies of {name}", (f"/assignments/{assignment.pk}/policies/", None, dialog)
        yield f"Change dates of {name}", (f"/assignments/{assignment.pk}/dates/", None, dialog)
        yield f"Unassign License from {name}", (f"/assignments/{assignment.pk}/unassign/", None, dialog)


def _now():
    from django.utils import timezone

    return timezone.now()


def _cursor(*values):
    import base64

    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")


if __name__ == "__main__":
    if sys.argv[1:] == ["--measure"]:
        print(json.dumps(measure()))
    else:
        sys.exit(bool(main([int(size) for size in sys.argv[1:]] or [1_000, GOAL_AT])))
