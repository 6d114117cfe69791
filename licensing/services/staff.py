"""Who works for a provider. Its leads say so, and the operator; one lead stays always."""

from django.core.exceptions import ValidationError

from directory.models import Account
from directory.services import account_with, create_account, lock, path_to_password
from portal.audit.log import Target, record
from portal.outbox.post import queue_mail
from portal.transactions import one_transaction

from ..models import Provider, StaffMember


@one_transaction
def add_staff(provider, *, account, is_lead=False, actor):
    """Let an Account work for a Provider, and enter the administration for it; returns the StaffMember.

    Raises ValidationError where it does already, and where the actor is no lead.
    """
    provider = _lock_to_lead(provider, actor)
    if provider.staff_members.filter(account=account).exists():
        message = f"{account.email} works for {provider} already."
        raise ValidationError({"email": ValidationError(message, code="already")})
    account = lock(Account, account)
    member = StaffMember.objects.create(provider=provider, account=account, is_lead=is_lead)
    _let_in(account, True)
    _record(actor, member, added=[account.email], leads=is_lead)
    return member


@one_transaction
def invite_staff(provider, *, email, name, is_lead=False, actor):
    """add_staff() by e-mail address, and tell them so by mail. Who has no account gets one, and chooses a password.

    Whoever invites is not told which it was, nor the name of an account: it may be that of a customer's employee.
    Raises ValidationError for another address than the main one of an account: what is done with it would tell that.
    """
    account = account_with(email.lower()) or create_account(email=email, name=name, password=None, actor=actor)
    if account.email != email.lower():
        message = "Nobody can be added by this address. Ask them for the main one of their account."
        raise ValidationError({"email": ValidationError(message, code="secondary")})
    member = add_staff(provider, account=account, is_lead=is_lead, actor=actor)
    path = None if account.has_usable_password() else path_to_password(account)
    queue_mail("mail/staff_added.txt", to=[account.email], provider=provider, member=member, path=path)
    return member


@one_transaction
def set_lead(member, *, is_lead, actor):
    """Make a StaffMember lead, or no longer; raises ValidationError where nobody would lead."""
    member = _lock_member(member, actor)
    if member.is_lead != is_lead:
        member.is_lead = is_lead
        member.save(update_fields=["is_lead"])
        _keep_a_lead(member)
        _record(actor, member, lead=[member.account.email], leads=is_lead)
    return member


@one_transaction
def remove_staff(member, *, actor):
    """Let an Account work for a Provider no longer; who then works for nobody does not enter the administration.

    Raises ValidationError where nobody would lead.
    """
    member = _lock_member(member, actor)
    account = lock(Account, member.account)  # two providers may act upon one at once
    member.delete()
    _keep_a_lead(member)
    if not account.is_superuser and not account.providers.exists():
        _let_in(account, False)
    _record(actor, member, removed=[account.email])


def leads(account, provider):
    """Whether an Account (its key) says who works for a Provider: one of its leads does, and the operator."""
    return (
        StaffMember.objects.filter(provider=provider, account=account, is_lead=True).exists()
        or Account.objects.filter(pk=account, is_superuser=True).exists()
    )


def require_lead(provider, actor):
    """Refuse an actor who is a person, and no lead of the Provider. Commands and tokens are not judged."""
    if actor.kind == "account" and not leads(actor.id, provider):
        raise ValidationError(f"Only a lead of {provider} does this. Ask one.", code="lead")


def _lock_to_lead(provider, actor):
    """Lock the Provider: two leads may remove each other at once."""
    provider = lock(Provider, provider)
    require_lead(provider, actor)
    return provider


def _lock_member(member, actor):
    _lock_to_lead(member.provider, actor)
    found = StaffMember.objects.select_related("account", "provider").filter(pk=member.pk).first()
    if found is None:
        raise ValidationError(f"{member} does not work for {member.provider} any more.", code="gone")
    return found


def _keep_a_lead(member):
    if not member.provider.staff_members.filter(is_lead=True).exists():
        message = f"{member} is the last lead of {member.provider}. Make somebody else lead first."
        raise ValidationError(message, code="last_lead")


def _let_in(account, may_enter):
    if account.is_staff != may_enter:
        account.is_staff = may_enter
        account.save(update_fields=["is_staff"])


def _record(actor, member, **details):
    target = Target("provider", member.provider.pk, member.provider.name)
    record(actor, "provider.staff", [target], provider_id=member.provider_id, details=details)
