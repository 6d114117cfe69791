"""The engine's answers beside the oracle's, each in the terms of the other."""

from collections import defaultdict

from licensing.access import decide, sources_of, usable, who_can_use
from licensing.access.previews import affected, preview
from licensing.kinds import USERS
from licensing.models import Allocation, Application, Assignment, Policy
from tests.oracle import Oracle, Source


def in_order(things):
    return things if isinstance(things, list) else list(things.order_by("pk"))


class Previewed:
    """What is said of a Change before it is made.

    effects: {what the oracle is asked: {pk: {"+": who gains it, "-": who loses it, "=": who keeps it through another}}}
    of allocations and policies. seats: {allocation: by how many those in use change}. at: when it will be felt.
    """

    def __init__(self, change):
        foreseen = preview(change)
        self.at, self.seats = change.felt_at or change.at, {thing.pk: more for thing, more in foreseen.seats.items()}
        licenses, policies = {}, {}
        for effect in foreseen.effects:
            numbers = {"+": effect.gains, "-": effect.loses, "=": effect.keeps}
            users = {s: affected(change, effect.thing, s, limit=100) if numbers[s] else [] for s in "+-="}
            assert {sign: len(found) for sign, found in users.items()} == numbers
            is_license = isinstance(effect.thing, Allocation)
            said = (licenses if is_license else policies)[effect.thing.pk] = {
                sign: {user.pk for user in found} for sign, found in users.items()
            }
            # Of a policy that comes with this license alone, and always, nothing else is said.
            for policy in effect.thing.license.default_policies if is_license else []:
                if policy.pk not in change.policies:
                    policies[policy.pk] = said
        self.effects = {Oracle.reached: licenses, Oracle.who_has: policies}


def held_in(oracles, of_it, at):
    """Who has each allocation or policy at the instant, and through which assignments: {pk: {user: assignments}}."""
    found = {}
    for oracle in oracles:
        policies = {policy for _, policy, *_ in oracle.in_licenses}
        for thing in oracle.allocations if of_it is Oracle.reached else policies:
            for user, sources in of_it(oracle, thing, at).items():
                found.setdefault(thing, {})[user] = {source.assignment for source in sources}
    return found


def compare_sources(oracle, people, at):
    """Compare what comes to people, through what, whether it is in effect, and what it gives."""
    for pk, sources in sources_of(USERS, people, at=at).items():
        found = {in_terms_of_the_oracle(s): (s.in_effect, {policy.pk for policy, _ in s.policies}) for s in sources}
        in_effect = oracle.sources_in_effect(pk, at)
        assert found == {s: (s in in_effect, oracle.gives(s.assignment)) for s in oracle.sources(pk)}
        assert len(found) == len(sources)


def compare_decisions(oracle, organization, at, turn):
    """Compare what is decided of a person, why and until when, and who can use that: by turns of everybody and all."""
    people, action = in_order(organization.users), (None, "read", "export", "fly")[turn % 4]
    person = people[turn % len(people)]
    model = (Application, Allocation, Policy)[turn % 3]
    things = in_order(organization.allocations if model is Allocation else model.objects)
    thing = things[turn % len(things)]
    asked = {model._meta.model_name: thing.pk}

    decision = decide(person, thing, action, at=at)
    has = defaultdict(set)
    for way in decision.in_effect:
        has[way.policy].add(way.assignment)
    assert (decision.reason, has) == oracle.decision(person.pk, at, action=action, **asked)
    assert decision.valid_until == oracle.next_change(person.pk, at, action=action, **asked)

    things = {Allocation: {"allocation": thing}, Policy: {"policies": [thing]}}
    narrowed = things.get(model) or {"policies": thing.policies.all()}
    users = {user.pk for user in people if oracle.decision(user.pk, at, **asked)[0] == "allowed"}
    who = who_can_use(organization, at=at, **narrowed)
    assert {user.pk for user in who.people} == {user.pk for user in who.counted} == users
    assert who.number == len(users)

    for application in Application.objects.all():
        found = usable(person, at=at).get(application.pk)
        reason, has = oracle.decision(person.pk, at, application=application.pk)
        assert {way.policy for way in found.in_effect} == has.keys() if found else reason != "allowed"
        if found:
            assert found.valid_until == oracle.next_change(person.pk, at, application=application.pk)


def in_terms_of_the_oracle(source):
    path = tuple(unit.pk for unit in source.path)
    return Source(source.assignment.pk, str(source.kind), source.assignment.assignee.pk, path)


def shown_on(page):
    """What a Licenses tab shows: {(heading, license, through what, what it gives)}."""
    policies = set(Policy.objects.values_list("name", flat=True))
    return {
        (
            section.one("h2").text,
            next(row.all("td")).one("a").text,
            line.one(class_="source").text,
            frozenset(name for name in policies if name in line.text),
        )
        for section in page.all("section", class_="section")
        for row in section.one("tbody").all("tr")
        for line in row.all("li")
    }


def expected_on_page(world, oracle, person, at):
    groups, units = (
        dict(things.values_list("pk", "name")) for things in (world.organization.groups, world.organization.units)
    )
    licenses = dict(Assignment.objects.values_list("pk", "allocation__license__name"))
    policies = dict(Policy.objects.values_list("pk", "name"))
    in_effect = oracle.sources_in_effect(person.pk, at)

    def through(source):
        return {
            "users": "Direct",
            "groups": f"Group: {groups.get(source.assignee)}",
            "units": f"Unit: {' › '.join(units[unit] for unit in source.path)}",
            "organization": "Whole organization",
        }[source.kind]

    return {
        (
            "In effect now" if source in in_effect else "Not in effect",
            licenses[source.assignment],
            through(source),
            frozenset(policies[policy] for policy in oracle.gives(source.assignment)),
        )
        for source in oracle.sources(person.pk)
    }
