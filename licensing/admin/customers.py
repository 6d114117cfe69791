from django import forms
from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.db.models import Q
from django.db.models.functions import Lower
from django.http import HttpResponseRedirect
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.http import urlencode

from directory.models import Organization
from licensing import services
from licensing.access import seats_of
from licensing.models import Allocation, OrganizationOrigin, Provider
from portal.service_admin import ServiceForm

from .first_admin import InviteFirstAdmin
from .imports import ImportOrganizations
from .listed import allocation_list
from .own import OwnAdmin, providers_of


class OrganizationForm(ServiceForm):
    provider = forms.ModelChoiceField(
        Provider.objects.none(), required=False, help_text="Whose customer it is, before anything is allocated to it."
    )

    admin_email = forms.CharField(
        required=False,
        max_length=254,
        label="E-mail of its first Admin",
        widget=forms.EmailInput({"class": "vTextField"}),
        help_text="They are invited by mail, and invite the others. Empty: nobody is invited yet. You can do it later.",
    )
    admin_name = forms.CharField(
        required=False, max_length=120, label="Their name", widget=forms.TextInput({"class": "vTextField"})
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            del self.fields["provider"], self.fields["admin_email"], self.fields["admin_name"]
            return
        field = self.fields["provider"]
        field.queryset = Provider.objects.filter(pk__in=providers_of(self.request)).order_by(Lower("name"))
        if not self.request.user.is_superuser:
            field.required = True
            if len(providers_of(self.request)) == 1:
                field.empty_label = None  # nothing to choose

    def write(self):
        if self.instance.pk:
            return services.update_customer(self.instance, **self.cleaned_data, actor=self.request.actor)
        return services.create_customer(**self.cleaned_data, actor=self.request.actor)


class OrganizationList(ChangeList):
    """A page of customers knows the seats used of all its rows, by one count."""

    def get_results(self, request):
        super().get_results(request)
        self.result_list = list(self.result_list)
        own = Allocation.objects.filter(
            license__provider__in=providers_of(request), organization__in=[row.pk for row in self.result_list]
        )
        uses, by_organization = seats_of(own, at=timezone.now()), {}
        for pk, organization in own.values_list("pk", "organization"):
            by_organization.setdefault(organization, []).append(uses[pk])
        for row in self.result_list:
            row.uses = by_organization.get(row.pk, [])


@admin.register(Organization)
class OrganizationAdmin(ImportOrganizations, InviteFirstAdmin, OwnAdmin):
    """Customers. A provider's staff sees those that it created or that have or had an allocation of theirs; of their
    people, numbers."""

    form = OrganizationForm
    owner = "allocations__license__provider"
    can_add = True
    fields = ["name", "slug", "time_zone"]
    readonly_fields = ["first_admin", "active_people", "groups", "units", "allocations"]
    prepopulated_fields = {"slug": ["name"]}
    list_display = ["name", "slug", "time_zone", "allocated", "seats_used"]
    search_fields = ["name", "slug"]
    search_help_text = "Search by name or slug"
    ordering = [Lower("name"), "pk"]
    actions = ["allocate"]

    def has_change_permission(self, request, obj=None):
        """Whether name and time zone are open; without a thing the question is whether there may be such a one."""
        if obj is None:
            return self.may_enter(request)
        return self.may_enter(request) and services.customer_is_open_to(request.user.pk, obj)

    def get_queryset(self, request):
        everybody = super(OwnAdmin, self).get_queryset(request)
        if request.user.is_superuser:
            return everybody
        created = OrganizationOrigin.objects.filter(provider__in=providers_of(request))
        allocated = self._own_allocations(request).values("organization")
        return everybody.filter(Q(pk__in=allocated) | Q(pk__in=created.values("organization")))

    def get_changelist(self, request, **kwargs):
        return OrganizationList

    def get_list_filter(self, request):
        return []

    def get_fields(self, request, obj=None):
        return [*self.fields, *self.readonly_fields] if obj else ["provider", *self.fields, "admin_email", "admin_name"]

    def get_readonly_fields(self, request, obj=None):
        return ["slug", *self.readonly_fields] if obj else []

    def get_prepopulated_fields(self, request, obj=None):
        return {} if obj else self.prepopulated_fields

    def get_object(self, request, object_id, from_field=None):
        organization = super().get_object(request, object_id, from_field)
        if organization:
            organization.own_allocations = self._own_allocations(request).filter(organization=organization)
        return organization

    def _own_allocations(self, request):
        return Allocation.objects.filter(license__provider__in=providers_of(request))

    def get_urls(self):
        view = self.admin_site.admin_view
        return [
            path("import/", view(self.import_view), name="directory_organization_import"),
            path("<path:object_id>/invite/", view(self.invite_view), name="directory_organization_invite"),
            *super().get_urls(),
        ]

    def list_tools(self, request):
        return [(self.url("import"), "Import from CSV")]

    def tools(self, request, obj):
        tools = [(f"{reverse('admin:licensing_allocation_add')}?organization={obj.slug}", "Allocate licenses")]
        if self.may_invite(request, obj):
            tools.append((self.url("invite", obj.pk), "Invite its first Admin"))
        return tools

    @admin.action(description="Allocate licenses to them", permissions=["add"])
    def allocate(self, request, organizations):
        """Lead to the page that allocates, with these chosen."""
        slugs = list(organizations.values_list("slug", flat=True)[: self.list_per_page])
        query = urlencode({"organization": slugs}, doseq=True)
        return HttpResponseRedirect(f"{reverse('admin:licensing_allocation_add')}?{query}")

    @admin.display(description="active people")
    def active_people(self, organization):
        return f"{organization.users.active().count():,}"

    @admin.display(description="groups")
    def groups(self, organization):
        return f"{organization.groups.count():,}"

    @admin.display(description="organizational units")
    def units(self, organization):
        return f"{organization.units.count():,}"

    @admin.display(description="allocations")
    def allocated(self, organization):
        """How many of the provider's own, as the way to them."""
        url = f"{reverse('admin:licensing_allocation_changelist')}?customer={organization.slug}"
        return format_html('<a href="{}">{}</a>', url, len(organization.uses)) if organization.uses else "none"

    @admin.display(description="seats used")
    def seats_used(self, organization):
        over = sum(use.over for use in organization.uses)
        used = f"{sum(use.used for use in organization.uses):,}"
        return f"{used}, over by {over:,}" if over else used

    @admin.display(description="allocations")
    def allocations(self, organization):
        allocations = organization.own_allocations.order_by(Lower("license__name"))
        return allocation_list(allocations, lambda each: each.license, customer=organization.slug) or "none"
