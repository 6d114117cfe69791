from datetime import date

from django import forms
from django.core.validators import MaxValueValidator, MinValueValidator


class DayField(forms.DateField):
    """A day that a person enters; kept within what every database and time zone can hold."""

    def __init__(self, **kwargs):
        earliest = MinValueValidator(date(2000, 1, 1), "Choose a day after 1 Jan 2000.")
        latest = MaxValueValidator(date(2199, 12, 31), "Choose a day before 2200.")
        super().__init__(
            required=False,
            widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
            error_messages={"invalid": "This is not a day. Write it as 2027-01-31."},
            validators=[earliest, latest],
            **kwargs,
        )


def is_key(text):
    """Return whether text can be the key of a row."""
    return text.isascii() and text.isdigit() and len(text) < 19


class ThingsField(forms.ModelMultipleChoiceField):
    """One or many of a queryset; cleaned to a list."""

    default_error_messages = {"invalid_choice": "Something you chose is not there any more. Choose again."}

    def clean(self, value):
        if not all(is_key(str(pk)) for pk in value or ()):  # no database takes it
            raise forms.ValidationError(self.error_messages["invalid_choice"], code="invalid_choice")
        return list(super().clean(value))
