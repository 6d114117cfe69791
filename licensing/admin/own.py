from django.contrib.admin import RelatedOnlyFieldListFilter

from licensing.models import Provider
from portal.service_admin import ServiceAdmin


def providers_of(request):
    """Return the keys of the providers for whom the signed-in account works: for the operator, all. Read once."""
    return list(_works_for(request))


def led_by(request):
    """Return the keys of the providers that the signed-in account leads: for the operator, all."""
    return [provider for provider, is_lead in _works_for(request).items() if is_lead]


def _works_for(request):
    if not hasattr(request, "works_for"):
        if request.user.is_superuser:
            request.works_for = dict.fromkeys(Provider.objects.values_list("pk", flat=True), True)
        else:
            request.works_for = dict(request.user.staff_members.values_list("provider", "is_lead"))
    return request.works_for


class OwnAdmin(ServiceAdmin):
    """Pages of what belongs to a provider, for its staff. What is another's answers like what does not exist."""

    owner = "provider"  # the path from the model to its Provider

    def may_enter(self, request):
        return request.user.is_superuser or bool(providers_of(request))

    def get_queryset(self, request):
        return super().get_queryset(request).filter(**{f"{self.owner}__in": providers_of(request)})

    def may_add_for(self, request):
        """Return the keys of the providers for whom the signed-in account adds such things."""
        return providers_of(request)

    def formfield_for_foreignkey(self, db_field, request, **kwargs):
        """Offer what the pages of the other model would list."""
        queryset = self.admin_site.get_model_admin(db_field.related_model).get_queryset(request)
        if db_field.related_model is Provider:
            queryset = queryset.filter(pk__in=self.may_add_for(request))
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
