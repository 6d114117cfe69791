"""One's own account, what organizations learn of it, and an Admin who resets a password."""

import re

import pytest
from allauth.account.models import EmailAddress
from allauth.usersessions.models import UserSession
from django.core import mail
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.test import Client

from directory import services
from directory.models import Account
from portal.audit.log import Actor
from portal.audit.models import AuditEntry
from portal.audit.sentences import sentence_of
from portal.outbox.models import Mail
from portal.templatetags.portal import browser
from tests.reading import everything, read
from tests.test_sign_in import LOGIN, new_password, sign_in, turn_on_second_factor
from tests.worlds import PASSWORD, TEST

HTMX = {"HX-Request": "true"}


@pytest.fixture(autouse=True)
def _no_earlier_failures(db):
    cache.clear()  # holds the rate limits


def said_in(organization):
    """What the Activity of an organization says of accounts, the oldest first."""
    entries = AuditEntry.objects.filter(organization_id=organization.pk, verb__startswith="account.").order_by("pk")
    return [re.sub("<.*?>", "", f"{entry.actor_name} {sentence_of(entry)}") for entry in entries]


@pytest.fixture
def both(acme, globex):
    """The account of acme's viewer, who is a user of globex too."""
    account = acme.viewer.account
    services.create_user(globex.organization, name="Victor", account=account, role="editor", actor=TEST)
    return account


# Reset Password ------------------------------------------------------------------------------------------------------


def reset_url(user):
    return f"/users/{user.pk}/reset-password/"


def test_the_old_password_stops_at_once_and_a_link_makes_a_new_one(acme):
    theirs = Client()
    sign_in(theirs, acme.editor.account.email)
    client = acme.client()
    dialog = read(client.get(reset_url(acme.editor)))
    assert "The old password stops working at once, and Eva Editor is signed out everywhere." in dialog.text

    answer = client.post(reset_url(acme.editor), headers=HTMX)

    assert "The password of Eva Editor does not work any more. A mail with a link went to eva@acme.example." in (
        read(answer).text
    )
    assert theirs.get("/users/").status_code == 302
    assert "do not belong together" in sign_in(Client(), "eva@acme.example").content.decode()
    assert said_in(acme.organization) == [
        "Ada Admin reset the password of Eva Editor: the old one does not work any more"
    ]
    call_command("work", "--once")
    (message,) = mail.outbox
    assert (message.to, message.subject) == (
        ["eva@acme.example"],
        "Choose a new password for the Customer Portal",
    )
    assert "Ada Admin of Acme has reset your password" in message.body
    path = re.search(r"http://127.0.0.1:8000(/accounts/password/reset/key/\S+)", message.body)[1]
    form = theirs.get(path, follow=True)
    done = theirs.post(form.request["PATH_INFO"], new_password("an-entirely-new-one"), follow=True)
    assert "Your password is changed" in done.content.decode()
    assert sign_in(Client(), "eva@acme.example", "an-entirely-new-one").status_code == 302
    assert "This link does not work any more" in Client().get(path, follow=True).content.decode()
    assert said_in(acme.organization)[1:] == ["Eva Editor changed their password"]


@pytest.mark.parametrize("why", ["elsewhere too", "staff", "superuser"])
def test_an_account_that_is_not_the_organizations_alone_keeps_its_password(acme, globex, why):
    account = acme.viewer.account
    if why == "elsewhere too":
        services.create_user(globex.organization, name="V", account=account, is_active=False, actor=TEST)
    else:
        setattr(account, f"is_{why}", True)
        account.save()
    client = acme.client()
    dialog = read(client.get(reset_url(acme.viewer)))
    assert "This account is not of Acme alone. So only the mail is sent: the old password works" in dialog.text
    assert "Globex" not in dialog.text

    answer = read(client.post(reset_url(acme.viewer), headers=HTMX))

    assert "A mail with a link went to vic@acme.example." in answer.text
    assert "does not work" not in answer.text
    assert sign_in(Client(), "vic@acme.example").status_code == 302
    body = Mail.objects.get().body
    assert "sends you a link to choose a new password for the Customer Portal. Your old password works until" in body
    assert "has reset" not in body
    assert said_in(acme.organization) == ["Ada Admin sent Vic Viewer a link to choose a new password"]
    assert said_in(globex.organization) == []


