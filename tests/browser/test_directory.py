"""Running the directory with the hand: people, groups and units, one and many."""

import pytest
from playwright.sync_api import expect

from directory import services as directory
from tests.browser.hands import choose_action, dialog, expect_message, expect_no_load, main, mark, row
from tests.worlds import TEST

pytestmark = pytest.mark.browser


def foreseen(page):
    return dialog(page).get_by_role("region", name="What changes")


def test_somebody_is_moved_to_a_unit_and_what_changes_is_said_before(page, world, visit):
    world.assign(world.unit)
    visit("licensing:user_list")
    mark(page)
    choose_action(page, "Vic Viewer", "Edit")
    expect(dialog(page).get_by_role("heading", name="Edit Vic Viewer")).to_be_visible()
    field = dialog(page).get_by_label("Organizational unit")
    field.fill("ben")
    expect(dialog(page).locator("datalist option")).to_have_count(1)
    expect(dialog(page).locator("datalist option")).to_have_attribute("value", "Sales › Benelux")

    field.fill("Sales › Benelux")
    field.press("Tab")
    expect(foreseen(page).get_by_text("Vic Viewer gains CRM Professional")).to_be_visible()
    dialog(page).get_by_role("button", name="Save").click()

    expect_message(page, "Vic Viewer is saved.")
    expect(row(page, "Vic Viewer").get_by_role("link", name="Benelux")).to_be_visible()
    expect_no_load(page)


def test_ticked_people_join_a_group_and_the_ticks_are_counted(page, world, visit):
    visit("licensing:user_list")
    mark(page)
    acts = page.get_by_role("group", name="With what is selected")
    expect(acts).to_be_hidden()
    page.get_by_role("checkbox", name="Select Ada Admin").check()
    page.get_by_role("checkbox", name="Select Uma Nobody").check()
    expect(acts.get_by_text("2 selected")).to_be_visible()

    acts.get_by_role("button", name="Add to group").click()
    expect(dialog(page).get_by_role("heading", name="Add 2 people to a group")).to_be_visible()
    dialog(page).get_by_label("Group").fill("Support")
    dialog(page).get_by_role("button", name="Add to group").click()

    expect(dialog(page).get_by_text("1 person joined Support.")).to_be_visible()
    expect(dialog(page).get_by_text("In the group already: 1")).to_be_visible()
    dialog(page).get_by_role("link", name="Close").last.click()
    expect(dialog(page)).to_be_hidden()
    expect(acts).to_be_hidden()
    assert set(world.group.members.all()) == {world.admin, world.nobody}
    expect_no_load(page)


def test_all_that_match_get_a_license(page, world, visit):
    for number in range(60):
        world.person(f"Driver {number:02}")
    visit("licensing:user_list")
    page.get_by_label("Search users").fill("driver")
    expect(page.get_by_role("link", name="all 60")).to_be_visible()
    page.get_by_role("link", name="all 60").click()
    acts = page.get_by_role("group", name="With what is selected")
    expect(acts.get_by_text("60 selected")).to_be_visible()

    acts.get_by_role("button", name="Assign License", exact=True).click()
    dialog(page).get_by_role("radio", name="CRM Basic").check()
    expect(foreseen(page).get_by_text("60 people gain CRM Basic")).to_be_visible()
    dialog(page).get_by_role("button", name="Assign License").click()

    expect_message(page, "60 people got CRM Basic.")
    assert world.plain.assignments.count() == 60


def test_a_group_that_is_deleted_on_its_page_leads_to_the_list(page, world, visit):
    world.assign(world.group)
    visit("directory:group_detail", world.group.pk)
    choose_action(page, "Support", "Delete")
    expect(foreseen(page).get_by_text("Uma Nobody can no longer use CRM Professional")).to_be_visible()
    dialog(page).get_by_role("button", name="Delete").click()

    expect(main(page).get_by_role("heading", name="Groups", exact=True)).to_be_visible()
    expect_message(page, "Support is deleted.")
    expect(main(page).get_by_text("Acme has no groups yet")).to_be_visible()


def test_offboarding_shows_every_path_and_ends_them(page, world, visit):
    world.assign(world.group)
    world.assign(world.nobody, world.plain)
    visit("directory:user_detail", world.nobody.pk)
    choose_action(page, "Uma Nobody", "Offboard")
    plan = dialog(page).get_by_role("region", name="What ends")
    expect(plan.get_by_text("Can no longer use CRM Professional")).to_be_visible()
    expect(plan.get_by_text("Group: Support")).to_be_visible()
    dialog(page).get_by_role("button", name="Offboard").click()

    expect_message(page, "Uma Nobody is offboarded")
    expect(main(page).get_by_text("Uma Nobody is inactive")).to_be_visible()
    world.nobody.refresh_from_db()
    assert (world.nobody.is_active, world.nobody.unit, world.nobody.groups.count()) == (False, None, 0)


def test_a_list_is_pasted_into_the_picker(page, world, visit):
    visit("directory:group_detail", world.group.pk)
    page.get_by_role("link", name="Add people").first.click()
    dialog(page).get_by_text("Paste a list").click()
    dialog(page).get_by_label("E-mail addresses or employee numbers").fill("vic@acme.example, x@nowhere.example")
    dialog(page).get_by_role("button", name="Tick these people").click()

    expect(dialog(page).get_by_text("1 selected")).to_be_visible()
    expect(dialog(page).get_by_text("Nobody here has this address or number")).to_be_visible()
    dialog(page).get_by_role("button", name="Add people").click()
    expect_message(page, "Vic Viewer joined Support.")


def test_a_unit_is_moved_and_a_circle_is_said_in_the_dialog(page, world, visit):
    directory.create_unit(world.organization, name="Nordics", actor=TEST)
    visit("directory:unit_list")
    choose_action(page, "Sales", "Move")
    field = dialog(page).get_by_label("Below")
    field.fill("Benelux")
    dialog(page).get_by_role("button", name="Move").click()
    expect(dialog(page).get_by_text("a unit cannot lie below itself")).to_be_visible()
    field.fill("Nordics")
    dialog(page).get_by_role("button", name="Move").click()

    expect_message(page, "Sales lies below Nordics now.")
    expect(row(page, "Sales")).to_have_count(0)


def test_two_people_are_compared_and_one_is_given_what_the_other_has(page, world, visit):
    world.assign(world.group)
    visit("licensing:compare")
    page.get_by_label("Person").fill("uma@acme.example")
    page.get_by_label("Compared with").fill("Vic Viewer")
    main(page).get_by_role("button", name="Compare").click()
    main(page).get_by_role("link", name="Give Vic Viewer what Uma Nobody has").click()
    expect(foreseen(page).get_by_text("Vic Viewer gains CRM Professional")).to_be_visible()
    dialog(page).get_by_role("checkbox", name="Unit").uncheck()
    dialog(page).get_by_role("button", name="Join").click()

    expect_message(page, "Vic Viewer joined Support.")
    assert world.viewer in world.group.members.all()
