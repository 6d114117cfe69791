"""Organizations: created by providers and the operator, corrected by who may, imported from CSV."""

import zoneinfo

import pytest
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from directory import services as directory
from directory.models import Organization, Role, User, validate_time_zone
from licensing import services
from licensing.models import OrganizationOrigin
from portal.audit.log import Actor
from portal.audit.models import AuditEntry
from portal.days import last_day, write_day
from portal.outbox.models import Mail
from tests.admin.hands import audit, html, post, refusal, signed_in, url
from tests.reading import everything, read
from tests.worlds import PASSWORD, TEST

NO_ADDRESS = "Without an e-mail address nobody can be invited. Write one, or leave their name empty."


def test_the_operator_creates_an_organization(operators, staff, catalogue):
    data = {"name": "Umbrella", "slug": "umbrella", "time_zone": "Europe/Brussels"}
    assert refusal(operators, url(Organization, "add"), **data | {"time_zone": "Mars"}) == {
        "time_zone": "“Mars” is not a time zone. Write one such as Europe/Brussels."
    }
    post(operators, url(Organization, "add"), **data)
    organization = Organization.objects.get(slug="umbrella")
    assert audit("organization.created", organization_id=organization.pk, actor_name="Olaf Operator").count() == 1
    assert organization not in staff.get(url(Organization)).context["cl"].result_list


@pytest.fixture
def umbrella(staff, catalogue):
    """An organization that the provider created."""
    data = {"provider": catalogue.provider.pk, "name": "Umbrella", "slug": "umbrella", "time_zone": "Europe/Paris"}
    post(staff, url(Organization, "add"), **data)
    return Organization.objects.get(slug="umbrella")


def names_of(client):
    return [organization.name for organization in client.get(url(Organization)).context["cl"].result_list]


def test_a_provider_creates_an_organization_and_sees_it_before_anything_is_allocated(staff, umbrella, harbor):
    assert names_of(staff) == ["Globex", "Umbrella"]
    assert "Umbrella" not in names_of(signed_in(harbor.staff))
    assert OrganizationOrigin.objects.get().organization == umbrella
    told = audit("organization.created", actor_name="Nora North").values_list("organization_id", "provider_id")
    assert set(told) == {(umbrella.pk, None), (None, OrganizationOrigin.objects.get().provider_id)}
    history = staff.get(url(umbrella, "history"), follow=True).context["cl"].result_list
    assert [entry.verb for entry in history] == ["organization.created"]


def test_its_first_admin_is_invited_with_it(staff, catalogue):
    data = {"provider": catalogue.provider.pk, "name": "Initrode", "slug": "initrode", "time_zone": "UTC"}
    errors = refusal(staff, url(Organization, "add"), **data, admin_email="nobody")
    assert errors == {"admin_email": "nobody is not an e-mail address."}
    assert refusal(staff, url(Organization, "add"), **data, admin_name="Ina") == {"admin_email": NO_ADDRESS}
    assert not Organization.objects.filter(slug="initrode").exists()
    post(staff, url(Organization, "add"), **data, admin_email="ina@initrode.example", admin_name="Ina Initrode")
    admin = User.objects.get(organization__slug="initrode")
    assert (admin.name, admin.email, admin.role, admin.account) == (
        "Ina Initrode",
        "ina@initrode.example",
        "admin",
        None,
    )
    (letter,) = Mail.objects.all()
    assert (letter.to, "Nora North invites you to Initrode") == ("ina@initrode.example", letter.subject)
    page = html(staff, url(admin.organization))
    assert "Ina" not in page
    assert 'name="time_zone"' in page  # who is invited has not come in yet


def test_what_is_taken_is_refused_in_words(staff, catalogue, umbrella):
    data = {"provider": catalogue.provider.pk, "name": "umbrella", "slug": "umbrella", "time_zone": "Mars"}
    assert refusal(staff, url(Organization, "add"), **data) == {
        "__all__": "An organization of this name exists.",
        "slug": "An organization with this slug exists.",
        "time_zone": "“Mars” is not a time zone. Write one such as Europe/Brussels.",
    }
    assert refusal(staff, url(Organization, "add"), **data | {"slug": "u2", "time_zone": "UTC"}) == {
        "__all__": "An organization of this name exists."
    }


