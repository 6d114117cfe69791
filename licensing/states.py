from dataclasses import dataclass
from enum import StrEnum

from portal.days import first_day, last_day, write_day

SOON = 30  # days before its end from which something is said to end soon


class State(StrEnum):
    """Where an allocation or an assignment stands at an instant."""

    LIVE = "live"
    SCHEDULED = "scheduled"
    ENDED = "ended"
    CANCELLED = "cancelled"  # of allocations only; like ended, but it can be taken back


def state_of(starts_at, ends_at, at):
    """Return the State at the instant `at` of what is live while starts_at <= at < ends_at (None: open)."""
    if ends_at is not None and ends_at <= at:
        return State.ENDED
    if starts_at is not None and starts_at > at:
        return State.SCHEDULED
    return State.LIVE


@dataclass(frozen=True)
class Status:
    """A State in words, for a page. look: one of live, scheduled, soon, ended, off (the status component)."""

    state: State
    look: str
    text: str


INACTIVE = Status(State.ENDED, "off", "Not in effect: inactive")  # an inactive user is reached by nothing


def status_of(state, starts_at, ends_at, at):
    """Return the Status of something in the State, with these dates, at the instant."""
    if state is State.CANCELLED:
        return Status(state, "off", "Not in effect: cancelled")
    if state is State.ENDED:
        return Status(state, "ended", f"Ended {write_day(last_day(ends_at))}")
    if state is State.SCHEDULED:
        return Status(state, "scheduled", f"Starts {write_day(first_day(starts_at))}")
    days = None if ends_at is None else (last_day(ends_at) - first_day(at)).days
    if days is None or days > SOON:
        return Status(state, "live", "Live")
    return Status(state, "soon", f"Ends {in_days(days)}")


def in_days(days):
    """Return when that is, from today, as one says it."""
    return {0: "today", 1: "tomorrow"}.get(days, f"in {days} days")
