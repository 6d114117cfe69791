"""Lists: search, sort, and pages that lose and repeat nothing."""

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from directory import services as directory
from directory.models import Group, GroupMembership, OrgUnit, User
from licensing import services
from licensing.kinds import GROUPS, KINDS, UNITS, USERS
from licensing.models import Allocation, Assignment, License
from portal.audit.log import Target, record
from portal.audit.models import AuditEntry
from tests.reading import read
from tests.worlds import TEST

# Lists: search and sort ----------------------------------------------------------------------------------------------


@pytest.fixture
def cast(acme):
    """Names that are not easy to find: accents, several words, and what else a search looks into."""
    people = [
        acme.person("Zoë Müller", email="zm@acme.example", title="Head of Légal", employee_number="A-7731"),
        acme.person("Jan de Smet", unit=acme.unit),
        acme.person("Jana Smit", unit=acme.unit),
    ]
    group = directory.create_group(acme.organization, name="Équipe Verte", actor=TEST)
    unit = directory.create_unit(acme.organization, name="Köln Süd", parent=acme.below, actor=TEST)
    directory.join_group(group, users=people, actor=TEST)
    directory.place_in_unit(unit, users=people, actor=TEST)
    directory.join_group(acme.group, users=people, actor=TEST)
    for assignee in (*people, group, unit):
        acme.assign(assignee)
    return {"people": people, "group": group, "unit": unit, "person": people[0]}


SEARCHES = {
    "/users/": {
        "müller": ["Zoë Müller"],
        "MULLER zoe": ["Zoë Müller"],
        "zm@acme": ["Zoë Müller"],
        "legal": ["Zoë Müller"],
        "a-7731": ["Zoë Müller"],
        "smet jan": ["Jan de Smet"],
        "jan": ["Jan de Smet", "Jana Smit"],
    },
    "/groups/": {"EQUIPE": ["Équipe Verte"], "verte équipe": ["Équipe Verte"], "support": ["Support"]},
    "/units/": {"koln": ["Köln Süd"], "SÜD KÖLN": ["Köln Süd"], "e": ["Benelux", "Sales"]},
    "/licenses/": {"crm": ["CRM Basic", "CRM Professional"], "PROFESSIONAL crm": ["CRM Professional"]},
    "/groups/{group}/": {"muller": ["Zoë Müller"], "jan smit": ["Jana Smit"]},
    "/units/{unit}/": {"muller": ["Zoë Müller"], "jan smit": ["Jana Smit"]},
    "/users/{person}/groups/": {"equipe": ["Équipe Verte"], "SUPP": ["Support"]},
    "/licenses/{allocation}/users/": {"muller": ["Zoë Müller"], "jan": ["Jan de Smet", "Jana Smit"]},
    "/licenses/{allocation}/groups/": {"equipe": ["Équipe Verte"]},
    "/licenses/{allocation}/units/": {"sud": ["Köln Süd"]},
}


@pytest.mark.parametrize("url", SEARCHES)
def test_search(acme, cast, url):
    client = acme.client(acme.viewer)
    address = url.format(allocation=acme.allocation.pk, **{name: getattr(v, "pk", None) for name, v in cast.items()})

    found = {q: read(client.get(address, {"q": q})) for q in SEARCHES[url]}

    assert {q: page.names for q, page in found.items()} == SEARCHES[url]
    for q, page in found.items():
        assert page.one("input", name="q")["value"] == q
        assert page.one(id="count").text.split()[0] == str(len(page.names))


@pytest.mark.parametrize("url", [*SEARCHES, "/activity/"])
def test_a_search_without_a_match_says_so_and_shows_the_way_back(acme, cast, url):
    client = acme.client(acme.viewer)
    address = url.format(allocation=acme.allocation.pk, **{name: getattr(v, "pk", None) for name, v in cast.items()})

    page = read(client.get(address, {"q": "<xyz>"}))

    assert page.rows == []
    assert page.one(class_="empty").text == "Nothing matches “<xyz>” Try fewer or other words. Show them all"
    assert page.links["Show them all"] == "?"
    assert page.one("input", name="q")["value"] == "<xyz>"


def test_a_license_with_an_accent_is_found_with_and_without_it(acme, catalogue):
    license = services.save(License(provider=catalogue.provider, name="Café Manager"), actor=TEST)
    services.set_license_policies(license, default=[catalogue.reading], optional=[], actor=TEST)
    services.allocate(license, organization=acme.organization, actor=TEST)
    client = acme.client(acme.viewer)

    found = {q: read(client.get("/licenses/", {"q": q})).names for q in ("café", "CAFE", "manager CAFÉ")}

    assert found == dict.fromkeys(found, ["Café Manager"])


