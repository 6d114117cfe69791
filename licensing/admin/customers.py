from functools import partial

from django import forms
from django.contrib import admin, messages
from django.contrib.admin import RelatedOnlyFieldListFilter
from django.contrib.admin.utils import unquote
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.db.models.functions import Lower
from django.urls import path, reverse
from django.utils import timezone

from directory import services as directory
from directory.models import Organization
from licensing import services
from licensing.access import count_reached, seats_in_use
from licensing.models import Allocation
from licensing.states import State
from portal.days import end_of, first_day, last_day, start_of, write_day
from portal.fields import DayField
from portal.service_admin import ServiceForm
from portal.text import count_words

from .own import OwnAdmin, allocation_links, days_of, providers_of, status_text

# Organizations -------------------------------------------------------------------------------------------------------


class OrganizationForm(ServiceForm):
    def write(self):
        return directory.create_organization(**self.cleaned_data, actor=self.request.actor)


@admin.register(Organization)
class OrganizationAdmin(OwnAdmin):
    """Customers. A provider's staff sees those that have or had an allocation of theirs; of their people, numbers."""

    form = OrganizationForm
    owner = "allocations__license__provider"
    fields = ["name", "slug", "time_zone"]
    readonly_fields = ["active_people", "groups", "units", "allocations"]
    prepopulated_fields = {"slug": ["name"]}
    list_display = ["name", "slug", "time_zone"]
    search_fields = ["name", "slug"]
    ordering = [Lower("name"), "pk"]

    def has_add_permission(self, request):
        return request.user.is_superuser

    def get_queryset(self, request):
        everybody = super(OwnAdmin, self).get_queryset(request)
        if request.user.is_superuser:
            return everybody
        return everybody.filter(pk__in=self._own_allocations(request).values("organization"))

    def get_list_filter(self, request):
        return []

    def get_fields(self, request, obj=None):
        return [*self.fields, *self.readonly_fields] if obj else self.fields

    def get_object(self, request, object_id, from_field=None):
        organization = super().get_object(request, object_id, from_field)
        if organization:
            organization.own_allocations = self._own_allocations(request).filter(organization=organization)
        return organization

    def _own_allocations(self, request):
        return Allocation.objects.filter(license__provider__in=providers_of(request))

    def tools(self, request, obj):
        return [(f"{reverse('admin:licensing_allocation_add')}?organization={obj.slug}", "Add allocation")]

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
    def allocations(self, organization):
        allocations = organization.own_allocations.order_by(Lower("license__name"))
        return allocation_links(allocations, lambda each: each.license, q=organization.slug) or "none"


# Allocations ---------------------------------------------------------------------------------------------------------


class AllocationForm(ServiceForm):
    # By its slug only: a list to choose from would show every customer of every provider.
    organization = forms.CharField(
        label="Organization (slug)", max_length=50, help_text="Ask the customer for it. It must be exact."
    )
    seats = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=10_000_000,
        help_text="How many people. Empty: no limit.",
        error_messages={
            "invalid": "Write a number, or nothing for no limit.",
            "min_value": "Write 1 or more, or nothing for no limit.",
            "max_value": "Write at most 10,000,000, or nothing for no limit.",
        },
    )
    starts_at = DayField(label="First day", help_text="Empty: now.")
    ends_at = DayField(label="Last day", help_text="This day is included. Empty: without end.")

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if not self.instance.pk:
            return
        with days_of(self.instance.organization):
            self.initial["starts_at"] = first_day(self.instance.starts_at)
            self.initial["ends_at"] = last_day(self.instance.ends_at)
        self.fields["starts_at"].required, self.fields["starts_at"].help_text = True, ""

    def clean_organization(self):
        slug = self.cleaned_data["organization"]
        organization = Organization.objects.filter(slug=slug).first()
        if organization is None:
            raise ValidationError(f"No organization has the slug “{slug}”. Ask the customer; it must be exact.")
        return organization

    def clean(self):
        """Make instants of the days of the customer. One that was not changed keeps its time of the day."""
        values = super().clean()
        organization = self.instance.organization if self.instance.pk else values.get("organization")
        for name, instant_of in [("starts_at", start_of), ("ends_at", end_of)]:
            day = values.pop(name, None)
            if organization is None:
                continue
            if name not in self.changed_data:
                values[name] = getattr(self.instance, name)
            else:
                with days_of(organization):
                    values[name] = instant_of(day)
        return values

    def write(self):
        allocation, values = self.instance, self.cleaned_data
        terms = {name: values[name] for name in ("seats", "starts_at", "ends_at")}
        with days_of(allocation.organization):
            if allocation.pk:
                return services.change_allocation(allocation, **terms, actor=self.request.actor)
            organization = allocation.organization
            return services.allocate(allocation.license, organization=organization, **terms, actor=self.request.actor)


class StatusFilter(admin.SimpleListFilter):
    title = "status"
    parameter_name = "status"

    def lookups(self, request, model_admin):
        return [(state.value, state.value.capitalize()) for state in State]

    def queryset(self, request, queryset):
        now = timezone.now()
        conditions = {
            State.CANCELLED: Q(cancelled_at__isnull=False),
            State.ENDED: Q(cancelled_at=None, ends_at__lte=now),
            State.SCHEDULED: Q(cancelled_at=None, starts_at__gt=now),
        }
        if self.value() == State.LIVE:
            return queryset.live(now)
        return queryset.filter(conditions.get(self.value(), Q()))


