"""Groups and units: how they are made, renamed, moved and deleted, and what goes with them."""

from tests.reading import read


def test_a_group_is_created_renamed_and_deleted_with_what_follows(acme):
    client = acme.client(acme.editor)
    client.post("/groups/create/", {"name": "Apollo", "description": "The project"})
    group = acme.organization.groups.get(name="Apollo")
    page = read(client.post("/groups/create/", {"name": "APOLLO"}))
    assert page.alerts["id_name_error"] == "A group of this name exists."
    page = read(client.post(f"/groups/{group.pk}/edit/", {"name": "support"}))
    assert page.alerts["id_name_error"] == "A group of this name exists."
    client.post(f"/groups/{group.pk}/edit/", {"name": "Artemis", "description": "The project"})
    group.refresh_from_db()
    assert (group.name, group.sort_key) == ("Artemis", "artemis")

    acme.assign(acme.group)
    page = read(client.get(f"/groups/{acme.group.pk}/delete/"))
    assert "Uma Nobody can no longer use CRM Professional" in page.text
    assert "Support goes for good, and with it 1 assigned license." in page.text
    assert "Artemis goes for good. Nobody active is in it." in read(client.get(f"/groups/{group.pk}/delete/")).text
    answer = client.post(f"/groups/{acme.group.pk}/delete/", {"next": f"/groups/{acme.group.pk}/"})
    assert answer.headers["Location"] == "/groups/"
    told = read(client.get("/activity/")).text
    assert "changed group Apollo: name from Apollo to Artemis" in told
    assert "deleted group Support" in told


def test_a_unit_is_created_below_moved_and_deleted_and_a_circle_is_refused(acme):
    client = acme.client(acme.editor)
    client.post(f"/units/{acme.below.pk}/create/", {"name": "Antwerp"})
    antwerp = acme.organization.units.get(name="Antwerp")
    assert antwerp.parent == acme.below
    page = read(client.post(f"/units/{acme.below.pk}/create/", {"name": "antwerp"}))
    assert page.alerts["id_name_error"] == "A unit of this name exists there."

    page = read(client.post(f"/units/{acme.unit.pk}/move/", {"parent": "Antwerp"}))
    assert "Antwerp is Sales or lies below it: a unit cannot lie below itself." in page.text
    acme.assign(acme.unit)
    page = read(client.post(f"/units/{acme.below.pk}/move/", {"parent": "", "look": "ledger"}))
    assert "Uma Nobody can no longer use CRM Professional" in page.text
    client.post(f"/units/{acme.below.pk}/move/", {"parent": ""})
    acme.below.refresh_from_db()
    assert acme.below.parent is None

    page = read(client.get(f"/units/{acme.below.pk}/delete/"))
    assert "Benelux has 1 unit below it. Move or delete it first." in page.text
    assert "Benelux has 1 unit below it." in read(client.post(f"/units/{acme.below.pk}/delete/")).text
    client.post(f"/units/{antwerp.pk}/delete/")
    client.post(f"/units/{acme.below.pk}/delete/")
    acme.nobody.refresh_from_db()
    assert acme.nobody.unit is None
    assert not acme.organization.units.filter(pk=acme.below.pk).exists()


def test_row_menus_hold_whatever_a_name_holds(acme):
    name = """{0} {next} {{x}} %s "><b>'"""
    acme.organization.groups.filter(pk=acme.group.pk).update(name=name)
    acme.organization.users.filter(pk=acme.nobody.pk).update(name=f"Uma {name}")
    client = acme.client(acme.editor)

    links = read(client.get(f"/groups/{acme.group.pk}/")).links
    back = f"?next=/groups/{acme.group.pk}/"
    assert links[f"Remove from {name}"] == f"/groups/{acme.group.pk}/remove/{acme.nobody.pk}/{back}"
    assert links["Remove people"] == f"/groups/{acme.group.pk}/remove/{back}"
    page = read(client.get(f"/users/{acme.nobody.pk}/groups/?x={{0}}"))
    link = page.links[f"Remove Uma {name} from {name}"]
    back = f"?next=/users/{acme.nobody.pk}/groups/%3Fx%3D%257B0%257D"
    assert link == f"/groups/{acme.group.pk}/remove/{acme.nobody.pk}/{back}"
    assert page.one("summary", id=f"menu-{acme.group.pk}")["aria-label"] == f"Actions for {name}"
