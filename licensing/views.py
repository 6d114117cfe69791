from datetime import UTC, datetime
from functools import partial, reduce, wraps

from django.db.models import Exists, Q, Value
from django.db.models.functions import Coalesce
from django.forms import Form
from django.http import Http404
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django_htmx.http import trigger_client_event

from directory.decorators import editor_required, member_required, viewer_required
from directory.models import Organization
from directory.trees import people_at_or_below, people_in_groups, unit_paths, units_below
from portal.lists import list_page
from portal.modals import next_page, run_modal

from . import outcomes, services
from .access import by_application, by_license, reached_by_another, seats_in_use, sources_of
from .forms import ChangeDatesForm, ChooseAssigneesForm, ChooseLicenseForm, PoliciesForm, offered
from .kinds import GROUPS, KINDS, ORGANIZATION, UNITS, USERS
from .models import Assignment
from .states import State

KEEPERS_SHOWN = 3
NEVER = Value(datetime(9000, 1, 1, tzinfo=UTC))

# The license's side --------------------------------------------------------------------------------------------------


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
        allocation=allocation,
        status=allocation.status(now),
        can_assign=allocation.is_assignable(now) and _left(allocation, kind).exists(),
        kind=kind,
        kinds=KINDS,
    )


# The assignee's side -------------------------------------------------------------------------------------------------


@viewer_required
def assignee_licenses(request, kind, pk):
    """The Licenses tab of a user, group or unit."""
    return _show_licenses(request, kind, get_object_or_404(kind.model, organization=request.organization, pk=pk))


@viewer_required
def organization_licenses(request):
    """The Licenses tab of the organization."""
    return _show_licenses(request, ORGANIZATION, request.organization)


def _show_licenses(request, kind, assignee):
    now = timezone.now()
    sources = sources_of(kind, [assignee], at=now)[assignee.pk]
    context = {
        "kind": kind,
        "assignee": assignee,
        "in_effect": by_license([source for source in sources if source.in_effect]),
        "not_in_effect": by_license([source for source in sources if not source.in_effect]),
        "can_assign": request.member.may_edit and offered(kind, assignee, now).exists(),
        "is_anything_allocated": _is_anything_allocated(request),
        "assign_url": _assign_url(kind, assignee),
    }
    if unit_id := {USERS: "unit_id", UNITS: "pk"}.get(kind):
        unit_id = getattr(assignee, unit_id)
        context["path"] = unit_paths([unit_id])[unit_id]
    return render(request, f"licensing/{kind.one}_licenses.html", context)


@editor_required
def choose_license(request, kind, pk):
    return _choose_license(request, kind, get_object_or_404(kind.candidates(request.organization), pk=pk))


@editor_required
def choose_organization_license(request):
    return _choose_license(request, ORGANIZATION, request.organization)


def _choose_license(request, kind, assignee):
    def save(*, allocation, **values):
        return services.assign(allocation, kind=kind, assignees=[assignee], actor=request.actor, **values)

    return run_modal(
        request,
        "licensing/choose_license.html",
        partial(ChooseLicenseForm, assignee=assignee, kind=kind, chosen=request.GET.get("allocation")),
        title=f"Assign a license to {'the whole organization' if kind is ORGANIZATION else assignee}",
        save=save,
        say=outcomes.say_assigned,
        back=_licenses_url(kind, assignee),
        kind=kind,
        assignee=assignee,
        below=units_below([assignee.pk]).get(assignee.pk) if kind is UNITS else None,
        is_anything_allocated=_is_anything_allocated(request),
    )


# The three dots on every row -----------------------------------------------------------------------------------------


def assignment_modal(view):
    """Fetch the assignment for a view(request, assignment); say who removed it where somebody was quicker."""

    @editor_required
    @wraps(view)
    def wrapper(request, pk):
        assignments = request.organization.assignments.with_assignees().with_license().with_policies()
        assignment = assignments.filter(pk=pk).first()
        if assignment:
            return view(request, assignment)
        removal = services.removal_of(request.organization, pk)
        if removal is None:
            raise Http404
        context = {"title": "Already removed", "removal": removal, "next": next_page(request, "/")}
        return trigger_client_event(render(request, "licensing/already_removed.html", context), "portal-changed")

    return wrapper


@assignment_modal
def choose_policies(request, assignment):
    return run_modal(
        request,
        "licensing/choose_policies.html",
        partial(PoliciesForm, assignment=assignment),
        title=f"Optional policies of {assignment.allocation} for {outcomes.name_of(assignment)}",
        save=partial(services.set_policies, assignment, actor=request.actor),
        say=partial(outcomes.say_policies, assignment),
        back=_page_of(assignment),
        assignment=assignment,
    )


@assignment_modal
def change_dates(request, assignment):
    return run_modal(
        request,
        "licensing/change_dates.html",
        partial(ChangeDatesForm, assignment=assignment),
        title=f"Dates of {assignment.allocation} for {outcomes.name_of(assignment)}",
        save=partial(services.set_dates, assignment, actor=request.actor),
        say=partial(outcomes.say_dates, assignment),
        back=_page_of(assignment),
        assignment=assignment,
    )


@assignment_modal
def unassign(request, assignment):
    now = timezone.now()
    status = assignment.status(now)
    return run_modal(
        request,
        "licensing/unassign.html",
        Form,
        title=f"Unassign {assignment.allocation} from {outcomes.name_of(assignment)}",
        save=partial(services.unassign, assignment, actor=request.actor),
        say=lambda _: outcomes.say_unassigned(assignment),
        back=_page_of(assignment),
        assignment=assignment,
        name=outcomes.name_of(assignment),
        status=status,
        in_effect=status.state is State.LIVE,
        keepers=_keepers(assignment, now) if status.state is State.LIVE else [],
        below=units_below([assignment.unit_id]).get(assignment.unit_id),
    )


def _keepers(assignment, now):
    """Return some who still have the license when the assignment is gone, and through what: [(User, [Source])]."""
    users = reached_by_another(assignment, at=now, limit=KEEPERS_SHOWN + 1)
    sources = sources_of(USERS, users, at=now, allocation=assignment.allocation)
    return [(user, [s for s in sources[user.pk] if s.in_effect and s.assignment.pk != assignment.pk]) for user in users]


# One's own -----------------------------------------------------------------------------------------------------------


@member_required
def my_access(request):
    sources = sources_of(USERS, [request.member], at=timezone.now())[request.member.pk]
    return render(
        request, "licensing/my_access.html", {"applications": by_application([s for s in sources if s.in_effect])}
    )


def _allocation(request, pk):
    return get_object_or_404(request.organization.allocations.with_license().select_related("organization"), pk=pk)


def _licenses_url(kind, assignee):
    if kind is ORGANIZATION:
        return reverse("licensing:organization_licenses")
    return reverse("licensing:assignee_licenses", args=[kind, assignee.pk])


def _assign_url(kind, assignee):
    if kind is ORGANIZATION:
        return reverse("licensing:choose_organization_license")
    return reverse("licensing:choose_license", args=[kind, assignee.pk])


def _is_anything_allocated(request):
    return request.organization.allocations.assignable(timezone.now()).exists()


def _page_of(assignment):
    return _licenses_url(assignment.kind, assignment.assignee)
