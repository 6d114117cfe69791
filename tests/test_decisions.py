"""May somebody, why or why not, and until when. tests/test_histories.py compares decisions with the oracle's."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.db import connection
from django.utils import timezone

from directory import services as directory
from directory.models import User
from licensing import services
from licensing.access import Reason, decide, usable
from licensing.models import Application, Policy, Provider
from tests.worlds import TEST, kind_of, license_of

DAY, MOMENT = timedelta(days=1), timedelta(microseconds=1)


@pytest.fixture
def now():
    """After all that the world was built of."""
    return timezone.now()


def reason(user, thing, action=None, *, at=None):
    return decide(user, thing, action, at=at or timezone.now()).reason


def gives(decision):
    """What is in effect, as {(policy, assignment)}."""
    return {(way.policy, way.assignment) for way in decision.in_effect}


def course(user, thing, action=None, *, at):
    """Follow valid_until from decision to decision: [(day, reason, how many assignments give it)].

    Each stays the same until the instant before its last, and is another at its last.
    """
    steps, start = [], at
    while at is not None:
        decision = decide(user, thing, action, at=at)
        given_by = {way.assignment for way in decision.in_effect}
        steps.append(((at - start).days, decision.reason, len(given_by)))
        if until := decision.valid_until:
            last, then = (decide(user, thing, action, at=instant) for instant in (until - MOMENT, until))
            assert (last.reason, gives(last), last.valid_until) == (decision.reason, gives(decision), until)
            assert (then.reason, gives(then)) != (decision.reason, gives(decision))
        at = decision.valid_until
    return steps


def set_allocation(allocation, starts_at=None, ends_at=None):
    services.change_allocation(allocation, seats=None, starts_at=starts_at, ends_at=ends_at, actor=TEST)


def other_application(name):
    """An application of another provider, with a policy."""
    provider = services.save(Provider(name=name, slug=name.lower()), actor=TEST)
    application = services.save(Application(provider=provider, name=name, slug=name.lower()), actor=TEST)
    return application, services.save(Policy(application=application, name=f"{name} access"), actor=TEST)


# Allowed -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("through", ["nobody", "group", "below", "unit", "organization"])
def test_everything_that_reaches_somebody_allows_it(acme, catalogue, through):
    """To the person, through the group, the unit, the unit above it, and the whole organization."""
    things = (catalogue.application, acme.allocation, catalogue.reading)
    assert {reason(acme.nobody, thing) for thing in things} == {Reason.NO_ASSIGNMENT}
    assignee = getattr(acme, through)
    assignment = acme.assign(assignee)
    for thing in things:
        decision = decide(acme.nobody, thing, "read", at=timezone.now())
        assert (decision.allowed, decision.reason) == (True, Reason.ALLOWED)
        (way,) = decision.in_effect
        assert (way.application, way.policy) == (catalogue.application.pk, catalogue.reading.pk)
        assert (way.allocation, way.assignment) == (acme.allocation.pk, assignment.pk)
        assert way.target_key == kind_of(assignee).target_key(assignee.pk)


def test_what_reaches_others_allows_nothing(acme, catalogue):
    """Neither another person's, nor another group's, nor that of a unit below or beside theirs."""
    above = acme.person("Abe Above", unit=acme.unit)
    other = directory.create_group(acme.organization, name="Other", actor=TEST)
    for assignee in (acme.nobody, acme.below, other):
        acme.assign(assignee)
    assert reason(above, catalogue.application) == Reason.NO_ASSIGNMENT


def test_a_decision_names_all_that_is_in_effect(acme, catalogue):
    """Also what does not cover the action; for an allocation or a policy, only what is of it."""
    reading, export = catalogue.reading.pk, catalogue.export.pk
    catalogue.export.role = "exporter"
    services.save(catalogue.export, actor=TEST)
    group = acme.assign(acme.group, policies=[catalogue.export]).pk
    direct = acme.assign(acme.nobody).pk
    plain = acme.assign(acme.unit, acme.plain).pk
    acme.assign(acme.organization, acme.plain, starts_at=timezone.now() + DAY)

    def given(thing, action=None):
        return gives(decide(acme.nobody, thing, action, at=timezone.now()))

    all_of_it = {(reading, group), (export, group), (reading, direct), (reading, plain)}
    assert given(catalogue.application) == given(catalogue.application, "export") == all_of_it
    assert given(acme.allocation) == all_of_it - {(reading, plain)}
    assert given(acme.plain) == {(reading, plain)}
    assert given(catalogue.reading) == all_of_it - {(export, group)}
    (way,) = decide(acme.nobody, catalogue.export, at=timezone.now()).in_effect
    assert (way.role, way.covered) == ("exporter", {"export"})


# Not allowed ---------------------------------------------------------------------------------------------------------


def test_what_the_organization_does_not_have_has_no_allocation(acme, globex, catalogue):
    application, policy = other_application("Elsewhere")
    special = license_of(catalogue, "Special")
    allocation = services.allocate(special, organization=globex.organization, actor=TEST)
    globex.assign(globex.organization, allocation)
    (only_there,) = special.policies.all()
    assert reason(globex.nobody, only_there) == Reason.ALLOWED
    for thing in (application, policy, only_there):
        assert reason(acme.nobody, thing) == Reason.NO_ALLOCATION


def test_an_assignment_in_another_organization_is_none(acme, globex, catalogue):
    globex.assign(globex.organization, policies=[catalogue.export])
    assert reason(globex.nobody, catalogue.export) == Reason.ALLOWED
    assert reason(acme.nobody, catalogue.export) == Reason.NO_ASSIGNMENT
    assert usable(acme.nobody, at=timezone.now()) == {}


def test_who_is_inactive_may_nothing_and_no_date_changes_it(acme, catalogue, now):
    acme.assign(acme.nobody, ends_at=now + DAY)
    directory.deactivate([acme.nobody], actor=TEST)
    elsewhere, _ = other_application("Elsewhere")
    for thing in (catalogue.application, acme.allocation, catalogue.reading, catalogue.export, elsewhere):
        decision = decide(acme.nobody, thing, at=now)
        assert (decision.reason, decision.in_effect, decision.valid_until) == (Reason.USER_INACTIVE, (), None)
    assert usable(acme.nobody, at=now) == {}


def test_who_is_deleted_is_unknown(acme, catalogue):
    acme.assign(acme.organization)
    assert reason(acme.nobody, catalogue.application) == Reason.ALLOWED
    services.delete_user(acme.nobody, actor=TEST)
    for thing in (catalogue.application, acme.allocation, catalogue.reading):
        decision = decide(acme.nobody, thing, at=timezone.now())
        assert (decision.reason, decision.in_effect, decision.valid_until) == (Reason.UNKNOWN_SUBJECT, (), None)
    assert usable(acme.nobody, at=timezone.now()) == {}


def test_a_cancelled_allocation_has_ended_whatever_its_dates(acme, now):
    acme.assign(acme.nobody, ends_at=now + 9 * DAY)
    for starts_at, ends_at in [(now, None), (now - 2 * DAY, now - DAY), (now + DAY, now + 2 * DAY)]:
        set_allocation(acme.allocation, starts_at, ends_at)
        services.cancel(acme.allocation, actor=TEST)
        decision = decide(acme.nobody, acme.allocation, at=now)
        assert (decision.reason, decision.valid_until) == (Reason.ALLOCATION_ENDED, None)
        services.reinstate(acme.allocation, actor=TEST)
    assert reason(acme.nobody, acme.allocation, at=now) == Reason.ALLOCATION_NOT_STARTED


@pytest.mark.parametrize(
    ("license", "thing", "action", "expected"),
    [
        ("plain", "application", None, "allowed"),
        ("plain", "application", "read", "allowed"),
        ("plain", "application", "export", "action_not_covered"),
        ("plain", "reading", "read", "allowed"),
        ("plain", "reading", "export", "action_not_covered"),
        ("plain", "reading", "Read", "action_not_covered"),
        ("plain", "reading", "rea", "action_not_covered"),
        ("plain", "export", None, "no_assignment"),
        ("allocation", "application", "export", "action_not_covered"),
        ("allocation", "export", None, "action_not_covered"),
        ("allocation", "export", "export", "action_not_covered"),
        ("allocation", "administration", "read", "action_not_covered"),
    ],
)
def test_a_policy_covers_the_actions_it_lists_once_it_is_default_or_chosen(
    acme, catalogue, license, thing, action, expected
):
    """Both have CRM access as default; CRM export is optional in the one, and not chosen."""
    acme.assign(acme.nobody, getattr(acme, license))
    assert reason(acme.nobody, getattr(catalogue, thing), action) == expected


def test_a_chosen_policy_covers_its_actions(acme, catalogue):
    assignment = acme.assign(acme.nobody, policies=[catalogue.export])
    for thing in (catalogue.application, catalogue.export, acme.allocation):
        assert reason(acme.nobody, thing, "export") == Reason.ALLOWED
        assert reason(acme.nobody, thing, "delete") == Reason.ACTION_NOT_COVERED
    services.set_policies(assignment, policies=[], actor=TEST)
    assert reason(acme.nobody, catalogue.export, "export") == Reason.ACTION_NOT_COVERED


def test_a_policy_without_actions_covers_every_action(acme, catalogue):
    assignment = acme.assign(acme.nobody)
    assert reason(acme.nobody, catalogue.application, "whatever") == Reason.ACTION_NOT_COVERED
    services.set_policies(assignment, policies=[catalogue.administration], actor=TEST)
    for thing in (catalogue.application, acme.allocation, catalogue.administration):
        assert reason(acme.nobody, thing, "whatever") == Reason.ALLOWED
    assert reason(acme.nobody, catalogue.reading, "whatever") == Reason.ACTION_NOT_COVERED


def test_of_several_ways_the_closest_is_the_reason(acme, catalogue, now):
    """Each step leaves what was there before, and adds what comes closer."""
    at, reasons = now + 10 * DAY, []
    optional = [catalogue.export]
    services.set_license_policies(catalogue.basic, default=[catalogue.reading], optional=optional, actor=TEST)
    for allocation in (acme.allocation, acme.plain):
        services.cancel(allocation, actor=TEST)
    set_allocation(acme.plain, starts_at=at + DAY)

    def note():
        reasons.append(reason(acme.nobody, catalogue.export, "export", at=at))

    note()
    for come_closer in (
        lambda: services.reinstate(acme.plain, actor=TEST),
        lambda: services.reinstate(acme.allocation, actor=TEST),
        lambda: acme.assign(acme.group, policies=[catalogue.export], ends_at=at),
        lambda: acme.assign(acme.below, policies=[catalogue.export], starts_at=at + DAY),
        lambda: acme.assign(acme.unit),
        lambda: acme.assign(acme.organization, policies=[catalogue.export]),
    ):
        come_closer()
        note()
    assert reasons == list(Reason)[list(Reason).index(Reason.ALLOCATION_ENDED) :]


def test_what_does_not_cover_the_action_is_no_closer(acme, catalogue):
    """CRM Basic starts tomorrow, but has no export. Where nothing covers an action, anything counts."""
    acme.assign(acme.nobody, acme.plain, starts_at=timezone.now() + DAY)
    assert reason(acme.nobody, catalogue.application, "read") == Reason.ASSIGNMENT_NOT_STARTED
    assert reason(acme.nobody, catalogue.application, "export") == Reason.NO_ASSIGNMENT
    assert reason(acme.nobody, catalogue.reading, "export") == Reason.ASSIGNMENT_NOT_STARTED


# Until when ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("thing", ["application", "allocation", "policy"])
def test_it_goes_through_its_dates(acme, catalogue, now, thing):
    """The first instant belongs to what starts, the last does not: course() asks the instant before it."""
    set_allocation(acme.allocation, now + DAY, now + 4 * DAY)
    services.cancel(acme.plain, actor=TEST)  # it would be another way to the application
    acme.assign(acme.group, policies=[catalogue.export], starts_at=now + 2 * DAY, ends_at=now + 3 * DAY)
    asked = {"application": catalogue.application, "allocation": acme.allocation, "policy": catalogue.export}[thing]
    assert course(acme.nobody, asked, "export", at=now) == [
        (0, "allocation_not_started", 0),
        (1, "assignment_not_started", 0),
        (2, "allowed", 1),
        (3, "assignment_ended", 0),
        (4, "allocation_ended", 0),
    ]


def test_without_dates_it_goes_on(acme, catalogue, now):
    assert course(acme.nobody, catalogue.application, at=now) == [(0, "no_assignment", 0)]
    acme.assign(acme.nobody, starts_at=now - DAY)
    assert course(acme.nobody, catalogue.application, at=now) == [(0, "allowed", 1)]


def test_it_ends_with_the_assignment_or_with_the_allocation(acme, now):
    acme.assign(acme.nobody, ends_at=now + 2 * DAY)
    ends = [(0, "allowed", 1), (2, "assignment_ended", 0)]
    assert course(acme.nobody, acme.allocation, at=now) == ends
    set_allocation(acme.allocation, ends_at=now + 5 * DAY)
    assert course(acme.nobody, acme.allocation, at=now) == [*ends, (5, "allocation_ended", 0)]
    set_allocation(acme.allocation, ends_at=now + DAY)
    assert course(acme.nobody, acme.allocation, at=now) == [(0, "allowed", 1), (1, "allocation_ended", 0)]


def test_what_ends_before_it_starts_gives_nothing(acme, now):
    acme.assign(acme.nobody, starts_at=now + 2 * DAY)
    set_allocation(acme.allocation, ends_at=now + DAY)
    assert course(acme.nobody, acme.allocation, at=now) == [
        (0, "assignment_not_started", 0),
        (1, "allocation_ended", 0),
    ]


def test_another_assignment_that_comes_or_goes_is_another_decision(acme, catalogue, now):
    """Allowed throughout, yet not for the same: it holds until what gives it changes, and no longer."""
    acme.assign(acme.nobody, ends_at=now + 2 * DAY)
    acme.assign(acme.group, acme.plain)
    acme.assign(acme.organization, starts_at=now + DAY)
    expected = [(0, "allowed", 2), (1, "allowed", 3), (2, "allowed", 2)]
    assert course(acme.nobody, catalogue.application, at=now) == expected
    assert course(acme.nobody, acme.plain, at=now) == [(0, "allowed", 1)]


def test_what_does_not_cover_the_action_counts_for_how_long_it_holds(acme, catalogue, now):
    acme.assign(acme.nobody, policies=[catalogue.export])
    acme.assign(acme.group, acme.plain, ends_at=now + DAY)
    assert course(acme.nobody, catalogue.application, "export", at=now) == [(0, "allowed", 2), (1, "allowed", 1)]


def test_a_policy_that_is_not_chosen_is_missing_until_the_assignment_ends(acme, catalogue, now):
    acme.assign(acme.nobody, ends_at=now + DAY)
    assert course(acme.nobody, catalogue.export, at=now) == [(0, "action_not_covered", 0), (1, "assignment_ended", 0)]


def test_what_nobody_assigned_matters_only_to_who_has_nothing(acme, catalogue, now):
    services.cancel(acme.allocation, actor=TEST)
    set_allocation(acme.plain, ends_at=now + DAY)
    lapses = [(0, "no_assignment", 0), (1, "allocation_ended", 0)]
    assert course(acme.nobody, catalogue.application, at=now) == lapses
    services.reinstate(acme.allocation, actor=TEST)
    acme.assign(acme.nobody)
    assert course(acme.nobody, catalogue.application, at=now) == [(0, "allowed", 1)]


# What can be used ----------------------------------------------------------------------------------------------------


def test_usable_has_the_applications_in_which_something_is_in_effect(acme, catalogue, now):
    """Of these, one is not assigned, one starts tomorrow; what one has in it not now is no part of the decision."""
    applications = {}
    for name, terms in [("Unassigned", None), ("Later", {"starts_at": now + DAY}), ("Used", {"ends_at": now + DAY})]:
        application = services.save(Application(provider=catalogue.provider, name=name, slug=name.lower()), actor=TEST)
        license = license_of(SimpleNamespace(provider=catalogue.provider, application=application), name)
        allocation = services.allocate(license, organization=acme.organization, starts_at=now, actor=TEST)
        if terms is not None:
            acme.assign(acme.nobody, allocation, **terms)
        applications[name] = application
    acme.assign(acme.group, policies=[catalogue.export])
    acme.assign(acme.unit, acme.plain, starts_at=now + 2 * DAY)

    found = usable(acme.nobody, at=now)
    assert found.keys() == {catalogue.application.pk, applications["Used"].pk}
    assert {policy for policy, _ in gives(found[catalogue.application.pk])} == {
        catalogue.reading.pk,
        catalogue.export.pk,
    }
    for application in (catalogue.application, applications["Used"]):
        decision = decide(acme.nobody, application, at=now)
        assert replace(found[application.pk], in_effect=(), ways=()) == replace(decision, in_effect=(), ways=())
        assert gives(found[application.pk]) == gives(decision)
    assert found[catalogue.application.pk].valid_until == now + 2 * DAY

    assert usable(acme.viewer, at=now) == {}
    later = usable(acme.nobody, at=now + DAY)
    assert later.keys() == {catalogue.application.pk, applications["Later"].pk}


# Queries -------------------------------------------------------------------------------------------------------------


def questions(user, acme, catalogue):
    """Every kind of question, as functions."""
    things = (catalogue.application, acme.allocation, catalogue.export)
    return [lambda: usable(user, at=timezone.now())] + [
        lambda thing=thing: decide(user, thing, "export", at=timezone.now()) for thing in things
    ]


def test_every_question_is_one_query_that_django_logs(acme, catalogue, django_assert_num_queries):
    acme.assign(acme.organization, policies=[catalogue.export])
    acme.assign(acme.unit, acme.plain)
    directory.deactivate([acme.viewer], actor=TEST)
    services.delete_user(acme.editor, actor=TEST)
    for user in (acme.nobody, acme.viewer, acme.editor):
        for ask in questions(user, acme, catalogue):
            with django_assert_num_queries(1) as log:
                ask()
            (query,) = log.captured_queries
            assert "FROM directory_user u" in query["sql"]


def prepared():
    """Return how often each prepared statement of this connection ran: {(name, SQL): times}."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT name, statement, generic_plans + custom_plans FROM pg_prepared_statements")
        return Counter({(name, statement): times for name, statement, times in cursor.fetchall()})


@pytest.mark.postgres
def test_every_question_is_prepared_once_and_nothing_else_is(acme, catalogue):
    for ask in questions(acme.nobody, acme, catalogue):
        before = prepared()
        for _ in range(7):  # by itself psycopg prepares what it sees a sixth time
            ask()
            User.objects.get(pk=acme.nobody.pk)
        (((_, statement), times),) = (prepared() - before).items()
        assert times == 7
        assert "FROM directory_user u" in statement


def test_an_allocation_of_elsewhere_gives_nothing_although_the_license_is_had_here(acme, globex):
    acme.assign(acme.nobody)
    at = timezone.now()
    assert decide(acme.nobody, acme.allocation, at=at).allowed
    assert decide(acme.nobody, globex.allocation, at=at).reason is Reason.NO_ALLOCATION
