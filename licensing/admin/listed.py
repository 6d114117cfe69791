"""How allocations stand in lists: their state and seats in words, and which of them a provider looks after."""

from datetime import timedelta

from django.contrib import admin
from django.db.models import Exists, OuterRef
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.http import urlencode

from licensing.access import seats_of
from licensing.models import Allocation, Assignment


def status_text(allocation, at):
    with days_of(allocation.organization):
        return allocation.status(at).text


def seats_text(allocation, use):
    """Return how many seats of an Allocation are used (its SeatUse), in words: "30 of 25, over by 5"."""
    if allocation.seats is None:
        return f"{use.used:,}, no limit"
    return f"{use.used:,} of {allocation.seats:,}" + (f", over by {use.over:,}" if use.over else "")


def days_of(organization):
    """Return a context within which days are those of the customer, whoever looks."""
    return timezone.override(organization.tz)


def with_seats(allocations):
    """Return Allocations (any, not too many) as a list, each with its SeatUse as `use`."""
    rows = list(allocations)
    uses = seats_of(Allocation.objects.filter(pk__in=[row.pk for row in rows]), at=timezone.now())
    for row in rows:
        row.use = uses[row.pk]
    return rows


SHOWN = 20


def allocation_list(allocations, name_of, **everything):
    """Return the first Allocations (a QuerySet) as links, one a line. everything: the filter of the list of all."""
    now = timezone.now()
    rows = with_seats(allocations.select_related("license", "organization")[: SHOWN + 1])
    lines = format_html_join(
        "",
        '<a href="{}">{}</a>: {}, seats used: {}<br>',
        (
            (
                reverse("admin:licensing_allocation_change", args=[each.pk]),
                name_of(each),
                status_text(each, now),
                seats_text(each, each.use),
            )
            for each in rows[:SHOWN]
        ),
    )
    url = f"{reverse('admin:licensing_allocation_changelist')}?{urlencode(everything)}"
    more = format_html('<a href="{}">All of them</a>', url) if len(rows) > SHOWN else ""
    return format_html("{}{}", lines, more)


class AttentionFilter(admin.SimpleListFilter):
    """What a provider looks after, of what is not over."""

    title = "what to look after"
    parameter_name = "attention"
    SOON = 60  # days

    def lookups(self, request, model_admin):
        return [
            ("ending", f"Ends within {self.SOON} days"),
            ("over", "Over its seats"),
            ("unused", "Assigned to nobody"),
        ]

    def queryset(self, request, queryset):
        return self.among(queryset, self.value(), timezone.now()) if self.value() in ATTENTION else queryset

    @classmethod
    def among(cls, allocations, what, at):
        """Return those of the Allocations (a QuerySet) that are `what`: ending, over or unused."""
        assignable = allocations.assignable(at)
        if what == "ending":
            return assignable.filter(ends_at__lte=at + timedelta(days=cls.SOON))
        if what == "unused":
            return assignable.filter(~Exists(Assignment.objects.filter(allocation=OuterRef("pk"))))
        uses = seats_of(assignable.exclude(seats=None), at=at)
        return allocations.filter(pk__in=[pk for pk, use in uses.items() if use.over])


ATTENTION = ("ending", "over", "unused")
