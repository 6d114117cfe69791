"""What a provider changed of what it has allocated, as the customer is told of it."""

from datetime import timedelta

from django.db.models import Q

from portal.audit.models import PROVIDED, AuditEntry

SHOWN = 5  # on a license's page
RECENT = timedelta(days=14)


def changes_of(allocation):
    """Return the AuditEntries of the latest changes of an Allocation, its License or a Policy in it, newest first."""
    policies = [row.policy_id for row in allocation.license.license_policies.all()]
    about = Q(target_kind="allocation", target_id=allocation.pk) | Q(
        target_kind="license", target_id=allocation.license_id
    )
    about |= Q(target_kind="policy", target_id__in=policies)
    return list(_told(allocation.organization_id).exclude(verb="allocation.created").filter(about)[:SHOWN])


def latest_change(organization, at):
    """Return the latest change of the last 14 days and the Allocation it is of: (AuditEntry, Allocation), or None."""
    entry = _told(organization.pk).filter(at__gt=at - RECENT).first()
    if entry is None:
        return None
    allocations = organization.allocations.select_related("license").order_by("license__sort_key", "pk")
    path = {"allocation": "pk", "license": "license", "policy": "license__policies"}[entry.target_kind]
    allocation = allocations.filter(**{path: entry.target_id}).first()
    return allocation and (entry, allocation)


def _told(organization):
    return AuditEntry.objects.filter(organization_id=organization, target_kind__in=PROVIDED).order_by("-at", "-pk")
