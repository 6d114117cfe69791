"""Inviting people, and accepting: what the services do, and who may not."""

import re
from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils import timezone

from directory import services
from directory.forms.addresses import read_people
from directory.models import Account, Invitation, Organization, Role, User
from directory.services import Invitee
from portal.audit.log import Actor
from portal.audit.models import AuditEntry
from portal.audit.sentences import sentence_of
from portal.outbox.models import Mail
from tests.reading import everything
from tests.worlds import PASSWORD, TEST

VISITOR = Actor("system", None, "a visitor")


def actor(user):
    return Actor("account", user.account_id, user.name)


def invite(world, *addresses, by=None, **fields):
    """Invite addresses; returns the outcome."""
    people = [Invitee.of(address) for address in addresses]
    return services.invite(world.organization, people=people, actor=actor(by) if by else TEST, **fields)


def token_in(mail):
    """Return what the link in the mail holds; made again a second later, it would be written otherwise."""
    return re.search(rf"{settings.PORTAL_URL}/invitations/(.+)/", mail.body)[1]


def refused(act, *args, **kwargs):
    """Return what an act is refused with: its code and words."""
    with pytest.raises(ValidationError) as found:
        act(*args, **kwargs)
    errors = found.value.error_list if not hasattr(found.value, "error_dict") else found.value.error_dict
    error = errors[0] if isinstance(errors, list) else next(iter(errors.values()))[0]
    return error.code, " ".join(error.messages)


def acts():
    """What the organization's Activity says, in words without marks, the oldest first."""
    entries = AuditEntry.objects.exclude(organization_id=None).order_by("pk")
    return [re.sub("<.*?>", "", f"{entry.actor_name} {sentence_of(entry)}") for entry in entries]


# Reading a list ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "people", "wrong"),
    [
        ("a@x.example,b@x.example;c@x.example\r\nd@x.example\te@x.example", "a b c d e", []),
        ("A@X.example\na@x.example , <a@x.example>", "a", []),
        ("Noor de Smet <a@x.example>; 'Jan' <b@x.example>", "a=Noor de Smet b=Jan", []),
        ('"Smet, Noor \\"N\\"" <a@x.example>, b@x.example', 'a=Smet, Noor "N" b', []),
        ("Smet, Noor <a@x.example>; b@x.example", "a=Smet, Noor b", []),
        ("a@x.example\nNoor <a@x.example>", "a=Noor", []),
        ("a@x.example <a@x.example>, mailto:b@x.example, <mailto:c@x.example>", "a b c", []),
        ("noor, a@x.example", "a", ["noor is not an e-mail address"]),
        ("a@x.example b@x.example", "", ["a@x.example b@x.example is not an e-mail address"]),
        ("Noor <>, Jan <x>, <a@x.example", "", ["Noor", "Jan <x>", "<a@x.example"]),
        ('"unfinished, a@x.example', "a", ['"unfinished is not an e-mail address']),
        (",;\n ,;", "", []),
        ("é@x.example, a@ünï.example, \u212aa@x.example, s\u017f@x.example", "", 4),
        ("a@b, @x.example, a@@x.example, a@x..example, a b@x.example", "", 5),
        ("a" * 250 + "@x.example", "", ["is longer than 254 characters"]),
        ("n" * 121 + " <a@x.example>", "", ["has a name longer than 120 characters"]),
        ("Bcc:\x0b\x85 all <a@x.example>", "a=Bcc: all", []),
        ("a@x.example\\nBcc: b@x.example", "", 1),
    ],
)
def test_a_list_is_read_as_people_have_it(text, people, wrong):
    found, not_read = read_people(text)
    written = [person.email.partition("@")[0] + (f"={person.name}" if person.name else "") for person in found]
    assert " ".join(written) == people
    said = [f"{entry} {why}" for entry, why in not_read]
    if isinstance(wrong, int):
        assert len(said) == wrong
    else:
        assert [words in line for words, line in zip(wrong, said, strict=True)] == [True] * len(wrong)


def test_a_list_without_any_sense_is_read_quickly():
    for text in ('"' * 150_000, "<" * 150_000, "a" * 150_000, "x, " * 50_000, '"\\' * 75_000):
        assert read_people(text)[0] == []


# Inviting ------------------------------------------------------------------------------------------------------------


