"""Home, and the people without a license: what they show to whom, and what makes a license reach somebody."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from directory import services as directory
from directory.models import GroupMembership, Organization, User
from licensing import services
from licensing.access import reach
from licensing.models import Allocation, Assignment, License
from portal.days import end_of, start_of
from tests.reading import read
from tests.worlds import TEST

DAY = timedelta(days=1)
LIST, FIRST = "/users/without-license/", "/users/without-license/first/"


def today():
    return timezone.localtime().date()


def section(page, title):
    """The section of the page with this heading."""
    (found,) = (each for each in page.all("section") if next(each.all("h2")).text == title)
    return found


def items(page, title):
    """The lines of a section as texts."""
    return [item.text for item in section(page, title).all("li")]


def ends(thing, days):
    """Let an Allocation or Assignment end with the day that is so many days from today."""
    type(thing).objects.filter(pk=thing.pk).update(ends_at=end_of(today() + days * DAY))


# More rows, the same queries -----------------------------------------------------------------------------------------

# For a viewer and for an editor. Three of them are the session, the account and its organizations.
QUERIES = {"/": (12, 12), LIST: (6, 7), f"{LIST}?q=a": (6, 7), FIRST: (6, 7)}


def test_more_rows_do_not_mean_more_queries(acme, catalogue, django_assert_num_queries):
    ends(acme.assign(acme.nobody), 3)
    ends(acme.plain, 3)

    def count():
        for url, numbers in QUERIES.items():
            for user, number in zip((acme.viewer, acme.editor), numbers, strict=True):
                client = acme.client(user)
                with django_assert_num_queries(number, info=url):
                    assert client.get(url).status_code == 200

    count()
    for n in range(9):
        unit = directory.create_unit(acme.organization, name=f"Extra {n}", actor=TEST)
        group = directory.create_group(acme.organization, name=f"Extra {n}", actor=TEST)
        person = acme.person(f"Extra {n}", unit=acme.below)
        license = License.objects.create(provider=catalogue.provider, name=f"Extra {n}")
        services.set_license_policies(license, default=[catalogue.reading], optional=[], actor=TEST)
        allocation = services.allocate(license, organization=acme.organization, actor=TEST)
        for assignee in (person, group, unit, acme.organization):
            ends(acme.assign(assignee, allocation), n + 1)
        acme.person(f"Extra left {n}")
    count()


# What it shows -------------------------------------------------------------------------------------------------------


def test_the_head_says_who_and_when(acme):
    acme.person("Away", is_active=False)
    Organization.objects.update(time_zone="Pacific/Kiritimati")  # 14 hours ahead
    day = datetime.now(ZoneInfo("Pacific/Kiritimati"))

    head = read(acme.client().get("/")).one("header", class_="head")

    assert head.one("h1").text == "Acme"
    assert head.one("p").text == f"4 active people, 1 group, 2 units. {day:%A %-d %B %Y}."


def test_the_acts_of_each_role(acme):
    acts = {"Find a person": "/find/", "Add people": "/find/?act=add", "Assign License": "/find/?act=assign"}

    for user, wanted in ((acme.viewer, ["Find a person"]), (acme.editor, acts), (acme.admin, acts)):
        page = read(acme.client(user).get("/"))
        assert page.one("header", class_="head").links == {act: acts[act] for act in wanted}
        # and one beside each license
        assigns = [link["aria-label"] for link in page.one("tbody").all("a", class_="btn")]
        assert assigns == ([] if user == acme.viewer else ["Assign CRM Basic", "Assign CRM Professional"])


def test_the_first_six_licenses_with_seats_and_status(acme, catalogue):
    for n in range(5):
        license = License.objects.create(provider=catalogue.provider, name=f"Analytics {n}")
        Allocation.objects.create(organization=acme.organization, license=license, seats=n or None)
    services.cancel(acme.plain, actor=TEST)

    page = read(acme.client().get("/"))

    assert section(page, "Licenses").links["All 7 licenses"] == "/licenses/"
    names = [f"Analytics {n}" for n in range(5)] + ["CRM Basic"]
    assert [row[0] for row in page.rows] == names
    assert [row[2] for row in page.rows] == ["Live"] * 5 + ["Not in effect: cancelled"]
    assert [row[3] for row in page.rows] == ["Assign"] * 5 + [""]
    later = [each["hx-get"] for each in page.one("tbody").all(hx_trigger="load")]
    assert later == [
        f"/licenses/{pk}/seats/" for pk in Allocation.objects.filter(seats__gt=0).values_list("pk", flat=True)
    ]


def test_the_latest_acts_are_those_of_the_activity_page(acme):
    for assignee in (acme.group, acme.unit, acme.below):
        acme.assign(assignee)
    client = acme.client(acme.viewer)

    page = read(client.get("/"))

    assert (
        items(page, "Latest acts")
        == [item.text for item in read(client.get("/activity/")).one("ul", class_="acts").all("li")][:5]
    )
    assert section(page, "Latest acts").links["All activity"] == "/activity/"


def test_without_anything_allocated_it_says_who_can_allocate(acme):
    acme.organization.allocations.all().delete()

    page = read(acme.client().get("/"))

    assert "No license is allocated to Acme Only a provider can allocate a license to your organization." in page.text
    assert "Assign License" not in page.links
    assert list(page.all(hx_get=FIRST)) == []


def test_where_nothing_can_be_assigned_any_more_no_button_assigns(acme):
    for allocation in (acme.allocation, acme.plain):
        services.cancel(allocation, actor=TEST)
    client = acme.client()

    shown = {link for url in ("/", LIST, FIRST) for link in read(client.get(url)).links}

    assert not {"Assign License", "Assign"} & shown


def test_who_is_alone_is_told_what_can_be_done(acme):
    User.objects.exclude(pk=acme.admin.pk).update(is_active=False)

    page = read(acme.client().get("/"))

    assert "You are the only person here yet" in page.text
    assert page.links["Licenses of the whole organization"] == "/organization/licenses/"


# What ends soon ------------------------------------------------------------------------------------------------------


def test_what_ends_soon_the_first_first_and_where_it_is_changed(acme):
    ends(acme.plain, 12)
    for assignee, days in ((acme.group, 10), (acme.nobody, 6), (acme.unit, 30), (acme.organization, 0)):
        ends(acme.assign(assignee), days)

    page = read(acme.client(acme.viewer).get("/"))

    assert items(page, "Ends soon") == [
        "Acme Organization with CRM Professional Ends today",
        "Uma Nobody User with CRM Professional Ends in 6 days",
        "Support Group with CRM Professional Ends in 10 days",
        "CRM Basic Allocated by Northlight Ends in 12 days",
        "Sales Unit with CRM Professional Ends in 30 days",
    ]
    assert section(page, "Ends soon").links == {
        "Acme": "/organization/licenses/",
        "Uma Nobody": f"/users/{acme.nobody.pk}/licenses/",
        "Support": f"/groups/{acme.group.pk}/licenses/",
        "CRM Basic": f"/licenses/{acme.plain.pk}/",
        "Sales": f"/units/{acme.unit.pk}/licenses/",
    }


def test_at_most_five_endings(acme):
    for n in range(7):
        ends(acme.assign(acme.person(f"Person {n}")), 7 - n)

    assert [item.split(" User")[0] for item in items(read(acme.client().get("/")), "Ends soon")] == [
        f"Person {n}" for n in (6, 5, 4, 3, 2)
    ]


def test_what_does_not_end_soon(acme):
    """What ends later or has ended, has not begun, is of somebody inactive, or is ended by its allocation before."""
    later, ended, scheduled, away, outlives = (acme.person(name) for name in "ABCDE")
    ends(acme.assign(later), 31)
    ends(acme.assign(ended), -1)
    ends(acme.assign(scheduled, starts_at=start_of(today() + 2 * DAY)), 9)
    ends(acme.assign(away), 9)
    User.objects.filter(pk=away.pk).update(is_active=False)
    ends(acme.assign(outlives, acme.plain), 9)
    ends(acme.plain, 9)
    cancelled = acme.assign(acme.group)
    client = acme.client()

    assert items(read(client.get("/")), "Ends soon") == ["CRM Basic Allocated by Northlight Ends in 9 days"]

    ends(acme.plain, 31)
    ends(cancelled, 3)
    services.cancel(acme.allocation, actor=TEST)
    ends(acme.allocation, 3)
    Assignment.objects.filter(allocation=acme.plain).delete()
    assert section(read(client.get("/")), "Ends soon").text == "Ends soon Nothing ends within 30 days."


# Whom no license reaches ---------------------------------------------------------------------------------------------


@pytest.fixture(params=[reach.FEW, -1], ids=["few are left", "many are left"])
def _few_or_many(request, monkeypatch):
    """Both ways to ask, whatever the number of people."""
    monkeypatch.setattr(reach, "FEW", request.param)


few_or_many = pytest.mark.usefixtures("_few_or_many")


def names(world):
    left = reach.without_license(world.organization, at=timezone.now())
    found = [user.name for user in left.people.order_by("sort_key")]
    assert left.number == len(found)
    return found


NOBODY_HAS = ["Ada Admin", "Eva Editor", "Uma Nobody", "Vic Viewer"]
UMA_HAS = ["Ada Admin", "Eva Editor", "Vic Viewer"]


@few_or_many
@pytest.mark.parametrize("path", ["nobody", "group", "unit", "below"])
def test_a_license_reaches_somebody_by_each_path(acme, globex, path):
    """Uma is in the group, and in the unit below the unit."""
    globex.assign(globex.organization)
    globex.assign(getattr(globex, path))
    acme.person("Away", is_active=False)
    assert names(acme) == NOBODY_HAS

    assignment = acme.assign(getattr(acme, path))
    assert names(acme) == UMA_HAS

    services.unassign(assignment, actor=TEST)
    assert names(acme) == NOBODY_HAS


@few_or_many
def test_a_unit_beside_or_below_does_not_reach_somebody(acme):
    acme.assign(directory.create_unit(acme.organization, name="Beside", actor=TEST))
    acme.assign(directory.create_unit(acme.organization, name="Antwerp", parent=acme.below, actor=TEST))

    assert names(acme) == NOBODY_HAS


def test_what_the_whole_organization_has_is_not_looked_at(acme):
    acme.assign(acme.organization)

    assert names(acme) == NOBODY_HAS


@few_or_many
@pytest.mark.parametrize("path", ["nobody", "group", "below"])
@pytest.mark.parametrize(
    "dates",
    [{"starts_at": 1}, {"starts_at": -9, "ends_at": -1}],
    ids=["scheduled", "ended"],
)
def test_an_assignment_that_is_not_in_effect_reaches_nobody(acme, path, dates):
    dates = {name: start_of(today() + days * DAY) for name, days in dates.items()}
    assignment = acme.assign(getattr(acme, path))
    Assignment.objects.filter(pk=assignment.pk).update(**dates)
    assert names(acme) == NOBODY_HAS

    # nor does one of an allocation that is not
    Assignment.objects.filter(pk=assignment.pk).update(starts_at=None, ends_at=None)
    assert names(acme) == UMA_HAS
    Allocation.objects.filter(pk=acme.allocation.pk).update(**{"starts_at": start_of(today() - 99 * DAY)} | dates)
    assert names(acme) == NOBODY_HAS


def test_a_license_that_is_cancelled_reaches_nobody(acme):
    acme.assign(acme.nobody)
    services.cancel(acme.allocation, actor=TEST)

    assert names(acme) == NOBODY_HAS


@few_or_many
def test_who_is_in_many_groups_is_reached_by_one_that_has_a_license(acme):
    other = directory.create_group(acme.organization, name="Other", actor=TEST)
    directory.join_group(other, users=[acme.nobody, acme.viewer], actor=TEST)
    acme.assign(acme.group)
    assert names(acme) == UMA_HAS

    acme.assign(other)
    assert names(acme) == ["Ada Admin", "Eva Editor"]
    GroupMembership.objects.filter(group=other).delete()
    assert names(acme) == UMA_HAS


# … and the pages that say so -----------------------------------------------------------------------------------------


@few_or_many
def test_the_list_of_people_without_a_license(acme, globex):
    acme.assign(acme.group)
    acme.person("Zoë Müller", email="zm@acme.example", unit=acme.below)

    page = read(acme.client().get(LIST))

    assert page.one("h1").text == "Without a license"
    assert [row[:2] for row in page.rows] == [
        ["Ada Admin ada@acme.example", "No unit"],
        ["Eva Editor eva@acme.example", "No unit"],
        ["Vic Viewer vic@acme.example", "No unit"],
        ["Zoë Müller zm@acme.example", "Benelux"],
    ]
    assert page.one(id="count").text == "4 people"
    assigns = {link["aria-label"]: link["href"] for link in page.one("tbody").all("a", class_="btn")}
    assert assigns["Assign License to Vic Viewer"] == f"/users/{acme.viewer.pk}/licenses/assign/"
    assert len(assigns) == 4
    assert read(acme.client().get(LIST, {"q": "MULLER"})).names == ["Zoë Müller"]
    assert "Nothing matches “uma”" in read(acme.client().get(LIST, {"q": "uma"})).text
    assert list(read(acme.client(acme.viewer).get(LIST)).one("tbody").all("a", class_="btn")) == []


@few_or_many
def test_pages_of_people_without_a_license(acme):
    for n in range(60):
        acme.person(f"Person {n:02}")
    client = acme.client()

    first = read(client.get(LIST))
    second = read(client.get(LIST + first.links["Next"]))

    assert (len(first.names), len(second.names)) == (50, 14)
    assert sorted(first.names + second.names) == sorted(User.objects.values_list("name", flat=True))
    assert read(client.get(LIST + second.links["Previous"])).names == first.names


def test_home_loads_the_first_three(acme):
    acme.assign(acme.group)
    client = acme.client()

    (later,) = (each for each in read(client.get("/")).all(hx_trigger="load") if each["hx-get"] == FIRST)
    assert next(later.all("a"))["href"] == LIST  # without JavaScript
    assert next(later.all("h2")).text == "Without a license"

    shown = section(read(client.get(FIRST, headers={"HX-Request": "true"})), "Without a license")
    assert [item.text for item in shown.all("li")] == [f"{name} No unit Assign" for name in UMA_HAS]
    assert shown.links["All 3 people"] == LIST
    viewed = section(read(acme.client(acme.viewer).get(FIRST)), "Without a license")
    assert [item.text for item in viewed.all("li")] == [f"{name} No unit" for name in UMA_HAS]


def test_where_everybody_has_something_the_heading_says_so(acme):
    acme.assign(acme.organization)
    client = acme.client()

    assert section(read(client.get("/")), "Only what everyone has")
    assert section(read(client.get(FIRST)), "Only what everyone has").links["All 4 people"] == LIST
    assert read(client.get(LIST)).one("h1").text == "Only what everyone has"


def test_where_nobody_is_without_a_license(acme):
    acme.assign(acme.group)
    directory.join_group(acme.group, users=[acme.admin, acme.editor, acme.viewer], actor=TEST)
    client = acme.client()

    assert "A license reaches every active person" in read(client.get(LIST)).text
    assert "A license reaches every active person" in section(read(client.get(FIRST)), "Without a license").text


@pytest.mark.parametrize(
    "query", ["q=%00", f"q={'a' * 10_000}", "sort=x&after=y", "before=%00", "sort=-name", "q=%3Cb%3E"]
)
def test_the_list_is_shown_whatever_the_address_says(acme, query):
    assert acme.client().get(f"{LIST}?{query}").status_code == 200


def test_nothing_of_another_organization_is_shown(acme, globex):
    ends(globex.assign(globex.person("Gus Globex")), 3)
    ends(globex.plain, 3)
    globex.person("Gwen Globex")
    directory.create_group(globex.organization, name="Globex group", actor=TEST)
    acme.assign(acme.group)
    client = acme.client()

    for url in ("/", LIST, FIRST):
        shown = client.get(url).content.decode()
        assert "Globex" not in shown
        assert f"/licenses/{globex.plain.pk}/" not in shown
    assert items(read(client.get("/")), "Ends soon") == []


def test_names_are_escaped(acme):
    acme.person("<script>1</script>")
    ends(acme.assign(acme.person("<b>2</b>")), 3)

    for url in ("/", LIST, FIRST):
        shown = acme.client().get(url).content.decode()
        assert "<script>1" not in shown
        assert "<b>2" not in shown


@few_or_many
@pytest.mark.parametrize("at", [datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC)])
def test_it_is_judged_at_the_instant_of_the_question(acme, at):
    Allocation.objects.update(starts_at=datetime(2020, 1, 1, tzinfo=UTC))
    assignment = acme.assign(acme.nobody)
    Assignment.objects.filter(pk=assignment.pk).update(starts_at=at, ends_at=at + DAY)

    found = {
        when: acme.nobody in reach.without_license(acme.organization, at=when).people
        for when in (at - timedelta(microseconds=1), at, at + DAY - timedelta(microseconds=1), at + DAY)
    }

    assert list(found.values()) == [True, False, False, True]
