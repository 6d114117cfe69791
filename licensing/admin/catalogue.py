import re

from django import forms
from django.contrib import admin
from django.contrib.admin import RelatedOnlyFieldListFilter
from django.core.exceptions import ValidationError
from django.db.models import OuterRef, Prefetch, Subquery
from django.db.models.functions import Coalesce, Lower
from django.urls import reverse
from django.utils import timezone

from directory.models import Account
from licensing import services
from licensing.access import count_reached
from licensing.models import Application, AssignmentPolicy, License, LicensePolicy, Policy, Provider
from portal.fields import ThingsField
from portal.service_admin import ServiceForm
from portal.text import count_words, join_words

from .own import OwnAdmin, allocation_links, providers_of


class CatalogueForm(ServiceForm):
    def write(self):
        return services.save(self.instance, actor=self.request.actor) if self.fields_changed else self.instance


class CatalogueAdmin(OwnAdmin):
    form = CatalogueForm
    can_add = can_change = can_delete = True

    def get_fields(self, request, obj=None):
        """Once it exists, the provider is only shown: as text, for its page is the operator's."""
        return ["provider_name" if obj and name == "provider" else name for name in self.fields]

    def get_readonly_fields(self, request, obj=None):
        return [*self.readonly_fields, "provider_name"]

    @admin.display(description="provider")
    def provider_name(self, thing):
        return thing.provider

    def get_deleted_objects(self, objs, request):
        """What goes is the thing alone: services refuse while anything needs it, and say what."""
        reasons = [reason for reason in map(services.why_kept, objs) if reason]
        return [str(obj) for obj in objs], {self.opts.verbose_name_plural: len(objs)}, set(), reasons

    def delete_model(self, request, obj):
        services.delete(obj, actor=request.actor)


class Checkboxes(forms.CheckboxSelectMultiple):
    def __init__(self, attrs=None):
        super().__init__(
            {"class": "radiolist", **(attrs or {})}
        )  # in the admin's stylesheet: labels as wide as they are


# Providers: for the operator -----------------------------------------------------------------------------------------


class StaffField(ThingsField):
    def label_from_instance(self, account):
        return f"{account.name} ({account.email})"


class ProviderForm(CatalogueForm):
    staff = StaffField(
        Account.objects.filter(is_staff=True).order_by("email"),
        required=False,
        widget=Checkboxes,
        help_text="Who manages its catalogue and allocations. Offered are accounts that may enter the administration.",
    )

    def write(self):
        provider = super().write()
        services.set_staff(provider, accounts=self.cleaned_data["staff"], actor=self.request.actor)
        return provider


@admin.register(Provider)
class ProviderAdmin(CatalogueAdmin):
    form = ProviderForm
    owner = "pk"
    can_delete = False
    fields = ["name", "slug", "contact_email", "terms_url", "staff"]
    prepopulated_fields = {"slug": ["name"]}
    list_display = ["name", "slug", "contact_email"]
    search_fields = ["name", "slug"]
    ordering = ["name"]

    def may_enter(self, request):
        return request.user.is_superuser

    def get_list_filter(self, request):
        return []


# Applications and policies -------------------------------------------------------------------------------------------


@admin.register(Application)
class ApplicationAdmin(CatalogueAdmin):
    fields = ["provider", "name", "slug", "resource_type", "description", "url"]
    prepopulated_fields = {"slug": ["name"]}
    list_display = ["name", "slug", "description", "provider"]
    list_select_related = ["provider"]
    search_fields = ["name", "slug", "description"]
    ordering = [Lower("name"), "pk"]


class ActionsField(forms.CharField):
    """A list of names, written one a line or with commas between."""

    widget = forms.Textarea(attrs={"rows": 4})

    def clean(self, value):
        return _words(super().clean(value))

    def prepare_value(self, value):
        return "\n".join(value) if isinstance(value, list) else value

    def has_changed(self, initial, data):
        return _words(data or "") != (initial or [])


def _words(text):
    return list(dict.fromkeys(filter(None, map(str.strip, re.split(r"[,\n]", text)))))


class PolicyForm(CatalogueForm):
    actions = ActionsField(
        required=False, help_text="One a line, or with commas between. <b>None listed: every action.</b>"
    )


@admin.register(Policy)
class PolicyAdmin(CatalogueAdmin):
    form = PolicyForm
    owner = "application__provider"
    fields = ["application", "name", "description", "actions", "role"]
    list_display = ["name", "application", "actions_listed", "role", "application__provider"]
    list_select_related = ["application__provider"]
    list_filter = [("application", RelatedOnlyFieldListFilter)]
    search_fields = ["name", "description", "application__name"]
    ordering = [Lower("name"), "pk"]

    @admin.display(description="actions")
    def actions_listed(self, policy):
        return ", ".join(policy.actions) or "every action"


