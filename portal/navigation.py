from dataclasses import dataclass
from urllib.parse import quote

from django.conf import settings
from django.urls import reverse
from django.utils.functional import SimpleLazyObject


@dataclass(frozen=True)
class Page:
    label: str
    url: str
    icon: str
    current: bool


@dataclass(frozen=True)
class Navigation:
    organization: object  # the current one, or None
    others: list  # organizations that the account can switch to
    pages: list[Page]
    own_pages: list[Page]
    is_profile: bool  # one of the account's own pages


_PAGES = [
    ("Home", "licensing:home", "home"),
    ("Licenses", "licensing:license_list", "key"),
    ("Users", "licensing:user_list", "user"),
    ("Groups", "directory:group_list", "user-group"),
    ("Organizational Units", "directory:unit_list", "rectangle-group"),
    ("Organization", "directory:organization_detail", "building-office-2"),
    ("Explain access", "licensing:explain_access", "question-mark-circle"),
    ("Activity", "audit:activity", "clock"),
]


# What seed_demo creates, for the sign-in page of a demo.
DEMO_ACCOUNTS = [
    ("ada@acme.example", "Acme Logistics, Admin"),
    ("eva@acme.example", "Acme Logistics, Editor"),
    ("vic@acme.example", "Acme Logistics, Viewer"),
    ("uma@acme.example", "Acme Logistics, no role"),
    ("gus@globex.example", "Globex, Admin"),
    ("cleo@consult.example", "Both, Viewer"),
    ("staff@northlight.example", "Northlight Software, administration"),
    ("staff@harbor.example", "Harbor Cloud, administration"),
    ("operator@portal.example", "Operator"),
]


def navigation(request):
    """Give templates what the sidebar shows, worked out when it is shown, and `here`: the page's address as a value."""
    return {
        "here": quote(request.get_full_path()),
        "navigation": SimpleLazyObject(lambda: navigation_of(request)),
        "demo_accounts": DEMO_ACCOUNTS if settings.DEMO else [],
    }


def navigation_of(request):
    """Return the Navigation of a request."""

    def page(label, name, icon):
        url = reverse(name)
        return Page(label, url, icon, request.path == url or url != "/" and request.path.startswith(url))

    member = getattr(request, "member", None)
    organization = getattr(request, "organization", None)
    own_pages = [page("My access", "licensing:my_access", "check-badge")] if member else []
    if request.user.is_authenticated and request.user.is_staff:
        own_pages.append(page("Administration", "admin:index", "wrench-screwdriver"))
    return Navigation(
        organization=organization,
        others=[user.organization for user in getattr(request, "memberships", []) if user.organization != organization],
        pages=[page(*each) for each in _PAGES] if member and member.role else [],
        own_pages=own_pages,
        is_profile=request.path.startswith("/accounts/"),
    )
