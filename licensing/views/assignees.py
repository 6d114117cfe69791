"""The assignee's side: the Licenses tabs, the modal that asks which license, and one's own access."""

from functools import partial

from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone

from directory.decorators import editor_required, member_required, viewer_required
from directory.trees import unit_paths, units_below
from licensing import outcomes, services
from licensing.access import by_application, by_license, sources_of
from licensing.forms import ChooseLicenseForm, offered
from licensing.kinds import ORGANIZATION, UNITS, USERS
from licensing.ledger import foresee
from licensing.states import State
from portal.modals import run_modal


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
        "is_anything_allocated": is_anything_allocated(request),
        "assign_url": _assign_url(kind, assignee),
        "export_url": f"{licenses_url(kind, assignee).rstrip('/')}.csv",
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
        partial(ChooseLicenseForm, kind=kind, assignees=[assignee], chosen=request.GET.get("allocation")),
        title=f"Assign a license to {'the whole organization' if kind is ORGANIZATION else assignee}",
        save=save,
        say=outcomes.say_assigned,
        back=licenses_url(kind, assignee),
        foresee=foresee(request, ChooseLicenseForm.change),
        kind=kind,
        assignee=assignee,
        below=units_below([assignee.pk]).get(assignee.pk) if kind is UNITS else None,
        is_anything_allocated=is_anything_allocated(request),
    )


@member_required
def my_access(request):
    sources = sources_of(USERS, [request.member], at=timezone.now())[request.member.pk]
    context = {
        "applications": by_application([source for source in sources if source.in_effect]),
        "later": by_license([source for source in sources if source.status.state is State.SCHEDULED]),
    }
    return render(request, "licensing/my_access.html", context)


def licenses_url(kind, assignee):
    if kind is ORGANIZATION:
        return reverse("licensing:organization_licenses")
    return reverse("licensing:assignee_licenses", args=[kind, assignee.pk])


def _assign_url(kind, assignee):
    if kind is ORGANIZATION:
        return reverse("licensing:choose_organization_license")
    return reverse("licensing:choose_license", args=[kind, assignee.pk])


def is_anything_allocated(request):
    return request.organization.allocations.assignable(timezone.now()).exists()
