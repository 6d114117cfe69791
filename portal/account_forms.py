"""The forms of allauth in our words: a label above each field, and no placeholder that repeats it."""

from allauth.account import forms
from allauth.mfa.base import forms as mfa
from allauth.mfa.totp.forms import ActivateTOTPForm
from django.core.exceptions import ValidationError
from django.urls import reverse
from django.utils.html import format_html

LABELS = {
    "login": "E-mail",
    "email": "E-mail",
    "oldpassword": "Current password",
    "password": "Password",
    "password1": "New password",
    "password2": "New password again",
    "code": "Code",
}
# What AUTH_PASSWORD_VALIDATORS demands, in one sentence.
HELP = {"password1": "At least 8 characters. Not only digits, not a common one, not like your address."}


class OurWords:
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            field.label = LABELS[name]
            field.help_text = HELP.get(name, "")
            field.widget.attrs.pop("placeholder", None)
            if name == "code":
                field.widget.attrs["inputmode"] = "numeric"


class LoginForm(OurWords, forms.LoginForm):
    def clean(self):
        """Say at the field, not above the form, that the password is wrong."""
        try:
            return super().clean()
        except ValidationError as error:
            if error.code != "email_password_mismatch":
                raise
            sentence = (
                'This e-mail and password do not belong together. Try again or <a href="{}">reset the password</a>.'
            )
            self.add_error("password", format_html(sentence, reverse("account_reset_password")))
            return self.cleaned_data


class AddEmailForm(OurWords, forms.AddEmailForm):
    pass


class ChangePasswordForm(OurWords, forms.ChangePasswordForm):
    pass


class SetPasswordForm(OurWords, forms.SetPasswordForm):
    pass


class ResetPasswordForm(OurWords, forms.ResetPasswordForm):
    pass


class ResetPasswordKeyForm(OurWords, forms.ResetPasswordKeyForm):
    pass


class ReauthenticateForm(OurWords, forms.ReauthenticateForm):
    pass


class SecondFactorForm(OurWords, mfa.AuthenticateForm):
    pass


class SecondFactorAgainForm(OurWords, mfa.ReauthenticateForm):
    pass


class SetUpAppForm(OurWords, ActivateTOTPForm):
    pass
