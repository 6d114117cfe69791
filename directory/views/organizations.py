from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST

from directory.decorators import viewer_required
from portal.fields import is_key


@require_POST
def switch_organization(request):
    """Make another organization of the signed-in Account the current one."""
    users = request.user.users.active()
    user = get_object_or_404(
        users, organization=int(pk) if is_key(pk := request.POST.get("organization", "")) else None
    )
    request.session["organization_id"] = user.organization_id
    return redirect("/")


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
