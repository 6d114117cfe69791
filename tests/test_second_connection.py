"""A second connection sees each kind of change (consequences.md) at its first question after the commit, and nothing of
it before; with the statement that it has prepared already, for a decision knows no cache."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import NamedTuple

import pytest
from django.db import connection, connections, transaction
from django.utils import timezone

from directory import services as directory
from directory.models import User
from licensing import services
from licensing.access import decide, seats_in_use, sources_of, who_can_use
from licensing.kinds import USERS
from licensing.models import Allocation
from tests.worlds import TEST

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]
DAY = timedelta(days=1)


@pytest.fixture
def elsewhere(transactional_db):
    """Run a function in another thread, always the same, on its own connection; return what it returns."""
    with ThreadPoolExecutor(max_workers=1) as thread:
        yield lambda function, *args: thread.submit(function, *args).result()
        thread.submit(connections.close_all).result()


@pytest.fixture
def world(acme, catalogue):
    acme.catalogue = catalogue
    return acme


# Questions -----------------------------------------------------------------------------------------------------------


class Answer(NamedTuple):
    """About Uma Nobody and CRM Professional."""

    reason: str
    policies: str = ""  # hers in effect
    people: str = ""  # who can use it
    seats: int = 0  # in use


def ask(world):
    """Ask for the decision first, then everything else that is said of it."""
    at = timezone.now()
    decision = decide(world.nobody, world.allocation, at=at)
    policies = {getattr(world.catalogue, name).pk: name for name in ("reading", "export", "administration")}
    decided = {policies[way.policy] for way in decision.in_effect}

    found = sources_of(USERS, User.objects.filter(pk=world.nobody.pk), at=at).values()
    sources = [source for of_user in found for source in of_user if source.in_effect]
    assert {policies[policy.pk] for source in sources for policy, _ in source.policies} == decided

    who = who_can_use(world.organization, at=at, allocation=world.allocation)
    names = [person.name.split()[0] for person in who.people.order_by("sort_key")]
    assert len(names) == who.number
    seats = seats_in_use(Allocation.objects.get(pk=world.allocation.pk), at=at).used
    return Answer(str(decision.reason), " ".join(sorted(decided)), " ".join(names), seats)


def times_prepared_ran():
    """Return how often each prepared statement of this connection ran."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT generic_plans + custom_plans FROM pg_prepared_statements")
        return [times for (times,) in cursor.fetchall()]


NOT_ASSIGNED = Answer("no_assignment")
READS = Answer("allowed", "reading", "Uma", 1)
EXPORTS = READS._replace(policies="export reading")
EVERYBODY_READS = READS._replace(people="Ada Eva Uma Vic", seats=4)
NOT_STARTED = Answer("assignment_not_started", seats=1)  # seats are for later too
INACTIVE = Answer("user_inactive")
UNKNOWN = Answer("unknown_subject")
HAS_ENDED = Answer("allocation_ended")
NOT_YET = Answer("allocation_not_started", seats=1)


# Changes -------------------------------------------------------------------------------------------------------------


def only(world):
    return world.allocation.assignments.get()


def set_dates(world, starts_at):
    services.set_dates(only(world), starts_at=starts_at, ends_at=None, actor=TEST)


def set_allocation(world, first, last=None):
    """Give the allocation its dates, in days from now."""
    starts_at, ends_at = (days and timezone.now() + days * DAY for days in (first, last))
    services.change_allocation(world.allocation, seats=None, starts_at=starts_at, ends_at=ends_at, actor=TEST)


def set_license(world, *, default, optional):
    policies = ([getattr(world.catalogue, name) for name in names.split()] for names in (default, optional))
    default, optional = policies
    services.set_license_policies(world.catalogue.professional, default=default, optional=optional, actor=TEST)


