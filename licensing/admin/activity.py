import re

from django.contrib import admin
from django.db.models import Q

from portal.audit.models import AuditEntry
from portal.audit.sentences import sentence_of

from .own import OwnAdmin, providers_of


class AboutFilter(admin.SimpleListFilter):
    """Entries about one thing; its page leads here."""

    title = "thing"
    parameter_name = "about"

    def lookups(self, request, model_admin):
        # Nothing to choose from: it shows only that the list is narrowed, and the way back.
        return [(self.value(), self.value().replace("-", " "))] if self.value() else []

    def queryset(self, request, queryset):
        if not self.value():
            return queryset
        found = re.fullmatch(r"([a-z]{1,20})-(\d{1,18})", self.value(), re.ASCII)
        if not found:
            return queryset.none()
        kind, pk = found[1], int(found[2])
        # What concerns a customer or a provider is about it.
        about = {"organization": Q(organization_id=pk), "provider": Q(provider_id=pk)}
        it = Q(target_kind=kind, target_id=pk)
        return queryset.filter(it | about[kind] if kind in about else it)


class TimeFilter(admin.DateFieldListFilter):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.title = "time"


@admin.register(AuditEntry)
class AuditEntryAdmin(OwnAdmin):
    """What was done with a provider's things, to read only; the operator reads everything."""

    fields = readonly_fields = list_display = ["when", "who", "act", "customer"]
    list_display_links = None
    list_filter = [AboutFilter, ("at", TimeFilter)]
    search_fields = ["target_name"]
    search_help_text = "Search by the name of a license, policy or application"
    ordering = ["-at", "-id"]
    show_full_result_count = False

    def get_queryset(self, request):
        entries = super(OwnAdmin, self).get_queryset(request)
        return entries if request.user.is_superuser else entries.filter(provider_id__in=providers_of(request))

    def get_list_filter(self, request):
        return self.list_filter

    @admin.display(description="time", ordering="at")
    def when(self, entry):
        return entry.at

    @admin.display(description="who", ordering="actor_name")
    def who(self, entry):
        return entry.actor_name

    @admin.display(description="what was done")
    def act(self, entry):
        return sentence_of(entry)

    @admin.display(description="organization")
    def customer(self, entry):
        return entry.details.get("organization")
