"""What the hand meets: searching, clicking twice, going back, and where the focus goes."""

import re

import pytest
from playwright.sync_api import expect

from licensing import services
from licensing.kinds import USERS
from licensing.models import Assignment
from portal.audit.models import AuditEntry
from tests.browser.hands import actions, choose_action, dialog, expect_message, main, row, settle
from tests.browser.sights import (
    FOCUS,
    SHIFTED,
    SHIFTS,
    assign,
    dates,
    message,
    page_at,
    policies,
    row_menu,
    unassign,
)
from tests.worlds import TEST

pytestmark = pytest.mark.browser

without_javascript = pytest.mark.browser_context_args(java_script_enabled=False)

# Searching ------------------------------------------------------------------------------------------------------------


def test_searching_in_a_dialog_keeps_the_field_its_place_and_the_caret(page, busy):
    for number in range(20):
        busy.person(f"Person {number}")
    assign(page, busy)
    search = dialog(page).get_by_label("Search", exact=True)
    settle(page)
    place = search.bounding_box()

    page.keyboard.type("nobdy")
    expect(dialog(page).get_by_role("checkbox", name="Person 1", exact=True)).to_have_count(0)
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    page.keyboard.type("o")

    expect(dialog(page).get_by_role("checkbox", name="Uma Nobody")).to_be_visible()
    expect(search).to_be_focused()
    assert search.evaluate("field => [field.value, field.selectionStart]") == ["nobody", 4]
    assert search.bounding_box() == place


def test_searching_a_list_shifts_nothing(page, busy):
    page.add_init_script(SHIFTS)
    for number in range(20):
        busy.person(f"Person {number}")
    page.goto("/users/")

    page.get_by_label("Search users").fill("viewer")  # as pasting, which does not count as input

    expect(page.get_by_role("row")).to_have_count(2)
    settle(page)
    assert page.evaluate(SHIFTED) == []


@pytest.mark.parametrize("where", ["list", "dialog"])
def test_a_search_says_its_result_in_a_region_that_was_there_before(page, busy, where):
    """A live region that comes together with its text is not read out everywhere."""
    page_at("/users/")(page, busy) if where == "list" else assign(page, busy)
    scope = main(page) if where == "list" else dialog(page)
    region = scope.get_by_role("status")
    region.evaluate("region => { region.wasThere = true; }")

    scope.get_by_role("searchbox").fill("viewer")

    expect(region).to_have_text("1 person" if where == "list" else re.compile("^1 of 4 active people"))
    assert region.evaluate("region => region.wasThere === true")


def test_an_outcome_is_said_in_a_region_that_was_there_before(page, busy):
    policies(page, busy)
    page.locator("#messages").evaluate("region => { region.wasThere = true; }")

    dialog(page).get_by_role("button", name="Apply", exact=True).click()

    region = page.get_by_role("status").filter(has_text="Nothing changed.")
    expect(region).to_be_visible()
    assert region.evaluate("region => region.wasThere === true")


# Clicking twice -------------------------------------------------------------------------------------------------------


def fill_in(page):
    """Change what a dialog asks for, so that there is something to do."""
    for label in ("Uma Nobody", "CRM administration"):
        for tick in page.get_by_role("checkbox", name=label).all():
            tick.check()
    for until in page.get_by_label("Until", exact=True).locator("visible=true").all():
        until.fill("2090-01-01")


def test_a_double_click_on_what_confirms_does_it_once_and_says_so_once(page, busy):
    for opened, button, more in [
        (assign, "Assign License", 1),
        (policies, "Apply", 0),
        (dates, "Apply", 0),
        (unassign, "Yes, Remove", -1),
    ]:
        opened(page, busy)
        fill_in(page)
        acts, assignments = AuditEntry.objects.count(), Assignment.objects.count()

        dialog(page).get_by_role("button", name=button, exact=True).dblclick()

        expect(dialog(page)).to_be_hidden()
        expect(page.get_by_role("button", name="Close message")).to_have_count(1)
        assert (AuditEntry.objects.count(), Assignment.objects.count()) == (acts + 1, assignments + more), opened


@without_javascript
@pytest.mark.postgres  # on SQLite the tests' server shares one connection, which two requests at once do not survive
def test_without_javascript_a_double_click_does_it_once_too(page, busy):
    row = busy.allocation.assignments.get(group=busy.group).pk
    for path, button in [
        (f"/licenses/{busy.allocation.pk}/users/assign/", "Assign License"),
        (f"/assignments/{row}/policies/", "Apply"),
        (f"/assignments/{row}/unassign/", "Yes, Remove"),
    ]:
        page.goto(path)
        fill_in(page)
        acts = AuditEntry.objects.count()

        page.get_by_role("button", name=button, exact=True).dblclick()

        expect(page.get_by_role("button", name=button, exact=True)).to_have_count(0)  # it leads back
        assert AuditEntry.objects.count() == acts + 1, path