def test_the_provider_corrects_what_it_created_until_an_admin_of_it_has_come_in(staff, umbrella):
    post(staff, url(umbrella), name="Umbrella NV", time_zone="Europe/Brussels", slug="other")
    umbrella.refresh_from_db()
    assert (umbrella.name, umbrella.time_zone, umbrella.slug) == ("Umbrella NV", "Europe/Brussels", "umbrella")
    told = audit("organization.changed", actor_name="Nora North").get(organization_id=umbrella.pk)
    assert told.details["old"] == {"name": "Umbrella", "time_zone": "Europe/Paris"}
    assert "changed <b>Umbrella NV</b>" in html(staff, url(AuditEntry))

    account = directory.create_account(email="ann@umbrella.example", name="Ann", password=None, actor=TEST)
    directory.create_user(umbrella, name="Ann", account=account, role=Role.ADMIN, actor=TEST)
    assert staff.post(url(umbrella), {"name": "Mine", "time_zone": "UTC"}).status_code == 403
    assert "Save" not in read(staff.get(url(umbrella))).text


def test_nobody_corrects_a_customer_that_they_did_not_create_but_the_operator(staff, operators, acme, umbrella, harbor):
    assert staff.post(url(acme.organization), {"name": "Mine", "time_zone": "UTC"}).status_code == 403
    services.allocate(harbor.license, organization=umbrella, actor=TEST)
    theirs = signed_in(harbor.staff)
    assert "Umbrella" in names_of(theirs)
    assert theirs.post(url(umbrella), {"name": "Mine", "time_zone": "UTC"}).status_code == 403
    assert post(operators, url(acme.organization), name="Acme NV", time_zone="UTC")
    acme.organization.refresh_from_db()
    assert acme.organization.name == "Acme NV"
    assert audit("organization.changed", organization_id=acme.organization.pk).count() == 1


def test_the_list_says_how_many_allocations_and_seats_of_the_providers_own(staff, acme, globex, harbor, catalogue):
    acme.assign(acme.organization)
    services.change_allocation(acme.allocation, seats=3, starts_at=None, ends_at=None, actor=TEST)
    page = read(staff.get(url(Organization)))
    assert [row[-2:] for row in page.rows] == [["2", "4, over by 1"], ["2", "0"]]
    assert page.links["2"].endswith("?customer=globex")


# The first Admin, also later -----------------------------------------------------------------------------------------


def invites(client, organization, email, name=""):
    return post(client, url(organization, "invite"), email=email, name=name)


def standing(client, organization):
    """How it stands with the first Admin, as the page says."""
    page = client.get(url(organization))
    return page.context["adminform"].model_admin.first_admin(organization), read(page)


def test_the_first_admin_is_invited_later_and_comes_in(staff, umbrella, catalogue):
    says, page = standing(staff, umbrella)
    assert says == "Nobody is invited"
    assert says in page.text
    assert page.links["Invite its first Admin"] == url(umbrella, "invite")

    assert invites(staff, umbrella, "Ann@Umbrella.example", "Ann") == ["The first Admin of Umbrella is invited."]
    admin = umbrella.users.get()
    assert (admin.email, admin.name, admin.role) == ("ann@umbrella.example", "Ann", "admin")
    assert Mail.objects.get().to == "ann@umbrella.example"
    told = audit("organization.invited", provider_id=catalogue.provider.pk).get()
    assert (told.actor_name, told.target_name, told.details["organization"]) == ("Nora North", "Umbrella", "Umbrella")
    assert audit("user.invited", organization_id=umbrella.pk).count() == 1
    until = write_day(last_day(admin.invitations.get().expires_at))
    says, page = standing(staff, umbrella)
    assert says == f"Invited, open until {until}"
    assert "Ann" not in page.text
    assert "ann@" not in page.text
    assert "invited the first Admin of <b>Umbrella</b>" in html(staff, url(AuditEntry))

    directory.accept(admin.invitations.get(), name="Ann", password=PASSWORD, actor=TEST)
    says, page = standing(staff, umbrella)
    assert says == "An Admin has come in"
    assert "Invite its first Admin" not in page.links
    assert staff.post(url(umbrella, "invite"), {"email": "b@umbrella.example"}).status_code == 403


def test_the_same_address_is_sent_the_mail_again_also_when_the_invitation_ended(staff, umbrella):
    for number in range(1, 4):
        invites(staff, umbrella, "ann@umbrella.example")
        invitation = umbrella.invitations.get()
        assert (invitation.number, invitation.state) == (number, "pending")
        if number == 2:
            umbrella.invitations.update(expires_at=timezone.now())
            assert standing(staff, umbrella)[0].startswith("The invitation ended on ")
    assert umbrella.users.count() == 1
    assert Mail.objects.count() == 3