def test_who_is_invited_is_in_the_directory_and_gets_a_mail_in_one_act(acme):
    outcome = services.invite(
        acme.organization,
        people=[Invitee.of("Noor@New.example", "Noor  de\nSmet"), Invitee.of("jan@new.example")],
        role=Role.VIEWER,
        unit=acme.below,
        actor=actor(acme.admin),
    )

    users = User.objects.filter(email__endswith="new.example").order_by("email")
    assert [(u.name, u.email, u.role, u.unit, u.account) for u in users] == [
        ("jan", "jan@new.example", "viewer", acme.below, None),
        ("Noor de Smet", "noor@new.example", "viewer", acme.below, None),
    ]
    assert users[1].sort_key == "noor de smet"
    assert "noor@new.example" in users[1].search_text
    assert [each.email for each in outcome.done] == ["jan@new.example", "noor@new.example"]
    assert outcome.refused == []
    mail = Mail.objects.get(to="noor@new.example")
    invitation = users[1].invitations.get()
    assert mail.subject == "Ada Admin invites you to Acme"
    assert services.invitation_of(token_in(mail)) == invitation
    assert "as Viewer" in mail.body
    assert timedelta(days=14) <= invitation.expires_at - invitation.sent_at <= timedelta(days=15)
    assert acts()[-4:] == [
        "Ada Admin added jan to the directory",
        "Ada Admin added Noor de Smet to the directory",
        "Ada Admin invited jan (jan@new.example) as Viewer",
        "Ada Admin invited Noor de Smet (noor@new.example) as Viewer",
    ]
    assert len(set(AuditEntry.objects.order_by("-pk").values_list("change_set", flat=True)[:4])) == 1


def test_the_database_holds_no_link_besides_the_mail(acme):
    acme.invite("noor@new.example")
    token = token_in(Mail.objects.get())
    held = {model: str(rows) for model, rows in everything().items()}
    assert [model for model, rows in held.items() if token in rows] == [Mail]


def test_who_cannot_be_invited_is_named_with_the_reason(acme):
    acme.person("Ina Inactive", email="Ina@new.example", is_active=False)
    known = acme.person("Known Person", email="known@new.example", role=Role.EDITOR)
    acme.person("Boss", email="boss@new.example", role=Role.ADMIN)
    acme.invite("twice@new.example")
    day = re.escape(f"{timezone.localdate():%-d %b %Y}")

    outcome = invite(
        acme, "vic@acme.example", "ina@new.example", "boss@new.example", "twice@new.example", "known@new.example",
        by=acme.editor, unit=acme.unit,
    )  # fmt: skip

    assert [each.user for each in outcome.done] == [known]
    known.refresh_from_db()
    assert (known.role, known.unit, known.name) == (Role.EDITOR, None, "Known Person")
    reasons = dict(outcome.refused)
    assert re.fullmatch(rf"was invited on {day}: resend that invitation instead", reasons.pop("twice@new.example"))
    assert reasons == {
        "vic@acme.example": "has an account here already",
        "ina@new.example": "is inactive: reactivate them first",
        "boss@new.example": "is an Admin: only an Admin can invite them",
    }
    assert Mail.objects.filter(to__in=reasons).count() == 0


def test_an_invitation_that_has_expired_is_sent_anew(acme):
    invitation = acme.invite("noor@new.example")
    old = services.token_of(invitation)
    Invitation.objects.update(expires_at=timezone.now())

    (again,) = invite(acme, "noor@new.example").done

    assert (again.pk, again.number, again.state) == (invitation.pk, 2, "pending")
    assert refused(services.invitation_of, old)[0] == "replaced"


@pytest.mark.parametrize("role", Role.values)
def test_an_editor_gives_no_role(acme, role):
    before = everything()
    assert refused(invite, acme, "x@new.example", by=acme.editor, role=role) == (
        "role",
        "Only an Admin gives portal roles.",
    )
    assert everything() == before
    assert invite(acme, "x@new.example", by=acme.editor).done


def test_an_editor_does_not_touch_the_invitation_of_an_admin(acme):
    invitation = acme.invite("boss@new.example", "Boss", role=Role.ADMIN)
    before = everything()
    for act in (services.resend, services.cancel_invitation):
        assert refused(act, invitation, actor=actor(acme.editor)) == (
            "role",
            "Boss is an Admin. Only an Admin can do this.",
        )
    assert everything() == before


