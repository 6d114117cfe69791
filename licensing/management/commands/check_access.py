from django.core.management.base import BaseCommand
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q

from directory.models import GroupMembership, Organization, OrgUnit, OrgUnitClosure, User
from licensing.models import Assignment, AssignmentPolicy, LicensePolicy


class Command(BaseCommand):
    help = (
        "Verify what is derived: the rows that say which unit lies below which. Also what PostgreSQL enforces and "
        "SQLite does not (docs/database.md). Says every difference; exit status 1 when there is any."
    )

    def add_arguments(self, parser):
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("--verify", action="store_true", help="compare, and say what differs")
        what.add_argument("--repair", action="store_true", help="mend the derived rows, and say what differed")

    def handle(self, *, verify, repair, **options):
        differences = broken = 0
        for organization in Organization.objects.order_by("pk").iterator():
            for difference in compare(organization, repair=repair):
                self.stdout.write(f"{organization.slug}: {difference}")
                differences += 1
        for violation in violations():
            self.stdout.write(violation)
            broken += 1
        if repair and differences:
            self.stdout.write(f"Mended {differences}.")
        if broken or (differences and verify):
            raise SystemExit(1)
        self.stdout.write("Everything is as it must be.")


@transaction.atomic
def compare(organization, *, repair):
    """Return how the closure of the organization's units differs from what their parents say; with repair, mend it."""
    Organization.objects.select_for_update(no_key=True).get(pk=organization.pk)  # no unit moves meanwhile
    units = {unit.pk: unit for unit in OrgUnit.objects.filter(organization=organization)}
    expected = {}
    for pk in units:
        above, depth = pk, 0
        while above is not None and depth <= len(units):
            expected[above, pk] = depth
            above, depth = units[above].parent_id, depth + 1
    rows = OrgUnitClosure.objects.filter(ancestor__organization=organization)
    found = {
        (ancestor, descendant): depth
        for ancestor, descendant, depth in rows.values_list("ancestor", "descendant", "depth")
    }

    def name(pair):
        return " above ".join(units[pk].name if pk in units else f"a foreign unit {pk}" for pk in pair)

    said = [f"missing: {name(pair)}" for pair in sorted(expected.keys() - found.keys())]
    said += [f"too many: {name(pair)}" for pair in sorted(found.keys() - expected.keys())]
    wrong = sorted(pair for pair in expected.keys() & found.keys() if expected[pair] != found[pair])
    said += [f"wrong depth: {name(pair)} is {found[pair]}, not {expected[pair]}" for pair in wrong]
    if repair and said:
        rows.delete()
        OrgUnitClosure.objects.bulk_create(
            (
                OrgUnitClosure(organization=organization, ancestor_id=ancestor, descendant_id=descendant, depth=depth)
                for (ancestor, descendant), depth in expected.items()
            ),
            batch_size=2000,
        )
    return said


def violations():
    """Yield each row that joins two organizations, or calls optional what is not: PostgreSQL has keys against them."""
    same = [
        (User, "unit"),
        (OrgUnit, "parent"),
        (GroupMembership, "group"),
        (GroupMembership, "user"),
        (Assignment, "allocation"),
        (Assignment, "user"),
        (Assignment, "group"),
        (Assignment, "unit"),
        (AssignmentPolicy, "assignment"),
    ]
    for model, other in same:
        rows = model.objects.exclude(**{other: None}).exclude(**{f"{other}__organization": F("organization")})
        for pk in rows.values_list("pk", flat=True).iterator():
            yield f"{model._meta.verbose_name} {pk}: its {other} belongs to another organization"
    optional = LicensePolicy.objects.filter(
        license=OuterRef("assignment__allocation__license"), policy=OuterRef("policy"), is_default=False
    )
    of_its_license = Q(allocation=F("assignment__allocation"), license=F("assignment__allocation__license"))
    rows = AssignmentPolicy.objects.exclude(Q(Exists(optional)) & of_its_license)
    for pk in rows.values_list("pk", flat=True).iterator():
        yield f"assignment policy {pk}: not optional in the license of its assignment"
