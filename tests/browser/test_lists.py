"""Lists with a search that answers while one types, and the menu of a row."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.hands import actions, expect_no_load, main, mark, row

pytestmark = pytest.mark.browser


def test_the_search_field_keeps_focus_and_caret(page, world, visit):
    visit("licensing:user_list")
    mark(page)
    search = page.get_by_label("Search users")
    search.click()

    page.keyboard.type("viwer", delay=30)
    expect(page.get_by_role("heading", name="Nothing matches “viwer”")).to_be_visible()
    for _ in range(3):
        page.keyboard.press("ArrowLeft")
    page.keyboard.type("e")

    expect(search).to_have_value("viewer")
    expect(row(page, "Vic Viewer")).to_be_visible()
    expect(page.get_by_role("row")).to_have_count(2)
    expect(page.get_by_role("status").filter(has_text="1 person")).to_be_visible()
    expect(search).to_be_focused()
    assert search.evaluate("field => field.selectionStart") == 3
    expect_no_load(page)


def test_back_after_a_search_shows_a_whole_page(page, world, visit):
    visit("licensing:user_list")
    page.get_by_label("Search users").fill("viewer")
    expect(page).to_have_url(re.compile(r"\?q=viewer"))
    page.get_by_role("link", name="Vic Viewer", exact=True).click()
    expect(page.get_by_role("heading", name="Vic Viewer")).to_be_visible()

    page.go_back()

    expect(page.get_by_role("navigation", name="Main")).to_be_visible()
    expect(page.get_by_role("heading", name="Users")).to_be_visible()
    expect(row(page, "Vic Viewer")).to_be_visible()
    expect(page.get_by_role("row")).to_have_count(2)
    page.go_forward()
    expect(page.get_by_role("navigation", name="Main")).to_be_visible()


def test_a_field_that_narrows_suggests_when_it_is_entered(page, world, visit):
    visit("licensing:user_list")
    mark(page)
    field = page.get_by_label("Organizational unit")
    options = page.locator("#narrow_unit_options option")
    expect(options).to_have_count(0)
    field.focus()
    expect(options).to_have_count(2)
    field.fill("bene")
    expect(options).to_have_count(1)

    field.fill(options.first.get_attribute("value"))
    field.press("Tab")
    expect(page).to_have_url(re.compile(r"unit=Sales"))
    expect(row(page, "Uma Nobody")).to_be_visible()
    expect(page.get_by_role("row")).to_have_count(2)
    expect_no_load(page)


def test_a_refresh_keeps_what_was_searched(page, world, visit):
    for person in (world.viewer, world.nobody):
        world.assign(person)
    visit("licensing:license_assignees", world.allocation.pk, "users")
    page.get_by_label("Search users").fill("viewer")
    expect(row(page, "Uma Nobody")).to_have_count(0)

    actions(page, "Vic Viewer").click()
    page.get_by_role("link", name="Manage Optional Policies").locator("visible=true").click()
    page.get_by_role("checkbox", name="CRM export").check()
    page.get_by_role("button", name="Apply").click()

    expect(row(page, "Vic Viewer")).to_contain_text("CRM export")
    expect(row(page, "Uma Nobody")).to_have_count(0)
    expect(page.get_by_label("Search users")).to_have_value("viewer")


@pytest.mark.parametrize("width", [1280, 360])
def test_the_menu_of_the_last_row(page, world, visit, width):
    page.set_viewport_size({"width": width, "height": 640})
    for number in range(12):
        world.assign(world.person(f"Person {number:02}"))
    visit("licensing:license_assignees", world.allocation.pk, "users")

    actions(page, "Person 11").click()
    items = [
        page.get_by_role("link", name=name, exact=True).locator("visible=true")
        for name in ("Manage Optional Policies", "Unassign License")
    ]
    for item in items:
        item.scroll_into_view_if_needed()
        expect(item).to_be_in_viewport(ratio=1)
        assert item.evaluate(
            """item => {
                const box = item.getBoundingClientRect();
                return item.contains(document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2));
            }"""
        ), "something lies over it or clips it"

    page.mouse.click(5, 5)
    expect(items[0]).to_be_hidden()


def test_one_menu_is_open_at_a_time(page, world, visit):
    for person in (world.viewer, world.nobody):
        world.assign(person)
    visit("licensing:license_assignees", world.allocation.pk, "users")

    actions(page, "Uma Nobody").click()
    actions(page, "Vic Viewer").press("Enter")  # it lies below the open menu

    expect(page.get_by_role("link", name="Unassign License").locator("visible=true")).to_have_count(1)


def test_units_open_and_close_in_place(page, world, visit):
    visit("directory:unit_list")
    mark(page)

    page.get_by_role("link", name="Units below Sales").click()
    expect(page.get_by_role("link", name="Benelux", exact=True)).to_be_visible()
    expect(page.get_by_role("link", name="Units below Sales")).to_be_focused()
    page.get_by_role("link", name="Units below Sales").click()

    expect(page.get_by_role("link", name="Benelux", exact=True)).to_have_count(0)
    expect_no_load(page)


def test_the_sidebar_of_a_phone(page, world, visit):
    page.set_viewport_size({"width": 360, "height": 740})
    visit("licensing:license_list")
    expect(page.get_by_role("link", name="Groups", exact=True)).to_be_hidden()

    page.get_by_role("button", name="Menu").click()
    page.get_by_role("link", name="Groups", exact=True).click()

    expect(main(page).get_by_role("heading", name="Groups")).to_be_visible()
    page.get_by_role("button", name="Menu").click()
    page.keyboard.press("Escape")
    expect(page.get_by_role("link", name="Users", exact=True)).to_be_hidden()
