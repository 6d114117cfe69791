from django import forms
from django.contrib import admin
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from portal.service_admin import ServiceAdmin, ServiceForm

from . import services
from .models import Account


class AccountForm(ServiceForm):
    password = forms.CharField(
        max_length=128, strip=False, widget=forms.PasswordInput(attrs={"autocomplete": "new-password"})
    )

    class Meta:
        labels = {"is_superuser": "platform operator"}
        widgets = {"email": forms.EmailInput(attrs={"autocomplete": "username", "class": "vTextField"})}
        help_texts = {"is_superuser": "Sees and changes everything in the administration."}

    def clean(self):
        values = super().clean()
        if password := values.get("password"):
            try:
                validate_password(password, Account(email=values.get("email", ""), name=values.get("name", "")))
            except ValidationError as error:
                self.add_error("password", error)
        return values

    def write(self):
        return services.create_account(**self.cleaned_data, actor=self.request.actor)


@admin.register(Account)
class AccountAdmin(ServiceAdmin):
    """Logins, for the operator: made here, otherwise to read."""

    form = AccountForm
    can_add = True
    fields = ["email", "name", "is_active", "is_staff", "is_superuser", "last_login", "date_joined"]
    list_display = ["email", "name", "is_active", "is_staff", "is_superuser", "last_login"]
    list_filter = ["is_active", "is_staff", "is_superuser"]
    search_fields = ["email", "name"]
    ordering = ["email"]

    def get_fields(self, request, obj=None):
        return self.fields if obj else ["email", "name", "password", "is_staff", "is_superuser"]
