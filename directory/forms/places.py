"""Naming one unit, group or person out of thousands: a text field that suggests, and works without suggestions too."""

import re

from django import forms
from django.shortcuts import render
from django.urls import reverse

from portal.lists import clean_query, matching
from portal.text import fold, join_words

from ..trees import find_unit, unit_paths, write_path

SUGGESTED = 20
NAMED = 5  # of several that may be meant


class PlaceField(forms.CharField):
    """A name that is cleaned to the thing, or to None where it is left empty. Of which organization, the form says."""

    def __init__(self, *, suggest, guesses=False, **kwargs):
        """suggest: name of the URL that gives options for what was typed so far. guesses: whether the only thing of
        whose name what was typed is a part is taken for it: where that does no harm, as in a filter."""
        super().__init__(max_length=500, **kwargs)
        self.organization = None
        self.suggest, self.guesses = suggest, guesses

    def get_bound_field(self, form, name):
        bound = super().get_bound_field(form, name)
        options = f"{bound.auto_id}_options"  # the <datalist>, which components/field.html puts beside it
        asks = {"hx-get": reverse(self.suggest), "hx-trigger": "input changed delay:150ms", "hx-target": f"#{options}"}
        self.widget.attrs.update(asks, list=options, autocomplete="off")
        return bound

    def clean(self, value):
        text = super().clean(value)
        if not text:
            return None
        try:
            return self.find(text)
        except forms.ValidationError:
            if not self.guesses:
                raise
            return self._guess(text) or self.find(text)

    def _guess(self, text):
        """Return the thing that is meant by a part of its name, or None where nothing is like it."""
        near = self.suggested(text)
        fits = [(name, thing) for name, thing in near if fold(text) in fold(name)]
        begins = [(name, thing) for name, thing in fits if thing.sort_key.startswith(fold(text))]
        for found in (begins, fits):
            if len(found) == 1:
                return found[0][1]
        if near:
            names = [name for name, _ in near[:NAMED]] + ["another"] * (len(near) > NAMED)
            raise forms.ValidationError(f"“{text}” may be {join_words(names, last='or')}. Write more of it.")
        return None

    def options(self, text=""):
        return [name for name, _ in self.suggested(text)]

    def suggested(self, text):
        """Return (how it is written, thing) for what the text may be a part of: the first by name."""
        raise NotImplementedError

    def find(self, text):
        raise NotImplementedError


class UnitField(PlaceField):
    """An OrgUnit by its name, or its path where several have that name."""

    def __init__(self, **kwargs):
        super().__init__(**{"label": "Organizational unit", "suggest": "directory:suggest_units", **kwargs})

    def prepare_value(self, value):
        """A unit as its path; what was typed stays as it is."""
        return write_path(unit_paths([value.pk])[value.pk]) if hasattr(value, "pk") else value

    def suggested(self, text):
        text = text.replace(">", "›").rpartition("›")[2]
        pks = self.organization.units.filter(sort_key__finds=fold(text)).order_by("sort_key", "pk")
        pks = list(pks.values_list("pk", flat=True)[:SUGGESTED])
        paths = unit_paths(pks)
        return [(write_path(paths[pk]), paths[pk][-1]) for pk in pks]

    def find(self, text):
        return find_unit(self.organization, text)


class GroupField(PlaceField):
    """A Group by its name."""

    def __init__(self, **kwargs):
        super().__init__(**{"label": "Group", "suggest": "directory:suggest_groups", **kwargs})

    def prepare_value(self, value):
        return value.name if hasattr(value, "pk") else value

    def suggested(self, text):
        groups = self.organization.groups.filter(sort_key__finds=fold(text)).order_by("sort_key", "pk")
        return [(group.name, group) for group in groups[:SUGGESTED]]

    def find(self, text):
        """Return the Group of that name; one that differs in accents only where there is no other."""
        text = text.strip()
        found = list(self.organization.groups.filter(sort_key=fold(text)[:250]).order_by("pk")[:10])
        same = [group for group in found if group.name.casefold() == text.casefold()]
        if not found:
            raise forms.ValidationError(f"There is no group “{text[:120]}”. Write another name.", code="group")
        return (same or found)[0]


class PersonField(PlaceField):
    """A User by name, e-mail address or employee number; by its key, "#12", where these do not tell."""

    def __init__(self, **kwargs):
        super().__init__(**{"suggest": "directory:suggest_people", **kwargs})

    def suggested(self, text):
        users = self.organization.users.filter(matching(text, "search_text__finds")).order_by("sort_key", "pk")
        return [(write_person(user), user) for user in users[:SUGGESTED]]

    def find(self, text):
        """Raises ValidationError where nobody is meant, or several people."""
        users, text = self.organization.users.select_related("unit", "organization"), text.strip()
        key = re.search(r"#(\d{1,18})$", text)
        if key:
            found = list(users.filter(pk=int(key[1])))
        else:
            address = re.search(r"<(.+@.+)>$", text)
            found = list(users.filter(email__iexact=address[1] if address else text)[:2])
            found = found or list(users.filter(employee_number=text)[:2])
            found = found or list(users.filter(sort_key=fold(text)[:250])[:2])
            found = found or list(users.filter(matching(text, "search_text__finds"))[:2])
        if not found:
            raise forms.ValidationError(f"There is nobody “{text}”.", code="person")
        if len(found) > 1:
            raise forms.ValidationError(f"Several people are called “{text}”. Write the e-mail address.", code="person")
        return found[0]


def write_person(user):
    """Return what tells somebody from others of that name."""
    return f"{user.name} <{user.email}>" if user.email else f"{user.name} #{user.pk}"


class PlacesMixin:
    """A form with such fields: tells them the organization."""

    def find_places_in(self, organization):
        for field in self.fields.values():
            if isinstance(field, PlaceField):
                field.organization = organization


def suggest(request, field):
    """Answer a PlaceField with options for what was typed into it so far: the one value that its request has."""
    field = field()
    field.organization = request.organization
    text = clean_query(next(iter(request.GET.values()), ""))
    return render(request, "components/options.html", {"options": field.options(text)})
