"""Who may ask the decision API and how: what it refuses, its tokens and limits, and what a request costs."""

import json
from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils import timezone

from licensing import services
from licensing.authzen import limits
from licensing.models import Assignment, ProviderToken, ProviderTokenUse
from portal.audit.models import AuditEntry
from tests.asking import EVALUATION, EVALUATIONS, SEARCH, batch, new_token, question, search
from tests.worlds import TEST

DAY = timedelta(days=1)

# What is wrong -------------------------------------------------------------------------------------------------------


def nested(depth):
    return '{"a":' * depth + "1" + "}" * depth


@pytest.mark.parametrize(
    "body",
    [
        "",
        "{",
        "[]",
        "5",
        b'{"subject": "\xff"}',
        '{"subject": {"type": "user", "id": "a", "id": "b"}}',
        '{"subject": {"type": "user", "id": NaN}}',
        '{"context": "\\ud800"}',
        nested(33),
        nested(100_000),
        '{"x": "' + "y" * 1024 * 1024 + '"}',
        '{"x": ' + "9" * 5000 + "}",
    ],
)
def test_a_body_that_is_no_message(api, body):
    answer = api.ask(EVALUATION, body)
    assert answer.status_code == 400
    assert isinstance(answer.json(), str)


@pytest.mark.parametrize("url", [EVALUATION, EVALUATIONS])
@pytest.mark.parametrize("missing", ["subject", "action", "resource"])
def test_what_is_missing(api, url, missing):
    message = question()
    del message[missing]
    answer = api.ask(url, message)
    assert (answer.status_code, answer.json()) == (400, f"{missing} is missing.")


@pytest.mark.parametrize(
    "wrong",
    [
        {"subject": "uma"},
        {"subject": {"type": "user", "id": 5}},
        {"subject": {"type": None, "id": "a"}},
        {"subject": {"type": "user", "id": "a", "properties": []}},
        {"action": {}},
        {"resource": []},
        {"context": "x"},
    ],
)
def test_members_of_the_wrong_type(api, wrong):
    assert api.ask(EVALUATION, question(**wrong)).status_code == 400


@pytest.mark.parametrize(
    "wrong",
    [
        {"evaluations": {}},
        {"evaluations": [{}] * 1001},
        {"options": []},
        {"options": {"evaluations_semantic": "maybe"}},
        {"options": {"evaluations_semantic": []}},
        {"evaluations": [{}], "subject": 5},
    ],
)
def test_batches_that_are_none(api, wrong):
    assert api.ask(EVALUATIONS, wrong).status_code == 400


def test_only_json_by_post(api):
    assert api.ask(EVALUATION, question(), content_type="text/plain").status_code == 400
    assert api.ask(EVALUATION, question(), content_type="application/json; charset=utf-8").status_code == 200
    assert "not in chunks" in api.ask(EVALUATION, question(), headers={"Transfer-Encoding": "chunked"}).json()
    answer = Client().get(EVALUATION)
    assert (answer.status_code, answer["Allow"]) == (405, "POST")


def test_the_id_of_a_request_comes_back_whatever_the_answer(api):
    for message in (question(), {}):
        assert api.ask(EVALUATION, message, headers={"X-Request-ID": "r-1"})["X-Request-ID"] == "r-1"
    assert Client().post(EVALUATION, headers={"X-Request-ID": "r-2"})["X-Request-ID"] == "r-2"


def test_the_metadata_says_where(client):
    answer = client.get("/.well-known/authzen-configuration")
    said = answer.json()
    assert said["policy_decision_point"] == "http://testserver"
    assert said["access_evaluation_endpoint"] == "http://testserver/access/v1/evaluation"
    assert set(said) == {
        "policy_decision_point",
        "access_evaluation_endpoint",
        "access_evaluations_endpoint",
        "search_subject_endpoint",
        "search_resource_endpoint",
        "search_action_endpoint",
    }
    assert "max-age" in answer["Cache-Control"]


# Tokens --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Basic x"}, {"Authorization": "Bearer "}])
def test_without_a_token(headers, db):
    answer = Client().post(EVALUATION, "{}", content_type="application/json", headers=headers)
    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, 'Bearer realm="decisions"')


