"""The same where scripts do not run: every dialog is a page."""

import re

import pytest
from playwright.sync_api import expect

from directory import services as directory
from licensing.kinds import ORGANIZATION, UNITS, USERS
from tests.browser.hands import OF_ASSIGNEE, PLACES, actions, choose_action, expect_message, main, row
from tests.worlds import TEST

pytestmark = [pytest.mark.browser, pytest.mark.browser_context_args(java_script_enabled=False)]


def test_assign_to_users_found_by_different_searches(page, world, visit):
    path = visit("licensing:license_assignees", world.allocation.pk, "users")

    page.get_by_role("link", name="Assign License", exact=True).click()
    expect(page.get_by_role("heading", name="Assign CRM Professional")).to_be_visible()
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.get_by_role("checkbox", name="CRM export").check()
    for word, name in [("nobody", "Uma Nobody"), ("viewer", "Vic Viewer")]:
        page.get_by_label("Search", exact=True).fill(word)
        page.get_by_role("button", name="Search", exact=True).click()
        expect(page.get_by_role("checkbox", name="Ada Admin")).to_have_count(0)
        page.get_by_role("checkbox", name=name).check()
    page.get_by_label("Search", exact=True).fill("")
    page.get_by_role("button", name="Search", exact=True).click()
    expect(page.get_by_text("2 selected")).to_be_visible()
    expect(page.get_by_role("checkbox", name="Uma Nobody")).to_be_checked()
    expect(page.get_by_role("checkbox", name="Ada Admin")).not_to_be_checked()
    expect(page.get_by_role("checkbox", name="CRM export")).to_be_checked()
    page.get_by_role("button", name="Remove Uma Nobody").click()
    expect(page.get_by_text("1 selected")).to_be_visible()
    page.get_by_role("button", name="Assign License", exact=True).click()

    expect(page).to_have_url(re.compile(f"{path}$"))
    expect_message(page, "CRM Professional is now assigned to Vic Viewer, with CRM access and CRM export.")
    expect(row(page, "Vic Viewer")).to_contain_text("CRM export")


@pytest.mark.parametrize(("choice", "name"), [("Groups", "Support"), ("Organization Units", "Sales")])
def test_assign_to_groups_and_units(page, world, visit, choice, name):
    visit("licensing:license_detail", world.allocation.pk)

    page.get_by_role("link", name="Assign License", exact=True).click()
    page.get_by_label("Assign to").get_by_role("link", name=choice, exact=True).click()
    page.get_by_role("button", name="Assign License", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("Choose at least one")
    page.get_by_role("checkbox", name=name, exact=True).check()
    page.get_by_role("button", name="Assign License", exact=True).click()

    expect_message(page, f"CRM Professional is now assigned to {name}")


@pytest.mark.parametrize("place", OF_ASSIGNEE, ids=str)
def test_assign_from_the_assignee(page, world, place):
    page.goto(place.path(world))

    page.get_by_role("link", name="Assign License", exact=True).click()
    page.get_by_role("radio", name="CRM Professional").check()
    page.get_by_role("button", name="Show its optional policies").click()
    expect(page.get_by_role("radio", name="CRM Professional")).to_be_checked()
    page.get_by_role("checkbox", name="CRM export").check()
    if place.kind is UNITS:
        expect(main(page)).to_contain_text("includes 1 unit below")
    page.get_by_role("button", name="Assign License", exact=True).click()

    expect(page).to_have_url(re.compile(f"{place.path(world)}$"))
    who = "the whole organization" if place.kind is ORGANIZATION else place.assignee(world).name
    expect_message(page, f"CRM Professional is now assigned to {who}, with CRM access and CRM export.")
    expect(row(page, "CRM Professional")).to_contain_text("CRM export")


@pytest.mark.parametrize("place", PLACES, ids=str)
def test_manage_optional_policies_and_unassign(page, world, place):
    world.assign(place.assignee(world))
    name = place.row_name(world)
    page.goto(place.path(world))

    choose_action(page, name, "Manage Optional Policies")
    page.get_by_role("checkbox", name="CRM export").check()
    page.get_by_role("button", name="Apply", exact=True).click()
    expect(page).to_have_url(re.compile(f"{place.path(world)}$"))
    expect_message(page, "now has CRM export with CRM Professional.")
    expect(row(page, name)).to_contain_text("CRM export")

    choose_action(page, name, "Unassign License")
    page.get_by_role("link", name="Cancel").click()
    expect(page).to_have_url(re.compile(f"{place.path(world)}$"))
    choose_action(page, name, "Unassign License")
    expect(main(page)).to_contain_text("can no longer use CRM Professional")
    page.get_by_role("button", name="Yes, Remove", exact=True).click()
    expect(page).to_have_url(re.compile(f"{place.path(world)}$"))
    expect_message(page, "CRM Professional is no longer assigned to")
    expect(row(page, name)).to_have_count(0)


def test_lists_are_searched_sorted_and_paged(page, world, visit):
    for number in range(60):
        world.person(f"Person {number:02}")
    visit("licensing:user_list")

    expect(row(page, "Person 45")).to_be_visible()
    page.get_by_role("link", name="Next", exact=True).click()
    expect(row(page, "Person 59")).to_be_visible()
    page.get_by_role("link", name="Previous", exact=True).click()
    page.get_by_role("link", name="User", exact=True).click()
    expect(page.get_by_role("row").nth(1)).to_contain_text("Vic Viewer")
    page.get_by_label("Search users").fill("person 07")
    page.get_by_role("button", name="Search", exact=True).click()
    expect(page.get_by_role("row")).to_have_count(2)
    expect(page.get_by_role("status").filter(has_text="1 person")).to_be_visible()
    expect(page.get_by_role("columnheader", name="User")).to_have_attribute("aria-sort", "descending")


def test_seats_are_a_link_away(page, world, catalogue, visit):
    type(world.allocation).objects.filter(pk=world.allocation.pk).update(seats=3)
    world.assign(world.nobody)
    visit("licensing:license_list")

    page.get_by_role("link", name="Seats in use of CRM Professional").click()

    expect(main(page)).to_contain_text("1 of 3, 2 free")


def test_the_organization_is_switched(page, acme, globex, sign_in, visit):
    directory.create_user(globex.organization, name="Ada", account=acme.admin.account, role="viewer", actor=TEST)
    sign_in(acme.admin)
    visit("licensing:user_list")

    page.get_by_label("Organization: Acme. Switch").click()
    page.get_by_role("button", name="Globex").click()

    expect(page.get_by_label("Organization: Globex. Switch")).to_be_visible()


def test_only_who_may_change_things_sees_how(page, acme, sign_in, visit):
    acme.assign(acme.nobody)
    sign_in(acme.viewer)
    visit("licensing:assignee_licenses", USERS, acme.nobody.pk)

    expect(row(page, "CRM Professional")).to_be_visible()
    expect(actions(page, "CRM Professional")).to_have_count(0)
    expect(page.get_by_role("link", name="Assign License")).to_have_count(0)
