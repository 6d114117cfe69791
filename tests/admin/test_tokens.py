"""Tokens in the administration: made and shown once, tried, revoked; and nothing of another provider's."""

import re
from datetime import UTC, date, datetime

import pytest
from django.test import Client
from django.urls import reverse

from licensing import services
from licensing.models import ProviderToken
from tests.reading import read
from tests.worlds import TEST


def url(page, *pks):
    return reverse(f"admin:licensing_providertoken_{page}", args=pks)


@pytest.fixture
def staff(catalogue):
    client = Client()
    client.force_login(catalogue.staff)
    return client


@pytest.fixture
def token(catalogue):
    token = ProviderToken(provider=catalogue.provider, name="CRM, production")
    services.create_token(token, actor=TEST)
    return token


@pytest.fixture
def theirs(harbor):
    """A token and an application of another provider, and a browser of its staff."""
    token = ProviderToken(provider=harbor.provider, name="Drive")
    services.create_token(token, actor=TEST)
    client = Client()
    client.force_login(harbor.staff)
    return token, harbor.application, client


def test_one_is_made_shown_once_and_works(staff, acme, catalogue):
    acme.assign(acme.organization)
    posted = {"provider": catalogue.provider.pk, "name": "CRM", "ends_at": "2090-12-31", "applications": []}
    page = staff.post(url("add"), posted)
    assert page.status_code == 200
    assert "no-store" in page["Cache-Control"]
    (secret,) = re.findall(r"cpt_[\w-]{43}", page.content.decode())
    token = ProviderToken.objects.get()
    assert token.ends_at.date() == date(2091, 1, 1)
    for again in (url("change", token.pk), url("changelist"), url("try", token.pk)):
        assert secret not in staff.get(again).content.decode()

    asked = {
        "subject": {"type": "user", "id": "uma@acme.example"},
        "action": {"name": "read"},
        "resource": {"type": "application", "id": "crm"},
    }
    headers = {"Authorization": f"Bearer {secret}"}
    answer = Client().post("/access/v1/evaluation", asked, content_type="application/json", headers=headers)
    assert answer.json()["decision"] is True


def test_wrong_input_stands_at_its_field_and_makes_nothing(staff, catalogue, theirs):
    posted = {"provider": catalogue.provider.pk, "name": "", "ends_at": "2001-01-01", "applications": [theirs[1].pk]}
    text = staff.post(url("add"), posted).content.decode()
    assert "This field is required." in text
    assert "Something you chose is not there any more." in text
    text = staff.post(url("add"), posted | {"name": "CRM", "applications": []}).content.decode()
    assert "This is over already. Choose a later day." in text
    assert ProviderToken.objects.filter(provider=catalogue.provider).count() == 0


def test_it_is_tried_as_an_application_would_ask(staff, acme, catalogue, token):
    acme.assign(acme.group)
    asked = {"subject": "uma@acme.example", "application": catalogue.application.pk, "action": "read"}
    page = read(staff.post(url("try", token.pk), asked))
    assert "Yes" in page.text
    assert "allowed" in page.text
    assert "Support" in page.text
    page = read(staff.post(url("try", token.pk), asked | {"organization": "globex"}))
    assert "unknown_subject" in page.text
    assert "This field is required." in staff.post(url("try", token.pk), {}).content.decode()
    assert ProviderToken.objects.get().last_used_at is None


def test_it_is_revoked_after_a_question(staff, token):
    assert "refused from the next question on" in staff.get(url("revoke", token.pk)).content.decode()
    answer = staff.post(url("revoke", token.pk), follow=True)
    assert "CRM, production was revoked." in answer.content.decode()
    assert ProviderToken.objects.get().revoked_at is not None
    for ask in (staff.get, staff.post):
        text = ask(url("revoke", token.pk), follow=True).content.decode()
        assert "is revoked already" in text
        assert "Revoke this token" not in text
    asked = {"subject": "x", "application": token.provider.applications.get().pk, "action": "read"}
    assert "no longer valid" in staff.post(url("try", token.pk), asked).content.decode()


def test_when_it_was_used_last_is_written_as_other_times(staff, token):
    assert "never" in read(staff.get(url("changelist"))).rows[0]
    ProviderToken.objects.update(last_used_at=datetime(2026, 3, 4, 15, 30, tzinfo=UTC))
    assert "4 Mar 2026, 15:30" in read(staff.get(url("changelist"))).rows[0]


def test_another_provider_s_are_not_there(staff, catalogue, token, theirs):
    other, application, client = theirs
    assert "Drive" not in staff.get(url("changelist")).content.decode()
    assert "CRM, production" not in client.get(url("changelist")).content.decode()
    asks = [
        (staff.get, "change"),
        (staff.get, "revoke"),
        (staff.post, "revoke"),
        (staff.get, "try"),
        (staff.post, "try"),
    ]
    for ask, page in asks:
        answer = ask(url(page, other.pk))
        assert (answer.status_code, answer.headers["Location"]) == (302, "/admin/")
    asked = {"subject": "x", "application": application.pk, "action": "read"}
    assert "Select a valid choice" in staff.post(url("try", token.pk), asked).content.decode()
    posted = {"provider": other.provider_id, "name": "Stolen"}
    assert "Select a valid choice" in staff.post(url("add"), posted).content.decode()
    assert ProviderToken.objects.count() == 2


def test_more_tokens_the_same_queries(staff, catalogue, token, django_assert_max_num_queries):
    staff.get(url("changelist"))
    for number in range(20):
        services.create_token(ProviderToken(provider=catalogue.provider, name=f"Token {number}"), actor=TEST)
    with django_assert_max_num_queries(9):
        staff.get(url("changelist"))
