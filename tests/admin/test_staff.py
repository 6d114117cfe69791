"""Who works for a provider: its leads say so, one stays always, and nobody learns whose account an address is."""

import re

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.core.exceptions import ValidationError
from django.test import Client

from directory.models import Account
from licensing import services
from licensing.models import License, ProviderToken, StaffMember
from portal.outbox.models import Mail
from portal.outbox.post import deliver
from tests.admin.hands import audit, html, messages_of, post, refusal, signed_in, url
from tests.reading import everything, read
from tests.worlds import TEST


def invitation(provider, email="new@northlight.example", **more):
    return {"provider": provider.pk, "email": email, "name": "Nia New", **more}


def member_of(provider, account):
    return StaffMember.objects.get(provider=provider, account=account)


def test_a_lead_adds_somebody_who_has_no_account_and_they_come_in_by_the_mail(staff, catalogue):
    post(staff, url(StaffMember, "add"), **invitation(catalogue.provider, "New@Northlight.example"))
    account = Account.objects.get(email="new@northlight.example")
    assert (account.name, account.is_staff, account.is_superuser) == ("Nia New", True, False)
    assert not account.has_usable_password()
    assert audit("provider.staff", actor_name="Nora North").get().details["added"] == [account.email]

    deliver()
    (letter,) = mail.outbox
    assert (letter.to, letter.subject) == (["new@northlight.example"], "You work for Northlight in the Customer Portal")
    link = re.search(r"http://127.0.0.1:8000(/accounts/password/reset/key/\S+)", letter.body)[1]
    browser = Client()
    form = browser.get(link, follow=True)
    password = {"password1": "correct-horse-battery", "password2": "correct-horse-battery"}
    assert browser.post(form.redirect_chain[-1][0], password).status_code == 302
    account.refresh_from_db()
    assert account.check_password("correct-horse-battery")
    assert "CRM Basic" in html(signed_in(account), url(License))


def test_an_address_that_has_an_account_is_answered_the_same_and_its_name_is_nowhere(staff, catalogue, acme):
    hidden = acme.viewer.account
    said = [
        post(staff, url(StaffMember, "add"), **invitation(catalogue.provider, email))
        for email in ("new@northlight.example", hidden.email)
    ]
    said = [re.sub(r"\d+", "#", words) for (words,) in said]
    assert said[1] == said[0].replace("new@northlight.example", hidden.email)
    pages = [url(StaffMember), url(member_of(catalogue.provider, hidden))]
    pages += [url(member_of(catalogue.provider, hidden), page) for page in ("delete", "history")]
    for page in pages:
        text = staff.get(page, follow=True).content.decode()
        assert "Vic" not in text.replace("vic@", "")
    assert "new password" not in Mail.objects.get(to=hidden.email).body
    assert "password that you have" in Mail.objects.get(to=hidden.email).body
    hidden.refresh_from_db()
    assert (hidden.name, hidden.is_staff) == ("Vic Viewer", True)
    assert "CRM Basic" in html(signed_in(hidden), url(License))


def test_an_address_that_is_not_the_main_one_of_its_account_is_refused_and_does_not_tell_it(staff, catalogue, acme):
    EmailAddress.objects.create(user=acme.viewer.account, email="vic.private@home.example", verified=True)
    add, before = url(StaffMember, "add"), everything()
    assert refusal(staff, add, **invitation(catalogue.provider, "Vic.Private@home.example")) == {
        "email": "Nobody can be added by this address. Ask them for the main one of their account."
    }
    assert everything() == before


def test_wrong_input_stands_at_its_field_and_makes_nothing(staff, catalogue):
    add, before = url(StaffMember, "add"), Account.objects.count()
    assert set(refusal(staff, add, **invitation(catalogue.provider, "nobody"))) == {"email"}
    assert set(refusal(staff, add, **invitation(catalogue.provider, name=""))) == {"name"}
    assert refusal(staff, add, **invitation(catalogue.provider, "staff@northlight.example")) == {
        "email": "staff@northlight.example works for Northlight already."
    }
    assert (Account.objects.count(), Mail.objects.count()) == (before, 0)


def test_a_lead_makes_others_lead_and_takes_it_back_and_one_stays(staff, helper, catalogue):
    account = Account.objects.get(email="hal@northlight.example")
    nora, hal = (member_of(catalogue.provider, each) for each in (catalogue.staff, account))
    last = "staff@northlight.example is the last lead of Northlight. Make somebody else lead first."
    assert refusal(staff, url(nora)) == {"__all__": last}
    post(staff, url(hal), is_lead="on")
    post(staff, url(nora))
    assert [member.is_lead for member in StaffMember.objects.order_by("pk")] == [False, True]
    assert staff.post(url(hal), {}).status_code == 403
    assert refusal(helper, url(hal)) == {"__all__": last.replace("staff@", "hal@")}


