"""Acts upon 10,000 and upon all people of the organization `scale` at once: what the dialog foresees, and doing it.

    .venv/bin/python -m benchmarks.bulk [SIZE …]

A database of its own for each size on a private PostgreSQL, or the one that DATABASE_URL names; each act as the browser
asks for it, through all middleware. Goal at 100,000 people: 10,000 rows in at most ten seconds, in one transaction.
"""

import json
import re
import resource
import sys
import time

from benchmarks.database import measure_each, warn_when_busy

GOAL = 10  # seconds, for 10,000
MANY = 10_000


def main(sizes):
    measured = measure_each("benchmarks.bulk", sizes)
    failed = 0
    for size in sizes:
        print(f"{size:,} people{'':32}{'rows':>10}{'dialog, s':>12}{'doing it, s':>14}{'memory, MiB':>14}")
        for name, (rows, dialog, act, grew) in measured[size].items():
            is_slow = rows <= MANY and act > GOAL
            failed += is_slow
            print(f"{name:46}{rows:>10,}{dialog:>12.2f}{act:>14.2f}{grew:>14.0f}  {'FAIL' if is_slow else 'PASS'}")
    warn_when_busy()
    return failed


def measure():
    """Return {act: (rows, seconds of its dialog, seconds of doing it, MiB by which memory grew)}."""
    import django

    django.setup()
    from django.test import Client
    from django.utils import timezone

    from directory.models import Account, Organization
    from directory.services import create_group
    from portal.audit.log import Actor

    scale = Organization.objects.get(slug="scale")
    client = Client(SERVER_NAME="localhost", headers={"HX-Request": "true"})
    client.force_login(Account.objects.get(email="admin@scale.example"))
    actor = Actor("command", None, "benchmark")
    create_group(scale, name="Benchmark", actor=actor)
    unit = scale.units.filter(parent=None).order_by("pk").first()
    live = scale.allocations.live(timezone.now())
    allocation = live.filter(seats=None, ends_at=None).order_by("pk").first()
    first = scale.users.order_by("pk")[min(MANY, scale.users.count()) - 1]
    scale.users.filter(pk__lte=first.pk).update(title="Tenth", search_text=_with_word("tenth"))
    found = {}
    for label, query in (("10,000", "q=tenth"), ("all", "")):
        for name, act, body in (
            ("join a group", "group", {"group": "Benchmark"}),
            ("leave it", "leave", {}),
            ("move to a unit", "unit", {"unit": unit.name}),
            ("get a license", "assign", {"allocation": allocation.pk}),
            ("lose it", "unassign", {"allocation": allocation.pk}),
            ("deactivate", "deactivate", {}),
            ("reactivate", "reactivate", {}),
        ):
            within = f"within=group-{scale.groups.get(name='Benchmark').pk}" if act == "leave" else query
            data = {"all": 1, "query": within}
            started = time.perf_counter()
            shown = client.post(f"/users/bulk/{act}/", {**data, **body, "look": "ledger"})
            dialog = time.perf_counter() - started
            rows = int(re.search(r"([\d,]+) (?:person|people)", shown.content.decode())[1].replace(",", ""))
            before = _memory()
            started = time.perf_counter()
            done = client.post(f"/users/bulk/{act}/", {**data, **body}).content.decode()
            seconds = time.perf_counter() - started
            if 'role="alert"' in done:
                raise SystemExit(f"{name}: {re.sub('<[^>]+>', ' ', done)}")
            found[f"{label}: {name}"] = (rows, dialog, seconds, _memory() - before)
    return found


def _with_word(word):
    from django.db.models import F, Value
    from django.db.models.functions import Concat

    return Concat(F("search_text"), Value(f" {word}"))


def _memory():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    if sys.argv[1:] == ["--measure"]:
        print(json.dumps(measure()))
    else:
        sys.exit(bool(main([int(size) for size in sys.argv[1:]] or [100_000])))
