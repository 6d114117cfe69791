"""Assign, edit and unassign with the mouse, at every place that the user's document names."""

import re

import pytest
from playwright.sync_api import expect

from directory import services as directory
from licensing.kinds import ORGANIZATION, UNITS, USERS
from licensing.models import Assignment
from tests.browser.hands import (
    OF_ASSIGNEE,
    PLACES,
    actions,
    choose_action,
    dialog,
    expect_message,
    expect_no_load,
    main,
    mark,
    row,
)
from tests.worlds import PASSWORD, TEST

pytestmark = pytest.mark.browser


def test_from_the_sign_in_form_to_two_users_found_by_different_searches(page, acme, visit):
    visit("licensing:license_list")
    page.get_by_label(re.compile("^e-?mail", re.IGNORECASE)).fill(acme.editor.email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("link", name="CRM Professional", exact=True).click()
    expect(page.get_by_label("Main").get_by_role("link", name="Licenses")).to_have_attribute("aria-current", "page")
    mark(page)

    page.get_by_role("link", name="Assign License", exact=True).click()
    expect(dialog(page).get_by_role("heading", name="Assign CRM Professional")).to_be_visible()
    dialog(page).get_by_role("link", name="Users", exact=True).click()
    expect(dialog(page).get_by_role("checkbox", name="Ada Admin")).to_have_accessible_description(
        re.compile("ada@acme.example")
    )
    search = dialog(page).get_by_label("Search", exact=True)
    search.fill("nobody")
    expect(dialog(page).get_by_role("checkbox", name="Ada Admin")).to_have_count(0)
    dialog(page).get_by_role("checkbox", name="Uma Nobody").check()
    expect(dialog(page)).to_contain_text("1 selected")
    search.fill("viewer")
    expect(dialog(page).get_by_role("checkbox", name="Uma Nobody")).to_have_count(0)
    dialog(page).get_by_role("checkbox", name="Vic Viewer").check()
    expect(dialog(page)).to_contain_text("2 selected")
    search.fill("")
    for name, is_ticked in [("Ada Admin", False), ("Uma Nobody", True), ("Vic Viewer", True)]:
        expect(dialog(page).get_by_role("checkbox", name=name)).to_be_checked(checked=is_ticked)
    dialog(page).get_by_role("checkbox", name="CRM export").check()
    dialog(page).get_by_role("button", name="Assign License", exact=True).click()

    expect(dialog(page)).to_be_hidden()
    expect_message(page, re.compile("CRM Professional is now assigned to .* and .*, with CRM access and CRM export."))
    for name in ("Uma Nobody", "Vic Viewer"):
        expect(row(page, name)).to_contain_text("CRM export")
    expect_no_load(page)
    expect(page.get_by_role("link", name="Assign License", exact=True)).to_be_focused()


@pytest.mark.parametrize(
    ("kind", "choice", "names", "description"),
    [
        ("groups", "Groups", ["Support"], "1 person"),
        ("units", "Organization Units", ["Sales"], "includes 1 unit below"),
    ],
    ids=["groups", "units"],
)
def test_assign_to_groups_and_units_from_the_license(page, world, visit, kind, choice, names, description):
    visit("licensing:license_detail", world.allocation.pk)
    mark(page)

    page.get_by_role("link", name="Assign License", exact=True).click()
    dialog(page).get_by_role("link", name=choice, exact=True).click()
    for name in names:
        tick = dialog(page).get_by_role("checkbox", name=name, exact=True)
        expect(tick).to_have_accessible_description(re.compile(description))
        tick.check()
    dialog(page).get_by_role("button", name="Assign License", exact=True).click()

    expect(dialog(page)).to_be_hidden()
    expect_message(page, f"CRM Professional is now assigned to {names[0]}, with CRM access.")
    expect_no_load(page)
    # The page behind is read anew: what is pressed on while it is replaced is not clicked.
    expect(page.locator("#main:not(.htmx-request)")).to_be_visible()
    main(page).get_by_role("link", name="Units" if kind == "units" else choice, exact=True).click()
    expect(row(page, names[0])).to_be_visible()


@pytest.mark.parametrize("place", OF_ASSIGNEE, ids=str)
def test_assign_from_the_assignee(page, world, place):
    page.goto(place.path(world))
    expect(main(page).get_by_role("link", name="Licenses", exact=True)).to_have_attribute("aria-current", "page")
    mark(page)

    page.get_by_role("link", name="Assign License", exact=True).click()
    # the policies follow the license that is chosen
    dialog(page).get_by_role("radio", name="CRM Basic").check()
    expect(dialog(page)).to_contain_text("This license has no optional policies")
    dialog(page).get_by_role("radio", name="CRM Professional").check()
    dialog(page).get_by_role("checkbox", name="CRM administration").check()
    expect(dialog(page).get_by_text("CRM access", exact=True)).to_be_visible()
    expect(dialog(page).get_by_role("checkbox", name="CRM access")).to_have_count(0)
    if place.kind is UNITS:
        expect(dialog(page)).to_contain_text("includes 1 unit below")
    dialog(page).get_by_role("button", name="Assign License", exact=True).click()

    expect(dialog(page)).to_be_hidden()
    who = "the whole organization" if place.kind is ORGANIZATION else place.assignee(world).name
    expect_message(page, f"CRM Professional is now assigned to {who}, with CRM access and CRM administration.")
    expect(row(page, "CRM Professional")).to_contain_text("Direct")
    expect(row(page, "CRM Professional")).to_contain_text("CRM administration")
    expect_no_load(page)
    expect(page.get_by_role("link", name="Assign License", exact=True)).to_be_focused()


def test_focus_goes_to_the_page_when_nothing_is_left_to_assign(page, world, visit):
    world.assign(world.nobody, world.plain)
    visit("licensing:assignee_licenses", USERS, world.nobody.pk)

    page.get_by_role("link", name="Assign License", exact=True).click()
    dialog(page).get_by_role("radio", name="CRM Professional").check()
    dialog(page).get_by_role("button", name="Assign License", exact=True).click()

    expect(page.get_by_role("link", name="Assign License", exact=True)).to_have_count(0)
    expect(main(page)).to_be_focused()


@pytest.mark.parametrize("place", PLACES, ids=str)
def test_manage_optional_policies(page, world, catalogue, place):
    world.assign(place.assignee(world), policies=[catalogue.export])
    name = place.row_name(world)
    page.goto(place.path(world))
    mark(page)

    choose_action(page, name, "Manage Optional Policies")
    expect(dialog(page).get_by_role("checkbox", name="CRM export")).to_be_checked()
    dialog(page).get_by_role("checkbox", name="CRM export").uncheck()
    dialog(page).get_by_role("checkbox", name="CRM administration").check()
    dialog(page).get_by_role("button", name="Apply", exact=True).click()

    expect(dialog(page)).to_be_hidden()
    expect_message(page, "now has CRM administration and no longer has CRM export with CRM Professional.")
    expect(row(page, name)).to_contain_text("CRM administration")
    expect(row(page, name)).not_to_contain_text("CRM export")
    expect_no_load(page)
    expect(actions(page, name)).to_be_focused()


CONSEQUENCE = {
    "users": "Uma Nobody can no longer use CRM Professional",
    "groups": "Uma Nobody can no longer use CRM Professional",
    "units": "Uma Nobody can no longer use CRM Professional",
    "organization": "4 people can no longer use CRM Professional",
}


@pytest.mark.parametrize("place", PLACES, ids=str)
def test_unassign_license(page, world, place):
    world.assign(place.assignee(world))
    name = place.row_name(world)
    page.goto(place.path(world))
    mark(page)

    choose_action(page, name, "Unassign License")
    expect(dialog(page).get_by_role("heading", name="Unassign CRM Professional from")).to_be_visible()
    expect(dialog(page)).to_contain_text(CONSEQUENCE[str(place.kind)])
    dialog(page).get_by_role("button", name="Yes, Remove", exact=True).click()

    expect(dialog(page)).to_be_hidden()
    expect_message(page, "CRM Professional is no longer assigned to")
    expect(row(page, name)).to_have_count(0)
    expect_no_load(page)
    expect(main(page)).to_be_focused()


def test_the_whole_organization_on_the_page_of_a_license(page, world, visit):
    visit("licensing:license_detail", world.allocation.pk)

    page.get_by_role("link", name="Assign to everyone").click()
    expect(dialog(page).get_by_role("radio", name="CRM Professional")).to_be_checked()
    dialog(page).get_by_role("checkbox", name="CRM export").check()
    dialog(page).get_by_role("button", name="Assign License", exact=True).click()
    expect_message(page, "CRM Professional is now assigned to the whole organization")
    choose_action(page, "Whole organization", "Unassign License")
    dialog(page).get_by_role("button", name="Yes, Remove", exact=True).click()

    expect(page.get_by_role("link", name="Assign to everyone")).to_be_visible()
    assert not Assignment.objects.exists()


@pytest.mark.parametrize("place", ["group", "unit"])
def test_joining_and_leaving_show_at_once_on_the_persons_licenses(page, world, place):
    thing = world.group if place == "group" else world.unit
    label = "Group: Support" if place == "group" else "Unit: Sales"
    world.assign(thing)
    there, licenses = f"/{place}s/{thing.pk}/", f"/users/{world.viewer.pk}/licenses/"

    page.goto(there)
    page.get_by_role("link", name="Add people").click()
    dialog(page).get_by_role("checkbox", name="Vic Viewer").check()
    dialog(page).get_by_role("button", name="Add people").click()
    expect(row(page, "Vic Viewer")).to_be_visible()
    expect_message(page, "Vic Viewer")
    page.goto(licenses)
    expect(row(page, "CRM Professional")).to_contain_text(label)
    expect(actions(page, "CRM Professional")).to_have_count(0)
    page.get_by_role("link", name=label).click()
    expect(page).to_have_url(re.compile(there))

    page.goto(there)
    choose_action(page, "Vic Viewer", f"Remove from {thing.name}")
    dialog(page).get_by_role("button", name="Remove", exact=True).click()
    expect(row(page, "Vic Viewer")).to_have_count(0)
    page.goto(licenses)
    expect(page.get_by_role("heading", name="Vic Viewer has no license")).to_be_visible()


def test_switching_organizations(page, acme, globex, sign_in, visit):
    guest = directory.create_user(
        globex.organization, name="Ada Guest", account=acme.admin.account, role="viewer", actor=TEST
    )
    acme.assign(acme.group)
    sign_in(acme.admin)
    visit("directory:group_list")
    expect(page.get_by_role("link", name="Support", exact=True)).to_have_attribute("href", f"/groups/{acme.group.pk}/")

    page.get_by_label("Organization: Acme. Switch").click()
    page.get_by_role("button", name="Globex").click()

    expect(page.get_by_label("Organization: Globex. Switch")).to_be_visible()
    page.get_by_role("link", name="Groups", exact=True).click()
    expect(page.get_by_role("link", name="Support", exact=True)).to_have_attribute(
        "href", f"/groups/{globex.group.pk}/"
    )
    page.goto(f"/users/{guest.pk}/")
    expect(page.get_by_role("heading", name="Ada Guest")).to_be_visible()
    expect(page.get_by_role("link", name="Assign License")).to_have_count(0)  # a viewer here
