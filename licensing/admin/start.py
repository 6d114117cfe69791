"""Where a provider's staff starts: what it has, what to look after, and what was done last. In numbers, no people."""

from django.contrib import admin
from django.urls import reverse
from django.utils import timezone

from directory.models import Organization
from licensing.models import Allocation, Application, License, Policy, Provider
from portal.audit.models import AuditEntry
from portal.audit.sentences import sentence_of
from portal.text import join_words

from .listed import ATTENTION, AttentionFilter, seats_text, status_text, with_seats
from .own import providers_of

ROWS, ACTS = 8, 10
WORDS = {
    "ending": (f"Ends within {AttentionFilter.SOON} days", "Nothing ends soon."),
    "over": ("Over its seats", "Nobody uses more seats than they have."),
    "unused": ("Assigned to nobody", "Every allocation is assigned to somebody."),
}
_stock = admin.site.index


def index(request, extra_context=None):
    """The first page of the administration: Django's own list, below what a provider starts from."""
    start = _start(request) if request.user.is_superuser or providers_of(request) else {}
    return _stock(request, {**start, **(extra_context or {})})


admin.site.index = index


def _start(request):
    now, providers = timezone.now(), providers_of(request)
    own = Allocation.objects.filter(license__provider__in=providers)
    names = Provider.objects.filter(pk__in=providers).order_by("name").values_list("name", flat=True)
    return {
        "title": "All providers" if request.user.is_superuser else join_words(names),
        "counts": list(_counts(request, own, now)),
        "attention": [_look_after(own, what, now) for what in ATTENTION],
        "acts": _acts(request, providers),
    }


def _counts(request, own, at):
    """Give (number, its word, where they are listed)."""
    live = own.live(at).count()
    for model, one, many in [
        (Application, "application", "applications"),
        (Policy, "policy", "policies"),
        (License, "license", "licenses"),
        (Organization, "customer", "customers"),
    ]:
        number = admin.site.get_model_admin(model).get_queryset(request).order_by().count()
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist"
        yield number, one if number == 1 else many, reverse(name)
    yield live, "live allocation" if live == 1 else "live allocations", _allocations("status=live")


def _look_after(own, what, at):
    """Return what a box shows: title, what it says when empty, the first rows, how many there are, where they are."""
    found = AttentionFilter.among(own, what, at).select_related("license", "organization")
    order = "ends_at" if what == "ending" else "organization__name"
    rows = with_seats(found.order_by(order, "pk")[:ROWS])
    title, empty = WORDS[what]
    shown = [(row, seats_text(row, row.use), status_text(row, at)) for row in rows]
    return {
        "title": title,
        "empty": empty,
        "rows": shown,
        "number": found.count(),
        "url": _allocations(f"attention={what}"),
    }


def _acts(request, providers):
    """Return the latest acts: (when, sentence, organization). Who did it stands in the list of all."""
    entries = AuditEntry.objects.order_by("-at", "-id")
    if not request.user.is_superuser:
        entries = entries.filter(provider_id__in=providers)
    else:
        entries = entries.exclude(provider_id=None)
    return [(entry.at, sentence_of(entry), entry.details.get("organization")) for entry in entries[:ACTS]]


def _allocations(query):
    return f"{reverse('admin:licensing_allocation_changelist')}?{query}"
