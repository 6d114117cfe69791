"""The pages of invitations: inviting, the list, and what the link in the mail leads to."""

import re
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import pytest
from allauth.account.models import EmailAddress
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from directory import services
from directory.models import Account, Invitation, Organization, Role, User
from portal.outbox.models import Mail
from tests.reading import everything, read
from tests.worlds import PASSWORD, TEST

HTMX = {"HX-Request": "true"}
INVITE = "/users/invite/"


def link_of(invitation):
    return reverse("directory:accept_invitation", args=[services.token_of(invitation)])


# Inviting many -------------------------------------------------------------------------------------------------------


def test_who_cannot_be_invited_is_marked_before_anything_is_sent(acme):
    acme.person("Ina Inactive", email="ina@new.example", is_active=False)
    acme.person("Tom Known", email="tom@new.example")
    client = acme.client(acme.editor)
    body = {"people": "new@new.example, tom@new.example, foo; ina@new.example\nvic@acme.example"}
    before = everything()

    looked = read(client.post(INVITE, {**body, "look": "ledger"}, headers=HTMX))
    asked = read(client.post(INVITE, body, headers=HTMX))

    for page in (looked, asked):
        changes = page.one(id="changes").text
        assert "1 person is added and invited new@new.example" in changes
        assert "1 person of the directory is invited Tom Known" in changes
        assert "3 are not invited" in changes
        for why in (
            "foo is not an e-mail address",
            "ina@new.example is inactive: reactivate them first",
            "vic@acme.example has an account here already",
        ):
            assert why in changes
        assert page.one("textarea").text == " ".join(body["people"].split())
    assert looked.alerts == {}
    assert list(asked.alerts.values()) == [
        "3 entries cannot be invited. Look at why, then invite the others or mend the list."
    ]
    assert everything() == before

    answer = client.post(INVITE, {**body, "shown": asked.one("input", name="shown")["value"]}, headers=HTMX)

    assert "new and Tom Known were invited by mail. 3 entries were not." in read(answer).text
    assert answer.headers["HX-Trigger"]
    assert sorted(Mail.objects.values_list("to", flat=True)) == ["new@new.example", "tom@new.example"]


def test_what_was_seen_is_not_asked_again_but_what_came_meanwhile_is(acme):
    client = acme.client()
    body = {"people": "new@new.example, other@new.example, foo"}
    shown = read(client.post(INVITE, {**body, "look": "ledger"})).one("input", name="shown")["value"]
    acme.invite("other@new.example")
    page = read(client.post(INVITE, {**body, "shown": shown}))
    assert "2 entries cannot be invited" in " ".join(page.alerts.values())
    assert not User.objects.filter(email="new@new.example").exists()


@pytest.mark.parametrize(
    ("body", "field", "said"),
    [
        ({"people": ""}, "people", "Write at least one address."),
        ({"people": " \n,; "}, "people", "Write at least one address."),
        ({"people": "foo, bar"}, "people", "None of these can be invited: “What changes” says why."),
        ({"people": "a@x.example\x00"}, "people", "Null characters are not allowed."),
        ({"people": "a" * 200_000}, "people", "This is too long. Invite at most 1,000 people at once."),
        (
            {"people": "\n".join(f"p{n}@x.example" for n in range(1001))},
            "people",
            "These are 1,001 people. Invite at most 1,000 at once.",
        ),
        ({"unit": "Nowhere"}, "unit", "There is no unit “Nowhere”. Write another name."),
        ({"unit": "Benelux › Sales"}, "unit", "There is no unit “Benelux › Sales”. Write another name."),
        ({"unit": "\x00"}, "unit", "Null characters are not allowed."),
        ({"unit": "›" * 500}, "unit", f"There is no unit “{'›' * 120}”. Write another name."),
        ({"unit": "u" * 2001}, "unit", "Ensure this value has at most 500 characters (it has 2001)."),
        ({"role": "king"}, "role", "Select a valid choice. king is not one of the available choices."),
    ],
)
def test_what_is_wrong_is_said_at_the_field_and_nothing_is_sent(acme, body, field, said):
    client, before = acme.client(), everything()
    page = read(client.post(INVITE, {"people": "a@x.example", **body}, headers=HTMX))
    assert page.alerts == {f"id_{field}_error": said}
    assert everything() == before


