"""Every page and every open dialog: nothing for axe to find fault with, light and dark, and no sideways scrolling."""

from io import BytesIO

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from directory import services as directory
from directory.imports.running import start_import
from licensing import services
from tests.browser.hands import actions, choose_action, dialog
from tests.browser.sights import apply_nothing, expect_counted
from tests.look.checks import sideways, violations
from tests.look.world import ONE_WORD, WORDS
from tests.worlds import TEST

pytestmark = pytest.mark.browser


@pytest.fixture
def full_world(acme, globex, catalogue, sign_in):
    """Acme with long names, every kind of source, something not in effect, seats, and a second organization."""
    group = directory.create_group(acme.organization, name=WORDS, description="A description.", actor=TEST)
    unit = directory.create_unit(acme.organization, name=ONE_WORD, parent=acme.below, actor=TEST)
    person = acme.person(WORDS, email=f"{ONE_WORD[:50].lower()}@acme.example", unit=unit)
    gone = acme.person("Ina Inactive", is_active=False)
    directory.join_group(group, users=[person, gone], actor=TEST)
    directory.create_user(globex.organization, name="Ada", account=acme.admin.account, role="admin", actor=TEST)
    services.change_allocation(
        acme.allocation, seats=6, starts_at=None, ends_at=acme.allocation.starts_at.replace(year=2099), actor=TEST
    )
    for assignee in (acme.admin, person, group, unit, acme.unit):
        acme.assign(assignee, policies=[catalogue.export, catalogue.administration])
    acme.assign(acme.organization, acme.plain)
    rows = ["E-mail;Name;Unit;Groups;Size", f"new@acme.example;{WORDS};Sales;{WORDS};1", f"vic@acme.example;{ONE_WORD}"]
    rows += ["uma@acme.example", f"{ONE_WORD[:60]}@acme.example;;{ONE_WORD}"]
    people = BytesIO("\n".join(rows).encode())
    acme.imported = start_import(acme.organization, file=people, name=f"{ONE_WORD}.csv", actor=TEST)
    sign_in(acme.admin)
    acme.long_group, acme.long_unit, acme.long_person, acme.gone = group, unit, person, gone
    return acme


def license_page(world):
    return reverse("licensing:license_assignees", args=[world.allocation.pk, "groups"])


PAGES = {
    "licenses": lambda w: "/licenses/",
    "license users": lambda w: f"/licenses/{w.allocation.pk}/",
    "license groups": license_page,
    "license units": lambda w: f"/licenses/{w.allocation.pk}/units/",
    "license for all": lambda w: f"/licenses/{w.plain.pk}/groups/",
    "seats": lambda w: f"/licenses/{w.allocation.pk}/seats/",
    "users": lambda w: "/users/",
    "users not found": lambda w: "/users/?q=xyz",
    "user": lambda w: f"/users/{w.long_person.pk}/",
    "user groups": lambda w: f"/users/{w.long_person.pk}/groups/",
    "user licenses": lambda w: f"/users/{w.long_person.pk}/licenses/",
    "inactive user": lambda w: f"/users/{w.gone.pk}/licenses/",
    "groups": lambda w: "/groups/",
    "group": lambda w: f"/groups/{w.long_group.pk}/",
    "group licenses": lambda w: f"/groups/{w.long_group.pk}/licenses/",
    "units": lambda w: f"/units/?open={w.unit.pk}&open={w.below.pk}",
    "units found": lambda w: "/units/?q=e",
    "unit": lambda w: f"/units/{w.long_unit.pk}/",
    "unit with units below": lambda w: f"/units/{w.unit.pk}/",
    "unit licenses": lambda w: f"/units/{w.long_unit.pk}/licenses/",
    "organization": lambda w: "/organization/",
    "organization licenses": lambda w: "/organization/licenses/",
    "explain access": lambda w: "/explain/?q=e",
    "explain no": lambda w: f"/explain/?user={w.long_person.pk}&what=policy-{w.allocation.license.policies.last().pk}",
    "explain yes": lambda w: f"/explain/?user={w.nobody.pk}&what=license-{w.plain.pk}",
    "import": lambda w: "/users/import/",
    "import, preview": lambda w: f"/users/import/{w.imported.pk}/",
    "import, confirm as a page": lambda w: f"/users/import/{w.imported.pk}/confirm/",
    "my access": lambda w: "/my-access/",
    "activity": lambda w: "/activity/",
    "assign as a page": lambda w: f"/licenses/{w.allocation.pk}/users/assign/",
    "choose a license as a page": lambda w: f"/users/{w.long_person.pk}/licenses/assign/?allocation={w.plain.pk}",
    "unassign as a page": lambda w: f"/assignments/{w.allocation.assignments.first().pk}/unassign/",
}


