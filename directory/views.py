from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from portal.lists import list_page

from .decorators import viewer_required
from .forms import is_key
from .trees import people_at_or_below, people_in, people_in_groups, tree_rows, unit_paths

MOST_OPEN = 100  # units of the tree at once
BY_NAME = {"name": ("sort_key", "pk")}


@require_POST
def switch_organization(request):
    """Make another organization of the signed-in Account the current one."""
    users = request.user.users.active()
    user = get_object_or_404(
        users, organization=int(pk) if is_key(pk := request.POST.get("organization", "")) else None
    )
    request.session["organization_id"] = user.organization_id
    return redirect("/")


# Users ---------------------------------------------------------------------------------------------------------------


@viewer_required
def user_list(request):
    users = request.organization.users.select_related("unit")
    listing = list_page(
        request, users, search="search_text__contains", sorts={**BY_NAME, "added": ("created_at", "pk")}
    )
    return render(request, "directory/user_list.html", {"listing": listing})


@viewer_required
def user_detail(request, pk):
    user = _user(request, pk)
    return render(
        request, "directory/user_detail.html", {"person": user, "path": unit_paths([user.unit_id])[user.unit_id]}
    )


@viewer_required
def user_groups(request, pk):
    user = _user(request, pk)
    listing = list_page(request, user.groups.all(), search="search_text__contains", sorts=BY_NAME)
    people = people_in_groups([group.pk for group in listing.rows])
    rows = [(group, people.get(group.pk, 0)) for group in listing.rows]
    return render(request, "directory/user_groups.html", {"person": user, "listing": listing, "rows": rows})


def _user(request, pk):
    return get_object_or_404(request.organization.users.select_related("unit", "account"), pk=pk)


# Groups --------------------------------------------------------------------------------------------------------------


@viewer_required
def group_list(request):
    listing = list_page(request, request.organization.groups.all(), search="search_text__contains", sorts=BY_NAME)
    people = people_in_groups([group.pk for group in listing.rows])
    rows = [(group, people.get(group.pk, 0)) for group in listing.rows]
    return render(request, "directory/group_list.html", {"listing": listing, "rows": rows})


@viewer_required
def group_detail(request, pk):
    group = _group(request, pk)
    listing = _people(request, group.members)
    return render(request, "directory/group_detail.html", {"group": group, "listing": listing})


def _group(request, pk):
    return get_object_or_404(request.organization.groups, pk=pk)


# Units ---------------------------------------------------------------------------------------------------------------


@viewer_required
def unit_list(request):
    """The tree, as far as it is opened (in the URL), or what matches the search as a list with paths."""
    listing = list_page(request, request.organization.units.all(), search="sort_key__contains", sorts=BY_NAME)
    opened = {int(pk) for pk in request.GET.getlist("open")[:MOST_OPEN] if is_key(pk)}
    rows = [] if listing.q else tree_rows(request.organization, opened)
    shown = listing.rows if listing.q else [row.unit for row in rows]
    units = [unit.pk for unit in shown]
    context = {
        "listing": listing,
        "rows": rows,
        "shown": shown,
        "paths": unit_paths(units) if listing.q else {},
        "people": people_in(units),
        "people_below": people_at_or_below(request.organization, units),
    }
    return render(request, "directory/unit_list.html", context)


@viewer_required
def unit_detail(request, pk):
    unit = _unit(request, pk)
    listing = _people(request, unit.users)
    children = list(unit.children.order_by("sort_key", "pk")[:200])
    people = people_at_or_below(request.organization, [child.pk for child in children])
    context = {
        "unit": unit,
        "path": unit_paths([unit.pk])[unit.pk][:-1],
        "listing": listing,
        "children": [(child, people.get(child.pk, 0)) for child in children],
    }
    return render(request, "directory/unit_detail.html", context)


def _unit(request, pk):
    return get_object_or_404(request.organization.units, pk=pk)


# Organization --------------------------------------------------------------------------------------------------------


@viewer_required
def organization_detail(request):
    organization = request.organization
    context = {
        "active_people": organization.users.active().count(),
        "inactive_people": organization.users.filter(is_active=False).count(),
        "groups": organization.groups.count(),
        "units": organization.units.count(),
    }
    return render(request, "directory/organization_detail.html", context)


# What groups and units share -----------------------------------------------------------------------------------------


def _people(request, users):
    # Named although they are all of it: the index by name begins with the organization.
    users = users.filter(organization=request.organization)
    return list_page(request, users, search="search_text__contains", sorts=BY_NAME)
