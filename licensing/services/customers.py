"""The organizations of a provider: those that it created."""

from django.core.exceptions import ValidationError

from directory import services as directory
from directory.models import Account, Organization, Role
from portal.audit.log import one_act, record, told_as
from portal.transactions import one_transaction

from ..models import OrganizationOrigin, Provider, StaffMember
from .removals import delete_user


@one_transaction
def create_customer(*, provider, actor, **fields):
    """Create an Organization for a Provider, who sees it from then on (None: for the operator); returns it.

    fields: what directory.create_organization() takes.
    """
    with told_as(provider and provider.name):
        organization = directory.create_organization(**fields, actor=actor)
    if provider:
        OrganizationOrigin.objects.create(organization=organization, provider=provider)
        _record(actor, "organization.created", organization, provider)
    return organization


@one_transaction
def update_customer(organization, *, name, time_zone, actor):
    """Change the name and time zone of an Organization, for who may (customer_is_open_to); returns it."""
    _require_open(organization, actor)
    before = directory.lock(Organization, organization)
    with _as_provider(organization, actor):
        organization = directory.update_organization(before, name=name, time_zone=time_zone, actor=actor)
    provider = Provider.objects.filter(origins__organization=organization).first()
    if provider and (before.name, before.time_zone) != (name, time_zone):
        _record(actor, "organization.changed", organization, provider)
    return organization


@one_transaction
def invite_admin(organization, *, email, name="", actor):
    """Invite the first Admin of an Organization, for who may (customer_is_open_to), as long as none has come in.

    There is one first Admin. Whoever was to be it at another address is deleted, with the link that they have: nobody
    there could take the role from them. At the same address the invitation is sent again: earlier links stop working.
    Raises ValidationError, also at email or name.
    """
    _require_open(organization, actor)
    organization = directory.lock(Organization, organization)
    # Lock: one of them may come in at this moment.
    waiting = list(
        organization.users.select_for_update(no_key=True).filter(role=Role.ADMIN, account=None).order_by("pk")
    )
    if has_come_in(organization):
        raise ValidationError(f"An Admin of {organization} has come in. They invite the others.", code="come_in")
    with one_act(), _as_provider(organization, actor):
        invited = directory.invite_first_admin(organization, email=email, name=name, actor=actor)
        for user in waiting:
            if user.pk != invited.user_id:
                delete_user(user, by_admin=True, actor=actor)
        if provider := Provider.objects.filter(origins__organization=organization).first():
            _record(actor, "organization.invited", organization, provider)


def _as_provider(organization, actor):
    """Let the Organization read that its provider did what is recorded inside, where one of its staff does it."""
    own = Provider.objects.filter(origins__organization=organization, staff_members__account=actor.id).first()
    return told_as(own and own.name)


def _require_open(organization, actor):
    """Refuse an actor who is a person to whom the Organization is not open. Commands and tokens are not judged."""
    if actor.kind == "account" and not customer_is_open_to(actor.id, organization):
        raise ValidationError(f"{organization} is its own by now: ask the operator to change this.", code="own")


def customer_is_open_to(account, organization):
    """Whether an Account (its key) may change an Organization: the operator always, and staff of the Provider that
    created it until an Admin of it has an account. From then on it belongs to itself, and to no provider: others may
    have allocated to it, of whom this one is not to know."""
    if Account.objects.filter(pk=account, is_superuser=True).exists():
        return True
    staff = StaffMember.objects.filter(provider__origins__organization=organization, account=account)
    return staff.exists() and not has_come_in(organization)


def has_come_in(organization):
    """Whether an active Admin of the Organization has an account."""
    return organization.users.active().filter(role=Role.ADMIN).exclude(account=None).exists()


def _record(actor, verb, organization, provider):
    """In the provider's own log; the organization's has an entry already."""
    details = {"organization": organization.name}
    record(actor, verb, [directory.target(organization)], provider_id=provider.pk, details=details)
