"""What a change will do, as a dialog says it before the button."""

from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256

from django.core import signing
from django.utils import timezone

from portal.days import first_day, write_day
from portal.text import count_words, join_some

from .access import seats_of, sources_of
from .access.previews import Change, affected, preview
from .kinds import USERS
from .models import Allocation

NAMES_SHOWN, MOST_NAMES_SHOWN = 50, 500
MOST_WAYS = 5  # that a line names


@dataclass(frozen=True)
class Line:
    """One line of a ledger: whom a change gives something, takes it from, or leaves it."""

    key: str  # by which its names are asked for
    sign: str  # gain, loss or empty
    says: str
    people: list  # the first Users by name: a few, or as many as were asked for
    more: int  # how many there are besides
    is_open: bool
    sources: list  # for who keeps something: through what


class Ledger:
    """The lines of a Change, and what it does to seats. names: the key of the line whose names are asked for."""

    def __init__(self, change: Change, names="", gone=lambda source: False):
        """gone: whether a Source will be there no more."""
        self.change, self.gone = change, gone
        self.opened, _, shown = names.partition(":")
        self.names_shown = min(int(shown) if shown.isdecimal() and len(shown) < 5 else NAMES_SHOWN, MOST_NAMES_SHOWN)
        self.preview = preview(change)

    @cached_property
    def effects(self):
        """The Effects that say something: that of a default policy which comes and goes with one license does not."""
        by_default = defaultdict(list)
        for effect in self.preview.effects:
            if isinstance(effect.thing, Allocation):
                for policy in effect.thing.license.default_policies:
                    by_default[policy].append(effect.numbers)
        return [effect for effect in self.preview.effects if by_default.get(effect.thing) != [effect.numbers]]

    @cached_property
    def lines(self):
        keepers = {user for effect in self.effects for user in effect.people.get("=", [])}
        sources = sources_of(USERS, keepers, at=self.change.felt_at or self.change.at) if keepers else {}
        return [
            self._line(effect, sign, sources) for sign in "-+=" for effect in self.effects if sign in effect.numbers
        ]

    def _line(self, effect, sign, sources):
        number, people = effect.numbers[sign], effect.people.get(sign, [])
        key = f"{ {'-': 'loss', '+': 'gain', '=': 'keep'}[sign] }-{_key(effect.thing)}"
        ways = self._ways(effect.thing, people, sources) if sign == "=" else []
        says = f"{self._who(number, people)} {self._verb(effect, sign, number)} {effect.thing}"
        if sign == "=" and self._is_gift(effect):
            says += " already"
        if ways and number == 1:
            says += f" through {join_some(dict.fromkeys(way.short for way in ways), limit=2)}"
        if is_open := key == self.opened:
            people = affected(self.change, effect.thing, sign, limit=self.names_shown)
        return Line(
            key=key,
            sign={"-": "loss", "+": "gain", "=": ""}[sign],
            says=says,
            people=people if is_open or number > 1 else [],
            more=number - len(people),
            is_open=is_open,
            sources=ways,
        )

    def _who(self, number, people):
        return str(people[0]) if number == 1 and people else count_words(number, "person", "people")

    def _verb(self, effect, sign, number):
        if sign == "-" and isinstance(effect.thing, Allocation):
            return "can no longer use"
        one, many = {"-": ("loses", "lose"), "+": ("gains", "gain"), "=": ("keeps", "keep")}[sign]
        if sign == "=" and self._is_gift(effect):
            one, many = "has", "have"
        return one if number == 1 else many

    def _is_gift(self, effect):
        """Whether it is given, rather than taken: who is not concerned has it already, rather than keeps it."""
        return bool(effect.gains) or self.change.gives and not self.change.takes

    def _ways(self, thing, people, sources):
        """Return the Sources through which some people keep a thing, each way once."""
        ways = {}
        for source in (source for person in people for source in sources[person.pk]):
            gives = source.assignment.allocation == thing or thing in (policy for policy, _ in source.policies)
            if source.in_effect and gives and not self.gone(source):
                ways.setdefault((source.assignment.target_key, source.assignment.allocation_id), source)
        return list(ways.values())[:MOST_WAYS]

    @property
    def sum(self):
        """The first line of it, for where there is no room for more."""
        if not self.lines:
            return "Nothing changes for anybody"
        more = len(self.lines) - 1
        return self.lines[0].says + (f", and {count_words(more, 'other change', 'other changes')}" if more else "")

    @property
    def felt_on(self):
        """The day from which it is felt, if not at once."""
        return self.change.felt_at and write_day(first_day(self.change.felt_at))

    @cached_property
    def seats(self):
        """[(allocation, seats in use before, after, how many too many)] where that changes."""
        changed = {allocation: more for allocation, more in self.preview.seats.items() if more}
        allocations = Allocation.objects.filter(pk__in=[allocation.pk for allocation in changed])
        before = {pk: use.used for pk, use in seats_of(allocations, at=self.change.at).items()} if changed else {}
        return [
            (each, before[each.pk], before[each.pk] + more, before[each.pk] + more - each.seats)
            for each, more in changed.items()
        ]

    @property
    def shown(self):
        """What the person is shown, signed: which change, and how many gain and lose."""
        numbers = {_key(effect.thing): [effect.gains, effect.loses] for effect in self.preview.effects}
        return signing.dumps([self._digest, numbers], salt="ledger")

    def grown(self, shown):
        """Return what to say when, since `shown`, the same change came to concern more people; else nothing."""
        try:
            digest, numbers = signing.loads(shown, salt="ledger")
        except signing.BadSignature:
            return ""
        if digest != self._digest:
            return ""
        for effect in self.preview.effects:
            gains, loses = numbers.get(_key(effect.thing), [0, 0])
            if effect.gains > gains or effect.loses > loses:
                return (
                    f"Meanwhile this came to concern more people: now {effect.gains:,} gain and {effect.loses:,} lose "
                    f"{effect.thing}. Look at what changes, then confirm again."
                )
        return ""

    @property
    def _digest(self):
        change = self.change
        same = (change.organizations, change.allocations, change.policies, change.before, change.after, change.people)
        return sha256(
            repr([sorted(part) if isinstance(part, frozenset) else part for part in same]).encode()
        ).hexdigest()


def foresee(request, make_change, gone=lambda source: False):
    """Return what run_modal asks a form for: the Ledger of make_change(form, at=…), or None while there is none."""

    def ledger(form):
        change = make_change(form, at=timezone.now())
        return change and Ledger(change, request.POST.get("names", ""), gone)

    return ledger


def _key(thing):
    return f"{'license' if isinstance(thing, Allocation) else 'policy'}-{thing.pk}"
