"""The license's side: the list, a license with whom it is assigned to, and the modal that asks to whom."""

from datetime import UTC, datetime
from functools import partial, reduce

from django.db.models import Exists, Q, Value
from django.db.models.functions import Coalesce
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone

from directory.decorators import editor_required, viewer_required
from directory.models import Organization
from directory.trees import people_at_or_below, people_in_groups
from licensing import outcomes, services
from licensing.access import seats_in_use
from licensing.forms import ChooseAssigneesForm
from licensing.kinds import GROUPS, KINDS, ORGANIZATION, UNITS, USERS
from licensing.ledger import foresee
from licensing.models import Assignment
from portal.lists import list_page
from portal.modals import run_modal

NEVER = Value(datetime(9000, 1, 1, tzinfo=UTC))


@viewer_required
def license_list(request):
    now = timezone.now()
    allocations = request.organization.allocations.with_license().annotate(ends=Coalesce("ends_at", NEVER))
    listing = list_page(
        request,
        allocations,
        search="license__sort_key__contains",
        sorts={"name": ("license__sort_key", "pk"), "ends": ("ends", "pk")},
    )
    counts = {row["allocation"]: row for row in Assignment.objects.counted_by_kind(listing.rows)}
    rows = [(allocation, allocation.status(now), counts.get(allocation.pk)) for allocation in listing.rows]
    return render(request, "licensing/license_list.html", {"listing": listing, "rows": rows})


@viewer_required
def license_assignees(request, allocation, kind=USERS):
    """A license with the assignments of one kind; the whole organization's always above them."""
    now = timezone.now()
    allocation = _allocation(request, allocation)
    assignments = allocation.assignments.with_assignees().with_policies()
    name = f"{kind.field}__sort_key"
    listing = list_page(
        request,
        assignments.of_kind(kind),
        search=f"{name}__contains" if kind is UNITS else f"{kind.field}__search_text__contains",
        sorts={"name": (name, "pk"), "assigned": ("created_at", "pk")},
    )
    people = _people(request, kind, [assignment.assignee.pk for assignment in listing.rows])
    for assignment in (everyone := list(assignments.of_kind(ORGANIZATION))) + listing.rows:
        assignment.allocation = allocation
    rows = [(assignment, assignment.status(now), people.get(assignment.assignee.pk, 0)) for assignment in listing.rows]
    context = {
        "allocation": allocation,
        "status": allocation.status(now),
        "kind": kind,
        "listing": listing,
        "rows": rows,
        "everyone": [(assignment, assignment.status(now)) for assignment in everyone],
        "everyone_url": f"{reverse('licensing:choose_organization_license')}?allocation={allocation.pk}",
        "active_people": request.organization.users.active().count(),
        "tabs": _license_tabs(allocation, kind),
        "can_assign": request.member.may_edit and _is_anybody_left(allocation, now),
    }
    return render(request, "licensing/license_assignees.html", context)


def _people(request, kind, pks):
    """Return how many active people the groups or units have: {pk: number}."""
    if kind is GROUPS:
        return people_in_groups(pks)
    return people_at_or_below(request.organization, pks) if kind is UNITS else {}


def _license_tabs(allocation, current):
    counts = next(iter(Assignment.objects.counted_by_kind([allocation])), {})
    return [
        {
            "label": kind.tab,
            "url": reverse("licensing:license_assignees", args=[allocation.pk, kind]),
            "current": kind is current,
            "count": counts.get(kind.slug, 0),
        }
        for kind in KINDS
    ]


def _is_anybody_left(allocation, at):
    """Return whether the allocation can be assigned, and anybody or anything does not have it directly. One query."""
    if not allocation.is_assignable(at):
        return False
    left = reduce(Q.__or__, (Q(Exists(_left(allocation, kind))) for kind in KINDS))
    return Organization.objects.filter(left, pk=allocation.organization_id).exists()


def _left(allocation, kind):
    return kind.candidates(allocation.organization).exclude(assignments__allocation=allocation)


@viewer_required
def seats(request, allocation):
    """Seats in use, apart from the page that shows them: at 100,000 people counting takes its time."""
    allocation = _allocation(request, allocation)
    return render(
        request, "licensing/seats.html", {"allocation": allocation, "use": seats_in_use(allocation, at=timezone.now())}
    )


@editor_required
def choose_assignees(request, allocation, kind):
    allocation = _allocation(request, allocation)
    now = timezone.now()
    return run_modal(
        request,
        "licensing/choose_assignees.html",
        partial(ChooseAssigneesForm, allocation=allocation, kind=kind),
        title=f"Assign {allocation}",
        save=partial(services.assign, allocation, kind=kind, actor=request.actor),
        say=outcomes.say_assigned,
        back=reverse("licensing:license_assignees", args=[allocation.pk, kind]),
        foresee=foresee(request, lambda form, at: form.change(at)),
        allocation=allocation,
        status=allocation.status(now),
        can_assign=allocation.is_assignable(now) and _left(allocation, kind).exists(),
        kind=kind,
        kinds=KINDS,
    )


def _allocation(request, pk):
    return get_object_or_404(request.organization.allocations.with_license().select_related("organization"), pk=pk)
