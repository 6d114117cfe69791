"""What the eye meets on every page and dialog, whatever the screen, the colors and the names."""

import pytest

from directory import services as directory
from licensing import services
from licensing.models import License
from tests.browser.hands import settle
from tests.browser.sights import (
    DIALOGS,
    LICENSE,
    MOVING,
    PAGES,
    SHIFTED,
    SHIFTS,
    TOO_SMALL,
    TOO_WIDE,
    license_chosen,
    page_at,
    picked,
    policies,
    row_menu,
    walk,
)
from tests.worlds import TEST

pytestmark = pytest.mark.browser

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
