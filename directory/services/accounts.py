"""Logins. An Account is global: what it does to itself is told to each organization that it belongs to."""

from allauth.account.forms import default_token_generator
from allauth.account.models import EmailAddress
from allauth.account.utils import user_pk_to_url_str
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.urls import reverse

from portal.audit.log import record
from portal.outbox.post import queue_mail
from portal.text import one_line
from portal.transactions import one_transaction

from ..models import Account, User
from .rules import is_admin, lock, target


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
def rename_account(account, *, name, actor):
    """Change the name of an Account; returns it. The entries that organizations have of the person keep theirs."""
    account = lock(Account, account)
    old, account.name = target(account), one_line(name)
    account.full_clean()
    account.save(update_fields=["name"])
    if account.name != old.name:
        record_own_act(account, "account.renamed", actor=actor, details={"old": old.name, "new": account.name})
    return account


@one_transaction
def reset_password(user, *, actor):
    """Send the account of a User a link to choose a new password; returns whether the old one stopped working.

    It does, and all sessions end, unless the account is not the organization's alone (is_shared). Raises
    ValidationError where the actor is no Admin, and for a User without an account.
    """
    user = lock(User, user)
    if not is_admin(user.organization, actor):
        raise ValidationError("Only an Admin resets passwords.", code="role")
    if user.account is None:
        raise ValidationError(f"{user} has no portal account. Invite them first.", code="no_account")
    account = lock(Account, user.account)
    if stops := not is_shared(account, user.organization):
        account.set_unusable_password()
        account.save(update_fields=["password"])
    queue_mail(
        "mail/reset_password.txt",
        to=[account.email],
        organization=user.organization,
        actor=actor.name,
        stops=stops,
        path=path_to_password(account),  # last, for it is made of the password that it replaces
    )
    details = {"stops": stops}
    record(actor, "account.password_reset", [target(user)], organization_id=user.organization_id, details=details)
    return stops


def path_to_password(account):
    """Return the path where an Account chooses a new password: it works once, and for some days."""
    key = {"uidb36": user_pk_to_url_str(account), "key": default_token_generator.make_token(account)}
    return reverse("account_reset_password_from_key", kwargs=key)


def is_shared(account, organization):
    """Whether an Account is more than the Organization's: a User elsewhere too, or one of the administration's."""
    return (
        account.is_staff
        or account.is_superuser
        or User.objects.filter(account=account).exclude(organization=organization).exists()
    )


def account_with(address):
    """Return the Account that signs in with the address (lower case), or None."""
    verified = EmailAddress.objects.filter(email=address, verified=True).values("user")
    return Account.objects.filter(Q(pk__in=verified) | Q(email=address)).order_by("pk").first()


def has_verified(account, address):
    """Whether the address (lower case) is one that the Account has confirmed."""
    return EmailAddress.objects.filter(user=account, email=address, verified=True).exists()


def record_own_act(account, verb, *, actor, details=None):
    """Record what an Account does to itself, for the operator and for each organization that it belongs to.

    An organization shall see that the login of one of its people changed. So no entry tells an address that is
    nobody's business there, nor another organization.
    """
    organizations = User.objects.filter(account=account).order_by("pk").values_list("organization_id", flat=True)
    record(actor, verb, [target(account)], customers=dict.fromkeys(organizations, {}), details=details)
