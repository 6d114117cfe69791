"""The portal as in production, with the demo data, on a database of its own."""

import os
import socket
import subprocess
import sys
from contextlib import contextmanager

from tests.legs import PORTAL_SETTINGS


def set_up(folder):
    """Set Django up in this process as `make demo` does, with its database in the folder."""
    for name in PORTAL_SETTINGS:
        os.environ.pop(name, None)
    os.environ |= {
        "DATABASE_URL": f"sqlite:///{folder}/portal.sqlite3",
        "DEMO": "1",
        "DJANGO_SETTINGS_MODULE": "portal.settings",
        "SECRET_KEY": "a key for looking only",
    }
    import django
    from django.core.management import call_command

    django.setup()
    call_command("migrate", verbosity=0)
    call_command("createcachetable", verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    call_command("seed_demo")


@contextmanager
def served(in_debug):
    """Serve it on a free port; gives the address."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        command = ["-m", "gunicorn", "portal.wsgi", "--bind", f"fd://{listening.fileno()}", "--threads", "8"]
        process = subprocess.Popen(
            [sys.executable, *command, "--log-level", "warning", "--no-control-socket"],
            env={**os.environ, "DEBUG": str(int(in_debug))},
            pass_fds=[listening.fileno()],
            start_new_session=True,  # Ctrl-C is for us; we stop it
        )
        address = f"http://127.0.0.1:{listening.getsockname()[1]}"
    try:
        yield address
    finally:
        process.terminate()
        process.wait()
