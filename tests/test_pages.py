"""The pages: what they say of licenses and people."""

from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from django.urls import reverse
from django.utils import timezone

from directory import services as directory
from directory.models import Organization, User
from licensing import services
from licensing.kinds import GROUPS, KINDS, ORGANIZATION, UNITS, USERS
from licensing.models import Application, Assignment, License, Policy
from portal.days import end_of, start_of, write_day
from tests.reading import read
from tests.worlds import TEST, license_of

DAY = timedelta(days=1)

# Statuses ------------------------------------------------------------------------------------------------------------


def day(days):
    """The day that is so many days from today."""
    return timezone.now().date() + days * DAY


def test_the_status_of_a_license_in_words(acme, catalogue):
    """In days of the organization; the last day is included."""
    terms = {
        "A no end": ({}, "Live"),
        "B ends later": ({"ends_at": end_of(day(31))}, "Live"),
        "C ends": ({"ends_at": end_of(day(30))}, "Ends in 30 days"),
        "D ends": ({"ends_at": end_of(day(2))}, "Ends in 2 days"),
        "E ends": ({"ends_at": end_of(day(1))}, "Ends tomorrow"),
        "F ends": ({"ends_at": end_of(day(0))}, "Ends today"),
        "G scheduled": ({"starts_at": start_of(day(1))}, f"Starts {write_day(day(1))}"),
        "H ended": ({"starts_at": start_of(day(-9)), "ends_at": end_of(day(-1))}, f"Ended {write_day(day(-1))}"),
        "I cancelled": ({}, "Not in effect: cancelled"),
    }
    acme.organization.allocations.all().delete()
    allocations = {
        name: services.allocate(license_of(catalogue, name), organization=acme.organization, actor=TEST)
        for name in terms
    }
    for name, (dates, _) in terms.items():
        dates = {"starts_at": None, "ends_at": None, **dates}
        services.change_allocation(allocations[name], seats=None, **dates, actor=TEST)
    services.cancel(allocations["I cancelled"], actor=TEST)
    client = acme.client(acme.viewer)

    listed = read(client.get("/licenses/"))

    assert dict(zip(listed.names, listed.statuses, strict=True)) == {name: text for name, (_, text) in terms.items()}
    for name, (_, text) in terms.items():
        head = read(client.get(f"/licenses/{allocations[name].pk}/")).one("header", class_="head")
        assert (head.one("h1").text, head.statuses) == (name, [text])


@pytest.fixture
def dated(acme):
    """People who have the license at other times than now, or are inactive: {name: status on the license's page}."""
    at = {
        "Anna always": ({}, "Live"),
        "Ben ends": ({"ends_at": end_of(day(1))}, "Ends tomorrow"),
        "Cid later": ({"starts_at": start_of(day(3)), "ends_at": end_of(day(5))}, f"Starts {write_day(day(3))}"),
        "Dan over": ({"starts_at": start_of(day(-5)), "ends_at": end_of(day(-2))}, f"Ended {write_day(day(-2))}"),
        "Eve inactive": ({}, "Not in effect: inactive"),
    }
    for name, (dates, _) in at.items():
        assignment = acme.assign(acme.person(name))
        Assignment.objects.filter(pk=assignment.pk).update(**dates)
    User.objects.filter(name="Eve inactive").update(is_active=False)
    return {name: text for name, (_, text) in at.items()}


def test_the_status_of_an_assignment_in_words(acme, dated):
    page = read(acme.client(acme.viewer).get(f"/licenses/{acme.allocation.pk}/users/"))

    assert dict(zip(page.names, page.one("tbody").statuses, strict=True)) == dated
    assigned = {row[0].split()[0]: row[3].split(" by ")[1] for row in page.rows}
    assert assigned == {
        "Anna": "the test",
        "Ben": f"the test, until {write_day(day(1))}",
        "Cid": f"the test, from {write_day(day(3))} until {write_day(day(5))}",
        "Dan": f"the test, from {write_day(day(-5))} until {write_day(day(-2))}",
        "Eve": "the test",
    }


def test_what_is_not_in_effect_stands_apart_on_a_users_page(acme, dated):
    client, shown = acme.client(acme.viewer), {}
    for user in User.objects.filter(name__in=dated):
        page = read(client.get(f"/users/{user.pk}/licenses/"))
        shown[user.name] = {
            section.one("h2").text: section.one("tbody").statuses for section in page.all("section", class_="section")
        }

    assert shown == {
        "Anna always": {"In effect now": []},
        "Ben ends": {"In effect now": [dated["Ben ends"]]},
        "Cid later": {"Not in effect": [dated["Cid later"]]},
        "Dan over": {"Not in effect": [dated["Dan over"]]},
        "Eve inactive": {"Not in effect": [dated["Eve inactive"]]},
    }


