from functools import cached_property

from django import forms
from django.utils import timezone

from directory.forms.pickers import PickForm
from portal.days import end_of, first_day, last_day, start_of
from portal.fields import DayField, ThingsField, is_key
from portal.text import join_some

from .access import changes, sources_of
from .kinds import ORGANIZATION, USERS
from .models import Allocation, Assignment, Policy


class PoliciesField(ThingsField):
    """Optional policies of one license; which one, the form says."""

    def __init__(self):
        super().__init__(Policy.objects.none(), required=False, widget=forms.CheckboxSelectMultiple)
        self.license = None
        wrong = "A policy you chose is not an optional policy of this license (any more). Choose again."
        self.error_messages["invalid_choice"] = wrong

    def of(self, license):
        self.license = license
        self.queryset = Policy.objects.filter(license_policies__license=license, license_policies__is_default=False)


class PoliciesMixin:
    """What the template of a form with policies asks."""

    @cached_property
    def chosen_keys(self):
        """The keys of the policies that are ticked."""
        if self.is_bound:
            return {int(pk) for pk in self.data.getlist("policies") if is_key(pk)}
        return {policy.pk for policy in self.initial.get("policies", [])}


class DatesForm(forms.Form):
    """The days of an assignment; cleaned to the instants that services take."""

    starts_on = DayField(label="From")
    ends_on = DayField(label="Until", help_text="This day is included.")

    def clean(self):
        values = super().clean()
        return {
            **{name: value for name, value in values.items() if name not in ("starts_on", "ends_on")},
            "starts_at": start_of(values.get("starts_on")),
            "ends_at": end_of(values.get("ends_on")),
        }


class ChooseAssigneesForm(PoliciesMixin, PickForm, DatesForm):
    """The license is known: to whom?"""

    picks = "assignees"
    policies = PoliciesField()

    def __init__(self, data=None, *, allocation, kind):
        self.allocation, self.kind = allocation, kind
        many = "active people" if kind is USERS else kind.slug
        people = allocation.organization.users.all() if kind is USERS else None
        super().__init__(data, things=kind.candidates(allocation.organization), one=kind.one, many=many, people=people)
        self.fields["policies"].of(allocation.license)

    def change(self, *, at):
        """Return the Change that saving this would be, or None while too little is chosen."""
        values = getattr(self, "cleaned_data", {})
        if not values.get("assignees") or "policies" not in values or "ends_at" not in values:
            return None
        return changes.assigning(self.allocation, kind=self.kind, at=at, **values)

    def notes(self, things):
        found = sources_of(self.kind, things, at=timezone.now(), allocation=self.allocation)
        return {pk: has_it(sources) for pk, sources in found.items() if sources}


class ChooseLicenseForm(PoliciesMixin, DatesForm):
    """The assignee is known: which license? The optional policies follow it."""

    allocation = forms.ModelChoiceField(
        None, widget=forms.RadioSelect, error_messages={"required": "Choose a license."}
    )
    policies = PoliciesField()

    def __init__(self, data=None, *, kind, assignees, chosen=None):
        """assignees: what it shall be assigned to. chosen: pk of the allocation chosen to begin with, as text."""
        super().__init__(data)
        self.kind, self.assignees = kind, assignees
        now = timezone.now()
        allocations, found = self.offer(now)
        allocations = allocations.with_license()
        self.offered = list(allocations.order_by("license__sort_key", "pk"))
        gone = "This license cannot be assigned here (any more). Choose again."
        self.fields["allocation"].queryset = allocations
        self.fields["allocation"].error_messages.update(invalid_choice=gone)
        pk = self.data.get("allocation") if self.is_bound else chosen
        self.chosen = next((allocation for allocation in self.offered if str(allocation.pk) == pk), None)
        if self.chosen:
            self.fields["policies"].of(self.chosen.license)
        self.cards = [
            (
                allocation,
                has_it([source for source in found if source.assignment.allocation_id == allocation.pk])[0],
                allocation.status(now),
            )
            for allocation in self.offered
        ]
        self.chosen_status = self.chosen and self.chosen.status(now)

    def offer(self, at):
        """Return the Allocations to choose from, and the Sources through which the one assignee has some already."""
        (assignee,) = self.assignees
        return offered(self.kind, assignee, at), sources_of(self.kind, [assignee], at=at)[assignee.pk]

    def change(self, *, at):
        """Return the Change that saving this would be, or None while too little is chosen."""
        if self.chosen is None:
            return None
        values = {"policies": [], **getattr(self, "cleaned_data", {})}
        values.pop("allocation", None)
        return changes.assigning(self.chosen, kind=self.kind, assignees=self.assignees, at=at, **values)


