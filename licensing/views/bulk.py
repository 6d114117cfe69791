"""What is done with many rows of a list at once: those that are ticked, or all that match."""

from functools import partial

from django.core.exceptions import ValidationError
from django.db.models import Q
from django.forms import ChoiceField, Form
from django.http import Http404
from django.urls import reverse

from directory import services as directory
from directory.decorators import editor_required
from directory.forms.editing import ChooseGroupForm, ChooseUnitForm
from licensing import services
from licensing.access import changes
from licensing.filters import INVITATIONS, Selection
from licensing.forms import ChooseLicenseForm
from licensing.kinds import GROUPS, UNITS, USERS
from licensing.ledger import foresee
from portal.modals import run_modal
from portal.text import count_words

LISTS = {
    USERS: "licensing:user_list",
    GROUPS: "directory:group_list",
    UNITS: "directory:unit_list",
    INVITATIONS: "directory:invitation_list",
}
PEOPLE = ("person", "people")


@editor_required
def add_to_group(request):
    return _bulk(
        request,
        USERS,
        "Add {} to a group",
        form=partial(ChooseGroupForm, organization=request.organization),
        act=lambda group: partial(_with_users, directory.join_group, group, request.actor),
        already="In the group already",
        change=lambda things, group: partial(changes.joining, [group], things),
        did=lambda group: f"joined {group}",
        confirm="Add to group",
    )


@editor_required
def remove_from_group(request):
    """Of the group whose people the list shows."""
    selection = Selection.of(request, USERS)
    if selection.group is None:
        raise Http404
    group = selection.group
    return _bulk(
        request,
        USERS,
        f"Remove {{}} from {group}",
        act=lambda: partial(_with_users, directory.leave_group, group, request.actor),
        already="Not in the group",
        change=lambda things: partial(changes.leaving, group, things),
        did=lambda: f"left {group}",
        confirm="Remove",
        is_loss=True,
    )


@editor_required
def add_to_unit(request):
    return _bulk(
        request,
        USERS,
        "Add {} to an organizational unit",
        form=partial(ChooseUnitForm, organization=request.organization),
        act=lambda unit: partial(_with_users, directory.place_in_unit, unit, request.actor),
        already="In the unit already",
        change=lambda things, unit: partial(changes.placing, unit, things),
        did=lambda unit: f"moved to {unit}",
        confirm="Add to unit",
        text="A person is in one unit at most: who is in another leaves it.",
    )


@editor_required
def remove_from_unit(request):
    """Of the unit whose people the list shows."""
    selection = Selection.of(request, USERS)
    if selection.unit is None:
        raise Http404
    unit = selection.unit
    return _bulk(
        request,
        USERS,
        f"Remove {{}} from {unit}",
        act=lambda: partial(_with_users, directory.leave_unit, unit, request.actor),
        already="Not in the unit",
        why_not=[("Not in the unit", ~Q(unit=unit))],  # what they have through another unit is not lost
        change=lambda things: partial(changes.placing, None, things),
        did=lambda: f"left {unit}",
        confirm="Remove",
        is_loss=True,
    )


@editor_required
def deactivate(request):
    return _bulk(
        request,
        USERS,
        "Deactivate {}",
        act=lambda: partial(directory.deactivate, actor=request.actor),
        already="Inactive already",
        why_not=directory.why_not_deactivate(request.organization, request.actor),
        change=lambda things: partial(changes.deactivating, things),
        did=lambda: "deactivated",
        confirm="Deactivate",
        is_loss=True,
        text="No license reaches them any more and they take no seat. What is assigned is kept, and works again when "
        "they are reactivated.",
    )


@editor_required
def reactivate(request):
    return _bulk(
        request,
        USERS,
        "Reactivate {}",
        act=lambda: partial(directory.reactivate, actor=request.actor),
        already="Active already",
        why_not=directory.why_not_reactivate(request.organization, request.actor),
        change=lambda things: partial(changes.reactivating, things),
        did=lambda: "reactivated",
        confirm="Reactivate",
        text="Everything that was kept works again at once. This is never refused for want of seats.",
    )


@editor_required
def resend_invitations(request):
    return _bulk(
        request,
        INVITATIONS,
        "Resend {}",
        act=lambda: partial(directory.resend_many, actor=request.actor),
        already="Accepted or cancelled already",
        why_not=directory.why_not_resend(request.organization, request.actor),
        did=lambda: "sent again",
        confirm="Resend",
        text="Each gets a new mail, with a link that is good for 14 days. The links in the earlier mails stop working.",
    )


@editor_required
def cancel_invitations(request):
    return _bulk(
        request,
        INVITATIONS,
        "Cancel {}",
        act=lambda: partial(directory.cancel_invitations, actor=request.actor),
        already="Accepted or cancelled already",
        why_not=directory.why_not_cancel_invitation(request.organization, request.actor),
        did=lambda: "cancelled",
        confirm="Cancel invitations",
        dismiss="Keep them",
        is_loss=True,
        text="The links in the mails stop working. The people stay in the directory, with what is assigned, and can be "
        "invited again.",
    )


