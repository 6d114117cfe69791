"""What every service of the directory asks: tenancy, locks, and what it answers for many at once."""

from dataclasses import dataclass

from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.db.models.functions import Lower

from portal.audit.log import Target, record
from portal.text import join_some

from ..models import Account, Group, Organization, OrgUnit, Role, User


@dataclass(frozen=True)
class Outcome:
    """What a service did for many at once: for whom it was done, and who had it so already."""

    done: list
    skipped: list


def target(thing):
    """Return what the audit log keeps of a thing of the directory."""
    kind = {Organization: "organization", Account: "account", User: "user", Group: "group", OrgUnit: "unit"}[
        thing.__class__  # not type(): the account of a request is known by its proxy
    ]
    return Target(kind, thing.pk, thing.name)


def lock(model, thing, *, to_delete=False):
    """Lock the row of the thing until the transaction ends, in the order of docs/database.md, and return it.

    to_delete: so that nothing can refer to it any more, as deleting it does anyway.
    """
    found = model.objects.select_for_update(no_key=not to_delete).filter(pk=thing.pk).first()
    if found is None:
        raise ValidationError(f"{thing} does not exist any more.", code="gone")
    return found


def lock_users(users):
    """Lock the rows of Users in their order; returns those that still exist."""
    return list(User.objects.select_for_update(no_key=True).filter(pk__in=[user.pk for user in users]).order_by("pk"))


def require_same_organization(organization, things):
    if any(thing.organization_id != organization.pk for thing in things):
        raise ValidationError(f"Choose from {organization.name} only.", code="foreign")


def is_admin(organization, actor):
    """Whether the Actor may do what only Admins of the Organization may: it is one of them now, or no person.

    Tokens and commands are not judged by a portal role, and an operator acts where no service asks for one.
    """
    if actor.kind != "account":
        return True
    return User.objects.active().filter(organization=organization, account=actor.id, role=Role.ADMIN).exists()


def require_may_change(users, *, actor, by_admin=None):
    """Refuse who is not an Admin to change Users of one Organization of whom one is: else an Editor could take over.

    by_admin: whether the Actor is one, where that is known already.
    """
    admins = [user for user in users if user.role == Role.ADMIN]
    if admins and not (is_admin(admins[0].organization, actor) if by_admin is None else by_admin):
        are = "is an Admin" if len(admins) == 1 else "are Admins"
        raise ValidationError(f"{join_some(admins)} {are}. Only an Admin can do this.", code="role")


def clean(thing):
    """Check a Group or OrgUnit whole; that its name is taken stands at the name."""
    try:
        thing.full_clean()
    except ValidationError as error:
        by_field = error.error_dict
        if taken := by_field.pop(NON_FIELD_ERRORS, None):
            by_field.setdefault("name", []).extend(taken)
        raise ValidationError(by_field) from None


def clean_person(user):
    """Check a User whole; that somebody has the address already stands at the address, with who it is."""
    try:
        user.full_clean()
    except ValidationError as error:
        by_field = error.error_dict
        if NON_FIELD_ERRORS in by_field and (other := _with_address_of(user)):
            del by_field[NON_FIELD_ERRORS]
            by_field.setdefault("email", []).append(ValidationError(f"{other} has this address.", code="taken"))
        raise ValidationError(by_field) from None


def _with_address_of(user):
    others = User.objects.alias(address=Lower("email")).filter(organization=user.organization).exclude(pk=user.pk)
    return others.filter(address=(user.email or "").lower()).first()


def update_place(place, fields, actor):
    """Rename or describe a Group or OrgUnit that is locked; returns it."""
    old = {key: getattr(place, key) for key in fields}
    for key, value in fields.items():
        setattr(place, key, value)
    clean(place)
    place.save()
    if new := {key: getattr(place, key) for key in old if getattr(place, key) != old[key]}:
        details = {"new": new, "old": {key: old[key] for key in new}}
        what = target(place)
        record(actor, f"{what.kind}.changed", [what], organization_id=place.organization_id, details=details)
    return place


def split(users, is_so_already):
    """Return the Outcome of users, for those that are not so already."""
    return Outcome([u for u in users if not is_so_already(u)], [u for u in users if is_so_already(u)])


def record_move(actor, verb, users, place, own_details=lambda user: {}):
    """Record that Users came to or left a Group or OrgUnit."""
    targets = [(target(user), own_details(user)) for user in users]
    record(actor, verb, targets, organization_id=place.organization_id, details=told_of(place))


def told_of(place):
    """Return what an entry of the audit log tells of the Group or OrgUnit that it is about."""
    kind = target(place).kind
    return {kind: place.name, f"{kind}_id": place.pk}
