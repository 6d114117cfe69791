from functools import partial

from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from directory import services
from directory.decorators import editor_required, viewer_required
from directory.forms.editing import EditPlaceForm, PlaceForm
from directory.forms.places import GroupField, suggest
from directory.trees import people_in_groups
from portal.lists import list_page
from portal.modals import run_modal

from .users import BY_NAME, people_page


@viewer_required
def group_list(request):
    listing = list_page(request, request.organization.groups.all(), search="search_text__finds", sorts=BY_NAME)
    people = people_in_groups([group.pk for group in listing.rows])
    rows = [(group, people.get(group.pk, 0)) for group in listing.rows]
    return render(request, "directory/group_list.html", {"listing": listing, "rows": rows})


@viewer_required
def group_detail(request, pk):
    group = _group(request, pk)
    listing = people_page(request, group.members)
    return render(request, "directory/group_detail.html", {"group": group, "listing": listing})


def _group(request, pk):
    return get_object_or_404(request.organization.groups, pk=pk)


@editor_required
def create_group(request):
    return run_modal(
        request,
        "directory/edit_place.html",
        PlaceForm,
        title="Create a group",
        save=partial(services.create_group, request.organization, actor=request.actor),
        say=lambda group: f"{group} is created. Add people to it, then assign it a license.",
        back=reverse("directory:group_list"),
        confirm="Create group",
    )


@editor_required
def edit_group(request, pk):
    group = _group(request, pk)
    return run_modal(
        request,
        "directory/edit_place.html",
        partial(EditPlaceForm, place=group),
        title=f"Edit {group}",
        save=partial(services.update_group, group, actor=request.actor),
        say=lambda group: f"{group} is saved.",
        back=reverse("directory:group_detail", args=[group.pk]),
        confirm="Save",
    )


@viewer_required
def suggest_groups(request):
    return suggest(request, GroupField)