def test_an_act_is_found_by_the_name_with_an_accent(acme, cast):
    client = acme.client(acme.viewer)

    found = {q: read(client.get("/activity/", {"q": q})).one(id="count").text for q in ("équipe", "EQUIPE", "Équipe")}

    assert found == dict.fromkeys(found, "5 acts")


SORTED = {
    "/users/": {"name": "User", "added": "Added"},
    "/groups/": {"name": "Group"},
    "/licenses/": {"name": "License", "ends": "Ends"},
    "/groups/{group}/": {"name": "User"},
    "/units/{unit}/": {"name": "User"},
    "/users/{person}/groups/": {"name": "Group"},
    "/licenses/{allocation}/users/": {"name": "User", "assigned": "Assigned"},
    "/licenses/{allocation}/groups/": {"name": "Group", "assigned": "Assigned"},
    "/licenses/{allocation}/units/": {"name": "Unit", "assigned": "Assigned"},
}


@pytest.mark.parametrize("url", SORTED)
def test_sorting_both_ways_says_which(acme, cast, url):
    acme.assign(acme.group)
    acme.assign(acme.unit)
    client = acme.client(acme.viewer)
    address = url.format(allocation=acme.allocation.pk, **{name: getattr(v, "pk", None) for name, v in cast.items()})

    for key, label in SORTED[url].items():
        up, down = (read(client.get(address, {"sort": sort, "q": ""})) for sort in (key, f"-{key}"))
        assert len(up.names) > 1
        assert down.names == up.names[::-1]
        assert [(th.text, th["aria-sort"]) for th in up.all("th") if "aria-sort" in th.attributes] == [
            (label, "ascending")
        ]
        assert [(th.text, th["aria-sort"]) for th in down.all("th") if "aria-sort" in th.attributes] == [
            (label, "descending")
        ]
        # the header turns it round
        assert parse_qs(urlsplit(up.links[label]).query)["sort"] == [f"-{key}"]
        assert parse_qs(urlsplit(down.links[label]).query)["sort"] == [key]


# Lists: pages --------------------------------------------------------------------------------------------------------


def people(organization, **fields):
    """120 people: every name thrice, every instant of adding four times, in no order."""
    users = []
    for n in range(120):
        name = ("Ada", "émile", "Zoë", "de Wit")[n * 7 % 4] + f" {n * 7 % 10}"
        added = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=n * 11 % 30)
        users.append(User(organization=organization, name=name, created_at=added, **fields))
    for user in users:
        user.fold()
    return User.objects.bulk_create(users)


def walk(client, url, sort):
    """Follow a list from its first page to its last and back; return the names on each page, both ways."""

    def follow(address, rel):
        pages = []
        while address:
            page = read(client.get(address))
            pages.append(page.names)
            last = address
            address = next((url.split("?")[0] + link["href"] for link in page.all("a", rel=rel)), None)
        return pages, last

    forwards, last = follow(f"{url}{'&' if '?' in url else '?'}sort={sort}", "next")
    backwards, _ = follow(last, "prev")
    return forwards, backwards[::-1]


def by(*fields):
    """Return the names of rows in the order that the fields give, as the list has to show them."""
    return lambda rows: [row.name for row in sorted(rows, key=lambda row: tuple(getattr(row, f) for f in fields))]


def check_pages(client, url, sort, wanted):
    """The 120 names come once each and in order, 50 on a page, forwards and backwards, both ways of sorting."""
    for direction, names in (("", wanted), ("-", wanted[::-1])):
        forwards, backwards = walk(client, url, direction + sort)
        assert [len(page) for page in forwards] == [50, 50, 20]
        assert sum(forwards, []) == names
        assert backwards == forwards


@pytest.mark.parametrize(("sort", "fields"), [("name", ("sort_key", "pk")), ("added", ("created_at", "pk"))])
def test_pages_of_users(acme, sort, fields):
    User.objects.filter(pk__in=[acme.editor.pk, acme.viewer.pk, acme.nobody.pk]).delete()
    users = [*people(acme.organization)[1:], acme.admin]
    User.objects.exclude(pk__in=[user.pk for user in users]).delete()

    check_pages(acme.client(), "/users/", sort, by(*fields)(users))