def offered(kind, assignee, at):
    """Return the Allocations that can be assigned to the assignee: live or scheduled, and not its own already."""
    organization_id = assignee.pk if kind is ORGANIZATION else assignee.organization_id
    taken = Assignment.objects.filter(target_key=kind.target_key(assignee.pk)).values("allocation")
    return Allocation.objects.filter(organization=organization_id).assignable(at).exclude(pk__in=taken)


class PoliciesForm(PoliciesMixin, forms.Form):
    """Manage Optional Policies: the new set."""

    policies = PoliciesField()

    def __init__(self, data=None, *, assignment):
        super().__init__(data, initial={"policies": assignment.chosen_policies})
        self.fields["policies"].of(assignment.allocation.license)
        self.assignment = assignment

    def change(self, *, at):
        """Return the Change that saving this would be."""
        policies = getattr(self, "cleaned_data", self.initial).get("policies", self.assignment.chosen_policies)
        return changes.setting_policies(self.assignment, list(policies), at=at)


class ChangeDatesForm(DatesForm):
    def __init__(self, data=None, *, assignment):
        super().__init__(
            data, initial={"starts_on": first_day(assignment.starts_at), "ends_on": last_day(assignment.ends_at)}
        )
        self.assignment = assignment

    def change(self, *, at):
        """Return the Change that saving this would be."""
        values = getattr(self, "cleaned_data", {}) or vars(self.assignment)
        return changes.setting_dates(self.assignment, values["starts_at"], values["ends_at"], at=at)


def has_it(sources):
    """Say of something through what it has the license, and whether directly: (note, bool)."""
    if direct := next((source for source in sources if source.is_direct), None):
        return f"Has it already: Direct{'' if direct.in_effect else f', {direct.status.text.lower()}'}", True
    names = [source.short for source in sources if source.in_effect]
    return (f"Has it through {join_some(names, limit=2)}" if names else ""), False


class ExplainForm(forms.Form):
    """Whose access to what is to be explained. things: what it can be about, by its kind."""

    user = forms.IntegerField(required=False, widget=forms.HiddenInput)
    q = forms.CharField(
        label="Person", required=False, max_length=200, help_text="A part of a name, an e-mail address or a number."
    )
    what = forms.ChoiceField(label="Application, license or policy", required=False)  # choices: of the organization
    action = forms.CharField(
        required=False,
        max_length=200,
        widget=forms.TextInput({"list": "actions", "autocomplete": "off"}),
        help_text="What they would do there. Empty: anything at all.",
    )

    def __init__(self, data, *, organization, allocations, person):
        super().__init__(data.dict() | ({"user": person.pk, "q": person.name} if person else {"user": ""}))
        licenses = [allocation.license for allocation in allocations]
        policies = {row.policy for license in licenses for row in license.license_policies.all()}
        self.things = {
            "application": in_order({policy.application for policy in policies}),
            "license": allocations,
            "policy": in_order(policies),
        }
        what = self.fields["what"]
        what.error_messages["invalid_choice"] = f"{organization} does not have this (any more). Choose again."
        what.choices = [("", "Everything they can use")] + [
            (label, [(f"{kind}-{thing.pk}", _name_of(thing)) for thing in self.things[kind]])
            for kind, label in (("application", "Applications"), ("license", "Licenses"), ("policy", "Policies"))
        ]

    def clean_what(self):
        """Return the Application, Allocation or Policy, or None."""
        kind, _, pk = self.cleaned_data["what"].partition("-")
        return next((thing for thing in self.things.get(kind, ()) if str(thing.pk) == pk), None)

    @cached_property
    def actions(self):
        """The names of actions that the policies of what was chosen list."""
        thing = getattr(self, "cleaned_data", {}).get("what")
        policies = [policy for policy in self.things["policy"] if thing in (None, policy, policy.application)]
        return sorted({action for policy in policies for action in policy.actions})


def _name_of(thing):
    """Return what tells it from others: two applications may have policies of the same name."""
    return f"{thing} ({thing.application})" if isinstance(thing, Policy) else str(thing)


def in_order(named):
    return sorted(named, key=lambda thing: (thing.name.casefold(), thing.pk))
