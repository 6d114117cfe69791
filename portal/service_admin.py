"""What the pages of Django's admin share: every write is a service call, and one question says who may come in."""

from dataclasses import dataclass
from hashlib import sha256

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import quote, unquote
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import models
from django.forms.models import construct_instance
from django.http import HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import urlencode

from .fields import is_key
from .lists import clean_query
from .modals import add_error
from .transactions import one_transaction


@dataclass(frozen=True)
class Consequence:
    """One thing that an act will do, as it is said before."""

    sign: str  # + gives, - takes, = leaves, ! warns
    says: str


def key_of(consequences):
    """Return what stands for these consequences in a form, so that they are confirmed and no others."""
    return sha256("\n".join(f"{each.sign}{each.says}" for each in consequences).encode()).hexdigest()[:16]


class ServiceForm(forms.ModelForm):
    """A form that a service saves, while it is checked: a refusal stands at its field, and nothing typed is lost."""

    request = None  # ServiceAdmin.get_form sets it
    consequences = ()  # that are to be confirmed
    confirmation = ""  # what a box is worth that confirms them
    is_preview = False  # it was asked only how it would be

    def ask_first(self, consequences):
        """Go on only when these consequences were shown and confirmed. Call it in write(), after the service: what
        it refuses comes first, and nothing of it is kept before the answer. That all stays as it is needs no answer.
        """
        key = key_of(consequences)
        if any(each.sign != "=" for each in consequences) and self.data.get("confirmed") != key:
            self.consequences, self.confirmation = consequences, key
            asked_before = "Meanwhile this came to change something else. " if self.data.get("confirmed") else ""
            raise ValidationError(
                f"{asked_before}Nothing is saved yet. Read what this changes, then tick it and save again.",
                code="confirm",
            )

    def write(self):
        """Call the service with what was entered; return the thing as it is now."""
        raise NotImplementedError

    @property
    def fields_changed(self):
        """Whether the thing's own columns are to be written: not when only what belongs to it was changed."""
        return self.instance._state.adding or any(f.name in self.changed_data for f in self._meta.model._meta.fields)

    def _post_clean(self):
        """Instead of Django's own: the service checks the thing whole, and has better words."""
        if self.errors or not (self.instance._state.adding or self.has_changed()):
            return
        self.instance = construct_instance(self, self.instance, self._meta.fields, self._meta.exclude)
        try:
            self.instance = one_transaction(self.write)()
        except ValidationError as error:
            add_error(self, error)


