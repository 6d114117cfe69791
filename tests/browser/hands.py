"""How a person finds and does things in the portal: by roles and visible words, as docs promise them, not by markup."""

from dataclasses import dataclass

from django.urls import reverse
from playwright.sync_api import expect

from licensing.kinds import GROUPS, KINDS, ORGANIZATION, UNITS, USERS


@dataclass(frozen=True)
class Place:
    """One of the pages on which a license is assigned, and its row there managed and unassigned."""

    name: str
    kind: object
    of_license: (
        bool  # the license's page: the dialog asks for the assignee; else the assignee's, it asks for the license
    )

    def __str__(self):
        return self.name

    def assignee(self, world):
        return {USERS: world.nobody, GROUPS: world.group, UNITS: world.unit, ORGANIZATION: world.organization}[
            self.kind
        ]

    def path(self, world):
        if self.of_license:
            return reverse("licensing:license_assignees", args=[world.allocation.pk, self.kind])
        if self.kind is ORGANIZATION:
            return reverse("licensing:organization_licenses")
        return reverse("licensing:assignee_licenses", args=[self.kind, self.assignee(world).pk])

    def row_name(self, world):
        return self.assignee(world).name if self.of_license else world.allocation.license.name


OF_LICENSE = [Place(f"license-{kind}", kind, True) for kind in KINDS]
OF_ASSIGNEE = [Place(str(kind), kind, False) for kind in (*KINDS, ORGANIZATION)]
PLACES = [*OF_LICENSE, *OF_ASSIGNEE]


def dialog(page):
    return page.get_by_role("dialog")


def expect_message(page, text):
    expect(page.get_by_role("status").filter(has_text=text)).to_be_visible()


def row(page, name):
    """The row of a list that begins with a link of this name."""
    return page.get_by_role("row").filter(has=page.get_by_role("link", name=name, exact=True))


def actions(page, name):
    """The three dots of a row of that name, or of the page's own thing where there is no such row."""
    return page.get_by_label(f"Actions for {name}", exact=True).last


def choose_action(page, name, action):
    actions(page, name).click()
    page.get_by_role("link", name=action, exact=True).locator("visible=true").click()


def main(page):
    return page.get_by_role("main")


def mark(page):
    """Leave a mark that a load of the page would wipe out."""
    page.evaluate("window.isStillTheSamePage = true")


def expect_no_load(page):
    assert page.evaluate("window.isStillTheSamePage === true"), "the page was loaded anew"


def settle(page):
    """Wait until what moves has come to rest, and is drawn."""
    page.evaluate(
        """async () => {
            await Promise.allSettled(document.getAnimations().map((animation) => animation.finished));
            await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
        }"""
    )