def test_a_unit_of_another_organization_is_refused(acme, globex):
    assert refused(invite, acme, "x@new.example", unit=globex.unit)[0] == "foreign"
    assert not Mail.objects.exists()


def test_a_thousand_are_invited_with_few_statements(acme, django_assert_max_num_queries):
    addresses = [f"p{n}@new.example" for n in range(1000)]
    with django_assert_max_num_queries(100):
        outcome = invite(acme, *addresses, unit=acme.below)
    assert len(outcome.done) == 1000
    assert Mail.objects.count() == Invitation.objects.count() == 1000
    with django_assert_max_num_queries(5):
        plan = services.plan_invitations(acme.organization, people=[Invitee(a) for a in addresses], actor=TEST)
    assert len(plan.refused) == 1000


def test_names_cannot_write_headers_into_a_mail(acme):
    Account.objects.filter(pk=acme.admin.account_id).update(name="Ada\r\nBcc: all@acme.example")
    Organization.objects.filter(pk=acme.organization.pk).update(name="A" * 120)
    organization = Organization.objects.get(pk=acme.organization.pk)
    ada = Actor("account", acme.admin.account_id, "Ada\r\nBcc: all@acme.example" + "x" * 200)

    services.invite(organization, people=[Invitee.of("a@new.example", "N\r\nBcc: b@x.example")], actor=ada)

    mail = Mail.objects.get()
    assert mail.subject.startswith("Ada")
    assert not re.search(r"[\r\n]", mail.subject)
    assert len(mail.subject) <= 250
    assert User.objects.get(email="a@new.example").name == "N Bcc: b@x.example"


# Sending again, cancelling -------------------------------------------------------------------------------------------


def test_sending_again_ends_the_earlier_link(acme):
    invitation = acme.invite("noor@new.example")
    old = services.token_of(invitation)

    again = services.resend(invitation, actor=actor(acme.editor))

    assert again.email == "noor@new.example"
    assert Mail.objects.latest("pk").to == "noor@new.example"
    assert Mail.objects.latest("pk").subject == "Eva Editor invites you to Acme"
    assert refused(services.invitation_of, old) == (
        "replaced",
        "A newer mail was sent to you. Use the link in that one.",
    )
    assert services.invitation_of(services.token_of(again)) == again
    assert acts()[-1] == "Eva Editor invited noor again, by a mail to noor@new.example"


@pytest.mark.parametrize("email", ["noor@new.example", None])
def test_another_address_cancels_the_invitation_that_went_to_the_old_one(acme, email):
    invitation = acme.invite("nor@new.example", "Noor")

    services.update_user(invitation.user, email=email, actor=actor(acme.editor))

    assert refused(services.invitation_of, services.token_of(invitation))[0] == "cancelled"
    assert refused(services.accept, invitation, name="N", password=PASSWORD, actor=VISITOR)[0] == "cancelled"
    assert acts()[-2:] == [
        f"Eva Editor changed Noor: e-mail address from nor@new.example to {email or 'none'}",
        "Eva Editor cancelled the invitation of Noor",
    ]
    assert len(set(AuditEntry.objects.order_by("-pk").values_list("change_set", flat=True)[:2])) == 1
    assert [each.email for each in invite(acme, "noor@new.example").done] == ["noor@new.example"]


def test_the_same_address_in_other_letters_keeps_the_invitation(acme):
    invitation = acme.invite("noor@new.example", "Noor")

    services.update_user(invitation.user, email="Noor@New.example", title="Planner", actor=TEST)

    assert services.invitation_of(services.token_of(invitation)) == invitation


def test_what_has_come_to_its_end_is_neither_sent_nor_cancelled(acme):
    accepted, cancelled, inactive, lost = (acme.invite(f"{n}@new.example", n) for n in ("Al", "Cy", "Ina", "Lo"))
    services.accept(accepted, name="Al", password=PASSWORD, actor=VISITOR)
    services.cancel_invitation(cancelled, actor=TEST)
    services.deactivate([inactive.user], actor=TEST)
    before = everything()

    for act in (services.resend, services.cancel_invitation):
        assert refused(act, accepted, actor=TEST) == ("accepted", "Al has accepted already.")
        assert refused(act, cancelled, actor=TEST) == ("cancelled", "The invitation of Cy was cancelled already.")
    assert refused(services.resend, inactive, actor=TEST) == ("inactive", "Ina is inactive. Reactivate them first.")
    assert everything() == before

    lost.user.delete()
    assert refused(services.resend, lost, actor=TEST)[0] == "gone"
    assert refused(services.invitation_of, services.token_of(lost))[0] == "gone"