def test_another_address_puts_another_in_the_place_of_who_was_invited_before(staff, umbrella):
    invites(staff, umbrella, "wrong@umbrella.example")
    wrong = umbrella.invitations.get()
    token = directory.token_of(wrong)
    invites(staff, umbrella, "right@umbrella.example")
    admin = umbrella.users.get()
    assert (admin.email, admin.role) == ("right@umbrella.example", "admin")
    assert audit("user.deleted", organization_id=umbrella.pk).get().target_id == wrong.user_id
    with pytest.raises(ValidationError, match="withdrawn"):
        directory.invitation_of(token)
    directory.accept(admin.invitations.get(), name="Right", password=PASSWORD, actor=TEST)


def test_who_cannot_be_invited_is_told_at_the_field_and_nothing_changes(staff, umbrella):
    invites(staff, umbrella, "ann@umbrella.example")
    directory.create_user(umbrella, name="Vic", email="vic@umbrella.example", role=Role.VIEWER, actor=TEST)
    before = everything()
    for email, said in {
        "": "This field is required.",
        "nobody": "nobody is not an e-mail address.",
        "vic@umbrella.example": "vic@umbrella.example is in the directory already, and not as an Admin.",
    }.items():
        assert refusal(staff, url(umbrella, "invite"), email=email) == {"email": said}
    assert everything() == before


def test_the_first_admin_is_invited_by_who_created_it_and_the_operator_only(operators, umbrella, harbor, acme):
    services.allocate(harbor.license, organization=umbrella, actor=TEST)
    theirs = signed_in(harbor.staff)
    assert "Invite its first Admin" not in standing(theirs, umbrella)[1].links
    assert theirs.post(url(umbrella, "invite"), {"email": "a@umbrella.example"}).status_code == 403
    actor = Actor("account", harbor.staff.pk, "Hugo Harbor")
    with pytest.raises(ValidationError, match="ask the operator"):
        services.invite_admin(umbrella, email="a@umbrella.example", actor=actor)
    assert not umbrella.users.exists()
    assert invites(operators, umbrella, "ann@umbrella.example")
    assert refusal(operators, url(acme.organization, "invite"), email="a@acme.example") == {
        "__all__": "An Admin of Acme has come in. They invite the others."
    }


# Many from a file ----------------------------------------------------------------------------------------------------

IMPORT = url(Organization, "import")
ROWS = """Name;Slug;Time_zone;Admin_email;Admin name
Initrode;initrode;Europe/Madrid;Ina@initrode.example;Ina Initrode
Acme;acme-2;
Twice;twice;
Twice too;twice;
Mars;mars;Mars
NoMail;nomail;;nobody

;;UTC
NoAddress;noaddress;;;Ina
"""


def sent(catalogue, rows, **more):
    return {"provider": catalogue.provider.pk, "rows": rows, **more}


def test_an_import_says_what_becomes_of_each_row_and_then_does_it(staff, catalogue, acme):
    before = everything()
    page = read(staff.post(IMPORT, sent(catalogue, ROWS)))
    foreseen = [row[5] for row in page.rows]
    assert foreseen == [
        "Can be created",
        "Left out. An organization of this name exists.",
        "Can be created",
        "Left out. Slug: An organization with this slug exists.",
        "Left out. Time zone: “Mars” is not a time zone. Write one such as Europe/Brussels.",
        "Left out. Admin e-mail: nobody is not an e-mail address.",
        "Left out. Name: This field cannot be blank. Slug: This field cannot be blank.",
        f"Left out. Admin e-mail: {NO_ADDRESS}",
    ]
    assert [row[0] for row in page.rows] == ["2", "3", "4", "5", "6", "7", "9", "10"]
    assert everything() == before

    page = read(staff.post(IMPORT, sent(catalogue, ROWS, **{"import": "yes"})))
    assert [row[5].replace("Created", "Can be created") for row in page.rows] == foreseen
    assert [row[3] for row in page.rows][:3] == ["Europe/Madrid", "", "UTC"]
    assert names_of(staff) == ["Acme", "Initrode", "Twice"]
    assert [row[4] for row in page.rows][:2] == ["Ina@initrode.example", "nobody"]
    assert User.objects.get(email="ina@initrode.example").name == "Ina Initrode"
    assert list(Mail.objects.values_list("to", flat=True)) == ["ina@initrode.example"]
    assert audit("organization.created", provider_id=catalogue.provider.pk).count() == 2


