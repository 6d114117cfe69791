import json

from django import forms
from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models.functions import Lower
from django.template.response import TemplateResponse
from django.urls import path, reverse
from django.utils import timezone

from licensing import services
from licensing.authzen.decisions import Unauthorized, answer_for
from licensing.authzen.messages import question_in
from licensing.models import Application, ProviderToken
from licensing.states import State
from portal.days import end_of, last_day, write_day
from portal.fields import DayField, ThingsField
from portal.service_admin import Consequence, ServiceForm

from .catalogue import Checkboxes
from .own import OwnAdmin, led_by, providers_of


class TokenForm(ServiceForm):
    """Making one. The form keeps its secret for the page that shows it."""

    ends_at = DayField(label="Last day", help_text="This day is included. Empty: until it is revoked.")
    applications = ThingsField(
        Application.objects.none(), required=False, widget=Checkboxes, help_text="None ticked: all of the provider's."
    )
    secret = ""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        own = Application.objects.filter(provider__in=providers_of(self.request))
        self.fields["applications"].queryset = own.order_by(Lower("name"), "pk")

    def clean_ends_at(self):
        return end_of(self.cleaned_data["ends_at"])

    def write(self):
        applications = self.cleaned_data["applications"]
        self.secret = services.create_token(self.instance, applications=applications, actor=self.request.actor)
        return self.instance


class TryForm(forms.Form):
    subject = forms.CharField(
        label="Person", max_length=254, help_text="Public id, e-mail address, or id of their identity provider."
    )
    organization = forms.CharField(
        required=False, max_length=50, label="Organization (slug)", help_text="Where several know that person."
    )
    application = forms.ModelChoiceField(Application.objects.none(), empty_label=None)
    action = forms.CharField(max_length=200, help_text="For example: read.")

    def message(self):
        """Return the message that an application would send."""
        values = self.cleaned_data
        subject = {"type": "user", "id": values["subject"]}
        if values["organization"]:
            subject["properties"] = {"organization": values["organization"]}
        application = values["application"]
        resource = {"type": application.resource_type, "id": application.slug}
        return {"subject": subject, "action": {"name": values["action"]}, "resource": resource}


@admin.register(ProviderToken)
class ProviderTokenAdmin(OwnAdmin):
    """The tokens with which a provider's applications ask for decisions: made, tried and revoked, never changed."""

    form = TokenForm
    can_add = True
    fields = ["provider", "name", "applications", "ends_at"]
    list_display = ["name", "status", "last_use", "created_on", "provider"]
    list_select_related = ["provider"]
    search_fields = ["name"]
    ordering = [Lower("name"), "pk"]

    def has_add_permission(self, request):
        """A lead's: a token answers about people, and outlives whoever made it. Anybody may revoke it, at once."""
        return bool(self.may_add_for(request))

    def may_add_for(self, request):
        return led_by(request)

    def get_fields(self, request, obj=None):
        return ["owned_by", "name", "asks_about", "status", "created_on", "last_use"] if obj else self.fields

    def get_readonly_fields(self, request, obj=None):
        return self.get_fields(request, obj) if obj else []

    def render_change_form(self, request, context, *args, **kwargs):
        """One way to save: it leads to the secret."""
        context |= {"show_save_and_add_another": False, "show_save_and_continue": False}
        return super().render_change_form(request, context, *args, **kwargs)

    def response_add(self, request, obj, post_url_continue=None):
        """Show the secret, on a page that nothing keeps."""
        context = {
            **self.admin_site.each_context(request),
            "title": f"The token {obj}",
            "opts": self.opts,
            "token": obj,
            "secret": request.new_secret,
        }
        return TemplateResponse(request, "admin/licensing/providertoken/made.html", context)

    def save_model(self, request, obj, form, change):
        request.new_secret = form.secret

    def get_urls(self):
        view = self.admin_site.admin_view
        return [
            path("<path:object_id>/revoke/", view(self.revoke), name="licensing_providertoken_revoke"),
            path("<path:object_id>/try/", view(self.try_it), name="licensing_providertoken_try"),
            *super().get_urls(),
        ]

    def tools(self, request, obj):
        if obj.state(timezone.now()) is not State.LIVE:
            return []
        try_it = [(self.url("try", obj.pk), "Try it")] if self.may_try(request, obj) else []
        return [*try_it, (self.url("revoke", obj.pk), "Revoke this token")]

    def revoke(self, request, object_id):
        return self.confirm(
            request,
            object_id,
            act="Revoke",
            title=lambda token: f"Revoke {token}?",
            consequences=foresee_revoking,
            do=services.revoke_token,
            done=lambda token: f"{token} was revoked.",
            is_loss=True,
        )

    def may_try(self, request, token):
        """A lead's as making one is: what it is answered is about people. Without a token it is for whoever enters."""
        return token.provider_id in led_by(request) if token else self.may_enter(request)

    def try_it(self, request, object_id):
        """Ask as the token would, and show what it is answered."""
        token = self.get_object(request, unquote(object_id))
        if not self.may_try(request, token):
            raise PermissionDenied
        if token is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        form = TryForm(request.POST if request.method == "POST" else None)
        form.fields["application"].queryset = token.may_ask_about.order_by(Lower("name"))
        context = {
            **self.admin_site.each_context(request),
            "title": f"Try {token}",
            "opts": self.opts,
            "token": token,
            "form": form,
            "url": request.build_absolute_uri(reverse("authzen:evaluation")),
        }
        if form.is_valid():
            message = form.message()
            try:
                (said,) = answer_for(token, [question_in(message)], at=timezone.now())
            except Unauthorized:
                form.add_error(None, f"{token} is no longer valid: whoever asks with it is answered 401.")
            else:
                written = {"asked": message, "said": said}
                context |= {name: json.dumps(each, indent=2, ensure_ascii=False) for name, each in written.items()}
                context["is_allowed"] = said["decision"]
        return TemplateResponse(request, "admin/licensing/providertoken/try.html", context)

    @admin.display(description="status")
    def status(self, token):
        state = token.state(timezone.now())
        if state is State.LIVE:
            return f"Valid until {write_day(last_day(token.ends_at))}" if token.ends_at else "Valid"
        return "Revoked" if state is State.CANCELLED else "Ended"

    @admin.display(description="may ask about")
    def asks_about(self, token):
        return ", ".join(map(str, token.applications.order_by(Lower("name")))) or "all applications"

    @admin.display(description="made on", ordering="created_at")
    def created_on(self, token):
        return write_day(timezone.localtime(token.created_at).date())

    @admin.display(description="last used", ordering="last_used_at", empty_value="never")
    def last_use(self, token):
        return token.last_used_at

    @admin.display(description="provider")
    def owned_by(self, token):
        """As text: the page of a provider is the operator's."""
        return str(token.provider)


def foresee_revoking(token):
    services.require_not_revoked(token)
    return [Consequence("-", "Whatever asks with it is refused from the next question on. It never comes back.")]