def test_an_inactive_user_is_said_to_be_inactive_and_is_not_assigned_anything(acme, dated):
    eve = User.objects.get(name="Eve inactive")
    client = acme.client()

    page = read(client.get(f"/users/{eve.pk}/licenses/"))

    assert "Eve inactive is inactive: no license reaches them and they take no seat." in page.text
    assert "Assign License" not in page.links
    assert client.get(f"/users/{eve.pk}/licenses/assign/").status_code == 404
    listed = read(client.get("/users/"))
    assert {row[0].split()[0] for row in listed.rows if row[3] == "Inactive"} == {"Eve"}
    assert "Eve" not in client.get(f"/licenses/{acme.plain.pk}/users/assign/").content.decode()


# What can no longer be assigned --------------------------------------------------------------------------------------


def cancel(allocation):
    services.cancel(allocation, actor=TEST)
    return f"Northlight cancelled this license on {write_day(day(0))}.", "reinstates", "Not in effect: cancelled"


def end(allocation):
    starts_at, ends_at = start_of(day(-9)), end_of(day(-1))
    services.change_allocation(allocation, seats=None, starts_at=starts_at, ends_at=ends_at, actor=TEST)
    return f"This license ended on {write_day(day(-1))}.", "renews", f"Ended {write_day(day(-1))}"


@pytest.mark.parametrize("stop", [cancel, end], ids=["cancelled", "ended"])
def test_what_was_cancelled_or_ended_can_be_read_and_unassigned_and_not_assigned(acme, stop):
    assignments = {kind: acme.assign(assignee) for kind, assignee in assignees_of(acme).items()}
    happened, wakes, status = stop(acme.allocation)
    why = f"{happened} Nobody can use it and it cannot be assigned. Its assignments are kept, and work again when"
    why += f" Northlight {wakes} it."
    client = acme.client()

    for kind in KINDS:
        url = f"/licenses/{acme.allocation.pk}/{kind}/"
        page = read(client.get(url))
        assert why in page.text
        assert page.one("tbody").statuses == [status]
        assert page.one(class_="everyone").statuses == [status]
        assert {"Assign License", "Assign to everyone"} & page.links.keys() == set()
        modal = read(client.get(f"{url}assign/"))
        assert why in modal.text
        assert "Assign License" not in modal.buttons
        refused = read(client.post(f"{url}assign/", {"assignees": assignees_of(acme)[kind].pk}))
        assert "so it cannot be assigned." in refused.alerts[None]

    for kind, assignment in assignments.items():
        page = read(client.get(page_of(acme, kind)))
        assert [section.one("h2").text for section in page.all("section", class_="section")] == ["Not in effect"]
        assert page.one("tbody").statuses == [status] * len(page.one("tbody").statuses)
        assert f"/assignments/{assignment.pk}/unassign/" in page.links["Unassign License"]
        modal = read(client.get(f"/assignments/{assignment.pk}/unassign/"))
        assert f"Nothing changes for anybody now This assignment gives nothing now: {status.lower()}." in modal.text
        client.post(f"/assignments/{assignment.pk}/unassign/")
    assert Assignment.objects.count() == 0
    for kind in assignees_of(acme):
        offered = read(client.get(f"{page_of(acme, kind)}assign/")).one(class_="cards")
        assert [label.text for label in offered.all("label")] == ["CRM Basic"]


def assignees_of(world):
    return {USERS: world.nobody, GROUPS: world.group, UNITS: world.unit, ORGANIZATION: world.organization}


def page_of(world, kind):
    """The Licenses tab of the world's thing of the kind."""
    if kind is ORGANIZATION:
        return reverse("licensing:organization_licenses")
    return reverse("licensing:assignee_licenses", args=[kind, assignees_of(world)[kind].pk])


