"""The endpoints. An error's body is a JSON string that says what is wrong; a denial is an answer like any other."""

import logging
from functools import wraps

from django.contrib.auth.decorators import login_not_required
from django.http import JsonResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET

from . import search
from .decisions import Unauthorized, answer
from .limits import TooMany
from .messages import BadRequest, batch_in, question_in, read_message
from .openapi import document

logger = logging.getLogger(__name__)


def endpoint(view):
    """A view that is given the bearer token and the message, and returns what to answer. No session is looked at."""

    @csrf_exempt
    @login_not_required
    @wraps(view)
    def wrapped(request):
        response = _respond(view, request)
        response["Cache-Control"] = "no-store"
        if asked_as := request.headers.get("X-Request-ID"):
            response["X-Request-ID"] = asked_as
        return response

    return wrapped


def _respond(view, request):
    if request.method != "POST":
        return _error(405, "Send a POST request.", Allow="POST")
    scheme, _, secret = request.headers.get("Authorization", "").partition(" ")
    try:
        if scheme.lower() != "bearer" or not secret.strip():
            raise Unauthorized
        return JsonResponse(view(secret.strip(), read_message(request)))
    except BadRequest as error:
        return _error(400, str(error))
    except Unauthorized:
        return _error(401, "Send a valid token.", **{"WWW-Authenticate": 'Bearer realm="decisions"'})
    except TooMany as error:
        return _error(429, "Too many requests. Ask again later.", **{"Retry-After": str(error.retry_after)})
    except Exception:
        logger.exception("A decision failed")
        return _error(500, "Something went wrong here. Ask again.")


def _error(status, message, **headers):
    return JsonResponse(message, safe=False, status=status, headers=headers)


@endpoint
def evaluation(secret, message):
    """May the subject do the action on the resource?"""
    (decision,) = answer(secret, [question_in(message)], at=timezone.now())
    return decision


@endpoint
def evaluations(secret, message):
    """Many questions at once: one that is not put right is denied, and says so."""
    items, ends_it = batch_in(message)
    if items is None:
        (decision,) = answer(secret, [question_in(message)], at=timezone.now())
        return decision
    questions = [item for item in items if not isinstance(item, BadRequest)]
    decisions = iter(answer(secret, questions, at=timezone.now()))
    answered = []
    for item in items:
        answered.append(_refused(item) if isinstance(item, BadRequest) else next(decisions))
        if answered[-1]["decision"] is ends_it:
            break
    return {"evaluations": answered}


def _refused(error):
    return {"decision": False, "context": {"error": {"status": 400, "message": str(error)}}}


@endpoint
def search_subject(secret, message):
    """Who may do the action on the resource?"""
    return search.subjects(secret, message, at=timezone.now())


@endpoint
def search_resource(secret, message):
    """On which resources of the type may the subject do the action?"""
    return search.resources(secret, message, at=timezone.now())


@endpoint
def search_action(secret, message):
    """Which actions may the subject do on the resource?"""
    return search.actions(secret, message, at=timezone.now())


@require_GET
@login_not_required
def configuration(request):
    """The metadata: where to ask what."""
    base = _base(request)
    keys = {
        "access_evaluation_endpoint": "evaluation",
        "access_evaluations_endpoint": "evaluations",
        "search_subject_endpoint": "search_subject",
        "search_resource_endpoint": "search_resource",
        "search_action_endpoint": "search_action",
    }
    endpoints = {key: base + reverse(f"authzen:{name}") for key, name in keys.items()}
    return JsonResponse({"policy_decision_point": base, **endpoints}, headers={"Cache-Control": "max-age=3600"})


@require_GET
@login_not_required
def openapi(request):
    """The description of all this for machines."""
    return JsonResponse(document(_base(request)), headers={"Cache-Control": "max-age=3600"})


def _base(request):
    return request.build_absolute_uri("/").rstrip("/")
