"""Importing people in the browser: upload, preview, confirm, result; and exporting what was searched."""

import pytest
from django.core.management import call_command
from playwright.sync_api import expect

from directory.imports import running
from directory.imports.models import Import, State
from tests.browser.hands import dialog, expect_message, main

pytestmark = pytest.mark.browser

PEOPLE = (
    "E-mail;Name;Title;Groups;Shoe size\r\n"
    "vic@acme.example;;Driver;Support;44\r\n"
    "new@acme.example;Nina New;Planner;;40\r\n"
    "jan@acme.example;Jan;;Sopport;41\r\n"
)


def choose(page, content):
    page.get_by_label("CSV file").set_input_files(
        {"name": "people.csv", "mimeType": "text/csv", "buffer": content.encode()}
    )
    page.get_by_role("button", name="Upload and preview").click()


def test_from_the_upload_to_the_result(page, world, visit):
    visit("licensing:user_list")
    page.get_by_role("link", name="Import", exact=True).click()
    expect(page.get_by_role("heading", name="Import users")).to_be_visible()

    choose(page, PEOPLE)

    expect(page.get_by_role("heading", name="people.csv")).to_be_visible()
    expect(page.get_by_role("row").filter(has_text="Nina New")).to_contain_text("Created")
    expect(page.get_by_role("row").filter(has_text="Vic Viewer")).to_contain_text("Title Driver")
    expect(page.get_by_role("row").filter(has_text="Jan")).to_contain_text("There is no group “Sopport”.")
    page.get_by_label("Outcome").select_option("Refused")
    expect(page.get_by_role("row")).to_have_count(2)
    with page.expect_download() as download:
        page.get_by_role("link", name="Download them").click()
    assert download.value.suggested_filename == "people-refused.csv"

    page.get_by_role("link", name="Import", exact=True).click()
    expect(dialog(page).get_by_text("1 person is created")).to_be_visible()
    dialog(page).get_by_role("button", name="Import").click()

    expect_message(page, "people.csv: 1 created, 1 changed and 1 refused.")
    expect(main(page).get_by_text("Done")).to_be_visible()
    assert world.organization.users.get(email="new@acme.example").title == "Planner"
    assert world.group.members.filter(name="Vic Viewer").exists()


def test_a_file_that_is_no_list_says_why_and_another_can_be_chosen(page, world, visit):
    visit("imports:upload")
    choose(page, "PK\x03\x04 a workbook")
    expect(page.get_by_role("alert")).to_have_text(
        "This is an Excel workbook. Save it as CSV in Excel, then upload that."
    )
    choose(page, PEOPLE)
    expect(page.get_by_role("heading", name="people.csv")).to_be_visible()


@pytest.mark.postgres  # on SQLite the tests' server and this thread share one connection
def test_progress_goes_on_by_itself_until_the_result_is_there(page, world, visit, monkeypatch):
    monkeypatch.setattr(running, "CHUNK", 2)
    visit("imports:upload")
    choose(page, PEOPLE)
    expect(page.get_by_text("0 of 3 rows.")).to_be_visible()
    running.run_imports()
    expect(page.get_by_text("2 of 3 rows.")).to_be_visible()
    call_command("work", "--once")
    expect(page.get_by_role("row").filter(has_text="Nina New")).to_be_visible()
    assert Import.objects.get().state == State.READY


def test_export_carries_what_was_typed_without_a_load(page, world, visit):
    visit("licensing:user_list")
    page.get_by_label("Search users").fill("viewer")
    expect(page.get_by_role("row")).to_have_count(2)
    expect(page.get_by_role("link", name="Export")).to_have_attribute("href", "/users.csv?q=viewer")
    with page.expect_download() as download:
        page.get_by_role("link", name="Export").click()
    content = download.value.path().read_text(encoding="utf-8-sig")
    assert [line.split(",")[1] for line in content.splitlines()] == ["Name", "Vic Viewer"]
