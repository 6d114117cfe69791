"""Organizations: created by providers and the operator, corrected by who may, imported from CSV."""

import zoneinfo

import pytest

from directory import services as directory
from directory.models import Organization, Role, User, validate_time_zone
from licensing import services
from licensing.models import OrganizationOrigin
from portal.audit.models import AuditEntry
from portal.outbox.models import Mail
from tests.admin.hands import audit, html, post, refusal, signed_in, url
from tests.reading import everything, read
from tests.worlds import TEST


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


# Many from a file ----------------------------------------------------------------------------------------------------

IMPORT = url(Organization, "import")
ROWS = """Name;Slug;Time_zone;Admin_email;Admin name
Initrode;initrode;Europe/Madrid;Ina@initrode.example;Ina Initrode
Acme;acme-2;
Twice;twice;
Twice too;twice;
Mars;mars;Mars
NoMail;nomail;;nobody

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
        "Left out. An organization with this slug exists.",
        "Left out. “Mars” is not a time zone. Write one such as Europe/Brussels.",
        "Left out. nobody is not an e-mail address.",
    ]
    assert everything() == before

    page = read(staff.post(IMPORT, sent(catalogue, ROWS, **{"import": "yes"})))
    assert [row[5].replace("Created", "Can be created") for row in page.rows] == foreseen
    assert [row[3] for row in page.rows][:3] == ["Europe/Madrid", "", "UTC"]
    assert names_of(staff) == ["Acme", "Initrode", "Twice"]
    assert [row[4] for row in page.rows][:2] == ["Ina@initrode.example", "nobody"]
    assert User.objects.get(email="ina@initrode.example").name == "Ina Initrode"
    assert list(Mail.objects.values_list("to", flat=True)) == ["ina@initrode.example"]
    assert audit("organization.created", provider_id=catalogue.provider.pk).count() == 2


def test_what_was_shown_comes_back_whole_from_the_page(staff, catalogue):
    page = staff.post(IMPORT, sent(catalogue, 'name,slug\n"Ampersand & <Sons>, ""Ltd""",sons\n')).content.decode()
    rows = read(page).one("textarea", name="rows").children[0].removeprefix("\n")
    staff.post(IMPORT, sent(catalogue, rows, **{"import": "yes"}))
    assert Organization.objects.get(slug="sons").name == 'Ampersand & <Sons>, "Ltd"'


def test_a_file_is_read_as_spreadsheets_write_it(staff, catalogue, tmp_path):
    file = tmp_path / "customers.csv"
    file.write_bytes("\ufeffname,slug,time zone\r\nMüller,muller,Europe/Berlin\r\n".encode())
    with file.open("rb") as opened:
        page = read(staff.post(IMPORT, {"provider": catalogue.provider.pk, "file": opened}))
    assert [row[1:] for row in page.rows] == [["Müller", "muller", "Europe/Berlin", "nobody", "Can be created"]]


def test_the_time_zones_are_looked_up_once_however_many_rows_there_are(monkeypatch):
    validate_time_zone("Europe/Brussels")
    monkeypatch.setattr(zoneinfo, "available_timezones", lambda: pytest.fail("looked up again"))
    validate_time_zone("Europe/Madrid")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "The submitted file is empty."),
        (b"name,slug", "There are no rows below the first."),
        (b"name\nAcme", "The first row does not name slug. It names the columns."),
        (
            b"name,slug,age\nA,a,1",
            "There is no column age. There are name, slug, time zone, admin e-mail and admin name.",
        ),
        (b"name,slug\n\xff\xfe,a", "This is not text in UTF-8. Save the sheet as “CSV UTF-8”."),
        (b'name,slug\n"A,a', "This is not a CSV file: unexpected end of data."),
        (b"name,slug\nA\0,a", "This is not a CSV file: it holds null characters."),
        (b"name,slug\n" + b"A,a\n" * 501, "These are 501 rows. Import at most 500 at once."),
        (b"name,slug\n" + b"A,a\n" * 200_000, "This file is too large. Import at most 500 rows at once."),
    ],
)
def test_what_is_no_list_of_organizations_is_refused_in_words(staff, catalogue, tmp_path, content, said):
    file = tmp_path / "customers.csv"
    file.write_bytes(content)
    with file.open("rb") as opened:
        answer = staff.post(IMPORT, {"provider": catalogue.provider.pk, "file": opened})
    assert said in read(answer).text
    assert names_of(staff) == []
