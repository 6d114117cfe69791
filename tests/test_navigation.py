"""Finding the way: navigation, tabs, the first page, and the switch between two organizations of one account."""

import pytest
from django.test import Client

from directory import services as directory
from directory.models import User
from licensing.models import Assignment
from portal.audit.models import AuditEntry
from tests.reading import read
from tests.worlds import PASSWORD, TEST

HTMX = {"HX-Request": "true"}

# Finding the way -----------------------------------------------------------------------------------------------------

MAIN = {
    "Home": "/",
    "Licenses": "/licenses/",
    "Users": "/users/",
    "Groups": "/groups/",
    "Organizational Units": "/units/",
    "Organization": "/organization/",
    "Explain access": "/explain/",
    "Activity": "/activity/",
}


@pytest.mark.parametrize("who", ["viewer", "editor", "admin"])
def test_with_a_role_the_navigation_leads_to_every_page_and_marks_the_current_one(acme, who):
    client = acme.client(getattr(acme, who))

    for label, url in [*MAIN.items(), ("My access", "/my-access/")]:
        page = read(client.get(url))
        assert page.one("nav", aria_label="Main").links == MAIN
        assert page.one("nav", aria_label="You").links["My access"] == "/my-access/"
        assert [link.text for link in page.one(id="side").all("a", aria_current="page")] == [label]


def test_below_a_page_the_navigation_marks_where_one_is(acme):
    client = acme.client()
    current = {
        f"/licenses/{acme.allocation.pk}/groups/": "Licenses",
        f"/users/{acme.nobody.pk}/licenses/": "Users",
        f"/groups/{acme.group.pk}/": "Groups",
        f"/units/{acme.unit.pk}/licenses/": "Organizational Units",
        "/organization/licenses/": "Organization",
    }

    found = {
        url: read(client.get(url)).one("nav", aria_label="Main").one("a", aria_current="page").text for url in current
    }

    assert found == current


def test_the_tabs_of_a_page_mark_the_current_one(acme):
    client = acme.client()
    tabs = {
        f"/licenses/{acme.allocation.pk}/": (["Users", "Groups", "Units", "Access"], "Users"),
        f"/licenses/{acme.allocation.pk}/units/": (["Users", "Groups", "Units", "Access"], "Units"),
        f"/licenses/{acme.allocation.pk}/access/": (["Users", "Groups", "Units", "Access"], "Access"),
        f"/users/{acme.nobody.pk}/": (["Basic Information", "Groups", "Licenses"], "Basic Information"),
        f"/users/{acme.nobody.pk}/groups/": (["Basic Information", "Groups", "Licenses"], "Groups"),
        f"/users/{acme.nobody.pk}/licenses/": (["Basic Information", "Groups", "Licenses"], "Licenses"),
        f"/groups/{acme.group.pk}/": (["Users", "Licenses"], "Users"),
        f"/groups/{acme.group.pk}/licenses/": (["Users", "Licenses"], "Licenses"),
        f"/units/{acme.unit.pk}/": (["Users", "Licenses"], "Users"),
        f"/units/{acme.unit.pk}/licenses/": (["Users", "Licenses"], "Licenses"),
        "/organization/": (["Details", "Licenses"], "Details"),
        "/organization/licenses/": (["Details", "Licenses"], "Licenses"),
    }

    found = {}
    for url in tabs:
        nav = read(client.get(url)).one("nav", class_="tabs")
        found[url] = list(nav.links), nav.one("a", aria_current="page").text

    assert found == tabs


def test_the_first_page_is_home_or_my_access_or_the_administration(acme, catalogue, operator):
    for who in ("admin", "editor", "viewer"):
        assert read(acme.client(getattr(acme, who)).get("/")).one("h1").text == "Acme"
    assert acme.client(acme.nobody).get("/").headers["Location"] == "/my-access/"
    for account in (catalogue.staff, operator):
        client = Client()
        client.force_login(account)
        assert client.get("/").headers["Location"] == "/admin/"


def test_an_account_without_an_active_user_sees_a_page_that_says_so(acme):
    User.objects.filter(pk=acme.viewer.pk).update(is_active=False)
    client = acme.client(acme.viewer)

    home, licenses = client.get("/"), client.get("/licenses/")

    for answer in (home, licenses):
        page = read(answer)
        assert "Your account vic@acme.example is not an active user of any organization" in page.text
        assert {url for url in page.links.values() if url.startswith("/")} == {"/", "/accounts/"}
    assert (home.status_code, licenses.status_code) == (200, 403)


# Two organizations of one account ------------------------------------------------------------------------------------


@pytest.fixture
def cleo(acme, globex):
    """One account with a user in both organizations: editor at acme, viewer at globex."""
    account = directory.create_account(email="cleo@consult.example", name="Cleo", password=PASSWORD, actor=TEST)
    for world, role in ((acme, "editor"), (globex, "viewer")):
        directory.create_user(world.organization, name="Cleo", account=account, role=role, actor=TEST)
    client = Client()
    client.force_login(account)
    return client


def switch(client, world):
    return client.post("/organization/switch/", {"organization": world.organization.pk})


def test_switching_the_organization(acme, globex, cleo):
    side = read(cleo.get("/licenses/")).one(id="side")
    assert side.one("summary")["aria-label"] == "Organization: Acme. Switch"
    assert side.buttons == ["Globex"]
    assert cleo.get(f"/groups/{globex.group.pk}/").status_code == 404

    assert switch(cleo, globex).headers["Location"] == "/"

    side = read(cleo.get("/licenses/")).one(id="side")
    assert side.one("summary")["aria-label"] == "Organization: Globex. Switch"
    assert side.buttons == ["Acme"]
    assert cleo.get(f"/groups/{globex.group.pk}/").status_code == 200
    assert cleo.get(f"/groups/{acme.group.pk}/").status_code == 404
    # the role is that of the organization
    assert cleo.get("/organization/licenses/assign/").status_code == 403


@pytest.mark.parametrize("headers", [{}, HTMX], ids=["page", "dialog"])
def test_a_form_that_was_opened_before_a_switch_is_refused_and_names_both(acme, globex, cleo, headers):
    User.objects.filter(organization=globex.organization, name="Cleo").update(role="editor")
    url = f"/licenses/{acme.allocation.pk}/groups/assign/"
    opened_in = read(cleo.get(url)).one("input", name="opened_in")["value"]
    body = {"opened_in": opened_in, "assignees": acme.group.pk}
    switch(cleo, globex)
    acts = AuditEntry.objects.count()

    page = read(cleo.post(url, body, headers=headers))

    assert page.alerts[None] == (
        "This form was opened in Acme, and since then you switched to Globex. Nothing was changed. Switch back to Acme,"
        " then try again."
    )
    assert (Assignment.objects.count(), AuditEntry.objects.count()) == (0, acts)
    switch(cleo, acme)
    cleo.post(url, body)
    assert Assignment.objects.get().group == acme.group


def test_a_form_of_an_organization_that_one_is_no_longer_in_is_refused(acme, globex, cleo):
    User.objects.filter(organization=acme.organization, name="Cleo").update(is_active=False)
    url = f"/licenses/{acme.allocation.pk}/groups/assign/"

    page = read(cleo.post(url, {"opened_in": acme.organization.pk, "assignees": acme.group.pk}))

    assert "an organization that you are no longer in, and since then you switched to Globex." in page.text
    assert "Acme" not in page.text
    assert Assignment.objects.count() == 0
