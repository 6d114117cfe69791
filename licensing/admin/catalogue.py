import re

from django import forms
from django.contrib import admin
from django.contrib.admin import RelatedOnlyFieldListFilter
from django.db.models.functions import Lower
from django.utils import timezone

from licensing import services
from licensing.access import changes, count_holders
from licensing.models import Application, Policy, Provider
from portal.service_admin import Consequence, ServiceForm
from portal.text import count_words, join_words

from .consequences import Foreseen
from .own import OwnAdmin, led_by


class CatalogueForm(ServiceForm):
    def write(self):
        return services.save(self.instance, actor=self.request.actor) if self.fields_changed else self.instance


class CatalogueAdmin(OwnAdmin):
    form = CatalogueForm
    can_add = can_change = can_delete = True

    def get_fields(self, request, obj=None):
        """Once it exists, the provider is only shown."""
        return ["provider_name" if obj and name == "provider" else name for name in self.fields]

    def get_readonly_fields(self, request, obj=None):
        return [*self.readonly_fields, "provider_name"]

    @admin.display(description="provider")
    def provider_name(self, thing):
        return thing.provider

    def get_deleted_objects(self, objs, request):
        """What goes is the thing alone: services refuse while anything needs it, and say what."""
        reasons = [reason for reason in map(services.why_kept, objs) if reason]
        return [str(obj) for obj in objs], {self.opts.verbose_name_plural: len(objs)}, set(), reasons

    def delete_model(self, request, obj):
        services.delete(obj, actor=request.actor)


class Checkboxes(forms.CheckboxSelectMultiple):
    def __init__(self, attrs=None):
        super().__init__(
            {"class": "radiolist", **(attrs or {})}
        )  # in the admin's stylesheet: labels as wide as they are


# Providers -----------------------------------------------------------------------------------------------------------


@admin.register(Provider)
class ProviderAdmin(CatalogueAdmin):
    """The operator makes and names them, their leads say how customers reach them. Their staff has its own list."""

    owner = "pk"
    can_delete = False
    fields = ["name", "slug", "contact_email", "terms_url"]
    prepopulated_fields = {"slug": ["name"]}
    list_display = ["name", "slug", "contact_email"]
    search_fields = ["name", "slug"]
    ordering = ["name"]

    def has_add_permission(self, request):
        return request.user.is_superuser

    def has_change_permission(self, request, obj=None):
        return bool(led_by(request)) if obj is None else obj.pk in led_by(request)

    def get_readonly_fields(self, request, obj=None):
        return [] if request.user.is_superuser else ["name", "slug"]

    def get_prepopulated_fields(self, request, obj=None):
        return self.prepopulated_fields if request.user.is_superuser else {}

    def get_list_filter(self, request):
        return []


# Applications and policies -------------------------------------------------------------------------------------------


class ApplicationForm(CatalogueForm):
    class Meta:
        help_texts = {
            "slug": "The name by which it asks whether somebody may use it: the id of the resource in its questions.",
            "resource_type": "The type of that resource. Leave it where your application asks for no other.",
            "description": "Customers read it: what it is for.",
            "url": "Where people open it: customers see it as a link. Empty: no link.",
        }

    def write(self):
        """Whoever asks names the application by its slug and resource type: under other ones it knows of nobody."""
        stored = self.instance.pk and Application.objects.get(pk=self.instance.pk)
        application = super().write()
        if stored and (stored.slug, stored.resource_type) != (application.slug, application.resource_type):
            people = sum(count_holders(application.policies.all(), at=timezone.now()).values())
            self.ask_first([Consequence("!", _asked_otherwise(stored, application, people))] if people else [])
        return application


def _asked_otherwise(before, application, people):
    have = count_words(people, "person has", "people have")
    old, new = (f"{each.resource_type} “{each.slug}”" for each in (before, application))
    return (
        f"{have} policies of {application}. Whatever asks for {old} is answered no from the next question on, for each"
        f" of them, until it asks for {new}."
    )


@admin.register(Application)
class ApplicationAdmin(CatalogueAdmin):
    form = ApplicationForm
    fields = ["provider", "name", "slug", "resource_type", "description", "url"]
    prepopulated_fields = {"slug": ["name"]}
    list_display = ["name", "slug", "description", "provider"]
    list_select_related = ["provider"]
    search_fields = ["name", "slug", "description"]
    ordering = [Lower("name"), "pk"]


class ActionsField(forms.CharField):
    """A list of names, written one a line or with commas between."""

    widget = forms.Textarea(attrs={"rows": 4})

    def clean(self, value):
        return _words(super().clean(value))

    def prepare_value(self, value):
        return "\n".join(value) if isinstance(value, list) else value

    def has_changed(self, initial, data):
        return _words(data or "") != (initial or [])


def _words(text):
    return list(dict.fromkeys(filter(None, map(str.strip, re.split(r"[,\n]", text)))))


class PolicyForm(CatalogueForm):
    class Meta:
        help_texts = {"description": "Customers read it, where they choose policies: what one may do with it."}

    actions = ActionsField(
        required=False, help_text="One a line, or with commas between. <b>None listed: every action.</b>"
    )

    def write(self):
        """A policy is never copied: whoever has it feels at once what it covers, and which role it hands over."""
        stored = self.instance.pk and Policy.objects.select_related("application").get(pk=self.instance.pk)
        policy = super().write()
        if stored and (turns := _turns(stored, policy)):
            (effect,) = Foreseen(changes.taking_away(policy, at=timezone.now())).preview.effects or [None]
            self.ask_first([Consequence("!", f"{_had_by(policy, effect)} {turns}")] if effect else [])
        return policy


def _turns(before, policy):
    """Say what the application is told otherwise for who has the Policy; empty where it is told the same."""
    parts = []
    if (before.actions, before.application) != (policy.actions, policy.application):
        parts.append(f"it covers {_covered(policy)} in place of {_covered(before)}")
    if before.role != policy.role:
        parts.append(f"it hands over {_role(policy)} in place of {_role(before)}")
    return f"From the next question on {' and '.join(parts)}." if parts else ""


def _covered(policy):
    return f"{join_words(policy.actions) or 'every action'} of {policy.application}"


def _role(policy):
    return f"the role {policy.role}" if policy.role else "no role"


def _had_by(thing, effect):
    people = count_words(effect.loses, "person", "people")
    organizations = count_words(effect.organizations["-"], "organization", "organizations")
    verb = "has" if effect.loses == 1 else "have"
    return f"{people} in {organizations} {verb} {thing} now."


@admin.register(Policy)
class PolicyAdmin(CatalogueAdmin):
    form = PolicyForm
    owner = "application__provider"
    fields = ["application", "name", "description", "actions", "role"]
    list_display = ["name", "application", "actions_listed", "role", "application__provider"]
    list_select_related = ["application__provider"]
    list_filter = [("application", RelatedOnlyFieldListFilter)]
    search_fields = ["name", "description", "application__name"]
    ordering = [Lower("name"), "pk"]

    @admin.display(description="actions")
    def actions_listed(self, policy):
        return ", ".join(policy.actions) or "every action"
