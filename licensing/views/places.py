"""Groups and units: who joins and leaves, where they lie and that they go, with what that does to access."""

from functools import partial

from django.forms import Form
from django.shortcuts import get_object_or_404
from django.urls import reverse

from directory import services as directory
from directory.decorators import editor_required
from directory.forms.editing import MoveUnitForm
from directory.forms.pickers import AddToGroupForm, AddToUnitForm, RemovePeopleForm
from directory.models import Group, OrgUnitClosure
from directory.trees import units_below
from licensing import services
from licensing.access import changes
from licensing.ledger import foresee
from portal.modals import run_modal
from portal.text import join_some


@editor_required
def add_to_group(request, pk):
    group = get_object_or_404(request.organization.groups, pk=pk)
    return _add(request, group, AddToGroupForm, directory.join_group, _joining, "joined")


def _joining(group, users, *, at):
    return changes.joining([group], users, at=at)


@editor_required
def add_to_unit(request, pk):
    unit = get_object_or_404(request.organization.units, pk=pk)
    return _add(request, unit, AddToUnitForm, directory.place_in_unit, changes.placing, "moved to")


@editor_required
def remove_people_from_group(request, pk):
    group = get_object_or_404(request.organization.groups, pk=pk)
    return _remove_people(request, group, directory.leave_group, changes.leaving)


@editor_required
def remove_people_from_unit(request, pk):
    unit = get_object_or_404(request.organization.units, pk=pk)
    return _remove_people(request, unit, directory.leave_unit, _leaving_unit)


def _leaving_unit(unit, users, *, at):
    return changes.placing(None, users, at=at)


@editor_required
def remove_from_group(request, pk, user):
    group = get_object_or_404(request.organization.groups, pk=pk)
    person = get_object_or_404(group.members, pk=user)
    return _remove(request, group, person, directory.leave_group, partial(changes.leaving, group, [person]))


@editor_required
def remove_from_unit(request, pk, user):
    unit = get_object_or_404(request.organization.units, pk=pk)
    person = get_object_or_404(unit.users, pk=user)
    return _remove(request, unit, person, directory.leave_unit, partial(changes.placing, None, [person]))


@editor_required
def delete_group(request, pk):
    group = get_object_or_404(request.organization.groups, pk=pk)
    members = group.members.active().count()
    return _delete(
        request, group, services.delete_group, changes.deleting_group, "directory:group_list", people=members
    )


@editor_required
def delete_unit(request, pk):
    unit = get_object_or_404(request.organization.units, pk=pk)
    more = {"people": unit.users.active().count(), "below": unit.children.count()}
    return _delete(request, unit, services.delete_unit, changes.deleting_unit, "directory:unit_list", **more)


@editor_required
def move_unit(request, pk):
    unit = get_object_or_404(request.organization.units.select_related("parent", "organization"), pk=pk)

    def change(form, at):
        values = getattr(form, "cleaned_data", {})
        parent = values.get("parent", unit.parent)
        is_circle = parent and OrgUnitClosure.objects.filter(ancestor=unit, descendant=parent).exists()
        return None if is_circle or parent == unit.parent else changes.moving_unit(unit, parent, at=at)

    return run_modal(
        request,
        "licensing/move_unit.html",
        partial(MoveUnitForm, unit=unit),
        title=f"Move {unit}",
        save=partial(directory.move_unit, unit, actor=request.actor),
        say=lambda unit: f"{unit} lies {f'below {unit.parent}' if unit.parent else 'at the top level'} now.",
        back=_page_of(unit),
        foresee=foresee(request, change),
        unit=unit,
        below=units_below([unit.pk]).get(unit.pk, 0),
    )


def _delete(request, place, service, change, back, **more):
    return run_modal(
        request,
        "licensing/delete_place.html",
        Form,
        title=f"Delete {place}",
        save=partial(service, place, actor=request.actor),
        say=lambda _: f"{place} is deleted.",
        back=reverse(back),
        gone=_page_of(place),
        foresee=foresee(request, lambda form, at: change(place, at=at), gone=_is_given_by(place)),
        place=place,
        is_group=isinstance(place, Group),
        assignments=place.assignments.count(),
        **more,
    )


def _add(request, place, form, service, change, did):
    return _pick(request, place, "add_people", f"Add people to {place}", form, service, change, did)


def _remove_people(request, place, service, change):
    title = f"Remove people from {place}"
    return _pick(
        request, place, "remove_people", title, RemovePeopleForm, service, change, "left", gone=_is_given_by(place)
    )


def _pick(request, place, name, title, form, service, change, did, **how):
    def make_change(form, at):
        users = form.is_bound and form.cleaned_data.get("users")
        return change(place, list(users), at=at) if users else None

    return run_modal(
        request,
        f"licensing/{name}.html",
        partial(form, place),
        title=title,
        save=partial(service, place, actor=request.actor),
        say=partial(_say, did=did, place=place),
        back=_page_of(place),
        foresee=foresee(request, make_change, **how),
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
        foresee=foresee(request, lambda form, at: change(at=at), gone=_is_given_by(place)),
        person=person,
        is_group=isinstance(place, Group),
    )


def _is_given_by(place):
    return lambda source: source.assignment.assignee == place


def _page_of(place):
    return reverse("directory:group_detail" if isinstance(place, Group) else "directory:unit_detail", args=[place.pk])


def _say(outcome, *, did, place):
    """Say for whom a service did it, and who was there (or away) already."""
    if not outcome.done:
        return f"Nothing changed for {join_some(outcome.skipped)}: somebody was quicker."
    said = f"{join_some(outcome.done)} {did} {place}."
    return f"{said} Nothing changed for {join_some(outcome.skipped)}." if outcome.skipped else said