@editor_required
def unassign(request, kind):
    selection = Selection.of(request, kind)

    class ChooseAllocationForm(Form):
        allocation = ChoiceField(label="License", error_messages={"required": "Choose a license."})

        def __init__(self, data=None):
            super().__init__(data, initial={"allocation": selection.allocation and selection.allocation.pk})
            allocations = request.organization.allocations.with_license().order_by("license__sort_key", "pk")
            self.allocations = {str(allocation.pk): allocation for allocation in allocations}
            choices = [(pk, str(allocation)) for pk, allocation in self.allocations.items()]
            self.fields["allocation"].choices = [("", "Choose a license"), *choices]

        def clean_allocation(self):
            return self.allocations[self.cleaned_data["allocation"]]

    return _bulk(
        request,
        kind,
        "Unassign a license from {}",
        form=ChooseAllocationForm,
        save=lambda allocation: services.unassign_in_bulk(
            allocation, kind=kind, assignees=selection.things, actor=request.actor
        ),
        change=lambda things, allocation: partial(changes.unassigning_all, allocation, kind=kind, assignees=things),
        did=lambda allocation: f"lost the direct assignment of {allocation}",
        confirm="Unassign License",
        is_loss=True,
        text="What reaches them in another way stays: what changes says who keeps it.",
    )


@editor_required
def assign(request, kind):
    selection = Selection.of(request, kind)

    def save(allocation, **values):
        return services.assign_in_bulk(allocation, kind=kind, assignees=selection.things, actor=request.actor, **values)

    return _bulk(
        request,
        kind,
        "Assign a license to {}",
        template="licensing/bulk_assign.html",
        form=partial(BulkLicenseForm, selection),
        why_not=services.why_not_assign(kind),
        save=save,
        make_change=lambda form, at: form.change(at=at),
        did=lambda allocation, **_: f"got {allocation}",
        confirm="Assign License",
        is_anything_allocated=True,
    )


class BulkLicenseForm(ChooseLicenseForm):
    """Which license shall many have?"""

    def __init__(self, selection, data=None):
        self.organization = selection.organization
        assignees, _ = directory.left_out(selection.things, services.why_not_assign(selection.kind))
        super().__init__(data, kind=selection.kind, assignees=assignees)

    def offer(self, at):
        """All that can be assigned: who has it already is left out, and told."""
        return self.organization.allocations.assignable(at), []


def _with_users(service, place, actor, users):
    return service(place, users=users, actor=actor)


def _bulk(
    request,
    kind,
    title,
    *,
    did,
    confirm,
    form=Form,
    template="licensing/bulk.html",
    act=None,
    already="",
    why_not=(),
    save=None,
    change=None,
    make_change=None,
    is_loss=False,
    **more,
):
    """Run the modal of an act upon a Selection.

    title: with {} for how many. act: the form's values -> a service that takes a list of things; already: whom it
    skips. Or save: the form's values -> a Tally. why_not: whom either leaves out, as for left_out(). change: things and
    the form's values -> a function of the instant that returns the Change, where access changes. did: the form's values
    -> what is said of whom it was done for.
    """
    selection = Selection.of(request, kind)
    words = PEOPLE if kind is USERS else (kind.one, kind.slug)
    things, left = directory.left_out(selection.things, why_not)
    left = [(reason, number) for reason, those in left if (number := those.count())]
    number = selection.number - sum(number for _, number in left)

    def run(**values):
        if not selection.number:
            raise ValidationError(f"Nothing is ticked any more. Tick at least one {words[0]}.", code="none")
        service = save or in_bulk
        tally = service(**values)
        return tally, f"{count_words(tally.done, *words)} {did(**values)}."

    def in_bulk(**values):
        return directory.in_bulk(selection.things, act(**values), already=already, why_not=why_not)

    def foreseen(form, at):
        if make_change:
            return make_change(form, at)
        if not change or not number or (form.fields and not form.is_valid()):
            return None
        return change(things, **getattr(form, "cleaned_data", {}))(at=at)

    def tell(outcome):
        tally, said = outcome
        reasons = [(reason, number, tally.names[reason]) for reason, number in tally.numbers.items()]
        return {"said": said, "reasons": reasons} if reasons else None

    return run_modal(
        request,
        template,
        form,
        title=title.replace("{}", count_words(number, *words), 1),  # not format(): a name may hold braces
        save=run,
        say=lambda outcome: outcome[1],
        tell=tell,
        back=reverse(LISTS[kind]),
        foresee=foresee(request, foreseen),
        selection=selection,
        number=number,
        left=left,
        confirm=confirm,
        is_loss=is_loss,
        kind=kind,
        words=words,
        **more,
    )
