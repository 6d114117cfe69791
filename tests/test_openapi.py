"""The OpenAPI document: it is one, and it says of the decision API what that does."""

import json
from types import SimpleNamespace

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from django.test import Client
from hypothesis import HealthCheck, Phase, given, settings
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.generation.feedback import NO_FEEDBACK

from licensing import services
from licensing.access import Reason
from licensing.authzen import limits, messages, urls
from licensing.authzen.openapi import document
from licensing.models import ProviderToken
from portal.wsgi import application
from tests.worlds import TEST

DOCUMENT = document("http://localhost")
PATHS = DOCUMENT["paths"]
QUESTIONS = [path for path, does in PATHS.items() if "post" in does]
EVALUATION, EVALUATIONS = "/access/v1/evaluation", "/access/v1/evaluations"
SUBJECT, RESOURCE, ACTION = (f"/access/v1/search/{what}" for what in ("subject", "resource", "action"))


@pytest.fixture
def secret(catalogue):
    limits._counts.clear()
    return services.create_token(ProviderToken(provider=catalogue.provider, name="CRM"), actor=TEST)


@pytest.fixture
def api(secret):
    """Ask, and see that the document foretells the answer, up to its last member."""

    def ask(url, message, *, method="post", **headers):
        headers = {"Authorization": f"Bearer {secret}"} | headers
        answer = Client().generic(method, url, json.dumps(message), content_type="application/json", headers=headers)
        foretold = PATHS[url]["post"]["responses"][str(answer.status_code)]
        foretold = resolved(foretold)
        assert errors_in(answer.json(), foretold["content"]["application/json"]["schema"]) == []
        for name in foretold["headers"]:
            assert name in answer.headers
        return SimpleNamespace(status=answer.status_code, said=answer.json())

    return ask


def resolved(part):
    if "$ref" not in part:
        return part
    _, *names = part["$ref"].split("/")
    found = DOCUMENT
    for name in names:
        found = found[name]
    return found


def errors_in(value, schema):
    """Return what the schema says against the value, if it had nothing but what the schema names."""
    whole = {**closed(schema), "components": closed(DOCUMENT["components"])}
    validator = Draft202012Validator(whole, format_checker=Draft202012Validator.FORMAT_CHECKER)
    return [error.message for error in validator.iter_errors(value)]


