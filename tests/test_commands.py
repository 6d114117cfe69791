from io import StringIO

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.db.models import Count

from directory.models import GroupMembership, Organization, OrgUnit, OrgUnitClosure, User
from licensing.kinds import GROUPS, KINDS, ORGANIZATION, UNITS, USERS
from licensing.models import Allocation, Assignment, AssignmentPolicy, License, LicensePolicy
from tests.worlds import TEST, directory


def run(command, *args):
    """Return what the command says, and its exit status."""
    out = StringIO()
    try:
        call_command(command, *args, stdout=out)
    except SystemExit as stop:
        return out.getvalue(), stop.code
    return out.getvalue(), 0


# check_access --------------------------------------------------------------------------------------------------------


def test_verify_is_content_with_what_services_wrote(acme, globex):
    assert run("check_access", "--verify") == ("Everything is as it must be.\n", 0)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda w: pair(w).delete(), "acme: missing: Sales above Benelux"),
        (lambda w: pair(w).update(depth=5), "acme: wrong depth: Sales above Benelux is 5, not 1"),
        (
            lambda w: OrgUnitClosure.objects.create(
                organization=w.organization, ancestor=w.below, descendant=w.unit, depth=1
            ),
            "acme: too many: Benelux above Sales",
        ),
    ],
    ids=["missing", "wrong depth", "too many"],
)
def test_verify_names_each_difference_and_repair_mends_it(acme, damage, said):
    damage(acme)
    assert run("check_access", "--verify") == (f"{said}\n", 1)
    assert run("check_access", "--repair") == (f"{said}\nMended 1.\nEverything is as it must be.\n", 0)
    assert run("check_access", "--verify")[1] == 0


def pair(world):
    return OrgUnitClosure.objects.filter(ancestor=world.unit, descendant=world.below)


def test_a_circle_is_for_a_person_to_mend(acme):
    OrgUnit.objects.filter(pk=acme.unit.pk).update(parent=acme.below)
    said = "acme: circle: Sales lies below itself\nacme: circle: Benelux lies below itself\n"
    assert run("check_access", "--verify") == (said, 1)
    assert run("check_access", "--repair") == (said, 1)


@pytest.fixture
def sqlite_only():
    if connection.vendor == "postgresql":
        pytest.skip("PostgreSQL refuses to write it: tests/test_constraints.py")


@pytest.mark.usefixtures("sqlite_only")
def test_verify_finds_rows_of_two_organizations(acme, globex):
    User.objects.filter(pk=acme.admin.pk).update(unit=globex.unit)
    OrgUnit.objects.filter(pk=acme.below.pk).update(parent=globex.unit, name="Odd")
    pair(acme).delete()
    expected = (
        f"user {acme.admin.pk}: its unit belongs to another organization\n"
        f"organizational unit {acme.below.pk}: its parent belongs to another organization\n"
    )
    assert run("check_access", "--verify") == (expected, 1)


@pytest.mark.usefixtures("sqlite_only")
def test_verify_finds_a_chosen_policy_that_is_not_optional(acme, catalogue):
    held = acme.assign(acme.group, policies=[catalogue.export])
    chosen = AssignmentPolicy.objects.get(assignment=held)
    AssignmentPolicy.objects.update(policy=catalogue.reading)  # the default one
    expected = f"assignment policy {chosen.pk}: not optional in the license of its assignment\n"
    assert run("check_access", "--verify") == (expected, 1)


@pytest.mark.usefixtures("sqlite_only")
def test_repair_mends_a_row_under_the_wrong_organization(acme, globex):
    pair(acme).update(organization=globex.organization)
    said, status = run("check_access", "--verify")
    assert (said.splitlines()[0], status) == ("acme: missing: Sales above Benelux", 1)
    assert run("check_access", "--repair")[1] == 0
    assert pair(acme).get().organization_id == acme.organization.pk


# seed_demo -----------------------------------------------------------------------------------------------------------