def test_pages_of_people_in_a_group_and_in_a_unit(acme):
    unit = directory.create_unit(acme.organization, name="Crowd", actor=TEST)
    group = directory.create_group(acme.organization, name="Crowd", actor=TEST)
    users = people(acme.organization, unit=unit)
    GroupMembership.objects.bulk_create(
        GroupMembership(organization=acme.organization, group=group, user=user) for user in users
    )
    wanted = by("sort_key", "pk")(users)

    check_pages(acme.client(acme.viewer), f"/groups/{group.pk}/", "name", wanted)
    check_pages(acme.client(acme.editor), f"/units/{unit.pk}/", "name", wanted)


def crowd(model, organization, **fields):
    things = [model(organization=organization, name=f"{'Ébc'[n % 3]}xx {n * 7 % 120}", **fields) for n in range(120)]
    for thing in things:
        thing.fold()
    return model.objects.bulk_create(things)


def test_pages_of_groups_and_of_the_groups_of_a_user(acme):
    acme.group.delete()
    groups = crowd(Group, acme.organization)
    GroupMembership.objects.bulk_create(
        GroupMembership(organization=acme.organization, group=group, user=acme.nobody) for group in groups
    )
    wanted = by("sort_key", "pk")(groups)

    check_pages(acme.client(), "/groups/", "name", wanted)
    check_pages(acme.client(), f"/users/{acme.nobody.pk}/groups/", "name", wanted)


def test_pages_of_units_that_match(acme):
    units = crowd(OrgUnit, acme.organization, parent=acme.unit)

    check_pages(acme.client(), "/units/?q=xx", "name", by("sort_key", "pk")(units))


@pytest.mark.parametrize("sort", ["name", "ends"])
def test_pages_of_licenses(acme, catalogue, sort):
    acme.organization.allocations.all().delete()
    licenses = [License(provider=catalogue.provider, name=f"{'éBc'[n % 3]} {n * 7 % 120}") for n in range(120)]
    for license in licenses:
        license.fold()
    License.objects.bulk_create(licenses)
    # the same ends for many, and none for a third
    ends = [None if n % 3 == 0 else datetime(2090, 1, 1 + n % 5, tzinfo=UTC) for n in range(120)]
    allocations = Allocation.objects.bulk_create(
        Allocation(organization=acme.organization, license=license, ends_at=end)
        for license, end in zip(licenses, ends, strict=True)
    )
    keys = {
        "name": lambda allocation: (allocation.license.sort_key, allocation.pk),
        "ends": lambda allocation: (allocation.ends_at or datetime.max.replace(tzinfo=UTC), allocation.pk),
    }

    check_pages(
        acme.client(), "/licenses/", sort, [str(allocation) for allocation in sorted(allocations, key=keys[sort])]
    )


@pytest.mark.parametrize("sort", ["name", "assigned"])
@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_pages_of_whom_a_license_is_assigned_to(acme, kind, sort):
    make = {USERS: people, GROUPS: lambda where: crowd(Group, where), UNITS: lambda where: crowd(OrgUnit, where)}
    assignees = make[kind](acme.organization)
    assignments = Assignment.objects.bulk_create(
        Assignment(
            organization=acme.organization,
            allocation=acme.allocation,
            created_by="the test",
            created_at=datetime(2026, 1, 1 + n * 11 % 28, tzinfo=UTC),
            **kind.assigned_to(assignee),
        )
        for n, assignee in enumerate(assignees)
    )
    order = {"name": lambda a: (a.assignee.sort_key, a.pk), "assigned": lambda a: (a.created_at, a.pk)}
    wanted = [assignment.assignee.name for assignment in sorted(assignments, key=order[sort])]

    check_pages(acme.client(), f"/licenses/{acme.allocation.pk}/{kind}/", sort, wanted)


def test_pages_of_activity_newest_first(acme):
    # the same instant for many: one act on many things
    targets = [Target("user", n, f"Person {n}") for n in range(120)]
    acts = 120 + AuditEntry.objects.filter(organization_id=acme.organization.pk).count()
    record(TEST, "user.created", targets, organization_id=acme.organization.pk)
    client = acme.client(acme.viewer)

    pages, address = [], "/activity/"
    while address:
        page = read(client.get(address))
        pages.append([list(act.all("b"))[1].text for act in page.one("ul", class_="acts").all("li")])
        address = next((f"/activity/{link['href']}" for link in page.all("a", rel="next")), None)

    assert [len(page) for page in pages] == [50, 50, acts - 100]
    assert sum(pages, [])[:120] == [f"Person {n}" for n in reversed(range(120))]
