"""What is sent: JSON read strictly (I-JSON, RFC 7493), and the questions in it. Members that are not known are left."""

import json
from dataclasses import dataclass

MOST_BYTES, DEEPEST, MOST_EVALUATIONS = 1024 * 1024, 32, 1000
SEMANTICS = {"execute_all": None, "deny_on_first_deny": False, "permit_on_first_permit": True}  # which ends it


class BadRequest(Exception):
    """What was sent is not what the protocol says; the message tells what to send instead."""


@dataclass(frozen=True)
class Question:
    """May the subject do the action on the resource? organization: the slug of that of the subject, if it is told."""

    subject_type: str
    subject: str
    organization: str | None
    action: str
    resource_type: str
    resource: str

    @property
    def topic(self):
        """What is to be found out, whatever the action."""
        return self.subject_type, self.subject, self.organization, self.resource_type, self.resource


def read_message(request):
    """Return the JSON object in the body of an HttpRequest as a dict; raises BadRequest."""
    if request.content_type != "application/json":
        raise BadRequest("Send JSON, with Content-Type: application/json.")
    if "Transfer-Encoding" in request.headers:
        raise BadRequest("Send the body with its Content-Length, not in chunks.")
    if int(request.META.get("CONTENT_LENGTH") or 0) > MOST_BYTES:
        raise BadRequest(f"The body is larger than {MOST_BYTES:,} bytes. Ask in several requests.")
    try:
        message = json.loads(request.body.decode(), object_pairs_hook=_object, parse_constant=_no_constant)
        json.dumps(message, ensure_ascii=False).encode()  # half a surrogate pair is no text
    except RecursionError:
        raise BadRequest(f"The body is nested deeper than {DEEPEST} levels.") from None
    except ValueError:  # UnicodeError and JSONDecodeError too
        raise BadRequest("The body is not JSON in UTF-8.") from None
    if not isinstance(message, dict):
        raise BadRequest("The body must be a JSON object.")
    if _depth(message) > DEEPEST:
        raise BadRequest(f"The body is nested deeper than {DEEPEST} levels.")
    return message


def _object(pairs):
    members = dict(pairs)
    if len(members) != len(pairs):
        raise BadRequest("An object in the body has two members of the same name.")
    return members


def _no_constant(name):
    raise BadRequest(f"{name} is not JSON.")


def _depth(value):
    """Return how deep it is nested, without recursion."""
    depth, level = 0, [value]
    while level:
        depth += 1
        level = [
            child
            for each in level
            if isinstance(each, dict | list)
            for child in (each.values() if isinstance(each, dict) else each)
        ]
    return depth - 1


def question_in(message):
    """Return the Question in a message (a dict); raises BadRequest."""
    subject = entity_in(message, "subject", "type", "id")
    action = entity_in(message, "action", "name")
    resource = entity_in(message, "resource", "type", "id")
    member_of(message, "context", dict, default={})
    organization = subject.get("properties", {}).get("organization")
    return Question(
        subject_type=subject["type"],
        subject=subject["id"],
        organization=organization if isinstance(organization, str) else None,
        action=action["name"],
        resource_type=resource["type"],
        resource=resource["id"],
    )


def entity_in(message, name, *required):
    """Return a subject, action or resource in a message, which has the required members as strings."""
    entity = member_of(message, name, dict)
    for member in required:
        member_of(entity, member, str, where=name)
    member_of(entity, "properties", dict, default={}, where=name)
    return entity


WORDS = {dict: "an object", str: "a string", list: "an array", int: "a number"}


def member_of(message, name, kind, *, default=None, where=""):
    """Return a member of a message, which is of that kind; without it the default, and without a default BadRequest."""
    path = f"{where}.{name}" if where else name
    if name not in message:
        if default is None:
            raise BadRequest(f"{path} is missing.")
        return default
    value = message[name]
    if kind is int and isinstance(value, float) and value.is_integer():
        value = int(value)  # in JSON, 5.0 is the same number as 5
    if not isinstance(value, kind) or isinstance(value, bool):
        raise BadRequest(f"{path} must be {WORDS[kind]}.")
    return value


def batch_in(message):
    """Return (evaluations, what ends them): a list with a Question or BadRequest for each, and the decision (or None)
    with which the first one ends the list. evaluations is None where there is only one, to be answered alone.
    """
    options = member_of(message, "options", dict, default={})
    semantic = member_of(options, "evaluations_semantic", str, default="execute_all", where="options")
    if semantic not in SEMANTICS:
        raise BadRequest(f"options.evaluations_semantic must be one of {', '.join(SEMANTICS)}.")
    items = member_of(message, "evaluations", list, default=[])
    if not items:
        return None, None
    if len(items) > MOST_EVALUATIONS:
        raise BadRequest(f"There are more than {MOST_EVALUATIONS:,} evaluations. Ask in several requests.")
    shared = ("subject", "action", "resource", "context")
    defaults = {name: member_of(message, name, dict) for name in shared if name in message}
    return [_item(defaults, item) for item in items], SEMANTICS[semantic]


def _item(defaults, item):
    """Return the Question of an item, whose entities are its own or the shared ones, each as a whole; or BadRequest."""
    try:
        if not isinstance(item, dict):
            raise BadRequest("An evaluation must be an object.")
        return question_in(defaults | item)
    except BadRequest as error:
        return error
