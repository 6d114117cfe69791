"""Asking the decision API as an application does, over HTTP."""

import json
from types import SimpleNamespace

import pytest
from django.test import Client

from licensing import services
from licensing.authzen import limits
from licensing.models import ProviderToken
from tests.worlds import TEST

EVALUATION, EVALUATIONS = "/access/v1/evaluation", "/access/v1/evaluations"
SEARCH = "/access/v1/search/"


def new_token(provider, *, applications=(), ends_at=None):
    token = ProviderToken(provider=provider, name="CRM, production", ends_at=ends_at)
    return services.create_token(token, applications=applications, actor=TEST), token


@pytest.fixture
def api(catalogue, monkeypatch):
    """An application of Northlight that asks, all within one minute."""
    limits._counts.clear()
    monkeypatch.setattr(limits, "time", lambda: 1_800_000_010)
    secret, token = new_token(catalogue.provider)

    def ask(url, message, *, secret=secret, **extra):
        headers = {"Authorization": f"Bearer {secret}"} | extra.pop("headers", {})
        body = message if isinstance(message, str | bytes) else json.dumps(message)
        return Client().post(url, body, content_type=extra.pop("content_type", "application/json"), headers=headers)

    def decide(message, url=EVALUATION):
        answer = ask(url, message)
        assert answer.status_code == 200, answer.json()
        return answer.json()

    return SimpleNamespace(ask=ask, decide=decide, secret=secret, token=token)


def question(user="uma@acme.example", action="read", resource="crm", **more):
    return {
        "subject": {"type": "user", "id": str(user)},
        "action": {"name": action},
        "resource": resource if isinstance(resource, dict) else {"type": "application", "id": resource},
    } | more


def batch(*items, **more):
    return {"evaluations": list(items)} | more


def search(api, what, message):
    return api.decide(message, f"{SEARCH}{what}")
