"""Who joins a group or unit, who leaves it, and that access follows at once."""

import pytest

from directory import services as directory
from portal.audit.models import AuditEntry
from tests.reading import read
from tests.worlds import TEST

HTMX = {"HX-Request": "true"}

# People of groups and units ------------------------------------------------------------------------------------------


def places(world):
    return {"group": (world.group, f"/groups/{world.group.pk}/"), "unit": (world.below, f"/units/{world.below.pk}/")}


def may_use(world, user):
    """What My access says that the user may use."""
    page = read(world.client(user).get("/my-access/"))
    return [row[0] for row in page.rows]


@pytest.mark.parametrize("kind", ["group", "unit"])
def test_who_is_added_has_access_at_once_and_who_is_removed_no_longer(acme, kind):
    place, url = places(acme)[kind]
    acme.assign(place)
    client = acme.client(acme.editor)
    assert may_use(acme, acme.viewer) == []

    answer = client.post(f"{url}add/", {"users": [acme.viewer.pk, acme.admin.pk]}, headers=HTMX)

    did = "joined Support" if kind == "group" else "moved to Benelux"
    assert read(answer).text in (f"Ada Admin and Vic Viewer {did}.", f"Vic Viewer and Ada Admin {did}.")
    assert set(read(client.get(url)).names) == {"Ada Admin", "Uma Nobody", "Vic Viewer"}
    assert may_use(acme, acme.viewer) == ["CRM access"]

    modal = f"{url}remove/{acme.viewer.pk}/"
    assert modal in client.get(url).content.decode()
    shown = read(client.get(modal))
    assert shown.one("footer").buttons == ["Remove"]
    only = "this group" if kind == "group" else "this unit or a unit above it"
    assert f"Vic Viewer stays in the directory, and can at once no longer use what only {only} gives." in shown.text
    answer = client.post(modal, headers=HTMX)

    assert f"Vic Viewer left {place}." in read(answer).text
    assert set(read(client.get(url)).names) == {"Ada Admin", "Uma Nobody"}
    assert may_use(acme, acme.viewer) == []
    assert client.get(modal).status_code == 404


@pytest.mark.parametrize("kind", ["group", "unit"])
def test_many_are_removed_by_search_and_by_a_pasted_list(acme, kind):
    place, url = places(acme)[kind]
    join = directory.join_group if kind == "group" else directory.place_in_unit
    away = acme.person("Ina Inactive", email="ina@acme.example", is_active=False)
    twins = [acme.person(f"Twin {n}", employee_number="22") for n in (1, 2)]
    join(place, users=[acme.viewer, acme.editor, away, *twins], actor=TEST)
    acme.assign(place)
    client, url = acme.client(acme.editor), f"{url}remove/"
    assert url in client.get(places(acme)[kind][1]).content.decode()

    page = read(client.get(url))
    offered = {box.one("label").text: box.one(class_="note").text for box in page.all(class_="option")}
    assert offered == dict.fromkeys(["Eva Editor", "Twin 1", "Twin 2", "Uma Nobody", "Vic Viewer"], "") | {
        "Ina Inactive": "Inactive"
    }
    pasted = "vic@acme.example, ina@acme.example; 22\nada@acme.example, x@y.example"
    page = read(client.post(url, {"pasted": pasted, "users": acme.nobody.pk}))
    assert page.one(class_="tray").text.startswith("3 selected Ina Inactive")
    assert [line.text for line in page.one(id="paste").all("li")] == [
        "22 2 people have this number",
        "x@y.example Nobody here has this address or number",
        "ada@acme.example Ada Admin: Is not in it",
    ]
    assert "2 people can no longer use CRM Professional" in page.one(id="changes").text
    assert page.one("footer").buttons == ["Remove people"]

    answer = client.post(url, {"users": [acme.viewer.pk, away.pk, acme.nobody.pk]}, headers=HTMX)
    assert f"left {place}." in read(answer).text
    left = set((place.members if kind == "group" else place.users).values_list("name", flat=True))
    assert left == {"Eva Editor", "Twin 1", "Twin 2"}
    page = read(client.post(url, {"users": acme.viewer.pk}))
    assert "A person you chose is not there any more." in page.text


def test_somebody_is_taken_out_of_a_group_on_their_own_page(acme):
    """What changes the group itself is not on it: whoever means the person would delete the group for all."""
    url, client = f"/users/{acme.nobody.pk}/groups/", acme.client(acme.editor)

    (menu,) = [row.one(class_="menu") for row in read(client.get(url)).one("tbody").all("tr")]
    assert list(menu.links) == ["Remove Uma Nobody from Support"]
    answer = client.post(f"/groups/{acme.group.pk}/remove/{acme.nobody.pk}/", {"next": url})

    assert answer.headers["Location"] == url
    assert "Uma Nobody is in no group" in read(client.get(url)).text


