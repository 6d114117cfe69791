"""A database of its own for each size of the organization `scale`, and a process of its own that measures there."""

import json
import os
import subprocess
import sys
from urllib.parse import urlparse, urlunparse

from tests.postgres import database


def measure_each(module, sizes):
    """Return {size: what `module --measure` says}, on a private PostgreSQL or the one that DATABASE_URL names."""
    name = module.rpartition(".")[-1]
    with database() as url:
        return {size: measure_in_a_process(module, _created(url, f"{name}_{size}"), size) for size in sizes}


def measure_in_a_process(module, url, size):
    """Fill the empty database at the address and measure there, each in a process: Django knows one in its life."""
    environment = _environment(url)
    for command in (["migrate", "-v0"], ["createcachetable"], ["seed_scale", "--users", str(size)]):
        subprocess.run([sys.executable, "manage.py", *command], env=environment, check=True, stdout=sys.stderr)
    answer = subprocess.run(
        [sys.executable, "-m", module, "--measure"], env=environment, check=True, stdout=subprocess.PIPE
    )
    return json.loads(answer.stdout)


def warn_when_busy():
    load, processors = os.getloadavg()[0], os.cpu_count()
    if load > processors:
        print(f"The machine is busy (load {load:.1f} on {processors} processors): the milliseconds are too many.")


def _created(url, name):
    code = (
        "import django; django.setup(); from django.db import connection as c; c.ensure_connection();"
        f"c.cursor().execute('DROP DATABASE IF EXISTS {name}'); c.cursor().execute('CREATE DATABASE {name}')"
    )
    subprocess.run([sys.executable, "-c", code], env=_environment(url), check=True)
    return urlunparse(urlparse(url)._replace(path=f"/{name}"))


def _environment(url):
    return {**os.environ, "DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "tests.settings"}
