from django.contrib.admin import RelatedOnlyFieldListFilter
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.http import urlencode

from licensing.models import Provider
from portal.service_admin import ServiceAdmin
from portal.text import count_words


def providers_of(request):
    """Return the keys of the providers for whom the signed-in account works: for the operator, all. Read once."""
    if not hasattr(request, "provider_keys"):
        providers = Provider.objects if request.user.is_superuser else request.user.providers
        request.provider_keys = list(providers.values_list("pk", flat=True))
    return request.provider_keys


class OwnAdmin(ServiceAdmin):
    """Pages of what belongs to a provider, for its staff. What is another's answers like what does not exist."""

    owner = "provider"  # the path from the model to its Provider

    def may_enter(self, request):
        return request.user.is_superuser or bool(providers_of(request))

    def get_queryset(self, request):
        return super().get_queryset(request).filter(**{f"{self.owner}__in": providers_of(request)})

    def formfield_for_foreignkey(self, db_field, request, **kwargs):
        """Offer what the pages of the other model would list."""
        queryset = self.admin_site.get_model_admin(db_field.related_model).get_queryset(request)
        several = len(providers_of(request)) > 1 and db_field.related_model is not Provider
        field = super().formfield_for_foreignkey(
            db_field, request, queryset=queryset.select_related("provider") if several else queryset, **kwargs
        )
        if several:
            field.label_from_instance = lambda thing: f"{thing} ({thing.provider})"
        if db_field.related_model is Provider and queryset.count() == 1:
            field.empty_label = None  # nothing to choose
        return field

    # Whose it is goes without saying for who works for one provider.

    def get_list_display(self, request):
        return [name for name in self.list_display if name != self.owner or len(providers_of(request)) > 1]

    def get_list_filter(self, request):
        own = [(self.owner, RelatedOnlyFieldListFilter)] if len(providers_of(request)) > 1 else []
        return [*self.list_filter, *own]


LINKS_SHOWN = 50


def allocation_links(allocations, name_of, **everything):
    """Return the first Allocations as links, one a line. everything: the filter of the list that has them all."""
    now = timezone.now()
    rows = list(allocations.select_related("license", "organization")[: LINKS_SHOWN + 1])
    lines = format_html_join(
        "",
        '<a href="{}">{}</a>: {}, {}<br>',
        (
            (
                reverse("admin:licensing_allocation_change", args=[each.pk]),
                name_of(each),
                status_text(each, now),
                seats_text(each),
            )
            for each in rows[:LINKS_SHOWN]
        ),
    )
    url = f"{reverse('admin:licensing_allocation_changelist')}?{urlencode(everything)}"
    more = format_html('<a href="{}">All of them</a>', url) if len(rows) > LINKS_SHOWN else ""
    return format_html("{}{}", lines, more)


def status_text(allocation, at):
    with days_of(allocation.organization):
        return allocation.status(at).text


def seats_text(allocation):
    return "no limit" if allocation.seats is None else count_words(allocation.seats, "seat", "seats")


def days_of(organization):
    """Return a context within which days are those of the customer, whoever looks."""
    return timezone.override(organization.tz)