def test_a_thousand_addresses_are_invited_at_once(acme):
    people = "\n".join(f"Person {n} <p{n}@new.example>" for n in range(1000))
    answer = acme.client().post(INVITE, {"people": people, "role": "viewer"}, headers=HTMX)
    assert "Person 0, Person 100, Person 101 and 997 more were invited by mail." in read(answer).text
    assert Mail.objects.count() == User.objects.filter(role=Role.VIEWER, name__startswith="Person").count() == 1000


def test_a_unit_is_written_by_name_or_by_path_where_names_come_twice(acme):
    other = services.create_unit(acme.organization, name="Nordics", actor=TEST)
    deep = services.create_unit(acme.organization, name="Benelux", parent=other, actor=TEST)
    client = acme.client()

    def invite(address, unit):
        page = read(client.post(INVITE, {"people": address, "unit": unit}, headers=HTMX))
        found = User.objects.filter(email=address).first()
        return found.unit if found else page.alerts["id_unit_error"]

    assert invite("a@x.example", "NORDICS ") == other
    assert invite("b@x.example", "benelux") == (
        "Several units are called so: Nordics › Benelux and Sales › Benelux. Write one of these, as it stands here."
    )
    top = services.create_unit(acme.organization, name="Benelux", actor=TEST)
    assert invite("b@x.example", "benelux") == top
    assert invite("c@x.example", "nordics › Benelux") == deep
    assert invite("d@x.example", "Sales›Benelux") == acme.below
    assert invite("e@x.example", "") is None

    offered = read(client.get(INVITE, headers=HTMX)).one("input", name="unit")
    options = read(client.get(offered["hx-get"], {"unit": "nord"})).all("option")
    assert [option["value"] for option in options] == ["Nordics"]


def test_roles_are_offered_to_admins_only_and_heard_from_nobody_else(acme):
    assert list(read(acme.client().get(INVITE)).all("select", name="role"))
    editor = acme.client(acme.editor)
    assert not list(read(editor.get(INVITE)).all("select", name="role"))
    editor.post(INVITE, {"people": "x@new.example", "role": "admin"})
    assert User.objects.get(email="x@new.example").role == ""


# One person ----------------------------------------------------------------------------------------------------------


def test_a_person_is_invited_again_and_cancelled_from_their_page(acme):
    person = acme.person("Noor de Smet", email="Noor@New.example")
    client, page = acme.client(acme.editor), f"/users/{person.pk}/"
    assert "Not invited." in read(client.get(page)).text

    client.post(read(client.get(page)).links["Invite"])
    shown = read(client.get(page))
    assert "by Eva Editor, by a mail to noor@new.example." in shown.text
    assert "Invite" not in shown.links
    assert client.post(shown.links["Resend"], follow=True).status_code == 200
    assert Mail.objects.filter(to="noor@new.example").count() == 2
    Invitation.objects.update(expires_at=timezone.now() - timedelta(days=1))
    assert "The link expired after" in read(client.get(page)).text
    answer = client.post(shown.links["Cancel invitation"], headers=HTMX)
    assert "The invitation of Noor de Smet is cancelled." in read(answer).text
    assert "Not invited." in read(client.get(page)).text

    viewer = read(acme.client(acme.viewer).get(page))
    assert "Not invited." in viewer.text
    assert "Invite" not in viewer.links


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "Noor has no e-mail address"),
        ({"email": "n@x.example", "is_active": False}, "Noor is inactive: reactivate them first"),
        ({"email": "n@x.example", "role": "admin"}, "Noor is an Admin: only an Admin can invite them"),
    ],
)
def test_who_cannot_be_invited_is_told_so_without_a_button(acme, fields, said):
    person = acme.person("Noor", **fields)
    client, before = acme.client(acme.editor), everything()
    page = read(client.get(f"/users/{person.pk}/invite/", headers=HTMX))
    assert said in page.text
    assert page.buttons == []
    assert said in " ".join(read(client.post(f"/users/{person.pk}/invite/", headers=HTMX)).alerts.values())
    assert everything() == before