class ServiceAdmin(admin.ModelAdmin):
    """Pages of one model. Who may enter sees what get_queryset gives, and may do what the three flags say.

    Django's permissions are not used. Nor is Django's own log: History leads to the audit entries.
    """

    form = ServiceForm
    actions = ()
    can_add = can_change = can_delete = False
    formfield_overrides = {models.URLField: {"assume_scheme": "https"}}

    def may_enter(self, request):
        """The platform operator may; who else, a subclass says."""
        return request.user.is_superuser

    def has_module_permission(self, request):
        return self.may_enter(request)

    def has_view_permission(self, request, obj=None):
        return self.may_enter(request)

    def has_add_permission(self, request):
        return self.can_add and self.may_enter(request)

    def has_change_permission(self, request, obj=None):
        return self.can_change and self.may_enter(request)

    def has_delete_permission(self, request, obj=None):
        return self.can_delete and self.may_enter(request)

    def lookup_allowed(self, lookup, value, request):
        """The filters that the page offers: any other could ask about what it does not show."""
        allowed = set()
        for each in self.get_list_filter(request):
            if name := getattr(each, "parameter_name", None):
                allowed.add(name)
            else:
                path = each[0] if isinstance(each, tuple) else each
                allowed.update(f"{path}__{end}" for end in ("exact", "id__exact", "gte", "lt"))
        return lookup in allowed

    def get_search_results(self, request, queryset, search_term):
        """Search without what no database takes, also where Django completes a name."""
        return super().get_search_results(request, queryset, clean_query(search_term))

    def get_actions(self, request):
        """Our own: Django's, which deletes many, would be no service call."""
        actions = super().get_actions(request)
        actions.pop("delete_selected", None)
        return actions

    def response_action(self, request, queryset):
        """Nothing is chosen by what is no key: Django would not survive it."""
        if not all(map(is_key, request.POST.getlist("_selected_action"))):
            self.message_user(request, "What you chose is not there any more. Choose again.", messages.WARNING)
            return HttpResponseRedirect(request.get_full_path())
        return super().response_action(request, queryset)

    # The service is the transaction. One around the page would move what the database refuses to its COMMIT, where
    # nobody finds words for it.

    def changeform_view(self, request, object_id=None, form_url="", extra_context=None):
        return self._changeform_view(request, object_id, form_url, extra_context)

    def delete_view(self, request, object_id, extra_context=None):
        try:
            return self._delete_view(request, object_id, extra_context)
        except ValidationError as error:  # somebody has come to use it since the page looked
            self.message_user(request, " ".join(error.messages), messages.ERROR)
            return HttpResponseRedirect(self.url("change", unquote(object_id)))

    def get_form(self, request, obj=None, change=False, **kwargs):
        form = super().get_form(request, obj, change, **kwargs)
        form.request = request
        return form

    def save_model(self, request, obj, form, change):
        """The form has called the service."""

    def save_related(self, request, form, formsets, change):
        """The form has called the service."""

    def _log_nothing(self, *args):
        """The service has written the audit entries."""

    log_addition = log_change = log_deletions = _log_nothing

    def history_view(self, request, object_id, extra_context=None):
        """The audit entries about the thing; that list shows only whom they concern."""
        url = reverse("admin:audit_auditentry_changelist")
        return HttpResponseRedirect(f"{url}?{urlencode({'about': f'{self.opts.model_name}-{unquote(object_id)}'})}")

    def name_of(self, thing):
        """Return what a thing is called where nothing around it tells it apart."""
        return str(thing)

    def render_change_form(self, request, context, add=False, change=False, form_url="", obj=None):
        context["tools"] = self.tools(request, obj) if change else []
        context["subtitle"] = self.name_of(obj) if change else None
        form = context["adminform"].form
        if form.consequences or form.is_preview:  # a question is no error
            context["errors"] = []
        return super().render_change_form(request, context, add, change, form_url, obj)

    def changelist_view(self, request, extra_context=None):
        return super().changelist_view(request, {"list_tools": self.list_tools(request), **(extra_context or {})})

    def list_tools(self, request):
        """Return what can be done from the list: (URL, label) pairs."""
        return []

    def tools(self, request, obj):
        """Return what can be done from the page of a thing: (URL, label) pairs."""
        return []

    def confirm(self, request, object_id, *, act, title, consequences, do, done, is_loss=False):
        """Do something with a thing by POST, after a page that says what that does.

        act: the word on the button. title, done: functions that give, of the thing, the question and the sentence for
        afterwards. consequences: a function that gives the Consequences, or raises ValidationError where there is
        nothing to ask; when they have become others since the page, it is shown again. do: the service. is_loss: the
        button is red.
        """
        thing = self.get_object(request, unquote(object_id))
        if not self.may_enter(request):
            raise PermissionDenied
        if thing is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        shown = request.POST.get("shown", "")
        try:
            foreseen = consequences(thing)
            if request.method == "POST" and shown in ("", key_of(foreseen)):
                do(thing, actor=request.actor)
                self.message_user(request, done(thing), messages.SUCCESS)
                return HttpResponseRedirect(self.url("change", thing.pk))
        except ValidationError as error:  # it is so already, or somebody did it meanwhile
            self.message_user(request, " ".join(error.messages), messages.ERROR)
            return HttpResponseRedirect(self.url("change", thing.pk))
        context = {
            **self.admin_site.each_context(request),
            "title": title(thing),
            "opts": self.opts,
            "thing": thing,
            "name": self.name_of(thing),
            "act": act,
            "consequences": foreseen,
            "key": key_of(foreseen),
            "is_loss": is_loss,
        }
        if shown:
            self.message_user(request, "Meanwhile this came to change something else. Read it again.", messages.WARNING)
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "admin/confirm.html", context)

    def url(self, page, *pks, **query):
        """Return the URL of a page of this model: changelist, add, change, …"""
        path = reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_{page}", args=[quote(pk) for pk in pks])
        return f"{path}?{urlencode(query)}" if query else path
