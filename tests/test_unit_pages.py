"""The tree of units, and the page of one."""

from urllib.parse import parse_qs, urlsplit

from directory import services as directory
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
    # Benelux is still open: Sales opens again as it was
    page = read(client.get(f"/units/{toggle(page, 'Sales')['href']}"))
    assert page.names_with("name") == ["Operations", "Sales", "Benelux", "Antwerp"]


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
    assert below.links == {"Benelux 1 person": f"/units/{acme.below.pk}/"}
