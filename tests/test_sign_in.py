"""Signing in and out, by password, reset and second factor; the same for the administration."""

import re
from types import SimpleNamespace

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.core import mail
from django.core.cache import cache
from django.template.loader import render_to_string
from django.test import Client
from django.urls import reverse

from directory import services
from directory.models import Account
from portal.audit.models import AuditEntry
from tests.reading import read
from tests.worlds import PASSWORD, TEST

LOGIN = "/accounts/login/"


@pytest.fixture(autouse=True)
def _no_earlier_failures(db):
    cache.clear()  # holds the rate limits


def sign_in(client, email, password=PASSWORD, path=LOGIN):
    return client.post(path, {"login": email, "password": password})


def text(response):
    return re.sub(r"\s+", " ", response.content.decode())


def test_signing_in_leads_home_and_signing_out_back(client, acme):
    answer = client.post(LOGIN, {"login": "Ada@ACME.example", "password": PASSWORD}, follow=True)
    assert (answer.request["PATH_INFO"], read(answer).one("h1").text) == ("/", "Acme")
    client.post("/accounts/logout/")
    assert client.get("/licenses/").url == f"{LOGIN}?next=/licenses/"


def test_without_a_role_it_leads_to_my_access(client, acme):
    answer = client.post(LOGIN, {"login": "uma@acme.example", "password": PASSWORD}, follow=True)
    assert answer.request["PATH_INFO"] == "/my-access/"


@pytest.mark.parametrize("email", ["ada@acme.example", "nobody@nowhere.example"])
def test_a_wrong_password_and_an_unknown_address_answer_alike_at_the_field(client, acme, email):
    page = read(sign_in(client, email, "wrong"))
    assert page.one(id="id_login")["value"] == email
    field = page.one(id="id_password")
    assert field["aria-invalid"] == "true"
    error = page.one(id=field["aria-describedby"])
    assert error["role"] == "alert"
    assert error.text == "This e-mail and password do not belong together. Try again or reset the password."
    assert error.links == {"reset the password": reverse("account_reset_password")}


def test_too_many_failures_are_answered_politely(client, acme):
    answers = [text(sign_in(client, "ada@acme.example", "wrong")) for _ in range(7)]
    assert "Too many failed login attempts" not in answers[0]
    assert "Too many failed login attempts" in answers[-1]
    assert "Too many failed login attempts" in text(sign_in(client, "ada@acme.example"))
    assert client.get("/licenses/").status_code == 302


@pytest.mark.parametrize("is_signed_in", [False, True])
def test_too_many_requests_are_answered_politely(acme, is_signed_in):
    client = acme.client() if is_signed_in else Client()
    answers = [client.post("/accounts/password/reset/", {"email": "ada@acme.example"}) for _ in range(7)]
    assert (answers[0].status_code, answers[-1].status_code) == (302, 429)
    page = read(answers[-1])
    assert page.one("h1").text == "Too many attempts"
    assert "Wait a few minutes, then try again." in page.text
    assert bool(list(page.all("aside"))) is is_signed_in


def test_an_account_that_was_switched_off_does_not_get_in(client, acme):
    Account.objects.filter(email="ada@acme.example").update(is_active=False)
    answer = client.post(LOGIN, {"login": "ada@acme.example", "password": PASSWORD}, follow=True)
    assert "This account is switched off" in text(answer)
    assert client.get("/licenses/").status_code == 302


def test_sign_up_is_closed(client, db):
    for answer in (
        client.get("/accounts/signup/"),
        client.post("/accounts/signup/", {"email": "new@acme.example", "password1": "a-very-long-one"}),
    ):
        assert "You cannot sign up here" in text(answer)
    assert not Account.objects.exists()
    assert reverse("account_signup") not in text(client.get(LOGIN))


