"""The token, whom and what it asks about, and every way to them: one prepared statement, for one question or many."""

import json
import uuid
from collections import defaultdict
from contextlib import suppress
from functools import lru_cache

from django.db import connection

from licensing.access import Reason, Standing
from licensing.access.decisions import ask_prepared, statement, ways_in
from licensing.access.reach import as_stored
from licensing.kinds import kind_of_key
from licensing.services import digest_of

from . import limits

SUBJECT = "user"  # the type of all subjects


class Unauthorized(Exception):
    """The token is unknown, revoked or has ended: nothing says which."""


def answer(secret, questions, *, at):
    """Return the decision of each Question as the protocol has it: {"decision": bool, "context": {…}}.

    secret: the bearer token. Raises Unauthorized, and limits.TooMany where it asks too often. One statement.
    """
    digest = digest_of(secret)
    limits.require(digest)
    token, answers = _answer("t.digest = %(token)s", digest, questions, at)
    limits.count(digest, token, at)
    return answers


def answer_for(token, questions, *, at):
    """Return the same for a ProviderToken that is known already; it is not counted (again)."""
    return _answer("t.id = %(token)s", token.pk, questions, at)[1]


def _answer(of_token, token, questions, at):
    """Return (pk of the token, the answers)."""
    topics = list(dict.fromkeys(question.topic for question in questions))
    rows = ask_prepared(
        _statement(connection.vendor, of_token),
        {
            "token": token,
            "at": as_stored(at),
            "questions": json.dumps([_asked(place, *topic) for place, topic in enumerate(topics)]),
        },
    )
    if not rows:
        raise Unauthorized
    by_place = defaultdict(list)
    for row in rows:
        by_place[row[1]].append(row)
    found = {topic: _Found(by_place[place], at) for place, topic in enumerate(topics)}
    return rows[0][0], [found[question.topic].decide(question.action) for question in questions]


class _Found:
    """What the rows about a topic tell, read once for all actions."""

    def __init__(self, rows, at):
        self.is_resource, self.at, self.names = rows[0][2] is not None, at, {}
        people = {row[3]: (row[4], []) for row in rows if row[3] is not None}  # {user: (is active, ways)}
        for row, way in ways_in(rows, TOLD):
            people[row[3]][1].append(way)
            if way.assignment is not None:
                self.names[way] = row[-3:]
        self.people = [Standing(ways, at=at, is_active=is_active) for is_active, ways in people.values()]
        in_effect = {way for person in self.people for way in person.in_effect}
        self.gives = _what_gives([(way, *self.names[way]) for way in in_effect])

    def decide(self, action):
        """Return the answer: of several people of that name, the best of theirs."""
        if not self.is_resource:
            return _said(Reason.UNKNOWN_RESOURCE, self.at, self.gives)
        if not self.people:
            return _said(Reason.UNKNOWN_SUBJECT, self.at, self.gives)
        decisions = [person.decide(action) for person in self.people]
        best = max((decision.reason for decision in decisions), key=lambda reason: reason.place)
        until = min((decision.valid_until for decision in decisions if decision.valid_until), default=None)
        return _said(best, self.at, self.gives, until)


def _asked(place, subject_type, subject, organization, resource_type, resource):
    """Return what the statement looks for. What cannot be anybody's or anything's is not looked for."""
    is_there = subject_type == SUBJECT and "\0" not in subject + (organization or "")
    public_id = None
    with suppress(ValueError):
        public_id = uuid.UUID(subject).hex
    return {
        "place": place,
        "application": None if "\0" in resource + resource_type else resource,
        "resource_type": resource_type.replace("\0", ""),
        "public_id": public_id if is_there else None,
        "email": subject.lower() if is_there and "@" in subject else None,
        "external_id": subject if is_there else None,
        "organization": organization if is_there else None,
    }


