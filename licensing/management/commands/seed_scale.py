import random
import time
import uuid
from datetime import timedelta

from django.core.management.base import BaseCommand
from django.db import connection, transaction
from django.utils import timezone

from directory import services as directory
from directory.models import Group, GroupMembership, Organization, OrgUnit, OrgUnitClosure, Role, User
from licensing.kinds import GROUPS, UNITS, USERS
from licensing.models import (
    Allocation,
    Application,
    Assignment,
    AssignmentPolicy,
    License,
    LicensePolicy,
    Policy,
    Provider,
)
from portal.audit.log import Actor, record
from portal.text import fold

SEED = Actor("command", None, "seed_scale")
BATCH = 2000
DEEPEST = 8
LICENSES, POLICIES_EACH, DEFAULTS_EACH = 50, 5, 2
FIRST = """Ada Adil Aïcha Anouk Ayşe Bart Bram Camille Chloé Daan Elif Emma Fatima Femke Finn Gülşen Hanne Hugo Ines Ivo
    Jan Jasper Juan Karel Lena Léa Lotte Luca Maja Mats Mehmet Mila Nina Noor Olga Omar Pieter Rosa Sara Sofie Stan
    Tess Tom Uma Vera Wout Yana Zoë Øyvind Çelik""".split()  # noqa: SIM905 names, as one reads them
SYLLABLES = """aer baer claes de en fer goos her ijs jan kamp lam mae nijs ool pau quin ren seg thy ulf ver wil xan yp
    zand berg dijk hout kens loo man nov oost park rijn steen tur vand""".split()  # noqa: SIM905 the same
UNITS_OF = "Sales Support Finance Logistics Warehouse Care Research Quality Service Region".split()  # noqa: SIM905 the same
GROUPS_OF = "Project Team Shift Planners Managers Trainees Editors Reviewers".split()  # noqa: SIM905 the same


class Command(BaseCommand):
    help = (
        "Load the large organization `scale`, by bulk insert: the same for the same number of users and seed, but for "
        "its dates, which lie around today. Does nothing once it exists."
    )

    def add_arguments(self, parser):
        parser.add_argument("--users", type=int, required=True, help="how many people")
        parser.add_argument("--seed", type=int, default=1, help="another one gives other names and assignments")

    def handle(self, *, users, seed, **options):
        if Organization.objects.filter(slug="scale").exists():
            self.stdout.write("The organization scale exists already.")
            return
        started = time.monotonic()
        with transaction.atomic():
            create(users, seed)
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("ANALYZE")  # the planner knows nothing yet of what was just inserted
        self.stdout.write(f"{users:,} people in {time.monotonic() - started:.0f} s. Sign in as admin@scale.example.")


