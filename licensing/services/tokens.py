"""The secrets with which a provider's applications ask for decisions."""

import hashlib
import secrets

from django.core.exceptions import ValidationError
from django.utils import timezone

from directory.services import lock
from portal.audit.log import Target, record
from portal.transactions import one_transaction

from ..models import ProviderToken
from .staff import require_lead

PREFIX = "cpt_"  # so that people and scanners of source code know one when they see it


@one_transaction
def create_token(token, *, applications=(), actor):
    """Save a new ProviderToken; return its secret, a str that nobody will be told again: only the digest is kept.

    applications: those of its provider that it may ask about; none: all of them, also later ones.
    Only a lead makes one: it answers about people, and outlives whoever made it.
    Raises ValidationError where one is another provider's, or it would end before it begins.
    """
    require_lead(token.provider, actor)
    if any(application.provider_id != token.provider_id for application in applications):
        raise ValidationError({"applications": "An application of another provider cannot be asked about."})
    if token.ends_at and token.ends_at <= timezone.now():
        raise ValidationError({"ends_at": "This is over already. Choose a later day."})
    secret = PREFIX + secrets.token_urlsafe(32)
    token.digest = digest_of(secret)
    token.full_clean()
    token.save()
    token.applications.set(applications)
    details = {"applications": sorted(application.name for application in applications)}
    record(actor, "token.created", [_target(token)], provider_id=token.provider_id, details=details)
    return secret


@one_transaction
def revoke_token(token, *, actor):
    """Revoke a ProviderToken: from the next question on it is unknown. Raises when it is revoked already."""
    token = lock(ProviderToken, token)
    require_not_revoked(token)
    token.revoked_at = timezone.now()
    token.save(update_fields=["revoked_at"])
    record(actor, "token.revoked", [_target(token)], provider_id=token.provider_id)
    return token


def require_not_revoked(token):
    if token.revoked_at:
        raise ValidationError(f"{token} is revoked already.", code="revoked")


def digest_of(secret):
    """Return the SHA-256 of a secret (str -> str of 64 hex digits). It is long and random: it needs no salt."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _target(token):
    return Target("token", token.pk, token.name)