def test_a_password_is_reset_by_mail(client, acme):
    answer = client.post("/accounts/password/reset/", {"email": "ada@acme.example"}, follow=True)
    assert "Look in your mail" in text(answer)
    (message,) = mail.outbox
    assert message.to == ["ada@acme.example"]
    assert message.subject == "Reset your password for the Customer Portal"
    assert message.body.endswith("\n\nCustomer Portal\nhttp://testserver/")
    link = re.search(r"http://testserver(/accounts/password/reset/key/\S+)", message.body)[1]

    form = client.get(link, follow=True)
    path = form.request["PATH_INFO"]
    assert "must type the same password" in text(client.post(path, new_password("an-entirely-new-one", "another")))
    answer = client.post(path, new_password("an-entirely-new-one"), follow=True)

    assert "Your password is changed" in text(answer)
    assert "do not belong together" in text(sign_in(client, "ada@acme.example"))
    assert sign_in(client, "ada@acme.example", "an-entirely-new-one").status_code == 302
    assert "This link does not work any more" in text(Client().get(link, follow=True))


def new_password(password, again=None, **fields):
    return {"password1": password, "password2": again or password, **fields}


@pytest.mark.parametrize("password", ["sho7ter", "20261124100", "password123", "ada@acme.example"])
def test_a_password_keeps_to_what_the_page_says(acme, password):
    client = acme.client()
    path = "/accounts/password/change/"
    assert (
        "At least 8 characters. Not only digits, not a common one, not like your address."
        in read(client.get(path)).text
    )
    page = read(client.post(path, new_password(password, oldpassword=PASSWORD)))
    assert page.one(id="id_password1")["aria-invalid"] == "true"
    assert client.post(path, new_password("eigh7!ch", oldpassword=PASSWORD)).status_code == 302


def test_who_has_no_password_may_set_one(acme):
    acme.admin.account.set_unusable_password()
    acme.admin.account.save()
    client = acme.client()
    page = client.get("/accounts/password/change/", follow=True)
    assert "Set a password" in text(page)
    assert client.post(page.request["PATH_INFO"], new_password("an-entirely-new-one")).status_code == 302
    assert sign_in(Client(), "ada@acme.example", "an-entirely-new-one").status_code == 302


def test_an_unknown_address_gets_the_same_answer_to_a_reset(client, acme):
    known = client.post("/accounts/password/reset/", {"email": "ada@acme.example"})
    unknown = client.post("/accounts/password/reset/", {"email": "nobody@nowhere.example"})
    assert (known.status_code, known.url) == (unknown.status_code, unknown.url)
    message = mail.outbox[-1]
    assert message.to == ["nobody@nowhere.example"]
    assert "There is no account with the address nobody@nowhere.example" in message.body
    assert "signup" not in message.body


def test_a_second_address_is_confirmed_by_mail_and_becomes_the_main_one(acme):
    client = acme.client()
    new = "ada@home.example"

    client.post("/accounts/email/", {"email": new, "action_add": ""})
    (message,) = mail.outbox
    assert (message.to, message.subject) == ([new], "Confirm your e-mail for the Customer Portal")
    assert f"Send the link again to {new}" in text(client.get("/accounts/email/"))
    client.post("/accounts/email/", {"email": new, "action_primary": ""})
    assert "Confirm this address first" in text(client.get("/accounts/email/"))

    link = re.search(r"http://testserver(/accounts/confirm-email/\S+)", message.body)[1]
    assert new in text(client.get(link))
    client.post(link)
    client.post("/accounts/email/", {"email": new, "action_primary": ""})
    client.post("/accounts/email/", {"email": "ada@acme.example", "action_remove": ""})

    assert list(EmailAddress.objects.filter(user=acme.admin.account).values_list("email", "primary")) == [(new, True)]
    assert sign_in(Client(), new).status_code == 302
    assert "This link does not work any more" in text(client.get("/accounts/confirm-email/no:such:key/"))


def code_of(secret):
    counter = next(iter(yield_hotp_counters_from_time()))
    return format_hotp_value(hotp_value(secret, counter))


def turn_on_second_factor(client):
    """Activate it as a person would; return the secret."""
    page = client.get("/accounts/2fa/totp/activate/", follow=True)
    assert page.request["PATH_INFO"] == "/accounts/reauthenticate/"  # it asks for the password once more
    page = client.post(
        page.request["PATH_INFO"], {"password": PASSWORD, "next": "/accounts/2fa/totp/activate/"}, follow=True
    )
    secret = page.context["form"].secret
    answer = client.post("/accounts/2fa/totp/activate/", {"code": code_of(secret)})
    assert answer.status_code == 302
    return secret