def test_many_are_sent_again_or_cancelled_in_one_act(acme):
    accepted, cancelled, *rest = (acme.invite(f"{n}@new.example", n) for n in ("Al", "Cy", "Noor", "Jan"))
    services.accept(accepted, name="Al", password=PASSWORD, actor=VISITOR)
    services.cancel_invitation(cancelled, actor=TEST)
    old = [services.token_of(each) for each in rest]
    mails = Mail.objects.count()

    outcome = services.resend_many([accepted, cancelled, *rest], actor=actor(acme.editor))

    assert (outcome.done, outcome.skipped) == (rest, [accepted, cancelled])
    assert Mail.objects.count() == mails + 2
    assert [refused(services.invitation_of, each)[0] for each in old] == ["replaced"] * 2
    assert acts()[-2:] == [
        "Eva Editor invited Noor again, by a mail to noor@new.example",
        "Eva Editor invited Jan again, by a mail to jan@new.example",
    ]
    outcome = services.cancel_invitations([accepted, cancelled, *rest], actor=actor(acme.editor))
    assert (outcome.done, outcome.skipped) == (rest, [accepted, cancelled])
    assert acts()[-2:] == ["Eva Editor cancelled the invitation of Noor", "Eva Editor cancelled the invitation of Jan"]
    assert len(set(AuditEntry.objects.order_by("-pk").values_list("change_set", flat=True)[:2])) == 1


def test_who_was_cancelled_can_be_invited_again(acme):
    first = acme.invite("noor@new.example")
    services.cancel_invitation(first, actor=TEST)
    second = acme.invite("noor@new.example")
    assert first.user == second.user
    assert refused(services.invitation_of, services.token_of(first))[0] == "cancelled"
    assert services.invitation_of(services.token_of(second)) == second


# Accepting -----------------------------------------------------------------------------------------------------------


def test_accepting_with_a_password_makes_an_account_whose_address_is_verified(acme):
    invitation = acme.invite("noor@new.example", role=Role.ADMIN)

    user = services.accept(invitation, name="Noor de Smet", password=PASSWORD, actor=VISITOR)

    account = user.account
    assert (account.email, account.name, account.check_password(PASSWORD)) == ("noor@new.example", "Noor de Smet", True)
    assert (account.is_staff, account.is_superuser) == (False, False)
    assert EmailAddress.objects.get(user=account).verified
    assert user.name == "Noor de Smet"  # which nobody knew
    assert Invitation.objects.get().state == "accepted"
    assert acts()[-2:] == [
        "Noor de Smet accepted the invitation of noor",
        "Noor de Smet changed noor: name from noor to Noor de Smet",
    ]


def test_a_name_that_the_organization_gave_stays(acme, globex):
    invitation = acme.invite("gus@globex.example", "Gus of Globex")
    globex_gus = services.create_account(email="gus@globex.example", name="G", password=PASSWORD, actor=TEST)
    assert services.accept(invitation, account=globex_gus, actor=TEST).name == "Gus of Globex"


def test_one_account_may_be_in_several_organizations_but_once_in_each(acme, globex):
    account = acme.viewer.account
    user = services.accept(globex.invite(account.email), account=account, actor=TEST)
    assert {each.organization for each in account.users.all()} == {acme.organization, globex.organization}
    assert user.name == "Vic Viewer"

    EmailAddress.objects.create(user=account, email="vic@home.example", verified=True)
    second = globex.invite("vic@home.example")
    before = everything()
    assert refused(services.accept, second, account=account, actor=TEST) == (
        "member",
        "You are in Globex already, as Vic Viewer. Ask an admin there which of the two entries to keep.",
    )
    assert everything() == before


