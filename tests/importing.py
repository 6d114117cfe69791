"""Uploading people and looking at what became of them, for the tests of imports."""

import io

from directory.imports.running import start_import
from directory.models import GroupMembership, User
from portal.audit.log import Actor
from tests.worlds import TEST

HEADER = "E-mail;Name;Title;Employee number;Role;Unit;Groups\n"


def actor_of(user):
    return Actor("account", user.account_id, user.name)


def upload(world, rows, *, by=None, header=HEADER):
    """Upload rows (lines of text); returns the Import."""
    file = io.BytesIO((header + "\n".join(rows) + "\n").encode())
    return start_import(world.organization, file=file, name="people.csv", actor=by or TEST)


def outcomes(imported):
    """Return what became of each row: [(outcome, what was said of it)]."""
    rows = imported.rows.order_by("line")
    return [(row.outcome, row.reason or "; ".join(f"{a}: {b}→{c}" for a, b, c in row.changes)) for row in rows]


def directory_of(world):
    """Return what an import can change."""
    people = User.objects.filter(organization=world.organization).order_by("pk")
    fields = ("email", "name", "title", "employee_number", "role", "unit__name", "is_active", "search_text", "account")
    members = GroupMembership.objects.filter(organization=world.organization).order_by("pk")
    return list(people.values_list(*fields)), list(members.values_list("group__name", "user__name"))


def seven(world):
    return upload(world, [f"p{n}@acme.example;Person {n};;;;Sales;Support" for n in range(7)])
