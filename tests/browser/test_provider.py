"""A provider's staff in the administration: allocating, cancelling, reinstating, and changing what a license gives."""

import re
from types import SimpleNamespace

import pytest
from playwright.sync_api import expect

from directory import services as directory
from licensing import services
from licensing.models import Allocation, License
from tests.worlds import TEST

pytestmark = pytest.mark.browser


@pytest.fixture
def staff(acme, globex, catalogue, harbor, sign_in):
    """The provider's staff is signed in; Acme's everybody has CRM Professional."""
    acme.assign(acme.organization)
    sign_in(SimpleNamespace(account=catalogue.staff))
    return catalogue


def main(page):
    return page.locator("#content")


def test_the_first_page_leads_to_what_is_to_be_looked_after(page, staff, acme, visit):
    services.change_allocation(acme.allocation, seats=3, starts_at=None, ends_at=None, actor=TEST)
    visit("admin:index")
    expect(page.get_by_role("heading", name="Over its seats (1)")).to_be_visible()
    page.get_by_role("link", name="Acme: CRM Professional").first.click()
    expect(main(page)).to_contain_text("4 of 3, over by 1")


def test_a_license_is_allocated_to_a_customer_chosen_by_name_and_to_one_by_its_slug(page, staff, visit):
    directory.create_organization(name="Initech", slug="initech", actor=TEST)
    new = services.save(License(provider=staff.provider, name="CRM Export"), actor=TEST)
    services.set_license_policies(new, default=[staff.export], optional=[], actor=TEST)
    visit("admin:licensing_allocation_changelist")
    page.get_by_role("link", name=re.compile("Add allocation")).first.click()
    page.get_by_label("CRM Export").check()
    main(page).get_by_role("searchbox").click()
    page.keyboard.type("acm")
    option = page.get_by_role("option", name="Acme")
    expect(page.get_by_role("option")).to_have_count(1)
    option.click()
    page.get_by_label("Organizations by slug").fill("initech")
    page.get_by_label("Seats").fill("5")
    page.get_by_role("button", name="Allocate").click()
    expect(main(page)).to_contain_text("2 of 2 were allocated.")
    page.get_by_role("row", name=re.compile("Initech")).get_by_role("link", name="Allocated").click()
    expect(main(page)).to_contain_text("0 of 5")
    assert Allocation.objects.filter(license=new, seats=5).count() == 2


def test_an_allocation_is_cancelled_and_reinstated_after_saying_what_that_does(page, staff, acme, visit):
    visit("admin:licensing_allocation_change", acme.allocation.pk)
    page.get_by_role("link", name="Cancel this allocation").click()
    expect(main(page)).to_contain_text("4 people of Acme can no longer use CRM Professional.")
    page.get_by_role("link", name="No, take me back").click()
    page.get_by_role("link", name="Cancel this allocation").click()
    page.get_by_role("button", name="Cancel this allocation").click()
    expect(page.locator(".messagelist")).to_contain_text("The allocation of CRM Professional to Acme was cancelled.")
    expect(main(page)).to_contain_text("Not in effect: cancelled")

    page.get_by_role("link", name="Reinstate this allocation").click()
    expect(main(page)).to_contain_text("4 people of Acme get CRM Professional.")
    page.get_by_role("button", name="Reinstate this allocation").click()
    expect(page.locator(".messagelist")).to_contain_text("was reinstated.")
    assert not Allocation.objects.exclude(cancelled_at=None).exists()


def test_many_are_cancelled_from_the_list(page, staff, acme, visit):
    visit("admin:licensing_allocation_changelist")
    page.get_by_role("checkbox").first.check()  # all of the page
    page.get_by_role("combobox", name="Action").select_option("Cancel")
    page.get_by_role("button", name="Go").click()
    expect(main(page)).to_contain_text("Cancel 4 allocations?")
    expect(page.get_by_role("row", name=re.compile("CRM Professional Acme"))).to_contain_text(
        "4 people can no longer use it"
    )
    page.get_by_role("button", name="Cancel 4 allocations").click()
    expect(page.locator(".messagelist")).to_contain_text("4 allocations were cancelled.")


def test_what_a_license_gives_is_changed_after_saying_for_whom(page, staff, acme, visit):
    visit("admin:licensing_license_change", staff.professional.pk)
    page.get_by_label("CRM administration in this license").select_option("Default")
    page.get_by_label("CRM export in this license").select_option("Not in it")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(main(page)).to_contain_text("Nothing is saved yet.")
    changes = page.locator("#consequences")
    expect(changes).to_contain_text("4 people in 1 organization get CRM administration.")
    expect(page.locator("#preview")).to_contain_text("How customers will see it")
    expect(page.locator("#preview")).not_to_contain_text("CRM export")
    assert License.objects.get(pk=staff.professional.pk).optional_policies == [staff.export, staff.administration]
    changes.get_by_label("Yes, change it").check()
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".messagelist")).to_contain_text("CRM Professional")
    license = License.objects.get(pk=staff.professional.pk)
    assert (set(license.default_policies), license.optional_policies) == ({staff.reading, staff.administration}, [])


def test_a_list_narrowed_by_customer_works_without_a_script(browser, base_url, context, staff, acme):
    cookies = context.cookies()
    plain = browser.new_context(java_script_enabled=False, base_url=base_url)
    plain.add_cookies(cookies)
    page = plain.new_page()
    page.goto("/admin/licensing/allocation/")
    page.get_by_label("Slug").fill("acme")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_role("row", name=re.compile("Acme"))).to_have_count(2)
    expect(page.get_by_role("row", name=re.compile("Globex"))).to_have_count(0)
    plain.close()
