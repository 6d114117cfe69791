"""Mail about allocations that end soon or are over their seats: to the Admins of the customer, and to the provider."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from directory.models import Role, User
from portal.days import first_day, last_day
from portal.lists import in_chunks
from portal.outbox.post import queue_mail, untold

from ..access import seats_in_use, seats_of
from ..models import Allocation, StaffMember
from ..states import SOON, in_days
from .assignments import lock_allocation

BEFORE = (1, 7, SOON)  # days before the last day of an allocation
CHUNK = 200


@dataclass(frozen=True)
class Addressees:
    """Who is told: of the customer its Admins, of the provider its contact, or its leads where it names none."""

    customers: list
    providers: list

    def among(self, addresses):
        """Return those of them that are among the addresses."""
        return Addressees(*([each for each in side if each in addresses] for side in (self.customers, self.providers)))


def send_notices(*, at):
    """Write the mails that are due at the instant; returns of how many allocations.

    Nobody is told the same twice, however often this runs: that an allocation ends on a day, once within 30, 7 and 1
    days of it, and only the nearest where this did not run for a while; that it is over its seats, once until it was
    found within them again. What was cancelled or has ended is told of no more.
    """
    return _tell_endings(at) + _tell_overs(at)


def _tell_endings(at):
    """The days are those of the customer, so a little further is looked than they reach here."""
    ending, told = _known(Allocation.objects.assignable(at).filter(ends_at__lte=at + timedelta(days=SOON + 2))), 0
    for some in in_chunks(ending, "pk", size=CHUNK):
        keys = {allocation: key for allocation in some if (key := _key_of_ending(allocation, at))}
        for allocation, key, to in _to_tell(keys):
            told += _tell_ending(allocation, key, to, at)
    return told


def _key_of_ending(allocation, at):
    """Return by what it is known that this was told, or None while the end is far."""
    last, left = _last_day(allocation, at)
    nearest = next((days for days in BEFORE if left <= days), None)
    return nearest and f"ends:{allocation.pk}:{last.isoformat()}:{nearest}"


def _last_day(allocation, at):
    """Return its last day, and in how many days that is, as it is counted at its organization."""
    with timezone.override(allocation.organization.tz):
        last = last_day(allocation.ends_at)
        return last, last and (last - first_day(at)).days


@transaction.atomic
def _tell_ending(allocation, key, to, at):
    locked = lock_allocation(allocation)
    if (locked.ends_at, locked.cancelled_at) != (allocation.ends_at, None):  # changed meanwhile
        return 0
    when = in_days(_last_day(locked, at)[1])
    _queue("licensing/mail/allocation_ends.txt", locked, key, to, at, use=seats_in_use(locked, at=at), when=when)
    return 1


def _tell_overs(at):
    limited, told = Q(seats__isnull=False) | Q(over_since__isnull=False), 0
    for some in in_chunks(_known(Allocation.objects.filter(limited)), "pk", size=CHUNK):
        uses = seats_of(Allocation.objects.filter(pk__in=[each.pk for each in some]), at=at)
        within = [each.pk for each in some if each.over_since and not uses[each.pk].over]
        Allocation.objects.filter(pk__in=within).update(over_since=None)
        keys = {each: _key_of_over(each, at) for each in some if uses[each.pk].over}
        for allocation, _, to in _to_tell(keys):
            told += _tell_over(allocation, to, at)
    return told


def _key_of_over(allocation, at):
    return f"over:{allocation.pk}:{(allocation.over_since or at).isoformat()}"


@transaction.atomic
def _tell_over(allocation, to, at):
    allocation = lock_allocation(allocation)  # and look anew: this may run twice at once
    use = seats_in_use(allocation, at=at)
    if not use.over:
        return 0
    if not allocation.over_since:
        allocation.over_since = at
        allocation.save(update_fields=["over_since"])
    _queue("licensing/mail/allocation_over.txt", allocation, _key_of_over(allocation, at), to, at, use=use)
    return 1


def _known(allocations):
    return allocations.select_related("license__provider", "organization")


# To whom -------------------------------------------------------------------------------------------------------------


def _to_tell(keys):
    """Give (allocation, key, its Addressees) of those of {allocation: key} of which somebody was not told yet."""
    customers = _by("organization", User.objects.active().filter(role=Role.ADMIN), [a.organization_id for a in keys])
    silent = [a.license.provider_id for a in keys if not a.license.provider.contact_email]
    leads = _by("provider", StaffMember.objects.filter(is_lead=True), silent)
    to = {}
    for allocation, key in keys.items():
        provider = allocation.license.provider
        contacts = [provider.contact_email] if provider.contact_email else leads[provider.pk]
        admins = [each for each in customers[allocation.organization_id] if each not in contacts]
        to[key] = Addressees(admins, contacts)
    left = untold({key: [*each.customers, *each.providers] for key, each in to.items()})
    return [(allocation, key, to[key].among(left[key])) for allocation, key in keys.items() if left[key]]


def _by(what, people, pks):
    """Return the addresses of those among people whose account can sign in: {pk of what they belong to: addresses}."""
    found = defaultdict(list)
    people = people.filter(**{f"{what}__in": set(pks)}, account__is_active=True).order_by("pk")
    for pk, email in people.values_list(what, "account__email"):
        found[pk].append(email)
    return found


def _queue(template, allocation, key, to, at, **context):
    """Write the mail to each address. A provider and a customer are told the same, and what each can do about it."""
    provider, organization = allocation.license.provider, allocation.organization
    context |= {"allocation": allocation, "provider": provider, "organization": organization}
    for addresses, is_provider in ((to.customers, False), (to.providers, True)):
        last = _last_day(allocation, at)[0]
        queue_mail(template, to=addresses, key=key, last=last, is_provider=is_provider, **context)
