from django.core.exceptions import ValidationError

from portal.audit.log import one_act, record
from portal.text import join_some
from portal.transactions import one_transaction

from ..models import Organization, Role, User
from .cancelling import cancel_invitations
from .groups import join_groups
from .rules import (
    clean_person,
    is_admin,
    lock,
    lock_users,
    record_move,
    require_may_change,
    require_same_organization,
    split,
    target,
)
from .units import place_in_unit

CHANGED = ("name", "email", "title", "employee_number", "role")  # what an entry of the audit log tells


@one_transaction
def create_user(organization, *, name, actor, **fields):
    """Put a person into the directory. fields: those of User, such as email, account, role, unit, is_active."""
    user = User(organization=organization, name=name, **fields)
    require_may_create(user, actor=actor)
    clean_person(user)
    user.save()
    record(actor, "user.created", [target(user)], organization_id=organization.pk)
    return user


@one_transaction
def update_user(user, *, actor, **fields):
    """Change what the directory says of a User; returns the User. Another address cancels an open invitation.

    fields: of name, email, title, employee_number, role and unit those that change, or may.
    Raises ValidationError, at the field where there is one: an address somebody has, a role that only an Admin gives
    (consequently nobody raises their own), the last Admin made less, an Admin changed by somebody who is none.
    """
    if "role" in fields:
        keep_an_admin(user.organization, without=[] if fields["role"] == Role.ADMIN else [user])
    user = lock(User, user)
    old_unit = user.unit
    details = change(user, fields, actor=actor)
    clean_person(user)
    user.save()
    with one_act():
        if details:
            record(actor, "user.changed", [target(user)], organization_id=user.organization_id, details=details)
        if "email" in details.get("new", {}):
            # Whoever reads the mail that went to the old address may be somebody else.
            outdated = user.invitations.unfinished().exclude(email=(user.email or "").lower())
            cancel_invitations(outdated, actor=actor)
        if user.unit != old_unit and user.unit:
            record_move(actor, "unit.joined", [user], user.unit, lambda _: {"from": old_unit and old_unit.name})
        elif user.unit != old_unit:
            record_move(actor, "unit.left", [user], old_unit)
    return user


def require_may_create(user, *, actor, by_admin=None):
    """Refuse a new User that the Actor may not make. by_admin: whether the Actor is an Admin, where that is known."""
    require_same_organization(user.organization, filter(None, [user.unit]))
    require_may_give(user.role, user.organization, actor, by_admin)


def change(user, fields, *, actor, by_admin=None):
    """Set fields of a User, where the Actor may; returns what the audit log tells of it, {} where it tells nothing.

    Neither checked as a whole nor saved. by_admin: as above.
    """
    require_same_organization(user.organization, filter(None, [fields.get("unit")]))
    require_may_change([user], actor=actor, by_admin=by_admin)
    if fields.get("role", user.role) != user.role:
        require_may_give(fields["role"] or user.role, user.organization, actor, by_admin)
    old = {name: getattr(user, name) or "" for name in CHANGED}
    for name, value in fields.items():
        setattr(user, name, value)
    new = {name: getattr(user, name) or "" for name in CHANGED if (getattr(user, name) or "") != old[name]}
    return {"new": new, "old": {name: old[name] for name in new}} if new else {}


def require_may_give(role, organization, actor, by_admin=None):
    """Refuse who is not an Admin to give a portal role. by_admin: as above."""
    if role and not (is_admin(organization, actor) if by_admin is None else by_admin):
        raise ValidationError({"role": ValidationError("Only an Admin gives portal roles.", code="role")})


@one_transaction
def join_places(user, *, groups=(), unit=None, actor):
    """Make a User a member of Groups and, if one is given, of an OrgUnit; returns those of them that they joined."""
    with one_act():
        joined = list(join_groups(user, groups=groups, actor=actor).done)
        if unit and place_in_unit(unit, users=[user], actor=actor).done:
            joined.append(unit)
    return joined


@one_transaction
def deactivate(users, *, actor):
    """Deactivate Users (one at least) of one Organization; returns an Outcome. Nothing reaches them; all is kept.

    Raises ValidationError where no active Admin would be left, or an Editor deactivates an Admin.
    """
    keep_an_admin(users[0].organization, without=users)
    return _set_active(users, False, "user.deactivated", actor)


@one_transaction
def reactivate(users, *, actor):
    """Reactivate Users (one at least) of one Organization; returns an Outcome. What was kept works again at once.

    Raises ValidationError where an Editor brings back an Admin.
    """
    return _set_active(users, True, "user.reactivated", actor)


def keep_an_admin(organization, *, without):
    """Refuse to go on without these Users where no active Admin would be left.

    Locks the organization, so it comes first: two Admins may deactivate each other at once.
    """
    lock(Organization, organization)
    without = {user.pk for user in without}
    admins = governing(organization)
    require_admins_left(organization, [admin for admin in admins if admin.pk in without], of=len(admins))


def governing(organization):
    """Return the active Admins of an Organization who can sign in; where none of them can, all of them."""
    admins = list(User.objects.active().filter(organization=organization, role=Role.ADMIN).order_by("pk"))
    return [admin for admin in admins if admin.account_id] or admins  # who was invited only governs nothing yet


def require_admins_left(organization, leaving, *, of):
    """Refuse that these active Admins of an Organization leave, where it has no more than them."""
    if leaving and len(leaving) == of:
        last = "is the last active Admin" if len(leaving) == 1 else "are the last active Admins"
        raise ValidationError(
            f"{join_some(leaving)} {last} of {organization}. Make somebody else Admin first.", code="last_admin"
        )


def _set_active(users, is_active, verb, actor):
    organization = users[0].organization
    require_same_organization(organization, users)
    outcome = split(lock_users(users), lambda user: user.is_active == is_active)
    require_may_change(outcome.done, actor=actor)
    User.objects.filter(pk__in=[user.pk for user in outcome.done]).update(is_active=is_active)
    record(actor, verb, [target(user) for user in outcome.done], organization_id=organization.pk)
    return outcome
