from django.core.exceptions import ValidationError
from django.utils import timezone

from directory.services import lock
from portal.audit.log import Target, record
from portal.days import first_day, last_day
from portal.transactions import one_transaction

from ..access import changes, seats_in_use
from ..models import Allocation, License
from .assignments import lock_allocation
from .effects import effects_of


@one_transaction
def allocate(license, *, organization, seats=None, starts_at=None, ends_at=None, actor):
    """Allocate a License to an Organization: once, for ever; renewing changes its dates. Returns the Allocation.

    seats: how many people, or None for no limit. starts_at: instant, None meaning now. ends_at: instant or None.
    Raises ValidationError without a default policy, when it is allocated already, or would end before it starts or
    be over already.
    """
    # Lock: its last default policy is not taken out meanwhile, nor is it deleted.
    license = lock(License, license)
    if not license.license_policies.filter(is_default=True).exists():
        raise ValidationError(
            f"{license} has no default policy, so whoever got it could do nothing. Give it one, then allocate it.",
            code="no_default_policy",
        )
    allocation = Allocation(
        license=license, organization=organization, seats=seats, starts_at=starts_at or timezone.now(), ends_at=ends_at
    )
    if ends_at and ends_at <= timezone.now():
        raise ValidationError({"ends_at": ValidationError("This day has passed. Choose today or later.", code="over")})
    require_order(allocation.starts_at, ends_at)
    allocation.full_clean()
    allocation.save()
    _record(actor, "allocation.created", allocation, _terms(allocation))
    return allocation


@one_transaction
def change_allocation(allocation, *, seats, starts_at, ends_at, actor):
    """Change the seats and dates of an Allocation. Fewer seats than are in use are not refused: it shows as over."""
    allocation = lock_allocation(allocation)
    now, before, starts_at = timezone.now(), _terms(allocation), starts_at or allocation.starts_at
    require_order(starts_at, ends_at)
    dates = (allocation.starts_at, allocation.ends_at)
    effects = _effects_of_dates(allocation, starts_at, ends_at, now) if dates != (starts_at, ends_at) else {}
    allocation.seats, allocation.starts_at, allocation.ends_at = seats, starts_at, ends_at
    allocation.save(update_fields=["seats", "starts_at", "ends_at"])
    if _terms(allocation) != before:
        over = seats_in_use(allocation, at=now).over if seats is not None else 0
        details = {**_terms(allocation), "old": before, "over": over, **effects}
        _record(actor, "allocation.changed", allocation, details)
    return allocation


@one_transaction
def change_end(allocation, *, ends_at, actor):
    """Change when an Allocation ends (instant or None), and nothing else: change_allocation() for many of a list."""
    allocation = lock_allocation(allocation)
    terms = {"seats": allocation.seats, "starts_at": allocation.starts_at}
    return change_allocation(allocation, **terms, ends_at=ends_at, actor=actor)


@one_transaction
def cancel(allocation, *, actor):
    """Cancel an Allocation: nobody is reached through it, its assignments sleep. Raises when it is cancelled."""
    allocation = lock_allocation(allocation)
    require_not_cancelled(allocation)
    now = timezone.now()
    effects = _effects(changes.cancelling(allocation, at=now), allocation)
    allocation.cancelled_at = now
    allocation.save(update_fields=["cancelled_at"])
    _record(actor, "allocation.cancelled", allocation, effects)
    return allocation


@one_transaction
def reinstate(allocation, *, actor):
    """Take a cancellation back: its assignments work again, seats or not. Raises when it is not cancelled."""
    allocation = lock_allocation(allocation)
    require_cancelled(allocation)
    effects = _effects(changes.reinstating(allocation, at=timezone.now()), allocation)
    allocation.cancelled_at = None
    allocation.save(update_fields=["cancelled_at"])
    _record(actor, "allocation.reinstated", allocation, effects)
    return allocation


def require_cancelled(allocation):
    """Refuse to reinstate what is not cancelled."""
    if not allocation.cancelled_at:
        raise ValidationError(f"{allocation} is not cancelled.", code="not_cancelled")


def require_not_cancelled(allocation):
    """Refuse to cancel what is cancelled."""
    if allocation.cancelled_at:
        raise ValidationError(f"{allocation} is cancelled already.", code="cancelled")


def require_order(starts_at, ends_at):
    """Refuse an allocation that would end (instant or None) before it starts."""
    if ends_at and ends_at <= starts_at:
        raise ValidationError(
            {"ends_at": ValidationError("The last day is before the first. Choose a later one.", code="order")}
        )


def _terms(allocation):
    """Its seats and days, which are those of the organization, whoever asks."""
    with timezone.override(allocation.organization.tz):
        until = allocation.ends_at and last_day(allocation.ends_at).isoformat()
        return {"seats": allocation.seats, "from": first_day(allocation.starts_at).isoformat(), "until": until}


def _effects(change, allocation):
    """Return the details that say how many people the Change, which is not made yet, gives or takes the license."""
    return {"effects": effects_of(change, [allocation])[1]}


def _effects_of_dates(allocation, starts_at, ends_at, at):
    """Return the same for new dates, and the day from which on the end to come will be felt."""
    details = _effects(changes.changing_allocation(allocation, starts_at, ends_at, at=at), allocation)
    for change in changes.ending_later({allocation: (starts_at, ends_at)}, at=at):
        if later := _effects(change, allocation)["effects"]:
            with timezone.override(allocation.organization.tz):
                details["later"] = {"on": first_day(ends_at).isoformat(), "effects": later}
    return details


def _record(actor, verb, allocation, details=None):
    license = allocation.license
    record(
        actor,
        verb,
        [Target("allocation", allocation.pk, license.name)],
        organization_id=allocation.organization_id,
        provider_id=license.provider_id,
        details={"organization": allocation.organization.name, "provider": license.provider.name, **(details or {})},
    )
