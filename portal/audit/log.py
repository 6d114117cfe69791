import uuid
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from django.utils import timezone

from portal.text import fold

from .models import AuditEntry

SEARCHED = ("license", "group", "unit", "organization")  # the details that a search looks through


@dataclass(frozen=True)
class Actor:
    """Who does something: an account, a token, a command or the system itself; by value, never a model instance."""

    kind: str
    id: int | None
    name: str
    address: str = ""
    request_id: str = ""


@dataclass(frozen=True)
class Target:
    """What it was done to, with its name as it was."""

    kind: str
    id: int
    name: str


_change_set = ContextVar("change_set", default=None)
_provider = ContextVar("provider", default=None)


@contextmanager
def one_act(change_set=None):
    """Let all that is recorded inside be one act. change_set: its UUID, where it began earlier."""
    token = _change_set.set(_change_set.get() or change_set or uuid.uuid4())
    try:
        yield
    finally:
        _change_set.reset(token)


@contextmanager
def told_as(provider):
    """Let an organization read of all that is recorded inside that its provider, by this name if any, did it."""
    token = _provider.set(provider)
    try:
        yield
    finally:
        _provider.reset(token)


def record(actor, verb, targets, *, organization_id=None, provider_id=None, details=None, customers=None):
    """Write one entry per target, all in one change set (that of one_act(), where there is one).

    Call it inside the service's transaction.

    targets: Targets, or (Target, details) pairs where each has details of its own.
    details: what all entries say, JSON-serialisable. A name under "provider" is who did it, for organizations.
    customers: further organizations that shall read the same in their own log: {id: details of its own}.
    """
    now, change_set = timezone.now(), _change_set.get() or uuid.uuid4()
    pairs = [target if isinstance(target, tuple) else (target, {}) for target in targets]
    everywhere = {"provider": _provider.get()} if _provider.get() else {}
    pairs = [(target, {**everywhere, **(details or {}), **own}) for target, own in pairs]
    readers = [(organization_id, provider_id, {}), *((pk, None, own) for pk, own in (customers or {}).items())]
    AuditEntry.objects.bulk_create(
        (
            AuditEntry(
                organization_id=reader_organization,
                provider_id=reader_provider,
                at=now,
                change_set=change_set,
                actor_kind=actor.kind,
                actor_id=actor.id,
                actor_name=actor.name,
                address=actor.address,
                request_id=actor.request_id,
                verb=verb,
                target_kind=target.kind,
                target_id=target.id,
                target_name=target.name,
                details=said | own,
                search_text=fold(" ".join(_searched(actor, target, said))),
            )
            for target, said in pairs
            for reader_organization, reader_provider, own in readers
        ),
        batch_size=1000,
    )


def _searched(actor, target, said):
    """Return what an organization's search looks through: a provider's staff is not found by name (told_by)."""
    return [said.get("provider") or actor.name, target.name, *(str(said.get(key, "")) for key in SEARCHED)]