def test_an_editor_is_refused_in_the_dialog_what_concerns_an_admin(acme):
    invitation = acme.invite("boss@new.example", "Boss", role=Role.ADMIN)
    client, before = acme.client(acme.editor), everything()
    for act in ("resend", "cancel"):
        page = read(client.post(f"/invitations/{invitation.pk}/{act}/", headers=HTMX))
        assert list(page.alerts.values()) == ["Boss is an Admin. Only an Admin can do this."]
    assert everything() == before


def test_to_who_was_invited_the_invitation_is_sent_again(acme):
    invitation = acme.invite("noor@new.example", "Noor")
    person, client, resend = invitation.user, acme.client(acme.editor), f"/invitations/{invitation.pk}/resend/"
    pages = ["/users/?q=noor", *(f"/users/{person.pk}/{tab}" for tab in ("", "groups/", "licenses/"))]
    for state in ("pending", "expired"):
        for url in pages:
            links = read(client.get(url)).links
            assert links["Resend invitation"].partition("?")[0] == resend, (state, url)
            assert "Invite" not in links
        if state == "pending":
            page = read(client.get(f"/users/{person.pk}/invite/"))
            assert "resend that invitation instead" in page.text
            assert page.links["Resend invitation"] == resend
        Invitation.objects.update(expires_at=timezone.now())
    services.cancel_invitation(invitation, actor=TEST)
    assert "Invite" in read(client.get("/users/?q=noor")).links


def test_what_would_be_refused_is_not_offered(acme):
    admin = acme.invite("boss@new.example", "Boss", role=Role.ADMIN).user
    inactive = acme.invite("ina@new.example", "Ina").user
    services.deactivate([inactive], actor=TEST)
    for person in (admin, inactive):
        client = acme.client(acme.editor)
        for url in (f"/users/{person.pk}/", f"/users/?q={person.name}", f"/users/{person.pk}/invite/"):
            links = read(client.get(url)).links
            assert {"Invite", "Resend", "Resend invitation"}.isdisjoint(links), (person, url)
    menus = read(acme.client(acme.editor).get("/users/invitations/")).links
    assert "Resend" not in menus
    assert menus["Cancel invitation"].startswith(f"/invitations/{inactive.invitations.get().pk}/")
    assert "Resend" in read(acme.client().get("/users/invitations/")).links


# The list ------------------------------------------------------------------------------------------------------------


@pytest.fixture
def one_of_each(acme):
    """An invitation in each state: {state: Invitation}."""
    found = {state: acme.invite(f"{state}@new.example") for state in ("pending", "expired", "accepted", "cancelled")}
    Invitation.objects.filter(pk=found["expired"].pk).update(expires_at=timezone.now())
    services.accept(found["accepted"], name="accepted", password=PASSWORD, actor=TEST)
    services.cancel_invitation(found["cancelled"], actor=TEST)
    return found


def test_the_list_says_in_what_state_each_is_and_offers_what_can_be_done(acme, one_of_each):
    client = acme.client(acme.editor)

    page = read(client.get("/users/invitations/"))

    assert {row[0].split()[-1].partition("@")[0]: row[1].lower() for row in page.rows} == {s: s for s in one_of_each}
    menus = [menu["aria-label"] for menu in page.all("summary") if "aria-label" in menu.attributes]
    assert sorted(menus) == ["Actions for expired", "Actions for pending"]
    for state in one_of_each:
        assert read(client.get(f"/users/invitations/?state={state}")).names == [state]
    assert read(client.get("/users/invitations/?q=ACCEPTÉD")).names == ["accepted"]
    assert len(read(client.get("/users/invitations/?state=king")).names) == 4
    assert "Nothing matches" in read(client.get("/users/invitations/?q=xyzzy")).text
    services.update_user(one_of_each["accepted"].user, email="elsewhere@acme.example", actor=TEST)
    for q in ("accepted@new", "elsewhere", "ACCEPTED @new.example elsewhere@"):
        assert read(client.get("/users/invitations/", {"q": q})).names == ["accepted"]
    viewer = read(acme.client(acme.viewer).get("/users/invitations/"))
    assert len(viewer.names) == 4
    assert [link for link in viewer.links if link in ("Invite people", "Resend")] == []