@admin.register(Allocation)
class AllocationAdmin(OwnAdmin):
    form = AllocationForm
    owner = "license__provider"
    can_add = can_change = True  # never deleted: cancelled, and reinstated
    fields = ["organization", "license", "seats", "starts_at", "ends_at"]
    list_display = ["license", "organization", "status", "seats_allocated", "first", "last", "license__provider"]
    list_filter = [
        StatusFilter,
        ("license", RelatedOnlyFieldListFilter),
        ("organization", RelatedOnlyFieldListFilter),
    ]
    search_fields = ["license__name", "organization__name", "organization__slug"]
    ordering = [Lower("license__name"), Lower("organization__name")]

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("license__provider", "organization")

    def get_fields(self, request, obj=None):
        return [*self.fields, "status", "seats_used"] if obj else self.fields

    def get_readonly_fields(self, request, obj=None):
        return ["organization", "license", "status", "seats_used"] if obj else []

    def change_view(self, request, object_id, form_url="", extra_context=None):
        allocation = self.get_object(request, unquote(object_id))
        subtitle = f"{allocation} for {allocation.organization}" if allocation else None
        return super().change_view(request, object_id, form_url, {"subtitle": subtitle})

    def save_model(self, request, obj, form, change):
        if over := seats_in_use(obj, at=timezone.now()).over:
            people = count_words(over, "more person", "more people")
            verb = "has" if over == 1 else "have"
            self.message_user(
                request, f"Over by {over:,}: {people} {verb} this license than it has seats.", messages.WARNING
            )

    def get_urls(self):
        views = [
            path(
                f"<path:object_id>/{name}/",
                self.admin_site.admin_view(partial(self.cancel_or_reinstate, name=name)),
                name=f"licensing_allocation_{name}",
            )
            for name in ("cancel", "reinstate")
        ]
        return views + super().get_urls()

    def tools(self, request, obj):
        name = "reinstate" if obj.cancelled_at else "cancel"
        return [(self.url(name, obj.pk), f"{name.capitalize()} this allocation")]

    def cancel_or_reinstate(self, request, object_id, name):
        """Cancel or reinstate, after saying what that does."""
        do, done, say = {
            "cancel": (services.cancel, "cancelled", _consequence_of_cancelling),
            "reinstate": (services.reinstate, "reinstated", _consequence_of_reinstating),
        }[name]

        def consequence(allocation):
            with days_of(allocation.organization):
                return say(allocation, timezone.now())

        return self.confirm(
            request,
            object_id,
            act=name.capitalize(),
            title=lambda allocation: f"{name.capitalize()} {allocation} for {allocation.organization}?",
            consequence=consequence,
            do=do,
            done=lambda allocation: f"The allocation of {allocation} to {allocation.organization} was {done}.",
            is_loss=name == "cancel",
        )

    @admin.display(description="status")
    def status(self, allocation):
        return status_text(allocation, timezone.now())

    @admin.display(description="seats", ordering="seats")
    def seats_allocated(self, allocation):
        return "no limit" if allocation.seats is None else f"{allocation.seats:,}"

    @admin.display(description="first day", ordering="starts_at")
    def first(self, allocation):
        with days_of(allocation.organization):
            return write_day(first_day(allocation.starts_at))

    @admin.display(description="last day", ordering="ends_at", empty_value="none")
    def last(self, allocation):
        with days_of(allocation.organization):
            return allocation.ends_at and write_day(last_day(allocation.ends_at))

    @admin.display(description="seats in use")
    def seats_used(self, allocation):
        use = seats_in_use(allocation, at=timezone.now())
        later = f", {use.later:,} of them from a later day" if use.later else ""
        return f"{use.used:,}{later}" + (f" (over by {use.over:,})" if use.over else "")


def _consequence_of_cancelling(allocation, at):
    people = count_reached(allocation, at=at) if allocation.state(at) is State.LIVE else 0
    now = (
        f"At once {count_words(people, 'person loses', 'people lose')} what they have through it."
        if people
        else "Nobody has access through it now."
    )
    return f"{now} Its assignments are kept, asleep, and work again when you reinstate it."


def _consequence_of_reinstating(allocation, at):
    allocation.cancelled_at = None  # as it would be; nothing is saved
    state = allocation.state(at)
    if state is State.ENDED:
        ended = write_day(last_day(allocation.ends_at))
        return f"It ended on {ended}, so nobody gets access until its last day is changed."
    people = count_reached(allocation, at=at) if state is State.LIVE else 0
    now = (
        f"At once {count_words(people, 'person has', 'people have')} access through it again."
        if state is State.LIVE
        else f"It starts on {write_day(first_day(allocation.starts_at))}; its assignments work from then on."
    )
    over = seats_in_use(allocation, at=at).over
    return f"{now} It will be over its seats by {over:,}." if over else now
