"""Explain access as an admin uses it: who has it not, what is missing, mended on the spot."""

import pytest
from playwright.sync_api import expect

from tests.browser.hands import dialog, expect_message, main

pytestmark = pytest.mark.browser


def test_what_is_missing_is_mended_where_it_is_said(page, world, visit):
    visit("licensing:license_access", world.allocation.pk)
    main(page).get_by_role("link", name="Explain access").click()
    expect(page.get_by_label("Application, license or policy")).to_have_value(f"license-{world.allocation.pk}")
    page.get_by_label("Person").fill("uma")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Uma Nobody may not use CRM Professional")).to_be_visible()

    main(page).get_by_role("link", name="Assign", exact=True).click()
    dialog(page).get_by_role("button", name="Assign License").click()

    expect_message(page, "CRM Professional is now assigned to Uma Nobody, with CRM access.")
    expect(page.get_by_role("heading", name="Uma Nobody may use CRM Professional")).to_be_visible()
    expect(main(page)).to_contain_text("Direct")
