"""What a change will do to customers, as a provider is told it: how many people of which organizations, never who."""

from collections import defaultdict
from contextlib import nullcontext
from functools import cached_property

from directory.models import Organization
from licensing.access import changes, seats_of
from licensing.access.previews import count_effects
from licensing.models import Allocation
from portal.days import first_day, write_day
from portal.service_admin import Consequence
from portal.text import count_words

from .listed import days_of

SHOWN = 50  # lines; of more the rest is summed up


class Foreseen:
    """The effects of a Change (licensing.access.changes) in numbers."""

    def __init__(self, change, *, is_later=False):
        """is_later: the instant of the Change is yet to come, so its day is said."""
        self.change, self.preview, self.is_later = change, count_effects(change), is_later

    @cached_property
    def only(self):
        """The Organization that it is about, where that is one."""
        keys = self.change.organizations
        return Organization.objects.get(pk__in=keys) if len(keys) == 1 else None

    @property
    def consequences(self):
        """The Consequences, what takes something first; [] where nobody feels it and no seats run out."""
        lines = [
            Consequence(sign, self._says(effect, sign))
            for sign in "-+="
            for effect in self.preview.effects
            if sign in effect.numbers and self._tells(effect)
        ]
        lines += [Consequence("!", says) for says in self._over()]
        more = len(lines) - SHOWN
        return [*lines[:SHOWN], Consequence("=", f"And so on: {more:,} more.")] if more > 0 else lines

    def _tells(self, effect):
        """Whether it says something: a default policy that comes and goes with one license does not."""
        return isinstance(effect.thing, Allocation) or self._by_default[effect.thing] != [effect.numbers]

    @cached_property
    def _by_default(self):
        """What happens to the licenses that a policy is a default one of: {policy: [numbers]}."""
        found = defaultdict(list)
        for effect in self.preview.effects:
            if isinstance(effect.thing, Allocation):
                for policy in effect.thing.license.default_policies:
                    found[policy].append(effect.numbers)
        return found

    def _says(self, effect, sign):
        thing, number = effect.thing, effect.numbers[sign]
        is_license = isinstance(thing, Allocation)
        organizations = count_words(effect.organizations[sign], "organization", "organizations")
        where = (
            f"of {thing.organization if is_license else self.only}"
            if is_license or self.only
            else f"in {organizations}"
        )
        one, many = {"-": ("loses", "lose"), "+": ("gets", "get"), "=": ("keeps", "keep")}[sign]
        if sign == "=" and effect.gains:
            one, many = "has", "have"
        verb = "can no longer use" if sign == "-" and is_license else one if number == 1 else many
        is_through_other = sign == "=" and (is_license or effect.gains or effect.loses)
        other = " through something else" if is_through_other else ""
        when = self._when(thing.organization if is_license else self.only)
        return f"{when}{count_words(number, 'person', 'people')} {where} {verb} {thing}{other}."

    def _when(self, organization):
        """Say from which day on, as the Organization counts days, or the reader for many."""
        if not self.is_later:
            return ""
        with days_of(organization) if organization else nullcontext():
            return f"From {write_day(first_day(self.change.at))} on "

    def _over(self):
        """Say of which allocations more people will use seats than there are, where that was not so before."""
        more = {allocation: number for allocation, number in self.preview.seats.items() if number > 0}
        before = seats_of(Allocation.objects.filter(pk__in=[allocation.pk for allocation in more]), at=self.change.at)
        for allocation, number in more.items():
            if (used := before[allocation.pk].used + number) > allocation.seats:
                yield over_text(allocation, used, allocation.seats)

    @property
    def by_allocation(self):
        """What each Allocation of it does: {pk: "4 people can no longer use it"}."""
        said = {}
        for effect in self.preview.effects:
            if isinstance(effect.thing, Allocation):
                loses, gains = (count_words(number, "person", "people") for number in (effect.loses, effect.gains))
                parts = [f"{loses} can no longer use it"] if effect.loses else []
                parts += [f"{gains} can use it again"] if effect.gains else []
                when = self._when(effect.thing.organization).replace("From", "from")
                said |= {effect.thing.pk: f"{when}{', '.join(parts)}"} if parts else {}
        return said


def foresee_dates(dates, *, at):
    """Return the Foreseen of new dates of Allocations, {allocation: (starts_at, ends_at)}: now, and at each new end."""
    later = [Foreseen(change, is_later=True) for change in changes.ending_later(dates, at=at)]
    return [Foreseen(changes.changing_allocations(dates, at=at)), *later]


def lines_of(foreseen):
    """Return the Consequences of several Foreseen."""
    return [line for each in foreseen for line in each.consequences]


def over_text(allocation, used, seats):
    return (
        f"{allocation.organization} will be over its {count_words(seats, 'seat', 'seats')} of {allocation} by "
        f"{used - seats:,}: {used:,} are in use. Nobody loses anything by that."
    )