def closed(schema):
    """Return the schema with objects that have no other members than it names."""
    if isinstance(schema, list):
        return [closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    more = {"additionalProperties": False} if schema.get("type") == "object" and "required" in schema else {}
    return {name: closed(value) for name, value in schema.items()} | more


def question(user="uma@acme.example", action="read", resource="crm", **more):
    subject, resource = {"type": "user", "id": user}, {"type": "application", "id": resource}
    return {"subject": subject, "action": {"name": action}, "resource": resource} | more


# The document --------------------------------------------------------------------------------------------------------


def test_it_is_served_to_everybody_and_valid(client, db):
    answer = client.get("/access/v1/openapi.json")
    assert answer.json() == json.loads(json.dumps(document("http://testserver")))
    assert (answer["Content-Type"], answer["Cache-Control"]) == ("application/json", "max-age=3600")
    assert list(OpenAPIV31SpecValidator(answer.json()).iter_errors()) == []
    assert client.post("/access/v1/openapi.json").status_code == 405


def test_its_paths_are_those_of_the_api(client):
    assert list(PATHS) == [f"/{pattern.pattern}" for pattern in urls.urlpatterns]
    for path, does in PATHS.items():
        (method,) = does
        other = {"get": "post", "post": "get"}[method]
        answer = client.generic(other, path)
        assert (answer.status_code, answer["Allow"]) == (405, method.upper())
        assert client.generic(method, path).status_code == {"get": 200, "post": 401}[method]


def test_it_names_each_reason_semantic_and_limit():
    schemas = DOCUMENT["components"]["schemas"]
    assert schemas["Explanation"]["properties"]["reason"]["enum"] == list(Reason)
    batch = schemas["Batch"]["properties"]
    assert batch["options"]["properties"]["evaluations_semantic"]["enum"] == list(messages.SEMANTICS)
    assert batch["evaluations"]["maxItems"] == messages.MOST_EVALUATIONS
    for path in QUESTIONS:
        assert "1,048,576 bytes and 32 levels" in PATHS[path]["post"]["requestBody"]["description"]


# What the API answers ------------------------------------------------------------------------------------------------


def test_decisions_are_as_foretold(acme, catalogue, api):
    assert api(EVALUATION, question()).said["context"]["reason"] == "no_assignment"
    acme.assign(acme.group, policies=[catalogue.export])
    acme.assign(acme.organization)
    assert api(EVALUATION, question()).said["decision"] is True
    for asked in (question("x"), question(resource="x"), question(action="x")):
        assert api(EVALUATION, asked).said["decision"] is False
    assert api(EVALUATIONS, question()).said["decision"] is True
    several = {"evaluations": [question(), {}, 5], "options": {"evaluations_semantic": "execute_all"}}
    assert [each["decision"] for each in api(EVALUATIONS, several).said["evaluations"]] == [True, False, False]


def test_searches_are_as_foretold(acme, catalogue, api):
    acme.assign(acme.unit, policies=[catalogue.export])
    acme.assign(acme.organization)
    for url, number in [(SUBJECT, 4), (RESOURCE, 1), (ACTION, 2)]:
        assert len(api(url, question()).said["results"]) == number
        assert api(url, question(page={"limit": 1})).said["page"]["count"] == 1


@pytest.mark.parametrize("url", QUESTIONS)
def test_what_the_schemas_allow_is_no_error(acme, api, url):
    """Also a text with a zero in it, which PostgreSQL does not take, and a whole number written with a point."""
    for odd in (question("\0", "\0", "\0"), question(resource="cr\0m"), question(page={"limit": 5.0})):
        assert api(url, odd).status == 200
    odd_type = question() | {"resource": {"type": "\0", "id": "crm"}}
    assert api(url, odd_type).status == 200


@pytest.mark.parametrize("url", QUESTIONS)
def test_errors_are_as_foretold(acme, api, url, settings, monkeypatch):
    assert api(url, {}).status == 400
    assert api(url, question(), Authorization="Bearer x").status == 401
    assert api(url, question(), method="get").status == 405
    settings.DECISIONS_PER_MINUTE = 0
    assert [api(url, question()).status for _ in range(2)][-1] == 429
    monkeypatch.setattr("licensing.authzen.views.read_message", None)
    assert api(url, question()).status == 500


# What nobody thought of ----------------------------------------------------------------------------------------------

load_all_checks()
NOT_ASKED = {
    "negative_data_rejection",  # more is taken than the document says; an evaluation that is none is denied
    "positive_data_acceptance",  # has a test of its own: a made-up page.token is refused
    "ignored_auth",  # cannot be seen here, where every call has the token
}
LEFT_OUT = CHECKS.get_by_names(sorted(NOT_ASKED))
WITHIN = settings(
    max_examples=25,
    derandomize=True,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture
def in_process(db):
    """The WSGI application within the transaction of a test: else each request would close its connection."""
    signals = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield application
    for signal in signals:
        signal.connect(close_old_connections)


@pytest.mark.parametrize("mode", list(GenerationMode))
@pytest.mark.parametrize("url", QUESTIONS)
def test_it_answers_as_foretold_whatever_is_asked(acme, secret, in_process, url, mode):
    acme.assign(acme.organization)
    described = schemathesis.openapi.from_wsgi("/access/v1/openapi.json", app=in_process)
    headers = {"Authorization": f"Bearer {secret}", "Accept-Encoding": "identity"}

    @WITHIN
    @given(case=described[url]["POST"].as_strategy(mode, feedback=NO_FEEDBACK))
    def is_as_foretold(case):
        answer = case.call(headers=headers)
        case.validate_response(answer, excluded_checks=LEFT_OUT)
        if mode is GenerationMode.POSITIVE and not (case.body.get("page") or {}).get("token"):
            assert answer.status_code == 200, answer.text

    is_as_foretold()
