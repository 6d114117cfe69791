"""Home: what an admin looks at first, and the people without a license, who are counted apart."""

from datetime import timedelta

from django.db.models import F, Q
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone

from directory.decorators import viewer_required
from licensing.access import without_license
from licensing.kinds import ORGANIZATION
from licensing.provider_changes import latest_change
from licensing.states import SOON
from portal.audit.models import AuditEntry
from portal.audit.sentences import sentence_of, sign_of
from portal.days import end_of, first_day
from portal.lists import COUNT_LIMIT, list_page, searched
from portal.text import count_words

from .assignees import is_anything_allocated, licenses_url

LICENSES, ENDINGS, ACTS, PEOPLE = 6, 5, 5, 3  # how many of each are shown
BY_NAME = {"name": ("sort_key", "pk")}


def home(request):
    """Where everybody starts: Home, their own access, or the administration."""
    if request.member is None:
        return redirect("admin:index") if request.user.is_staff else render(request, "directory/no_organization.html")
    return _home(request) if request.member.role else redirect("licensing:my_access")


@viewer_required
def _home(request):
    now, organization, may_edit = timezone.now(), request.organization, request.member.may_edit
    allocations = organization.allocations.select_related("license__provider").order_by("license__sort_key", "pk")
    licenses = [(each, each.status(now), may_edit and each.is_assignable(now)) for each in allocations]
    change = latest_change(organization, now)
    entries = AuditEntry.objects.filter(organization_id=organization.pk).order_by("-at", "-pk")[:ACTS]
    context = {
        "active_people": organization.users.active().count(),
        "groups": organization.groups.count(),
        "units": organization.units.count(),
        "licenses": licenses[:LICENSES],
        "all_licenses": f"All {count_words(len(licenses), 'license', 'licenses')}",
        "can_assign": any(can_assign for _, _, can_assign in licenses),
        "endings": _endings(organization, licenses, now),
        "change": change and (*change, sentence_of(change[0])),
        "has_seats": any(each.seats is not None for each, _, _ in licenses),
        "acts": [(entry, sign_of(entry), sentence_of(entry)) for entry in entries],
        "has_everyone": _has_everyone(organization, now),
    }
    return render(request, "licensing/home.html", context)


def _endings(organization, licenses, at):
    """Return what ends soon, the first first: [(Allocation or Assignment, its Status, where it can be changed)].

    An assignment that its allocation ends is left to that: changing its own date would not help.
    """
    soon = end_of(first_day(at) + timedelta(days=SOON))
    outlived = Q(allocation__ends_at=None) | Q(allocation__ends_at__gt=F("ends_at"))
    assignments = organization.assignments.in_effect(at).filter(outlived, ends_at__lte=soon)
    assignments = assignments.exclude(user__is_active=False).order_by("ends_at", "pk")[:ENDINGS]
    found = [
        (allocation, status, reverse("licensing:license_detail", args=[allocation.pk]))
        for allocation, status, _ in licenses
        if status.look == "soon"
    ]
    found += [
        (each, each.status(at), licenses_url(each.kind, each.assignee))
        for each in assignments.with_assignees().select_related("allocation__license")
    ]
    return sorted(found, key=lambda row: row[0].ends_at)[:ENDINGS]


def _has_everyone(organization, at):
    """Return whether everybody has something: nobody is without a license then."""
    return organization.assignments.in_effect(at).of_kind(ORGANIZATION).exists()


@viewer_required
def people_without_license(request):
    return _show_without_license(request, "licensing/people_without_license.html")


@viewer_required
def first_without_license(request):
    """The first of them, apart from Home, which shows them: at 100,000 people finding them takes its time."""
    return _show_without_license(request, "licensing/first_without_license.html", size=PEOPLE)


def _show_without_license(request, template, **size):
    now = timezone.now()
    found = searched(request, request.organization.users.all(), "search_text__finds")
    left = without_license(request.organization, at=now, among=found)
    people = left.people.select_related("unit")
    listing = list_page(request, people, number=left.number, search=None, sorts=BY_NAME, **size)
    is_counted = listing.count <= COUNT_LIMIT
    context = {
        "listing": listing,
        "all_people": f"All {count_words(listing.count, 'person', 'people')}" if is_counted else "All of them",
        "has_everyone": _has_everyone(request.organization, now),
        "can_assign": request.member.may_edit and is_anything_allocated(request),
    }
    return render(request, template, context)
