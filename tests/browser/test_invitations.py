"""From the list of addresses to being in: invited, mailed, accepted."""

import re

import pytest
from django.core import mail
from django.core.management import call_command
from playwright.sync_api import expect

from directory.models import Account, User
from tests.browser.hands import choose_action, dialog, expect_message, main, row
from tests.worlds import PASSWORD

pytestmark = pytest.mark.browser
CHOSEN = "an-entirely-new-one"


def mailed_link(address):
    """What the mail leads to, after it was sent."""
    call_command("work", "--once")
    (message,) = [each for each in mail.outbox if each.to == [address]][-1:]
    return re.search(r"http://127.0.0.1:8000(/invitations/\S+)", message.body)[1]


def test_somebody_new_is_invited_by_an_admin_and_accepts_with_a_password(page, context, acme, sign_in, visit):
    sign_in(acme.admin)
    visit("licensing:user_list")
    main(page).get_by_role("link", name="Invite people").click()
    expect(dialog(page).get_by_role("heading", name="Invite people")).to_be_visible()
    dialog(page).get_by_label("E-mail addresses").fill("Noor de Smet <noor@new.example>, vic@acme.example, foo")
    dialog(page).get_by_label("Portal role").select_option("Viewer")
    expect(dialog(page)).to_contain_text("2 are not invited")
    expect(dialog(page)).to_contain_text("vic@acme.example has an account here already")
    dialog(page).get_by_label("Organizational unit").fill("bene")
    expect(page.get_by_role("dialog").locator("datalist option")).to_have_count(1)
    expect(page.get_by_role("dialog").locator("datalist option")).to_have_attribute("value", "Sales › Benelux")
    dialog(page).get_by_label("Organizational unit").fill("Sales › Benelux")
    dialog(page).get_by_role("button", name="Invite", exact=True).click()
    expect(dialog(page)).to_be_hidden()
    expect_message(page, "Noor de Smet was invited by mail. 2 entries were not.")
    expect(row(page, "Noor de Smet")).to_contain_text("Benelux")

    context.clear_cookies()
    page.goto(mailed_link("noor@new.example"))
    expect(page.get_by_role("heading", name="Join Acme")).to_be_visible()
    expect(page.get_by_label("Your name")).to_have_value("Noor de Smet")
    page.get_by_label("Password", exact=True).fill("short")
    page.get_by_label("Password again").fill("short")
    page.get_by_role("button", name="Join Acme").click()
    expect(page.get_by_role("alert")).to_contain_text("too short")
    page.get_by_label("Password", exact=True).fill(CHOSEN)
    page.get_by_label("Password again").fill(CHOSEN)
    page.get_by_role("button", name="Join Acme").click()

    expect_message(page, "You joined Acme.")
    expect(page.get_by_label("You", exact=True)).to_contain_text("Noor de Smet")
    expect(page.get_by_label("You", exact=True)).to_contain_text("Viewer")
    noor = User.objects.get(email="noor@new.example")
    assert (noor.role, noor.unit, noor.account.check_password(CHOSEN)) == ("viewer", acme.below, True)
    visit("usersessions_list")
    expect(page.get_by_role("row").filter(has_text="This browser")).to_contain_text("Chrome on")


def test_an_account_joins_a_second_organization_and_switches(page, context, acme, globex, sign_in, visit):
    sign_in(acme.editor)
    visit("directory:invitation_list")
    main(page).get_by_role("link", name="Invite people").click()
    dialog(page).get_by_label("E-mail addresses").fill("gus@nowhere.example, vic@globex.example")
    dialog(page).get_by_role("button", name="Invite", exact=True).click()
    expect_message(page, "gus and vic were invited by mail.")
    choose_action(page, "gus", "Cancel invitation")
    dialog(page).get_by_role("button", name="Cancel invitation").click()
    expect_message(page, "The invitation of gus is cancelled.")
    expect(row(page, "gus")).to_contain_text("Cancelled")
    choose_action(page, "vic", "Resend")
    dialog(page).get_by_role("button", name="Resend").click()
    expect_message(page, "vic was invited again, by a mail to vic@globex.example.")

    page.goto(mailed_link("vic@globex.example"))
    expect(page.get_by_text("You are signed in as Eva Editor")).to_be_visible()
    page.get_by_role("button", name="Sign out and go on").click()
    page.get_by_role("link", name="Sign in").click()
    page.get_by_label("E-mail").fill("vic@globex.example")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name="Join Acme").click()

    expect_message(page, "You joined Acme.")
    assert Account.objects.get(email="vic@globex.example").users.count() == 2
    visit("directory:profile")
    expect(page.get_by_role("row").filter(has_text="Acme")).to_contain_text("You are here")
    page.get_by_role("button", name="Switch to Globex").click()
    expect(page.get_by_label("Portal").get_by_text("Globex")).to_be_visible()


@pytest.mark.browser_context_args(java_script_enabled=False)
def test_inviting_works_where_scripts_do_not_run(page, acme, sign_in, visit):
    sign_in(acme.editor)
    visit("licensing:user_list")
    main(page).get_by_role("link", name="Invite people").click()
    page.get_by_label("E-mail addresses").fill("noor@new.example\nfoo")
    page.get_by_label("Organizational unit").fill("benelux")
    page.get_by_role("button", name="Invite", exact=True).click()
    expect(page.get_by_role("alert")).to_contain_text("1 entry cannot be invited.")
    expect(main(page)).to_contain_text("foo is not an e-mail address")
    page.get_by_role("button", name="Invite", exact=True).click()
    expect_message(page, "noor was invited by mail. 1 entry was not.")
    expect(row(page, "noor")).to_contain_text("Pending")
