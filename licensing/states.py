from enum import StrEnum


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
