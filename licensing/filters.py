"""Which people a list shows: the one place that narrows them, for the page, its file and acts upon all of them."""

from dataclasses import dataclass
from functools import cached_property

from django import forms
from django.db.models import Exists, Model, OuterRef
from django.http import QueryDict
from django.utils import timezone

from directory.forms.places import GroupField, PlacesMixin, UnitField
from directory.models import GroupMembership, Invitation, OrgUnitClosure, Role
from licensing.access import who_can_use, without_license
from licensing.access.reach import Reached
from licensing.kinds import GROUPS, ORGANIZATION, UNITS, USERS
from portal.fields import is_key
from portal.lists import clean_query, matching


@dataclass(frozen=True)
class ListedKind:
    """What can be ticked in a list besides what a license is assigned to."""

    slug: str
    one: str
    model: type[Model]


INVITATIONS = ListedKind("invitations", "invitation", Invitation)
WAYS = {USERS: "Direct", GROUPS: "Through a group", UNITS: "Through a unit", ORGANIZATION: "Whole organization"}


class PeopleFilter(PlacesMixin, forms.Form):
    """What the people of a list are and have. All of it may be empty."""

    role = forms.ChoiceField(required=False, choices=[("", "Any role"), *Role.choices, ("none", "No portal role")])
    status = forms.ChoiceField(
        required=False, choices=[("", "Any status"), ("active", "Active"), ("inactive", "Inactive")]
    )
    license = forms.ChoiceField(required=False)
    unit = UnitField(required=False, guesses=True)
    group = GroupField(required=False, guesses=True)

    def __init__(self, data, *, organization):
        super().__init__(data, auto_id="narrow_%s")  # a dialog on the same page may have fields of these names too
        self.organization = organization
        self.find_places_in(organization)
        allocations = organization.allocations.select_related("license").order_by("license__sort_key", "pk")
        self.allocations = {str(allocation.pk): allocation for allocation in allocations}
        self.fields["license"].choices = [("", "Any license")] + [
            (pk, f"Can use {allocation}") for pk, allocation in self.allocations.items()
        ]

    @property
    def is_narrowed(self):
        return any(self.data.get(name) for name in self.fields)

    @property
    def selects(self):
        """What components/select.html draws of each choice: its name, label, options, what is chosen and no choice."""
        for name in ("role", "status", "license"):
            (_, any_of_them), *options = self.fields[name].choices
            yield name, name.capitalize(), options, self.data.get(name), any_of_them

    def people(self, *, at):
        """Return those of the organization whom it lets through, as Reached; nobody where it is not understood."""
        users = self.organization.users.all()
        if not self.is_valid():
            return Reached(users.none(), users.none(), 0)
        values = self.cleaned_data
        found = Reached(users, users, None)
        if allocation := self.allocations.get(values["license"]):
            found = who_can_use(self.organization, at=at, allocation=allocation)
        number = found.number if not any(values[name] for name in ("role", "status", "unit", "group")) else None
        return Reached(self._narrow(found.people), self._narrow(found.counted), number)

    def _narrow(self, users):
        values = self.cleaned_data
        if role := values["role"]:
            users = users.filter(role="" if role == "none" else role)
        if status := values["status"]:
            users = users.filter(is_active=status == "active")
        if unit := values["unit"]:  # and in those below
            users = users.filter(unit__in=OrgUnitClosure.objects.filter(ancestor=unit).values("descendant"))
        if group := values["group"]:
            users = users.filter(Exists(GroupMembership.objects.filter(group=group, user=OuterRef("pk"))))
        return users


class AccessFilter:
    """Through what, and to which of its policies, the people who can use a license have it."""

    def __init__(self, data, *, allocation):
        """data: QueryDict with `source`, the slug of a kind, and `policy`, a key; either may be empty."""
        self.allocation = allocation
        self.policies = allocation.license.default_policies + allocation.license.optional_policies
        self.kind = next((kind for kind in WAYS if kind.slug == data.get("source")), None)
        self.policy = next((policy for policy in self.policies if str(policy.pk) == data.get("policy")), None)

    @property
    def selects(self):
        """As PeopleFilter.selects."""
        ways = [(kind.slug, text) for kind, text in WAYS.items()]
        yield "source", "Source", ways, self.kind and self.kind.slug, "Any source"
        policies = [(policy.pk, policy) for policy in self.policies]
        yield "policy", "Policy", policies, self.policy and self.policy.pk, "Any policy"

    @property
    def is_narrowed(self):
        return bool(self.kind or self.policy)

    def people(self, *, at):
        """Return who can use it so, as Reached."""
        policies = self.policy and [self.policy]
        organization = self.allocation.organization
        return who_can_use(organization, at=at, allocation=self.allocation, policies=policies, kind=self.kind)


class Selection:
    """What is ticked in a list of users, groups, units or invitations, or all that it shows as it is narrowed."""

    def __init__(self, data, *, organization, kind):
        """data: QueryDict with `things` (keys) or `all`, and `query`, the state of the list."""
        self.organization, self.kind = organization, kind
        self.query, self.is_all = data.get("query", ""), data.get("all") == "1"
        self.ticked = [pk for pk in data.getlist("things") if is_key(pk)]
        self._state = QueryDict(self.query)

    @classmethod
    def of(cls, request, kind):
        data = request.POST if request.method == "POST" else request.GET
        return cls(data, organization=request.organization, kind=kind)

    @cached_property
    def group(self):
        """The Group whose people the list shows, or None."""
        return self._place("group", self.organization.groups)

    @cached_property
    def unit(self):
        return self._place("unit", self.organization.units)

    @cached_property
    def allocation(self):
        """The Allocation whose assignees the list shows, or None."""
        return self._place("license", self._allocations)

    @cached_property
    def used(self):
        """The Allocation of which the list shows who can use it, or None."""
        return self._place("access", self._allocations)

    @property
    def _allocations(self):
        return self.organization.allocations.with_license().select_related("organization")

    def _place(self, what, things):
        within, _, pk = self._state.get("within", "").partition("-")
        return things.filter(pk=pk).first() if within == what and is_key(pk) else None

    @cached_property
    def things(self):
        """The things as a QuerySet."""
        things = self.kind.model.objects.filter(organization=self.organization)
        if self.kind is INVITATIONS:
            things = things.listed(self._state.get("state", "") if self.is_all else "")
        return self._shown(things) if self.is_all else things.filter(pk__in=self.ticked)

    @cached_property
    def number(self):
        return self.things.count()

    def _shown(self, things):
        q, search = clean_query(self._state.get("q", "")), "search_text__finds"
        if self.kind is USERS:
            narrowed = PeopleFilter(self._state, organization=self.organization)
            things = narrowed.people(at=timezone.now()).people
        elif self.kind is UNITS:
            search = "sort_key__finds"
        elif self.kind is INVITATIONS:
            search = "found_by__finds"
        if self.group:
            things = things.filter(memberships__group=self.group)
        elif self.unit:
            things = things.filter(unit=self.unit)
        elif self.allocation:
            things = things.filter(assignments__allocation=self.allocation)
        elif self.used:
            narrowed = AccessFilter(self._state, allocation=self.used)
            things = things.filter(pk__in=narrowed.people(at=timezone.now()).counted.values("pk"))
        elif self._state.get("within") == "without":
            found = things.filter(matching(q, search))
            return without_license(self.organization, at=timezone.now(), among=found).people
        elif self._state.get("within"):  # a place that is not there (any more) has nobody, rather than everybody
            return things.none()
        return things.filter(matching(q, search))