def test_seed_demo_is_the_contract(db):
    run("seed_demo")

    allocated = {
        organization.slug: set(organization.allocations.values_list("license__name", "seats"))
        for organization in Organization.objects.all()
    }
    assert allocated == {
        "acme": {("CRM Professional", 25), ("Analytics Suite", None), ("Drive Business", None)},
        "globex": {("CRM Professional", 10), ("Workplace Bundle", None)},
    }
    acme = Organization.objects.get(slug="acme")
    assignments = {
        (held.allocation.license.name, held.kind, str(held.assignee), tuple(map(str, held.chosen_policies)))
        for held in Assignment.objects.with_assignees().with_policies()
    }
    assert assignments == {
        ("CRM Professional", GROUPS, "Account managers", ("CRM export",)),
        ("CRM Professional", USERS, "Ada Jansen", ("CRM administration",)),
        ("Analytics Suite", UNITS, "Sales", ()),
        ("Drive Business", ORGANIZATION, "Acme Logistics", ()),
    }
    assert not Allocation.objects.filter(license__name="Field Service").exists()
    people = {
        user.name: (user.role, user.unit and user.unit.name, bool(user.account), user.is_active)
        for user in acme.users.select_related("unit", "account").filter(employee_number="")
    }
    assert people == {
        "Ada Jansen": ("admin", "Head office", True, True),
        "Eva Peeters": ("editor", "Head office", True, True),
        "Vic Willems": ("viewer", "Operations", True, True),
        "Uma Claes": ("", "Antwerp", True, True),
        "Noor de Smet": ("", "Benelux", False, True),
        "Tom Maes": ("", "Warehouse", False, True),
        "Ivo Laurent": ("", "Sales", False, False),
        "Cleo Consult": ("viewer", None, True, True),
    }
    assert acme.users.count() == 60
    assert set(acme.groups.values_list("name", flat=True)) == {"Account managers", "Support", "Project Apollo"}
    assert set(acme.units.values_list("name", "parent__name")) == {
        ("Head office", None),
        ("Sales", None),
        ("Benelux", "Sales"),
        ("Antwerp", "Benelux"),
        ("Nordics", "Sales"),
        ("Operations", None),
        ("Warehouse", "Operations"),
    }
    assert run("check_access", "--verify")[1] == 0


def test_seed_demo_again_keeps_what_was_changed(db):
    run("seed_demo")
    Organization.objects.filter(slug="acme").update(name="Acme Renamed")
    before = User.objects.count()
    run("seed_demo")
    assert Organization.objects.get(slug="acme").name == "Acme Renamed"
    assert User.objects.count() == before


# seed_scale ----------------------------------------------------------------------------------------------------------


def test_seed_scale_is_the_contract(db):
    run("seed_scale", "--users", "1000")
    connection.check_constraints()

    scale = Organization.objects.get(slug="scale")
    counts = {"users": scale.users.count(), "groups": scale.groups.count(), "units": scale.units.count()}
    assert counts == {"users": 1000, "groups": 20, "units": 20}
    assert (License.objects.count(), LicensePolicy.objects.count(), scale.allocations.count()) == (50, 250, 50)
    of_kind = {str(kind): scale.assignments.filter(kind.where).count() for kind in (*KINDS, ORGANIZATION)}
    assert of_kind == {"users": 173, "groups": 20, "units": 4, "organization": 3}
    largest = GroupMembership.objects.values("group").annotate(n=Count("pk")).order_by("-n").first()["n"]
    assert largest == 499
    assert OrgUnitClosure.objects.order_by("-depth").first().depth < 8
    assert run("check_access", "--verify")[1] == 0


def test_seed_scale_is_the_same_for_the_same_number_and_seed(db):
    def picture(*options):
        with transaction.atomic():
            run("seed_scale", "--users", "200", *options)
            scale = Organization.objects.get(slug="scale")
            people = scale.users.exclude(account__isnull=False)  # the admin comes from the service
            seen = (
                list(people.order_by("pk").values_list("name", "email", "public_id", "unit__name", "is_active")),
                list(scale.units.order_by("pk").values_list("name", "parent__name")),
                list(GroupMembership.objects.order_by("pk").values_list("group__name", "user__email")),
                [
                    (str(held.allocation), str(held.assignee), list(map(str, held.chosen_policies)))
                    for held in scale.assignments.with_assignees().with_license().with_policies().order_by("pk")
                ],
            )
            transaction.set_rollback(True)
        return seen

    first = picture()
    assert picture() == first
    assert picture("--seed", "2") != first


def test_seed_scale_does_nothing_a_second_time(db):
    directory.create_organization(name="Scale", slug="scale", actor=TEST)
    assert run("seed_scale", "--users", "200") == ("The organization scale exists already.\n", 0)
    assert not User.objects.exists()
