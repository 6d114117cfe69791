from dataclasses import dataclass, replace
from functools import cached_property

from django import forms

from portal.fields import ThingsField, is_key
from portal.lists import COUNT_LIMIT, clean_query, matching
from portal.text import count_words

from ..models import Group, OrgUnit, User
from ..trees import people_in_groups, unit_paths, units_below, write_path
from .pasting import read_pasted

SHOWN, MOST_SHOWN = 50, 500
NAMED = 50  # of what is ticked


@dataclass(frozen=True)
class Option:
    """One row of a picker."""

    thing: object
    sub: str  # what tells it from another of the same name
    is_picked: bool
    note: str  # how it stands to what it is picked for
    is_taken: bool  # it has that already, and cannot be picked


class PickForm(forms.Form):
    """Choose one or many users, groups or units out of 100,000: a search, what is ticked stays ticked.

    It shows the first matches only; ticks that the search hides travel along. `picks` is the name of the field that
    holds them, and what the service calls them.
    """

    picks = "users"
    only_active = True  # of people whom a pasted list names

    def __init__(self, data=None, *, things, one, many, people=None):
        """things: QuerySet to choose from, of one organization. one, many: the words for them.

        people: QuerySet of all Users of the organization, where a list of them may be pasted.
        """
        super().__init__(data)
        self.people, self.pasted = people, None
        self.things, self.one, self.many = things.order_by("sort_key", "pk"), one, many
        self.fields[self.picks] = ThingsField(
            self.things,
            error_messages={
                "required": f"Choose at least one {one}.",
                "invalid_choice": f"A {one} you chose is not there any more. Choose again.",
            },
        )
        if people is not None and self.data.get("pasted", "").strip():
            self._take(read_pasted(self.data["pasted"], people, only_active=self.only_active))

    def _take(self, pasted):
        """Tick the people of a pasted list, but for those who have it already; which is said like what is wrong."""
        notes = self.notes(pasted.people)
        taken = [(user, note) for user in pasted.people if (note := notes.get(user.pk, ("", False)))[1]]
        fresh = [user for user in pasted.people if not notes.get(user.pk, ("", False))[1]]
        said = [(user.email or user.employee_number, f"{user}: {note}") for user, (note, _) in taken]
        self.pasted = replace(pasted, people=fresh, problems=[*pasted.problems, *said])
        self.data = self.data.copy()
        ticked = dict.fromkeys([*self.data.getlist(self.picks), *(str(user.pk) for user in fresh)])
        self.data.setlist(self.picks, list(ticked))

    def clean(self):
        values = super().clean()
        if self.pasted:  # nothing is done before that was seen
            self.add_error(None, f"{self.pasted.said} Look at what is ticked, then confirm.")
        return values

    def notes(self, things):
        """Return {pk: (note, is taken)} for the things about which there is something to say."""
        return {}

    @cached_property
    def query(self):
        return clean_query(self.data.get("q", ""))

    @cached_property
    def shown(self):
        more = SHOWN if self.data.get("look") == "more" else 0
        show = self.data.get("show", "")
        return min(max(int(show) if is_key(show) else 0, SHOWN) + more, MOST_SHOWN)

    @cached_property
    def picked(self):
        """The things ticked so far, by name."""
        ids = {pk for pk in self.data.getlist(self.picks) if is_key(pk)} if self.is_bound else set()
        return list(self.things.filter(pk__in=ids - {self.data.get("drop")}))

    @cached_property
    def _matches(self):
        return self.things.filter(
            matching(self.query, "sort_key__finds" if self.things.model is OrgUnit else "search_text__finds")
        )

    @cached_property
    def options(self):
        things = list(self._matches[: self.shown])
        notes, subs, picked = self.notes(things), describe(things), {thing.pk for thing in self.picked}
        return [
            Option(thing, subs.get(thing.pk, ""), thing.pk in picked, *notes.get(thing.pk, ("", False)))
            for thing in things
        ]

    @cached_property
    def hidden(self):
        """What is ticked and not among the options."""
        shown = {option.thing.pk for option in self.options}
        return [thing for thing in self.picked if thing.pk not in shown]

    @cached_property
    def total(self):
        return self.things.order_by()[: COUNT_LIMIT + 1].count()

    @cached_property
    def matches(self):
        return self._matches.order_by()[: COUNT_LIMIT + 1].count() if self.query else self.total

    @property
    def tray(self):
        """The first of what is ticked, which are named."""
        return self.picked[:NAMED]

    @property
    def unnamed(self):
        return len(self.picked) - len(self.tray)

    @property
    def pick_errors(self):
        return self.errors.get(self.picks, [])

    @property
    def shape(self):
        """How the picker draws them: user, group or unit."""
        return {User: "user", Group: "group", OrgUnit: "unit"}[self.things.model]

    @property
    def status(self):
        total = f"{self.total:,}" if self.total <= COUNT_LIMIT else f"more than {COUNT_LIMIT:,}"
        if not self.query:
            return f"{total} {self.one if self.total == 1 else self.many}"
        matches = f"{self.matches:,}" if self.matches <= COUNT_LIMIT else f"More than {COUNT_LIMIT:,}"
        return f"{matches} of {total} {self.many} match{'es' if self.matches == 1 else ''} “{self.query}”."

    @property
    def can_show_more(self):
        return len(self.options) == self.shown and self.matches > self.shown


