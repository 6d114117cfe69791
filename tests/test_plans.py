"""How PostgreSQL goes about things: what it reads for a decision among 100,000 people, and what it may believe."""

import random

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.db.models import Count
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from directory.models import User
from licensing.access import seats_of
from licensing.access.decisions import _OF, statement
from licensing.models import Allocation, Application
from tests.admin.hands import customers

pytestmark = pytest.mark.postgres

BIG = {"directory_user", "directory_groupmembership", "directory_orgunitclosure", "licensing_assignment"}


@pytest.fixture
def scale(db):
    """The organization `scale` with 100,000 people, of whom nothing is left afterwards.

    In a transaction that empties the tables first: they are new files then, which go when it is rolled back. Rows that
    were only inserted would stay on disk as dead ones, and every other test would read past them.
    """
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE directory_organization, licensing_provider CASCADE")
    call_command("seed_scale", users=100_000)
    yield
    transaction.set_rollback(True)  # it is anyway, but now its million rows are not held against every key before


def test_a_decision_reads_little_whoever_is_asked_about(scale):
    by_groups = User.objects.annotate(n=Count("memberships")).order_by("-n", "pk").values_list("pk", flat=True)
    rng = random.Random(1)  # noqa: S311 it is to be the same every time
    people = [*by_groups[:50], *rng.sample(list(by_groups), 50)]
    applications = list(Application.objects.order_by("pk").values_list("pk", flat=True))
    plans = plans_of_decisions([(person, rng.choice(applications)) for person in people])
    assert {fault for plan in plans for fault in faults(plan)} == set()
    assert max(map(buffers, plans)) <= 130


def test_seats_are_counted_also_while_tables_are_believed_to_be_empty(catalogue):
    """As after many were imported at once, until PostgreSQL looks again. It took hours to find a part of it anew for
    each row of another."""
    customers(catalogue.basic, range(1000))
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE pg_class SET reltuples = 0, relpages = 1"
            " WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND pg_relation_size(oid) > 0"
        )
    with CaptureQueriesContext(connection) as queries:
        uses = seats_of(Allocation.objects.all(), at=timezone.now())
    assert sum(use.over for use in uses.values()) == 500
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {queries[-1]['sql']}")
        assert steps(cursor.fetchone()[0][0]["Plan"]) < 10_000_000


def test_only_words_of_three_letters_are_looked_up_by_their_parts(db):
    """The index would give every row for fewer, and PostgreSQL may well believe that this is quick."""

    def is_looked_up(word):
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
            return "user_search" in User.objects.filter(search_text__finds=word).explain()

    assert [is_looked_up(word) for word in ("a", "an", "ann", "anna")] == [False, False, True, True]


def plans_of_decisions(pairs):
    """Return the plan of the decision for each pair of pks, of a user and an application: the one plan that PostgreSQL
    keeps for all of them, as it was executed."""
    sql = statement("postgresql", _OF[Application]) % {"user": "$1", "thing": "$2"}
    plans = []
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL plan_cache_mode = force_generic_plan")
        cursor.execute(f"PREPARE decision (bigint, bigint) AS {sql}")
        for user, application in pairs:
            # Verbose, for only so it says how it finds what is in a column.
            cursor.execute(
                f"EXPLAIN (ANALYZE, BUFFERS, VERBOSE, FORMAT JSON) EXECUTE decision ({int(user)}, {int(application)})"
            )
            plans.append(cursor.fetchone()[0][0]["Plan"])
        cursor.execute("DEALLOCATE decision")
    return plans


def buffers(plan):
    return plan["Shared Hit Blocks"] + plan["Shared Read Blocks"]


def steps(plan):
    """Return how many rows its nodes looked at."""
    rows = sum(number for name, number in plan.items() if name == "Actual Rows" or name.startswith("Rows Removed by"))
    return rows * plan["Actual Loops"] + sum(map(steps, plan.get("Plans", ())))


def faults(plan):
    """Yield what makes a plan cost more, the more people there are: a big table read whole, a subplan hashed."""
    if plan["Node Type"] == "Seq Scan" and plan["Relation Name"] in BIG:
        yield f"{plan['Relation Name']} is read whole"
    if any("hashed SubPlan" in str(value) for name, value in plan.items() if name != "Plans"):
        yield "a subplan is hashed"
    for below in plan.get("Plans", ()):
        yield from faults(below)
