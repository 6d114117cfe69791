"""Deleting people, groups and units, and offboarding: what goes with them belongs to the directory and to licensing."""

import json
from dataclasses import dataclass

from django.core.exceptions import ValidationError

from directory.models import Group, Invitation, Organization, OrgUnit, User
from directory.services import (
    cancel_invitation,
    deactivate,
    keep_an_admin,
    leave_group,
    leave_unit,
    lock,
    require_may_change,
    target,
)
from portal.audit.log import one_act, record
from portal.text import count_words
from portal.transactions import one_transaction

from ..kinds import GROUPS, UNITS, USERS
from .assignments import unassign_all


@one_transaction
def delete_user(user, *, by_admin=None, actor):
    """Delete a User with their memberships and assignments; a login they have stays. Refused for the last Admin.

    by_admin: whether the Actor may delete an Admin, where that is known already.
    """
    keep_an_admin(user.organization, without=[user])
    user = lock(User, user, to_delete=True)
    require_may_change([user], actor=actor, by_admin=by_admin)
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
    gone = target(thing)
    with one_act():
        unassign_all(kind, thing, actor=actor)
        thing.delete()
        record(actor, f"{kind.one}.deleted", [gone], organization_id=thing.organization_id, details=details)


@dataclass(frozen=True)
class Plan:
    """What offboarding somebody ends: their direct Assignments, their Groups, their OrgUnit, their open Invitation."""

    assignments: list
    groups: list
    unit: OrgUnit | None
    invitation: Invitation | None

    @property
    def digest(self):
        """What tells it from another: the keys of what it ends."""
        keys = [sorted(thing.pk for thing in things) for things in (self.assignments, self.groups)]
        return json.dumps([*keys, *(thing and thing.pk for thing in (self.unit, self.invitation))])


def plan_of(user):
    """Return the Plan of offboarding a User as they are now."""
    assignments = user.assignments.with_assignees().with_license().with_policies().order_by("pk")
    groups = user.groups.order_by("sort_key", "pk")
    return Plan(list(assignments), list(groups), user.unit, user.invitations.unfinished().first())


@one_transaction
def offboard(user, *, plan, actor):
    """End all that a User has of their own, and deactivate them: the plan that was shown, or nothing.

    plan: the digest of that Plan. Raises ValidationError when it is another by now, for the last Admin, and where an
    Editor offboards an Admin.
    """
    keep_an_admin(user.organization, without=[user])
    user = lock(User, user)
    require_may_change([user], actor=actor)
    found = plan_of(user)
    if found.digest != plan:
        raise ValidationError(
            "Since this was shown, something was given to them or taken from them. Look at it again, then confirm.",
            code="changed",
        )
    with one_act():
        unassign_all(USERS, user, actor=actor)
        for group in sorted(found.groups, key=lambda group: group.pk):
            leave_group(group, users=[user], actor=actor)
        if found.unit:
            leave_unit(found.unit, users=[user], actor=actor)
        if found.invitation:
            cancel_invitation(found.invitation, actor=actor)
        if user.is_active:
            deactivate([user], actor=actor)
