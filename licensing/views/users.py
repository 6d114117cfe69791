"""The people of an organization: the list, and what can be done with one of them."""

from functools import partial

from django.forms import CharField, Form
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from directory import services as directory
from directory.decorators import editor_required, viewer_required
from directory.forms.editing import ChooseUnitForm, UserForm
from directory.forms.pickers import AddGroupsForm
from directory.models import Role
from directory.trees import unit_paths
from directory.views.users import user_of
from licensing import services
from licensing.access import by_license, changes, sources_of
from licensing.filters import PeopleFilter
from licensing.kinds import USERS
from licensing.ledger import foresee
from portal.lists import list_page
from portal.modals import run_modal
from portal.text import join_some

SORTS = {"name": ("sort_key", "pk"), "added": ("created_at", "pk")}


@viewer_required
def user_list(request):
    """Everybody, narrowed by what they are and have."""
    narrowed = PeopleFilter(request.GET, organization=request.organization)
    people = narrowed.people(at=timezone.now())
    listing = list_page(
        request,
        people.people.select_related("unit").with_open_invitations(),
        counted=people.counted,
        number=people.number,
        search="search_text__finds",
        sorts=SORTS,
    )
    return render(request, "licensing/user_list.html", {"listing": listing, "form": narrowed})


@editor_required
def edit_user(request, pk):
    user = user_of(request, pk)

    def change(form, at):
        values = getattr(form, "cleaned_data", {})
        has_moved = "unit" in values and values["unit"] != user.unit
        return changes.placing(values["unit"], [user], at=at) if has_moved else None

    return run_modal(
        request,
        "licensing/edit_user.html",
        partial(UserForm, user=user, may_give_roles=request.member.role == Role.ADMIN),
        title=f"Edit {user}",
        save=partial(directory.update_user, user, actor=request.actor),
        say=lambda user: f"{user} is saved.",
        back=reverse("directory:user_detail", args=[pk]),
        foresee=foresee(request, change),
        person=user,
    )


@editor_required
def add_groups(request, pk):
    """Add to Group, from the person's side."""
    user = user_of(request, pk)

    def change(form, at):
        groups = form.is_bound and form.cleaned_data.get("groups")
        return changes.joining(list(groups), [user], at=at) if groups else None

    def say(outcome):
        said = f"{user} joined {join_some(outcome.done)}." if outcome.done else "Nothing changed."
        return f"{said} They were in {join_some(outcome.skipped)} already." if outcome.skipped else said

    return run_modal(
        request,
        "licensing/add_groups.html",
        partial(AddGroupsForm, user),
        title=f"Add {user} to groups",
        save=partial(directory.join_groups, user, actor=request.actor),
        say=say,
        back=reverse("directory:user_groups", args=[pk]),
        foresee=foresee(request, change),
    )


@editor_required
def place_user(request, pk):
    """Add to Organization Unit, from the person's side."""
    user = user_of(request, pk)

    def change(form, at):
        unit = getattr(form, "cleaned_data", {}).get("unit")
        return changes.placing(unit, [user], at=at) if unit and unit != user.unit else None

    def save(unit):
        return unit, directory.place_in_unit(unit, users=[user], actor=request.actor)

    def say(outcome):
        unit, moved = outcome
        return f"{user} moved to {unit}." if moved.done else f"{user} is in {unit} already."

    return run_modal(
        request,
        "licensing/place_user.html",
        partial(ChooseUnitForm, organization=request.organization),
        title=f"Add {user} to an organizational unit",
        save=save,
        say=say,
        back=reverse("directory:user_detail", args=[pk]),
        foresee=foresee(request, change),
        person=user,
    )


@editor_required
def deactivate(request, pk):
    user = user_of(request, pk)
    return _confirm(
        request,
        user,
        "deactivate",
        f"Deactivate {user}",
        save=lambda: directory.deactivate([user], actor=request.actor),
        say=f"{user} is inactive. What is assigned is kept, and returns on reactivation.",
        change=partial(changes.deactivating, [user]),
    )


@editor_required
def reactivate(request, pk):
    user = user_of(request, pk)
    return _confirm(
        request,
        user,
        "reactivate",
        f"Reactivate {user}",
        save=lambda: directory.reactivate([user], actor=request.actor),
        say=f"{user} is active again, with everything that was kept.",
        change=partial(changes.reactivating, [user]),
    )


@editor_required
def delete_user(request, pk):
    user = user_of(request, pk)
    return _confirm(
        request,
        user,
        "delete",
        f"Delete {user}",
        save=lambda: services.delete_user(user, actor=request.actor),
        say=f"{user} is deleted.",
        change=partial(changes.deactivating, [user]),
        back=reverse("licensing:user_list"),
        gone=reverse("directory:user_detail", args=[pk]),
        memberships=user.groups.count(),
        assignments=user.assignments.count(),
    )


@editor_required
def offboard(request, pk):
    """End all that somebody has, after showing all of it: what is shown is what is done."""
    user = user_of(request, pk)
    sources = sources_of(USERS, [user], at=timezone.now())[user.pk]
    return _confirm(
        request,
        user,
        "offboard",
        f"Offboard {user}",
        form=OffboardForm,
        save=partial(services.offboard, user, actor=request.actor),
        say=f"{user} is offboarded: nothing is assigned to them, and they are inactive.",
        plan=services.plan_of(user),
        usable=by_license([source for source in sources if source.in_effect]),
        path=unit_paths([user.unit_id])[user.unit_id],
    )


class OffboardForm(Form):
    plan = CharField(max_length=100_000)  # the digest of what was shown


def _confirm(request, user, act, title, *, save, say, change=None, form=Form, back="", **more):
    return run_modal(
        request,
        f"licensing/{act}_user.html",
        form,
        title=title,
        save=save,
        say=lambda _: say,
        back=back or reverse("directory:user_detail", args=[user.pk]),
        foresee=change and foresee(request, lambda form, at: change(at=at)),
        person=user,
        **more,
    )
