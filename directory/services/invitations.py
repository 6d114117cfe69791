"""Inviting people to use the portal: the mail with the link, and what becomes of it."""

from dataclasses import dataclass, replace
from datetime import timedelta

from django.core import signing
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db.models.functions import Lower
from django.urls import reverse
from django.utils import timezone

from portal.audit.log import one_act, record
from portal.days import end_of, last_day, write_day
from portal.outbox.post import queue_mail
from portal.text import join_some, one_line
from portal.transactions import one_transaction

from ..models import Account, Invitation, Organization, OrgUnit, Role, User
from .accounts import account_with, create_account, has_verified
from .cancelling import lock_all, lock_open, record_each
from .people import require_may_give, update_user
from .rules import is_admin, lock, lock_users, require_may_change, require_same_organization, target

VALID = timedelta(days=14)  # and what is left of the last day
SALT = "invitation"


@dataclass(frozen=True)
class Invitee:
    """Somebody to invite: a lower-case address that mail can go to, and a name, if it is known."""

    email: str
    name: str = ""

    @classmethod
    def of(cls, email, name=""):
        """Make one of what somebody wrote. Raises ValidationError at email or name, in words that follow either."""
        email, name = email.strip(), one_line(name)
        if len(email) > 254:
            raise ValidationError({"email": "is longer than 254 characters"})
        try:
            validate_email(email)
            email.encode("ascii")  # of the letters that pass the check besides, one becomes a k in lower case
        except (ValidationError, UnicodeError) as error:
            raise ValidationError({"email": "is not an e-mail address"}) from error
        if len(name) > 120:
            raise ValidationError({"name": "has a name longer than 120 characters"})
        return cls(email.lower(), name)

    @property
    def called(self):
        """What the directory calls them until they say their name."""
        return self.name or self.email.partition("@")[0][:120]


@dataclass(frozen=True)
class Plan:
    """Who would be invited. new: Invitees; known: Users of the directory; refused: (address, why not) pairs."""

    new: list
    known: list
    refused: list


@dataclass(frozen=True)
class Invited:
    """What inviting did. done: the Invitations; refused: (address, why not) pairs."""

    done: list
    refused: list


def plan_invitations(organization, *, people, actor):
    """Return the Plan of inviting Invitees, as things stand now. Three queries, however many they are."""
    return _plan(people, _known(organization, people), is_admin(organization, actor))


def _known(organization, people):
    addresses = {person.email for person in people}
    users = User.objects.filter(organization=organization).annotate(address=Lower("email"))
    return users.filter(address__in=addresses)


def _plan(people, users, by_admin, again=False):
    """Sort Invitees out. users: those of the directory that have one of the addresses. again: also who is invited."""
    users = {user.email.lower(): user for user in users}
    pending = {each.user_id: each for each in Invitation.objects.unfinished().filter(user__in=users.values())}
    plan = Plan([], [], [])
    for person in {person.email: person for person in people}.values():
        user = users.get(person.email)
        if user is None:
            plan.new.append(person)
        elif why := _why_not(user, None if again else pending.get(user.pk), by_admin):
            plan.refused.append((person.email, why))
        else:
            plan.known.append(user)
    return plan


def _why_not(user, invitation, by_admin):
    if user.account_id:
        return "has an account here already"
    if not user.is_active:
        return "is inactive: reactivate them first"
    if user.role == Role.ADMIN and not by_admin:
        return "is an Admin: only an Admin can invite them"
    if invitation and invitation.state == "pending":
        return f"was invited on {write_day(timezone.localdate(invitation.sent_at))}: resend that invitation instead"
    return ""


@one_transaction
def invite(organization, *, people, role="", unit=None, actor):
    """Invite Invitees, by mail; returns what was Invited.

    Who is not in the directory yet is put there, with the role and in the unit; who is keeps theirs. An invitation
    that has expired is sent anew. Raises ValidationError where somebody who is no Admin gives a role.
    """
    require_may_give(role, organization, actor)
    require_same_organization(organization, filter(None, [unit]))
    return _invite(organization, people, role, unit, actor, is_admin(organization, actor))


@one_transaction
def invite_first_admin(organization, *, email, name="", actor):
    """Invite the first Admin of an Organization; returns the Invitation. One that is open is sent anew.

    Nobody there could give the role, so whoever creates it does. Raises ValidationError at email or name.
    """
    try:
        person = Invitee.of(email, name)
    except ValidationError as error:
        said = {field: f"{email} {' '.join(words)}." for field, words in error.message_dict.items()}
        raise ValidationError(said) from error
    invited = _invite(organization, [person], Role.ADMIN, None, actor, True, again=True)
    for address, why in invited.refused:
        raise ValidationError({"email": f"{address} {why}."})
    (invitation,) = invited.done
    if invitation.user.role != Role.ADMIN:
        raise ValidationError({"email": f"{person.email} is in the directory already, and not as an Admin."})
    return invitation


def _invite(organization, people, role, unit, actor, by_admin, again=False):
    lock(Organization, organization)  # two with the same address on their lists: the second is told
    unit = unit and lock(OrgUnit, unit)
    plan = _plan(people, lock_users(_known(organization, people)), by_admin, again)
    new = [
        User(organization=organization, name=person.called, email=person.email, role=role, unit=unit)
        for person in sorted(plan.new, key=lambda person: person.email)
    ]
    for user in new:
        user.fold()
    User.objects.bulk_create(new, batch_size=1000)
    expired = {each.user_id: each for each in Invitation.objects.unfinished().filter(user__in=plan.known)}
    invitations = [
        expired.get(user.pk) or Invitation(organization=organization, user=user, number=0) for user in new + plan.known
    ]
    users = {user.pk: user for user in new + plan.known}
    for invitation in invitations:
        invitation.user = users[invitation.user_id]
    _send(organization, invitations, actor)
    with one_act():
        record(actor, "user.created", [target(user) for user in new], organization_id=organization.pk)
        record_each(actor, "user.invited", invitations)
    return Invited(invitations, plan.refused)