# Licenses ------------------------------------------------------------------------------------------------------------


class PoliciesField(ThingsField):
    """Policies to tick, first those of the license in their order, then the others by application."""

    def __init__(self, **kwargs):
        super().__init__(Policy.objects.none(), required=False, widget=Checkboxes, **kwargs)

    def label_from_instance(self, policy):
        return f"{policy} ({policy.application})"


class LicenseForm(CatalogueForm):
    default_policies = PoliciesField(help_text="Come with every assignment, as they are at any moment.")
    optional_policies = PoliciesField(help_text="Chosen by the customer, for each assignment.")
    # Shown once there is something to confirm.
    confirmed = forms.BooleanField(required=False, widget=forms.HiddenInput, label="Yes, change it")

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        license = self.instance if self.instance.pk else None
        providers = [license.provider_id] if license else providers_of(self.request)
        place = LicensePolicy.objects.filter(license=license, policy=OuterRef("pk")).values("position")
        offered = (
            Policy.objects.filter(application__provider__in=providers)
            .select_related("application__provider")
            .order_by(Coalesce(Subquery(place), 32767), Lower("application__name"), Lower("name"), "pk")
        )
        rows = license.license_policies.all() if license else []
        for name, is_default in [("default_policies", True), ("optional_policies", False)]:
            self.fields[name].queryset = offered
            self.initial[name] = [row.policy for row in rows if row.is_default is is_default]

    def write(self):
        default, optional = self.cleaned_data["default_policies"], self.cleaned_data["optional_policies"]
        consequences = _consequences(self.instance, default, optional) if self.instance.pk else ""
        license = super().write()
        services.set_license_policies(license, default=default, optional=optional, actor=self.request.actor)
        if consequences and not self.cleaned_data["confirmed"]:  # after the refusals, which come first
            self.fields["confirmed"].widget = forms.CheckboxInput()
            raise ValidationError({"confirmed": consequences})
        return license


def _consequences(license, default, optional):
    """Say who gains and loses what if these become the policies of a License, or "" where nobody does."""
    now = timezone.now()
    before = {row.policy: row.is_default for row in license.license_policies.all()}
    gained = [policy for policy in default if not before.get(policy)]
    lost = [policy for policy, is_default in before.items() if is_default and policy not in default]
    dropped = [policy for policy in before if policy not in [*default, *optional, *lost]]
    chosen = AssignmentPolicy.objects.filter(license=license, policy__in=dropped).count()
    allocations = list(license.allocations.live(now))
    parts = [f"they get {join_words(gained)}"] if gained and allocations else []
    parts += [f"they lose {join_words(lost)}"] if lost and allocations else []
    parts += [f"{count_words(chosen, 'assignment loses', 'assignments lose')} {join_words(dropped)}"] if chosen else []
    if not parts:
        return ""
    people = count_words(sum(count_reached(each, at=now) for each in allocations), "person", "people")
    organizations = count_words(len(allocations), "organization", "organizations")
    return (
        f"This license reaches {people} in {organizations} now. At once {join_words(parts)}. Tick this and save again."
    )


@admin.register(License)
class LicenseAdmin(CatalogueAdmin):
    form = LicenseForm
    fields = ["provider", "name", "description", "default_policies", "optional_policies", "confirmed"]
    readonly_fields = ["allocations"]
    list_display = ["name", "defaults", "optionals", "provider"]
    list_select_related = ["provider"]
    search_fields = ["name", "description"]
    ordering = [Lower("name"), "pk"]

    def get_queryset(self, request):
        rows = Prefetch("license_policies", LicensePolicy.objects.select_related("policy"))
        return super().get_queryset(request).prefetch_related(rows)

    def get_fields(self, request, obj=None):
        return [*super().get_fields(request, obj), *(["allocations"] if obj else [])]

    def tools(self, request, obj):
        return [(f"{reverse('admin:licensing_allocation_add')}?license={obj.pk}", "Allocate this license")]

    @admin.display(description="default policies")
    def defaults(self, license):
        return join_words(license.default_policies) or "none: it cannot be allocated yet"

    @admin.display(description="optional policies")
    def optionals(self, license):
        return join_words(license.optional_policies)

    @admin.display(description="allocated to")
    def allocations(self, license):
        allocations = license.allocations.order_by(Lower("organization__name"))
        return allocation_links(allocations, lambda each: each.organization, license__id__exact=license.pk) or "nobody"
