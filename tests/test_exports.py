"""Every list as a file: what is found, safe from formulas, in the reader's days, and read while it is sent."""

import csv
import io
import tracemalloc
from datetime import UTC, datetime, timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from directory import services as directory
from directory.exports import export_users
from directory.imports.running import start_import
from directory.models import Invitation, Organization
from licensing import services
from portal.audit.models import AuditEntry
from portal.exports import stream_csv
from tests.reading import read
from tests.worlds import TEST

pytestmark = pytest.mark.django_db


def content_of(answer):
    assert answer.status_code == 200
    return b"".join(answer.streaming_content)


def rows_of(answer):
    return list(csv.reader(io.StringIO(content_of(answer).decode("utf-8-sig"), newline="")))


def table(world, name, *args, user=None, **query):
    """Return the rows of an export, the header first."""
    return rows_of(world.client(user or world.viewer).get(reverse(name, args=args, query=query)))


USERS = ["E-mail", "Name", "Title", "Employee number", "Portal role", "Unit", "Groups", "Status"]


def test_users(acme):
    directory.join_group(
        directory.create_group(acme.organization, name="Apollo", actor=TEST), users=[acme.nobody], actor=TEST
    )
    directory.update_user(acme.nobody, title="Clerk", employee_number="007", actor=TEST)
    directory.create_user(acme.organization, name="Zoë", is_active=False, actor=TEST)
    assert table(acme, "licensing:users_csv") == [
        USERS,
        ["ada@acme.example", "Ada Admin", "", "", "A", "", "", "Active"],
        ["eva@acme.example", "Eva Editor", "", "", "E", "", "", "Active"],
        ["uma@acme.example", "Uma Nobody", "Clerk", "007", "", "Sales › Benelux", "Apollo; Support", "Active"],
        ["vic@acme.example", "Vic Viewer", "", "", "V", "", "", "Active"],
        ["", "Zoë", "", "", "", "", "", "Inactive"],
    ]
    assert [row[1] for row in table(acme, "licensing:users_csv", q="VÏEW")] == ["Name", "Vic Viewer"]


def test_what_users_exports_imports_as_left_alone(acme):
    """Also what is awkward: formulas, names with separators, spaces too many, and accents that tell two apart."""
    odd = {"title": "=HYPERLINK(1)", "employee_number": "'-12", "name": "  Dina   Doe "}
    directory.update_user(acme.viewer, actor=TEST, **odd)
    unit = directory.create_unit(acme.organization, name="R/D > X", parent=acme.unit, actor=TEST)
    groups = [directory.create_group(acme.organization, name=name, actor=TEST) for name in ("A; B", "C, D", "É", "E")]
    person = directory.create_user(
        acme.organization, name='"Q"', email="Q@Acme.example", unit=unit, is_active=False, actor=TEST
    )
    for group in groups:
        directory.join_group(group, users=[person, acme.nobody], actor=TEST)
    content = content_of(acme.client().get(reverse("licensing:users_csv")))

    imported = start_import(acme.organization, file=io.BytesIO(content), name="users.csv", actor=TEST)

    assert [(row.outcome, row.reason) for row in imported.rows.all()] == [("same", "")] * 5
    assert imported.ignored == ["Status"]


def test_groups_and_units(acme):
    directory.create_group(acme.organization, name="Empty", description="=cmd", actor=TEST)
    assert table(acme, "directory:groups_csv") == [
        ["Group", "Description", "People"],
        ["Empty", "'=cmd", "0"],
        ["Support", "", "1"],
    ]
    assert table(acme, "directory:units_csv") == [
        ["Unit", "Path", "Description", "People", "With units below"],
        ["Benelux", "Sales › Benelux", "", "1", "1"],
        ["Sales", "Sales", "", "0", "1"],
    ]
    assert len(table(acme, "directory:groups_csv", q="supp")) == len(table(acme, "directory:units_csv", q="bene")) == 2


