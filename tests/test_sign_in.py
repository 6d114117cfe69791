"""Signing in and out, by password, reset and second factor; the same for the administration."""

import re

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.totp.internal.auth import format_hotp_value, hotp_value, yield_hotp_counters_from_time
from django.core import mail
from django.core.cache import cache
from django.urls import reverse

from directory import services
from directory.models import Account
from portal.audit.models import AuditEntry
from tests.worlds import PASSWORD, TEST

LOGIN = "/accounts/login/"


@pytest.fixture(autouse=True)
def _no_earlier_failures(db):
    cache.clear()  # holds the rate limits


def sign_in(client, email, password=PASSWORD, path=LOGIN):
    return client.post(path, {"login": email, "password": password})


def text(response):
    return re.sub(r"\s+", " ", response.content.decode())


def test_signing_in_leads_to_the_licenses_and_signing_out_back(client, acme):
    answer = client.post(LOGIN, {"login": "Ada@ACME.example", "password": PASSWORD}, follow=True)
    assert answer.request["PATH_INFO"] == "/licenses/"
    client.post("/accounts/logout/")
    assert client.get("/licenses/").url == f"{LOGIN}?next=/licenses/"


def test_without_a_role_it_leads_to_my_access(client, acme):
    answer = client.post(LOGIN, {"login": "uma@acme.example", "password": PASSWORD}, follow=True)
    assert answer.request["PATH_INFO"] == "/my-access/"


@pytest.mark.parametrize("email", ["ada@acme.example", "nobody@nowhere.example"])
def test_a_wrong_password_and_an_unknown_address_answer_alike(client, acme, email):
    answer = text(sign_in(client, email, "wrong"))
    assert "The email address and/or password you specified are not correct." in answer
    assert reverse("account_reset_password") in answer


def test_too_many_failures_are_answered_politely(client, acme):
    answers = [text(sign_in(client, "ada@acme.example", "wrong")) for _ in range(7)]
    assert "Too many failed login attempts" in answers[-1]
    assert "Too many failed login attempts" in text(sign_in(client, "ada@acme.example"))


def test_an_account_that_was_switched_off_does_not_get_in(client, acme):
    Account.objects.filter(email="ada@acme.example").update(is_active=False)
    assert sign_in(client, "ada@acme.example").url == reverse("account_inactive")
    assert client.get("/licenses/").status_code == 302


def test_sign_up_is_closed(client, db):
    for answer in (
        client.get("/accounts/signup/"),
        client.post("/accounts/signup/", {"email": "new@acme.example", "password1": "a-very-long-one"}),
    ):
        assert "You cannot sign up here" in text(answer)
    assert not Account.objects.exists()


def test_a_password_is_reset_by_mail(client, acme):
    client.post("/accounts/password/reset/", {"email": "ada@acme.example"})
    (message,) = mail.outbox
    assert message.to == ["ada@acme.example"]
    link = re.search(r"http://testserver(/accounts/password/reset/key/\S+)", message.body)[1]

    form = client.get(link, follow=True)
    answer = client.post(
        form.request["PATH_INFO"], {"password1": "an-entirely-new-one", "password2": "an-entirely-new-one"}
    )

    assert answer.status_code == 302
    assert "not correct" in text(sign_in(client, "ada@acme.example"))
    assert sign_in(client, "ada@acme.example", "an-entirely-new-one").status_code == 302
    assert "Bad Token" in text(client.get(link, follow=True)) or "invalid" in text(client.get(link, follow=True))


def test_an_unknown_address_gets_the_same_answer_to_a_reset(client, acme):
    known = client.post("/accounts/password/reset/", {"email": "ada@acme.example"})
    unknown = client.post("/accounts/password/reset/", {"email": "nobody@nowhere.example"})
    assert (known.status_code, known.url) == (unknown.status_code, unknown.url)


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

    where = client.get(path, follow=True).request["PATH_INFO"]
    assert where == LOGIN
    assert sign_in(client, "staff@northlight.example").url.startswith("/accounts/2fa/authenticate/")
    assert client.get("/admin/").status_code == 302
    assert "Incorrect code" in text(client.post("/accounts/2fa/authenticate/", {"code": "000000"}))
    assert client.post("/accounts/2fa/authenticate/", {"code": code_of(secret)}).status_code == 302
    assert client.get("/admin/").status_code == 200


def test_accounts_are_verified_by_whoever_creates_them(acme):
    address = EmailAddress.objects.get(email="ada@acme.example")
    assert (address.verified, address.primary) == (True, True)


def test_demo_accounts_are_listed_in_a_demo_only(client, db, settings):
    settings.DEMO = True
    assert "ada@acme.example" in text(client.get(LOGIN))
    settings.DEMO = False
    assert "Demo accounts" not in text(client.get(LOGIN))


@pytest.mark.parametrize(
    "path",
    [
        LOGIN,
        "/accounts/signup/",
        "/accounts/password/reset/",
        "/accounts/password/reset/done/",
        "/accounts/password/reset/key/done/",
        "/accounts/inactive/",
        "/accounts/confirm-email/",
    ],
)
def test_pages_before_signing_in_have_the_portals_look(client, db, path):
    assert 'class="gate-card"' in text(client.get(path))


@pytest.mark.parametrize(
    "path", ["/accounts/email/", "/accounts/password/change/", "/accounts/2fa/", "/accounts/logout/"]
)
def test_pages_of_the_account_are_in_the_frame(acme, path):
    page = text(acme.client().get(path))
    assert 'class="shell"' in page
    assert 'aria-label="Your account"' in page


def test_recovery_codes(client, acme):
    sign_in(client, "ada@acme.example")
    turn_on_second_factor(client)
    client.post("/accounts/2fa/recovery-codes/generate/")
    page = client.get("/accounts/2fa/recovery-codes/")
    assert len(page.context["unused_codes"]) == 10


def test_a_new_account_needs_an_address_of_its_own(acme):
    with pytest.raises(Exception, match="An account with this e-mail address exists"):
        services.create_account(email="ADA@acme.example", name="x", password=PASSWORD, actor=TEST)


def test_the_operator_comes_from_the_command_line_and_can_sign_in(client, db):
    Account.objects.create_superuser(email="Op@Portal.example", name="Olaf", password=PASSWORD)
    sign_in(client, "op@portal.example")
    assert client.get("/admin/").status_code == 200
    assert AuditEntry.objects.get(verb="account.created").actor_name == "createsuperuser"
