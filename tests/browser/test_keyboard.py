"""The same without a mouse, and where the focus is: never nowhere."""

import pytest
from playwright.sync_api import expect

from tests.browser.hands import PLACES, actions, dialog, expect_message, main, row

pytestmark = pytest.mark.browser


@pytest.fixture
def press(page):
    """Press a key; the focus must be somewhere afterwards, also while an answer is on its way."""

    def press(key):
        page.keyboard.press(key)
        assert page.evaluate("document.activeElement !== document.body"), f"after {key} the focus was lost"

    return press


@pytest.fixture
def tab_to(page, press):
    """Press Tab (or another key) until something has the focus."""

    def tab_to(locator, key="Tab"):
        expect(locator).to_be_visible()
        for _ in range(80):
            if locator.evaluate("element => element === document.activeElement"):
                return
            press(key)
        pytest.fail(f"Tab does not lead to {locator}")

    return tab_to


@pytest.mark.parametrize("kind", ["Users", "Groups", "Organization Units"])
def test_assign_from_the_license(page, world, visit, press, tab_to, kind):
    name = {"Users": "Uma Nobody", "Groups": "Support", "Organization Units": "Sales"}[kind]
    visit("licensing:license_detail", world.allocation.pk)
    main(page).focus()

    tab_to(page.get_by_role("link", name="Assign License", exact=True))
    press("Enter")
    expect(dialog(page).get_by_label("Search", exact=True)).to_be_focused()
    press("Escape")
    expect(dialog(page)).to_be_hidden()
    expect(page.get_by_role("link", name="Assign License", exact=True)).to_be_focused()

    press("Enter")
    tab_to(dialog(page).get_by_role("link", name=kind, exact=True), "Shift+Tab")
    press("Enter")
    expect(dialog(page).get_by_role("link", name=kind, exact=True)).to_have_attribute("aria-current", "true")
    tab_to(dialog(page).get_by_label("Search", exact=True))
    page.keyboard.type(name)
    expect(dialog(page).get_by_role("checkbox")).to_have_count(3)  # it and the two policies
    tab_to(dialog(page).get_by_role("checkbox", name=name))
    press("Space")
    expect(dialog(page)).to_contain_text("1 selected")
    expect(dialog(page).get_by_role("checkbox", name=name)).to_be_focused()
    tab_to(dialog(page).get_by_role("checkbox", name="CRM export"))
    press("Space")
    tab_to(dialog(page).get_by_role("button", name="Assign License", exact=True))
    press("Enter")

    expect(dialog(page)).to_be_hidden()
    expect_message(page, f"CRM Professional is now assigned to {name}, with CRM access and CRM export.")
    expect(page.get_by_role("link", name="Assign License", exact=True)).to_be_focused()


def test_taking_a_choice_back_keeps_the_focus_in_the_dialog(page, world, visit, press, tab_to):
    visit("licensing:license_detail", world.allocation.pk)
    page.get_by_role("link", name="Assign License", exact=True).press("Enter")
    tab_to(dialog(page).get_by_role("checkbox", name="Uma Nobody"))
    press("Space")

    tab_to(dialog(page).get_by_role("button", name="Remove Uma Nobody"), "Shift+Tab")
    press("Enter")

    expect(dialog(page).get_by_role("button", name="Remove Uma Nobody")).to_have_count(0)
    expect(dialog(page).get_by_role("checkbox", name="Uma Nobody")).not_to_be_checked()
    expect(dialog(page).get_by_label("Search", exact=True)).to_be_focused()


def test_assign_from_the_assignee(page, world, visit, press, tab_to):
    visit("licensing:organization_licenses")

    tab_to(page.get_by_role("link", name="Assign License", exact=True))
    press("Enter")
    expect(dialog(page).get_by_role("radio", name="CRM Basic")).to_be_focused()
    press("Space")
    expect(dialog(page)).to_contain_text("This license has no optional policies")
    press("ArrowDown")
    expect(dialog(page).get_by_role("radio", name="CRM Professional")).to_be_checked()
    tab_to(dialog(page).get_by_role("checkbox", name="CRM export"))
    press("Space")
    tab_to(dialog(page).get_by_role("button", name="Assign License", exact=True))
    press("Space")

    expect_message(page, "CRM Professional is now assigned to the whole organization, with CRM access and CRM export.")


@pytest.mark.parametrize("place", PLACES, ids=str)
def test_unassign(page, world, press, tab_to, place):
    world.assign(place.assignee(world))
    name = place.row_name(world)
    page.goto(place.path(world))
    menu = actions(page, name)
    remove = page.get_by_role("link", name="Unassign License", exact=True)

    tab_to(menu)
    press("Enter")
    expect(remove).to_be_visible()
    press("Escape")
    expect(remove).to_be_hidden()
    expect(menu).to_be_focused()

    press("Enter")
    tab_to(remove)
    press("Enter")
    expect(dialog(page).get_by_role("button", name="Yes, Remove", exact=True)).to_be_visible()
    press("Escape")
    expect(dialog(page)).to_be_hidden()
    expect(menu).to_be_focused()

    press("Enter")
    tab_to(remove)
    press("Enter")
    tab_to(dialog(page).get_by_role("button", name="Yes, Remove", exact=True))
    press("Enter")
    expect(row(page, name)).to_have_count(0)
    expect_message(page, "CRM Professional is no longer assigned to")
    expect(main(page)).to_be_focused()


def test_a_menu_that_the_focus_leaves_closes(page, world, visit, press, tab_to):
    world.assign(world.group)
    visit("licensing:license_assignees", world.allocation.pk, "groups")
    tab_to(actions(page, "Support"))
    press("Enter")
    tab_to(page.get_by_role("link", name="Unassign License", exact=True))

    page.keyboard.press("Shift+Tab")
    expect(page.get_by_role("link", name="Change dates", exact=True)).to_be_focused()
    for _ in range(3):
        page.keyboard.press("Shift+Tab")

    expect(page.get_by_role("link", name="Unassign License", exact=True)).to_be_hidden()


def test_skip_to_the_content(page, world, visit, press):
    visit("licensing:user_list")

    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    press("Enter")

    expect(main(page)).to_be_focused()