def test_people_of_a_group_and_of_a_unit_and_groups_of_a_person(acme):
    directory.join_group(acme.group, users=[acme.viewer], actor=TEST)
    of_group = table(acme, "directory:group_users_csv", acme.group.pk)
    assert [row[1] for row in of_group] == ["Name", "Uma Nobody", "Vic Viewer"]
    assert [row[1] for row in table(acme, "directory:group_users_csv", acme.group.pk, q="uma")] == [
        "Name",
        "Uma Nobody",
    ]
    assert [row[1] for row in table(acme, "directory:unit_users_csv", acme.below.pk)] == ["Name", "Uma Nobody"]
    assert table(acme, "directory:user_groups_csv", acme.viewer.pk)[1:] == [["Support", "", "2"]]


def test_licenses_and_whom_they_are_assigned_to(acme, catalogue):
    ends = datetime(2099, 12, 31, 23, tzinfo=UTC)
    acme.assign(acme.viewer, policies=[catalogue.export], ends_at=ends)
    acme.assign(acme.below)
    acme.assign(acme.group)
    acme.assign(acme.organization, acme.plain)
    today = f"{timezone.localdate():%Y-%m-%d}"
    assert table(acme, "licensing:licenses_csv") == [
        ["License", "Provider", "Status", "Seats", "Users", "Groups", "Units", "Whole organization", "Last day"],
        ["CRM Basic", "Northlight", "Live", "no limit", "0", "0", "0", "yes", ""],
        ["CRM Professional", "Northlight", "Live", "no limit", "1", "1", "1", "no", ""],
    ]
    assert len(table(acme, "licensing:licenses_csv", q="basic")) == 2
    own = ["Optional policies", "Status", "Assigned on", "By", "Last day of its own"]
    pk = acme.allocation.pk
    assert table(acme, "licensing:license_assignees_csv", pk, "users") == [
        ["User", "E-mail", *own],
        ["Vic Viewer", "vic@acme.example", "CRM export", "Live", today, "the test", "2099-12-31"],
    ]
    assert table(acme, "licensing:license_assignees_csv", pk, "units") == [
        ["Unit", *own],
        ["Sales › Benelux", "", "Live", today, "the test", ""],
    ]
    assert table(acme, "licensing:license_assignees_csv", pk, "groups", q="nope") == [["Group", *own]]


def test_licenses_of_somebody_and_of_everybody(acme, catalogue):
    acme.assign(acme.group, policies=[catalogue.export])
    acme.assign(acme.unit)
    acme.assign(acme.organization, acme.plain)
    header = ["License", "Provider", "Source", "Policies", "Status", "Last day"]
    everybody = ["CRM Basic", "Northlight", "Whole organization", "CRM access", "Live", ""]
    assert table(acme, "licensing:assignee_licenses_csv", "users", acme.nobody.pk) == [
        header,
        everybody,
        ["CRM Professional", "Northlight", "Group: Support", "CRM access; CRM export", "Live", ""],
        ["CRM Professional", "Northlight", "Unit: Sales › Benelux", "CRM access", "Live", ""],
    ]
    assert table(acme, "licensing:organization_licenses_csv") == [header, [*everybody[:2], "Direct", *everybody[3:]]]


def test_people_without_a_license(acme):
    acme.assign(acme.group)
    assert [row[1] for row in table(acme, "licensing:people_without_license_csv", q="ed")] == ["Name", "Eva Editor"]
    assert len(table(acme, "licensing:people_without_license_csv")) == 1 + 3


def test_invitations_as_they_are_narrowed(acme):
    Organization.objects.filter(pk=acme.organization.pk).update(time_zone="America/Los_Angeles")
    acme.invite("noor@new.example", "=Noor")
    directory.cancel_invitation(acme.invite("jan@new.example", "Jan"), actor=TEST)
    Invitation.objects.update(
        sent_at=datetime(2098, 10, 18, 3, tzinfo=UTC), expires_at=datetime(2098, 11, 1, 7, tzinfo=UTC)
    )
    header = ["User", "E-mail", "State", "Sent", "Good until", "By"]
    noor = ["'=Noor", "noor@new.example", "Pending", "2098-10-17", "2098-10-31", "the test"]
    jan = ["Jan", "jan@new.example", "Cancelled", "2098-10-17", "", "the test"]
    assert table(acme, "directory:invitations_csv") == [header, noor, jan]
    assert table(acme, "directory:invitations_csv", state="cancelled") == [header, jan]
    assert table(acme, "directory:invitations_csv", q="noor") == [header, noor]