def test_a_scheduled_license_can_be_assigned_and_gives_nothing_yet(acme, catalogue):
    license = license_of(catalogue, "Soon there")
    allocation = services.allocate(license, organization=acme.organization, starts_at=start_of(day(5)), actor=TEST)
    client = acme.client()
    assert "Assign License" in read(client.get(f"/licenses/{allocation.pk}/")).links

    client.post(f"/licenses/{allocation.pk}/users/assign/", {"assignees": acme.nobody.pk})

    page = read(client.get(page_of(acme, USERS)))
    assert [section.one("h2").text for section in page.all("section", class_="section")] == ["Not in effect"]
    assert page.one("tbody").statuses == [f"Starts {write_day(day(5))}"]
    own = read(acme.client(acme.nobody).get("/my-access/"))
    assert [section.one("h2").text for section in own.all("section", class_="section")] == ["Starts later"]
    assert own.rows == [["Soon there", f"Assigned to you Starts {write_day(day(5))}"]]
    assert "What starts later is below." in own.one("div", class_="empty").text


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago"])  # 25 hours apart
def test_days_are_those_of_the_organization_wherever_they_are_shown(acme, zone):
    tz = ZoneInfo(zone)
    Organization.objects.update(time_zone=zone)
    ends_at = (timezone.now() + 9 * DAY).replace(hour=10, minute=30)
    services.change_allocation(acme.allocation, seats=None, starts_at=None, ends_at=ends_at, actor=TEST)
    starts_at = (timezone.now() + 7 * DAY).replace(hour=10, minute=30)
    services.change_allocation(acme.plain, seats=5, starts_at=starts_at, ends_at=ends_at, actor=TEST)
    for allocation in (acme.allocation, acme.plain):
        acme.assign(acme.nobody, allocation)
    last, first = ends_at.astimezone(tz).date(), starts_at.astimezone(tz).date()
    ends = f"Ends in {(last - timezone.now().astimezone(tz).date()).days} days"
    starts = f"Starts {write_day(first)}"
    client, pk = acme.client(), acme.plain.pk

    def statuses(url):
        return [status for status in read(client.get(url)).statuses if status.startswith(("Ends", "Starts"))]

    assert statuses("/licenses/") == [starts, ends]
    assert statuses("/") == [starts, ends, ends]  # the licenses, and what ends soon
    assert statuses(f"/licenses/{acme.allocation.pk}/") == [ends, ends]  # the license, and the assignment
    assert statuses(f"/licenses/{pk}/") == [starts, starts]
    assert statuses(f"/users/{acme.nobody.pk}/licenses/") == [ends, starts]
    assert statuses(f"/users/{acme.viewer.pk}/licenses/assign/") == [starts, ends]
    assert statuses("/find/?q=crm") == [starts, ends]
    own = read(acme.client(acme.nobody).get("/my-access/"))
    assert own.statuses == [ends, starts]
    dialog = read(client.get(f"/licenses/{pk}/users/assign/"))
    days = f"From {write_day(first)}, until {write_day(last)}"
    assert days in [summary.text for summary in dialog.all("summary")]
    dates = read(client.get(f"/assignments/{acme.plain.assignments.get().pk}/dates/")).one("p", class_="prose").text
    assert f"starts on {write_day(first)}. The license itself ends on {write_day(last)}." in dates


# Nothing there -------------------------------------------------------------------------------------------------------


def test_with_nothing_allocated_the_pages_say_who_can_allocate(acme):
    acme.organization.allocations.all().delete()
    client = acme.client()

    listed = read(client.get("/licenses/"))
    assert listed.one(class_="empty").text == (
        "No license is allocated to Acme Only a provider can allocate a license to your organization. Ask the provider"
        " of the software you use: once it is allocated, it appears here and you can assign it."
    )
    assert "q" not in [field.attributes.get("name") for field in listed.all("input")]
    for kind in assignees_of(acme):
        page = read(client.get(page_of(acme, kind)))
        assert (
            "Nothing can be assigned: no license is allocated to Acme now. Only a provider can allocate one."
            in page.text
        )
        assert "Assign License" not in page.links
        modal = read(client.get(f"{page_of(acme, kind)}assign/"))
        assert "No license can be assigned Nothing is allocated to Acme now." in modal.text
        assert "Assign License" not in modal.buttons


def test_pages_without_rows_say_what_they_are_for(acme):
    user = acme.person("Lonely")
    group = directory.create_group(acme.organization, name="Empty", actor=TEST)
    unit = directory.create_unit(acme.organization, name="Void", actor=TEST)
    texts = {
        f"/licenses/{acme.allocation.pk}/users/": "No user has this license yet",
        f"/licenses/{acme.allocation.pk}/groups/": "No group has this license yet",
        f"/licenses/{acme.allocation.pk}/units/": "No unit has this license yet",
        f"/users/{user.pk}/groups/": "Lonely is in no group",
        f"/users/{user.pk}/licenses/": "Lonely has no license",
        f"/groups/{group.pk}/": "Nobody is in Empty",
        f"/groups/{group.pk}/licenses/": "Empty has no license",
        f"/units/{unit.pk}/": "Nobody is in Void",
        f"/units/{unit.pk}/licenses/": "Void has no license",
        "/organization/licenses/": "Acme has no license",
        "/my-access/": "You cannot use anything yet",
    }
    client = acme.client()

    found = {url: read(client.get(url)).one(class_="empty").one("h2").text for url in texts}

    assert found == texts


