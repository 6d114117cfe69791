"""What is looked for on a page that is open in the browser: each function returns its findings as sentences."""

from functools import cache

from axe_playwright_python.sync_playwright import Axe

from portal.text import join_some

# Without preload axe reads no stylesheet itself, and so inserts none, which the portal's policy forbids.
RULES = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "resultTypes": ["violations"],
    "preload": False,
}
VIOLATIONS = """rules => axe.run(document, rules).then(({violations}) =>
    violations.map(({id, nodes}) => [id, nodes.map(node => node.target.join(" "))]))"""

# Also where only a part of the page or of the dialog scrolls.
SIDEWAYS = """() => [...document.querySelectorAll(":root, dialog[open], body *")]
    .filter(element => element.scrollWidth > element.clientWidth && element.clientWidth)
    .filter(element => element.matches(":root, dialog")
        || ["auto", "scroll"].includes(getComputedStyle(element).overflowX))
    .map(element => element === document.documentElement ? "the page" : element.className || element.localName)"""

# A text is cut off where one of the boxes around it ends before the text does and hides what is beyond. A box of one
# pixel hides a text from the eye on purpose; beyond a box that scrolls, the text can be reached.
CLIPPED = """() => {
    const found = new Set(), range = document.createRange();
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const hides = overflow => overflow === "hidden" || overflow === "clip";
    while (texts.nextNode()) {
        const text = texts.currentNode, owner = text.parentElement;
        if (!text.data.trim() || !owner.checkVisibility({visibilityProperty: true})) continue;
        if (owner.closest(".clip") && owner.closest("aside, header, .tray")) continue;
        range.selectNodeContents(text);
        const inner = range.getBoundingClientRect();
        let across = true, down = true;
        for (let box = owner; box && box !== document.body && (across || down); box = box.parentElement) {
            const style = getComputedStyle(box), outer = box.getBoundingClientRect();
            if (style.display === "inline" || style.display === "contents") continue;
            if (box.offsetWidth <= 1) break;
            const wide = inner.left < outer.left - 1 || inner.right > outer.right + 1;
            const high = inner.top < outer.top - 3 || inner.bottom > outer.bottom + 3; // a line may be set tight
            if (across && wide && hides(style.overflowX) || down && high && hides(style.overflowY)) {
                found.add(`"${text.data.trim().slice(0, 40)}" in ${box.className || box.localName}`);
                break;
            }
            across &&= style.overflowX === "visible";
            down &&= style.overflowY === "visible";
        }
    }
    return [...found];
}"""


@cache
def axe():
    return Axe().axe_script


def violations(page):
    """Return what axe finds wrong by WCAG 2.2 A and AA and by best practice."""
    if page.evaluate("typeof axe === 'undefined'"):
        page.evaluate(axe())
    return [f"axe: {rule} at {join_some(targets)}" for rule, targets in page.evaluate(VIOLATIONS, RULES)]


def sideways(page):
    """Return what is wider than its place, so that one has to scroll sideways."""
    return [f"scrolls sideways: {name}" for name in page.evaluate(SIDEWAYS)]


def clipped(page):
    """Return the texts that are cut off, but for those in the tray and the sidebar, which may be."""
    return [f"clipped text: {text}" for text in page.evaluate(CLIPPED)]
