"""What is done on a page before it is looked at: each act is called with the page. By roles and visible words."""

from playwright.sync_api import expect

from tests.browser.hands import dialog


def steps(*acts):
    """One act of several."""

    def act(page):
        for each in acts:
            each(page)

    return act


def form(page):
    """The dialog that is open, else what the page is about."""
    return dialog(page) if dialog(page).count() else page.get_by_role("main")


def open_dialog(page, url):
    """Click the link to the dialog of that URL, which may lie in the menu of a row."""
    links = page.locator(f'a[href^="{url}"]')
    if not links.locator("visible=true").count():
        links.first.locator("xpath=ancestor::details[1]/summary").click()
    links.locator("visible=true").first.click()
    expect(dialog(page)).to_be_visible()


def press(word):
    """The act that presses the button, and waits until something is said."""

    def act(page):
        form(page).get_by_role("button", name=word, exact=True).click()
        expect(page.get_by_role("alert").or_(page.get_by_role("status").locator("button")).first).to_be_visible()

    return act


def search(words):
    """The act that searches in the dialog, and waits for the answer."""

    def act(page):
        with page.expect_response(lambda response: "hx-request" in response.request.headers):
            dialog(page).get_by_role("searchbox").fill(words)

    return act


def open_menu(page):
    page.locator("[aria-label^='Actions for']").first.click()


def open_last_menu(page):
    page.locator("[aria-label^='Actions for']").last.click()


def open_sidebar(page):
    page.get_by_role("button", name="Menu", exact=True).click()


def open_switch(page):
    page.locator("[aria-label$='Switch']").click()


def next_page(page):
    page.get_by_role("link", name="Next", exact=True).click()


def pick(page):
    """Tick the first two that can be ticked."""
    boxes = form(page).locator("[name=users], [name=assignees]").and_(page.locator(":enabled:not(:checked)"))
    for number in (1, 2):
        boxes.first.check()
        expect(page.get_by_text(f"{number} selected")).to_be_visible()


def choose_first_license(page):
    dialog(page).get_by_role("radio").and_(page.locator(":enabled")).first.check()
    expect(dialog(page)).to_contain_text("always on")


def end_long_ago(page):
    dialog(page).get_by_label("Until").fill("2001-01-01")


def hold_toast(page):
    """Keep the message from leaving."""
    page.get_by_role("status").get_by_role("button").focus()


def from_elsewhere(page):
    """As if the form had been opened in another organization."""
    page.evaluate("document.querySelector('[name=opened_in]').value = '0'")


def sign_in(email, password):
    """The act that signs in, and waits for a refusal or for the second factor."""

    def act(page):
        page.get_by_label("E-mail").fill(email)
        page.get_by_label("Password", exact=True).fill(password)
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("alert").or_(page.get_by_label("Code")).first).to_be_visible()

    return act
