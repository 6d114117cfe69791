"""What a decision costs an application that asks for it over HTTP, and in process beside Cedar and pycasbin.

    .venv/bin/python -m benchmarks.decisions [SIZE] [--seconds 60]

The database has 100,000 people, on a private PostgreSQL (or the one that DATABASE_URL names); gunicorn serves it as
`make demo` does, with two workers. Each round asks for everything in turn, first over one kept connection, then over
eight: only the ratios within a round mean anything, for machines differ and change their minds. The yardstick is the
same endpoint doing `SELECT 1`. Afterwards eight connections ask about random people for so many seconds.

Cedar and pycasbin are measured if they are installed (pip install cedarpy pycasbin), on the same rows and questions.
What Cedar has to know of the person is read anew each time, as for decide(); its permits are parsed beforehand, and so
are as old as that: one for each thing that is given to somebody, or one for each policy where our own statement finds
who has it. pycasbin has no database: it is given beforehand what concerns the people asked about, and nothing else.
"""

# ruff: noqa: E402 models can be imported once Django is set up
import argparse
import http.client
import json
import os
import random
import socket
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from importlib.util import find_spec
from itertools import product

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
django.setup()

from django.conf import settings
from django.db import connection
from django.utils import timezone

from benchmarks.database import measure_each, warn_when_busy
from directory.models import Organization
from licensing.access import decide
from licensing.access.decisions import _ABOVE, ask_prepared, statement, ways_in
from licensing.models import Application, Assignment, Policy, Provider, ProviderToken
from licensing.services import create_token
from portal.audit.log import Actor

SIZE, SECONDS = 100_000, 60
ROUNDS = 7
FEW, MANY = 16, 64  # requests in a round, over all connections: of what is dear, of what is cheap
CONNECTIONS = 1, 8
PEOPLE, FEW_PEOPLE = 5000, 300  # asked about over HTTP, and in process
CONSTANT, SELECT_1, EVALUATION = "a constant view", "the endpoint doing SELECT 1", "evaluation"
BATCH, SEARCH = "evaluations, 50 about one subject", "search of subjects, first page"
DECIDE, CASBIN = "licensing.access.decide", "pycasbin, rows of these people in memory"
CEDAR, CEDAR_MATCHES = "Cedar, a permit per grant", "Cedar, a permit per right, which our statement finds"
PEERS = {"cedarpy": "cedarpy", "pycasbin": "casbin"}  # package: module
ACTIONS = "read", "write", "delete", "approve", "export"  # the seeded rights list the first one, or none
RANDOM = random.Random(1)  # noqa: S311 it is to be the same every time
HEADERS = {"Content-Type": "application/json"}
CASBIN_MODEL = """
[request_definition]
r = sub, obj, act
[policy_definition]
p = sub, obj, act
[role_definition]
g = _, _
[policy_effect]
e = some(where (p.eft == allow))
[matchers]
m = r.obj == p.obj && (p.act == "*" || r.act == p.act) && g(r.sub, p.sub)
"""


def main(size, seconds):
    os.environ["BENCHMARK_SECONDS"] = str(seconds)
    measured = measure_each("benchmarks.decisions", [size])[size]
    requests, lasting, engines = measured["requests"], measured["lasting"], measured["engines"]
    print(f"{f'{size:,} people, connections:':38}" + "".join(f"{number:>8}{'':28}" for number in requests).rstrip())
    print(f"{'':38}" + f"{'ms':>8}{'× SELECT 1':>14}{'× evaluation':>14}" * len(requests))
    for name in (CONSTANT, SELECT_1, EVALUATION, BATCH, SEARCH):
        cells = [requests[number][name] for number in requests]
        print(f"{name:38}" + "".join(f"{ms:>8.2f}{ones:>14.2f}{evaluations:>14.2f}" for ms, ones, evaluations in cells))
    print(
        f"\n{CONNECTIONS[-1]} connections for {seconds:g} s: {lasting['answers']:,} evaluations, "
        f"{lasting['answers'] / seconds:,.0f} a second, {lasting['allowed']:.0%} allowed, p50 {lasting['p50']:.1f} ms, "
        f"p99 {lasting['p99']:.1f} ms, {lasting['failed']} failed"
    )
    print(f"\n{'in process':54}{'µs':>12}{'× decide':>12}{'differences':>14}")
    for name, (us, ratio, differences) in engines.items():
        print(f"{name:54}{us:>12,.0f}{ratio:>12.1f}{differences:>14}")
    if missing := [package for package, module in PEERS.items() if find_spec(module) is None]:
        print(f"Left out, for it is not installed: {', '.join(missing)} (pip install {' '.join(missing)}).")
    print()
    goals = list(_goals(requests, lasting, engines))
    for name, value, goal, passes in goals:
        print(f"{'PASS' if passes else 'FAIL'}  {name}: {value:.5g} ({goal})")
    failed = sum(not passes for *_, passes in goals)
    print(f"{len(goals) - failed} of {len(goals)} pass.")
    warn_when_busy()
    return failed


