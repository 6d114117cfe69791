from functools import partial

from django import forms
from django.contrib import admin, messages
from django.contrib.admin import RelatedOnlyFieldListFilter
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ERROR_FLAG, ChangeList
from django.db.models import Q
from django.db.models.functions import Lower
from django.http import HttpResponseRedirect
from django.urls import path
from django.utils import timezone

from licensing import services
from licensing.access import changes, seats_in_use
from licensing.models import Allocation
from licensing.states import State
from portal.days import end_of, first_day, last_day, start_of, write_day
from portal.exports import stream_csv
from portal.fields import DayField
from portal.lists import clean_query
from portal.service_admin import Consequence, ServiceForm
from portal.text import count_words

from .allocate import AllocateMany
from .bulk import ActOnMany
from .consequences import Foreseen, foresee_dates, lines_of, over_text
from .listed import AttentionFilter, days_of, seats_text, status_text, with_seats
from .own import OwnAdmin, providers_of

ASLEEP = Consequence("=", "Its assignments are kept, asleep, and work again when you reinstate it.")


class SeatsField(forms.IntegerField):
    def __init__(self):
        super().__init__(
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


class AllocationForm(ServiceForm):
    """Changing one. What people would feel, and that it would be over its seats, is confirmed first."""

    seats = SeatsField()
    starts_at = DayField(label="First day")
    ends_at = DayField(label="Last day", help_text="This day is included. Empty: without end.")

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        with days_of(self.instance.organization):
            self.initial["starts_at"] = first_day(self.instance.starts_at)
            self.initial["ends_at"] = last_day(self.instance.ends_at)
        self.fields["starts_at"].required = True

    def clean(self):
        """Make instants of the days of the customer. One that was not changed keeps its time of the day."""
        values = super().clean()
        with days_of(self.instance.organization):
            for name, instant_of in [("starts_at", start_of), ("ends_at", end_of)]:
                day = values.pop(name, None)
                values[name] = instant_of(day) if name in self.changed_data else getattr(self.instance, name)
        return values

    def write(self):
        terms = {name: self.cleaned_data[name] for name in ("seats", "starts_at", "ends_at")}
        before = Allocation.objects.select_related("organization", "license").get(pk=self.instance.pk)
        now, over_before = timezone.now(), seats_in_use(before, at=timezone.now()).over
        dates = {before: (terms["starts_at"], terms["ends_at"])}
        # Of seats it would tell by the old number.
        foreseen = [each for each in lines_of(foresee_dates(dates, at=now)) if each.sign != "!"]
        with days_of(before.organization):
            allocation = services.change_allocation(before, **terms, actor=self.request.actor)
        use = seats_in_use(allocation, at=now)
        if use.over > over_before:
            foreseen.append(Consequence("!", over_text(allocation, use.used, use.seats)))
        self.ask_first(foreseen)
        return allocation


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


class CustomerFilter(admin.SimpleListFilter):
    """By its slug, written or chosen from the first of many: there may be thousands, too many for links."""

    title = "customer"
    parameter_name = "customer"
    template = "admin/licensing/allocation/customer_filter.html"
    OFFERED = 200

    def lookups(self, request, model_admin):
        own = Allocation.objects.filter(license__provider__in=providers_of(request))
        customers = own.order_by(Lower("organization__name")).values_list("organization__slug", "organization__name")
        return customers.distinct()[: self.OFFERED]

    def has_output(self):
        return True

    def queryset(self, request, queryset):
        return queryset.filter(organization__slug=clean_query(self.value())) if self.value() else queryset

    def choices(self, changelist):
        yield {
            "value": self.value() or "",
            "offered": self.lookup_choices,
            "others": [(k, v) for k, values in changelist.filter_params.items() for v in values if k != "customer"]
            + ([("q", changelist.query)] if changelist.query else []),
            "without": changelist.get_query_string(remove=[self.parameter_name]),
        }


class AllocationList(ChangeList):
    """A page of allocations knows the seats in use of all its rows, by one count."""

    def get_results(self, request):
        super().get_results(request)
        self.result_list = with_seats(self.result_list)


@admin.register(Allocation)
class AllocationAdmin(AllocateMany, ActOnMany, OwnAdmin):
    form = AllocationForm
    owner = "license__provider"
    can_add = can_change = True  # never deleted: cancelled, and reinstated
    fields = ["organization", "license", "seats", "starts_at", "ends_at", "status", "seats_used"]
    readonly_fields = ["organization", "license", "status", "seats_used"]
    list_display = ["license", "organization", "status", "seats_used", "first", "last", "license__provider"]
    list_filter = [AttentionFilter, StatusFilter, ("license", RelatedOnlyFieldListFilter), CustomerFilter]
    search_fields = ["license__name", "organization__name", "organization__slug"]
    search_help_text = "Search by the name of a license or customer, or its slug"
    ordering = [Lower("license__name"), Lower("organization__name")]
    list_max_show_all = 500
    CHUNK = 500  # rows of an export that are counted together

    def get_queryset(self, request):
        return super().get_queryset(request).select_related("license__provider", "organization")

    def get_changelist(self, request, **kwargs):
        return AllocationList

    def name_of(self, allocation):
        return f"{allocation} for {allocation.organization}"

    def response_change(self, request, obj):
        self.message_user(request, f"{self.name_of(obj)} was changed.", messages.SUCCESS)
        if "_continue" in request.POST:
            return HttpResponseRedirect(request.get_full_path())
        return self.response_post_save_change(request, obj)

    def render_change_form(self, request, context, *args, **kwargs):
        """Others are added on another page."""
        context["show_save_and_add_another"] = False
        return super().render_change_form(request, context, *args, **kwargs)

    def save_model(self, request, obj, form, change):
        if over := seats_in_use(obj, at=timezone.now()).over:
            people = count_words(over, "more person", "more people")
            verb = "has" if over == 1 else "have"
            self.message_user(
                request, f"Over by {over:,}: {people} {verb} this license than it has seats.", messages.WARNING
            )

    def get_urls(self):
        view = self.admin_site.admin_view
        views = [
            path(
                f"<path:object_id>/{name}/",
                view(partial(self.cancel_or_reinstate, name=name)),
                name=f"licensing_allocation_{name}",
            )
            for name in ("cancel", "reinstate")
        ]
        return [path("export/", view(self.export), name="licensing_allocation_export"), *views, *super().get_urls()]

    def list_tools(self, request):
        query = request.GET.urlencode()
        return [(f"{self.url('export')}?{query}" if query else self.url("export"), "Export as CSV")]

    def tools(self, request, obj):
        name = "reinstate" if obj.cancelled_at else "cancel"
        return [(self.url(name, obj.pk), f"{name.capitalize()} this allocation")]

    def cancel_or_reinstate(self, request, object_id, name):
        """Cancel or reinstate, after saying what that does."""
        do, done, foresee = {
            "cancel": (services.cancel, "cancelled", foresee_cancelling),
            "reinstate": (services.reinstate, "reinstated", foresee_reinstating),
        }[name]

        def consequences(allocation):
            with days_of(allocation.organization):
                return foresee(allocation, timezone.now())

        return self.confirm(
            request,
            object_id,
            act=name.capitalize(),
            title=lambda allocation: f"{name.capitalize()} {self.name_of(allocation)}?",
            consequences=consequences,
            do=do,
            done=lambda allocation: f"The allocation of {allocation} to {allocation.organization} was {done}.",
            is_loss=name == "cancel",
        )

    def export(self, request):
        """Send the list, as it is filtered and searched, as a file."""
        try:
            found = self.get_changelist_instance(request).get_queryset(request)
        except IncorrectLookupParameters:  # the list leads there, too
            return HttpResponseRedirect(self.url("changelist", **{ERROR_FLAG: 1}))
        header = [
            "License",
            "Organization",
            "Slug",
            "Status",
            "Seats used",
            "Seats",
            "Over by",
            "First day",
            "Last day",
        ]
        keys = list(found.values_list("pk", flat=True))

        def rows():
            for start in range(0, len(keys), self.CHUNK):
                page = self.get_queryset(request).in_bulk(keys[start : start + self.CHUNK])
                for each in with_seats(page[key] for key in keys[start : start + self.CHUNK] if key in page):
                    seats = "no limit" if each.seats is None else each.seats
                    yield [
                        each.license,
                        each.organization,
                        each.organization.slug,
                        self.status(each),
                        each.use.used,
                        seats,
                        each.use.over,
                        self.first(each),
                        self.last(each) or "none",
                    ]

        return stream_csv("allocations", header, rows())

    @admin.display(description="status")
    def status(self, allocation):
        return status_text(allocation, timezone.now())

    @admin.display(description="seats used", ordering="seats")
    def seats_used(self, allocation):
        use = getattr(allocation, "use", None) or seats_in_use(allocation, at=timezone.now())
        later = f" ({use.later:,} of them from a later day)" if use.later else ""
        return seats_text(allocation, use) + later

    @admin.display(description="first day", ordering="starts_at")
    def first(self, allocation):
        with days_of(allocation.organization):
            return write_day(first_day(allocation.starts_at))

    @admin.display(description="last day", ordering="ends_at", empty_value="none")
    def last(self, allocation):
        with days_of(allocation.organization):
            return allocation.ends_at and write_day(last_day(allocation.ends_at))


def foresee_cancelling(allocation, at):
    services.require_not_cancelled(allocation)
    felt = Foreseen(changes.cancelling(allocation, at=at)).consequences
    return [*(felt or [Consequence("=", "Nobody has access through it now.")]), ASLEEP]


def foresee_reinstating(allocation, at):
    services.require_cancelled(allocation)
    felt = Foreseen(changes.reinstating(allocation, at=at)).consequences
    allocation.cancelled_at = None  # as it would be; nothing is saved
    state = allocation.state(at)
    if state is State.ENDED:
        ended = write_day(last_day(allocation.ends_at))
        return [Consequence("=", f"It ended on {ended}, so nobody gets access until its last day is changed.")]
    if state is State.SCHEDULED:
        starts = write_day(first_day(allocation.starts_at))
        felt.insert(0, Consequence("=", f"It starts on {starts}; its assignments work from then on."))
    return felt or [Consequence("=", "It reaches nobody, so nobody gets access by this.")]
