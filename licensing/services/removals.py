"""Deleting people, groups and units: what goes with them belongs to the directory and to licensing."""

from django.core.exceptions import ValidationError

from directory.models import Group, Organization, OrgUnit, User
from directory.services import keep_an_admin, lock, require_may_change, target
from portal.audit.log import record
from portal.text import count_words
from portal.transactions import one_transaction

from ..kinds import GROUPS, UNITS, USERS
from .assignments import unassign_all


@one_transaction
def delete_user(user, *, actor):
    """Delete a User with their memberships and assignments; a login they have stays. Refused for the last Admin."""
    keep_an_admin(user.organization, without=[user])
    user = lock(User, user, to_delete=True)
    require_may_change([user], actor=actor)
    groups = list(user.groups.order_by("sort_key", "pk").values_list("name", flat=True))
    _delete(USERS, user, actor, {"groups": groups, "unit": user.unit and user.unit.name})


@one_transaction
def delete_group(group, *, actor):
    """Delete a Group with its memberships and assignments: its members lose what no other source gives."""
    group = lock(Group, group, to_delete=True)
    _delete(GROUPS, group, actor, {"members": group.memberships.count()})


@one_transaction
def delete_unit(unit, *, actor):
    """Delete an OrgUnit with its assignments; its people are in none then. Refused while it has units below it."""
    lock(Organization, unit.organization)  # nothing is created in it or moved into it meanwhile
    unit = lock(OrgUnit, unit, to_delete=True)
    if below := unit.children.count():
        units = count_words(below, "unit", "units")
        raise ValidationError(f"{unit} has {units} below it. Move or delete them first.", code="not_empty")
    # In their order, as others lock them, for the next statement takes them in any.
    people = User.objects.select_for_update(no_key=True).filter(unit=unit).order_by("pk").values_list("pk", flat=True)
    details = {"parent": unit.parent and unit.parent.name, "people": len(people)}
    User.objects.filter(unit=unit).update(unit=None)
    _delete(UNITS, unit, actor, details)


def _delete(kind, thing, actor, details):
    """Delete what is locked for it, its assignments first, each with an entry of its own."""
    unassign_all(kind, thing, actor=actor)
    gone = target(thing)
    thing.delete()
    record(actor, f"{kind.one}.deleted", [gone], organization_id=thing.organization_id, details=details)
