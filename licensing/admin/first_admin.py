"""The first Admin of an organization: whether they have come in, and inviting them, also again."""

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpResponseRedirect
from django.template.response import TemplateResponse

from directory.models import Role
from licensing import services
from portal.days import last_day, write_day
from portal.modals import add_error

from .listed import days_of


class FirstAdminForm(forms.Form):
    required_css_class = "required"
    email = forms.CharField(max_length=254, label="E-mail", widget=forms.EmailInput({"class": "vTextField"}))
    name = forms.CharField(required=False, max_length=120, widget=forms.TextInput({"class": "vTextField"}))


class InviteFirstAdmin:
    """What an OrganizationAdmin has of it. Neither name nor address is shown, also not those that were typed here."""

    def may_invite(self, request, organization):
        return self.has_change_permission(request, organization) and not services.has_come_in(organization)

    def invite_view(self, request, object_id):
        organization = self.get_object(request, unquote(object_id))
        if organization is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        if not self.has_change_permission(request, organization):
            raise PermissionDenied
        form = FirstAdminForm(request.POST if request.method == "POST" else None)
        if form.is_valid():
            try:
                services.invite_admin(organization, **form.cleaned_data, actor=request.actor)
            except ValidationError as error:
                add_error(form, error)
            else:
                self.message_user(request, f"The first Admin of {organization} is invited.", messages.SUCCESS)
                return HttpResponseRedirect(self.url("change", organization.pk))
        context = {
            **self.admin_site.each_context(request),
            "title": f"Invite the first Admin of {organization}",
            "opts": self.opts,
            "organization": organization,
            "form": form,
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "admin/directory/organization/invite.html", context)

    @admin.display(description="first Admin")
    def first_admin(self, organization):
        if services.has_come_in(organization):
            return "An Admin has come in"
        open_ones = organization.invitations.unfinished().filter(user__role=Role.ADMIN, user__is_active=True)
        if (invitation := open_ones.order_by("-sent_at").first()) is None:
            return "Nobody is invited"
        with days_of(organization):
            until = write_day(last_day(invitation.expires_at))
        return f"Invited, open until {until}" if invitation.state == "pending" else f"The invitation ended on {until}"