@one_transaction
def resend(invitation, *, actor):
    """Send an open Invitation again; returns it. Earlier links stop working."""
    lock_open(invitation)
    return resend_many([invitation], actor=actor).done[0]


@one_transaction
def resend_many(invitations, *, actor):
    """The same for many of one Organization; returns an Outcome, which skips what has come to its end already.

    Raises ValidationError for who is inactive, and where an Editor invites an Admin.
    """
    outcome = lock_all(invitations)
    users = [each.user for each in outcome.done]
    require_may_change(users, actor=actor)
    if inactive := [user for user in users if not user.is_active]:
        are = "is" if len(inactive) == 1 else "are"
        raise ValidationError(f"{join_some(inactive)} {are} inactive. Reactivate them first.", code="inactive")
    if users:
        _send(users[0].organization, outcome.done, actor)
    record_each(actor, "invitation.resent", outcome.done)
    return outcome


@one_transaction
def accept(invitation, *, account=None, name="", password="", actor):
    """Join the organization as the User that is invited; returns the User.

    account: the Account that joins, of which the address is verified. Without one, an Account is made with the name
    and the password, and its address counts as verified: whoever has the link has the mail. invitation: as its link
    was read, so that a link that was replaced meanwhile is refused. actor: who follows the link; once there is an
    account, it is that. Raises ValidationError whenever the link does not work (any more).
    """
    user = lock(User, invitation.user)
    number, invitation = invitation.number, lock(Invitation, invitation)
    invitation.user = user
    _require_valid(invitation, number)
    if account is None:
        if account_with(invitation.email):
            raise ValidationError(
                f"There is an account with {invitation.email} already. Sign in, then join.", code="account"
            )
        account = create_account(email=invitation.email, name=one_line(name), password=password, actor=actor)
        actor = replace(actor, kind="account", id=account.pk, name=account.name)
    account = lock(Account, account)
    if not has_verified(account, invitation.email):
        raise ValidationError(f"Only the account with {invitation.email} can accept this.", code="address")
    if other := User.objects.filter(organization=user.organization, account=account).first():
        raise ValidationError(
            f"You are in {user.organization} already, as {other}. Ask an admin there which of the two entries to keep.",
            code="member",
        )
    user.account = account
    user.save(update_fields=["account"])
    invitation.accepted_at = timezone.now()
    invitation.save(update_fields=["accepted_at"])
    record_each(actor, "invitation.accepted", [invitation])
    if user.name == Invitee(invitation.email).called:  # nobody knew their name
        user = update_user(user, name=account.name, actor=actor)
    return user


def _send(organization, invitations, actor):
    """Give Invitations their next number and put the mails into the outbox."""
    now, mails = timezone.now(), {}
    with timezone.override(organization.tz):
        until = timezone.localdate(now) + VALID
        expires_at = end_of(until)
    for invitation in invitations:
        invitation.email, invitation.invited_by = invitation.user.email.lower(), actor.name
        invitation.number += 1
        invitation.sent_at, invitation.expires_at = now, expires_at
    Invitation.objects.bulk_create([each for each in invitations if each.pk is None], batch_size=1000)
    sent = ["email", "invited_by", "number", "sent_at", "expires_at"]
    Invitation.objects.bulk_update([each for each in invitations if each.number > 1], sent, batch_size=200)
    for invitation in invitations:
        path = reverse("directory:accept_invitation", args=[token_of(invitation)])
        mails[invitation.email] = {"path": path, "role": invitation.user.get_role_display()}
    told = {"organization": organization, "invited_by": actor.name, "until": write_day(until)}
    queue_mail("mail/invitation.txt", to=mails, **told)


# The link ------------------------------------------------------------------------------------------------------------


def token_of(invitation):
    """Return what the link of the latest mail holds: which invitation and which mail, signed. No secret is stored."""
    return signing.dumps([invitation.pk, invitation.number], salt=SALT)


def invitation_of(token):
    """Return the Invitation that a link leads to.

    Raises ValidationError where it does not work (any more), in words for who followed it; code "broken" where it
    never did.
    """
    try:
        pk, number = signing.loads(token, salt=SALT)
    except signing.BadSignature as error:
        raise ValidationError(
            "A part of this link is missing. Copy the whole link from the mail.", code="broken"
        ) from error
    invitation = Invitation.objects.select_related("organization", "user__account").filter(pk=pk).first()
    if invitation is None:
        raise ValidationError(
            "The organization has withdrawn it. Ask an admin there if you expect access.", code="gone"
        )
    _require_valid(invitation, number)
    return invitation


def _require_valid(invitation, number):
    """Refuse an Invitation that nobody can accept by the link with this number."""
    organization, user = invitation.organization, invitation.user
    if invitation.accepted_at or user.account_id:
        raise ValidationError("It was accepted already. Sign in with your account.", code="accepted")
    if invitation.cancelled_at:
        words, code = f"{organization} has cancelled it. Ask an admin there if you expect access.", "cancelled"
    elif not user.is_active:
        words, code = f"Your entry at {organization} is deactivated. Ask an admin there to reactivate it.", "inactive"
    elif invitation.number != number:
        words, code = "A newer mail was sent to you. Use the link in that one.", "replaced"
    elif invitation.state == "expired":
        with timezone.override(organization.tz):  # who follows the link may be in none, or in another
            until = write_day(last_day(invitation.expires_at))
        words, code = f"It was good until {until}. Ask an admin of {organization} to send it again.", "expired"
    else:
        return
    raise ValidationError(words, code=code)
