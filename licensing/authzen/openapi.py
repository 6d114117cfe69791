"""The description of the API for machines: OpenAPI 3.1. What it says of limits and codes is read where they are."""

from http import HTTPStatus

from django.urls import reverse

from licensing import kinds
from licensing.access import Reason

from .decisions import SUBJECT
from .messages import DEEPEST, MOST_BYTES, MOST_EVALUATIONS, SEMANTICS
from .search import DEFAULT_LIMIT, HIGHEST_LIMIT

KINDS = (kinds.USERS, kinds.GROUPS, kinds.UNITS, kinds.ORGANIZATION)


def document(base):
    """Return the OpenAPI document as JSON has it. base: the address of the portal, without a slash at its end."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Customer Portal: decisions",
            "version": "1.0",
            "description": "May this person do this here, and why not? The OpenID AuthZEN Authorization API 1.0. "
            "A denial is an answer (200) like any other. Members that are not known are left alone.",
        },
        "servers": [{"url": base}],
        "security": [{"token": []}],
        "paths": {
            reverse("authzen:evaluation"): _ask("evaluation", "Ask one question", "Question", "Decision"),
            reverse("authzen:evaluations"): _ask("evaluations", "Ask many questions", "Batch", "Decisions"),
            reverse("authzen:search_subject"): _ask(
                "search_subject", "Who may do it?", "SubjectSearch", "SubjectsFound"
            ),
            reverse("authzen:search_resource"): _ask(
                "search_resource", "On what may they do it?", "ResourceSearch", "ResourcesFound"
            ),
            reverse("authzen:search_action"): _ask(
                "search_action", "What may they do there?", "ActionSearch", "ActionsFound"
            ),
            reverse("authzen:openapi"): _look("openapi", "This document", {"type": "object"}),
            reverse("authzen:configuration"): _look("configuration", "Where to ask what", _ref("Configuration")),
        },
        "components": {
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A token of the provider, made in the administration by its staff.",
                }
            },
            "parameters": {
                "RequestId": {
                    "name": "X-Request-ID",
                    "in": "header",
                    "description": "Comes back with the answer, whatever that is. Without one, one is made up.",
                    "schema": {"type": "string"},
                }
            },
            "headers": HEADERS,
            "responses": ERRORS,
            "schemas": SCHEMAS,
        },
    }


def _ref(name, of="schemas"):
    return {"$ref": f"#/components/{of}/{name}"}


def _json(schema):
    return {"application/json": {"schema": schema}}


def _ask(name, summary, asked, answered):
    """Return what a path of the API is: a question by POST."""
    return {
        "post": {
            "operationId": name,
            "summary": summary,
            "parameters": [_ref("RequestId", "parameters")],
            "requestBody": {
                "required": True,
                "description": f"JSON in UTF-8, up to {MOST_BYTES:,} bytes and {DEEPEST} levels deep, "
                "without two members of the same name in an object; with its Content-Length, not in chunks.",
                "content": _json(_ref(asked)),
            },
            "responses": {
                "200": {
                    "description": "The answer",
                    "headers": _headers("X-Request-ID", "Cache-Control"),
                    "content": _json(_ref(answered)),
                },
                **{str(status.value): _ref(status.name, "responses") for status in _ERRORS},
            },
        }
    }


def _look(name, summary, schema):
    """Return what a path is that is read with GET, by anybody."""
    return {
        "get": {
            "operationId": name,
            "summary": summary,
            "security": [],
            "responses": {
                "200": {"description": summary, "headers": _headers("Cache-Control"), "content": _json(schema)},
                "405": {"description": "Send a GET request.", "headers": _headers("Allow")},
            },
        }
    }


def _headers(*names):
    return {name: _ref(name, "headers") for name in names}


def _header(description, *, type="string"):
    return {"description": description, "required": True, "schema": {"type": type}}


HEADERS = {
    "X-Request-ID": _header("That of the request"),
    "Cache-Control": _header("How long it may be stored on its way: an answer to a question, not at all"),
    "Allow": _header("The method to use"),
    "WWW-Authenticate": _header("Bearer"),
    "Retry-After": _header("Seconds until the next minute", type="integer"),
}
_ERRORS = {
    HTTPStatus.BAD_REQUEST: ("What was sent is no question; the text says what to send instead.", ()),
    HTTPStatus.UNAUTHORIZED: ("Without a token, or it is unknown, revoked or has ended.", ("WWW-Authenticate",)),
    HTTPStatus.METHOD_NOT_ALLOWED: ("Questions are asked by POST.", ("Allow",)),
    HTTPStatus.TOO_MANY_REQUESTS: ("The token has asked too often in this minute.", ("Retry-After",)),
    HTTPStatus.INTERNAL_SERVER_ERROR: ("It went wrong in the portal. Ask again; until then, let nobody in.", ()),
}
ERRORS = {
    status.name: {
        "description": text,
        "headers": _headers("X-Request-ID", "Cache-Control", *headers),
        "content": _json({"type": "string"}),
    }
    for status, (text, headers) in _ERRORS.items()
}


# Schemas -------------------------------------------------------------------------------------------------------------


def _object(required, description=None, **properties):
    """Return the schema of an object. required: the names of those that are, with blanks between them."""
    schema = {"type": "object", "required": required.split(), "properties": properties}
    return schema | ({"description": description} if description else {})


def _string(description=None, **more):
    return {"type": "string"} | ({"description": description} if description else {}) | more


def _list(items, **more):
    return {"type": "array", "items": items} | more


def _found(result):
    return _object("page results", page=_ref("PageFound"), results=_list(_ref(result), maxItems=HIGHEST_LIMIT))


FREE = {"type": "object"}
OF_SUBJECT = {
    "type": _string(f"“{SUBJECT}”: there are no other subjects.", examples=[SUBJECT]),
    "properties": {
        "type": "object",
        "properties": {
            "organization": _string("The slug of the organization that is meant, where several know the id")
        },
    },
}
OF_RESOURCE = {
    "type": _string("That of the application", examples=["application"]),
    "properties": FREE,
}
ENTITIES = {"subject": _ref("Subject"), "action": _ref("Action"), "resource": _ref("Resource"), "context": FREE}
_IS_ALLOWED = {"properties": {"context": {"properties": {"reason": {"const": str(Reason.ALLOWED)}}}}}

SCHEMAS = {
    # What is asked
    "Subject": _object(
        "type id",
        **OF_SUBJECT,
        id=_string(
            "The person's public id, e-mail address (in any case) or external id", examples=["uma@acme.example"]
        ),
    ),
    "SubjectType": _object("type", "An id is left alone.", **OF_SUBJECT),
    "Action": _object("name", name=_string(examples=["read"]), properties=FREE),
    "Resource": _object("type id", **OF_RESOURCE, id=_string("The slug of the application", examples=["crm"])),
    "ResourceType": _object("type", "An id is left alone.", **OF_RESOURCE),
    "Question": _object("subject action resource", **ENTITIES),
    "BatchItem": _object("", "What it does not say is that of the batch, each entity as a whole.", **ENTITIES),
    "Batch": {
        "type": "object",
        "description": "Without evaluations it is one question, and answered as one.",
        "properties": ENTITIES
        | {
            "evaluations": _list(_ref("BatchItem"), maxItems=MOST_EVALUATIONS),
            "options": _object(
                "",
                evaluations_semantic=_string(
                    "; ".join(
                        f"{name}: "
                        + ("all are answered" if ends is None else f"the first {str(ends).lower()} is the last")
                        for name, ends in SEMANTICS.items()
                    ),
                    enum=list(SEMANTICS),
                    default=next(iter(SEMANTICS)),
                ),
            ),
        },
        "anyOf": [
            {"required": ["evaluations"], "properties": {"evaluations": {"minItems": 1}}},
            {"required": ["subject", "action", "resource"], "properties": {"evaluations": {"maxItems": 0}}},
        ],
    },
    "Page": _object(
        "",
        token=_string("The next_token of the page before. Send the same entities, and the same limit or none."),
        limit={"type": "integer", "minimum": 1, "maximum": HIGHEST_LIMIT, "default": DEFAULT_LIMIT},
    ),
    "SubjectSearch": _object(
        "subject action resource", **ENTITIES | {"subject": _ref("SubjectType"), "page": _ref("Page")}
    ),
    "ResourceSearch": _object(
        "subject action resource", **ENTITIES | {"resource": _ref("ResourceType"), "page": _ref("Page")}
    ),
    "ActionSearch": _object(
        "subject resource",
        "An action is left alone.",
        subject=_ref("Subject"),
        resource=_ref("Resource"),
        context=FREE,
        page=_ref("Page"),
    ),
    # What is answered
    "Decision": _object("decision context", decision={"type": "boolean"}, context=_ref("Explanation"))
    | {
        "if": {"properties": {"decision": {"const": True}}},
        "then": _IS_ALLOWED,
        "else": {"not": _IS_ALLOWED},
    },
    "Explanation": _object(
        "reason roles policies sources evaluated_at",
        reason=_string(
            "Of several conditions that are not met, of the way that comes closest", enum=list(map(str, Reason))
        ),
        roles=_list(_string(), description="What the person is in the application, by the policies in effect"),
        policies=_list(_string(), description="Those in effect there, whether they cover the action or not"),
        sources=_list(_ref("Source"), description="Through what they are in effect"),
        evaluated_at=_string(format="date-time"),
        valid_until=_string("When a date changes the answer or its reason, if one does", format="date-time"),
    ),
    "Source": _object(
        "license kind",
        license=_string(),
        kind=_string(enum=[kind.one for kind in KINDS]),
        name=_string("Of a group or unit"),
    ),
    "Refused": _object(
        "decision context",
        "An evaluation that is no question",
        decision={"const": False},
        context=_object("error", error=_object("status message", status={"const": 400}, message=_string())),
    ),
    "Decisions": {
        "oneOf": [
            _ref("Decision"),
            _object(
                "evaluations",
                "In the order of the request",
                evaluations=_list(
                    {"oneOf": [_ref("Decision"), _ref("Refused")]}, minItems=1, maxItems=MOST_EVALUATIONS
                ),
            ),
        ]
    },
    "PageFound": _object(
        "next_token count",
        next_token=_string("Empty on the last page"),
        count={"type": "integer", "minimum": 0, "maximum": HIGHEST_LIMIT, "description": "Of results on this page"},
    ),
    "SubjectsFound": _found("SubjectFound"),
    "SubjectFound": _object(
        "type id",
        type={"const": SUBJECT},
        id=_string("The public id", format="uuid"),
        properties=_object("email", email=_string()),
    ),
    "ResourcesFound": _found("ResourceFound"),
    "ResourceFound": _object("type id", type=_string(), id=_string()),
    "ActionsFound": _found("ActionFound"),
    "ActionFound": _object("name", name=_string()),
    "Configuration": _object(
        names := "policy_decision_point access_evaluation_endpoint access_evaluations_endpoint "
        "search_subject_endpoint search_resource_endpoint search_action_endpoint",
        **{name: _string(format="uri") for name in names.split()},
    ),
}
