"""The quality of hand: what the eye and the hand meet on every page and dialog, whatever the screen and the names."""

import re

import pytest
from playwright.sync_api import expect

from directory import services as directory
from licensing import services
from licensing.kinds import USERS
from licensing.models import Assignment, License
from portal.audit.models import AuditEntry
from tests.browser.hands import actions, choose_action, dialog, expect_message, main, row, settle
from tests.worlds import TEST

pytestmark = pytest.mark.browser

without_javascript = pytest.mark.browser_context_args(java_script_enabled=False)


@pytest.fixture
def busy(world, catalogue):
    """Acme with something on every page: seats, an end, and assignments of every kind."""
    services.change_allocation(
        world.allocation, seats=6, starts_at=None, ends_at=world.allocation.starts_at.replace(year=2099), actor=TEST
    )
    for assignee in (world.viewer, world.group, world.unit):
        world.assign(assignee, policies=[catalogue.export])
    return world


# Pages and dialogs: each is a function that opens it ------------------------------------------------------------------


def page_at(path):
    def open_page(page, world):
        page.goto(path.format(world=world))
        expect(main(page).get_by_role("link", name="Seats in use of")).to_have_count(0)  # they are counted

    return open_page


def dialog_of(path, opener, ready):
    """The dialog behind an opener: a button, or an action in the row of the group; ready: a button it has then."""

    def open_dialog(page, world):
        page_at(path)(page, world)
        if opener == "Assign License":
            page.get_by_role("link", name=opener, exact=True).click()
        else:
            choose_action(page, world.group.name, opener)
        expect(dialog(page).get_by_role("button", name=ready, exact=True)).to_be_visible()

    return open_dialog


LICENSE = "/licenses/{world.allocation.pk}/groups/"
policies = dialog_of(LICENSE, "Manage Optional Policies", "Apply")
dates = dialog_of(LICENSE, "Change dates", "Apply")
unassign = dialog_of(LICENSE, "Unassign License", "Yes, Remove")
assign = dialog_of("/licenses/{world.allocation.pk}/", "Assign License", "Assign License")
choose_license = dialog_of("/users/{world.nobody.pk}/licenses/", "Assign License", "Assign License")


def picked(page, world):
    assign(page, world)
    dialog(page).get_by_role("checkbox", name=world.nobody.name).check()
    expect(dialog(page)).to_contain_text("1 selected")


def license_chosen(page, world):
    choose_license(page, world)
    dialog(page).get_by_role("radio", name=world.allocation.license.name).check()
    expect(dialog(page).get_by_role("group", name="Optional policies")).to_be_visible()


def row_menu(page, world):
    page_at(LICENSE)(page, world)
    actions(page, world.group.name).click()


def message(page, world):
    policies(page, world)
    dialog(page).get_by_role("button", name="Apply", exact=True).click()
    expect(dialog(page)).to_be_hidden()
    expect_message(page, "Nothing changed.")


PAGES = {
    "licenses": page_at("/licenses/"),
    "license": page_at(LICENSE),
    "users": page_at("/users/"),
    "user": page_at("/users/{world.nobody.pk}/"),
    "user's licenses": page_at("/users/{world.nobody.pk}/licenses/"),
    "groups": page_at("/groups/"),
    "units": page_at("/units/?open={world.unit.pk}"),
    "unit": page_at("/units/{world.unit.pk}/"),
    "organization": page_at("/organization/"),
    "my access": page_at("/my-access/"),
    "activity": page_at("/activity/"),
    "account": page_at("/accounts/email/"),
}
DIALOGS = {
    "assign": picked,
    "choose a license": license_chosen,
    "policies": policies,
    "dates": dates,
    "unassign": unassign,
    "row menu": row_menu,
    "message": message,
}

# What a look finds wrong: functions of JavaScript that return sentences -----------------------------------------------

SHIFTS = """
window.shifts = [];
window.shiftObserver = new PerformanceObserver((list) => window.shifts.push(...list.getEntries()));
window.shiftObserver.observe({ type: "layout-shift", buffered: true });
"""
# A dialog makes room for what answers a choice; the page never does, and the dialog stays where it is.
SHIFTED = """() => [...window.shifts, ...window.shiftObserver.takeRecords()]
    .flatMap((shift) => shift.value > 0.0001 ? shift.sources : [])
    .filter(({ node }) => node && !node.parentElement?.closest("#modal"))
    .map(({ node }) => `${node.className || node.nodeName} shifts`)"""

