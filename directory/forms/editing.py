"""The forms in which people, groups and units are made and changed. What rules there are, the services know."""

from django import forms

from ..models import Role, User
from ..trees import unit_paths, write_path
from .places import GroupField, PlacesMixin, UnitField


class EditMixin:
    """A form on what is there already, whose initial values are texts: it gives only what this person changed.

    What each field held when the form was opened travels along. So of two people who edit the same at once neither
    undoes the other: what only the other changed stays, and where both changed something, it is said at the field.
    """

    @property
    def opened_with(self):
        """(name, value) of the hidden fields. What was said to be changed meanwhile, the person has seen."""
        for name in self.fields:
            yield f"was_{name}", self._now(name) if self.has_error(name, "meanwhile") else self._then(name)

    def _now(self, name):
        return self.initial.get(name) or ""

    def _then(self, name):
        return self.data.get(f"was_{name}", self._now(name))

    def clean(self):
        values = super().clean()
        for name in self.fields:
            entered, then, now = self.data.get(name), self._then(name), self._now(name)
            if entered in (None, then, now):  # it is not judged again, whatever rules have come since
                values.pop(name, None)
                self.errors.pop(name, None)
            elif then != now:
                shown = dict(getattr(self.fields[name], "choices", ())).get(now, now)
                to = f"changed meanwhile to “{shown}”" if shown else "emptied meanwhile"
                again = f"This was {to}. Save again to put yours in its place."
                self.add_error(name, forms.ValidationError(again, code="meanwhile"))
        return values


class UserForm(EditMixin, PlacesMixin, forms.ModelForm):
    """Basic information of somebody. The portal role is there for Admins only."""

    unit = UnitField(required=False, help_text="Its name or path. Empty: in no unit.")

    class Meta:
        model = User
        fields = ["name", "email", "title", "employee_number", "role"]
        help_texts = {"email": "Of the directory: nobody signs in by it."}

    def __init__(self, data=None, *, user, may_give_roles):
        unit = write_path(unit_paths([user.unit_id])[user.unit_id])
        super().__init__(data, initial={name: getattr(user, name) for name in self.Meta.fields} | {"unit": unit})
        self.find_places_in(user.organization)
        self.fields["role"].choices = [("", "None: sees My access only"), *Role.choices]
        if not may_give_roles:
            del self.fields["role"]

    def clean_email(self):
        return self.cleaned_data["email"] or None

    def _post_clean(self):
        """Leave the checks of the model to the service, which has it whole."""


class PlaceForm(forms.Form):
    """The name and description of a group or unit."""

    name = forms.CharField(max_length=120, error_messages={"required": "Write a name."})
    description = forms.CharField(max_length=250, required=False)


class EditPlaceForm(EditMixin, PlaceForm):
    def __init__(self, data=None, *, place):
        super().__init__(data, initial={"name": place.name, "description": place.description})


class MoveUnitForm(PlacesMixin, forms.Form):
    parent = UnitField(label="Below", required=False, help_text="The unit it shall lie below. Empty: the top level.")

    def __init__(self, data=None, *, unit):
        super().__init__(data, initial={"parent": unit.parent})
        self.find_places_in(unit.organization)


class ChooseUnitForm(PlacesMixin, forms.Form):
    unit = UnitField(help_text="Its name or path.", error_messages={"required": "Choose a unit."})

    def __init__(self, data=None, *, organization):
        super().__init__(data)
        self.find_places_in(organization)


class ChooseGroupForm(PlacesMixin, forms.Form):
    group = GroupField(help_text="Its name.", error_messages={"required": "Choose a group."})

    def __init__(self, data=None, *, organization):
        super().__init__(data)
        self.find_places_in(organization)
