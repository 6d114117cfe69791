"""Reading a list of people as mail programs, spreadsheets and hands write it."""

import re

from django.core.exceptions import ValidationError

from ..services import Invitee

# A quoted name, an address in angle brackets, what parts two entries, or anything else. No name is as long as quotes
# may be apart that have nothing to do with each other: looking for their end would take for ever.
_PART = re.compile(r'"(?:\\.|[^"\\\n]){0,150}"|<[^<>\n]*>|[,;\t\r\n]|[^",;<\t\r\n]+|.')


def read_people(text):
    """Return (Invitees, [(what was written, what is wrong with it)]) of a list of people.

    Entries are parted by commas, semicolons, tabs and line breaks; each is an address, or a name and the address in
    angle brackets. A name may hold a comma, in quotes or before the address: "Smet, Noor <noor@…>". Of an address
    that comes twice the first with a name counts.
    """
    people, wrong = {}, []
    for name, address in _entries(text):
        try:
            person = Invitee.of(address, name)
        except ValidationError as error:
            wrong.append((f"{name} <{address}>" if name or not address else address, " ".join(error.messages)))
        else:
            if not (known := people.get(person.email)) or not known.name:
                people[person.email] = person
    return list(people.values()), list(dict.fromkeys(wrong))


def _entries(text):
    """Give (name, address) pairs, neither checked."""
    words, address, before = [], None, []  # before: what stands left of a comma and is no address

    def entry():
        name = "".join(words).strip()
        if address is None:
            return "", name.removeprefix("mailto:")
        name = name.strip("'").strip()
        return ("" if name.lower() == address.lower() else name), address

    for part in [*_PART.findall(text), "\n"]:
        if part.startswith("<") and part.endswith(">"):
            address = part[1:-1].strip().removeprefix("mailto:")
        elif len(part) > 1 and part.startswith('"') and part.endswith('"'):
            words.append(re.sub(r"\\(.)", r"\1", part[1:-1]))
        elif part not in (",", ";", "\t", "\r", "\n"):
            words.append(part)
        else:
            name, found = entry()
            if address is not None and before:
                name = f"{', '.join(before)}, {name}"
                before = []
            if part == "," and address is None and found and "@" not in found:
                before.append(found)  # a family name, if an address follows on this line
            else:
                yield from (("", each) for each in before)
                before = []
                if found or address is not None:
                    yield name, found
            words, address = [], None
