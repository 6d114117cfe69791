from django.core.management.base import BaseCommand
from django.db import transaction
from django.db.models import Exists, F, OuterRef, Q

from directory.models import GroupMembership, Invitation, Organization, OrgUnit, OrgUnitClosure, User
from licensing.models import Assignment, AssignmentPolicy, LicensePolicy


class Command(BaseCommand):
    help = (
        "Verify what is derived: the rows that say which unit lies below which. Also what PostgreSQL enforces and "
        "SQLite does not (docs/database.md). Says every difference; exit status 1 when one is left."
    )

    def add_arguments(self, parser):
        what = parser.add_mutually_exclusive_group(required=True)
        what.add_argument("--verify", action="store_true", help="compare, and say what differs")
        what.add_argument("--repair", action="store_true", help="mend the derived rows, and say what differed")

    def handle(self, *, repair, **options):
        mended = left = 0
        for organization in Organization.objects.order_by("pk").iterator():
            differences, is_mended = compare(organization, repair=repair)
            for difference in differences:
                self.stdout.write(f"{organization.slug}: {difference}")
            mended += len(differences) if is_mended else 0
            left += 0 if is_mended else len(differences)
        for violation in violations():
            self.stdout.write(violation)
            left += 1
        if mended:
            self.stdout.write(f"Mended {mended}.")
        if left:
            raise SystemExit(1)
        self.stdout.write("Everything is as it must be.")


@transaction.atomic
def compare(organization, *, repair):
    """Return how the closure of the organization's units differs from what their parents say; and whether it is mended.

    A circle is not: which of its parents is wrong, a person has to say.
    """
    Organization.objects.select_for_update(no_key=True).get(pk=organization.pk)  # no unit moves meanwhile
    units = {unit.pk: unit for unit in OrgUnit.objects.filter(organization=organization).order_by("pk")}
    expected, circles = {}, []
    for pk in units:
        above, depth = pk, 0
        while above in units and (above, pk) not in expected:  # a foreign parent ends it too: violations() names that
            expected[above, pk] = depth
            above, depth = units[above].parent_id, depth + 1
        if above == pk:
            circles.append(f"circle: {units[pk].name} lies below itself")
    if circles:
        return circles, False
    found = {
        (ancestor, descendant): depth
        for ancestor, descendant, depth in OrgUnitClosure.objects.filter(organization=organization)
        .values_list("ancestor", "descendant", "depth")
        .iterator()
    }

    def name(pair):
        return " above ".join(units[pk].name if pk in units else f"a foreign unit {pk}" for pk in pair)

    said = [f"missing: {name(pair)}" for pair in sorted(expected.keys() - found.keys())]
    said += [f"too many: {name(pair)}" for pair in sorted(found.keys() - expected.keys())]
    wrong = sorted(pair for pair in expected.keys() & found.keys() if expected[pair] != found[pair])
    said += [f"wrong depth: {name(pair)} is {found[pair]}, not {expected[pair]}" for pair in wrong]
    if repair and said:
        # Also rows that say they are another organization's.
        about_its_units = Q(ancestor__organization=organization) | Q(descendant__organization=organization)
        OrgUnitClosure.objects.filter(Q(organization=organization) | about_its_units).delete()
        OrgUnitClosure.objects.bulk_create(
            (
                OrgUnitClosure(organization=organization, ancestor_id=ancestor, descendant_id=descendant, depth=depth)
                for (ancestor, descendant), depth in expected.items()
            ),
            batch_size=2000,
        )
    return said, repair


def violations():
    """Yield each row that joins two organizations, or calls optional what is not: PostgreSQL has keys against them."""
    same = [
        (User, "unit"),
        (OrgUnit, "parent"),
        (GroupMembership, "group"),
        (GroupMembership, "user"),
        (Invitation, "user"),
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
