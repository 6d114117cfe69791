"""The example application in the documentation, run as somebody would who connects one."""

import os
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

from licensing import services
from licensing.access import Reason
from licensing.authzen import limits
from licensing.models import ProviderToken
from tests.worlds import TEST

DOOR = Path(__file__).parent.parent / "docs/examples/door.py"
MANUAL = DOOR.parent.parent / "decision-api.md"


@pytest.mark.django_db(transaction=True)
def test_the_door_lets_in_who_may_and_says_why_others_may_not(live_server, acme, catalogue):
    acme.assign(acme.nobody)
    limits._counts.clear()
    secret = services.create_token(ProviderToken(provider=catalogue.provider, name="The door"), actor=TEST)

    def knock(*who, token=secret, portal=live_server.url):
        done = subprocess.run(
            [sys.executable, DOOR, "crm", "read"],
            input="\n".join(who),
            capture_output=True,
            text=True,
            timeout=30,
            env={"PATH": os.environ["PATH"], "PORTAL_URL": portal, "PORTAL_TOKEN": token},
        )
        assert (done.returncode, done.stderr) == (0, "")
        return done.stdout.splitlines()

    assert knock("uma@acme.example", "vic@acme.example", "eve@elsewhere.example") == [
        "uma@acme.example: come in: CRM Professional (user)",
        "vic@acme.example: stay outside: the license is not assigned to this person",
        "eve@elsewhere.example: stay outside: nobody is known by that name",
    ]
    assert knock("uma@acme.example", token="x") == [
        'uma@acme.example: stay outside: the portal said 401: "Send a valid token."'
    ]
    (line,) = knock("uma@acme.example", portal="http://127.0.0.1:9")
    assert line.startswith("uma@acme.example: stay outside: the portal cannot be asked")


def test_the_door_and_its_manual_know_each_reason():
    assert {*runpy.run_path(DOOR)["WORDS"], "allowed"} == set(Reason)
    manual = MANUAL.read_text()
    assert [reason for reason in Reason if f"`{reason}`" not in manual] == []
