"""What the portal refuses is said where the person looks, in words, and changes nothing."""

import re
from datetime import timedelta

import pytest
from django.contrib.sessions.models import Session
from django.utils import timezone
from playwright.sync_api import expect

from directory import services as directory
from directory.models import User
from licensing import services
from licensing.kinds import GROUPS
from licensing.models import Allocation, Assignment
from portal.audit.log import Actor
from tests.browser.hands import choose_action, dialog, expect_message, row
from tests.worlds import TEST

pytestmark = pytest.mark.browser


@pytest.fixture
def assign_dialog(page, world, visit):
    """The dialog of the license, in which the group is ticked; returns how to confirm it."""
    visit("licensing:license_assignees", world.allocation.pk, GROUPS)
    page.get_by_role("link", name="Assign License", exact=True).click()
    dialog(page).get_by_role("checkbox", name="Support").check()
    expect(dialog(page)).to_contain_text("1 selected")
    return dialog(page).get_by_role("button", name="Assign License", exact=True)


def alert(page):
    return dialog(page).get_by_role("alert")


def test_nobody_is_chosen(page, world, visit):
    visit("licensing:license_detail", world.allocation.pk)
    page.get_by_role("link", name="Assign License", exact=True).click()
    dialog(page).get_by_role("checkbox", name="CRM export").check()

    dialog(page).get_by_role("button", name="Assign License", exact=True).click()

    expect(alert(page)).to_have_text("Choose at least one user.")
    expect(dialog(page).get_by_role("checkbox", name="CRM export")).to_be_checked()
    assert dialog(page).evaluate("dialog => dialog.contains(document.activeElement)")
    dialog(page).get_by_role("checkbox", name="Uma Nobody").check()
    dialog(page).get_by_role("button", name="Assign License", exact=True).click()
    expect(row(page, "Uma Nobody")).to_contain_text("CRM export")


def test_no_license_is_chosen(page, world, visit):
    visit("licensing:organization_licenses")
    page.get_by_role("link", name="Assign License", exact=True).click()

    dialog(page).get_by_role("button", name="Assign License", exact=True).click()

    expect(alert(page)).to_have_text("Choose a license.")


def test_the_end_is_before_the_start(page, assign_dialog):
    tomorrow = timezone.now() + timedelta(days=1)
    dialog(page).get_by_text("From today, no end date").click()
    dialog(page).get_by_label("From", exact=True).fill(f"{tomorrow + timedelta(days=9):%Y-%m-%d}")
    dialog(page).get_by_label("Until", exact=True).fill(f"{tomorrow:%Y-%m-%d}")

    assign_dialog.click()

    expect(alert(page)).to_have_text("The last day is before the first. Choose a later one.")
    expect(dialog(page).get_by_label("Until", exact=True)).to_have_accessible_description(re.compile("The last day"))
    expect(dialog(page).get_by_role("checkbox", name="Support")).to_be_checked()


def test_cancelled_meanwhile(page, world, assign_dialog):
    services.cancel(world.allocation, actor=TEST)

    assign_dialog.click()

    expect(alert(page)).to_contain_text("CRM Professional was cancelled by Northlight on")
    assert not Assignment.objects.exists()


def test_not_enough_seats(page, world, assign_dialog):
    Allocation.objects.filter(pk=world.allocation.pk).update(seats=1)
    world.assign(world.viewer)

    assign_dialog.click()

    expect(alert(page)).to_contain_text("Not enough seats: 1 is needed, 0 of 1 are free.")
    expect(dialog(page).get_by_role("checkbox", name="Support")).to_be_checked()


@pytest.mark.parametrize("action", ["Manage Optional Policies", "Unassign License"])
def test_removed_by_another_person_before_the_dialog_opens(page, world, visit, action):
    assignment = world.assign(world.group)
    visit("licensing:license_assignees", world.allocation.pk, GROUPS)
    services.unassign(assignment, actor=Actor("account", world.admin.account.pk, "Ada Admin"))

    choose_action(page, "Support", action)

    expect(alert(page)).to_contain_text("Ada Admin already unassigned CRM Professional from Support")
    page.keyboard.press("Escape")
    expect(dialog(page)).to_be_hidden()
    expect(row(page, "Support")).to_have_count(0)


@pytest.mark.parametrize(
    ("action", "button"), [("Manage Optional Policies", "Apply"), ("Unassign License", "Yes, Remove")]
)
def test_removed_by_another_person_while_the_dialog_is_open(page, world, visit, action, button):
    assignment = world.assign(world.group)
    visit("licensing:license_assignees", world.allocation.pk, GROUPS)
    choose_action(page, "Support", action)
    expect(dialog(page).get_by_role("button", name=button, exact=True)).to_be_visible()
    services.unassign(assignment, actor=Actor("account", world.admin.account.pk, "Ada Admin"))

    dialog(page).get_by_role("button", name=button, exact=True).click()

    expect(alert(page)).to_contain_text("Ada Admin already unassigned CRM Professional from Support")
    page.keyboard.press("Escape")
    expect(row(page, "Support")).to_have_count(0)