def _what_gives(in_effect):
    """Return what an answer says of the ways in effect, each with its names."""
    sources = {(license, kind_of_key(way.target_key).one, name) for way, _, license, name in in_effect}
    return {
        "roles": sorted({way.role for way, *_ in in_effect if way.role}),
        "policies": sorted({policy for _, policy, *_ in in_effect}),
        "sources": [
            {"license": license, "kind": kind} | ({"name": name} if name else {})
            for license, kind, name in sorted(sources, key=str)
        ],
    }


def _said(reason, at, gives, valid_until=None):
    context = {"reason": reason, **gives, "evaluated_at": _written(at)}
    if valid_until:
        context["valid_until"] = _written(valid_until)
    return {"decision": reason is Reason.ALLOWED, "context": context}


def _written(instant):
    """Return an instant as RFC 3339 has it, in UTC."""
    return instant.isoformat(timespec="milliseconds").replace("+00:00", "Z")


TOLD = 5  # columns, before those of a Way: token, place of the question, application, user, whether active
_NAMES = """, CASE WHEN a.id IS NOT NULL THEN (SELECT p.name FROM licensing_policy p WHERE p.id = o.policy_id) END,
    CASE WHEN a.id IS NOT NULL THEN (SELECT l.name FROM licensing_license l WHERE l.id = o.license_id) END,
    CASE WHEN a.group_id IS NOT NULL THEN (SELECT g.name FROM directory_group g WHERE g.id = a.group_id)
      WHEN a.unit_id IS NOT NULL THEN (SELECT n.name FROM directory_orgunit n WHERE n.id = a.unit_id) END"""


@lru_cache
def _statement(vendor, of_token):
    """Return the SQL: outer joins all along, so that what is unknown can be told from what has nothing.

    A token without applications of its own may ask about all of its provider's. A person is one of an organization to
    which that provider has allocated something.
    """
    is_postgresql = vendor == "postgresql"
    asked = (
        """jsonb_to_recordset(%(questions)s::jsonb) AS q(place int, application text, resource_type text,
        public_id uuid, email text, external_id text, organization text) ON TRUE"""
        if is_postgresql
        else "json_each(%(questions)s) q ON TRUE"
    )

    def of(name):
        return f"q.{name}" if is_postgresql else f"json_extract(q.value, '$.{name}')"

    limited = "SELECT 1 FROM licensing_providertoken_applications x WHERE x.providertoken_id = t.id"
    people = f"""SELECT id FROM directory_user WHERE public_id = {of("public_id")}
        UNION ALL SELECT id FROM directory_user WHERE lower(email) = {of("email")}
        UNION ALL SELECT id FROM directory_user WHERE external_id = {of("external_id")}"""
    concerns = f"""EXISTS (SELECT 1 FROM licensing_allocation al JOIN licensing_license l ON l.id = al.license_id
          WHERE al.organization_id = u.organization_id AND l.provider_id = t.provider_id)
        AND ({of("organization")} IS NULL OR EXISTS (SELECT 1 FROM directory_organization n
          WHERE n.id = u.organization_id AND n.slug = {of("organization")}))"""
    user = (
        f"""LATERAL (SELECT u.* FROM ({people}) k JOIN directory_user u ON u.id = k.id
            WHERE {concerns} OFFSET 0) u ON TRUE"""
        if is_postgresql
        else f"directory_user u ON u.id IN ({people}) AND {concerns}"
    )
    return statement(
        vendor,
        "application_id",
        "app.id",
        told=f"t.id, {of('place')}, app.id, u.id, u.is_active",
        more=_NAMES,
        users=f"""licensing_providertoken t LEFT JOIN {asked}
            LEFT JOIN licensing_application app ON app.provider_id = t.provider_id AND app.slug = {of("application")}
              AND app.resource_type = {of("resource_type")}
              AND (NOT EXISTS ({limited}) OR EXISTS ({limited} AND x.application_id = app.id))
            LEFT JOIN {user}""",
        where=f"{of_token} AND t.revoked_at IS NULL AND (t.ends_at IS NULL OR t.ends_at > %(at)s)",
    )
