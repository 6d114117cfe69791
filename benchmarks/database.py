"""A database of each size on a private PostgreSQL (or the one that DATABASE_URL names), measured in a process each."""

import json
import os
import subprocess
import sys
from urllib.parse import urlparse, urlunparse


def measure_each(module, sizes):
    """Return {size: what the module prints as JSON when it is run with --measure on a database of that size}."""
    from tests.postgres import database

    with database() as url:
        return {size: _measure(url, module, size) for size in sizes}


def _measure(url, module, size):
    """In a process of its own, for Django knows one database in its life."""
    environment = {**os.environ, "DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "tests.settings"}
    name = f"{module.rpartition('.')[2]}_{size}"
    code = (
        "import django; django.setup(); from django.db import connection as c; c.ensure_connection();"
        f"c.cursor().execute('DROP DATABASE IF EXISTS {name}'); c.cursor().execute('CREATE DATABASE {name}')"
    )
    subprocess.run([sys.executable, "-c", code], env=environment, check=True)
    environment["DATABASE_URL"] = urlunparse(urlparse(url)._replace(path=f"/{name}"))
    seed(environment, size)
    command = [sys.executable, "-m", module, "--measure"]
    return json.loads(subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE).stdout)


def seed(environment, size):
    """Make the tables, and the organization `scale` in them, in the database of the environment."""
    for command in (["migrate", "-v0"], ["createcachetable"], ["seed_scale", "--users", str(size)]):
        subprocess.run([sys.executable, "manage.py", *command], env=environment, check=True, stdout=sys.stderr)


def warn_if_busy():
    load, processors = os.getloadavg()[0], os.cpu_count()
    if load > processors:
        print(f"The machine is busy (load {load:.1f} on {processors} processors): the milliseconds are too many.")
