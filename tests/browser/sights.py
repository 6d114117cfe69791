"""Pages and dialogs to look at, and what a look finds wrong with them."""

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from directory.services import token_of
from tests.browser.hands import actions, choose_action, dialog, expect_message, main

# Pages and dialogs: each is a function that opens it ------------------------------------------------------------------


def page_at(path):
    def open_page(page, world):
        page.goto(path.format(world=world))
        expect_counted(page)

    return open_page


def expect_counted(page):
    """Expect the seats in use, which are counted after the page is there."""
    expect(main(page).get_by_role("link", name="Seats in use of")).to_have_count(0)


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


def invite(page, world):
    page_at("/users/")(page, world)
    main(page).get_by_role("link", name="Invite people").click()
    dialog(page).get_by_label("E-mail addresses").fill(f"new@new.example, {world.viewer.email}, foo")
    dialog(page).get_by_label("E-mail addresses").blur()
    expect(dialog(page)).to_contain_text("2 are not invited")


def invited(world, address):
    """The invitation of an address, which may have been looked at before."""
    return world.organization.invitations.filter(email=address).first() or world.invite(address)


def invitations(page, world):
    invited(world, "noor@new.example")
    page_at("/users/invitations/")(page, world)


def join(page, world):
    page_at(reverse("directory:accept_invitation", args=[token_of(invited(world, "guest@new.example"))]))(page, world)


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
    apply_nothing(page)


def apply_nothing(page):
    """Confirm a dialog in which nothing was changed, and wait for the page behind it, which reads itself anew."""
    behind = main(page).get_by_role("heading", level=1).element_handle()
    dialog(page).get_by_role("button", name="Apply", exact=True).click()
    expect(dialog(page)).to_be_hidden()
    expect_message(page, "Nothing changed.")
    behind.wait_for_element_state("hidden")
    expect_counted(page)


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
    "profile": page_at("/accounts/"),
    "sessions": page_at("/accounts/sessions/"),
    "invitations": invitations,
    "join as somebody else": join,
}
DIALOGS = {
    "invite": invite,
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
addEventListener("DOMContentLoaded", () => {
    requestAnimationFrame(() => requestAnimationFrame(() => { window.drawnAt = performance.now(); }));
});
"""
# A dialog makes room for what answers a choice; the page never does, and the dialog stays where it is. What a slow
# machine draws while it still reads the page grows by what follows, in every browser: counted is what shifts after the
# first frame that shows the whole page (not after the time that the next frame is given, which may have begun to wait
# while this one was still laid out).
SHIFTED = """() => [...window.shifts, ...window.shiftObserver.takeRecords()]
    .filter((shift) => shift.startTime > window.drawnAt)
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
