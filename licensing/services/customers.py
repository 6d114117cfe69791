"""The organizations of a provider: those that it created."""

from django.core.exceptions import ValidationError

from directory import services as directory
from directory.models import Account, Organization, Role
from portal.audit.log import record, told_as
from portal.transactions import one_transaction

from ..models import OrganizationOrigin, StaffMember


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
    if actor.kind == "account" and not customer_is_open_to(actor.id, organization):
        raise ValidationError(f"{organization} is its own by now: ask the operator to change this.", code="own")
    before = directory.lock(Organization, organization)
    origin = OrganizationOrigin.objects.filter(organization=organization).select_related("provider").first()
    own = StaffMember.objects.filter(provider__origins=origin, account=actor.id).select_related("provider").first()
    with told_as(own and own.provider.name):
        organization = directory.update_organization(before, name=name, time_zone=time_zone, actor=actor)
    if origin and (before.name, before.time_zone) != (name, time_zone):
        _record(actor, "organization.changed", organization, origin.provider)
    return organization


def customer_is_open_to(account, organization):
    """Whether an Account (its key) may change an Organization: the operator always, and staff of the Provider that
    created it until an Admin of it has an account. From then on it belongs to itself, and to no provider: others may
    have allocated to it, of whom this one is not to know."""
    if Account.objects.filter(pk=account, is_superuser=True).exists():
        return True
    staff = StaffMember.objects.filter(provider__origins__organization=organization, account=account)
    has_come_in = organization.users.active().filter(role=Role.ADMIN).exclude(account=None)
    return staff.exists() and not has_come_in.exists()


def _record(actor, verb, organization, provider):
    """In the provider's own log; the organization's has an entry already."""
    details = {"organization": organization.name}
    record(actor, verb, [directory.target(organization)], provider_id=provider.pk, details=details)
