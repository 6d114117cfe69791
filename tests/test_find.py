"""Find: what it finds for whom, in which order, and where it leads."""

import pytest

from directory import services as directory
from directory.models import User
from licensing import services
from licensing.models import License
from tests.reading import read
from tests.worlds import TEST

HTMX = {"HX-Request": "true"}
PAGES = {
    "Home": "/",
    "Licenses": "/licenses/",
    "Users": "/users/",
    "Groups": "/groups/",
    "Organizational Units": "/units/",
    "Organization": "/organization/",
    "Explain access": "/explain/",
    "Activity": "/activity/",
    "My access": "/my-access/",
    "Your account": "/accounts/",
}


def find(client, q="", act="", **headers):
    return read(client.get("/find/", {"q": q, "act": act}, headers=headers)).one("form", action="/find/")


def found(page):
    """What was found: {heading: [line, …]}."""
    sections = page.one(id="find-results").all("section")
    return {section.one("h2").text: [item.text for item in section.all("li")] for section in sections}


def links(page):
    return page.one(id="find-results").links


# More rows, the same queries -----------------------------------------------------------------------------------------

# Three of them are the session, the account and its organizations.
QUERIES = {"": 3, "q=e": 8, "q=extra": 8, "act=assign": 4, "act=assign&q=c": 4, "act=add": 6, "act=add&q=s": 6}


def test_more_rows_do_not_mean_more_queries(acme, catalogue, django_assert_num_queries):
    def extra(n):
        directory.create_unit(acme.organization, name=f"Extras {n}", parent=acme.below, actor=TEST)
        directory.create_group(acme.organization, name=f"Extras {n}", actor=TEST)
        acme.person(f"Extra {n}")
        license = License.objects.create(provider=catalogue.provider, name=f"CRM extra {n}")
        services.set_license_policies(license, default=[catalogue.reading], optional=[], actor=TEST)
        services.allocate(license, organization=acme.organization, actor=TEST)

    client = acme.client()
    for numbers in (range(1), range(1, 9)):
        for n in numbers:
            extra(n)
        for query, number in QUERIES.items():
            with django_assert_num_queries(number, info=query):
                assert client.get(f"/find/?{query}").status_code == 200


# What it finds -------------------------------------------------------------------------------------------------------


def test_an_empty_search_shows_the_pages(acme):
    page = find(acme.client(acme.viewer))

    assert list(found(page)) == ["Pages"]
    assert links(page) == PAGES
    assert page.one(role="status").text == ""


def test_everything_that_matches_by_kind(acme, globex):
    directory.create_group(acme.organization, name="Sales people", description="Who sells", actor=TEST)
    acme.person("Sal Sales", email="sal@acme.example")
    acme.person("Ben", email="ben.sales@acme.example", is_active=False)
    globex.person("Gus Sales")

    page = find(acme.client(acme.viewer), "SALES")

    assert found(page) == {
        "People": ["Ben ben.sales@acme.example Inactive", "Sal Sales sal@acme.example"],
        "Groups": ["Sales people Who sells"],
        "Organizational Units": ["Sales"],
    }
    assert links(page)["Sales"] == f"/units/{acme.unit.pk}/"
    assert links(page)["Sal Sales"] == f"/users/{User.objects.get(name='Sal Sales').pk}/"
    assert page.one(role="status").text == "4 results"
    assert [mark.text for mark in page.all("mark")] == ["sales", "Sales", "Sales", "Sales"]


def test_a_unit_is_told_by_its_path_and_a_license_by_its_provider(acme):
    directory.create_unit(acme.organization, name="Antwerp", parent=acme.below, actor=TEST)
    services.cancel(acme.plain, actor=TEST)
    client = acme.client()

    assert found(find(client, "antw")) == {"Organizational Units": ["Antwerp in Sales › Benelux"]}
    page = find(client, "crm")
    assert found(page) == {"Licenses": ["CRM Basic Northlight Not in effect: cancelled", "CRM Professional Northlight"]}
    assert links(page)["CRM Professional"] == f"/licenses/{acme.allocation.pk}/"


def test_pages_by_their_names(acme):
    client = acme.client()

    assert found(find(client, "ACCESS my")) == {"Pages": ["My access"]}
    assert found(find(client, "organiz")) == {"Pages": ["Organizational Units", "Organization"]}
    assert "Administration" not in links(find(client, "administration"))
    acme.admin.account.is_staff = True
    acme.admin.account.save()
    assert links(find(client, "administration")) == {"Administration": "/admin/"}


def test_five_of_each_and_where_the_others_are(acme):
    for n in range(7):
        acme.person(f"Person {n}")
        directory.create_group(acme.organization, name=f"Person group {n}", actor=TEST)
    for n in range(5):
        directory.create_unit(acme.organization, name=f"Person unit {n}", actor=TEST)

    page = find(acme.client(), "person")

    assert {title: len(lines) for title, lines in found(page).items()} == {
        "People": 5,
        "Groups": 5,
        "Organizational Units": 5,
    }
    assert found(page)["People"] == [f"Person {n}" for n in range(5)]
    assert links(page)["All people that match"] == "/users/?q=person"
    assert links(page)["All groups that match"] == "/groups/?q=person"
    assert "All organizational units that match" not in links(page)
    assert page.one(role="status").text == "15 results, and more"


