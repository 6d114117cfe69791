from django.shortcuts import get_object_or_404, render

from directory.decorators import viewer_required
from directory.trees import people_in_groups
from portal.lists import list_page

from .users import BY_NAME, people_page


@viewer_required
def group_list(request):
    listing = list_page(request, request.organization.groups.all(), search="search_text__contains", sorts=BY_NAME)
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