MOVING = """() => {
    const longest = (times) => Math.max(...times.split(",").map((time) => parseFloat(time) * 1000));
    return [...document.querySelectorAll("*")].flatMap((element) =>
        [null, "::before", "::after", "::backdrop"].flatMap((pseudo) => {
            const style = getComputedStyle(element, pseudo);
            const animated = style.animationName !== "none" && longest(style.animationDuration) > 1;
            return animated || longest(style.transitionDuration) > 1 ? [`${element.className} moves`] : [];
        }));
}"""

TOO_WIDE = """() => [...document.querySelectorAll(":root, .side, .menu, .toast-note, #modal, #modal *")]
    .filter((element) => !element.matches(".clip, .visually-hidden, .search-go"))
    .filter((element) => getComputedStyle(element).overflowX !== "visible" || element.matches(":root"))
    .filter((element) => element.clientWidth && element.scrollWidth > element.clientWidth)
    .map((element) => `${element.className || element.tagName} scrolls sideways`)"""

# A target is 24 px wide and high with nothing over its middle. Its label counts too, whose pseudo-element may be larger
# than it. A link inside a sentence need not.
TOO_SMALL = """() => {
    const scope = document.querySelector(":modal, details[open] > .menu") ?? document;
    const fits = (part, target) => {
        part.scrollIntoView({ block: "center" });
        const box = [...part.getClientRects()].sort((a, b) => b.width - a.width)[0];
        const [x, y] = [box.left + box.width / 2, box.top + box.height / 2];
        return [[-11, 0], [11, 0], [0, -11], [0, 11]].every(([dx, dy]) => {
            const hit = document.elementFromPoint(x + dx, y + dy);
            return target.contains(hit) || hit?.closest("label")?.control === target;
        }) && (part !== target || (box.width >= 24 && box.height > 23.9));
    };
    const isInSentence = (target) => getComputedStyle(target).display === "inline" &&
        [...target.parentElement.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    return [...scope.querySelectorAll("a[href], button, summary, select, input:not([type=hidden])")]
        .filter((target) => target.checkVisibility() && !target.disabled && !target.matches(".skip, .search-go"))
        .filter((target) => !isInSentence(target))
        .filter((target) => ![target, ...(target.labels ?? [])].some((part) => fits(part, target)))
        .map((target) => `too small: ${target.ariaLabel || target.textContent.trim() || target.id}`);
}"""

# Where the focus is: what it is called, whether it was there before, and what is wrong there.
FOCUS = """() => {
    const at = document.activeElement;
    if (at === document.body) return ["", false, []];
    const style = getComputedStyle(at), box = at.getClientRects()[0], modal = document.querySelector(":modal");
    const name = (at.ariaLabel || at.labels?.[0]?.textContent || at.textContent).trim().slice(0, 40);
    const rim = Math.max(0, parseFloat(style.outlineOffset) + parseFloat(style.outlineWidth)) - 0.5;
    const isWithin = (left, top, right, bottom) =>
        box.left - rim >= left && box.top - rim >= top && box.right + rim <= right && box.bottom + rim <= bottom;
    const wrong = [];
    if (modal && !modal.contains(at)) wrong.push("is outside of the dialog");
    if (style.outlineStyle === "none" || parseFloat(style.outlineWidth) < 2) wrong.push("has no outline");
    if (!isWithin(0, 0, innerWidth, innerHeight)) wrong.push("is outside of the screen");
    for (let around = at.parentElement; around !== document.body; around = around.parentElement) {
        const { left, top, right, bottom } = around.getBoundingClientRect();
        const isClear = getComputedStyle(around).overflow === "visible" || isWithin(left, top, right, bottom);
        if (!isClear) wrong.push("is cut off");
    }
    const hit = document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2);
    if (!at.contains(hit) && !hit?.contains(at)) wrong.push(`lies below ${hit?.className}`);
    window.been ??= new Set();
    const again = window.been.has(at) && at !== window.last;
    window.been.add((window.last = at));
    return [name, again, wrong];
}"""
UNREACHED = """() => [...(document.querySelector(":modal") ?? document)
    .querySelectorAll("a[href], button, summary, select, input:not([type=hidden])")]
    .filter((control) => control.checkVisibility() && !control.disabled && !window.been.has(control))
    .filter((control) => control.type !== "radio" || control.checked)
    .map((control) => `Tab does not lead to ${control.textContent.trim() || control.id}`)"""


def walk(page):
    """Press Tab all the way round; say what is wrong with the focus where it stops, and where it does not lead."""
    problems = []
    for _ in range(150):
        page.keyboard.press("Tab")
        name, again, wrong = page.evaluate(FOCUS)
        if again:
            return problems + page.evaluate(UNREACHED)
        problems += [f"{name} {what}" for what in wrong]
    pytest.fail("Tab does not come round")


