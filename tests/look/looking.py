"""Visits a page as each of its roles and looks at it: what is wrong, how it looks, what was served, and its bytes."""

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from django.conf import settings
from playwright.sync_api import Error, expect, sync_playwright

from tests import chromium
from tests.browser import hands
from tests.look.acts import open_dialog
from tests.look.checks import clipped, sideways, violations
from tests.look.visits import HEIGHTS, MAIN, ZOOMED

# What a page says, but for what differs with whom it says it to.
SAID = """() => {
    const body = document.body.cloneNode(true);
    for (const own of body.querySelectorAll("[name=csrfmiddlewaretoken], nav[aria-label=You]")) own.remove();
    return body.innerHTML;
}"""
# As they were transferred; what the cache answered counts like what came from the server.
BYTES = """() => {
    const bytes = {html: 0, css: 0, js: 0, other: 0};
    for (const entry of performance.getEntries()) {
        const ending = new URL(entry.name, location).pathname.split(".").pop();
        const kind = entry.entryType === "navigation" ? "html" : ending in bytes ? ending : "other";
        bytes[kind] += entry.encodedBodySize ?? 0;
    }
    return bytes;
}"""


@dataclass(frozen=True)
class Problem:
    role: str
    page: str
    where: str  # width and scheme, or what found it
    what: str
    counts: bool = True

    def __str__(self):
        return f"{self.role:18}{self.page:34}{self.where:12}{self.what}"


@dataclass
class Seen:
    """What was seen of one page by one role."""

    role: str
    page: str
    problems: list = field(default_factory=list)
    shots: list = field(default_factory=list)  # (width, scheme, path)
    served: list = field(default_factory=list)  # HTML: the page, then the dialog
    bytes: dict | None = None  # of a first visit

    def report(self, where, found, counts=True):
        self.problems += [Problem(self.role, self.page, where, what, counts) for what in found]


class Looker:
    """A browser, with a context for each role.

    addresses: of the portal, by whether it is in debug; cookies: {role: the session's}; folder: for the screenshots;
    dialogs: the routes of those that are opened in a page by some visit.
    """

    def __init__(self, addresses, cookies, folder, dialogs):
        self.addresses, self.cookies, self.folder, self.dialogs = addresses, cookies, folder, dialogs
        self.browser = sync_playwright().start().chromium.launch(executable_path=chromium.PATH, args=chromium.ARGS)
        self.contexts = {}

    def see(self, visit):
        """Return [Seen] for the roles of the Visit. Whoever is told the same as the first role is looked at once."""
        all_seen, said_to_first = [], None
        for role in visit.roles:
            seen = Seen(role, visit.name)
            page = self._context(role).new_page()
            try:
                said_to_first = self._look(page, visit, seen, said_to_first)
            except (Error, AssertionError) as error:  # something was not there, or did not come
                seen.report("visit", [" ".join(str(error).split())[:300]])
            page.close()
            all_seen.append(seen)
        return all_seen

    def _context(self, role):
        if role not in self.contexts:
            self.contexts[role] = context = self.browser.new_context(locale="en-GB", reduced_motion="reduce")
            if self.cookies[role]:
                urls = set(self.addresses.values())
                cookie = {"name": settings.SESSION_COOKIE_NAME, "value": self.cookies[role]}
                context.add_cookies([{**cookie, "url": url} for url in urls])
        return self.contexts[role]

    def _look(self, page, visit, seen, said_to_first):
        """Fill Seen; return what was said to the first role."""
        console, answers = listen(page)
        if visit.body is not None:
            page.route(f"**{visit.path}", lambda route: route.fulfill(body=visit.body, content_type="text/html"))
        widest, address = visit.widths[-1], self.addresses[visit.in_debug]
        page.set_viewport_size({"width": widest, "height": HEIGHTS[widest]})
        page.goto(address + visit.path)
        settle(page)
        if visit.is_ours and not visit.in_debug and visit.opens is visit.act is visit.body is None:
            seen.bytes = page.evaluate(BYTES)
        if (
            page.locator("main #modal-title").count()
            and visit.route not in self.dialogs
            and not (visit.in_debug or visit.is_alone)
        ):
            seen.report("visit", ["no visit opens this dialog in its page"])
        if visit.opens:
            open_dialog(page, visit.opens.path)
        if visit.act:
            visit.act(page)
        settle(page)
        seen.served = served(answers)
        wrong = [answer for answer in answers if answer.status not in (200, visit.status)]
        seen.report("visit", [f"{answer.status}: {urlsplit(answer.url).path}" for answer in wrong])
        if not visit.leads_on and page.url != address + visit.path:
            seen.report("visit", [f"led on to {page.url.removeprefix(address)}"])

        said = page.evaluate(SAID)
        looks = [(width, scheme) for scheme in visit.schemes for width in visit.widths]
        for width, scheme in [(widest, visit.schemes[0])] if said == said_to_first else looks:
            self._look_once(page, visit, seen, width, scheme)
        if visit.name in MAIN and said_to_first is None:
            page.set_viewport_size(ZOOMED)
            settle(page)
            seen.report("400 %", [*sideways(page), *clipped(page)])
        seen.report("console", console)
        return said_to_first or said

    def _look_once(self, page, visit, seen, width, scheme):
        page.set_viewport_size({"width": width, "height": HEIGHTS[width]})
        page.emulate_media(color_scheme=scheme)
        settle(page)
        where, path = f"{width} {scheme}", f"{seen.role}/{visit.name}-{width}-{scheme}.png"
        page.screenshot(path=self.folder / path, full_page=not page.locator("dialog[open], :popover-open").count())
        seen.shots.append((width, scheme, path))
        if visit.is_ours or width == visit.widths[-1]:
            seen.report(where, violations(page), counts=visit.is_ours)
        if visit.is_ours and scheme == visit.schemes[0]:  # colors take no room
            seen.report(where, [*sideways(page), *clipped(page)])


def listen(page):
    """Return two lists that fill: what the browser complains of, and the answers that became the page or part of it."""
    complaints, answers = [], []

    def message(message):
        if not message.text.startswith("Failed to load resource"):  # as its answer says, or that there was none
            complaints.append(f"{message.type}: {message.text} ({urlsplit(message.location['url']).path})")

    def answered(response):
        if not (response.request.is_navigation_request() or "hx-request" in response.request.headers):
            complaints.extend([f"{response.status}: {response.url}"] * (response.status >= 400))
        elif not 300 <= response.status < 400:
            answers.append(response)

    page.on("console", message)
    page.on("pageerror", lambda error: complaints.append(f"error in a script: {error}"))
    page.on("requestfailed", lambda request: complaints.append(f"failed: {request.url} ({request.failure})"))
    page.on("response", answered)
    return complaints, answers


def served(answers):
    """Return the HTML of the page, and the last of a dialog. What htmx loads of a page begins with its title."""
    last = max(number for number, answer in enumerate(answers) if answer.request.is_navigation_request())
    page, *parts = [answer.text() for answer in answers[last:]]
    return [page, *[part for part in parts if not part.lstrip().startswith("<title>")][-1:]]


def settle(page):
    """Wait until htmx has what it asked for and nothing moves."""
    expect(page.locator(".htmx-request")).to_have_count(0)
    hands.settle(page)
