from django.shortcuts import render

from portal.lists import list_page

from .models import AuditEntry
from .sentences import sentence_of, sign_of


def activity(request):
    """The organization's acts in words, newest first. Who may see it: portal/urls.py."""
    entries = AuditEntry.objects.filter(organization_id=request.organization.pk)
    listing = list_page(request, entries, search="search_text__contains", sorts={"at": ("at", "pk")}, default="-at")
    acts = [(entry, sign_of(entry), sentence_of(entry)) for entry in listing.rows]
    return render(request, "audit/activity.html", {"listing": listing, "acts": acts})