def test_an_organization_without_groups_and_units_says_so(acme):
    acme.group.delete()
    acme.below.delete()
    acme.unit.delete()
    client = acme.client()

    found = {url: read(client.get(url)).one(class_="empty").one("h2").text for url in ("/groups/", "/units/")}

    assert found == {"/groups/": "Acme has no groups yet", "/units/": "Acme has no units yet"}


# The whole organization's row ----------------------------------------------------------------------------------------


def everyone(world, user=None):
    return read(world.client(user).get(f"/licenses/{world.allocation.pk}/")).one(class_="everyone")


def test_the_whole_organizations_row_offers_to_assign_to_everyone(acme):
    row = everyone(acme)

    assert row.text == "Whole organization Not assigned. It would reach all 4 active people. Assign to everyone"
    url = f"/organization/licenses/assign/?allocation={acme.allocation.pk}"
    assert row.links == {"Assign to everyone": url}
    chosen = read(acme.client().get(url)).one("input", type="radio", checked="")
    assert chosen["value"] == str(acme.allocation.pk)
    assert everyone(acme, acme.viewer).links == {}


@pytest.mark.parametrize("state", ["cancelled", "ended"])
def test_a_license_that_cannot_be_assigned_offers_nothing_and_promises_nothing(acme, state):
    if state == "cancelled":
        services.cancel(acme.allocation, actor=TEST)
        text = "Not in effect: cancelled"
    else:
        over = {"starts_at": start_of(day(-9)), "ends_at": end_of(day(-1))}
        services.change_allocation(acme.allocation, seats=3, **over, actor=TEST)
        text = f"Ended {write_day(day(-1))}"
    assert everyone(acme).text == "Whole organization Not assigned. It cannot be assigned now."
    for kind, one in (("users", "user"), ("groups", "group"), ("units", "unit")):
        page = read(acme.client().get(f"/licenses/{acme.allocation.pk}/{kind}/"))
        words = f"No {one} has this license It cannot be assigned now. {text}."
        assert page.one(class_="empty").text == words


@pytest.mark.parametrize(("seats", "links"), [(4, {"Assign to everyone"}), (3, set())])
def test_the_whole_organizations_row_with_seats(acme, seats, links):
    services.change_allocation(acme.allocation, seats=seats, starts_at=None, ends_at=None, actor=TEST)

    row = everyone(acme)

    assert row.links.keys() == links
    assert ("All 4 active people would need more than the 3 seats." in row.text) is (seats == 3)


def test_the_whole_organizations_row_when_it_is_assigned(acme, catalogue):
    assignment = acme.assign(acme.organization, policies=[catalogue.export])

    row = everyone(acme)

    said = f"Whole organization 4 active people, assigned {write_day(day(0))} by the test CRM export (optional)"
    assert row.text.startswith(said)
    assert row.one("summary")["aria-label"] == "Actions for Whole organization"
    assert [link["href"].split("?")[0] for link in row.one("ul", class_="menu").all("a")] == [
        f"/assignments/{assignment.pk}/{act}/" for act in ("policies", "dates", "unassign")
    ]
    assert everyone(acme, acme.viewer).text == said


def test_a_license_that_everybody_and_everything_has_is_not_offered(acme):
    for assignee in (acme.admin, acme.editor, acme.viewer, acme.nobody, acme.group, acme.unit):
        acme.assign(assignee)
    url = f"/licenses/{acme.allocation.pk}/users/"
    client = acme.client()
    assert "Assign License" in read(client.get(url)).links  # Benelux is left
    modal = read(client.get(f"{url}assign/"))
    assert "Every active person has CRM Professional directly already." in modal.text
    assert "Assign License" not in modal.buttons

    acme.assign(acme.below)

    assert "Assign License" not in read(client.get(url)).links


# Why somebody has something ------------------------------------------------------------------------------------------


def license_rows(page):
    """Return {heading: {license: [[source, where it leads, policies and status], …]}} of a Licenses tab."""
    found = {}
    for section in page.all("section", class_="section"):
        rows = found[section.one("h2").text] = {}
        for row in section.one("tbody").all("tr"):
            name, why = list(row.all("td"))[:2]
            rows[name.one("a").text] = [
                (item.one(class_="source").text, item.one(class_="source").attributes.get("href"), item.text)
                for item in why.all("li")
            ]
    return found


