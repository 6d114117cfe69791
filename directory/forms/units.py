from functools import cached_property

from django import forms

from portal.lists import clean_query, matching
from portal.text import fold, join_some

from ..trees import unit_paths, write_path

OFFERED = 20


class UnitField(forms.CharField):
    """A unit, written by its name or by its path: "Sales › Benelux". Cleaned to an OrgUnit, or None where it is empty.

    2,000 units are too many for a select: the page offers what matches while one writes, and nothing is lost without.
    """

    def __init__(self, units, **kwargs):
        """units: QuerySet to choose from, of one organization."""
        widget = forms.TextInput({"list": "unit-options", "autocomplete": "off"})
        super().__init__(required=False, max_length=2000, widget=widget, **kwargs)
        self.units = units

    def clean(self, value):
        text = super().clean(value)
        if not text:
            return None
        path = [fold(name) for name in text.split("›")]
        found = [
            units for units in self._paths(sort_key=path[-1][:250]) if [u.sort_key for u in units][-len(path) :] == path
        ]
        found = [units for units in found if len(units) == len(path)] or found  # the whole path, as it is offered
        if not found:
            raise forms.ValidationError(f"There is no unit “{text}”. Write another name, or nothing.", code="unknown")
        if len(found) > 1:
            which = join_some((f"“{write_path(units)}”" for units in found), count=len(found))
            raise forms.ValidationError(f"Several units are called so: {which}. Write which.", code="ambiguous")
        return found[0][-1]

    def offered(self, text):
        """Return the paths of the first units that match what was written so far."""
        query = clean_query(text).rpartition("›")[2]
        return [write_path(units) for units in self._paths(matching(query, "sort_key__contains"))]

    def _paths(self, *conditions, **fields):
        units = self.units.filter(*conditions, **fields).order_by("sort_key", "pk")[:OFFERED]
        pks = [unit.pk for unit in units]
        paths = unit_paths(pks)
        return [paths[pk] for pk in pks]


class UnitForm(forms.Form):
    """A form with a `unit`, which the template can offer units for."""

    @cached_property
    def unit_options(self):
        return self.fields["unit"].offered(self["unit"].value() or "")
