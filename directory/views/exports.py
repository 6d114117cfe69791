"""The lists of the directory as files, as their pages search them."""

from django.shortcuts import get_object_or_404

from directory.decorators import viewer_required
from directory.exports import export_groups, export_invitations, export_units, export_users
from portal.lists import searched


@viewer_required
def groups_csv(request):
    groups = searched(request, request.organization.groups, "search_text__finds")
    return export_groups(groups, name=f"{request.organization} groups")


@viewer_required
def invitations_csv(request):
    invitations = request.organization.invitations.listed(request.GET.get("state", ""))
    invitations = searched(request, invitations, "found_by__finds")
    return export_invitations(invitations, name=f"{request.organization} invitations")


@viewer_required
def units_csv(request):
    units = searched(request, request.organization.units, "sort_key__finds")
    return export_units(units, name=f"{request.organization} units")


@viewer_required
def group_users_csv(request, pk):
    group = get_object_or_404(request.organization.groups, pk=pk)
    return _people(request, group, group.members)


@viewer_required
def unit_users_csv(request, pk):
    unit = get_object_or_404(request.organization.units, pk=pk)
    return _people(request, unit, unit.users)


@viewer_required
def user_groups_csv(request, pk):
    user = get_object_or_404(request.organization.users, pk=pk)
    return export_groups(searched(request, user.groups, "search_text__finds"), name=f"{user} groups")


def _people(request, place, people):
    people = searched(request, people.filter(organization=request.organization), "search_text__finds")
    return export_users(request.organization, people, name=f"{place} users")
