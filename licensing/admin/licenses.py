"""Licenses: their policies in one table, in order, and how customers will see that."""

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Count, OuterRef, Prefetch, Subquery
from django.db.models.functions import Coalesce, Lower
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from licensing import services
from licensing.access import changes
from licensing.models import AssignmentPolicy, License, LicensePolicy, Policy
from portal.service_admin import Consequence
from portal.text import count_words, join_words

from .catalogue import CatalogueAdmin, CatalogueForm
from .consequences import Foreseen
from .listed import allocation_list
from .own import providers_of

KINDS = {"": "Not in it", "default": "Default", "optional": "Optional"}


class PoliciesWidget(forms.Widget):
    """A row for each policy that is offered: whether it is default or optional, and its place."""

    use_fieldset = True
    policies = ()  # the field sets it

    def value_from_datadict(self, data, files, name):
        """Return {key of a policy: (kind, place)} as it was sent, of every policy that something is said of."""
        start = f"{name}-kind-"
        keys = [key.removeprefix(start) for key in data if key.startswith(start)]
        return {key: (data[start + key], data.get(f"{name}-place-{key}", "")) for key in keys}

    def value_omitted_from_data(self, data, files, name):
        return False

    def render(self, name, value, attrs=None, renderer=None):
        value = value or {}
        rows = [(policy, *value.get(str(policy.pk), ("", ""))) for policy in self.policies]
        context = {"name": name, "rows": rows, "kinds": KINDS.items(), "id": (attrs or {}).get("id", name)}
        return render_to_string("admin/licensing/license/policies.html", context)


class PoliciesField(forms.Field):
    """Policies with their kind, in their order; cleaned to ([default], [optional])."""

    widget = PoliciesWidget

    def offer(self, policies):
        self.policies = self.widget.policies = list(policies)

    def clean(self, value):
        offered = {str(policy.pk): policy for policy in self.policies}
        chosen = {key: said for key, said in value.items() if said[0]}
        if any(key not in offered or kind not in KINDS for key, (kind, _) in chosen.items()):
            raise ValidationError("A policy you chose is not there any more. Choose again.", code="gone")
        places = {key: self._place(place) for key, (_, place) in chosen.items()}
        order = sorted(
            chosen, key=lambda key: (places[key], self._stood_at(key) == places[key], list(offered).index(key))
        )
        return tuple([offered[key] for key in order if chosen[key][0] == kind] for kind in ("default", "optional"))

    def has_changed(self, initial, data):
        return {k: v for k, v in data.items() if v[0]} != (initial or {})

    def _stood_at(self, key):
        """Where it was: of two with the same place, the one that was moved there comes first."""
        return self._place((self.initial or {}).get(key, ("", ""))[1])

    @staticmethod
    def _place(text):
        text = text.strip()
        if text and not (text.isascii() and text.isdecimal() and len(text) < 5):
            raise ValidationError("Write places as whole numbers: 1, 2, 3.", code="place")
        return int(text) if text else 9999  # last


class LicenseForm(CatalogueForm):
    class Meta:
        help_texts = {"description": "Customers read it: what it is for."}

    contents = PoliciesField(
        label="Policies",
        help_text="Default policies come with every assignment, as they are at any moment. Optional ones are chosen by "
        "the customer, for each assignment. Places say in which order customers read them; without one: last.",
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        license = self.instance if self.instance.pk else None
        providers = [license.provider_id] if license else providers_of(self.request)
        place = LicensePolicy.objects.filter(license=license, policy=OuterRef("pk")).values("position")
        field = self.fields["contents"]
        field.offer(
            Policy.objects.filter(application__provider__in=providers)
            .select_related("application__provider")
            .order_by(Coalesce(Subquery(place), 32767), Lower("application__name"), Lower("name"), "pk")
        )
        rows = license.license_policies.all() if license else []
        field.initial = self.initial["contents"] = {
            str(row.policy_id): ("default" if row.is_default else "optional", str(place))
            for place, row in enumerate(rows, start=1)
        }

    def write(self):
        default, optional = self.cleaned_data["contents"]
        foreseen = _foresee(self.instance, default, optional) if self.instance.pk else []
        license = super().write()
        services.set_license_policies(license, default=default, optional=optional, actor=self.request.actor)
        self.ask_first(foreseen)
        if "_preview" in self.data:
            self.is_preview = True
            raise ValidationError("Nothing is saved yet. Below stands how customers will see it.", code="preview")
        return license

    @property
    def preview(self):
        """What customers will read: of what is in the form where that can be saved, else of what is saved."""
        values = getattr(self, "cleaned_data", {})
        rows = self.instance.license_policies.all() if self.instance.pk else []
        default = [row.policy for row in rows if row.is_default]
        optional = [row.policy for row in rows if not row.is_default]
        default, optional = values.get("contents", (default, optional))
        return {
            "name": values.get("name", self.instance.name),
            "description": values.get("description", self.instance.description),
            "default": default,
            "optional": optional,
            "applications": list(dict.fromkeys(policy.application for policy in [*default, *optional])),
        }


def _foresee(license, default, optional):
    """Return the Consequences if these become the policies of a License."""
    foreseen = Foreseen(changes.changing_policies(license, default, optional, at=timezone.now())).consequences
    before = [row.policy for row in license.license_policies.all() if not row.is_default]
    gone = [policy for policy in before if policy not in optional]
    chosen = AssignmentPolicy.objects.filter(license=license, policy__in=gone)
    numbers = chosen.aggregate(assignments=Count("assignment", distinct=True), of=Count("organization", distinct=True))
    if numbers["assignments"]:
        assignments = count_words(numbers["assignments"], "assignment", "assignments")
        verb = "has" if numbers["assignments"] == 1 else "have"
        organizations = count_words(numbers["of"], "organization", "organizations")
        names = join_words(chosen.order_by("policy__name").values_list("policy__name", flat=True).distinct())
        says = f"{assignments} in {organizations} {verb} {names} chosen. That choice is deleted for good."
        foreseen.append(Consequence("!", says))
    return foreseen


@admin.register(License)
class LicenseAdmin(CatalogueAdmin):
    form = LicenseForm
    fields = ["provider", "name", "description", "contents"]
    readonly_fields = ["allocations"]
    list_display = ["name", "defaults", "optionals", "allocated", "provider"]
    list_select_related = ["provider"]
    search_fields = ["name", "description"]
    search_help_text = "Search by name or description"
    ordering = [Lower("name"), "pk"]

    def get_queryset(self, request):
        rows = Prefetch("license_policies", LicensePolicy.objects.select_related("policy__application"))
        counted = super().get_queryset(request).annotate(customers=Count("allocations"))
        return counted.prefetch_related(rows)

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

    @admin.display(description="customers", ordering="customers")
    def allocated(self, license):
        return f"{license.customers:,}"

    @admin.display(description="allocated to")
    def allocations(self, license):
        allocations = license.allocations.order_by(Lower("organization__name"))
        return allocation_list(allocations, lambda each: each.organization, license__id__exact=license.pk) or "nobody"