@pytest.mark.parametrize("kind", ["group", "unit"])
def test_who_is_there_already_is_marked_and_who_is_inactive_is_not_offered(acme, kind):
    place, url = places(acme)[kind]
    acme.person("Ina Inactive", is_active=False)
    client = acme.client()

    modal = read(client.get(f"{url}add/"))

    offered = {box.one("label").text: box.one(class_="note").text for box in modal.all(class_="option")}
    assert offered == {"Ada Admin": "", "Eva Editor": "", "Uma Nobody": "Is in it already", "Vic Viewer": ""}
    taken = [box for box in modal.all("input", type="checkbox") if "disabled" in box.attributes]
    assert [box["value"] for box in taken] == [str(acme.nobody.pk)]

    acts = AuditEntry.objects.count()
    answer = client.post(f"{url}add/", {"users": acme.nobody.pk}, headers=HTMX)
    assert "Nothing changed for Uma Nobody: somebody was quicker." in read(answer).text
    assert AuditEntry.objects.count() == acts


def test_who_moves_to_another_unit_is_said_to_leave_theirs(acme):
    other = directory.create_unit(acme.organization, name="Nordics", actor=TEST)
    client = acme.client()

    modal = read(client.get(f"/units/{other.pk}/add/"))
    notes = {box.one("label").text: box.one(class_="note").text for box in modal.all(class_="option")}
    client.post(f"/units/{other.pk}/add/", {"users": acme.nobody.pk})

    assert notes["Uma Nobody"] == "Now in Benelux"
    assert read(client.get(f"/units/{other.pk}/")).names == ["Uma Nobody"]
    assert "Nobody is in Benelux" in read(client.get(f"/units/{acme.below.pk}/")).text


@pytest.mark.parametrize("kind", ["group", "unit"])
def test_without_a_choice_the_dialog_says_so(acme, kind):
    _, url = places(acme)[kind]

    page = read(acme.client().post(f"{url}add/", {}, headers=HTMX))

    assert page.alerts == {"pick-error": "Choose at least one person."}


def test_a_viewer_sees_people_without_a_way_to_change_them(acme):
    for _, url in places(acme).values():
        page = read(acme.client(acme.viewer).get(url))
        assert page.names == ["Uma Nobody"]
        assert {"Add people", "Remove from Support", "Remove from Benelux"} & page.links.keys() == set()


# A pasted list -------------------------------------------------------------------------------------------------------


def test_a_pasted_list_ticks_whom_it_names_and_says_what_is_wrong_with_the_rest(acme):
    acme.person("Ina Inactive", email="ina@acme.example", is_active=False)
    acme.person("Numbered One", employee_number="17")
    twins = [acme.person(f"Twin {n}", employee_number="22") for n in (1, 2)]
    url, client = f"/groups/{acme.group.pk}/add/", acme.client()
    pasted = "VIC@acme.example; Eva <eva@acme.example>,17\r\n22\tina@acme.example\nx@y.example\n"
    pasted += "uma@acme.example, vic@acme.example"

    page = read(client.post(url, {"pasted": pasted, "look": "paste"}))

    parts = [
        part["id"] for part in page.all("div", class_="panel") if part.attributes.get("id") in ("paste", "choices")
    ]
    assert parts == ["paste", "choices"]  # seen without passing all who can be chosen
    assert page.one(class_="tray").text.startswith("3 selected Eva Editor")
    wrong = [line.text for line in page.one(id="paste").all("li")]
    assert wrong == [
        f"22 {len(twins)} people have this number",
        "ina@acme.example Ina Inactive is inactive",
        "x@y.example Nobody here has this address or number",
        "uma@acme.example Uma Nobody: Is in it already",
    ]
    # Whoever confirms at once is shown first what the list came to.
    page = read(client.post(url, {"pasted": pasted}))
    assert "3 people are ticked from the list. 4 entries were not. Look at what is ticked" in page.text
    assert acme.group.members.count() == 1
    ticked = [box["value"] for box in page.all("input", name="users") if "checked" in box.attributes]
    client.post(url, {"users": [pk for pk in ticked if pk != str(acme.nobody.pk)]})
    assert sorted(acme.group.members.values_list("name", flat=True)) == [
        "Eva Editor", "Numbered One", "Uma Nobody", "Vic Viewer",
    ]  # fmt: skip


def test_a_list_of_another_organization_names_nobody(acme, globex):
    page = read(acme.client().post(f"/groups/{acme.group.pk}/add/", {"pasted": "vic@globex.example", "look": "paste"}))

    assert "vic@globex.example Nobody here has this address or number" in page.text
    assert not list(page.all(class_="tray"))
