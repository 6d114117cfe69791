"""Two people side by side: what each has and through what; and to give one what the other has by joining."""

from functools import partial

from django import forms
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone

from directory import services as directory
from directory.decorators import editor_required, viewer_required
from directory.forms.places import PersonField, PlacesMixin, write_person
from directory.trees import unit_paths
from licensing.access import by_license, changes, sources_of
from licensing.kinds import USERS
from licensing.ledger import foresee
from portal.modals import run_modal
from portal.text import join_words


class CompareForm(PlacesMixin, forms.Form):
    one = PersonField(label="Person", required=False, help_text="A name, an e-mail address or an employee number.")
    other = PersonField(label="Compared with", required=False)

    def __init__(self, data, *, organization):
        super().__init__(data)
        self.find_places_in(organization)

    @property
    def people(self):
        return [self.cleaned_data[name] for name in self.fields]


@viewer_required
def compare(request):
    form = CompareForm(request.GET, organization=request.organization)
    form.is_valid()
    one, other = (form.cleaned_data.get(name) for name in form.fields)
    context = {"form": form, "one": one, "other": other}
    if one and other:
        form.data = {"one": write_person(one), "other": write_person(other)}
        found = sources_of(USERS, [one, other], at=timezone.now())
        both = [dict(_in_effect(found[user.pk])) for user in (one, other)]
        allocations = sorted(set(both[0]) | set(both[1]), key=lambda each: (each.license.sort_key, each.pk))
        groups = [set(user.groups.all()) for user in (one, other)]
        context |= {
            "rows": [(each, both[0].get(each), both[1].get(each)) for each in allocations],
            "groups": [
                (group, group in groups[0], group in groups[1])
                for group in sorted(groups[0] | groups[1], key=lambda group: (group.sort_key, group.pk))
            ],
            "paths": unit_paths([one.unit_id, other.unit_id]),
        }
    return render(request, "licensing/compare.html", context)


def _in_effect(sources):
    return by_license([source for source in sources if source.in_effect])


class GiveForm(forms.Form):
    """Which groups, and whether the unit, of somebody another shall join."""

    groups = forms.ModelMultipleChoiceField(None, required=False, widget=forms.CheckboxSelectMultiple)
    unit = forms.BooleanField(required=False)

    def __init__(self, data=None, *, groups, unit):
        super().__init__(data, initial={"groups": list(groups), "unit": bool(unit)})
        self.fields["groups"].queryset = groups
        gone = "A group you chose is not there any more. Choose again."
        self.fields["groups"].error_messages.update(invalid_choice=gone, invalid_pk_value=gone)
        self.place = unit
        if unit is None:
            del self.fields["unit"]

    def clean(self):
        values = super().clean()
        return {"groups": list(values.get("groups") or []), "unit": self.place if values.get("unit") else None}


@editor_required
def give(request, pk, other):
    """Give somebody what another has, by joining the groups and the unit that the other is in."""
    users = request.organization.users.select_related("unit", "organization")
    user, other = get_object_or_404(users, pk=pk), get_object_or_404(users, pk=other)
    groups = other.groups.exclude(pk__in=user.groups.values("pk")).order_by("sort_key", "pk")
    unit = other.unit if other.unit_id != user.unit_id else None

    def change(form, at):
        values = form.cleaned_data if form.is_bound else {"groups": list(groups), "unit": unit}
        if values.get("unit"):
            return changes.placing(values["unit"], [user], groups=values["groups"], at=at)
        return changes.joining(values["groups"], [user], at=at) if values.get("groups") else None

    def say(joined):
        return f"{user} joined {join_words(joined)}." if joined else "Nothing changed."

    return run_modal(
        request,
        "licensing/give.html",
        partial(GiveForm, groups=groups, unit=unit),
        title=f"Give {user} what {other} has",
        save=partial(directory.join_places, user, actor=request.actor),
        say=say,
        back=f"{reverse('licensing:compare')}?one=%23{user.pk}&other=%23{other.pk}",
        foresee=foresee(request, change),
        person=user,
        other=other,
        path=unit_paths([other.unit_id])[other.unit_id],
        direct=other.assignments.count(),
    )