# What is true everywhere ----------------------------------------------------------------------------------------------

SCREENS = {"wide and light": (1280, 800, "light"), "phone and dark": (360, 740, "dark"), "400 %": (320, 256, "light")}


@pytest.mark.parametrize("screen", SCREENS)
def test_everywhere_the_focus_is_seen_targets_are_big_enough_and_nothing_shifts_or_moves(page, busy, screen):
    """A window of 1280 by 1024 px enlarged to 400 % has 320 by 256. The tests' browser asks for less motion."""
    width, height, scheme = SCREENS[screen]
    page.set_viewport_size({"width": width, "height": height})
    page.emulate_media(color_scheme=scheme)
    page.add_init_script(SHIFTS)
    problems = []
    for name, opened in (PAGES | DIALOGS).items():
        opened(page, busy)
        settle(page)
        found = [problem for look in (SHIFTED, MOVING, TOO_WIDE, TOO_SMALL) for problem in page.evaluate(look)]
        if opened is not row_menu:
            found += walk(page)
        problems += [f"{name}: {problem}" for problem in found]
    assert problems == []


def test_what_opens_moves_only_for_who_did_not_ask_for_less(page, busy):
    page.emulate_media(reduced_motion="no-preference")

    row_menu(page, busy)

    assert page.evaluate(MOVING) != []


UNMARK = "link => link.removeAttribute('aria-current')"
UNTICK = "tick => { tick.checked = false; }"
BLUR = "focused => focused.blur()"
MARKED = {
    page_at(LICENSE): [("nav a[aria-current=page]", UNMARK), ("#assign:focus", BLUR), ("main summary:focus", BLUR)],
    picked: [("#modal a[aria-current]", UNMARK), ("#modal .options :checked:enabled", UNTICK)],
    policies: [("#modal :checked", UNTICK), ("#modal input:focus", BLUR)],
    license_chosen: [("#modal :checked", UNTICK)],
}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_with_forced_colors_what_is_chosen_or_focused_looks_different(page, busy, scheme):
    page.emulate_media(forced_colors="active", color_scheme=scheme)
    alike = []
    for opened, marks in MARKED.items():
        opened(page, busy)
        page.keyboard.press("Tab")  # from now on the focus is that of a keyboard
        for selector, unmark in marks:
            if unmark is BLUR:
                page.locator(selector.removesuffix(":focus")).first.focus()
            for element in page.locator(selector).element_handles():
                before = picture(page, element)
                element.evaluate(unmark)
                if picture(page, element) == before:
                    alike.append(selector)
    assert alike == []


def picture(page, element):
    """What an element and its rim look like, as the bytes of an image."""
    element.scroll_into_view_if_needed()
    settle(page)
    box = element.bounding_box()
    clip = {"x": box["x"] - 4, "y": box["y"] - 4, "width": box["width"] + 8, "height": box["height"] + 8}
    return page.screenshot(clip=clip, caret="initial")  # to hide the caret it would need a style that is not allowed


# Names ----------------------------------------------------------------------------------------------------------------

HEBREW = ("תמיכה בלקוחות, חידושים והסלמות עבור כל הארצות " * 3)[:120].strip()
NAMES = [HEBREW, "خدماتالعملاءالدولية" * 6, ("👩‍👩‍👧‍👦🏳️‍🌈👩🏽‍💻 " * 8)[:120].strip(), "W" * 120]


@pytest.fixture
def long_names(world, globex, catalogue):
    """Acme with everything once under each name; the pages show what has the last one, the frame the first one."""
    unit, acme, me = None, world.organization, world.editor
    directory.create_user(globex.organization, name="Eva", account=me.account, role="viewer", actor=TEST)
    for thing in (acme, me.account):
        type(thing).objects.filter(pk=thing.pk).update(name=HEBREW)
    type(catalogue.export).objects.filter(pk=catalogue.export.pk).update(name="M" * 120)
    for name in NAMES:
        unit = world.unit = directory.create_unit(acme, name=name, description=name, parent=unit, actor=TEST)
        world.nobody = world.person(name, email=f"{'x' * 50}@{unit.pk}.example", title=name, unit=unit)
        world.group = directory.create_group(acme, name=name, description=name, actor=TEST)
        directory.join_group(world.group, users=[world.nobody, me], actor=TEST)
        license = services.save(License(provider=catalogue.provider, name=name, description=name), actor=TEST)
        services.set_license_policies(license, default=[catalogue.reading], optional=[catalogue.export], actor=TEST)
        world.allocation = services.allocate(license, organization=acme, seats=9, actor=TEST)
        world.assign(world.group, policies=[catalogue.export])
    for assignee in (*acme.groups.exclude(name=NAMES[-1]), *acme.units.all()):
        world.assign(assignee, policies=[catalogue.export])
    return world


