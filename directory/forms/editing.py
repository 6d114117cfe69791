"""The forms in which people, groups and units are made and changed. What rules there are, the services know."""

from django import forms

from ..models import Role, User
from .places import GroupField, PlacesMixin, UnitField


class UserForm(PlacesMixin, forms.ModelForm):
    """Basic information of somebody. The portal role is there for Admins only."""

    unit = UnitField(required=False, help_text="Its name or path. Empty: in no unit.")

    class Meta:
        model = User
        fields = ["name", "email", "title", "employee_number", "role"]
        help_texts = {"email": "Of the directory: nobody signs in by it."}

    def __init__(self, data=None, *, user, may_give_roles):
        super().__init__(data, initial={name: getattr(user, name) for name in (*self.Meta.fields, "unit")})
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

    def __init__(self, data=None, *, place=None):
        super().__init__(data, initial={"name": place.name, "description": place.description} if place else None)


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