def test_only_an_account_with_the_invited_address_confirmed_may_accept(acme, globex):
    invitation = acme.invite("noor@new.example")
    EmailAddress.objects.create(user=globex.admin.account, email="noor@new.example", verified=False)
    before = everything()
    for account in (globex.admin.account, globex.viewer.account):
        assert refused(services.accept, invitation, account=account, actor=TEST)[0] == "address"
    assert everything() == before
    EmailAddress.objects.filter(email="noor@new.example").update(verified=True)
    assert services.accept(invitation, account=globex.admin.account, actor=TEST).account == globex.admin.account


@pytest.mark.parametrize("is_primary", [True, False])
def test_who_has_an_account_does_not_get_a_second_one_by_a_password(acme, globex, is_primary):
    account, address = globex.viewer.account, "vic@globex.example"
    if not is_primary:
        address = "vic@home.example"
        EmailAddress.objects.create(user=account, email=address, verified=True)
    invitation = acme.invite(address)
    before = everything()
    assert refused(services.accept, invitation, name="x", password="another-long-one", actor=VISITOR)[0] == "account"
    assert everything() == before


def test_a_link_works_once_and_not_when_it_was_replaced_meanwhile(acme):
    invitation = services.invitation_of(services.token_of(acme.invite("noor@new.example")))
    services.resend(invitation, actor=TEST)
    assert refused(services.accept, invitation, name="Noor", password=PASSWORD, actor=VISITOR)[0] == "replaced"
    invitation.refresh_from_db()
    services.accept(invitation, name="Noor", password=PASSWORD, actor=VISITOR)
    before = everything()
    assert refused(services.accept, invitation, name="Noor", password=PASSWORD, actor=VISITOR)[0] == "accepted"
    assert everything() == before


def test_what_happens_to_the_person_or_the_invitation_meanwhile_ends_the_link(acme):
    def code(act):
        invitation = acme.invite(f"{act.__name__}@new.example")
        token = services.token_of(invitation)
        act(invitation)
        return refused(services.invitation_of, token)[0]

    def cancel(invitation):
        services.cancel_invitation(invitation, actor=TEST)

    def deactivate(invitation):
        services.deactivate([invitation.user], actor=TEST)

    def delete(invitation):
        invitation.user.delete()

    def expire(invitation):
        Invitation.objects.filter(pk=invitation.pk).update(expires_at=timezone.now())

    def link(invitation):
        account = services.create_account(email="l@x.example", name="L", password=PASSWORD, actor=TEST)
        User.objects.filter(pk=invitation.user_id).update(account=account)

    codes = {act.__name__: code(act) for act in (cancel, deactivate, delete, expire, link)}
    assert codes == {
        "cancel": "cancelled",
        "deactivate": "inactive",
        "delete": "gone",
        "expire": "expired",
        "link": "accepted",
    }


# A new organization --------------------------------------------------------------------------------------------------


def test_whoever_creates_an_organization_invites_its_first_admin(catalogue):
    staff = Actor("account", catalogue.staff.pk, "Nora North")

    organization = services.create_organization(
        name="Initech", slug="initech", admin_email="Bill@Initech.example", admin_name="Bill", actor=staff
    )

    (admin,) = organization.users.all()
    assert (admin.name, admin.email, admin.role) == ("Bill", "bill@initech.example", Role.ADMIN)
    assert Mail.objects.get().subject == "Nora North invites you to Initech"
    people = [Invitee("second@initech.example")]
    assert refused(services.invite, organization, people=people, role=Role.ADMIN, actor=staff)[0] == "role"
    services.accept(admin.invitations.get(), name="Bill", password=PASSWORD, actor=VISITOR)


@pytest.mark.parametrize(
    ("email", "name", "field"), [("bill", "", "admin_email"), ("b@x.example", "n" * 121, "admin_name")]
)
def test_an_admin_that_cannot_be_invited_is_refused_at_the_field_and_nothing_is_made(catalogue, email, name, field):
    before = everything()
    with pytest.raises(ValidationError) as found:
        services.create_organization(name="Initech", slug="x", admin_email=email, admin_name=name, actor=TEST)
    assert list(found.value.error_dict) == [field]
    assert everything() == before


def test_an_organization_may_be_created_without_an_admin(db):
    organization = services.create_organization(name="Initech", slug="initech", actor=TEST)
    assert not organization.users.exists()
    assert not Mail.objects.exists()
