"""Find, with the keys alone, in the dialog and as a page; and Home, whose acts begin with it."""

import re

import pytest
from playwright.sync_api import expect

from tests.browser.hands import dialog, expect_message, expect_no_load, main, mark, row
from tests.browser.test_accessibility import look

pytestmark = pytest.mark.browser


def field(page):
    return page.get_by_label("Search", exact=True)


def result(page, name):
    return page.locator("#find-results").get_by_role("link", name=name, exact=True)


@pytest.mark.parametrize("key", ["Control+k", "Meta+k"])
def test_the_keys_alone(page, world, visit, key):
    visit("licensing:user_list")
    search = page.get_by_label("Search users")
    search.focus()

    page.keyboard.press(key)
    expect(dialog(page).get_by_role("heading", name="Find")).to_be_visible()
    expect(field(page)).to_be_focused()
    expect(result(page, "Activity")).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog(page)).to_be_hidden()
    expect(search).to_be_focused()

    page.keyboard.press(key)
    expect(field(page)).to_be_focused()
    page.keyboard.type("supprt", delay=20)
    expect(dialog(page)).to_contain_text("Nothing matches “supprt”")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    page.keyboard.type("o")
    expect(result(page, "Support")).to_be_visible()
    expect(field(page)).to_be_focused()
    assert field(page).evaluate("field => field.selectionStart") == 5
    expect(dialog(page).get_by_role("status")).to_have_text("1 result")
    page.keyboard.press("Enter")

    expect(page).to_have_url(re.compile(f"/groups/{world.group.pk}/$"))


def test_enter_opens_what_was_typed_also_before_the_answer_is_there(page, world, visit):
    visit("licensing:user_list")
    page.keyboard.press("Control+k")
    expect(field(page)).to_be_focused()

    page.keyboard.type("Uma")
    page.keyboard.press("Enter")

    expect(page).to_have_url(re.compile(f"/users/{world.nobody.pk}/$"))


def test_arrows_go_through_what_was_found(page, world, visit):
    visit("licensing:user_list")
    page.keyboard.press("Control+k")
    expect(field(page)).to_be_focused()
    page.keyboard.type("sal")
    expect(result(page, "Sales")).to_be_visible()
    page.keyboard.press("Control+a")
    page.keyboard.type("crm")
    expect(dialog(page).get_by_role("status")).to_have_text("2 results")  # to all of it, not to its first letter

    page.keyboard.press("ArrowUp")
    expect(field(page)).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(result(page, "CRM Basic")).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")  # there is no more
    expect(result(page, "CRM Professional")).to_be_focused()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    expect(field(page)).to_be_focused()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")

    expect(page).to_have_url(re.compile(f"/licenses/{world.plain.pk}/$"))


def test_escape_closes_it_also_after_something_was_typed(page, world, visit):
    visit("licensing:home")
    page.get_by_role("link", name="Find a person").click()
    expect(field(page)).to_be_focused()
    page.keyboard.type("uma")
    expect(result(page, "Uma Nobody")).to_be_visible()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Escape")

    expect(dialog(page)).to_be_hidden()
    expect(page.get_by_role("link", name="Find a person")).to_be_focused()


def test_the_keys_lead_to_the_field_of_the_page(page, world, visit):
    visit("licensing:find")
    main(page).focus()

    page.keyboard.press("Control+k")

    expect(field(page)).to_be_focused()
    expect(dialog(page)).to_be_hidden()
    page.keyboard.type("uma")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(f"/users/{world.nobody.pk}/$"))


def test_the_keys_open_it_again_at_the_moment_it_closes(page, world, visit):
    """A dialog says that it closed a moment later; the keys may come in between."""
    visit("licensing:user_list")
    page.keyboard.press("Control+k")
    expect(field(page)).to_be_focused()

    page.evaluate(
        """() => {
            document.getElementById("modal").close();
            document.dispatchEvent(new KeyboardEvent("keydown", { key: "k", ctrlKey: true }));
        }"""
    )

    expect(field(page)).to_be_focused()
    expect(dialog(page)).to_be_visible()


def test_the_keys_open_nothing_over_another_dialog(page, world, visit):
    visit("licensing:license_detail", world.allocation.pk)
    page.get_by_role("link", name="Assign License", exact=True).click()
    expect(field(page)).to_be_focused()
    asked = []
    page.on("request", lambda request: asked.append(request.url))

    page.keyboard.press("Control+k")

    page.keyboard.type("uma")
    expect(dialog(page).get_by_role("status")).to_contain_text("1 of ")
    expect(dialog(page).get_by_role("heading", name="Assign CRM Professional")).to_be_visible()
    assert [url for url in asked if "/find/" in url] == []