@pytest.mark.parametrize("path", [LOGIN, "/admin/login/"])
def test_the_second_factor_is_asked_for_also_by_the_administration(client, catalogue, path):
    assert sign_in(client, "staff@northlight.example").status_code == 302
    secret = turn_on_second_factor(client)
    client.post("/accounts/logout/")
    cache.clear()  # a code is good once only; here the same is used again

    assert client.get("/admin/", follow=True).request["PATH_INFO"] == LOGIN
    where = client.get(path, follow=True).request["PATH_INFO"]
    assert where == LOGIN
    assert sign_in(client, "staff@northlight.example").url.startswith("/accounts/2fa/authenticate/")
    assert client.get("/admin/").status_code == 302
    page = read(client.post("/accounts/2fa/authenticate/", {"code": "000000"}))
    assert page.one(id=page.one(id="id_code")["aria-describedby"])["role"] == "alert"
    assert client.post("/accounts/2fa/authenticate/", {"code": code_of(secret)}).status_code == 302
    assert client.get("/admin/").status_code == 200


def test_accounts_are_verified_by_whoever_creates_them(acme):
    address = EmailAddress.objects.get(email="ada@acme.example")
    assert (address.verified, address.primary) == (True, True)


def test_demo_accounts_are_listed_in_a_demo_only(client, db, settings):
    settings.DEMO = True
    page = text(client.get(LOGIN))
    assert "Demo accounts, password portal-demo" in page
    assert page.count("@") == 9
    settings.DEMO = False
    page = text(client.get(LOGIN))
    assert "Demo accounts" not in page
    assert "@" not in page


# Looks ---------------------------------------------------------------------------------------------------------------


def look(answer):
    """Read a page that has our stylesheet, one heading of the first level, and nothing that our CSP would block."""
    html = answer.content.decode()
    assert "portal.css" in html
    assert not re.search(r"<style|<script(?![^>]*\ssrc=)|\sstyle=|\son[a-z]+=", html)
    page = read(answer)
    page.one("h1")
    return page


def is_in_frame(page):
    return bool(list(page.all("aside")))


ENTRANCE = [
    "account_login",
    "account_signup",
    "account_reset_password",
    "account_reset_password_done",
    "account_reset_password_from_key_done",
    "account_inactive",
    "account_email_verification_sent",
]
ENTRANCE_AGAIN = ["account_reauthenticate", "mfa_reauthenticate"]
ACCOUNT = [
    "directory:profile",
    "usersessions_list",
    "account_email",
    "account_change_password",
    "account_logout",
    "mfa_index",
]
SECOND_FACTOR = ["mfa_deactivate_totp", "mfa_view_recovery_codes", "mfa_generate_recovery_codes"]


@pytest.mark.parametrize("name", ENTRANCE)
def test_pages_before_signing_in_have_the_portals_look(client, db, name):
    page = look(client.get(reverse(name)))
    assert page.one(class_="gate-card")
    assert not is_in_frame(page)


def test_links_of_mails_that_do_not_work_say_so(client, db):
    for path in ("/accounts/password/reset/key/1-no-such-key/", "/accounts/confirm-email/no:such:key/"):
        assert look(client.get(path)).one("h1").text == "This link does not work any more"


@pytest.fixture
def protected(client, acme):
    """Ada, signed in just now, with the second factor on."""
    sign_in(client, "ada@acme.example")
    secret = turn_on_second_factor(client)
    return SimpleNamespace(client=client, secret=secret)


def test_pages_of_the_account_are_in_the_frame(protected):
    for name in ACCOUNT + SECOND_FACTOR:
        page = look(protected.client.get(reverse(name)))
        assert is_in_frame(page), name
        tabs = page.one("nav", aria_label="Your account").links
        assert list(tabs) == ["Profile", "E-mail", "Password", "Second factor", "Sessions", "Sign out"], name
    for name in ENTRANCE_AGAIN:
        page = look(protected.client.get(reverse(name)))
        assert page.one("h1").text == "Is it still you?", name