def test_the_list_has_pages_and_an_empty_state(acme, globex):
    globex.invite("elsewhere@new.example")
    client = acme.client()
    assert "Nobody was invited yet" in read(client.get("/users/invitations/")).text
    people = [services.Invitee(f"p{n:02}@new.example") for n in range(60)]
    services.invite(acme.organization, people=people, actor=TEST)
    first = read(client.get("/users/invitations/"))
    second = read(client.get("/users/invitations/" + first.links["Next"]))
    assert sorted(first.names + second.names) == [f"p{n:02}" for n in range(60)]
    assert "Invitations" in read(client.get("/users/")).links


# Accepting -----------------------------------------------------------------------------------------------------------


def accept(client, link, **fields):
    return client.post(link, {"name": "Noor", "password": PASSWORD, "again": PASSWORD, **fields}, follow=True)


def test_who_is_new_chooses_a_password_and_is_in(acme, client):
    link = link_of(acme.invite("noor@new.example", "Noor de Smet", role=Role.VIEWER))
    page = client.get(link)
    assert page.headers["Cache-Control"].startswith("max-age=0, no-cache, no-store")
    shown = read(page)
    assert shown.one("h1").text == "Join Acme"
    assert "the test invites noor@new.example to be Viewer." in shown.text
    assert shown.one("input", name="name")["value"] == "Noor de Smet"

    answer = accept(client, link)

    assert (answer.request["PATH_INFO"], read(answer).one("h1").text) == ("/", "Acme")
    assert "You joined Acme." in read(answer).text
    assert Account.objects.get(email="noor@new.example").users.get().name == "Noor de Smet"
    again = client.get(link)
    assert again.status_code == 410
    assert "It was accepted already." in read(again).text
    cache.clear()
    signed_in = Client().post(reverse("account_login"), {"login": "noor@new.example", "password": PASSWORD})
    assert signed_in.status_code == 302


def test_looking_at_the_link_changes_nothing_whoever_looks(acme, globex):
    link = link_of(acme.invite(globex.viewer.email))
    browsers = [Client(), globex.client(globex.viewer), globex.client()]
    before = everything()
    for browser in browsers:
        for _ in range(2):
            assert browser.get(link).status_code == browser.head(link).status_code == 200
    assert everything() == before


@pytest.mark.parametrize(
    ("fields", "alerts"),
    [
        ({"name": ""}, {"id_name_error": "This field is required."}),
        ({"name": "\r\n\x01"}, {"id_name_error": "This field cannot be blank."}),
        ({"name": "n" * 121}, {"id_name_error": "Ensure this value has at most 120 characters (it has 121)."}),
        ({"again": "another-long-one"}, {"id_again_error": "You must type the same password each time."}),
        ({"again": ""}, {"id_again_error": "This field is required."}),
        ({"password": "12345678", "again": "12345678"}, {"id_password_error": None}),
        ({"password": "noor@new.example", "again": "noor@new.example"}, {"id_password_error": None}),
        ({"password": ""}, {"id_password_error": "This field is required."}),
    ],
)
def test_what_is_wrong_with_a_name_or_password_is_said_at_the_field(acme, client, fields, alerts):
    link = link_of(acme.invite("noor@new.example"))
    before = everything()
    found = read(accept(client, link, **fields)).alerts
    assert list(found) == list(alerts)
    assert all(said in (None, found[id]) for id, said in alerts.items())
    assert everything() == before


def test_who_has_an_account_signs_in_comes_back_and_joins(acme, globex, client):
    cache.clear()
    link = link_of(acme.invite("vic@globex.example"))
    to_sign_in = read(client.get(link)).links["Sign in"]
    assert to_sign_in == f"{reverse('account_login')}?next={quote(link)}"
    assert client.post(link, {"name": "x", "password": PASSWORD, "again": PASSWORD}).status_code == 200

    back = client.post(to_sign_in, {"login": "vic@globex.example", "password": PASSWORD, "next": link}, follow=True)
    assert back.request["PATH_INFO"] == link
    page = read(back)
    assert page.one("form").buttons == ["Join Acme"]
    assert "You are signed in as Vic Viewer, vic@globex.example." in page.text
    answer = client.post(link, follow=True)

    assert "You joined Acme." in read(answer).text
    assert client.session["organization_id"] == acme.organization.pk
    assert globex.viewer.account.users.count() == 2
    assert client.post(link).status_code == 410


