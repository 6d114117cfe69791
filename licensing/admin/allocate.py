"""Allocating: one or many licenses to one or many organizations, on one page, and what became of each."""

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AutocompleteSelectMultiple
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models.functions import Lower
from django.http import HttpResponseRedirect
from django.template.response import TemplateResponse

from directory.models import Organization
from licensing import services
from licensing.models import Allocation, License
from portal.days import end_of, start_of
from portal.fields import DayField, ThingsField, is_key
from portal.lists import clean_query
from portal.modals import add_error
from portal.text import fold, join_some
from portal.transactions import do_each

from .catalogue import Checkboxes
from .listed import days_of
from .own import providers_of

MOST = 500  # allocations at once


class CustomersWidget(AutocompleteSelectMultiple):
    def optgroups(self, name, value, attr=None):
        """Show what was sent again, but for what is no key: Django would not survive it."""
        return super().optgroups(name, list(filter(is_key, value)), attr)


class AllocateForm(forms.Form):
    required_css_class = "required"
    licenses = ThingsField(License.objects.none(), widget=Checkboxes, error_messages={"required": "Choose a license."})
    customers = ThingsField(
        Organization.objects.none(), required=False, help_text="Organizations that have a license of yours, or are new."
    )
    # By its slug only: a list to choose from would show every customer of every provider.
    others = forms.CharField(
        required=False,
        label="Organizations by slug",
        widget=forms.Textarea({"rows": 3, "class": "vLargeTextField"}),
        help_text="One a line, or with commas between. Ask the customer for it; it must be exact.",
    )
    starts_at = DayField(label="First day", help_text="Empty: now.")
    ends_at = DayField(label="Last day", help_text="This day is included. Empty: without end.")

    def __init__(self, *args, request, customers, seats, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["seats"] = seats
        own = License.objects.filter(provider__in=providers_of(request)).select_related("provider")
        self.fields["licenses"].queryset = own.order_by(Lower("name"), "pk")
        if len(providers_of(request)) > 1:
            self.fields["licenses"].label_from_instance = lambda license: f"{license} ({license.provider})"
        self.fields["customers"].queryset = customers
        self.fields["customers"].widget = CustomersWidget(
            Allocation._meta.get_field("organization"), admin.site, choices=self.fields["customers"].choices
        )
        self.order_fields(["licenses", "customers", "others", "seats", "starts_at", "ends_at"])

    def clean_others(self):
        slugs = list(dict.fromkeys(self.cleaned_data["others"].replace(",", " ").split()))
        if len(slugs) > MOST:
            raise ValidationError(f"Write at most {MOST} slugs at once.")
        found = {organization.slug: organization for organization in Organization.objects.filter(slug__in=slugs)}
        if unknown := [slug for slug in slugs if slug not in found]:
            written = join_some([f"“{slug}”" for slug in unknown], limit=10, last="or")
            raise ValidationError(f"No organization has the slug {written}. Ask the customer; it must be exact.")
        return [found[slug] for slug in slugs]

    def clean(self):
        values = super().clean()
        if {"licenses", "customers", "others"} <= values.keys():
            organizations = list(dict.fromkeys([*values["customers"], *values["others"]]))
            if not organizations:
                raise ValidationError({"others": "Choose an organization, or write the slug of one."})
            values["pairs"] = [
                (license, organization) for organization in organizations for license in values["licenses"]
            ]
            if len(values["pairs"]) > MOST:
                raise ValidationError(f"These are {len(values['pairs']):,} allocations. Make at most {MOST} at once.")
        return values

    def allocate(self, actor):
        """Allocate each; returns [Done] of (license, organization) pairs."""
        values = self.cleaned_data

        def one(pair):
            license, organization = pair
            with days_of(organization):  # whose days they are
                dates = {"starts_at": start_of(values["starts_at"]), "ends_at": end_of(values["ends_at"])}
                return services.allocate(
                    license, organization=organization, seats=values["seats"], **dates, actor=actor
                )

        # In one order for all: two at once would wait for each other.
        done = do_each(sorted(values["pairs"], key=lambda pair: (pair[1].pk, pair[0].pk)), one)
        return sorted(done, key=lambda each: (fold(each.thing[1].name), each.thing[0].sort_key))


class AllocateMany:
    """The page on which an AllocationAdmin adds."""

    def add_view(self, request, form_url="", extra_context=None):
        if not self.has_add_permission(request):
            raise PermissionDenied
        customers = self.admin_site.get_model_admin(Organization).get_queryset(request)
        form = AllocateForm(
            request.POST if request.method == "POST" else None,
            initial=_asked_for(request, customers),
            request=request,
            customers=customers,
            seats=self.form.base_fields["seats"],
        )
        done = []
        if form.is_valid():
            try:
                done = form.allocate(request.actor)
            except ValidationError as error:  # somebody changed the same at the same moment
                add_error(form, error)
            if len(done) == 1 and done[0].error:
                add_error(form, done[0].error)
                done = []
            elif len(done) == 1:
                self.message_user(request, f"{done[0].result} was allocated to {done[0].result.organization}.")
                return HttpResponseRedirect(self.url("change", done[0].result.pk))
        context = {
            **self.admin_site.each_context(request),
            "title": "Allocate licenses",
            "opts": self.opts,
            "form": form,
            "done": done,
            "number_done": sum(not each.refusal for each in done),
            "media": self.media + form.media,
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "admin/licensing/allocation/allocate.html", context)


def _asked_for(request, customers):
    """Return what the page that led here has chosen: ?license=… of its own, ?organization=…, a slug."""
    slugs = [clean_query(slug) for slug in request.GET.getlist("organization")]
    own = list(customers.filter(slug__in=slugs))
    others = [slug for slug in slugs if slug not in {each.slug for each in own}]
    return {"licenses": request.GET.getlist("license"), "customers": own, "others": "\n".join(others)}
