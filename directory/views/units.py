from functools import partial

from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from directory import services
from directory.decorators import editor_required, viewer_required
from directory.forms.editing import EditPlaceForm, PlaceForm
from directory.forms.places import UnitField, suggest
from directory.trees import TreeRow, levels, people_of_units, tree_rows, unit_paths, write_path
from portal.fields import is_key
from portal.lists import list_page
from portal.modals import run_modal

from .users import BY_NAME, people_page

MOST_KEYS = 100  # of units that are open, or of which more is shown


@viewer_required
def unit_list(request):
    """The tree, as far as it is opened (in the URL), or what matches the search as a list with paths."""
    listing = list_page(request, request.organization.units.all(), search="sort_key__finds", sorts=BY_NAME)
    rows = [] if listing.q else tree_rows(request.organization, set(_keys(request, "open")), _keys(request, "more"))
    shown = listing.rows if listing.q else [row.unit for row in rows if isinstance(row, TreeRow)]
    units = [unit.pk for unit in shown]
    kept = request.GET.copy()
    for name in ("open", "after", "before"):
        kept.pop(name, None)
    context = {
        "listing": listing,
        "rows": rows,
        "kept": kept.urlencode(),
        "shown": shown,
        "paths_above": {pk: write_path(path[:-1]) for pk, path in unit_paths(units).items()} if listing.q else {},
        "people": people_of_units(units),
    }
    return render(request, "directory/unit_list.html", context)


@viewer_required
def unit_detail(request, pk):
    unit = _unit(request, pk)
    listing = people_page(request, unit.users)
    children, rest = levels(unit.children.all(), _keys(request, "more")).get(unit.pk, ([], None))
    people = people_of_units([unit.pk, *(child.pk for child in children)])
    path = unit_paths([unit.pk])[unit.pk]
    context = {
        "unit": unit,
        "path": path[:-1],
        "written": write_path(path),
        "people_below": people[unit.pk].all,
        "listing": listing,
        "children": [(child, people[child.pk].all) for child in children],
        "rest": rest,
    }
    return render(request, "directory/unit_detail.html", context)


def _keys(request, name):
    """Return the keys that the URL gives by this name."""
    return [int(pk) for pk in request.GET.getlist(name)[:MOST_KEYS] if is_key(pk)]


def _unit(request, pk):
    return get_object_or_404(request.organization.units, pk=pk)


@editor_required
def create_unit(request, pk=None):
    """At the top, or below the unit."""
    parent = pk and _unit(request, pk)
    return run_modal(
        request,
        "directory/edit_place.html",
        PlaceForm,
        title=f"Create a unit below {parent}" if parent else "Create a unit",
        save=partial(services.create_unit, request.organization, parent=parent, actor=request.actor),
        say=lambda unit: f"{unit} is created{f' below {parent}' if parent else ''}.",
        back=reverse("directory:unit_detail", args=[pk]) if pk else reverse("directory:unit_list"),
        confirm="Create unit",
        parent=parent,
    )


@editor_required
def edit_unit(request, pk):
    unit = _unit(request, pk)
    return run_modal(
        request,
        "directory/edit_place.html",
        partial(EditPlaceForm, place=unit),
        title=f"Edit {unit}",
        save=partial(services.update_unit, unit, actor=request.actor),
        say=lambda unit: f"{unit} is saved.",
        back=reverse("directory:unit_detail", args=[unit.pk]),
        confirm="Save",
    )


@viewer_required
def suggest_units(request):
    return suggest(request, UnitField)