# Every text is on the screen, neither cut off nor squeezed into a column of letters, and not over another.
BROKEN = """() => {
    const scope = document.querySelector(":modal, :popover-open, details[open] > .menu, .toast-note") ?? document.body;
    const ignored = ".clip, .visually-hidden, .skip, .search-go, .list th:not(:has(a)), template, noscript";
    const common = (a, b) => ({ left: Math.max(a.left, b.left), right: Math.min(a.right, b.right),
        top: Math.max(a.top, b.top), bottom: Math.min(a.bottom, b.bottom) });
    const isOver = (a, b) => {
        const { left, right, top, bottom } = common(a, b);
        return right - left > 1 && bottom - top > 4;
    };
    const isOut = (a, b) =>
        a.left < b.left - 0.5 || a.right > b.right + 0.5 || a.top < b.top - 2 || a.bottom > b.bottom + 2;
    const wrong = [], texts = [], walker = document.createTreeWalker(scope, NodeFilter.SHOW_TEXT), range = new Range();
    for (let text; (text = walker.nextNode()); ) {
        const at = text.parentElement, words = text.data.trim().slice(0, 20);
        if (!words || !at.checkVisibility() || at.closest(ignored)) continue;
        const say = (what) => wrong.push(`${words} in ${at.className || at.tagName} is ${what}`);
        range.selectNodeContents(text);
        let boxes = [...range.getClientRects()].filter((box) => box.width > 0.5);
        if (boxes.some((box) => box.left < -0.5 || box.right > innerWidth + 0.5)) say("beyond the screen");
        if (boxes.length > 3 && boxes.every((box) => box.width < 48)) say("squeezed");
        for (let around = at; around !== document.body; around = around.parentElement) {
            const { overflowY } = getComputedStyle(around), edge = around.getBoundingClientRect();
            if (overflowY === "auto") boxes = boxes.map((box) => common(box, edge)); // the rest can be scrolled to
            else if (overflowY !== "visible" && boxes.some((box) => isOut(box, edge))) say("cut off");
        }
        const below = texts.find((other) => boxes.some((a) => other.boxes.some((b) => isOver(a, b))));
        if (below) say(`over ${below.words}`);
        texts.push({ boxes, words });
    }
    for (const clip of [...scope.querySelectorAll(".clip")].filter((clip) => clip.checkVisibility())) {
        range.setStart(clip.firstChild, 0);
        range.setEnd(clip.firstChild, 2);
        const [start, box] = [range.getBoundingClientRect(), clip.getBoundingClientRect()];
        if (start.left < box.left - 1 || start.right > box.right + 1) wrong.push(`${clip.textContent} begins nowhere`);
    }
    return wrong;
}"""


def sidebar(page, world):
    page_at("/users/")(page, world)
    if page.viewport_size["width"] < 992:
        page.get_by_role("button", name="Menu").click()


@pytest.mark.parametrize("width", [1280, 360])
def test_long_names_in_every_script_break_nothing(page, long_names, width):
    page.set_viewport_size({"width": width, "height": 740})
    problems = []
    for name, opened in {**PAGES, **DIALOGS, "units found": page_at("/units/?q=w"), "sidebar": sidebar}.items():
        opened(page, long_names)
        settle(page)
        problems += [f"{name}: {problem}" for look in (TOO_WIDE, BROKEN) for problem in page.evaluate(look)]
    assert problems == []


# Searching ------------------------------------------------------------------------------------------------------------


def test_searching_in_a_dialog_keeps_the_field_its_place_and_the_caret(page, busy):
    for number in range(20):
        busy.person(f"Person {number}")
    assign(page, busy)
    search = dialog(page).get_by_label("Search", exact=True)
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
    page.evaluate("scrollTo(0, 900)")
    address = page.url
    row(page, "Person 22").get_by_role("link").first.click()
    expect(page.get_by_role("heading", name="Person 22")).to_be_visible()

    page.go_back()

    expect(page).to_have_url(address)
    expect(page.get_by_label("Search users")).to_have_value("person")
    expect(page.get_by_role("row")).to_have_count(41)
    page.wait_for_function("scrollY === 900")


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
    expect(page.locator("details[open]")).to_have_count(0)


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
