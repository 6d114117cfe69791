"""A door: says who is let into an application of the portal, and why not. Standard library only.

PORTAL_URL=http://127.0.0.1:8000 PORTAL_TOKEN=cpt_… python door.py crm read

reads names from the keyboard (e-mail address, public id or external id), one a line.
"""

import http.client
import json
import os
import sys
import time
import urllib.error
import urllib.request
from datetime import datetime

LONGEST = 60  # seconds for which an answer is kept: as long as a change in the portal may go unnoticed here

WORDS = {
    "unknown_resource": "the portal knows no such application for this token",
    "unknown_subject": "nobody is known by that name",
    "user_inactive": "the account in the directory is not active",
    "no_allocation": "the organization has no license with it",
    "allocation_ended": "the organization's license has ended",
    "allocation_not_started": "the organization's license has not started",
    "no_assignment": "the license is not assigned to this person",
    "assignment_ended": "the assignment has ended",
    "assignment_not_started": "the assignment has not started",
    "action_not_covered": "no policy of this person covers that",
}


class Door:
    """Asks the portal, and remembers what it said."""

    def __init__(self, portal, token):
        self.portal, self.token = portal.rstrip("/"), token
        self.remembered = {}  # question: (until when, answer)

    def ask(self, who, action, application):
        """Return (whether they may come in, why or why not)."""
        question = who, action, application
        until, answer = self.remembered.get(question, (0, None))
        if until <= time.time():
            try:
                answer = self._send(*question)
            except urllib.error.HTTPError as error:
                return False, f"the portal said {error.code}: {error.read(200).decode(errors='replace')}"
            except (OSError, ValueError, http.client.HTTPException) as error:
                return False, f"the portal cannot be asked ({error})"  # who cannot be asked about stays outside
            self.remembered[question] = _best_before(answer), answer
        context = answer["context"]
        if answer["decision"]:
            return True, ", ".join(f"{source['license']} ({source['kind']})" for source in context["sources"])
        return False, WORDS.get(context["reason"], context["reason"])

    def _send(self, who, action, application):
        question = {
            "subject": {"type": "user", "id": who},
            "action": {"name": action},
            "resource": {"type": "application", "id": application},
        }
        request = urllib.request.Request(  # noqa: S310 the address is our own
            f"{self.portal}/access/v1/evaluation",
            json.dumps(question).encode(),
            {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310
            return json.load(answer)


def _best_before(answer):
    until = time.time() + LONGEST
    changes = answer["context"].get("valid_until")
    return min(until, datetime.fromisoformat(changes.replace("Z", "+00:00")).timestamp()) if changes else until


def main(application="crm", action="read"):
    door = Door(os.environ["PORTAL_URL"], os.environ["PORTAL_TOKEN"])
    for who in filter(None, map(str.strip, sys.stdin)):
        may, why = door.ask(who, action, application)
        print(f"{who}: {'come in' if may else 'stay outside'}: {why}", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
