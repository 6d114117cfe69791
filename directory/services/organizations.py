from allauth.account import app_settings
from allauth.account.models import EmailAddress
from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.urls import reverse

from portal.audit.log import record
from portal.transactions import one_transaction

from ..models import Account, Organization
from .rules import lock, target


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
def update_organization(organization, *, name, time_zone, actor):
    """Change an Organization's name and time zone; returns it. Its slug stays: machines know it by that."""
    organization = lock(Organization, organization)
    old = {"name": organization.name, "time_zone": organization.time_zone}
    organization.name, organization.time_zone = name, time_zone
    organization.full_clean()
    organization.save()
    new = {field: value for field, value in (("name", name), ("time_zone", time_zone)) if value != old[field]}
    if new:
        details = {"new": new, "old": {field: old[field] for field in new}}
        record(actor, "organization.changed", [target(organization)], organization_id=organization.pk, details=details)
    return organization


def link_to_password(account):
    """Return the address, on the whole, where an Account chooses its password; it works once, and for some days."""
    key = app_settings.PASSWORD_RESET_TOKEN_GENERATOR().make_token(account)
    path = reverse("account_reset_password_from_key", kwargs={"uidb36": user_pk_to_url_str(account), "key": key})
    return f"{settings.PORTAL_URL}{path}"
