"""The first page: what a provider has, what it looks after and what was done last; in numbers, never by name."""

from datetime import timedelta

import pytest
from django.utils import timezone

from directory import services as directory
from licensing import services
from licensing.access import seats_in_use, seats_of
from licensing.models import Allocation
from tests.admin.hands import html, signed_in, url
from tests.reading import read
from tests.worlds import TEST

DAY = timedelta(days=1)


def boxes(client):
    """What the boxes of the start page list: {title: [line, …]}."""
    page = read(client.get("/admin/"))
    found = page.one(class_="start-boxes")
    return {box.one("h2").text: [line.text for line in box.all("li")] for box in found.all("section")}


def counts(client):
    return [item.text for item in read(client.get("/admin/")).one(class_="start-counts").all("li")]


def test_it_counts_what_there_is_and_leads_to_it(staff, catalogue, acme, globex, harbor):
    assert counts(staff)[:5] == ["1 application", "3 policies", "2 licenses", "2 customers", "4 live allocations"]
    links = read(staff.get("/admin/")).links
    assert links["2 customers"] == "/admin/directory/organization/"
    assert links["4 live allocations"] == "/admin/licensing/allocation/?status=live"
    assert counts(signed_in(harbor.staff))[0] == "1 application"


def test_it_says_what_to_look_after(staff, acme, globex, harbor):
    acme.assign(acme.organization)
    services.change_allocation(acme.allocation, seats=3, starts_at=None, ends_at=timezone.now() + 90 * DAY, actor=TEST)
    globex.assign(globex.group)
    services.change_allocation(
        globex.allocation, seats=9, starts_at=None, ends_at=timezone.now() + 10 * DAY, actor=TEST
    )
    services.cancel(globex.plain, actor=TEST)
    found = boxes(staff)
    assert found["Ends within 60 days (1)"] == ["Globex: CRM Professional Ends in 10 days. Seats used: 1 of 9"]
    assert found["Over its seats (1)"] == ["Acme: CRM Professional Live. Seats used: 4 of 3, over by 1"]
    assert found["Assigned to nobody (1)"] == ["Acme: CRM Basic Live. Seats used: 0, no limit"]


def test_where_nothing_is_to_be_done_it_says_so(staff, catalogue):
    found = boxes(staff)
    assert found["Ends within 60 days"] == ["Nothing ends soon."]
    assert found["Over its seats"] == ["Nobody uses more seats than they have."]
    assert found["Assigned to nobody"] == ["Every allocation is assigned to somebody."]


def test_it_tells_what_was_done_last_and_names_nobody(staff, acme, globex, harbor, catalogue):
    acme.assign(acme.admin)
    services.cancel(acme.allocation, actor=TEST)
    acts = boxes(staff)["Latest activity"]
    assert acts[0].startswith("Cancelled the allocation of CRM Professional; 1 person lost CRM Professional (Acme)")
    page = html(staff, "/admin/").replace("staff@northlight.example", "")
    for word in ("Ada", "Uma", "Vic", "Nora", "the test", "@", "Harbor", "Drive", "Initech"):
        assert word not in page.replace("WELCOME", ""), word


def test_the_operator_starts_with_everybodys(operators, acme, globex, harbor):
    assert counts(operators)[:5] == ["2 applications", "5 policies", "3 licenses", "3 customers", "6 live allocations"]
    assert "Initech: Drive Business Live. Seats used: 0, no limit" in boxes(operators)["Assigned to nobody (6)"]


def test_many_have_a_way_to_all_of_them(staff, catalogue):
    for number in range(9):
        organization = directory.create_organization(name=f"Customer {number}", slug=f"c{number}", actor=TEST)
        services.allocate(catalogue.basic, organization=organization, actor=TEST)
    assert len(boxes(staff)["Assigned to nobody (9)"]) == 8
    link = read(staff.get("/admin/")).links["All 9"]
    assert staff.get(link).context["cl"].result_count == 9
    assert link == f"{url(Allocation)}?attention=unused"


@pytest.mark.parametrize("days", [0, 2, 5])
def test_seats_counted_together_are_those_counted_one_by_one(acme, globex, catalogue, days):
    """Of every kind of assignment, dates of both sides, inactive people, cancelled, ended and coming allocations."""
    now = timezone.now()
    inactive = acme.person("Ivo Inactive", unit=acme.below, is_active=False)
    directory.join_group(acme.group, users=[inactive, acme.admin], actor=TEST)
    acme.assign(acme.group, starts_at=now + DAY, ends_at=now + 4 * DAY)
    acme.assign(acme.unit)
    acme.assign(acme.viewer, ends_at=now + DAY)
    acme.assign(acme.organization, allocation=acme.plain, starts_at=now + 3 * DAY)
    acme.assign(acme.editor, allocation=acme.plain)
    globex.assign(globex.organization)
    services.change_allocation(globex.plain, seats=1, starts_at=now + 2 * DAY, ends_at=now + 5 * DAY, actor=TEST)
    globex.assign(globex.below, allocation=globex.plain)
    if days == 2:
        services.cancel(globex.allocation, actor=TEST)
    at = now + days * DAY + timedelta(minutes=1)
    everything = Allocation.objects.all()
    together = seats_of(everything, at=at)
    assert together == {each.pk: seats_in_use(each, at=at) for each in everything}
    assert sum(use.used for use in together.values()) > 0
    assert seats_of(everything.none(), at=at) == {}