def within(element):
    """The text of an element with its lines, as a browser has it."""
    return element.children[0].removeprefix("\n")


def test_what_was_shown_comes_back_whole_from_the_page(staff, catalogue):
    page = read(staff.post(IMPORT, sent(catalogue, 'name,slug\n"Ampersand & <Sons>, ""Ltd""",sons\n')))
    staff.post(IMPORT, sent(catalogue, within(page.one("textarea", name="rows")), **{"import": "yes"}))
    assert Organization.objects.get(slug="sons").name == 'Ampersand & <Sons>, "Ltd"'


@pytest.mark.parametrize("separator", [",", ";", "\t"], ids=["commas", "semicolons", "tabs"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_a_file_is_read_as_spreadsheets_write_it(staff, catalogue, encoding, separator):
    rows = [["name", "slug", "time zone"], ["Müller", "muller", "Europe/Berlin"]]
    content = "".join(f"{separator.join(row)}\r\n" for row in rows).encode(encoding)
    page = read(staff.post(IMPORT, {"provider": catalogue.provider.pk, "file": csv_file(content)}))
    assert [row[1:] for row in page.rows] == [["Müller", "muller", "Europe/Berlin", "nobody", "Can be created"]]
    staff.post(IMPORT, sent(catalogue, within(page.one("textarea", name="rows")), **{"import": "yes"}))
    assert Organization.objects.get(slug="muller").name == "Müller"


def csv_file(content):
    return SimpleUploadedFile("customers.csv", content, "text/csv")


@pytest.mark.parametrize("sign", ["\n", "\u2028", "\x85", "\v"])
def test_a_cell_may_hold_what_breaks_lines_elsewhere(staff, catalogue, sign):
    rows = f'name,slug\n"Umbrella{sign}NV",umbrella\nInitrode,initrode\n'
    assert [row[1] for row in read(staff.post(IMPORT, sent(catalogue, rows))).rows] == ["Umbrella NV", "Initrode"]


def test_the_example_on_the_page_can_be_imported(staff, catalogue):
    page = read(staff.get(IMPORT))
    example = within(page.one("code"))
    assert [row[1:] for row in read(staff.post(IMPORT, sent(catalogue, example))).rows] == [
        ["Umbrella", "umbrella", "Europe/Brussels", "ann@umbrella.example", "Can be created"],
        ["Initrode, Ltd", "initrode", "UTC", "nobody", "Can be created"],
    ]


def test_the_time_zones_are_looked_up_once_however_many_rows_there_are(monkeypatch):
    validate_time_zone("Europe/Brussels")
    monkeypatch.setattr(zoneinfo, "available_timezones", lambda: pytest.fail("looked up again"))
    validate_time_zone("Europe/Madrid")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "The submitted file is empty."),
        (b"name,slug", "There is a header, but no row below it."),
        (b"name\nAcme", "There is no column “Slug” in the first line. Each organization needs one."),
        (
            b"name,slug,age\nA,a,1",
            "There is no column “age”. There are “Name”, “Slug”, “Time zone”, “Admin e-mail” and “Admin name”.",
        ),
        (b"name,slug,Name\nA,a,B", "The columns “name” and “Name” are both Name. Leave one of them."),
        (
            b"name,slug\nA,a\nB, Ltd,b",
            "Line 3 has 3 cells, but there are 2 columns. A cell that contains a separator needs quotation marks",
        ),
        (b"name,slug\n\x8f\x90,a", "This cannot be read as text: it is neither UTF-8, UTF-16 nor Windows-1252."),
        (b"PK\x03\x04", "This is an Excel workbook. Save it as CSV in Excel, then upload that."),
        (b'name,slug\n"A,a', "Line 2: a quotation mark that begins a cell is not closed."),
        (b"name,slug\nA\0,a", "Line 2 contains a NUL byte"),
        (b"name,slug\n" + b"A,a\n" * 501, "These are 501 rows. Import at most 500 at once."),
        (b"name,slug\n" + b"A,a\n" * 200_000, "This file is too large. Import at most 500 rows at once."),
    ],
)
def test_what_is_no_list_of_organizations_is_refused_in_words(staff, catalogue, content, said):
    answer = staff.post(IMPORT, {"provider": catalogue.provider.pk, "file": csv_file(content)})
    assert said in read(answer).text
    assert names_of(staff) == []
