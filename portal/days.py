"""People think in days, the portal in instants: a start day begins at midnight, an end day is included whole.

Days are those of the current time zone, which the middleware sets to the organization's.
"""

from datetime import datetime, time, timedelta

from django.utils import timezone


def start_of(day):
    """Return the instant at which the day begins (date -> aware datetime; None stays None)."""
    return day and timezone.make_aware(datetime.combine(day, time.min))


def end_of(day):
    """Return the instant at which the day is over: the start of the next (date -> aware datetime; None stays None)."""
    return day and start_of(day + timedelta(days=1))


def first_day(instant):
    """Return the day on which a period that starts at the instant begins (None stays None)."""
    return instant and timezone.localtime(instant).date()


def last_day(instant):
    """Return the last day of a period that ends at the instant, which is not part of it (None stays None)."""
    return instant and timezone.localtime(instant - timedelta(microseconds=1)).date()


def write_day(day):
    """Return the day as people read it: "1 Jan 2027"."""
    return f"{day.day} {day:%b %Y}"
