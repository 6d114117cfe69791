"""The license's side: the list, a license with whom it is assigned to, and the modal that asks to whom."""

from datetime import UTC, datetime
from functools import partial, reduce

from django.db.models import Exists, Q, Value, prefetch_related_objects
from django.db.models.functions import Coalesce
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone

from directory.decorators import editor_required, viewer_required
from directory.models import Organization
from directory.trees import people_in_groups, people_of_units
from licensing import outcomes, services
from licensing.access import seats_in_use, seats_of, sources_of
from licensing.filters import AccessFilter
from licensing.forms import ChooseAssigneesForm
from licensing.kinds import GROUPS, KINDS, ORGANIZATION, UNITS, USERS
from licensing.ledger import foresee
from licensing.models import Allocation, Assignment, chosen_policies
from licensing.provider_changes import RECENT, changes_of
from portal.audit.sentences import sentence_of, sign_of
from portal.exports import stream_csv
from portal.lists import in_chunks, list_page, searched
from portal.modals import run_modal

NEVER = Value(datetime(9000, 1, 1, tzinfo=UTC))


@viewer_required
def license_list(request):
    now = timezone.now()
    allocations = request.organization.allocations.with_license().annotate(ends=Coalesce("ends_at", NEVER))
    listing = list_page(
        request,
        allocations,
        search="license__sort_key__finds",
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
    name = f"{kind.field}__sort_key"
    listing = list_page(
        request,
        allocation.assignments.with_assignees().with_policies().of_kind(kind),
        search=f"{name}__finds" if kind is UNITS else f"{kind.field}__search_text__finds",
        sorts={"name": (name, "pk"), "assigned": ("created_at", "pk")},
    )
    people = _people(request, kind, [assignment.assignee.pk for assignment in listing.rows])
    for assignment in listing.rows:
        assignment.allocation = allocation
    rows = [(assignment, assignment.status(now), people.get(assignment.assignee.pk, 0)) for assignment in listing.rows]
    context = {"kind": kind, "listing": listing, "rows": rows, **_head(request, allocation, now)}
    return render(request, "licensing/license_assignees.html", context)


@viewer_required
def license_access(request, allocation):
    """A license with everybody who can use it, and through what."""
    now = timezone.now()
    allocation = _allocation(request, allocation)
    narrowed = AccessFilter(request.GET, allocation=allocation)
    who = narrowed.people(at=now)
    listing = list_page(
        request,
        who.people,
        counted=who.counted,
        number=who.number,
        search="search_text__finds",
        sorts={"name": ("sort_key", "pk")},
    )
    context = {
        "kind": USERS,
        "listing": listing,
        "rows": _with_sources(listing.rows, allocation, now),
        "narrowed": narrowed,
        **_head(request, allocation, now),
    }
    return render(request, "licensing/license_access.html", context)


@viewer_required
def license_access_csv(request, allocation):
    """The same as a file, as it is narrowed and searched."""
    now = timezone.now()
    allocation = _allocation(request, allocation)
    people = AccessFilter(request.GET, allocation=allocation).people(at=now).people
    people = searched(request, people, "search_text__finds")

    def rows():
        for chunk in in_chunks(people.select_related("unit"), "sort_key", "pk"):
            for person, sources in _with_sources(chunk, allocation, now):
                policies = dict.fromkeys(str(policy) for source in sources for policy, _ in source.policies)
                through = "; ".join(source.label for source in sources)
                who = [person.name, person.email or "", person.employee_number, person.unit or ""]
                yield [*who, through, "; ".join(policies)]

    header = ["Name", "E-mail", "Employee number", "Unit", "Sources", "Policies"]
    return stream_csv(f"{allocation} access", header, rows())


def _with_sources(people, allocation, at):
    """Return people with the sources in effect through which they have the allocation: [(User, [Source])]."""
    found = sources_of(USERS, people, at=at, allocation=allocation)
    assignments = list({source.assignment.pk: source.assignment for own in found.values() for source in own}.values())
    prefetch_related_objects(assignments, chosen_policies())
    return [(person, [source for source in found[person.pk] if source.in_effect]) for person in people]


def _head(request, allocation, now):
    """What stands above the tabs of a license."""
    everyone = list(allocation.assignments.with_assignees().with_policies().of_kind(ORGANIZATION))
    for assignment in everyone:
        assignment.allocation = allocation
    changes = changes_of(allocation)
    return {
        "allocation": allocation,
        "changes": [(entry, sign_of(entry), sentence_of(entry)) for entry in changes],
        "changed_lately": bool(changes) and changes[0].at > now - RECENT,
        "status": allocation.status(now),
        "everyone": [(assignment, assignment.status(now)) for assignment in everyone],
        "everyone_url": f"{reverse('licensing:choose_organization_license')}?allocation={allocation.pk}",
        "active_people": request.organization.users.active().count(),
        "tabs": _license_tabs(allocation),
        "can_assign": request.member.may_edit and _is_anybody_left(allocation, now),
    }


def _people(request, kind, pks):
    """Return how many active people the groups or units have: {pk: number}."""
    if kind is GROUPS:
        return people_in_groups(pks)
    return {pk: people.all for pk, people in people_of_units(pks).items()} if kind is UNITS else {}


def _license_tabs(allocation):
    counts = next(iter(Assignment.objects.counted_by_kind([allocation])), {})
    tabs = [
        {
            "label": kind.tab,
            "url": reverse("licensing:license_assignees", args=[allocation.pk, kind]),
            "count": counts.get(kind.slug, 0),
        }
        for kind in KINDS
    ]
    return [*tabs, {"label": "Access", "url": reverse("licensing:license_access", args=[allocation.pk])}]


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


@viewer_required
def scarce_seats(request):
    """The licenses that are over their seats or near them: apart from Home, which shows them, for the same reason."""
    allocations = Allocation.objects.filter(organization=request.organization).exclude(seats=None)
    uses = seats_of(allocations, at=timezone.now())
    scarce = [pk for pk, use in uses.items() if use.near]
    found = allocations.filter(pk__in=scarce).select_related("license")
    rows = sorted(((each, uses[each.pk]) for each in found), key=lambda row: (-row[1].over, row[1].free, row[0].pk))
    return render(request, "licensing/scarce_seats.html", {"rows": rows})


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
        foresee=foresee(request, ChooseAssigneesForm.change),
        allocation=allocation,
        status=allocation.status(now),
        can_assign=allocation.is_assignable(now) and _left(allocation, kind).exists(),
        kind=kind,
        kinds=KINDS,
    )


def _allocation(request, pk):
    return get_object_or_404(request.organization.allocations.with_license().select_related("organization"), pk=pk)
