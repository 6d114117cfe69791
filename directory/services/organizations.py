from allauth.account.models import EmailAddress

from portal.audit.log import record
from portal.transactions import one_transaction

from ..models import Account, Organization
from .rules import target


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
