"""Who joins and leaves groups and units, with what that does to their access."""

from functools import partial

from django.forms import Form
from django.shortcuts import get_object_or_404
from django.urls import reverse

from directory import services
from directory.decorators import editor_required
from directory.forms.pickers import AddToGroupForm, AddToUnitForm
from directory.models import Group
from licensing.access import changes
from licensing.ledger import foresee
from portal.modals import run_modal
from portal.text import join_some


@editor_required
def add_to_group(request, pk):
    group = get_object_or_404(request.organization.groups, pk=pk)
    return _add(request, group, AddToGroupForm, services.join_group, _joining, "joined")


def _joining(group, users, *, at):
    return changes.joining([group], users, at=at)


@editor_required
def add_to_unit(request, pk):
    unit = get_object_or_404(request.organization.units, pk=pk)
    return _add(request, unit, AddToUnitForm, services.place_in_unit, changes.placing, "moved to")


@editor_required
def remove_from_group(request, pk, user):
    group = get_object_or_404(request.organization.groups, pk=pk)
    person = get_object_or_404(group.members, pk=user)
    return _remove(request, group, person, services.leave_group, partial(changes.leaving, group, [person]))


@editor_required
def remove_from_unit(request, pk, user):
    unit = get_object_or_404(request.organization.units, pk=pk)
    person = get_object_or_404(unit.users, pk=user)
    return _remove(request, unit, person, services.leave_unit, partial(changes.placing, None, [person]))


def _add(request, place, form, service, change, did):
    def make_change(form, at):
        users = form.is_bound and form.cleaned_data.get("users")
        return change(place, list(users), at=at) if users else None

    return run_modal(
        request,
        "licensing/add_people.html",
        partial(form, place),
        title=f"Add people to {place}",
        save=partial(service, place, actor=request.actor),
        say=partial(_say, did=did, place=place),
        back=_page_of(place),
        foresee=foresee(request, make_change),
        place=place,
        is_group=isinstance(place, Group),
    )


def _remove(request, place, person, service, change):
    return run_modal(
        request,
        "licensing/remove_person.html",
        Form,
        title=f"Remove {person} from {place}",
        save=partial(service, place, users=[person], actor=request.actor),
        say=partial(_say, did="left", place=place),
        back=_page_of(place),
        foresee=foresee(
            request, lambda form, at: change(at=at), gone=lambda source: source.assignment.assignee == place
        ),
        person=person,
        is_group=isinstance(place, Group),
    )


def _page_of(place):
    return reverse("directory:group_detail" if isinstance(place, Group) else "directory:unit_detail", args=[place.pk])


def _say(outcome, *, did, place):
    """Say for whom a service did it, and who was there (or away) already."""
    if not outcome.done:
        return f"Nothing changed for {join_some(outcome.skipped)}: somebody was quicker."
    said = f"{join_some(outcome.done)} {did} {place}."
    return f"{said} Nothing changed for {join_some(outcome.skipped)}." if outcome.skipped else said
