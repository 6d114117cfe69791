"""What is done with many allocations of a list: after a page that says, with the numbers, what that does."""

from collections.abc import Callable
from dataclasses import dataclass

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import ValidationError
from django.template.response import TemplateResponse
from django.utils import timezone

from licensing import services
from licensing.access import changes
from portal.days import end_of
from portal.fields import DayField
from portal.service_admin import Consequence, key_of
from portal.text import count_words, join_some
from portal.transactions import do_each

from .consequences import Foreseen, foresee_dates, lines_of
from .listed import days_of, seats_text, status_text, with_seats

MOST = 1000  # allocations at once


class EndForm(forms.Form):
    ends_at = DayField(label="Last day", help_text="In the time zone of each customer; included. Empty: without end.")

    def end_of(self, allocation):
        with days_of(allocation.organization):
            return end_of(self.cleaned_data["ends_at"])


@dataclass(frozen=True)
class Act:
    """Something that is done with each of many allocations."""

    verb: str  # on the button, with how many
    done: str
    require: Callable  # refuses what it cannot be done with: an allocation, with the form
    foresee: Callable  # what it does: of allocations, the form and an instant -> [Foreseen]
    do: Callable  # the service: of an allocation, the form and the Actor
    is_loss: bool = False
    form: type[forms.Form] = forms.Form  # what it asks


ACTS = {
    "cancel_many": Act(
        "Cancel",
        "cancelled",
        lambda allocation, form: services.require_not_cancelled(allocation),
        lambda allocations, form, at: [Foreseen(changes.cancelling(*allocations, at=at))],
        lambda allocation, form, actor: services.cancel(allocation, actor=actor),
        is_loss=True,
    ),
    "reinstate_many": Act(
        "Reinstate",
        "reinstated",
        lambda allocation, form: services.require_cancelled(allocation),
        lambda allocations, form, at: [Foreseen(changes.reinstating(*allocations, at=at))],
        lambda allocation, form, actor: services.reinstate(allocation, actor=actor),
    ),
    "change_end_of_many": Act(
        "Change the end of",
        "changed",
        lambda allocation, form: services.require_order(allocation.starts_at, form.end_of(allocation)),
        lambda allocations, form, at: foresee_dates({a: (a.starts_at, form.end_of(a)) for a in allocations}, at=at),
        lambda allocation, form, actor: services.change_end(allocation, ends_at=form.end_of(allocation), actor=actor),
        form=EndForm,
    ),
}


def _left_out(act, allocations, form):
    """Return of which of the allocations the act will be refused, and why: {key: reason}."""
    reasons = {}
    for allocation in allocations:
        try:
            act.require(allocation, form)
        except ValidationError as error:
            reasons[allocation.pk] = f"left out: {' '.join(error.messages)}"
    return reasons


class ActOnMany:
    """The actions of an AllocationAdmin. Each answers a page first, whose form comes back to the same action."""

    actions = list(ACTS)

    @admin.action(description="Cancel")
    def cancel_many(self, request, allocations):
        return self._act(request, allocations, "cancel_many")

    @admin.action(description="Reinstate")
    def reinstate_many(self, request, allocations):
        return self._act(request, allocations, "reinstate_many")

    @admin.action(description="Change the last day")
    def change_end_of_many(self, request, allocations):
        return self._act(request, allocations, "change_end_of_many")

    def _act(self, request, allocations, name):
        act = ACTS[name]
        allocations = list(allocations.order_by("pk")[: MOST + 1])  # in the order in which all lock them
        if len(allocations) > MOST:
            self.message_user(request, f"Choose at most {MOST:,} at once. Narrow the list first.", messages.ERROR)
            return None
        asked, at = "shown" in request.POST, timezone.now()
        form = act.form(request.POST if asked else None)
        to_do, foreseen, says, key = allocations, [], {}, ""
        if form.is_valid() or (not form.fields and not asked):
            says = _left_out(act, allocations, form)
            to_do = [each for each in allocations if each.pk not in says]
            if not to_do and not form.fields:
                self.message_user(request, f"None of these can be {act.done}.", messages.WARNING)
                return None
            effects = act.foresee(to_do, form, at)
            foreseen = lines_of(effects) or [Consequence("=", "Nobody gains or loses anything by it.")]
            says |= {pk: said for each in effects for pk, said in each.by_allocation.items()}
            key = key_of([*foreseen, Consequence("", str(form.cleaned_data if asked else {}))]) if to_do else ""
            if key and request.POST.get("shown") == key:
                return self._do(request, allocations, act, form)
            if request.POST.get("shown"):
                self.message_user(request, "This is not what was shown before. Read it again.", messages.WARNING)
        count = count_words(len(to_do), "allocation", "allocations")
        context = {
            **self.admin_site.each_context(request),
            "title": f"{act.verb} {count}?" if not form.fields else f"{act.verb} {count}",
            "opts": self.opts,
            "name": name,
            "act": act,
            "button": f"{act.verb} {count}" if key else "Show what that changes",
            "form": form,
            "key": key,
            "consequences": foreseen if key else [],
            "rows": [
                (each, status_text(each, at), seats_text(each, each.use), says.get(each.pk, ""))
                for each in with_seats(allocations)
            ],
            "checkbox_name": ACTION_CHECKBOX_NAME,
            "media": self.media + form.media,
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "admin/licensing/allocation/act_on_many.html", context)

    def _do(self, request, allocations, act, form):
        def one(allocation):
            with days_of(allocation.organization):
                return act.do(allocation, form, request.actor)

        try:
            done = do_each(allocations, one)
        except ValidationError as error:  # somebody changed the same at the same moment
            self.message_user(request, " ".join(error.messages), messages.ERROR)
            return
        refused = [each for each in done if each.error]
        if number := len(done) - len(refused):
            was = "was" if number == 1 else "were"
            said = f"{count_words(number, 'allocation', 'allocations')} {was} {act.done}."
            self.message_user(request, said, messages.SUCCESS)
        if refused:
            why = join_some(
                [f"{each.thing} for {each.thing.organization}: {each.refusal}" for each in refused], limit=10
            )
            self.message_user(request, f"Not {act.done}: {why}", messages.WARNING)
