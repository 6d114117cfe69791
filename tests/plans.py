"""How PostgreSQL finds what a decision needs, as EXPLAIN tells it."""

import json

from django.db import connection

from licensing.access.decisions import statement

TABLES = {"directory_user", "directory_groupmembership", "licensing_assignment", "directory_orgunitclosure"}


def plans_of_decisions(people, applications):
    """Yield (buffers, what is wrong with the plan) of the decision about each person, by the generic plan."""
    sql = statement("postgresql", "application_id").replace("%(user)s", "$1").replace("%(thing)s", "$2")
    with connection.cursor() as cursor:
        cursor.execute("SET plan_cache_mode = force_generic_plan")
        cursor.execute(f"PREPARE decision (bigint, bigint) AS {sql}")
        for place, person in enumerate(people):
            question = f"decision({person.pk}, {applications[place % len(applications)].pk})"
            cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) EXECUTE {question}")
            answer = cursor.fetchone()[0]
            plan = (json.loads(answer) if isinstance(answer, str) else answer)[0]["Plan"]
            yield plan["Shared Hit Blocks"] + plan["Shared Read Blocks"], list(_wrong_in(plan))
        cursor.execute("DEALLOCATE decision")
        cursor.execute("RESET plan_cache_mode")


def _wrong_in(plan):
    if plan["Node Type"] == "Seq Scan" and plan["Relation Name"] in TABLES:
        yield f"reads all of {plan['Relation Name']}"
    if "hashed SubPlan" in json.dumps({key: value for key, value in plan.items() if key != "Plans"}):
        yield "hashes a subplan"
    for part in plan.get("Plans", []):
        yield from _wrong_in(part)
