from django.core.exceptions import ValidationError
from django.db import connection

from portal.audit.log import record
from portal.transactions import one_transaction

from ..models import Organization, OrgUnit, OrgUnitClosure, User
from .rules import clean, lock, lock_users, record_move, require_same_organization, split, target, update_place


@one_transaction
def create_unit(organization, *, name, parent=None, description="", actor):
    """Create an OrgUnit, below `parent` or at the top."""
    lock(Organization, organization)  # the parent may not move while its ancestors are copied, nor be deleted
    require_same_organization(organization, filter(None, [parent]))
    parent = parent and lock(OrgUnit, parent)
    unit = OrgUnit(organization=organization, parent=parent, name=name, description=description)
    clean(unit)
    unit.save()
    OrgUnitClosure.objects.create(organization=organization, ancestor=unit, descendant=unit, depth=0)
    if parent:
        _hang(unit, below=parent)
    record(
        actor,
        "unit.created",
        [target(unit)],
        organization_id=organization.pk,
        details={"parent": parent and parent.name},
    )
    return unit


@one_transaction
def update_unit(unit, *, actor, **fields):
    """Rename or describe an OrgUnit (fields: name, description, or one of them); returns it.

    Raises ValidationError at the name where one beside it has it.
    """
    return update_place(lock(OrgUnit, unit), fields, actor)


@one_transaction
def move_unit(unit, *, parent, actor):
    """Move an OrgUnit with all below it under `parent`, or to the top (None). No user row is touched."""
    # Lock: two moves that would together make a circle.
    lock(Organization, unit.organization)
    require_same_organization(unit.organization, filter(None, [parent]))
    unit, parent = lock(OrgUnit, unit), parent and lock(OrgUnit, parent)
    old_parent = unit.parent
    if parent and OrgUnitClosure.objects.filter(ancestor=unit, descendant=parent).exists():
        raise ValidationError(
            f"{parent.name} is {unit.name} or lies below it: a unit cannot lie below itself.", code="circle"
        )
    if parent == old_parent:
        return unit
    unit.parent = parent
    clean(unit)
    unit.save(update_fields=["parent"])
    subtree = OrgUnitClosure.objects.filter(ancestor=unit).values("descendant")
    OrgUnitClosure.objects.filter(descendant__in=subtree).exclude(ancestor__in=subtree).delete()
    if parent:
        _hang(unit, below=parent)
    details = {"from": old_parent and old_parent.name, "to": parent and parent.name}
    record(actor, "unit.moved", [target(unit)], organization_id=unit.organization_id, details=details)
    return unit


def _hang(unit, *, below):
    """Join every unit above and including `below` with every unit of the subtree of `unit`."""
    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO directory_orgunitclosure (organization_id, ancestor_id, descendant_id, depth)
               SELECT up.organization_id, up.ancestor_id, down.descendant_id, up.depth + down.depth + 1
               FROM directory_orgunitclosure up, directory_orgunitclosure down
               WHERE up.descendant_id = %s AND down.ancestor_id = %s""",
            [below.pk, unit.pk],
        )


@one_transaction
def place_in_unit(unit, *, users, actor):
    """Put Users into an OrgUnit, out of the one they were in; returns an Outcome."""
    require_same_organization(unit.organization, users)
    lock(OrgUnit, unit)  # it may not be deleted meanwhile
    locked = lock_users(users)
    outcome = split(locked, lambda user: user.unit_id == unit.pk)
    before = dict(OrgUnit.objects.filter(users__in=outcome.done).values_list("pk", "name"))
    User.objects.filter(pk__in=[user.pk for user in outcome.done]).update(unit=unit)
    record_move(actor, "unit.joined", outcome.done, unit, lambda user: {"from": before.get(user.unit_id)})
    return outcome


@one_transaction
def leave_unit(unit, *, users, actor):
    """Take Users out of an OrgUnit, so that they are in none; returns an Outcome."""
    require_same_organization(unit.organization, users)
    locked = lock_users(users)
    outcome = split(locked, lambda user: user.unit_id != unit.pk)
    User.objects.filter(pk__in=[user.pk for user in outcome.done]).update(unit=None)
    record_move(actor, "unit.left", outcome.done, unit)
    return outcome