def test_who_has_no_account_is_to_be_invited(acme):
    person, client = acme.person("Noor", email="noor@x.example"), acme.client()
    page = read(client.get(reset_url(person), headers=HTMX))
    assert "Noor has no portal account, so there is no password to reset." in page.text
    assert page.links["Invite"] == f"/users/{person.pk}/invite/"
    assert page.buttons == []
    before = everything()
    assert list(read(client.post(reset_url(person), headers=HTMX)).alerts.values()) == [
        "Noor has no portal account. Invite them first."
    ]
    assert everything() == before


def test_only_an_admin_resets_passwords_whoever_asks(acme, globex):
    before = everything()
    for user in (acme.editor, acme.viewer, globex.admin):
        with pytest.raises(ValidationError, match="Only an Admin resets passwords."):
            services.reset_password(acme.nobody, actor=Actor("account", user.account_id, user.name))
    assert everything() == before


# Name and organizations ----------------------------------------------------------------------------------------------


def test_the_profile_has_the_name_and_the_organizations_with_a_switch(acme, globex, both):
    client = acme.client(acme.viewer)
    page = read(client.get("/accounts/"))
    assert page.rows == [
        ["Acme", "Viewer", "Vic Viewer", "You are here"],
        ["Globex", "Editor", "Victor", "Switch"],
    ]
    assert client.post("/organization/switch/", {"organization": globex.organization.pk}).url == "/"
    assert read(client.get("/accounts/")).rows[1][-1] == "You are here"

    answer = client.post("/accounts/", {"name": " Vic\u2028 de  Vries "}, follow=True)

    assert "Your name is Vic de Vries." in read(answer).text
    assert Account.objects.get(pk=both.pk).name == "Vic de Vries"
    acme.viewer.refresh_from_db()
    assert acme.viewer.name == "Vic Viewer"
    said = ["Vic Viewer changed their name from Vic Viewer to Vic de Vries"]
    assert said_in(acme.organization) == said_in(globex.organization) == said


def test_the_same_name_is_no_act(acme):
    client, before = acme.client(), AuditEntry.objects.count()
    client.post("/accounts/", {"name": "Ada Admin"})
    assert AuditEntry.objects.count() == before


@pytest.mark.parametrize("name", ["", " ", "\x00", "\x07", "n" * 121])
def test_a_name_that_is_none_is_refused_at_the_field(acme, name):
    client, before = acme.client(), everything()
    assert list(read(client.post("/accounts/", {"name": name})).alerts) == ["id_name_error"]
    assert everything() == before


def test_who_is_in_no_organization_has_a_profile_too(client, catalogue):
    client.force_login(catalogue.staff)
    assert "You are an active user of no organization." in read(client.get("/accounts/")).text


# Sessions ------------------------------------------------------------------------------------------------------------


def test_sessions_are_listed_and_the_others_can_be_ended(acme):
    windows = "Mozilla/5.0 (Windows NT 10.0; rv:140.0) Gecko/20100101 Firefox/140.0"
    here, there = Client(), Client(headers={"User-Agent": windows})
    for each in (there, here):
        sign_in(each, "ada@acme.example")
    sign_in(Client(), "eva@acme.example")

    page = read(here.get("/accounts/sessions/"))
    assert [(row[0], row[1], row[3]) for row in page.rows] == [
        ("Firefox on Windows", "127.0.0.1", ""),
        ("A browser", "127.0.0.1", "This browser"),
    ]
    answer = read(here.post("/accounts/sessions/", follow=True))

    assert "You are signed out everywhere else." in answer.text
    assert "You are signed in nowhere else." in answer.text
    assert there.get("/users/").status_code == 302
    assert here.get("/users/").status_code == 200
    assert UserSession.objects.filter(user__email="eva@acme.example").count() == 1


@pytest.mark.parametrize(
    ("user_agent", "words"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/140.0.0.0 Safari/537.36", "Chrome on Linux"),
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/140.0.0.0 Safari/537.36 Edg/140.0", "Edge on Windows"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18 Safari/604.1", "Safari on iPhone"),
        ("Mozilla/5.0 (Linux; Android 15) Chrome/140 Mobile Safari/537.36", "Chrome on Android"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 14_0; rv:140.0) Firefox/140.0", "Firefox on Mac"),
        ("<script>alert(1)</script>", "A browser"),
        ("", "A browser"),
    ],
)
def test_a_browser_in_words(user_agent, words):
    assert browser(user_agent) == words


