"""What may be done to the directory. Every write is one transaction with its audit entries; all are keyword-only,
take an Actor, and raise ValidationError, in words for the person, when a rule says no."""

from dataclasses import dataclass

from allauth.account.models import EmailAddress
from django.core.exceptions import ValidationError
from django.db import connection

from portal.audit.log import Target, record
from portal.text import join_some
from portal.transactions import one_transaction

from .models import Account, Group, GroupMembership, Organization, OrgUnit, OrgUnitClosure, Role, User


@dataclass(frozen=True)
class Outcome:
    """What a service did for many at once: for whom it was done, and who had it so already."""

    done: list
    skipped: list


def target(thing):
    """Return what the audit log keeps of a thing of the directory."""
    kind = {Organization: "organization", Account: "account", User: "user", Group: "group", OrgUnit: "unit"}[
        type(thing)
    ]
    return Target(kind, thing.pk, thing.name)


@one_transaction
def create_organization(*, name, slug, time_zone="UTC", actor):
    organization = Organization(name=name, slug=slug, time_zone=time_zone)
    organization.full_clean()
    organization.save()
    record(actor, "organization.created", [target(organization)], organization_id=organization.pk)
    return organization


@one_transaction
def create_account(*, email, name, password, is_staff=False, is_superuser=False, actor):
    """Create a login whose address counts as verified, for sign-up is closed: whoever calls this vouches for it."""
    account = Account(email=email, name=name, is_staff=is_staff, is_superuser=is_superuser)
    account.set_password(password)
    account.full_clean()
    account.save()
    EmailAddress.objects.create(user=account, email=account.email, verified=True, primary=True)
    record(actor, "account.created", [target(account)])
    return account


@one_transaction
def create_user(organization, *, name, actor, **fields):
    """Put a person into the directory. fields: those of User, such as email, account, role, unit, is_active."""
    user = User(organization=organization, name=name, **fields)
    _require_same_organization(organization, filter(None, [user.unit]))
    user.full_clean()
    user.save()
    record(actor, "user.created", [target(user)], organization_id=organization.pk)
    return user


@one_transaction
def deactivate(users, *, actor):
    """Deactivate Users (one at least) of one Organization; returns an Outcome. Nothing reaches them; all is kept.

    Raises ValidationError where no active Admin would be left.
    """
    keep_an_admin(users[0].organization, without=users)
    return _set_active(users, False, "user.deactivated", actor)


@one_transaction
def reactivate(users, *, actor):
    """Reactivate Users (one at least) of one Organization; returns an Outcome. What was kept works again at once."""
    return _set_active(users, True, "user.reactivated", actor)


def keep_an_admin(organization, *, without):
    """Refuse to go on without these Users where no active Admin would be left.

    Locks the organization, so it comes first: two Admins may deactivate each other at once.
    """
    lock(Organization, organization)
    without = {user.pk for user in without}
    admins = User.objects.active().filter(organization=organization, role=Role.ADMIN).order_by("pk")
    leaving = [admin for admin in admins if admin.pk in without]
    if leaving and len(leaving) == len(admins):
        last = "is the last active Admin" if len(leaving) == 1 else "are the last active Admins"
        raise ValidationError(
            f"{join_some(leaving)} {last} of {organization}. Make somebody else Admin first.", code="last_admin"
        )


@one_transaction
def create_group(organization, *, name, description="", actor):
    group = Group(organization=organization, name=name, description=description)
    group.full_clean()
    group.save()
    record(actor, "group.created", [target(group)], organization_id=organization.pk)
    return group


@one_transaction
def join_group(group, *, users, actor):
    """Make Users members of a Group; returns an Outcome. From now on the group's licenses reach them."""
    _require_same_organization(group.organization, users)
    lock(Group, group)  # two joins of one person would meet at the unique pair
    members = set(GroupMembership.objects.filter(group=group, user__in=users).values_list("user_id", flat=True))
    outcome = _split(users, lambda user: user.pk in members)
    GroupMembership.objects.bulk_create(
        GroupMembership(organization_id=group.organization_id, group=group, user=user) for user in outcome.done
    )
    _record_move(actor, "group.joined", outcome.done, group)
    return outcome