def _goals(requests, lasting, engines):
    """Yield (name, measured, goal in words, whether it is met)."""
    one = requests[str(CONNECTIONS[0])]
    yield "evaluation, × SELECT 1, 1 connection", one[EVALUATION][1], "at most 1.6", one[EVALUATION][1] <= 1.6
    yield "batch of 50, × evaluation, 1 connection", one[BATCH][2], "at most 3", one[BATCH][2] <= 3
    if CEDAR in engines:
        yield f"{CEDAR}, × decide", engines[CEDAR][1], "at least 3", engines[CEDAR][1] >= 3
    if len(engines) > 1:
        differences = sum(differences for *_, differences in engines.values())
        yield "answers that differ from Cedar's or pycasbin's", differences, "0", not differences
    yield "8 connections, not 200 or errors", lasting["failed"], "0", not lasting["failed"] and lasting["answers"]


# In the process that has the database --------------------------------------------------------------------------------


def measure():
    """Return what the organization `scale` measures, as main() prints it."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")  # else autovacuum does it, in the middle
    scale, provider = Organization.objects.get(slug="scale"), Provider.objects.get(slug="scale-works")
    token = ProviderToken(provider=provider, name="Benchmark")
    HEADERS["Authorization"] = f"Bearer {create_token(token, actor=Actor('command', None, 'benchmark'))}"
    people = list(scale.users.active().order_by("pk"))
    RANDOM.shuffle(people)
    del people[PEOPLE:]
    applications = list(Application.objects.filter(provider=provider).order_by("pk"))
    with server() as port:
        requests = measure_requests(port, people, applications)
        lasting = measure_lasting(port, people, applications)
    engines = measure_engines(people[:FEW_PEOPLE], applications, timezone.now())
    return {"requests": requests, "lasting": lasting, "engines": engines}


# Over HTTP -----------------------------------------------------------------------------------------------------------


@contextmanager
def server():
    """Serve as `make demo` does, with two workers and the URLs of benchmarks.urls; give the port."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listening:
        options = f"--bind fd://{listening.fileno()} --workers 2 --threads 8 --log-level warning --no-control-socket"
        process = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "benchmarks.decisions:application()", *options.split()],
            env={**os.environ, "DECISIONS_PER_MINUTE": "1000000000"},
            pass_fds=[listening.fileno()],
            stdout=sys.stderr,
        )
        try:
            yield listening.getsockname()[1]
        finally:
            process.terminate()
            process.wait()


def application():
    """What gunicorn serves: portal.wsgi with the URLs of the benchmarks."""
    settings.ROOT_URLCONF = "benchmarks.urls"
    from portal.wsgi import application

    return application


