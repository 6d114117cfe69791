"""The lists of licenses as files, as their pages filter and search them."""

from django.shortcuts import get_object_or_404
from django.utils import timezone

from directory.decorators import editor_required, viewer_required
from directory.exports import export_groups, export_units, export_users
from directory.trees import unit_paths, write_path
from licensing.access import by_license, sources_of, without_license
from licensing.filters import PeopleFilter, Selection
from licensing.kinds import GROUPS, ORGANIZATION, UNITS, USERS
from licensing.models import Assignment
from portal.days import last_day
from portal.exports import stream_csv
from portal.lists import in_chunks, searched


@viewer_required
def users_csv(request):
    """Everybody, as the list of users is narrowed."""
    people = PeopleFilter(request.GET, organization=request.organization).people(at=timezone.now()).people
    return export_users(request.organization, searched(request, people, "search_text__finds"))


@editor_required
def bulk_export(request, kind):
    """What is ticked in a list."""
    selection = Selection.of(request, kind)
    name = f"{request.organization} {kind}"
    if kind is USERS:
        return export_users(request.organization, selection.things, name=name)
    if kind is GROUPS:
        return export_groups(selection.things, name=name)
    return export_units(selection.things, name=name)


@viewer_required
def licenses_csv(request):
    """The licenses allocated here; a provider allocates few, so they are read at once."""
    now = timezone.now()
    allocations = searched(request, request.organization.allocations.with_license(), "license__sort_key__finds")
    allocations = list(allocations.order_by("license__sort_key", "pk"))
    counts = {row["allocation"]: row for row in Assignment.objects.counted_by_kind(allocations)}
    rows = (
        [
            *(allocation, allocation.license.provider, allocation.status(now).text),
            "no limit" if allocation.seats is None else allocation.seats,
            *(counts.get(allocation.pk, {}).get(kind, 0) for kind in ("users", "groups", "units")),
            "yes" if counts.get(allocation.pk, {}).get("organization") else "no",
            _day(last_day(allocation.ends_at)),
        ]
        for allocation in allocations
    )
    assigned = ["Users", "Groups", "Units", "Whole organization"]
    header = ["License", "Provider", "Status", "Seats", *assigned, "Last day"]
    return stream_csv(f"{request.organization} licenses", header, list(rows))


@viewer_required
def license_assignees_csv(request, allocation, kind):
    """Whom a license is assigned to, of one kind."""
    now = timezone.now()
    allocation = get_object_or_404(request.organization.allocations.with_license(), pk=allocation)
    field = f"{kind.field}__sort_key" if kind is UNITS else f"{kind.field}__search_text"
    assignments = allocation.assignments.with_assignees().with_policies().of_kind(kind)
    assignments = searched(request, assignments, f"{field}__finds")

    def rows():
        for chunk in in_chunks(assignments, "pk"):
            paths = unit_paths([each.unit_id for each in chunk]) if kind is UNITS else {}
            for each in chunk:
                each.allocation = allocation
                who = [write_path(paths[each.unit_id])] if kind is UNITS else [each.assignee]
                who += [each.user.email or ""] if kind is USERS else []
                policies = "; ".join(map(str, each.chosen_policies))
                assigned = [_day(timezone.localdate(each.created_at)), each.created_by]
                yield [*who, policies, each.status(now).text, *assigned, _day(last_day(each.ends_at))]

    header = [kind.one.capitalize(), *(["E-mail"] if kind is USERS else [])]
    header += ["Optional policies", "Status", "Assigned on", "By", "Last day of its own"]
    return stream_csv(f"{allocation} {kind}", header, rows())


@viewer_required
def assignee_licenses_csv(request, kind, pk):
    """The licenses of a user, group or unit, with each source."""
    return _licenses_of(request, kind, get_object_or_404(kind.model, organization=request.organization, pk=pk))


@viewer_required
def organization_licenses_csv(request):
    return _licenses_of(request, ORGANIZATION, request.organization)


def _licenses_of(request, kind, assignee):
    rows = [
        [
            *(allocation, allocation.license.provider, source.label),
            "; ".join(dict.fromkeys(str(policy) for policy, _ in source.policies)),
            *(source.status.text, _day(last_day(source.assignment.last_instant))),
        ]
        for allocation, sources in by_license(sources_of(kind, [assignee], at=timezone.now())[assignee.pk])
        for source in sources
    ]
    header = ["License", "Provider", "Source", "Policies", "Status", "Last day"]
    return stream_csv(f"{assignee} licenses", header, rows)


@viewer_required
def people_without_license_csv(request):
    found = searched(request, request.organization.users.all(), "search_text__finds")
    people = without_license(request.organization, at=timezone.now(), among=found).people
    return export_users(request.organization, people, name=f"{request.organization} without license")


def _day(day):
    return f"{day:%Y-%m-%d}" if day else ""