@pytest.mark.parametrize("width", [1280, 360])
def test_the_second_click_on_a_row_menu_is_not_for_what_lay_below_it(page, busy, width):
    page.set_viewport_size({"width": width, "height": 740})
    people = [busy.person(f"Person {number:02}") for number in range(14)]
    services.assign(busy.plain, kind=USERS, assignees=people, actor=TEST)
    page.goto(f"/licenses/{busy.plain.pk}/")
    address = page.url
    actions(page, "Person 01").click()
    settle(page)
    x, y = page.locator("details[open]").evaluate(
        """menu => {
            const { left, right, top, bottom } = menu.querySelector(".menu").getBoundingClientRect();
            const hit = (x, y, what, open) => {
                menu.open = open;
                return document.elementFromPoint(x, y)?.closest(what);
            };
            for (let x = left; x < right; x += 4)
                for (let y = top; y < bottom; y += 4)
                    if (hit(x, y, "main a, main summary", false) && hit(x, y, ".menu a", true)) return [x, y];
        }"""
    )

    page.mouse.dblclick(x, y)

    expect(dialog(page)).to_be_visible()
    expect(page).to_have_url(address)
    expect(page.locator("details[open]")).to_have_count(0)


def test_the_second_click_on_unassign_does_not_confirm_it(page, busy):
    """On a phone the button of the dialog lies where the item of the menu was."""
    page.set_viewport_size({"width": 360, "height": 740})
    row_menu(page, busy)
    settle(page)
    box = page.get_by_role("link", name="Unassign License", exact=True).bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.75, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.up()
    expect(dialog(page).get_by_role("button", name="Yes, Remove")).to_be_visible()
    settle(page)
    sent = []
    page.on("request", lambda request: sent.append(request.method))

    page.mouse.down(click_count=2)
    page.mouse.up(click_count=2)

    settle(page)
    assert "POST" not in sent
    expect(dialog(page)).to_be_visible()


def test_a_double_click_on_a_tab_is_one_step_for_the_back_button(page, busy):
    page_at("/licenses/{world.allocation.pk}/")(page, busy)

    main(page).get_by_role("link", name="Groups", exact=True).dblclick()
    expect(row(page, "Support")).to_be_visible()
    page.go_back()

    expect(row(page, "Vic Viewer")).to_be_visible()


# Back, and the address ------------------------------------------------------------------------------------------------


def test_back_leads_to_the_same_search_results_and_place(page, busy):
    for number in range(40):
        busy.person(f"Person {number:02}")
    page.goto("/users/")
    page.get_by_label("Search users").fill("person")
    expect(page.get_by_role("row")).to_have_count(41)
    # Where it is left: to click, the browser may have to scroll a little more.
    page.evaluate("scrollTo(0, 900); addEventListener('pagehide', () => { sessionStorage.left = scrollY; })")
    address = page.url
    row(page, "Person 22").get_by_role("link").first.click()
    expect(page.get_by_role("heading", name="Person 22")).to_be_visible()

    page.go_back()

    expect(page).to_have_url(address)
    expect(page.get_by_label("Search users")).to_have_value("person")
    expect(page.get_by_role("row")).to_have_count(41)
    left = int(page.evaluate("sessionStorage.left"))
    assert left > 0
    for _ in range(50):  # not wait_for_function(): it asks by eval(), which the page forbids
        if page.evaluate("scrollY") == left:
            break
        page.wait_for_timeout(100)
    assert page.evaluate("scrollY") == left


def test_back_follows_tabs_sorting_and_pages_and_a_reload_shows_the_same(page, busy):
    for number in range(60):
        busy.person(f"Person {number:02}")
    seen = []

    def look():
        page.reload()
        seen.append((page.url, main(page).inner_text()))

    page.goto("/users/")
    look()
    for link in ("User", "Next", "Person 00", "Licenses"):
        main(page).get_by_role("link", name=link, exact=True).click()
        look()

    for address, text in reversed(seen[:-1]):
        page.go_back()
        expect(page).to_have_url(address)
        assert main(page).inner_text() == text
    assert len({address for address, _ in seen}) == len(seen)