CHANGES = {
    "assign to the user": lambda w: w.assign(w.nobody),
    "assign to the group": lambda w: w.assign(w.group),
    "assign to the unit": lambda w: w.assign(w.below),
    "assign to the unit above": lambda w: w.assign(w.unit),
    "assign to everybody": lambda w: w.assign(w.organization),
    "choose export": lambda w: services.set_policies(only(w), policies=[w.catalogue.export], actor=TEST),
    "choose nothing": lambda w: services.set_policies(only(w), policies=[], actor=TEST),
    "let it start tomorrow": lambda w: set_dates(w, timezone.now() + DAY),
    "let it have started": lambda w: set_dates(w, None),
    "unassign": lambda w: services.unassign(only(w), actor=TEST),
    "join the group": lambda w: directory.join_group(w.group, users=[w.nobody], actor=TEST),
    "leave the group": lambda w: directory.leave_group(w.group, users=[w.nobody], actor=TEST),
    "place in the unit": lambda w: directory.place_in_unit(w.below, users=[w.nobody], actor=TEST),
    "leave the unit": lambda w: directory.leave_unit(w.below, users=[w.nobody], actor=TEST),
    "move the unit to the top": lambda w: directory.move_unit(w.below, parent=None, actor=TEST),
    "move the unit back": lambda w: directory.move_unit(w.below, parent=w.unit, actor=TEST),
    "deactivate": lambda w: directory.deactivate([w.nobody], actor=TEST),
    "reactivate": lambda w: directory.reactivate([w.nobody], actor=TEST),
    "delete the group": lambda w: services.delete_group(w.group, actor=TEST),
    "delete the unit": lambda w: services.delete_unit(w.below, actor=TEST),
    "delete the user": lambda w: services.delete_user(w.nobody, actor=TEST),
    "cancel": lambda w: services.cancel(w.allocation, actor=TEST),
    "reinstate": lambda w: services.reinstate(w.allocation, actor=TEST),
    "let the allocation have ended": lambda w: set_allocation(w, -2, -1),
    "let the allocation go on": lambda w: set_allocation(w, -2),
    "let the allocation start tomorrow": lambda w: set_allocation(w, 1),
    "make export default": lambda w: set_license(w, default="reading export", optional="administration"),
    "make export optional": lambda w: set_license(w, default="reading", optional="export administration"),
    "take export out": lambda w: set_license(w, default="reading", optional="administration"),
}
CASES = [  # what was done, what is done, and the answers before and after it
    ([], "assign to the user", NOT_ASSIGNED, READS),
    ([], "assign to the group", NOT_ASSIGNED, READS),
    ([], "assign to the unit", NOT_ASSIGNED, READS),
    ([], "assign to the unit above", NOT_ASSIGNED, READS),
    ([], "assign to everybody", NOT_ASSIGNED, EVERYBODY_READS),
    (["assign to the group"], "choose export", READS, EXPORTS),
    (["assign to the group", "choose export"], "choose nothing", EXPORTS, READS),
    (["assign to the group"], "let it start tomorrow", READS, NOT_STARTED),
    (["assign to the group", "let it start tomorrow"], "let it have started", NOT_STARTED, READS),
    (["assign to the group"], "unassign", READS, NOT_ASSIGNED),
    (["assign to the group", "leave the group"], "join the group", NOT_ASSIGNED, READS),
    (["assign to the group"], "leave the group", READS, NOT_ASSIGNED),
    (["assign to the unit above", "leave the unit"], "place in the unit", NOT_ASSIGNED, READS),
    (["assign to the unit above"], "leave the unit", READS, NOT_ASSIGNED),
    (["assign to the unit above"], "move the unit to the top", READS, NOT_ASSIGNED),
    (["assign to the unit above", "move the unit to the top"], "move the unit back", NOT_ASSIGNED, READS),
    (["assign to the user"], "deactivate", READS, INACTIVE),
    (["assign to the user", "deactivate"], "reactivate", INACTIVE, READS),
    (["assign to the group"], "delete the group", READS, NOT_ASSIGNED),
    (["assign to the unit"], "delete the unit", READS, NOT_ASSIGNED),
    (["assign to the unit above"], "delete the unit", READS, NOT_ASSIGNED),
    (["assign to the user"], "delete the user", READS, UNKNOWN),
    (["assign to the group"], "cancel", READS, HAS_ENDED),
    (["assign to the group", "cancel"], "reinstate", HAS_ENDED, READS),
    (["assign to the group"], "let the allocation have ended", READS, HAS_ENDED),
    (["assign to the group", "let the allocation have ended"], "let the allocation go on", HAS_ENDED, READS),
    (["assign to the group"], "let the allocation start tomorrow", READS, NOT_YET),
    (["assign to the group", "take export out"], "make export default", READS, EXPORTS),  # it is added
    (["assign to the group"], "make export default", READS, EXPORTS),  # it was optional
    (["assign to the group", "make export default"], "make export optional", EXPORTS, READS),
    (["assign to the group", "choose export"], "take export out", EXPORTS, READS),  # it was optional
    (["assign to the group", "make export default"], "take export out", EXPORTS, READS),
]


# The test ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("done", "change", "before", "after"), CASES, ids=[", ".join([*done, change]) for done, change, *_ in CASES]
)
def test_its_first_question_after_the_commit_sees_the_change(world, elsewhere, done, change, before, after):
    assert before != after
    for step in done:
        CHANGES[step](world)
    assert elsewhere(ask, world) == before
    with transaction.atomic():
        CHANGES[change](world)
        assert ask(world) == after  # who makes it sees it at once
        assert elsewhere(ask, world) == before
    assert elsewhere(ask, world) == after
    assert elsewhere(times_prepared_ran) == [3]  # one statement, on one connection