def test_who_is_removed_enters_no_longer(staff, helper, catalogue):
    account = Account.objects.get(email="hal@northlight.example")
    member = member_of(catalogue.provider, account)
    page = html(staff, url(member, "delete"))
    assert "hal@northlight.example will no longer work for Northlight, nor see or change anything of it here." in page
    assert "Only that ends: the account stays" in page
    post(staff, url(member, "delete"), post="yes")
    account.refresh_from_db()
    assert not account.is_staff
    assert helper.get("/admin/").status_code == 302
    assert audit("provider.staff", actor_name="Nora North").get().details["removed"] == [account.email]


def test_who_works_for_two_still_enters_for_the_other(staff, catalogue, harbor):
    services.add_staff(catalogue.provider, account=harbor.staff, actor=TEST)
    post(staff, url(member_of(catalogue.provider, harbor.staff), "delete"), post="yes")
    harbor.staff.refresh_from_db()
    assert harbor.staff.is_staff


def test_the_last_lead_is_not_removed_by_anybody(staff, operators, helper, catalogue):
    nora = member_of(catalogue.provider, catalogue.staff)
    for client in (staff, operators):
        answer = client.post(url(nora, "delete"), {"post": "yes"}, follow=True)
        assert messages_of(answer) == [
            "staff@northlight.example is the last lead of Northlight. Make somebody else lead first."
        ]
    assert StaffMember.objects.filter(pk=nora.pk, is_lead=True).exists()


def test_who_does_not_lead_sees_the_staff_and_changes_nothing(helper, catalogue):
    nora = member_of(catalogue.provider, catalogue.staff)
    listed = read(helper.get(url(StaffMember)))
    assert {"hal@northlight.example", "staff@northlight.example"} <= set(listed.links)
    assert "staff@northlight.example" in html(helper, url(nora))
    assert helper.get(url(StaffMember, "add")).status_code == 403
    sent = invitation(catalogue.provider, is_lead="on")
    for address in (url(StaffMember, "add"), url(nora), url(nora, "delete")):
        assert helper.post(address, {**sent, "post": "yes"}).status_code == 403
    assert StaffMember.objects.count() == 2


def test_only_leads_make_and_try_tokens_and_anybody_revokes_one(staff, helper, catalogue):
    token = ProviderToken(provider=catalogue.provider, name="CRM")
    services.create_token(token, actor=TEST)
    assert "Try it" in html(staff, url(token))
    assert "Try it" not in html(helper, url(token))
    asked = {"subject": "uma@acme.example", "application": catalogue.application.pk, "action": "read"}
    assert helper.get(url(token, "try")).status_code == 403
    assert helper.post(url(token, "try"), asked).status_code == 403
    assert helper.get(url(ProviderToken, "add")).status_code == 403
    sent = {"provider": catalogue.provider.pk, "name": "Mine"}
    assert helper.post(url(ProviderToken, "add"), sent).status_code == 403
    assert post(helper, url(token, "revoke")) == ["CRM was revoked."]
    assert staff.get(url(ProviderToken, "add")).status_code == 200


def test_who_leads_one_of_two_providers_makes_tokens_and_staff_for_that_alone(catalogue, harbor):
    services.add_staff(harbor.provider, account=catalogue.staff, actor=TEST)
    client = signed_in(catalogue.staff)
    for model in (ProviderToken, StaffMember):
        (offered,) = read(client.get(url(model, "add"))).one("select", name="provider").all("option")
        assert offered.text == "Northlight"
        sent = invitation(harbor.provider)
        assert "provider" in refusal(client, url(model, "add"), **sent)
    token = ProviderToken(provider=harbor.provider, name="Drive")
    services.create_token(token, actor=TEST)
    assert client.get(url(token, "try")).status_code == 403
    assert client.post(url(member_of(harbor.provider, harbor.staff)), {}).status_code == 403
    assert "staff@harbor.example" in html(client, url(StaffMember))


def test_the_services_themselves_ask_who_leads(helper, catalogue, harbor):
    account = Account.objects.get(email="hal@northlight.example")
    actor = TEST.__class__("account", account.pk, account.name)
    for act in (
        lambda: services.add_staff(catalogue.provider, account=harbor.staff, actor=actor),
        lambda: services.set_lead(member_of(catalogue.provider, account), is_lead=True, actor=actor),
        lambda: services.remove_staff(member_of(catalogue.provider, catalogue.staff), actor=actor),
        lambda: services.create_token(ProviderToken(provider=catalogue.provider, name="X"), actor=actor),
    ):
        with pytest.raises(ValidationError, match="Only a lead of Northlight does this"):
            act()


def test_another_provider_s_staff_is_not_there(staff, catalogue, harbor):
    theirs = member_of(harbor.provider, harbor.staff)
    assert "harbor" not in html(staff, url(StaffMember)).lower()
    for page in ("change", "delete"):
        for ask in (staff.get, staff.post):
            answer = ask(url(theirs, page), {"post": "yes", "is_lead": ""})
            assert (answer.status_code, answer.headers["Location"]) == (302, "/admin/")
    answer = staff.get(url(theirs, "history"), follow=True)
    assert list(answer.context["cl"].result_list) == []
    assert StaffMember.objects.filter(pk=theirs.pk, is_lead=True).exists()