def create(count, seed):
    rng = random.Random(seed)  # noqa: S311 it is to be the same every time
    organization = directory.create_organization(name="Scale", slug="scale", time_zone="Europe/Brussels", actor=SEED)
    units = _units(rng, organization, max(count // 50, 4))
    people = _people(rng, organization, units, count)
    groups = _groups(rng, organization, people, max(count // 50, 4))
    allocations = _allocations(rng, organization, count)
    _assignments(rng, organization, allocations, people, groups, units, max(count // 5, 10))
    account = directory.create_account(
        email="admin@scale.example",
        name="Sam Scale",
        password="portal-demo",  # noqa: S106 everybody may know it
        actor=SEED,
    )
    directory.create_user(
        organization, name="Sam Scale", email=account.email, account=account, role=Role.ADMIN, actor=SEED
    )
    target = directory.target(organization)
    record(SEED, "organization.seeded", [target], organization_id=organization.pk, details={"users": count})


def _insert(model, things):
    return model.objects.bulk_create(things, batch_size=BATCH)


def _folded(things):
    """Derive what save() would have."""
    for thing in things:
        thing.fold()
    return things


def _units(rng, organization, count):
    """Return the units as [(unit, depth, whether below the first)]. Half of them lie below the first."""
    parents, depths, big = [None], [1], [True]
    for number in range(1, count):
        in_big = number < count // 2
        above = [i for i in range(max(0, number - 200), number) if big[i] is in_big and depths[i] < DEEPEST]
        parent = (
            0
            if in_big and not above
            else rng.choice(above)
            if above and rng.random() < 0.95
            else (0 if in_big else None)
        )
        parents.append(parent)
        depths.append(1 if parent is None else depths[parent] + 1)
        big.append(in_big)
    units = [OrgUnit(organization=organization, name=_name(rng, UNITS_OF, number)) for number in range(count)]
    # Level by level: a parent needs its key first.
    for depth in range(1, DEEPEST + 1):
        level = [number for number in range(count) if depths[number] == depth]
        for number in level:
            units[number].parent = None if parents[number] is None else units[parents[number]]
        _insert(OrgUnit, _folded([units[number] for number in level]))
    closure = []
    for number, unit in enumerate(units):
        above, depth = number, 0
        while above is not None:
            closure.append(
                OrgUnitClosure(organization=organization, ancestor=units[above], descendant=unit, depth=depth)
            )
            above, depth = parents[above], depth + 1
    _insert(OrgUnitClosure, closure)
    return list(zip(units, big, strict=True))


def _surname(rng):
    return "".join(rng.choice(SYLLABLES) for _ in range(rng.choice((2, 2, 3)))).capitalize()


def _name(rng, words, number):
    """Return the name of a unit or group: a word that many share, one that few do, and what makes it unique."""
    return f"{rng.choice(words)} {_surname(rng)} {number}"


def _public_id(rng):
    return uuid.UUID(int=rng.getrandbits(128), version=4)


def _email(name, number):
    login = fold(name).replace(" ", ".").encode("ascii", "ignore").decode()
    return f"{login}.{number}@scale.example"


def _people(rng, organization, units, count):
    big = [unit for unit, in_big in units if in_big]
    small = [unit for unit, in_big in units if not in_big] or big
    surnames = [_surname(rng) for _ in range(max(count // 30, 10))]
    names = [f"{rng.choice(FIRST)} {rng.choice(surnames)}" for _ in range(count - 1)]  # the admin is one of them
    people = [
        User(
            organization=organization,
            public_id=_public_id(rng),
            name=name,
            email=_email(name, number),
            employee_number=f"S{number:07}",
            title=rng.choice(("", "", "Engineer", "Driver", "Manager", "Analyst", "Nurse")),
            unit=rng.choice(big) if number % 2 else rng.choice(small) if number % 20 else None,
            is_active=rng.random() >= 0.05,
            created_at=timezone.now() - timedelta(minutes=number),
        )
        for number, name in enumerate(names)
    ]
    return _insert(User, _folded(people))


def _groups(rng, organization, people, count):
    """The largest holds half the people, the others ever fewer."""
    groups = [
        Group(organization=organization, public_id=_public_id(rng), name=_name(rng, GROUPS_OF, number))
        for number in range(count)
    ]
    _insert(Group, _folded(groups))
    memberships = []
    for number, group in enumerate(groups):
        size = max(int(len(people) / 2 / (number + 1) ** 1.4), min(4, len(people)))
        memberships += [
            GroupMembership(organization=organization, group=group, user=user) for user in rng.sample(people, size)
        ]
    _insert(GroupMembership, memberships)
    return groups


def _allocations(rng, organization, count):
    provider = Provider.objects.create(name="Scale Works", slug="scale-works")
    applications = _insert(
        Application, [Application(provider=provider, name=f"Application {n}", slug=f"app-{n}") for n in range(10)]
    )
    policies = _insert(
        Policy,
        [
            Policy(application=applications[n % 10], name=f"Right {n}", actions=["read"] if n % 3 else [])
            for n in range(LICENSES * POLICIES_EACH)
        ],
    )
    licenses = [License(provider=provider, name=f"License {n:02}") for n in range(LICENSES)]
    _insert(License, _folded(licenses))
    _insert(
        LicensePolicy,
        [
            LicensePolicy(
                license=licenses[n // POLICIES_EACH],
                policy=policy,
                is_default=n % POLICIES_EACH < DEFAULTS_EACH,
                position=n % POLICIES_EACH,
            )
            for n, policy in enumerate(policies)
        ],
    )
    now, year = timezone.now(), timedelta(days=365)
    allocations = []
    for number, license in enumerate(licenses):
        terms = {"starts_at": now - year, "seats": count if number % 4 == 0 else None}
        if number % 25 == 7:
            terms["ends_at"] = now - timedelta(days=30)
        elif number % 25 == 11:
            terms["cancelled_at"] = now - timedelta(days=10)
        elif number % 25 == 13:
            terms["starts_at"] = now + timedelta(days=30)
        elif number % 5 == 0:
            terms["ends_at"] = now + timedelta(days=rng.randrange(5, 700))
        allocations.append(Allocation(organization=organization, license=license, created_at=now - year, **terms))
    return _insert(Allocation, allocations)


def _assignments(rng, organization, allocations, people, groups, units, count):
    """88 % users, 10 % groups, 2 % units, three everybody; the largest group and the largest unit among them."""
    units = [unit for unit, _ in units]
    pairs = {kind: set() for kind in (USERS, GROUPS, UNITS)}
    pairs[GROUPS].add((0, 0))
    pairs[UNITS].add((0, 0))
    things = {USERS: people, GROUPS: groups, UNITS: units}
    wanted = {GROUPS: count * 10 // 100, UNITS: max(count * 2 // 100, 1)}
    wanted[USERS] = count - 3 - sum(wanted.values())
    for kind, number in wanted.items():
        while len(pairs[kind]) < min(number, len(things[kind]) * len(allocations)):
            pairs[kind].add((rng.randrange(len(things[kind])), rng.randrange(len(allocations))))
    now = timezone.now()

    def assignment(allocation, **assignee):
        terms = {}
        if rng.random() < 0.05:
            terms["ends_at"] = now + timedelta(days=rng.randrange(-50, 300))
        elif rng.random() < 0.05:
            terms["starts_at"] = now + timedelta(days=rng.randrange(-50, 60))
        return Assignment(
            organization=organization,
            allocation=allocation,
            created_by="seed_scale",
            created_at=now,
            **assignee,
            **terms,
        )

    assignments = [assignment(allocations[number], whole_organization=True) for number in (1, 2, 4)]
    for kind in (USERS, GROUPS, UNITS):
        assignments += [assignment(allocations[a], **kind.assigned_to(things[kind][t])) for t, a in sorted(pairs[kind])]
    _insert(Assignment, assignments)

    optional = {}
    for row in LicensePolicy.objects.filter(is_default=False, license__allocations__in=allocations).select_related(
        "policy"
    ):
        optional.setdefault(row.license_id, []).append(row.policy)
    _insert(
        AssignmentPolicy,
        [
            AssignmentPolicy(
                organization=organization,
                assignment=held,
                allocation=held.allocation,
                license_id=held.allocation.license_id,
                policy=policy,
            )
            for held in assignments
            for policy in rng.sample(optional[held.allocation.license_id], rng.choice((0, 0, 1, 2)))
        ],
    )
