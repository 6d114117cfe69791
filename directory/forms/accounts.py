from django import forms
from django.contrib.auth.password_validation import validate_password

from portal.account_forms import HELP, LABELS

from ..models import Account
from ..services import Invitee


class AcceptForm(forms.Form):
    """How somebody without an account accepts: what they are called, and a password."""

    name = forms.CharField(label="Your name", max_length=120, widget=forms.TextInput({"autocomplete": "name"}))
    password = forms.CharField(
        label=LABELS["password"],
        max_length=128,
        strip=False,
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
        help_text=HELP["password1"],
    )
    again = forms.CharField(
        label="Password again",
        max_length=128,
        strip=False,
        widget=forms.PasswordInput({"autocomplete": "new-password"}),
    )

    def __init__(self, invitation, data=None):
        super().__init__(data)
        self.invitation = invitation
        known = invitation.user.name
        self.initial["name"] = "" if known == Invitee(invitation.email).called else known

    def clean(self):
        values = super().clean()
        password, again = values.get("password"), values.pop("again", None)
        if password:
            try:
                validate_password(password, Account(email=self.invitation.email, name=values.get("name", "")))
            except forms.ValidationError as error:
                self.add_error("password", error)
        if password and again and password != again:
            self.add_error("again", "You must type the same password each time.")
        return values


class NameForm(forms.Form):
    name = forms.CharField(
        max_length=120,
        widget=forms.TextInput({"autocomplete": "name"}),
        help_text="How the portal calls you. Each organization keeps its own entry of you.",
    )
