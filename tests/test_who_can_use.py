"""The Access tab of a license: everybody who can use it and through what, narrowed, searched, and as a file."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from directory import services as directory
from licensing import services
from licensing.access import reach, who_can_use
from licensing.kinds import GROUPS, UNITS, USERS
from portal.lists import in_chunks
from tests.reading import read
from tests.worlds import TEST

DAY = timedelta(days=1)


def who(allocation, **narrowed):
    return names_of(who_can_use(allocation.organization, at=timezone.now(), allocation=allocation, **narrowed))


def names_of(who):
    names = [user.name.split()[0] for user in who.people.order_by("sort_key")]
    assert len(names) == who.number == who.counted.count()
    return names


@pytest.fixture
def allocation(acme, catalogue):
    """Uma has it through group and unit above, Vic directly with CRM export, Eva not yet, Ada not any more."""
    acme.assign(acme.group)
    acme.assign(acme.unit)
    acme.assign(acme.viewer, policies=[catalogue.export])
    acme.assign(acme.editor, starts_at=timezone.now() + DAY)
    acme.assign(acme.admin)
    acme.organization.assignments.filter(user=acme.admin).update(ends_at=timezone.now())
    return acme.organization.allocations.with_license().get(pk=acme.allocation.pk)


@pytest.mark.parametrize(
    ("many", "limit"),
    [(reach.MANY, reach.COUNT_LIMIT), (0, reach.COUNT_LIMIT), (0, 0)],
    ids=["sorting", "walking", "counting as walking"],
)
def test_who_can_use_it(acme, catalogue, allocation, many, limit, monkeypatch):
    monkeypatch.setattr(reach, "MANY", many)
    monkeypatch.setattr(reach, "COUNT_LIMIT", limit)
    assert who(allocation) == ["Uma", "Vic"]
    assert who(allocation, kind=GROUPS) == who(allocation, kind=UNITS) == ["Uma"]
    assert who(allocation, kind=USERS) == who(allocation, policies=[catalogue.export]) == ["Vic"]
    assert who(allocation, policies=[catalogue.reading]) == ["Uma", "Vic"]
    assert who(allocation, kind=GROUPS, policies=[catalogue.export]) == []

    acme.organization.users.filter(pk=acme.viewer.pk).update(is_active=False)
    assert who(allocation) == ["Uma"]
    acme.assign(acme.organization)
    assert who(allocation) == ["Ada", "Eva", "Uma"]
    services.cancel(allocation, actor=TEST)
    assert who(allocation) == []


def test_many_are_counted_as_far_as_a_list_tells(acme, monkeypatch):
    people = [acme.person(f"Person {number}", unit=acme.unit) for number in range(6)]
    for number in range(4):  # who lead to the same three again and again
        group = directory.create_group(acme.organization, name=f"Team {number}", actor=TEST)
        directory.join_group(group, users=people[:3], actor=TEST)
        acme.assign(group)
    acme.assign(acme.unit)
    exact = len(people) + 1  # Uma is in a unit below
    for limit in range(1, 20):
        monkeypatch.setattr(reach, "COUNT_LIMIT", limit)
        number = who_can_use(acme.organization, at=timezone.now(), allocation=acme.allocation).number
        assert number == exact if exact <= limit else limit < number <= exact


def test_who_can_use_an_application_and_a_policy(acme, catalogue, allocation):
    """By any license: Vic has the export, all who have anything can use the CRM."""
    acme.assign(acme.nobody, acme.plain)

    def those_with(*policies):
        return names_of(who_can_use(acme.organization, at=timezone.now(), policies=policies))

    assert those_with(*catalogue.application.policies.all()) == those_with(catalogue.reading) == ["Uma", "Vic"]
    assert those_with(catalogue.export) == ["Vic"]
    assert those_with(catalogue.administration) == those_with() == []
    acme.assign(acme.admin, acme.plain)
    assert those_with(catalogue.reading) == ["Ada", "Uma", "Vic"]


def url(allocation, **query):
    return reverse("licensing:license_access", args=[allocation.pk], query=query)


def test_the_tab_shows_everybody_with_sources_and_policies(acme, allocation):
    page = read(acme.client().get(url(allocation)))
    assert page.one("nav", aria_label="Assigned to").one("a", aria_current="page").text == "Access"
    assert [row[0].split()[0] for row in page.rows] == ["Uma", "Vic"]
    through = page.rows[0][1]
    assert "Group: Support" in through
    assert "Unit: Sales › Benelux" in through
    assert "CRM export (optional)" in page.rows[1][1]


@pytest.mark.parametrize(
    ("query", "found"),
    [({"q": "vic"}, ["Vic"]), ({"source": "units"}, ["Uma"]), ({"source": "x", "policy": "x"}, ["Uma", "Vic"])],
    ids=str,
)
def test_it_is_searched_and_narrowed(acme, allocation, query, found):
    page = read(acme.client().get(url(allocation, **query)))
    assert [row[0].split()[0] for row in page.rows] == found


def test_it_says_why_nobody_is_there(acme):
    page = acme.client().get(url(acme.allocation)).content.decode()
    assert "Nobody can use CRM Professional now" in page
    assert "Nobody matches" in acme.client().get(url(acme.allocation, q="xyzzy")).content.decode()


def lines(answer):
    return b"".join(answer.streaming_content).decode().splitlines()


def test_the_file_has_what_the_page_has(acme, catalogue, allocation):
    directory.create_user(acme.organization, name="=cmd()", email="x@acme.example", unit=acme.below, actor=TEST)
    answer = acme.client().get(reverse("licensing:license_access_csv", args=[allocation.pk]))
    assert answer["Content-Disposition"] == 'attachment; filename="crm-professional-access.csv"'
    assert lines(answer) == [
        "\ufeffName,E-mail,Employee number,Unit,Sources,Policies",
        "'=cmd(),x@acme.example,,Benelux,Unit: Sales › Benelux,CRM access",
        "Uma Nobody,uma@acme.example,,Benelux,Group: Support; Unit: Sales › Benelux,CRM access",
        "Vic Viewer,vic@acme.example,,,Direct,CRM access; CRM export",
    ]
    narrowed = reverse("licensing:license_access_csv", args=[allocation.pk], query={"q": "vic", "source": "users"})
    assert len(lines(acme.client().get(narrowed))) == 2


def test_queries_do_not_grow_with_the_people(acme, allocation):
    client = acme.client()

    def queries():
        with CaptureQueriesContext(connection) as captured:
            client.get(url(allocation))
        return len(captured)

    queries()
    few = queries()
    for number in range(45):
        directory.create_user(acme.organization, name=f"Person {number:02}", unit=acme.below, actor=TEST)
    assert queries() == few


def test_the_file_is_read_in_chunks(acme, allocation):
    for number in range(30):
        directory.create_user(acme.organization, name=f"Person {number:02}", unit=acme.below, actor=TEST)
    people = who_can_use(acme.organization, at=timezone.now(), allocation=allocation).people
    chunks = list(in_chunks(people, "sort_key", "pk", size=10))
    assert [len(chunk) for chunk in chunks] == [10, 10, 10, 2]
    assert len({user.pk for chunk in chunks for user in chunk}) == 32
