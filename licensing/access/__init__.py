"""The engine: who can use what, and why, every question about reach, answered at read time for an instant `at`.

An assignment *reaches* the active users it gives access to: the user it names, the members of its group, the people of
its unit and of the units below it, everybody. A *source* is the path by which something is reached. There is no table
of effective access and no cache: the first question after a commit sees the change.

sources: what can this person use, and why. decisions: may they do this, why or why not, until when. reach: who can use
this, and how many seats are in use. changes and previews: what would change if.
"""

from .decisions import Decision, Reason, Standing, Way, decide, judge, usable
from .reach import SeatUse, count_reached, giving, seats_in_use, seats_of, users_reached, who_can_use, without_license
from .sources import Source, by_application, by_license, sources_of

__all__ = [
    "Decision",
    "Reason",
    "SeatUse",
    "Source",
    "Standing",
    "Way",
    "by_application",
    "by_license",
    "count_reached",
    "decide",
    "giving",
    "judge",
    "seats_in_use",
    "seats_of",
    "sources_of",
    "usable",
    "users_reached",
    "who_can_use",
    "without_license",
]
