"""Run the whole suite, leg by leg, and say at the end how each went.

python tests/legs.py [lint] [sqlite] [postgres] [browser]   without names: all of them

A leg that cannot run here (no PostgreSQL, no Chromium) is skipped with one loud line; with REQUIRE_ALL_LEGS=1 it fails.
"""

import os
import secrets
import shlex
import signal
import sys
import time
from contextlib import ExitStack, suppress
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(PROJECT))

from tests import chromium, postgres  # noqa: E402 the path comes first

PYTHON = [sys.executable, "-m"]
PYTEST = [*PYTHON, "pytest", "-n", str(min(4, os.cpu_count() or 1))]
# What the machine may have set for the portal itself, and what would change what is tested.
PORTAL_SETTINGS = {"ALLOWED_HOSTS", "DATABASE_URL", "DEBUG", "DEMO", "DJANGO_SETTINGS_MODULE", "HTTPS", "SECRET_KEY"}
ENVIRONMENT = {name: value for name, value in os.environ.items() if name not in PORTAL_SETTINGS}


class Skip(Exception):
    """This leg cannot run here, for the reason given."""


def main(wanted):
    if unknown := set(wanted) - set(LEGS):
        sys.exit(f"There is no leg named {', '.join(sorted(unknown))}; there are {', '.join(LEGS)}.")
    os.chdir(PROJECT)
    postgres.stop_politely()
    wanted = [leg for leg in LEGS if leg in wanted or not wanted]
    results = {}
    with ExitStack() as stack:
        url = None
        if "postgres" in wanted or "browser" in wanted:
            with suppress(postgres.Missing):  # each leg says what that means for it
                url = stack.enter_context(postgres.database())
        for leg in wanted:
            results[leg] = run_leg(leg, url)
    print("\n" + "\n".join(f"{leg:10}{result}" for leg, (_, result) in results.items()), flush=True)
    return 0 if all(fine for fine, _ in results.values()) else 1


def run_leg(leg, url):
    started = time.monotonic()
    try:
        fine = LEGS[leg](url)
    except Skip as skip:
        required = os.environ.get("REQUIRE_ALL_LEGS") == "1"
        result = f"{'FAILED, it did not run' if required else 'SKIPPED'}: {skip}"
        print(f"\n!!!!! {leg}: {result} !!!!!", flush=True)
        return not required, result
    return fine, f"{'passed' if fine else 'FAILED'} in {time.monotonic() - started:.0f} s"


def lint(_):
    manage = [sys.executable, "manage.py"]
    production = {
        "ALLOWED_HOSTS": "portal.example",
        "DATABASE_URL": "sqlite://:memory:",
        "SECRET_KEY": secrets.token_urlsafe(48),
    }
    commands = [
        [*PYTHON, "ruff", "check", "--output-format", "concise"],
        [*PYTHON, "ruff", "format", "--check", "--output-format", "concise"],
        [*PYTHON, "djlint", "--lint", "--quiet", "templates"],
        [*manage, "makemigrations", "--check", "--dry-run"],
        [*manage, "check", "--deploy", "--fail-level", "WARNING"],
        [*PYTHON, "mypy"],
    ]
    results = [run("lint", command, production) for command in commands]  # one that fails stops no other
    return all(results)


def on_sqlite(_):
    return run("sqlite", [*PYTEST, "-m", "not browser"], {})


def on_postgres(url):
    if url is None:
        raise Skip(postgres.MISSING)
    return run("postgres", [*PYTEST, "-m", "not browser"], {"DATABASE_URL": url})


def in_browser(url):
    if chromium.PATH is None:
        raise Skip(chromium.MISSING)
    # Better looked at on SQLite than not at all.
    return run("browser", [*PYTEST, "-m", "browser"], {"DATABASE_URL": url} if url else {})


LEGS = {"lint": lint, "sqlite": on_sqlite, "postgres": on_postgres, "browser": in_browser}


def run(leg, command, environment):
    """Run a command, show what it says, and return whether it went well."""
    shown = shlex.join(command).removeprefix(f"{sys.executable} ").removeprefix("-m ")
    print(f"\n===== {leg}: {shown} =====", flush=True)
    return postgres.run_to_its_end(command, env={**ENVIRONMENT, **environment}) == 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)