# What accounts do on the pages of allauth ----------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)  # some of it allauth says only when it is saved
def test_each_organization_learns_what_its_people_do_to_their_login_and_nothing_else(acme, globex, both):
    client = Client()
    sign_in(client, both.email)
    client.post("/accounts/password/change/", new_password("an-entirely-new-one", oldpassword=PASSWORD))
    sign_in(client, both.email, "an-entirely-new-one")
    both.set_password(PASSWORD)
    both.save()
    client = Client()
    sign_in(client, both.email)

    client.post("/accounts/email/", {"email": "Vic@Home.example", "action_add": ""})
    link = re.search(r"http://testserver(/accounts/confirm-email/\S+)", mail.outbox[-1].body)[1]
    Client().post(link)  # where nobody is signed in
    client.post("/accounts/email/", {"email": "vic@home.example", "action_primary": ""})
    client.post("/accounts/email/", {"email": "vic@acme.example", "action_remove": ""})
    turn_on_second_factor(client)
    client.post("/accounts/2fa/recovery-codes/generate/")
    client.post("/accounts/2fa/totp/deactivate/")

    said = [
        "Vic Viewer changed their password",
        "Vic Viewer confirmed an e-mail address of their account",
        "Vic Viewer changed the main e-mail address of their account",
        "Vic Viewer removed an e-mail address from their account",
        "Vic Viewer turned on the second factor of their account",
        "Vic Viewer made new recovery codes for their account",
        "Vic Viewer turned off the second factor of their account",
    ]
    assert said_in(acme.organization) == said_in(globex.organization) == said
    entries = AuditEntry.objects.filter(verb__startswith="account.").exclude(verb="account.created")
    assert entries.filter(organization_id=None).count() == len(said)
    assert {entry.actor_id for entry in entries} == {both.pk}
    assert "home.example" not in str(list(entries.values_list()))
    assert EmailAddress.objects.get(user=both).email == Account.objects.get(pk=both.pk).email == "vic@home.example"


def test_a_password_that_is_reset_by_mail_is_told_as_ones_own_act(acme):
    client = Client()
    client.post("/accounts/password/reset/", {"email": "ada@acme.example"})
    path = re.search(r"http://testserver(/accounts/password/reset/key/\S+)", mail.outbox[-1].body)[1]
    form = client.get(path, follow=True)
    client.post(form.request["PATH_INFO"], new_password("an-entirely-new-one"))
    entry = AuditEntry.objects.get(organization_id=acme.organization.pk, verb="account.password_changed")
    assert (entry.actor_kind, entry.actor_id, entry.address) == ("account", acme.admin.account_id, "127.0.0.1")


def test_who_has_a_second_factor_can_change_their_address_too(acme):
    client = Client()
    sign_in(client, "ada@acme.example")
    turn_on_second_factor(client)
    client.post("/accounts/email/", {"email": "ada@home.example", "action_add": ""})
    link = re.search(r"http://testserver(/accounts/confirm-email/\S+)", mail.outbox[-1].body)[1]
    client.post(link)
    client.post("/accounts/email/", {"email": "ada@home.example", "action_primary": ""})
    assert Account.objects.get(pk=acme.admin.account_id).email == "ada@home.example"


def test_the_pages_of_the_account_ask_the_database_as_often_for_many_organizations(
    acme, globex, both, django_assert_num_queries
):
    client = acme.client(acme.viewer)
    for _ in range(2):
        with django_assert_num_queries(3):
            assert client.get("/accounts/").status_code == 200
        for number in range(3):
            slug = f"more-{number}-{AuditEntry.objects.count()}"
            organization = services.create_organization(name=slug, slug=slug, actor=TEST)
            services.create_user(organization, name="Vic", account=both, actor=TEST)


def test_a_page_of_the_account_leads_to_sign_in_and_back(client, db):
    assert client.get("/accounts/").url == f"{LOGIN}?next=/accounts/"
