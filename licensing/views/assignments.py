"""The three dots on every row: what can be done with an assignment, wherever it is shown."""

from functools import partial, wraps

from django.forms import Form
from django.http import Http404
from django.shortcuts import render
from django.utils import timezone
from django_htmx.http import trigger_client_event

from directory.decorators import editor_required
from licensing import outcomes, services
from licensing.access import changes
from licensing.forms import ChangeDatesForm, PoliciesForm
from licensing.ledger import foresee
from licensing.states import State
from portal.modals import next_page, run_modal

from .assignees import licenses_url


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
        foresee=foresee(request, PoliciesForm.change, _gone(assignment)),
        assignment=assignment,
        why_nothing=_why_nothing(assignment),
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
        foresee=foresee(request, ChangeDatesForm.change, _gone(assignment)),
        assignment=assignment,
        status=assignment.allocation.status(timezone.now()),
    )


@assignment_modal
def unassign(request, assignment):
    return run_modal(
        request,
        "licensing/unassign.html",
        Form,
        title=f"Unassign {assignment.allocation} from {outcomes.name_of(assignment)}",
        save=partial(services.unassign, assignment, actor=request.actor),
        say=lambda _: outcomes.say_unassigned(assignment),
        back=_page_of(assignment),
        foresee=foresee(request, lambda form, at: changes.unassigning(assignment, at=at), _gone(assignment)),
        why_nothing=_why_nothing(assignment),
    )


def _why_nothing(assignment):
    status = assignment.status(timezone.now())
    return "" if status.state is State.LIVE else f"This assignment gives nothing now: {status.text.lower()}."


def _gone(assignment):
    return lambda source: source.assignment.pk == assignment.pk


def _page_of(assignment):
    return licenses_url(assignment.kind, assignment.assignee)
