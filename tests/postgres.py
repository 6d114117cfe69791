"""A private PostgreSQL for the tests: made in a second, reached by a socket only, gone afterwards.

python tests/postgres.py COMMAND…   runs COMMAND with DATABASE_URL set to it
"""

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

MISSING = "PostgreSQL is not installed (Debian: apt install postgresql)"
# Fast and forgetful: nothing here has to survive a power cut. What takes a minute waits for a lock that its own test
# holds (PostgreSQL sees no deadlock whose other half is in Python), or has a plan that no customer may meet.
SETTINGS = {
    "statement_timeout": "60s",
    "listen_addresses": "",
    "max_connections": "100",
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
}


class Missing(Exception):
    """This machine has no PostgreSQL programs."""


def programs():
    """Return the folder of PostgreSQL's own programs, or None. Debian keeps them off the PATH."""
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    folders = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    return max(folders, key=lambda folder: float(folder.parent.name), default=None)


@contextmanager
def database():
    """Give the address of a PostgreSQL database: the one in DATABASE_URL, or else a private one."""
    given = os.environ.get("DATABASE_URL", "")
    if given.startswith(("postgres://", "postgresql://")):
        yield given
    else:
        with private_cluster() as url:
            yield url


@contextmanager
def private_cluster():
    folder = programs()
    if folder is None:
        raise Missing(MISSING)
    # Not in TMPDIR: the address of a socket has room for 107 characters.
    home = tempfile.mkdtemp(prefix="pg-", dir="/tmp")  # noqa: S108 mkdtemp makes a folder of its own
    user = {}
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        owner = _somebody_else()
        os.chown(home, owner.pw_uid, owner.pw_gid)
        user = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []}

    def run(program, *arguments):
        subprocess.run(
            [folder / program, "-D", f"{home}/data", *arguments],
            check=True,
            cwd="/",  # the other user may not enter the project's folder
            env={**os.environ, "LC_ALL": "C.UTF-8"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,  # the server would keep a pipe open
            start_new_session=True,  # Ctrl-C is for the command, not for the server
            **user,
        )

    try:
        run("initdb", "-U", "portal", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync", "--no-instructions")
        options = " ".join(f"-c {name}={value}" for name, value in SETTINGS.items())
        try:
            run("pg_ctl", "-w", "-l", f"{home}/log", "-o", f"-k {home} {options}", "start")
        except subprocess.CalledProcessError:
            if os.path.exists(f"{home}/log"):
                sys.stderr.write(Path(home, "log").read_text())
            raise
        yield f"postgresql://portal@/postgres?host={home}"
    finally:
        before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # a second Ctrl-C must not leave the server behind
        if os.path.exists(f"{home}/data/postmaster.pid"):
            run("pg_ctl", "-m", "immediate", "-w", "stop")
        shutil.rmtree(home, ignore_errors=True)
        signal.signal(signal.SIGINT, before)


def _somebody_else():
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        return pwd.getpwnam("nobody")


def run_to_its_end(command, **options):
    """Run a command and return its exit code. Ctrl-C reaches the command by itself; we wait until it has tidied up."""
    process = subprocess.Popen(command, **options)
    interrupted = False
    try:
        while True:
            try:
                code = process.wait()
                break
            except KeyboardInterrupt:
                interrupted = True
    except SystemExit:  # somebody asked us to stop (stop_politely)
        process.terminate()
        process.wait()
        raise
    if interrupted:
        raise KeyboardInterrupt
    return code


def stop_politely():
    """Let `kill` end this program the way Ctrl-C does: with everything tidied up."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))


def main(command):
    if not command:
        sys.exit(__doc__)
    stop_politely()
    try:
        with database() as url:
            return run_to_its_end(command, env={**os.environ, "DATABASE_URL": url})
    except Missing as missing:
        sys.exit(str(missing))
    except KeyboardInterrupt:
        return 128 + signal.SIGINT


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