@pytest.mark.parametrize("url", [EVALUATION, f"{SEARCH}subject", f"{SEARCH}resource", f"{SEARCH}action"])
def test_a_token_that_is_none_is_told_nothing_more(acme, catalogue, api, url):
    ended, token = new_token(catalogue.provider, ends_at=timezone.now() + DAY)
    assert api.ask(url, question(), secret=ended).status_code == 200
    ProviderToken.objects.filter(pk=token.pk).update(ends_at=timezone.now())
    services.revoke_token(api.token, actor=TEST)
    answers = [api.ask(url, question(), secret=secret) for secret in ("x", ended, api.secret)]
    assert {(answer.status_code, answer.json()) for answer in answers} == {(401, "Send a valid token.")}


def test_a_token_is_kept_as_its_digest_and_its_making_is_told(catalogue, api):
    assert api.secret not in str(list(ProviderToken.objects.values()))
    assert api.secret.startswith("cpt_")
    services.revoke_token(api.token, actor=TEST)
    with pytest.raises(ValidationError, match="revoked already"):
        services.revoke_token(api.token, actor=TEST)
    entries = AuditEntry.objects.filter(target_kind="token", provider_id=catalogue.provider.pk)
    assert [entry.verb for entry in entries.order_by("pk")] == ["token.created", "token.revoked"]


def test_a_token_asks_about_its_provider_s_applications_only(catalogue, harbor):
    with pytest.raises(ValidationError, match="another provider"):
        new_token(catalogue.provider, applications=[harbor.application])
    with pytest.raises(ValidationError, match="over already"):
        new_token(catalogue.provider, ends_at=timezone.now() - DAY)


def test_last_use_is_written_once_a_minute(acme, api):
    api.decide(question())
    first = ProviderToken.objects.get().last_used_at
    assert first is not None
    limits._counts.clear()  # as another process
    api.decide(question())
    assert ProviderToken.objects.get().last_used_at == first
    assert ProviderTokenUse.objects.get().number == 2


@pytest.mark.parametrize("what", ["subject", "resource", "action"])
def test_a_search_counts_as_one_request(acme, api, what):
    acme.assign(acme.organization)
    limits._counts.clear()
    search(api, what, question())
    assert ProviderTokenUse.objects.get().number == 1


def test_too_many_in_a_minute_are_told_when_to_come_back(acme, api, settings):
    settings.DECISIONS_PER_MINUTE = 3
    statuses = []
    for _ in range(4):
        limits._counts.clear()  # each by another process: they share the number
        statuses.append(api.ask(EVALUATION, question()).status_code)
    answer = api.ask(EVALUATION, question())
    assert (statuses, answer.status_code) == ([200, 200, 200, 200], 429)
    assert answer["Retry-After"] == "50"
    other, _ = new_token(api.token.provider)
    assert api.ask(EVALUATION, question(), secret=other).status_code == 200


# What it costs -------------------------------------------------------------------------------------------------------


def test_one_statement_for_one_question_and_for_many(acme, globex, catalogue, api, django_assert_num_queries):
    acme.assign(acme.organization)
    api.decide(question())  # counts
    about_one = batch(*[question(action=f"a{number}") for number in range(50)])
    about_many = batch(*[question(user.public_id) for user in (*acme.organization.users.all(), globex.admin)])
    for url, message in [(EVALUATION, question()), (EVALUATIONS, about_one), (EVALUATIONS, about_many)]:
        with django_assert_num_queries(1):
            api.decide(message, url)


def test_no_session_is_looked_at_and_no_cookie_set(acme, api, django_assert_num_queries):
    client = acme.client()
    api.decide(question())
    with django_assert_num_queries(1):
        answer = client.post(
            EVALUATION,
            json.dumps(question()),
            content_type="application/json",
            headers={"Authorization": f"Bearer {api.secret}"},
        )
    assert (answer.status_code, answer.cookies) == (200, {})


def test_it_is_true_the_moment_it_is_saved(acme, api):
    assert api.decide(question())["decision"] is False
    assignment = acme.assign(acme.unit)
    assert api.decide(question())["decision"] is True
    Assignment.objects.filter(pk=assignment.pk).update(ends_at=timezone.now())
    assert api.decide(question())["context"]["reason"] == "assignment_ended"