def test_no_match_says_so_and_what_to_try(acme):
    page = find(acme.client(), "<xyz>")

    assert found(page) == {}
    assert page.one(class_="empty").text == (
        "Nothing matches “<xyz>” Try fewer or other words, or parts of them: of a name, an e-mail address or an"
        " employee number."
    )
    assert page.one(role="status").text == "0 results"
    assert page.one("input", name="q")["value"] == "<xyz>"


def test_names_are_escaped_and_marked(acme):
    acme.person("<img src=x> & Co", email="img@acme.example")

    html = acme.client().get("/find/", {"q": "img <"}).content.decode()

    assert "<img" not in html
    assert "<mark>&lt;img</mark> src=x&gt; &amp; Co" in html
    assert "<mark>img</mark>@acme.example" in html


def test_nothing_of_another_organization_is_found(acme, globex):
    globex.person("Gus Globex")
    directory.create_unit(globex.organization, name="Globex unit", actor=TEST)
    directory.create_group(globex.organization, name="Globex group", actor=TEST)
    client = acme.client()

    assert found(find(client, "globex")) == {}
    for q, act in (("sales", ""), ("support", ""), ("crm", ""), ("", "assign"), ("", "add")):
        for url in links(find(client, q, act)).values():
            assert client.get(url).status_code == 200


# What to do with what is found ---------------------------------------------------------------------------------------


def test_which_license_to_assign(acme):
    client = acme.client(acme.editor)

    page = find(client, act="assign")
    assert page.one("h1").text == "Assign which license?"
    assert found(page) == {"Licenses": ["CRM Basic Northlight", "CRM Professional Northlight"]}
    url = f"/licenses/{acme.allocation.pk}/users/assign/"
    link = page.one("a", href=url)
    assert (link.text, link["hx-get"], link["hx-target"]) == ("CRM Professional", url, "#modal")
    assert page.one("input", name="act")["value"] == "assign"

    assert found(find(client, "prof", "assign")) == {"Licenses": ["CRM Professional Northlight"]}
    assert "or parts of them: of a name." in find(client, "uma", "assign").one(class_="empty").text
    services.cancel(acme.plain, actor=TEST)
    assert found(find(client, act="assign")) == {"Licenses": ["CRM Professional Northlight"]}
    services.cancel(acme.allocation, actor=TEST)
    assert find(client, act="assign").one(class_="empty").text.startswith("No license can be assigned Nothing is")


def test_which_group_or_unit_to_add_people_to(acme):
    client = acme.client(acme.editor)

    page = find(client, act="add")
    assert page.one("h1").text == "Add people to which group or unit?"
    assert found(page) == {"Groups": ["Support"], "Organizational Units": ["Benelux in Sales", "Sales"]}
    assert links(page) == {
        "Support": f"/groups/{acme.group.pk}/add/",
        "Benelux": f"/units/{acme.below.pk}/add/",
        "Sales": f"/units/{acme.unit.pk}/add/",
    }
    assert found(find(client, "supp", "add")) == {"Groups": ["Support"]}

    for place in (acme.group, acme.below, acme.unit):
        place.delete()
    assert find(client, act="add").one(class_="empty").text.startswith("Acme has no groups and no units yet")


@pytest.mark.parametrize("act", ["assign", "add"])
def test_an_act_is_for_who_may_do_it(acme, act):
    assert acme.client(acme.viewer).get("/find/", {"act": act}).status_code == 403


# The page and the dialog ---------------------------------------------------------------------------------------------


def test_it_is_a_dialog_and_a_page(acme):
    client = acme.client(acme.viewer)

    page, dialog = client.get("/find/"), client.get("/find/", headers=HTMX)

    assert "<html" in page.content.decode()
    assert "<html" not in dialog.content.decode()
    for answer in (page, dialog):
        field = read(answer).one("input", name="q")
        assert read(answer).one("label", **{"for": field["id"]}).text == "Search"
    side = read(page).one(id="side").one("a", class_="find")
    assert (side.text, side["href"]) == ("Find…", "/find/")
    assert read(page).one("header", class_="bar").one("a", aria_label="Find")["href"] == "/find/"


def test_who_has_no_role_has_no_find(acme):
    page = read(acme.client(acme.nobody).get("/my-access/"))

    assert "/find/" not in page.links.values()
    assert acme.client(acme.nobody).get("/find/").status_code == 403


@pytest.mark.parametrize(
    "query",
    ["q=%00", "q=a%00da", f"q={'a' * 10_000}", "q=%25", "q=%5C_", "q=%27", "act=x", "act=%00", "act=assign&act=x&q="],
)
def test_whatever_the_address_says(acme, query):
    assert acme.client().get(f"/find/?{query}").status_code == 200


def test_what_no_name_holds_is_left_out(acme):
    client = acme.client()

    assert found(find(client, "\x00 ad\x00a ")) == {"People": ["Ada Admin ada@acme.example"]}
    assert find(client, act="nonsense").one("h1").text == "Find"
    assert find(client, "%").one(class_="empty").text.startswith("Nothing matches “%”")