@pytest.mark.parametrize("part", range(4))
def test_pages(page, full_world, part):
    """Several pages in one world: to build it takes longer than to look."""
    problems = []
    for name, path in list(PAGES.items())[part::4]:
        page.goto(path(full_world))
        expect_counted(page)
        problems += [f"{name}: {problem}" for problem in look(page)]
    assert problems == []


def assign(page, world):
    page.goto(license_page(world))
    page.get_by_role("link", name="Assign License", exact=True).click()
    dialog(page).get_by_role("link", name="Users", exact=True).click()
    dialog(page).get_by_role("checkbox", name="Vic Viewer").check()
    expect(dialog(page)).to_contain_text("1 selected")


def assign_nothing(page, world):
    page.goto(license_page(world))
    page.get_by_role("link", name="Assign License", exact=True).click()
    dialog(page).get_by_role("button", name="Assign License", exact=True).click()
    expect(dialog(page).get_by_role("alert")).to_be_visible()


def wrong_dates(page, world):
    page.goto(license_page(world))
    choose_action(page, WORDS, "Change dates")
    dialog(page).get_by_label("Until").fill("2001-01-01")
    dialog(page).get_by_role("button", name="Apply").click()
    expect(dialog(page).get_by_role("alert")).to_be_visible()


def policies(page, world):
    page.goto(license_page(world))
    choose_action(page, WORDS, "Manage Optional Policies")
    expect(dialog(page).get_by_role("button", name="Apply")).to_be_visible()


def unassign(page, world):
    page.goto(f"/units/{world.long_unit.pk}/licenses/")
    choose_action(page, "CRM Professional", "Unassign License")
    expect(dialog(page).get_by_role("button", name="Yes, Remove")).to_be_visible()


def choose_license(page, world):
    page.goto(f"/units/{world.below.pk}/licenses/")
    page.get_by_role("link", name="Assign License", exact=True).click()
    dialog(page).get_by_role("radio", name="CRM Professional").check()
    expect(dialog(page).get_by_role("checkbox", name="CRM export")).to_be_visible()


def add_people(page, world):
    page.goto(f"/groups/{world.long_group.pk}/")
    page.get_by_role("link", name="Add people").click()
    expect(dialog(page).get_by_role("button", name="Add people")).to_be_visible()


def remove_person(page, world):
    page.goto(f"/groups/{world.long_group.pk}/")
    choose_action(page, WORDS, f"Remove from {WORDS}")
    expect(dialog(page).get_by_role("button", name="Remove", exact=True)).to_be_visible()


def row_menu(page, world):
    page.goto(license_page(world))
    actions(page, WORDS).click()


def message(page, world):
    policies(page, world)
    apply_nothing(page)


DIALOGS = [
    assign,
    assign_nothing,
    choose_license,
    policies,
    wrong_dates,
    unassign,
    add_people,
    remove_person,
    row_menu,
    message,
]


@pytest.mark.parametrize("part", range(2))
def test_dialogs(page, full_world, part):
    problems = []
    for opened in DIALOGS[part::2]:
        page.set_viewport_size({"width": 1280, "height": 800})
        opened(page, full_world)
        problems += [f"{opened.__name__}: {problem}" for problem in look(page)]
    assert problems == []


def look(page):
    """What axe says, once light and wide, once dark and narrow, and whether the page is wider than the screen."""
    problems = set()
    for width, scheme in [(1280, "light"), (360, "dark")]:
        page.set_viewport_size({"width": width, "height": 740})
        page.emulate_media(color_scheme=scheme)
        page.evaluate("new Promise(done => requestAnimationFrame(() => setTimeout(done, 50)))")  # until it is drawn
        problems.update(f"{problem} ({width} {scheme})" for problem in [*violations(page), *sideways(page)])
    return sorted(problems)
