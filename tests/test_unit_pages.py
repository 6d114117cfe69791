"""The tree of units, and the page of one."""

from urllib.parse import parse_qs, urlsplit

from directory import services as directory
from directory import trees
from tests.reading import read
from tests.worlds import TEST


def toggle(page, name):
    return page.one("a", aria_label=f"Units below {name}")


def test_the_tree_opens_level_by_level_and_keeps_its_state_in_the_url(acme):
    antwerp = directory.create_unit(acme.organization, name="Antwerp", parent=acme.below, actor=TEST)
    directory.create_unit(acme.organization, name="Operations", actor=TEST)
    client = acme.client(acme.viewer)

    page = read(client.get("/units/"))
    assert page.names_with("name") == ["Operations", "Sales"]
    assert toggle(page, "Sales")["aria-expanded"] == "false"

    page = read(client.get(f"/units/{toggle(page, 'Sales')['href']}"))
    assert page.names_with("name") == ["Operations", "Sales", "Benelux"]
    assert toggle(page, "Sales")["aria-expanded"] == "true"

    address = f"/units/{toggle(page, 'Benelux')['href']}"
    page = read(client.get(address))
    assert page.names_with("name") == ["Operations", "Sales", "Benelux", "Antwerp"]
    assert [row[0] for row in page.rows][2:] == ["Benelux in Sales", "Antwerp in Sales › Benelux"]
    assert sorted(parse_qs(urlsplit(address).query)["open"]) == sorted([str(acme.unit.pk), str(acme.below.pk)])
    assert page.links["Antwerp"] == f"/units/{antwerp.pk}/"

    page = read(client.get(f"/units/{toggle(page, 'Sales')['href']}"))
    assert page.names_with("name") == ["Operations", "Sales"]
    assert toggle(read(client.get("/units/?more=0&x=%7B0%7D%22&after=x")), "Sales")["href"] == (
        f"?more=0&x=%7B0%7D%22&open={acme.unit.pk}"
    )
    # Benelux is still open: Sales opens again as it was
    page = read(client.get(f"/units/{toggle(page, 'Sales')['href']}"))
    assert page.names_with("name") == ["Operations", "Sales", "Benelux", "Antwerp"]


def test_a_level_that_is_too_long_says_how_many_more_there_are_and_shows_them(acme, monkeypatch):
    monkeypatch.setattr(trees, "LEVEL", 2)
    for n in range(3):
        directory.create_unit(acme.organization, name=f"Top {n}", actor=TEST)
        directory.create_unit(acme.organization, name=f"Zone {n}", parent=acme.unit, actor=TEST)
    client = acme.client(acme.viewer)

    page = read(client.get("/units/"))
    assert [row[0] for row in page.rows] == ["Sales", "Top 0", "and 2 more: search for them, or show more"]
    # The length of one level takes nothing from another.
    page = read(client.get(f"/units/?open={acme.unit.pk}"))
    assert [row[0] for row in page.rows] == [
        "Sales",
        "Benelux in Sales",
        "Zone 0 in Sales",
        "and 2 more: search for them, or show more",
        "Top 0",
        "and 2 more: search for them, or show more",
    ]
    page = read(client.get(f"/units/{page.one('a', id=f'rest-{acme.unit.pk}')['href']}"))
    page = read(client.get(f"/units/{page.one('a', id='rest-0')['href']}"))
    assert page.names_with("name") == ["Sales", "Benelux", "Zone 0", "Zone 1", "Zone 2", "Top 0", "Top 1", "Top 2"]
    assert "more" not in page.text


def test_the_page_of_a_unit_with_very_many_below_says_how_many_more_there_are(acme, monkeypatch):
    monkeypatch.setattr(trees, "LEVEL", 2)
    for n in range(4):
        directory.create_unit(acme.organization, name=f"Zone {n}", parent=acme.unit, actor=TEST)
    client, url = acme.client(acme.viewer), f"/units/{acme.unit.pk}/"

    below = read(client.get(url)).one("section", aria_labelledby="below")
    assert [link.text for link in below.all("a", class_="source")] == ["Benelux 1 person", "Zone 0 0 people"]
    assert "and 3 more: search for them, or show more" in below.text
    below = read(client.get(f"{url}{below.links['show more']}")).one("section", aria_labelledby="below")
    assert "and 1 more: search for them, or show more" in below.text
    below = read(client.get(f"{url}{below.links['show more']}")).one("section", aria_labelledby="below")
    assert len(list(below.all("a", class_="source"))) == 5
    assert "more" not in below.text


def test_the_tree_counts_people_and_names_the_licenses_of_a_unit(acme):
    directory.place_in_unit(acme.unit, users=[acme.viewer], actor=TEST)
    acme.person("Away", unit=acme.unit, is_active=False)
    acme.assign(acme.unit)
    acme.assign(acme.below, acme.plain)

    page = read(acme.client(acme.viewer).get(f"/units/?open={acme.unit.pk}"))

    assert page.rows == [
        ["Sales", "1", "2", "CRM Professional"],
        ["Benelux in Sales", "1", "1", "CRM Basic CRM Professional through Sales"],
    ]


def test_a_search_among_units_shows_their_paths(acme):
    directory.create_unit(acme.organization, name="Antwerp", parent=acme.below, actor=TEST)

    page = read(acme.client().get("/units/?q=E"))

    assert [row[0] for row in page.rows] == ["Antwerp in Sales › Benelux", "Benelux in Sales", "Sales"]


def test_the_page_of_a_unit_shows_where_it_lies(acme):
    antwerp = directory.create_unit(acme.organization, name="Antwerp", parent=acme.below, actor=TEST)
    client = acme.client()

    crumbs = read(client.get(f"/units/{antwerp.pk}/")).one("nav", class_="crumbs")
    below = read(client.get(f"/units/{acme.unit.pk}/")).one("section", aria_labelledby="below")

    assert [item.text for item in crumbs.all("li")] == ["Organizational Units", "Sales", "Benelux", "Antwerp"]
    assert below.links["Benelux 1 person"] == f"/units/{acme.below.pk}/"


def test_the_page_of_a_unit_leads_to_the_people_of_the_units_below(acme):
    unit = directory.create_unit(acme.organization, name="R/D & more", parent=acme.unit, actor=TEST)
    directory.create_unit(acme.organization, name="Labs", parent=unit, actor=TEST)
    acme.person("Lab Rat", unit=unit.children.get())
    acme.person("Head", unit=unit)
    acme.person("Away", unit=unit, is_active=False)
    client = acme.client(acme.viewer)

    page = read(client.get(f"/units/{unit.pk}/"))
    people = read(client.get(page.links["2 active people in R/D & more and the units below"]))

    assert people.names == ["Head", "Lab Rat"]
    assert people.one("input", name="unit")["value"] == "Sales › R/D & more"