class AddToGroupForm(PickForm):
    def __init__(self, group, data=None):
        self.group, users = group, group.organization.users
        super().__init__(data, things=users.active(), one="person", many="active people", people=users.all())

    def notes(self, things):
        members = set(self.group.memberships.filter(user__in=things).values_list("user_id", flat=True))
        return {user.pk: ("Is in it already", True) for user in things if user.pk in members}


class AddToUnitForm(PickForm):
    def __init__(self, unit, data=None):
        self.unit, users = unit, unit.organization.users.select_related("unit")
        super().__init__(data, things=users.active(), one="person", many="active people", people=users)

    def notes(self, things):
        here = ("Is in it already", True)
        return {
            user.pk: here if user.unit_id == self.unit.pk else (f"Now in {user.unit}", False)
            for user in things
            if user.unit_id
        }


class RemovePeopleForm(PickForm):
    """Who shall leave a group or unit? Those who are in it are offered, inactive ones too."""

    only_active = False

    def __init__(self, place, data=None):
        members = place.members.all() if isinstance(place, Group) else place.users.all()
        super().__init__(data, things=members, one="person", many="people", people=place.organization.users.all())

    def notes(self, things):
        here = set(self.things.filter(pk__in=[user.pk for user in things]).values_list("pk", flat=True))
        return {
            user.pk: ("Inactive", False) if user.pk in here else ("Is not in it", True)
            for user in things
            if user.pk not in here or not user.is_active
        }


class AddGroupsForm(PickForm):
    picks = "groups"

    def __init__(self, user, data=None):
        self.user = user
        super().__init__(data, things=user.organization.groups, one="group", many="groups")

    def notes(self, things):
        taken = set(self.user.memberships.filter(group__in=things).values_list("group_id", flat=True))
        return {group.pk: ("Is in it already", True) for group in things if group.pk in taken}


def describe(things):
    """Return the second line of each user, group or unit: {pk: text}. Queries: one per kind of thing, at most two."""
    if not things:
        return {}
    if isinstance(things[0], User):
        return {user.pk: " · ".join(filter(None, [user.email, user.title])) for user in things}
    if isinstance(things[0], Group):
        people = people_in_groups([group.pk for group in things])
        return {group.pk: count_words(people.get(group.pk, 0), "person", "people") for group in things}
    pks = [unit.pk for unit in things]
    paths, below = unit_paths(pks), units_below(pks)
    lines = {}
    for pk in pks:
        above = write_path(paths[pk][:-1])
        includes = pk in below and f"includes {count_words(below[pk], 'unit', 'units')} below"
        lines[pk] = " · ".join(filter(None, [above and f"in {above}", includes]))
    return lines