def test_assign_from_home(page, world, visit):
    visit("licensing:home")
    mark(page)

    page.get_by_role("link", name="Assign License", exact=True).click()
    expect(dialog(page).get_by_role("heading", name="Assign which license?")).to_be_visible()
    page.keyboard.type("prof")
    page.keyboard.press("Enter")
    expect(dialog(page).get_by_role("heading", name="Assign CRM Professional")).to_be_visible()
    expect(field(page)).to_be_focused()
    dialog(page).get_by_role("checkbox", name="Uma Nobody").check()
    expect(dialog(page)).to_contain_text("1 selected")
    dialog(page).get_by_role("button", name="Assign License", exact=True).click()

    expect(dialog(page)).to_be_hidden()
    expect_message(page, "CRM Professional is now assigned to Uma Nobody")
    expect(page.get_by_role("link", name="Assign License", exact=True)).to_be_focused()
    expect(main(page)).to_contain_text("assigned CRM Professional to Uma Nobody")
    expect(main(page).get_by_role("link", name="All 3 people")).to_be_visible()
    expect_no_load(page)


def test_add_people_from_home(page, world, visit):
    visit("licensing:home")

    page.get_by_role("link", name="Add people", exact=True).click()
    result(page, "Support").click()
    dialog(page).get_by_role("checkbox", name="Vic Viewer").check()
    expect(dialog(page)).to_contain_text("1 selected")
    dialog(page).get_by_role("button", name="Add people", exact=True).click()

    expect_message(page, "Vic Viewer joined Support.")
    expect(page.get_by_role("link", name="Add people", exact=True)).to_be_focused()


def test_who_has_no_license_gets_one_from_home(page, world, visit):
    visit("licensing:home")

    page.get_by_role("link", name="Assign License to Eva Editor").click()
    dialog(page).get_by_role("radio", name="CRM Basic").check()
    dialog(page).get_by_role("button", name="Assign License", exact=True).click()

    expect_message(page, "CRM Basic is now assigned to Eva Editor")
    expect(main(page).get_by_role("link", name="Assign License to Eva Editor")).to_have_count(0)
    expect(main(page).get_by_role("link", name="Assign License to Uma Nobody")).to_be_visible()


def test_find_on_a_phone(page, world, visit):
    page.set_viewport_size({"width": 360, "height": 740})
    visit("licensing:home")

    page.get_by_role("link", name="Find", exact=True).click()
    expect(field(page)).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("link", name="Find", exact=True)).to_be_focused()
    page.get_by_role("button", name="Menu").click()
    page.get_by_role("link", name="Find…").click()
    expect(field(page)).to_be_focused()
    page.keyboard.type("Uma")
    result(page, "Uma Nobody").click()

    expect(page).to_have_url(re.compile(f"/users/{world.nobody.pk}/$"))


@pytest.mark.parametrize("path", ["/", "/find/", "/find/?q=e", "/find/?q=xyz", "/users/without-license/"])
def test_the_pages_have_nothing_to_find_fault_with(page, world, path):
    world.person("Ina Inactive", is_active=False)
    world.assign(world.nobody)
    page.goto(path)
    page.wait_for_load_state("networkidle")

    assert look(page) == []


@pytest.mark.parametrize("act", ["", "Assign License", "Add people"])
def test_the_dialogs_have_nothing_to_find_fault_with(page, world, visit, act):
    visit("licensing:home")
    page.get_by_role("link", name=act or "Find a person", exact=True).click()
    expect(field(page)).to_be_focused()
    page.keyboard.type("s")
    expect(dialog(page).get_by_role("status")).to_contain_text("result")

    assert look(page) == []


@pytest.mark.browser_context_args(java_script_enabled=False)
def test_without_javascript_it_is_a_page(page, world, visit):
    visit("licensing:home")

    page.get_by_role("link", name="Find…").click()
    field(page).fill("uma")
    page.get_by_role("button", name="Search", exact=True).click()
    expect(page).to_have_url(re.compile(r"/find/\?q=uma$"))
    result(page, "Uma Nobody").click()
    expect(page.get_by_role("heading", name="Uma Nobody")).to_be_visible()


@pytest.mark.browser_context_args(java_script_enabled=False)
def test_without_javascript_home_leads_to_everything(page, world, visit):
    visit("licensing:home")
    page.get_by_role("link", name="All of them").click()
    expect(row(page, "Vic Viewer")).to_be_visible()

    visit("licensing:home")
    page.get_by_role("link", name="Assign License", exact=True).click()
    result(page, "CRM Professional").click()
    page.get_by_role("checkbox", name="Uma Nobody").check()
    page.get_by_role("button", name="Assign License", exact=True).click()

    expect_message(page, "CRM Professional is now assigned to Uma Nobody")
    expect(row(page, "Uma Nobody")).to_be_visible()