def test_activity_in_words_and_in_the_time_of_the_organization(acme):
    Organization.objects.filter(pk=acme.organization.pk).update(time_zone="Pacific/Kiritimati")  # 14 hours ahead
    directory.update_user(acme.viewer, title="R&D <lead>", actor=TEST)
    last = AuditEntry.objects.order_by("-pk").first()

    found = table(acme, "audit:activity_csv", q="vic")

    at = (last.at + timedelta(hours=14)).strftime("%Y-%m-%d %H:%M:%S")
    assert found[0] == ["When", "Who", "What", "From address"]
    assert found[-1] == [at, "the test", "changed Vic Viewer: title from none to R&D <lead>", ""]
    assert len(found) < len(table(acme, "audit:activity_csv"))


def test_export_stands_beside_each_search_and_carries_it(acme):
    acme.assign(acme.viewer)
    acme.invite("noor@new.example")
    client = acme.client(acme.viewer)
    pages = [
        "/users/?q=v",
        "/groups/?q=s",
        "/units/?q=s",
        "/licenses/?q=c",
        "/activity/?q=v",
        "/users/without-license/?q=e",
        "/users/invitations/?q=n&state=pending",
        f"/licenses/{acme.allocation.pk}/users/?q=v",
        f"/licenses/{acme.allocation.pk}/access/?q=v&source=users",
        f"/groups/{acme.group.pk}/?q=u",
        f"/units/{acme.below.pk}/?q=u",
        f"/users/{acme.nobody.pk}/groups/?q=s",
    ]
    for url in pages:
        export = read(client.get(url)).one("a", id="export")["href"]
        assert export.partition("?")[2] == url.partition("?")[2], url
        page = read(client.get(url))
        shown = len(page.rows) or len(list(page.one("ul", class_="acts").all("li")))
        assert len(rows_of(client.get(export))) == 1 + shown, url
    for url in (f"/users/{acme.viewer.pk}/licenses/", "/users/?sort=-name&after=x"):
        assert read(client.get(url)).links["Export"].partition("?")[2] == ""


def test_an_export_costs_the_same_number_of_queries_for_each_thousand(acme, catalogue, django_assert_num_queries):
    client = acme.client(acme.viewer)
    acme.invite("noor@new.example")
    for turn in range(2):
        for name, number in [
            ("licensing:users_csv", 8), ("directory:groups_csv", 6), ("directory:units_csv", 7),
            ("directory:invitations_csv", 5),
        ]:  # fmt: skip
            with django_assert_num_queries(number, info=name):
                content_of(client.get(reverse(name)))
        for n in range(5):
            acme.invite(f"{turn}-{n}@new.example")
            group = directory.create_group(acme.organization, name=f"G{turn}{n}", actor=TEST)
            unit = directory.create_unit(acme.organization, name=f"U{turn}{n}", parent=acme.below, actor=TEST)
            person = directory.create_user(acme.organization, name=f"P{n}", unit=unit, actor=TEST)
            directory.join_group(group, users=[person, acme.viewer], actor=TEST)


def test_memory_stays_flat_while_a_file_is_sent():
    def rows():
        for _ in range(30_000):
            yield ["x" * 100] * 5

    response = stream_csv("large", ["a"] * 5, rows())
    tracemalloc.start()
    size = sum(len(line) for line in response.streaming_content)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert size > 15_000_000
    assert most < 1_000_000


def test_any_users_of_one_organization_can_be_exported(acme):
    found = rows_of(export_users(acme.organization, acme.organization.users.filter(role="admin")))
    assert [row[1] for row in found] == ["Name", "Ada Admin"]


def test_a_seat_that_ends_is_told_by_its_last_day(acme):
    services.change_allocation(
        acme.allocation,
        seats=5,
        starts_at=acme.allocation.starts_at,
        ends_at=datetime(2099, 7, 1, tzinfo=UTC),
        actor=TEST,
    )
    assert table(acme, "licensing:licenses_csv", q="prof")[1][3:] == ["5", "0", "0", "0", "no", "2099-06-30"]