def test_the_permission_is_revoked_while_the_dialog_is_open(page, world, assign_dialog, console):
    User.objects.filter(pk=world.editor.pk).update(role="viewer")

    assign_dialog.click()

    expect(alert(page)).to_have_text("You may not do this any more. Reload the page to see what you may.")
    assert not Assignment.objects.exists()
    assert all("403" in complaint for complaint in console)
    console.clear()


def test_the_permission_is_revoked_before_the_dialog_opens(page, world, visit, console):
    visit("licensing:license_detail", world.allocation.pk)
    User.objects.filter(pk=world.editor.pk).update(role="viewer")

    page.get_by_role("link", name="Assign License", exact=True).click()

    expect_message(page, "You may not do this any more. Reload the page to see what you may.")
    expect(dialog(page)).to_be_hidden()
    page.get_by_role("button", name="Close message").click()
    expect(page.get_by_text("You may not do this any more")).to_have_count(0)
    assert all("403" in complaint for complaint in console)
    console.clear()


def test_the_portal_cannot_be_reached(page, world, assign_dialog, console):
    page.context.set_offline(True)

    assign_dialog.click()

    expect(alert(page)).to_have_text("The portal cannot be reached. Check your connection and try again.")
    page.context.set_offline(False)
    assign_dialog.click()
    expect(row(page, "Support")).to_be_visible()
    assert all("ERR_INTERNET_DISCONNECTED" in complaint or "error: htmx:" in complaint for complaint in console)
    console.clear()


@pytest.mark.parametrize("is_open", [True, False], ids=["in the open dialog", "before it opens"])
def test_the_session_has_expired(page, world, visit, is_open):
    path = visit("licensing:license_assignees", world.allocation.pk, GROUPS)
    button = page.get_by_role("link", name="Assign License", exact=True)
    if is_open:
        button.click()
        button = dialog(page).get_by_role("button", name="Assign License", exact=True)
        expect(button).to_be_visible()
    Session.objects.all().delete()

    button.click()

    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    expect(page).to_have_url(re.compile(f"next={path.replace('/', '(/|%2F)')}$"))


def test_the_organization_was_switched_in_another_tab(page, acme, globex, sign_in, visit):
    directory.create_user(globex.organization, name="Ada", account=acme.admin.account, role="admin", actor=TEST)
    sign_in(acme.admin)
    visit("licensing:assignee_licenses", GROUPS, acme.group.pk)
    page.get_by_role("link", name="Assign License", exact=True).click()
    dialog(page).get_by_role("radio", name="CRM Professional").check()
    expect(dialog(page).get_by_role("checkbox", name="CRM export")).to_be_visible()
    other = page.context.new_page()
    other.goto("/users/")
    other.get_by_label("Organization: Acme. Switch").click()
    other.get_by_role("button", name="Globex").click()
    expect(other.get_by_label("Organization: Globex. Switch")).to_be_visible()

    dialog(page).get_by_role("button", name="Assign License", exact=True).click()

    expect(alert(page)).to_contain_text("This form was opened in Acme, and since then you switched to Globex")
    assert not Assignment.objects.exists()


def test_a_double_click_assigns_once(page, world, assign_dialog):
    assign_dialog.dblclick()

    expect(dialog(page)).to_be_hidden()
    expect_message(page, "CRM Professional is now assigned to Support, with CRM access.")
    expect(row(page, "Support")).to_have_count(1)
    expect(page.get_by_text("had it already")).to_have_count(0)
    assert Assignment.objects.count() == 1


def test_ticks_in_quick_succession_are_all_kept(page, world, visit):
    people = [world.person(f"Person {number}") for number in range(5)]
    visit("licensing:license_detail", world.allocation.pk)
    page.get_by_role("link", name="Assign License", exact=True).click()
    expect(dialog(page).get_by_role("checkbox", name="Person 4")).to_be_visible()

    # faster than the answers come
    page.evaluate(
        "document.querySelectorAll('#modal input[name=assignees]').forEach(box => box.disabled || box.click())"
    )

    expect(dialog(page)).to_contain_text(f"{len(people) + 4} selected")
    dialog(page).get_by_role("button", name="Assign License", exact=True).click()
    expect(dialog(page)).to_be_hidden()
    assert Assignment.objects.count() == len(people) + 4
