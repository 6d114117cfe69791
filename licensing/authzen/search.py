"""The three searches. Each result would be allowed if it was asked about at that instant."""

import hashlib
import json
from dataclasses import replace

from django.core import signing

from directory.models import Organization
from licensing.access import giving, users_reached
from licensing.models import Assignment, ProviderToken
from licensing.services import digest_of

from . import limits
from .decisions import SUBJECT, Unauthorized, answer_for
from .messages import BadRequest, Question, entity_in, member_of, question_in

DEFAULT_LIMIT, HIGHEST_LIMIT = 100, 1000


def subjects(secret, message, *, at):
    """Return who may do the action on the resource, by page: those of all organizations that have it allocated."""
    wanted = entity_in(message, "subject", "type")
    action, resource = entity_in(message, "action", "name"), entity_in(message, "resource", "type", "id")
    member_of(message, "context", dict, default={})
    page = Page.of(message, "subject")
    application = _application(token_of(secret, at), resource["type"], resource["id"])
    if application is None or wanted["type"] != SUBJECT:
        return page.answer([])
    policies = [policy for policy in application.policies.all() if policy.covers(action["name"])]
    granted = giving(Assignment.objects.in_effect(at), policies)
    people = users_reached(granted.filter(allocation__license__provider=application.provider_id))
    organization = wanted.get("properties", {}).get("organization")
    if isinstance(organization, str):
        known = Organization.objects.none() if "\0" in organization else Organization.objects.filter(slug=organization)
        people = people.filter(organization__in=known)
    found = people.filter(pk__gt=page.after or 0).order_by("pk")[: page.limit + 1]
    return page.answer(found, key="pk", say=_person)


def _person(user):
    return {"type": SUBJECT, "id": str(user.public_id)} | ({"properties": {"email": user.email}} if user.email else {})


def resources(secret, message, *, at):
    """Return the applications of the type on which the subject may do the action, by page."""
    entity_in(message, "resource", "type")
    question = question_in(message | {"resource": message["resource"] | {"id": ""}})
    page = Page.of(message, "resource")
    token = token_of(secret, at)
    slugs = token.may_ask_about.filter(resource_type=question.resource_type.replace("\0", ""))
    slugs = list(slugs.order_by("slug").values_list("slug", flat=True))
    allowed = _allowed(token, [replace(question, resource=slug) for slug in slugs], at)
    found = [each.resource for each in allowed if each.resource > (page.after or "")]
    return page.answer(found[: page.limit + 1], say=lambda slug: {"type": question.resource_type, "id": slug})


def actions(secret, message, *, at):
    """Return the actions that the subject may do on the resource, of all that its policies name, by page."""
    question = question_in(message | {"action": {"name": ""}})
    page = Page.of(message, "action")
    token = token_of(secret, at)
    application = _application(token, question.resource_type, question.resource)
    names = {name for policy in application.policies.all() for name in policy.actions} if application else ()
    allowed = _allowed(token, [replace(question, action=name) for name in sorted(names)], at)
    found = [each.action for each in allowed if each.action > (page.after or "")]
    return page.answer(found[: page.limit + 1], say=lambda name: {"name": name})


def _application(token, resource_type, slug):
    """Return the Application that the token may ask about, or None. PostgreSQL looks for no text with a zero in it."""
    if "\0" in resource_type + slug:
        return None
    return token.may_ask_about.filter(resource_type=resource_type, slug=slug).first()


def _allowed(token, questions, at) -> list[Question]:
    decisions = answer_for(token, questions, at=at) if questions else []
    return [question for question, said in zip(questions, decisions, strict=True) if said["decision"]]


def token_of(secret, at):
    """Return the ProviderToken of a secret, and count the request; raises Unauthorized, and TooMany."""
    digest = digest_of(secret)
    limits.require(digest)
    token = ProviderToken.objects.valid(at).select_related("provider").filter(digest=digest).first()
    if token is None:
        raise Unauthorized
    limits.count(digest, token.pk, at)
    return token


class Page:
    """Where a search goes on: a signed token holds the last result, the limit, and what was asked, which stays."""

    def __init__(self, asked, limit, after=None):
        self.asked, self.limit, self.after = asked, limit, after

    @classmethod
    def of(cls, message, searched):
        """Return the Page that a message asks for; searched: the entity whose id makes no difference."""
        page = {
            name: value for name, value in member_of(message, "page", dict, default={}).items() if value is not None
        }
        token = member_of(page, "token", str, default="", where="page")
        limit = member_of(page, "limit", int, where="page") if "limit" in page else None
        if limit is not None and not 1 <= limit <= HIGHEST_LIMIT:
            raise BadRequest(f"page.limit must be between 1 and {HIGHEST_LIMIT:,}.")
        asked = {name: message[name] for name in ("subject", "action", "resource", "context") if name in message}
        if searched == "action":
            asked.pop("action", None)
        else:
            asked[searched] = {name: value for name, value in asked[searched].items() if name != "id"}
        asked = hashlib.sha256(json.dumps([searched, asked], sort_keys=True).encode()).hexdigest()
        if not token:
            return cls(asked, limit or DEFAULT_LIMIT)
        try:
            was_asked, was_limit, after = signing.loads(token, salt=__name__)
        except (signing.BadSignature, ValueError):
            raise BadRequest("page.token is not one that was given here.") from None
        if was_asked != asked or limit not in (None, was_limit):
            raise BadRequest("page.token belongs to another search. Send the same entities and limit, or no token.")
        return cls(asked, was_limit, after)

    def answer(self, found, *, key=None, say=None):
        """Return the answer: up to `limit` of what was found; one more of it tells that there is a next page."""
        found = list(found)
        more, found = len(found) > self.limit, found[: self.limit]
        last = found and (getattr(found[-1], key) if key else found[-1])
        token = signing.dumps([self.asked, self.limit, last], salt=__name__) if more else ""
        return {"page": {"next_token": token, "count": len(found)}, "results": [say(each) for each in found]}