def test_a_search_leaves_the_page_it_began_on_and_nothing_of_earlier_ones_in_the_address(page, busy):
    for number in range(60):
        busy.person(f"Person {number:02}")
    page.goto("/users/")
    main(page).get_by_role("link", name="Next", exact=True).click()
    expect(row(page, "Ada Admin")).to_have_count(0)

    for q in ("viewer", "admin"):
        page.get_by_label("Search users").fill(q)
        expect(page.get_by_role("row")).to_have_count(2)
        expect(page).to_have_url(re.compile(f"/users/[?]q={q}&sort=name$"))

    expect(row(page, "Ada Admin")).to_be_visible()


def test_the_open_units_are_in_the_address_and_the_focus_stays_on_what_opened_them(page, busy):
    page.goto("/units/")
    toggle = page.get_by_role("link", name="Units below Sales")

    toggle.focus()
    page.keyboard.press("Enter")
    expect(row(page, "Benelux")).to_be_visible()
    expect(toggle).to_be_focused()
    expect(toggle).to_have_attribute("aria-expanded", "true")
    page.reload()

    expect(row(page, "Benelux")).to_be_visible()
    page.get_by_label("Search units").fill("bene")
    expect(row(page, "Sales")).to_have_count(0)
    page.reload()
    expect(page.get_by_label("Search units")).to_have_value("bene")
    expect(row(page, "Sales")).to_have_count(0)


def assign_to_uma(page):
    page.get_by_role("link", name="Assign License", exact=True).click()
    dialog(page).get_by_role("checkbox", name="Uma Nobody").check()
    dialog(page).get_by_role("button", name="Assign License", exact=True).click()
    expect(row(page, "Uma Nobody")).to_be_visible()


def test_back_never_leads_into_a_dialog_or_to_what_was_sent(page, busy):
    page.goto("/licenses/")
    row(page, "CRM Professional").get_by_role("link").first.click()
    for _ in range(2):
        page.get_by_role("link", name="Assign License", exact=True).click()
        dialog(page).get_by_role("link", name="Groups", exact=True).click()
        expect(dialog(page).get_by_text("Nothing is left to assign here")).to_be_visible()
        page.keyboard.press("Escape")
        expect(dialog(page)).to_be_hidden()
    assign_to_uma(page)

    page.go_back()
    expect(page).to_have_url(re.compile("/licenses/$"))
    expect(row(page, "CRM Professional")).to_contain_text("2 users")
    response = page.go_forward()

    assert "HX-Request" in response.headers["vary"]  # no cache may take a fragment for the page
    assert response.request.method == "GET"
    expect(page.get_by_role("navigation", name="Main")).to_be_visible()
    expect(row(page, "Uma Nobody")).to_be_visible()


def test_a_page_that_the_browser_kept_is_read_anew_when_one_comes_back(launch_browser, context, base_url, busy):
    with launch_browser(ignore_default_args=["--disable-back-forward-cache"]) as browser:
        page = browser.new_context(base_url=base_url, storage_state=context.storage_state()).new_page()
        page.goto("/licenses/")
        row(page, "CRM Basic").get_by_role("link").first.click()
        assign_to_uma(page)

        page.go_back(wait_until="commit")

        expect(row(page, "CRM Basic")).to_contain_text("1 user")


# Where the focus goes -------------------------------------------------------------------------------------------------


def test_a_row_menu_that_the_focus_leaves_through_the_browser_closes(page, busy):
    row_menu(page, busy)

    for _ in range(5):  # three items, the frame of the browser, and what comes first on the page
        page.keyboard.press("Tab")

    expect(page.get_by_role("link", name="Skip to content")).to_be_focused()
    expect(page.locator("details.row-menu[open]")).to_have_count(0)


def test_the_focus_comes_back_to_where_no_message_covers_it(page, busy):
    page.set_viewport_size({"width": 360, "height": 740})
    people = [busy.person(f"Person {number:02}") for number in range(20)]
    services.assign(busy.plain, kind=USERS, assignees=people, actor=TEST)
    page.goto(f"/licenses/{busy.plain.pk}/")
    dots = actions(page, "Person 08")
    dots.evaluate("dots => scrollBy(0, dots.getBoundingClientRect().bottom - innerHeight + 20)")
    choose_action(page, "Person 08", "Change dates")

    dialog(page).get_by_role("button", name="Apply", exact=True).press("Enter")

    expect_message(page, "Nothing changed.")
    expect(dots).to_be_focused()
    settle(page)
    assert page.evaluate(FOCUS) == ["Actions for Person 08", False, []]


def test_closing_a_message_by_keyboard_does_not_lose_the_focus(page, busy):
    message(page, busy)

    page.get_by_role("button", name="Close message").press("Enter")

    expect(page.get_by_role("button", name="Close message")).to_have_count(0)
    expect(page.locator(":focus")).to_be_visible()
