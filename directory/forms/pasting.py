"""A list of people as somebody has it, from a mail or a spreadsheet: who is meant, and by which entries nobody is."""

import re
from dataclasses import dataclass

from django.db.models.functions import Lower

from portal.text import count_words

MOST_PASTED = 2000


@dataclass(frozen=True)
class Pasted:
    """people: Users, each once. problems: (entry, what is wrong with it). left: how many were not read."""

    people: list
    problems: list
    left: int

    @property
    def said(self):
        """What was made of the list, in a sentence."""
        said = f"{count_words(len(self.people), 'person is', 'people are')} ticked from the list."
        if self.problems:
            said += f" {count_words(len(self.problems), 'entry was', 'entries were')} not."
        return said


def read_pasted(text, users, *, only_active=True):
    """Return what a text says of Users (a QuerySet, of one organization) as Pasted. Two queries.

    Entries are separated by line breaks, commas, semicolons or tabs; each is an e-mail address, also as "Ada Jansen
    <ada@acme.example>", or an employee number.
    """
    entries = [entry.strip(" \"'") for entry in re.split(r"[\n\r,;\t]+", text.replace("\x00", ""))]
    entries = list(dict.fromkeys(entry for entry in entries if entry))
    keys = {entry: _key(entry) for entry in entries[:MOST_PASTED]}
    wanted = set(keys.values())
    users = users.order_by("sort_key", "pk")
    by_key = {user.address: [user] for user in users.annotate(address=Lower("email")).filter(address__in=wanted)}
    for user in users.filter(employee_number__in=wanted | set(keys)):
        by_key.setdefault(user.employee_number.lower(), []).append(user)
    people, problems = {}, []
    for entry, key in keys.items():
        found = by_key.get(key, [])
        if not found:
            problems.append((entry, "Nobody here has this address or number"))
        elif len(found) > 1:
            problems.append((entry, f"{count_words(len(found), 'person has', 'people have')} this number"))
        elif only_active and not found[0].is_active:
            problems.append((entry, f"{found[0]} is inactive"))
        else:
            people[found[0].pk] = found[0]
    return Pasted(list(people.values()), problems, max(len(entries) - MOST_PASTED, 0))


def _key(entry):
    address = re.search(r"<([^<>]+@[^<>]+)>$", entry)
    return (address[1] if address else entry).strip().lower()[:254]