@one_transaction
def leave_group(group, *, users, actor):
    """End the membership of Users in a Group; returns an Outcome."""
    _require_same_organization(group.organization, users)
    lock(Group, group)
    memberships = GroupMembership.objects.filter(group=group, user__in=users)
    members = set(memberships.values_list("user_id", flat=True))
    outcome = _split(users, lambda user: user.pk not in members)
    memberships.delete()
    _record_move(actor, "group.left", outcome.done, group)
    return outcome


@one_transaction
def place_in_unit(unit, *, users, actor):
    """Put Users into an OrgUnit, out of the one they were in; returns an Outcome."""
    _require_same_organization(unit.organization, users)
    lock(OrgUnit, unit)  # it may not be deleted meanwhile
    locked = _lock_users(users)
    outcome = _split(locked, lambda user: user.unit_id == unit.pk)
    before = dict(OrgUnit.objects.filter(users__in=outcome.done).values_list("pk", "name"))
    User.objects.filter(pk__in=[user.pk for user in outcome.done]).update(unit=unit)
    _record_move(actor, "unit.joined", outcome.done, unit, lambda user: {"from": before.get(user.unit_id)})
    return outcome


@one_transaction
def leave_unit(unit, *, users, actor):
    """Take Users out of an OrgUnit, so that they are in none; returns an Outcome."""
    _require_same_organization(unit.organization, users)
    locked = _lock_users(users)
    outcome = _split(locked, lambda user: user.unit_id != unit.pk)
    User.objects.filter(pk__in=[user.pk for user in outcome.done]).update(unit=None)
    _record_move(actor, "unit.left", outcome.done, unit)
    return outcome


@one_transaction
def create_unit(organization, *, name, parent=None, description="", actor):
    """Create an OrgUnit, below `parent` or at the top."""
    lock(Organization, organization)  # the parent may not move while its ancestors are copied, nor be deleted
    _require_same_organization(organization, filter(None, [parent]))
    parent = parent and lock(OrgUnit, parent)
    unit = OrgUnit(organization=organization, parent=parent, name=name, description=description)
    unit.full_clean()
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
def move_unit(unit, *, parent, actor):
    """Move an OrgUnit with all below it under `parent`, or to the top (None). No user row is touched."""
    # Lock: two moves that would together make a circle.
    lock(Organization, unit.organization)
    _require_same_organization(unit.organization, filter(None, [parent]))
    unit, parent = lock(OrgUnit, unit), parent and lock(OrgUnit, parent)
    old_parent = unit.parent
    if parent and OrgUnitClosure.objects.filter(ancestor=unit, descendant=parent).exists():
        raise ValidationError(
            f"{parent.name} is {unit.name} or lies below it: a unit cannot lie below itself.", code="circle"
        )
    if parent == old_parent:
        return unit
    unit.parent = parent
    unit.full_clean()
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


def lock(model, thing, *, to_delete=False):
    """Lock the row of the thing until the transaction ends, in the order of docs/database.md, and return it.

    to_delete: so that nothing can refer to it any more, as deleting it does anyway.
    """
    found = model.objects.select_for_update(no_key=not to_delete).filter(pk=thing.pk).first()
    if found is None:
        raise ValidationError(f"{thing} does not exist any more.", code="gone")
    return found


def _lock_users(users):
    """Lock the rows of Users in their order; returns those that still exist."""
    return list(User.objects.select_for_update(no_key=True).filter(pk__in=[user.pk for user in users]).order_by("pk"))


def _set_active(users, is_active, verb, actor):
    organization = users[0].organization
    _require_same_organization(organization, users)
    outcome = _split(_lock_users(users), lambda user: user.is_active == is_active)
    User.objects.filter(pk__in=[user.pk for user in outcome.done]).update(is_active=is_active)
    record(actor, verb, [target(user) for user in outcome.done], organization_id=organization.pk)
    return outcome


def _require_same_organization(organization, things):
    if any(thing.organization_id != organization.pk for thing in things):
        raise ValidationError(f"Choose from {organization.name} only.", code="foreign")


def _split(users, is_so_already):
    """Return the Outcome of users, for those that are not so already."""
    return Outcome([u for u in users if not is_so_already(u)], [u for u in users if is_so_already(u)])


def _record_move(actor, verb, users, place, own_details=lambda user: {}):
    """Record that Users came to or left a Group or OrgUnit."""
    kind = target(place).kind
    targets = [(target(user), own_details(user)) for user in users]
    record(
        actor, verb, targets, organization_id=place.organization_id, details={kind: place.name, f"{kind}_id": place.pk}
    )
