from django import forms
from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.http import HttpResponseRedirect
from django.urls import reverse

from directory.models import Account
from licensing import services
from licensing.models import StaffMember
from portal.service_admin import ServiceForm

from .own import OwnAdmin, led_by


class StaffForm(ServiceForm):
    """Adding somebody by their address; afterwards only whether they lead is changed.

    Nobody is told whether there was an account, nor its name: it may be that of a customer's employee.
    """

    email = forms.EmailField(label="E-mail", max_length=254, widget=forms.EmailInput({"class": "vTextField"}))
    name = forms.CharField(
        max_length=Account._meta.get_field("name").max_length,
        widget=forms.TextInput({"class": "vTextField"}),
        help_text="For the account that is made where this address has none. They get a mail that leads in.",
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            del self.fields["email"], self.fields["name"]

    def write(self):
        values, actor = self.cleaned_data, self.request.actor
        if self.instance.pk:
            return services.set_lead(self.instance, is_lead=values["is_lead"], actor=actor)
        return services.invite_staff(
            values["provider"], **{k: values[k] for k in ("email", "name", "is_lead")}, actor=actor
        )


@admin.register(StaffMember)
class StaffMemberAdmin(OwnAdmin):
    """Who works for a provider. Its leads change that, and the operator; its other staff reads it."""

    form = StaffForm
    can_add = can_change = can_delete = True
    fields = ["provider", "email", "name", "is_lead"]
    list_display = ["address", "is_lead", "provider"]
    list_display_links = ["address"]
    list_select_related = ["provider", "account"]
    list_filter = ["is_lead"]
    search_fields = ["account__email"]
    search_help_text = "Search by e-mail address"
    ordering = ["account__email", "pk"]

    def has_add_permission(self, request):
        return bool(self.may_add_for(request))

    def may_add_for(self, request):
        return led_by(request)

    def has_change_permission(self, request, obj=None):
        return bool(led_by(request)) if obj is None else obj.provider_id in led_by(request)

    has_delete_permission = has_change_permission

    def get_fields(self, request, obj=None):
        return ["owned_by", "address", "is_lead"] if obj else self.fields

    def get_readonly_fields(self, request, obj=None):
        return ["owned_by", "address"] if obj else []

    def history_view(self, request, object_id, extra_context=None):
        """Of one there is no history but that of the provider's staff."""
        member = self.get_object(request, unquote(object_id))
        about = f"provider-{member.provider_id}" if member else "staffmember-0"
        return HttpResponseRedirect(f"{reverse('admin:audit_auditentry_changelist')}?about={about}")

    def get_deleted_objects(self, objs, request):
        """Who works for it no longer, and nothing else."""
        return [str(obj) for obj in objs], {self.opts.verbose_name_plural: len(objs)}, set(), []

    def delete_model(self, request, obj):
        services.remove_staff(obj, actor=request.actor)

    @admin.display(description="e-mail", ordering="account__email")
    def address(self, member):
        return member.account.email

    @admin.display(description="provider")
    def owned_by(self, member):
        return str(member.provider)
