from html import unescape

from django.shortcuts import render
from django.utils import timezone
from django.utils.html import strip_tags

from portal.exports import stream_csv
from portal.lists import in_chunks, list_page, searched

from .models import AuditEntry
from .sentences import sentence_of, sign_of


def activity(request):
    """The organization's acts in words, newest first. Who may see it: portal/urls.py."""
    listing = list_page(
        request, _entries(request), search="search_text__finds", sorts={"at": ("at", "pk")}, default="-at"
    )
    acts = [(entry, sign_of(entry), sentence_of(entry)) for entry in listing.rows]
    return render(request, "audit/activity.html", {"listing": listing, "acts": acts})


def activity_csv(request):
    """The same as a file, as it is searched; oldest first."""

    def rows():
        for chunk in in_chunks(searched(request, _entries(request), "search_text__finds"), "at", "pk"):
            for entry in chunk:
                said = unescape(strip_tags(sentence_of(entry)))
                yield [f"{timezone.localtime(entry.at):%Y-%m-%d %H:%M:%S}", entry.told_by, said, entry.told_from]

    return stream_csv(f"{request.organization} activity", ["When", "Who", "What", "From address"], rows())


def _entries(request):
    return AuditEntry.objects.filter(organization_id=request.organization.pk)