def test_setting_up_the_second_factor_has_the_portals_look(client, acme):
    sign_in(client, "ada@acme.example")
    client.post("/accounts/reauthenticate/", {"password": PASSWORD})
    page = look(client.get("/accounts/2fa/totp/activate/"))
    assert page.one("h2").text == "Set up an authenticator app"
    assert page.one("svg", role="img").one("image")["href"].startswith("data:image/svg+xml;base64,")


def test_recovery_codes(protected):
    client = protected.client
    first = client.get("/accounts/2fa/recovery-codes/").context["unused_codes"]
    client.post("/accounts/2fa/recovery-codes/generate/")
    page = client.get("/accounts/2fa/recovery-codes/")
    codes = page.context["unused_codes"]
    assert len(codes) == 10
    assert not set(codes) & set(first)
    assert look(page).one("ul", class_="plain").text.split() == codes
    assert client.get("/accounts/2fa/recovery-codes/download/").content.decode().split() == codes

    client.post("/accounts/logout/")
    sign_in(client, "ada@acme.example")
    assert client.post("/accounts/2fa/authenticate/", {"code": first[0]}).status_code == 200
    assert client.post("/accounts/2fa/authenticate/", {"code": codes[0]}).status_code == 302
    assert client.get("/licenses/").status_code == 200


def test_the_second_factor_is_turned_off_again(protected):
    client = protected.client
    assert client.post("/accounts/2fa/totp/deactivate/").status_code == 302
    client.post("/accounts/logout/")
    sign_in(client, "ada@acme.example")
    assert client.get("/licenses/").status_code == 200


def test_signing_in_with_the_second_factor_can_be_cancelled(protected):
    client = protected.client
    client.post("/accounts/logout/")
    sign_in(client, "ada@acme.example")
    page = look(client.get("/accounts/2fa/authenticate/"))
    assert page.one(class_="gate-card").buttons == ["Sign in", "Cancel"]
    assert client.post("/accounts/logout/", {"next": LOGIN}).url == LOGIN
    assert client.get("/accounts/2fa/authenticate/").url == LOGIN


def test_what_went_wrong_is_said_in_the_frame_to_who_is_signed_in(acme):
    nobody, viewer = Client(enforce_csrf_checks=True), Client(enforce_csrf_checks=True)
    viewer.force_login(acme.viewer.account)
    found = []
    for client in (viewer, nobody):
        for answer in (client.get("/no/such/page/"), client.post(LOGIN)):
            page = look(answer)
            assert page.one("main").links["Go to the start"] == "/"
            found.append((answer.status_code, page.one("h1").text, is_in_frame(page)))
    page = look(viewer.get(reverse("licensing:choose_organization_license")))
    assert (page.one("h1").text, is_in_frame(page)) == ("You may not do this", True)
    assert found == [
        (404, "This is not here", True),
        (403, "This form is too old", True),
        (404, "This is not here", False),
        (403, "This form is too old", False),
    ]


def test_the_page_of_an_error_needs_nothing():
    assert "Something went wrong on our side" in render_to_string("500.html")


def test_the_administration_has_the_portals_name_and_the_way_back(client, catalogue):
    assert client.get("/admin/login/?next=/admin/").url == f"{LOGIN}?next=%2Fadmin%2F"
    client.force_login(catalogue.staff)
    page = client.get("/admin/")
    assert "admin.css" in text(page)
    assert read(page).one(id="site-name").text == "Customer Portal"
    assert read(page).one(id="user-tools").links["Portal"] == "/"


# Accounts ------------------------------------------------------------------------------------------------------------


def test_a_new_account_needs_an_address_of_its_own(acme):
    with pytest.raises(Exception, match="An account with this e-mail address exists"):
        services.create_account(email="ADA@acme.example", name="x", password=PASSWORD, actor=TEST)


def test_the_operator_comes_from_the_command_line_and_can_sign_in(client, db):
    Account.objects.create_superuser(email="Op@Portal.example", name="Olaf", password=PASSWORD)
    sign_in(client, "op@portal.example")
    assert client.get("/admin/").status_code == 200
    assert AuditEntry.objects.get(verb="account.created").actor_name == "createsuperuser"
