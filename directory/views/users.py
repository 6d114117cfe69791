from django.shortcuts import get_object_or_404, render

from directory.decorators import viewer_required
from directory.forms.places import PersonField, suggest
from directory.trees import people_in_groups, unit_paths
from portal.lists import list_page

BY_NAME = {"name": ("sort_key", "pk")}


@viewer_required
def user_detail(request, pk):
    user = user_of(request, pk)
    context = {
        "person": user,
        "path": unit_paths([user.unit_id])[user.unit_id],
        "invitation": next(iter(user.open_invitations), None),
    }
    return render(request, "directory/user_detail.html", context)


@viewer_required
def user_groups(request, pk):
    user = user_of(request, pk)
    listing = list_page(request, user.groups.all(), search="search_text__finds", sorts=BY_NAME)
    people = people_in_groups([group.pk for group in listing.rows])
    context = {
        "person": user,
        "path": unit_paths([user.unit_id])[user.unit_id],
        "listing": listing,
        "rows": [(group, people.get(group.pk, 0)) for group in listing.rows],
    }
    return render(request, "directory/user_groups.html", context)


def user_of(request, pk):
    """Return the User of the current organization, or answer 404."""
    return get_object_or_404(request.organization.users.select_related("unit", "account"), pk=pk)


def people_page(request, users):
    """Return the Listing of people of a group or unit."""
    # Named although they are all of it: the index by name begins with the organization.
    users = users.filter(organization=request.organization)
    return list_page(request, users, search="search_text__finds", sorts=BY_NAME)


@viewer_required
def suggest_people(request):
    return suggest(request, PersonField)
