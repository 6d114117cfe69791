from django.conf import settings
from django.shortcuts import render
from django.utils import timezone

from portal.audit.log import Actor


class CurrentOrganization:
    """Sets on every request who acts, as whom, and where.

    request.member: the active User of the signed-in Account in the current organization, or None.
    request.organization: that User's organization, or None.
    request.actor: the Actor for services, or None when signed out.
    request.memberships: the active Users of the Account; those it can switch between.

    The current organization is the one the Account switched to, else that of its first active User. Days and times on
    pages are those of its time zone.
    """

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        request.member = request.organization = request.actor = None
        request.memberships = []
        if request.path.startswith(settings.API_PATHS):  # asked by applications: no session is looked at
            return self.get_response(request)
        if request.user.is_authenticated:
            request.actor = account_actor(request, request.user)
            request.memberships = list(request.user.users.active().select_related("organization").order_by("id"))
            current = request.session.get("organization_id")
            request.member = next(
                (user for user in request.memberships if user.organization_id == current),
                next(iter(request.memberships), None),
            )
            request.organization = request.member and request.member.organization
        if request.organization is None:
            return self.get_response(request)
        with timezone.override(request.organization.tz):
            return self.get_response(request)

    def process_view(self, request, view, args, kwargs):
        """Refuse a form that was opened in another organization than the one that is current now."""
        opened_in = request.POST.get("opened_in", "") if request.method == "POST" and request.organization else ""
        if opened_in in ("", str(request.organization and request.organization.pk)):
            return None
        other = next(
            (user.organization for user in request.memberships if str(user.organization_id) == opened_in), None
        )
        return render(
            request,
            "directory/organization_switched.html",
            {"title": "You are in another organization now", "opened_in": other},
        )


def account_actor(request, account):
    """Return the Actor that an Account is in a request."""
    return Actor("account", account.pk, account.name, _address(request), request.id)


def visitor(request):
    """Return the Actor that somebody without an account is in a request."""
    return Actor("system", None, "a visitor", _address(request), request.id)


def _address(request):
    """Return the address that the request comes from: behind our proxy, the last one that it names."""
    forwarded = request.META.get("HTTP_X_FORWARDED_FOR", "") if settings.BEHIND_PROXY else ""
    return forwarded.rpartition(",")[2].strip()[:45] or request.META.get("REMOTE_ADDR", "")