def test_a_users_page_shows_every_source_with_its_link_and_what_it_gives(acme, catalogue):
    acme.assign(acme.nobody, policies=[catalogue.administration])
    acme.assign(acme.group, policies=[catalogue.export])
    acme.assign(acme.unit)
    acme.assign(acme.organization)
    acme.assign(acme.group, acme.plain, starts_at=start_of(day(3)), ends_at=end_of(day(9)))

    page = read(acme.client(acme.viewer).get(page_of(acme, USERS)))

    group, unit = f"/groups/{acme.group.pk}/licenses/", f"/units/{acme.unit.pk}/licenses/"
    later = f"Group: Support CRM access Starts {write_day(day(3))}"
    assert license_rows(page) == {
        "In effect now": {
            "CRM Professional": [
                ("Direct", None, "Direct CRM access CRM administration (optional) No end"),
                ("Group: Support", group, "Group: Support CRM access CRM export (optional) No end"),
                ("Unit: Sales › Benelux", unit, "Unit: Sales › Benelux CRM access No end"),
                ("Whole organization", "/organization/licenses/", "Whole organization CRM access No end"),
            ]
        },
        "Not in effect": {"CRM Basic": [("Group: Support", group, later)]},
    }


def test_the_menu_stands_only_where_the_license_is_assigned_directly(acme):
    direct, through = acme.assign(acme.nobody), acme.assign(acme.group, acme.plain)
    client = acme.client()

    user, group = (client.get(page_of(acme, kind)).content.decode() for kind in (USERS, GROUPS))

    def shown(html):
        return {a for a in (direct, through) if f"/assignments/{a.pk}/unassign/" in html}

    assert (shown(user), shown(group)) == ({direct}, {through})
    assert "/assignments/" not in acme.client(acme.viewer).get(page_of(acme, USERS)).content.decode()


def test_a_unit_below_shows_what_comes_from_above(acme):
    acme.assign(acme.unit)
    acme.assign(acme.organization, acme.plain)

    page = read(acme.client().get(f"/units/{acme.below.pk}/licenses/"))

    assert {
        name: [source[:2] for source in sources] for name, sources in license_rows(page)["In effect now"].items()
    } == {
        "CRM Basic": [("Whole organization", "/organization/licenses/")],
        "CRM Professional": [("Unit: Sales › Benelux", f"/units/{acme.unit.pk}/licenses/")],
    }


# My access -----------------------------------------------------------------------------------------------------------


def test_my_access_says_what_and_why_also_without_a_role(acme, catalogue):
    acme.assign(acme.nobody, policies=[catalogue.administration])
    acme.assign(acme.unit, policies=[catalogue.export])
    acme.assign(acme.group, acme.plain, ends_at=end_of(day(90)))
    acme.assign(acme.organization, acme.plain, starts_at=start_of(day(9)))  # not yet
    drive = services.save(Application(provider=catalogue.provider, name="Analytics", slug="analytics"), actor=TEST)
    viewing = services.save(Policy(application=drive, name="Viewer"), actor=TEST)
    license = services.save(License(provider=catalogue.provider, name="Suite"), actor=TEST)
    services.set_license_policies(license, default=[viewing], optional=[], actor=TEST)
    acme.assign(acme.group, services.allocate(license, organization=acme.organization, actor=TEST))

    page = read(acme.client(acme.nobody).get("/my-access/"))

    direct = "CRM Professional Assigned to you No end"
    unit = "CRM Professional Unit: Sales › Benelux No end"
    found = {section.one("h2").text: section.rows for section in page.all("section", class_="section")}
    assert found == {
        "Analytics": [["Viewer", "Suite Group: Support No end"]],
        "CRM": [
            ["CRM access", f"{direct} CRM Basic Group: Support {day(90):%-d %b %Y} {unit}"],
            ["CRM administration", direct],
            ["CRM export", unit],
        ],
        "Starts later": [["CRM Basic", f"Whole organization Starts {day(9):%-d %b %Y}"]],
    }


def test_who_has_no_role_is_shown_no_link_to_what_they_may_not_see(acme):
    acme.assign(acme.group)
    client = acme.client(acme.nobody)

    page = read(client.get("/my-access/"))

    links = {url for url in page.links.values() if url.startswith("/")}
    assert links == {"/", "/my-access/", "/accounts/"}
    assert {url: client.get(url, follow=True).status_code for url in links} == dict.fromkeys(links, 200)
