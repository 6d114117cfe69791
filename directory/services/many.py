"""Many people at once, as a list tells of them, by the rules of create_user, update_user and join_group."""

from dataclasses import dataclass, field

from django.core.exceptions import ValidationError
from django.db.models.functions import Lower

from portal.audit.log import one_act, record
from portal.transactions import one_transaction

from ..models import Group, GroupMembership, Organization, OrgUnit, Role, User
from .people import change, governing, require_admins_left, require_may_create
from .rules import is_admin, lock, target, told_of

TOLD = {"name", "email", "title", "employee_number", "role"}  # what is checked; a unit was found already
_FIELDS = {field.name for field in User._meta.fields}


@dataclass(frozen=True)
class Told:
    """What a list tells of one person. Told of nobody twice; what it does not tell is left as it is."""

    email: str  # finds the person, whatever its case
    fields: dict  # of User: some of name, title, employee_number, role, unit
    groups: list  # to join, if the person is not in them


@dataclass
class Verdict:
    """What becomes of the person: what differs from before (where there was a before), or why nothing does."""

    user: User | None = None
    is_new: bool = False
    old: dict = field(default_factory=dict)
    new: dict = field(default_factory=dict)
    joins: list = field(default_factory=list)
    told: dict = field(default_factory=dict)  # to the audit log
    error: ValidationError | None = None


def foresee_people(organization, *, told, actor):
    """Return a Verdict for each Told: what put_people would do now. Six queries, however many they are."""
    return _judge(organization, told, _with_address(organization, told), actor)


@one_transaction
def put_people(organization, *, told, actor):
    """Create and change the people of whom a list tells, as far as the rules allow; returns a Verdict for each.

    Nobody is deactivated, reactivated or taken out of a group.
    """
    if any("role" in each.fields for each in told):
        lock(Organization, organization)  # two Admins may make each other less at once
    groups, units = {g for each in told for g in each.groups}, {each.fields.get("unit") for each in told} - {None}
    kept = {*_lock_all(Group, groups), *_lock_all(OrgUnit, units)}
    users = _with_address(organization, told, to_change=True)
    verdicts = _judge(organization, told, users, actor, gone=(groups | units) - kept)
    done = [each for each in verdicts if not each.error]
    created = [each.user for each in done if each.is_new]
    changed = [each for each in done if each.new and not each.is_new]
    for each in (*created, *(each.user for each in changed)):
        each.fold()
    User.objects.bulk_create(created)
    if changed:
        # Rows that are there and locked: an "insert" that finds each takes a tenth of the time of bulk_update.
        fields = {name for each in changed for name in each.new} | {"sort_key", "search_text"}
        User.objects.bulk_create(
            [each.user for each in changed], update_conflicts=True, unique_fields=["id"], update_fields=sorted(fields)
        )
    joined = [(each.user, group) for each in done for group in each.joins]
    GroupMembership.objects.bulk_create(
        GroupMembership(organization=organization, group=group, user=user) for user, group in joined
    )
    acts = {
        "user.created": [target(user) for user in created],
        "user.changed": [(target(each.user), each.told) for each in changed if each.told],
        "unit.joined": [
            (target(each.user), {**told_of(each.new["unit"]), "from": each.old["unit"] and each.old["unit"].name})
            for each in changed
            if "unit" in each.new
        ],
        "group.joined": [(target(user), told_of(group)) for user, group in joined],
    }
    with one_act():
        for verb, targets in acts.items():
            record(actor, verb, targets, organization_id=organization.pk)
    return verdicts


def _lock_all(model, things):
    """Lock the rows in their order; returns those that still exist."""
    return model.objects.select_for_update(no_key=True).filter(pk__in=[each.pk for each in things]).order_by("pk")


def _with_address(organization, told, *, to_change=False):
    """Return the Users with the addresses, each with their unit: {address in lower case: User}. Locked to_change."""
    users = User.objects.alias(address=Lower("email")).filter(
        organization=organization, address__in=[each.email.lower() for each in told]
    )
    found = list((users.select_for_update(no_key=True) if to_change else users).order_by("pk"))
    units = OrgUnit.objects.in_bulk({user.unit_id for user in found} - {None})
    for user in found:
        user.organization, user.unit = organization, units.get(user.unit_id)
    return {(user.email or "").lower(): user for user in found}


def _judge(organization, told, users, actor, gone=frozenset()):
    """Return a Verdict for each Told, asking the rules in the order of the list; sets on Users what would change.

    users: those found, by address. gone: Groups and OrgUnits that do not exist any more.
    """
    by_admin = is_admin(organization, actor)
    admins = {user.pk: user for user in governing(organization)}
    with_account = any(user.account_id for user in admins.values())
    groups = {group.pk for each in told for group in each.groups}
    members = set(
        GroupMembership.objects.filter(group__in=groups, user__in=users.values()).values_list("group", "user")
    )

    def judge(each):
        user = users.get(each.email.lower())
        if lost := gone.intersection([*each.groups, each.fields.get("unit")]):
            raise ValidationError(f"{lost.pop()} does not exist any more.", code="gone")
        if user is None:
            if not each.fields.get("name"):
                raise ValidationError({"name": "A new person needs a name."})
            user = User(organization=organization, email=each.email, **each.fields)
            require_may_create(user, actor=actor, by_admin=by_admin)
            verdict = Verdict(user, is_new=True, new={**each.fields, "email": each.email}, joins=each.groups)
        else:
            new = {name: value for name, value in each.fields.items() if _differs(getattr(user, name), value)}
            joins = [group for group in each.groups if (group.pk, user.pk) not in members]
            verdict = Verdict(user, old={name: getattr(user, name) for name in new}, new=new, joins=joins)
            if not new:
                return verdict
            if "role" in new and user.pk in admins:
                require_admins_left(organization, [user], of=len(admins))
            verdict.told = change(user, new, actor=actor, by_admin=by_admin)
        user.clean_fields(exclude=_FIELDS - (TOLD & verdict.new.keys()))
        return verdict

    verdicts = []
    for each in told:
        try:
            verdict = judge(each)
        except ValidationError as error:
            verdict = Verdict(users.get(each.email.lower()), error=error)
        else:
            if "role" in verdict.new and verdict.user.is_active:
                user = verdict.user
                if user.role != Role.ADMIN:
                    admins.pop(user.pk, None)
                elif user.account_id or not with_account:
                    admins[user.pk or each.email] = user
        verdicts.append(verdict)
    return verdicts


def _differs(old, new):
    """Return whether a list tells something new: spaces too many, which no list shows, are left as they are."""
    return " ".join(old.split()) != new if isinstance(old, str) else old != new