def measure_requests(port, people, applications):
    """Return {connections: {name: (median ms, × SELECT 1, × evaluation)}}."""
    asked = {
        CONSTANT: ("constant", _evaluation, MANY),
        SELECT_1: ("select-1", _evaluation, MANY),
        EVALUATION: ("evaluation", _evaluation, MANY),
        BATCH: ("evaluations", _batch, FEW),
        SEARCH: ("search/subject", _search, FEW),
    }
    for path, message, _ in [asked[EVALUATION], asked[BATCH]]:  # each thread has plans of its own, settled after five
        _over(16, port, path, partial(message, people, applications), requests=20)
    found = {}
    for number in CONNECTIONS:
        rounds = defaultdict(list)
        for _ in range(ROUNDS):
            for name, (path, message, times) in asked.items():
                made = partial(message, people, applications)
                answers = _over(number, port, path, made, requests=times // number)
                if wrong := [status for status, *_ in answers if status != 200]:
                    raise SystemExit(f"{name}: {len(wrong)} of {len(answers)} failed, {wrong[0]}")
                rounds[name].append(statistics.median(ms for _, ms, _ in answers))
        found[number] = {
            name: (
                statistics.median(medians),
                _median_ratio(medians, rounds[SELECT_1]),
                _median_ratio(medians, rounds[EVALUATION]),
            )
            for name, medians in rounds.items()
        }
    return found


def measure_lasting(port, people, applications):
    made = partial(_evaluation, people, applications)
    answers = _over(CONNECTIONS[-1], port, "evaluation", made, seconds=float(os.environ["BENCHMARK_SECONDS"]))
    times = sorted(ms for _, ms, _ in answers)
    return {
        "answers": len(answers),
        "failed": sum(status != 200 for status, *_ in answers),
        "allowed": statistics.mean(b'"decision": true' in body for *_, body in answers),
        "p50": statistics.median(times),
        "p99": times[len(times) * 99 // 100],
    }


def _over(number, port, path, message, *, requests=sys.maxsize, seconds=float("inf")):
    """Ask over so many connections at once, until each has asked so often or so long; return [(status, ms, body)].

    The status of a request that fails without an answer is what went wrong, in words.
    """

    def ask():
        client, answers, until = http.client.HTTPConnection("127.0.0.1", port, 30), [], time.monotonic() + seconds
        while len(answers) < requests and time.monotonic() < until:
            sent = json.dumps(message())
            started, body = time.perf_counter(), b""
            try:
                client.request("POST", f"/access/v1/{path}", sent, HEADERS)
                response = client.getresponse()
                status, body = response.status, response.read()
            except (OSError, http.client.HTTPException) as error:
                status = repr(error)
                client.close()
            answers.append((status, (time.perf_counter() - started) * 1000, body))
        client.close()
        return answers

    with ThreadPoolExecutor(number) as pool:
        asking = [pool.submit(ask) for _ in range(number)]
        return [answer for each in asking for answer in each.result()]


def _evaluation(people, applications):
    subject = {"type": "user", "id": str(RANDOM.choice(people).public_id)}
    return {"subject": subject, **_right(RANDOM.choice(ACTIONS), RANDOM.choice(applications))}


def _batch(people, applications):
    """Return a message with as many different evaluations as there are actions and applications: 50."""
    evaluations = [_right(*each) for each in product(ACTIONS, applications)]
    return {"subject": _evaluation(people, applications)["subject"], "evaluations": evaluations}


def _search(people, applications):
    return {"subject": {"type": "user"}, **_right(ACTIONS[0], RANDOM.choice(applications))}


def _right(action, application):
    return {"action": {"name": action}, "resource": {"type": application.resource_type, "id": application.slug}}


# In process ----------------------------------------------------------------------------------------------------------


def measure_engines(people, applications, at):
    """Return {name: (median µs, × decide, answers that differ from it)}, each asked the same in rounds."""
    engines = dict(_engines(at, people))
    rounds, differences = defaultdict(list), dict.fromkeys(engines, 0)
    for _ in range(ROUNDS):
        asked = [(user, RANDOM.choice(applications), RANDOM.choice(ACTIONS[:2])) for user in people]
        for name, engine in engines.items():
            times, answers = zip(*(_time(partial(engine, *each)) for each in asked), strict=True)
            rounds[name].append(statistics.median(times))
            if name == DECIDE:
                right = answers
            differences[name] += sum(mine != its for mine, its in zip(right, answers, strict=True))
    return {
        name: (statistics.median(medians), _median_ratio(medians, rounds[DECIDE]), differences[name])
        for name, medians in rounds.items()
    }


def _engines(at, people):
    """Yield (name, a function of a User, an Application and an action that tells whether it is allowed)."""
    yield DECIDE, lambda user, application, action: decide(user, application, action, at=at).allowed
    if find_spec("cedarpy"):
        yield CEDAR, _cedar(_grants(at), _keys_of)
        yield CEDAR_MATCHES, _cedar(_rights(), partial(_rights_of, at=at))
    if find_spec("casbin"):
        yield CASBIN, _casbin(_grants(at), people)


def _grants(at):
    """Return {(target key, Policy)} of all that is given at the instant."""
    given, rights = Assignment.objects.in_effect(at), dict(_rights())
    default, chosen = "allocation__license__license_policies", "assignment_policies"
    rows = given.filter(**{f"{default}__is_default": True}).values_list("target_key", f"{default}__policy")
    rows = rows.union(given.exclude(**{chosen: None}).values_list("target_key", f"{chosen}__policy"))
    return {(key, rights[policy]) for key, policy in rows}


def _rights():
    """Return [(primary key, Policy)] of all."""
    return [(policy.pk, policy) for policy in Policy.objects.all()]


def _cedar(having, held):
    """Return an engine with the permits of each application parsed; having: [(id of who has it, Policy)].

    held: a function of a User and an Application that returns those of the ids which hold for the user.
    """
    import cedarpy

    permits = defaultdict(list)
    for holder, policy in having:
        names = ", ".join(f'Action::"{name}"' for name in policy.actions)
        action, resource = f"action in [{names}]" if names else "action", f'Application::"{policy.application_id}"'
        permit = f'permit (principal in Holder::"{holder}", {action}, resource == {resource});'
        permits[policy.application_id].append(permit)
    parsed = {application: cedarpy.PolicySet.from_str("\n".join(each)) for application, each in permits.items()}

    def is_allowed(user, application, action):
        parents = [{"type": "Holder", "id": str(holder)} for holder in held(user, application)]
        entities = json.dumps([{"uid": {"type": "User", "id": str(user.pk)}, "attrs": {}, "parents": parents}])
        request = {"principal": f'User::"{user.pk}"', "action": f'Action::"{action}"'}
        request["resource"] = f'Application::"{application.pk}"'
        return cedarpy.is_authorized(request, parsed[application.pk], entities).allowed

    return is_allowed


def _keys_of(user, application=None):
    """Return the target keys of the user, everybody, and the units and groups above the user, by the same fresh SQL."""
    keys = f"ARRAY[u.id * 4, u.organization_id * 4 + 3] || ARRAY({_ABOVE})"
    sql = f"SELECT {keys} FROM directory_user u WHERE u.id = %(user)s"  # noqa: S608 nothing of it comes from outside
    ((keys,),) = ask_prepared(sql, {"user": user.pk})
    return keys


def _rights_of(user, application, *, at):
    """Return the policies that the user has, by the same statement as a decision."""
    rows = ask_prepared(statement("postgresql", "application_id"), {"user": user.pk, "thing": application.pk})
    ways = [way for _, way in ways_in(rows)]
    return {way.policy for way in ways if way.assignment is not None and way.missing(at) is None}


def _casbin(grants, people):
    """Return an engine that has in memory what concerns the people."""
    import casbin

    model = casbin.Model()
    model.load_model_from_text(CASBIN_MODEL)
    enforcer, keys = casbin.Enforcer(model), {user: _keys_of(user) for user in people}
    roles = [(f"user {user.pk}", str(key)) for user, of_user in keys.items() for key in of_user]
    enforcer.add_grouping_policies(roles)
    concerned = {key for of_user in keys.values() for key in of_user}
    enforcer.add_policies(
        [
            (str(key), str(policy.application_id), action)
            for key, policy in grants
            if key in concerned
            for action in policy.actions or ["*"]
        ]
    )
    return lambda user, application, action: enforcer.enforce(f"user {user.pk}", str(application.pk), action)


# How it is measured --------------------------------------------------------------------------------------------------


def _median_ratio(medians, others):
    """Return the median of what the rounds took, each as a multiple of what another thing took in the same round."""
    return statistics.median(mine / its for mine, its in zip(medians, others, strict=True))


def _time(act):
    """Return the microseconds that it takes, and what it returns."""
    started = time.perf_counter()
    returned = act()
    return (time.perf_counter() - started) * 1_000_000, returned


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("size", nargs="?", type=int, default=SIZE)
    parser.add_argument("--seconds", type=float, default=SECONDS, help="how long eight connections ask in the end")
    parser.add_argument("--measure", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        print(json.dumps(measure()))
    else:
        sys.exit(bool(main(options.size, options.seconds)))
