"""Inviting people, and what they see who follow the link in the mail."""

from functools import partial

from allauth.account.utils import perform_login
from django.contrib import messages
from django.contrib.auth.decorators import login_not_required
from django.core.exceptions import ValidationError
from django.forms import Form
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache

from directory import services
from directory.decorators import editor_required, viewer_required
from directory.forms.accounts import AcceptForm
from directory.forms.invitations import Foreseen, InviteForm
from directory.middleware import visitor
from directory.models import Role
from directory.services.invitations import Invited
from portal.lists import list_page
from portal.modals import add_error, run_modal
from portal.text import count_words, join_some

from .users import user_of

STATES = {"pending": "Pending", "expired": "Expired", "accepted": "Accepted", "cancelled": "Cancelled"}


@viewer_required
def invitation_list(request):
    state = request.GET.get("state", "")
    listing = list_page(
        request,
        request.organization.invitations.listed(state),
        search="found_by__finds",
        sorts={"sent": ("sent_at", "pk")},
        default="-sent",
    )
    context = {"listing": listing, "state": state, "states": STATES.items()}
    return render(request, "directory/invitation_list.html", context)


@editor_required
def invite_people(request):
    organization = request.organization

    def foresee(form):
        people = form.is_bound and form.cleaned_data.get("people")
        if not people and not form.wrong:
            return None
        plan = services.plan_invitations(organization, people=people or [], actor=request.actor)
        return Foreseen(plan.new, plan.known, [*form.wrong, *plan.refused])

    def save(people, wrong, **fields):
        outcome = services.invite(organization, people=people, actor=request.actor, **fields)
        if not outcome.done:
            raise ValidationError({"people": "None of these can be invited: “What changes” says why."})
        return Invited(outcome.done, [*wrong, *outcome.refused])

    return run_modal(
        request,
        "directory/invite_people.html",
        partial(InviteForm, organization, may_give_roles=request.member.role == Role.ADMIN),
        title="Invite people",
        save=save,
        say=_say_invited,
        back=reverse("directory:invitation_list"),
        foresee=foresee,
    )


def _say_invited(outcome):
    users = [invitation.user for invitation in outcome.done]
    said = f"{join_some(users)} {'was' if len(users) == 1 else 'were'} invited by mail."
    if outcome.refused:
        said += f" {count_words(len(outcome.refused), 'entry was', 'entries were')} not."
    return said


@editor_required
def invite_user(request, pk):
    user = user_of(request, pk)
    people = [services.Invitee(user.email.lower(), user.name)] if user.email else []
    plan = services.plan_invitations(request.organization, people=people, actor=request.actor)
    why_not = plan.refused[0][1] if plan.refused else "" if people else "has no e-mail address"
    may_resend = user.is_active and (user.role != Role.ADMIN or request.member.role == Role.ADMIN)

    def save():
        outcome = services.invite(request.organization, people=people, actor=request.actor)
        if not outcome.done:
            raise ValidationError(f"{user} {outcome.refused[0][1] if outcome.refused else why_not}.")
        return outcome

    return run_modal(
        request,
        "directory/invite_user.html",
        Form,
        title=f"Invite {user}",
        save=save,
        say=_say_invited,
        back=reverse("directory:user_detail", args=[pk]),
        person=user,
        why_not=why_not,
        resend=next(iter(user.open_invitations), None) if why_not and may_resend else None,
    )


@editor_required
def resend_invitation(request, pk):
    invitation = _invitation(request, pk)
    return run_modal(
        request,
        "directory/resend_invitation.html",
        Form,
        title=f"Resend the invitation of {invitation.user}",
        save=partial(services.resend, invitation, actor=request.actor),
        say=lambda sent: f"{sent.user} was invited again, by a mail to {sent.email}.",
        back=reverse("directory:invitation_list"),
        invitation=invitation,
    )


@editor_required
def cancel_invitation(request, pk):
    invitation = _invitation(request, pk)
    return run_modal(
        request,
        "directory/cancel_invitation.html",
        Form,
        title=f"Cancel the invitation of {invitation.user}",
        save=partial(services.cancel_invitation, invitation, actor=request.actor),
        say=lambda _: f"The invitation of {invitation.user} is cancelled.",
        back=reverse("directory:invitation_list"),
        invitation=invitation,
    )


def _invitation(request, pk):
    return get_object_or_404(request.organization.invitations.select_related("user"), pk=pk)


@never_cache
@login_not_required
def accept_invitation(request, token):
    """What the link in the mail leads to. Looking at it changes nothing: mail programs follow links by themselves."""
    try:
        invitation = services.invitation_of(token)
    except ValidationError as error:
        context = {"why": error.messages[0], "code": error.code}
        status = 404 if error.code == "broken" else 410
        return render(request, "directory/invitation_refused.html", context, status=status)
    owner = services.account_with(invitation.email)
    me = request.user if request.user.is_authenticated else None
    form = None
    if me is None and owner is None:
        form = AcceptForm(invitation, request.POST if request.method == "POST" else None)
    elif me and services.has_verified(me, invitation.email):
        form = Form(request.POST if request.method == "POST" else None)
    if form is not None and form.is_valid():
        try:
            user = services.accept(invitation, account=me, actor=request.actor or visitor(request), **form.cleaned_data)
        except ValidationError as error:
            add_error(form, error)
        else:
            return _enter(request, user, is_new=me is None)
    context = {"invitation": invitation, "owner": owner, "me": me, "form": form}
    return render(request, "directory/accept_invitation.html", context)


def _enter(request, user, *, is_new):
    """Go on into the organization that somebody has joined."""
    answer = redirect("/")
    if is_new:
        answer = perform_login(request, user.account, email=user.account.email, redirect_url="/")
    request.session["organization_id"] = user.organization_id
    messages.success(request, f"You joined {user.organization}.")
    return answer