def test_who_is_signed_in_as_somebody_else_is_told_so_and_can_sign_out(acme, globex):
    client = globex.client()
    for address, has_account in [("noor@new.example", False), (globex.viewer.email, True)]:
        link = link_of(acme.invite(address))
        page = read(client.get(link))
        assert f"You are signed in as Ada Admin, ada@globex.example. This invitation is for {address}." in page.text
        assert page.buttons == ["Sign out and go on"]
        assert ("add it to your account" in page.links) is not has_account
        before = everything()
        assert read(client.post(link)).buttons == ["Sign out and go on"]
        assert everything() == before
    out = client.post(reverse("account_logout"), {"next": link}, follow=True)
    assert out.request["PATH_INFO"] == link
    assert "Sign in" in read(out).links


def test_an_address_that_was_not_confirmed_does_not_let_in(acme, globex):
    EmailAddress.objects.filter(email=globex.viewer.email).update(verified=False)
    link = link_of(acme.invite(globex.viewer.email))
    client, before = globex.client(globex.viewer), everything()
    assert "you have not confirmed it yet" in read(client.get(link)).text
    assert client.post(link).status_code == 200
    assert everything() == before


def test_in_two_tabs_one_joins_and_the_other_is_told(acme):
    link = link_of(acme.invite("noor@new.example"))
    one, two = Client(), Client()
    one.get(link), two.get(link)
    accept(one, link)
    answer = accept(two, link, password="another-long-one", again="another-long-one")
    assert answer.status_code == 410
    assert "It was accepted already." in read(answer).text
    assert Account.objects.get(email="noor@new.example").check_password(PASSWORD)


def test_two_organizations_invite_the_same_new_address(acme, globex, client):
    links = [link_of(world.invite("noor@new.example")) for world in (acme, globex)]
    accept(client, links[0])
    assert read(client.get(links[1])).one("form").buttons == ["Join Globex"]
    client.post(links[1])
    assert Account.objects.get(email="noor@new.example").users.count() == 2


ENDED = {
    "accepted": (410, "It was accepted already."),
    "cancelled": (410, "Acme has cancelled it."),
    "expired": (410, "Ask an admin of Acme to send it again."),
    "replaced": (410, "A newer mail was sent to you."),
    "deactivated": (410, "Your entry at Acme is deactivated."),
    "deleted": (410, "The organization has withdrawn it."),
    "broken": (404, "A part of this link is missing."),
}


@pytest.mark.parametrize("how", ENDED)
def test_a_link_that_does_not_work_says_why(acme, client, how):
    invitation = acme.invite("noor@new.example")
    link = link_of(invitation)
    if how == "accepted":
        services.accept(invitation, name="Noor", password=PASSWORD, actor=TEST)
    elif how == "cancelled":
        services.cancel_invitation(invitation, actor=TEST)
    elif how == "expired":
        Invitation.objects.update(expires_at=timezone.now())
    elif how == "replaced":
        services.resend(invitation, actor=TEST)
    elif how == "deactivated":
        services.deactivate([invitation.user], actor=TEST)
    elif how == "deleted":
        invitation.user.delete()
    else:
        link = link[:-2] + "/"
    status, said = ENDED[how]
    browsers = [client, acme.client()]
    before = everything()
    for browser in browsers:
        for answer in (browser.get(link), accept(browser, link)):
            assert answer.status_code == status
            assert said in read(answer).text
    assert everything() == before


def test_a_link_that_expired_names_the_day_that_the_list_names(acme, client):
    Organization.objects.filter(pk=acme.organization.pk).update(time_zone="America/Los_Angeles")
    invitation = acme.invite("noor@new.example")
    Invitation.objects.update(expires_at=datetime(2024, 11, 1, 7, tzinfo=UTC))  # midnight there
    assert "31 Oct 2024" in read(acme.client().get("/users/invitations/")).text
    assert "It was good until 31 Oct 2024." in read(client.get(link_of(invitation))).text


@pytest.mark.parametrize("token", ["x", "WzEsMV0:1xVxgT:abc", "é", "a" * 3000, "..", "%00", "1"])
def test_a_made_up_link_is_no_error(db, client, token):
    answer = client.get(f"/invitations/{token}/")
    assert answer.status_code == 404
    assert re.search("A part of this link is missing|does not exist|not here", answer.content.decode())
