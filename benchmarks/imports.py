"""Importing a file with as many rows as the organization `scale` has people, and exporting them.

    .venv/bin/python -m benchmarks.imports [SIZE …]

A database of its own for each size on a private PostgreSQL, or the one that DATABASE_URL names; one process does what
`manage.py work` would. Of the rows, half say what is there, the others change a title, a unit or groups, or are new
people. The longest transaction is how long anybody may have to wait for a lock. Goals at 100,000 rows: three minutes in
all, five seconds a transaction, and memory that does not grow with the file.
"""

import csv
import json
import resource
import sys
import tempfile
import time

from benchmarks.database import measure_each, warn_when_busy

GOAL, GOAL_OF_ONE, GOAL_OF_MEMORY = 180, 5, 64  # seconds, seconds, MiB


def main(sizes):
    measured = measure_each("benchmarks.imports", sizes)
    print(f"{'':28}" + "".join(f"{size:>12,} rows" for size in sizes))
    for name in measured[sizes[0]]:
        print(f"{name:28}" + "".join(f"{measured[size][name]:>17,.2f}" for size in sizes))
    failed = 0
    for size in sizes:
        found = measured[size]
        whole = found["read and store, s"] + found["judge, s"] + found["import, s"]
        longest = max(found["longest of judging, s"], found["longest of importing, s"])
        is_good = whole <= GOAL and longest <= GOAL_OF_ONE and found["memory grew, MiB"] <= GOAL_OF_MEMORY
        is_good = is_good and found["left alone the second time"] == found["rows"]
        failed += not is_good
        print(f"{size:,} rows: {whole:.1f} s in all. {'PASS' if is_good else 'FAIL'}")
    warn_when_busy()
    return failed


def measure():
    """Return {what: number} of an import into the organization `scale`."""
    import django

    django.setup()
    from directory.exports import export_users
    from directory.imports.models import Import
    from directory.imports.running import confirm_import, run_imports, start_import
    from directory.models import Account, Organization
    from portal.audit.log import Actor

    scale, admin = Organization.objects.get(slug="scale"), Account.objects.get(email="admin@scale.example")
    actor = Actor("account", admin.pk, admin.name)

    def chunks():
        """Do all there is; return the seconds in all, and of the longest transaction."""
        times = []
        while True:
            started = time.perf_counter()
            if not run_imports():
                return sum(times), max(times)
            times.append(time.perf_counter() - started)

    with tempfile.TemporaryFile() as file:
        started = time.perf_counter()
        for line in export_users(scale, scale.users.all()).streaming_content:
            file.write(line)
        exporting = time.perf_counter() - started
        with tempfile.TemporaryFile() as changed:
            size = _change(file, changed, scale)
            before = _memory()
            started = time.perf_counter()
            imported = start_import(scale, file=changed, name="people.csv", actor=actor)
            reading = time.perf_counter() - started
            judging, longest_of_judging = chunks()
            confirm_import(Import.objects.get(pk=imported.pk), actor=actor)
            importing, longest_of_importing = chunks()
            counts = Import.objects.get(pk=imported.pk).counts
            grew = _memory() - before
            again = start_import(scale, file=changed, name="people.csv", actor=actor)
            chunks()
    return {
        "export, s": exporting,
        "rows": size,
        "read and store, s": reading,
        "judge, s": judging,
        "longest of judging, s": longest_of_judging,
        "import, s": importing,
        "longest of importing, s": longest_of_importing,
        "memory grew, MiB": grew,
        **counts,
        "left alone the second time": Import.objects.get(pk=again.pk).counts["same"],
    }


def _change(file, changed, scale):
    """Write what was exported with some of it changed, a row for each; returns how many."""
    units = list(scale.units.filter(parent=None).values_list("name", flat=True)[:20])
    groups = list(scale.groups.order_by("pk").values_list("name", flat=True)[5:25])
    file.seek(0)
    rows = csv.reader(line.decode("utf-8-sig") for line in file)
    changed.write(",".join(next(rows)).encode() + b"\n")
    size = 0
    for size, row in enumerate(rows, 1):  # noqa: B007 it is returned
        if size % 10 == 1:
            row[2] = "Planner of routes"
        elif size % 10 == 2:
            row[5] = units[size % len(units)]
        elif size % 10 == 3:
            row[6] = "; ".join({groups[size % len(groups)], groups[size % 7]})
        elif size % 10 == 4:
            row[0] = f"new.{row[0]}"
        elif size % 10 == 5:
            row[2], row[5], row[6] = "Driver", units[0], groups[size % len(groups)]
        quoted = (f'"{cell.replace(chr(34), chr(34) * 2)}"' for cell in row)
        changed.write(",".join(quoted).encode() + b"\n")
    return size


def _memory():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    if "--measure" in sys.argv:
        print(json.dumps(measure()))
    else:
        sys.exit(main([int(size) for size in sys.argv[1:]] or [10_000, 100_000]) > 0)
