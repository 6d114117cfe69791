"""Mail about allocations that end soon or are over their seats: `manage.py send_notices`, which cron runs."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core import mail
from django.core.management import call_command
from django.utils import timezone

from directory import services as directory
from directory.models import Account, Organization, Role
from licensing import services
from licensing.models import Allocation
from licensing.services import send_notices
from portal.outbox.models import Mail
from tests.worlds import PASSWORD, TEST, license_of

DAY = timedelta(days=1)
NOON = datetime(2027, 3, 1, 12, tzinfo=UTC)
ADA, CONTACT = "ada@acme.example", "sales@northlight.example"


@pytest.fixture(autouse=True)
def contact(acme):
    """The provider has an address; the other organizations of it do not matter."""
    provider = acme.allocation.license.provider
    provider.contact_email = CONTACT
    services.save(provider, actor=TEST)
    return provider


def ends(allocation, ends_at):
    allocation.refresh_from_db()
    terms = {"seats": allocation.seats, "starts_at": allocation.starts_at}
    return services.change_allocation(allocation, **terms, ends_at=ends_at, actor=TEST)


def with_seats(allocation, seats):
    allocation.refresh_from_db()
    terms = {"starts_at": allocation.starts_at, "ends_at": allocation.ends_at}
    return services.change_allocation(allocation, seats=seats, **terms, actor=TEST)


def run(at=NOON):
    """Send the notices; return [(subject, address)] of the mails written."""
    before = set(Mail.objects.values_list("pk", flat=True))
    send_notices(at=at)
    return sorted(Mail.objects.exclude(pk__in=before).values_list("subject", "to"))


def both(subject):
    return [(subject, ADA), (subject, CONTACT)]


def subjects(at=NOON):
    return sorted({subject for subject, _ in run(at)})


# Before the end ------------------------------------------------------------------------------------------------------


def test_thirty_seven_and_one_day_before_the_end_the_admins_and_the_provider_are_told(acme):
    end = datetime(2027, 5, 1, tzinfo=UTC)  # the last day is 30 April
    ends(acme.allocation, end)

    told = {day: found for day in range(60) if (found := run(NOON + day * DAY))}

    assert told == {
        30: both("CRM Professional at Acme ends in 30 days"),
        53: both("CRM Professional at Acme ends in 7 days"),
        59: both("CRM Professional at Acme ends tomorrow"),
    }
    assert run(end - DAY / 2) == run(end) == run(end + DAY) == []


def test_it_runs_twice_and_nobody_is_told_twice(acme):
    ends(acme.allocation, NOON + 6 * DAY)

    assert run() == both("CRM Professional at Acme ends in 6 days")
    assert run() == run(NOON + DAY / 4) == run(NOON + 3 * DAY) == []


def test_after_a_gap_only_the_nearest_is_told(acme):
    ends(acme.allocation, NOON + 40 * DAY)
    assert run() == []

    assert subjects(NOON + 36 * DAY) == ["CRM Professional at Acme ends in 4 days"]
    assert run(NOON + 36 * DAY) == []
    assert subjects(NOON + 40 * DAY - DAY / 4) == ["CRM Professional at Acme ends today"]


def test_a_later_end_is_told_when_it_comes_near(acme):
    ends(acme.allocation, NOON + 7 * DAY)
    assert subjects() == ["CRM Professional at Acme ends in 7 days"]

    ends(acme.allocation, NOON + 60 * DAY)
    assert run() == []
    assert subjects(NOON + 30 * DAY) == ["CRM Professional at Acme ends in 30 days"]
    assert subjects(NOON + 53 * DAY) == ["CRM Professional at Acme ends in 7 days"]


def test_what_is_cancelled_or_has_ended_is_told_of_no_more(acme):
    ends(acme.allocation, NOON + 5 * DAY)
    with_seats(acme.allocation, 1)
    acme.assign(acme.viewer)
    directory.join_group(acme.group, users=[acme.viewer, acme.editor], actor=TEST)
    services.unassign(acme.allocation.assignments.get(), actor=TEST)
    services.cancel(acme.allocation, actor=TEST)
    ends(acme.plain, NOON - DAY + timedelta(hours=1))

    assert run() == []
    services.reinstate(acme.allocation, actor=TEST)
    assert subjects() == ["CRM Professional at Acme ends in 5 days"]


@pytest.mark.parametrize(
    ("zone", "last_day", "told"),
    [
        ("Pacific/Kiritimati", "Tuesday 9 March 2027", "in 7 days"),  # where it is 2 March already
        ("UTC", "Tuesday 9 March 2027", "in 8 days"),
        ("Pacific/Pago_Pago", "Monday 8 March 2027", "in 7 days"),  # where that instant is still the 8th
    ],
)
def test_days_are_those_of_the_organization(acme, zone, last_day, told):
    Organization.objects.update(time_zone=zone)
    ends(acme.allocation, datetime(2027, 3, 9, 10, tzinfo=UTC))

    run()

    letter = Mail.objects.filter(to=ADA).last()
    assert letter.subject == f"CRM Professional at Acme ends {told}"
    assert f"Its last day is {last_day}." in letter.body


def test_the_mail_says_what_ends_how_many_use_it_and_where_to_go(acme, settings):
    settings.PORTAL_URL = "https://portal.example.com"
    acme.assign(acme.group)
    acme.assign(acme.viewer)
    ends(acme.allocation, NOON + 7 * DAY)
    Allocation.objects.update(starts_at=NOON - DAY)

    run()

    customer, provider = (Mail.objects.get(to=to).body for to in (ADA, CONTACT))
    pk = acme.allocation.pk
    same = (
        "CRM Professional, which Northlight allocated to Acme, ends in 7 days. Its last day is Monday 8 March 2027.\n\n"
        "2 people use it. After that day nobody can use it; its assignments are kept, and work again once it is"
        " renewed.\n\n"
    )
    assert customer == (
        f"{same}To renew it, ask Northlight: {CONTACT}. Who has it:\n\nhttps://portal.example.com/licenses/{pk}/\n"
    )
    assert provider == (
        f"{same}To renew it, give it a later last day:\n\n"
        f"https://portal.example.com/admin/licensing/allocation/{pk}/change/\n"
    )


# Over its seats ------------------------------------------------------------------------------------------------------


@pytest.fixture
def over(acme):
    """One seat, and two people in the group that has it."""
    with_seats(acme.allocation, 1)
    acme.assign(acme.group)
    directory.join_group(acme.group, users=[acme.viewer], actor=TEST)
    return acme.allocation


def test_over_its_seats_is_told_once_a_spell(acme, over):
    assert run() == both("CRM Professional at Acme is over its seats by 1")
    directory.join_group(acme.group, users=[acme.editor], actor=TEST)
    assert run(NOON + DAY) == run(NOON + 40 * DAY) == []

    with_seats(over, 3)
    assert run(NOON + 41 * DAY) == []
    with_seats(over, 2)
    assert run(NOON + 42 * DAY) == both("CRM Professional at Acme is over its seats by 1")
    assert run(NOON + 43 * DAY) == []


@pytest.mark.parametrize("way", ["no limit", "cancelled", "nobody"])
def test_a_spell_is_over_however_it_came_to_its_end(acme, over, way):
    run()
    if way == "no limit":
        with_seats(over, None)
    elif way == "cancelled":
        services.cancel(over, actor=TEST)
    else:
        directory.leave_group(acme.group, users=[acme.viewer], actor=TEST)
    assert run(NOON + DAY) == []

    if way == "no limit":
        with_seats(over, 1)
    elif way == "cancelled":
        services.reinstate(over, actor=TEST)
    else:
        directory.join_group(acme.group, users=[acme.viewer], actor=TEST)
    assert subjects(NOON + 2 * DAY) == ["CRM Professional at Acme is over its seats by 1"]


def test_the_mail_says_how_many_too_many_and_what_each_can_do(acme, over, settings):
    settings.PORTAL_URL = "https://portal.example.com"

    run()

    customer, provider = (Mail.objects.get(to=to).body for to in (ADA, CONTACT))
    assert customer == (
        "CRM Professional, which Northlight allocated to Acme, has 1 seat. 2 people use it: 1 too many.\n\n"
        "Nobody loses it, but nobody else can get it.\n\n"
        f"Ask Northlight for more seats ({CONTACT}), or unassign it from somebody:\n\n"
        f"https://portal.example.com/licenses/{over.pk}/\n"
    )
    assert "Give it more seats, or agree with Acme on fewer people:" in provider
    assert f"/admin/licensing/allocation/{over.pk}/change/" in provider


# To whom -------------------------------------------------------------------------------------------------------------


def test_only_admins_who_can_sign_in_are_told(acme, over):
    directory.create_user(acme.organization, name="No Account", email="no@acme.example", role=Role.ADMIN, actor=TEST)
    other = directory.create_account(email="new@acme.example", name="New", password=PASSWORD, actor=TEST)
    terms = {"email": "different@acme.example", "role": Role.ADMIN, "actor": TEST}
    new = directory.create_user(acme.organization, name="New Admin", account=other, **terms)
    away = directory.create_account(email="away@acme.example", name="Away", password=PASSWORD, actor=TEST)
    directory.create_user(acme.organization, name="Away", account=away, role=Role.ADMIN, is_active=False, actor=TEST)
    shut = directory.create_account(email="shut@acme.example", name="Shut", password=PASSWORD, actor=TEST)
    directory.create_user(acme.organization, name="Shut", account=shut, role=Role.ADMIN, actor=TEST)
    type(shut).objects.filter(pk=shut.pk).update(is_active=False)

    assert [to for _, to in run()] == [ADA, new.account.email, CONTACT]


def test_who_becomes_admin_later_is_told_and_the_others_not_again(acme, over):
    run()
    type(acme.editor).objects.filter(pk=acme.editor.pk).update(role=Role.ADMIN)

    assert [to for _, to in run(NOON + DAY)] == ["eva@acme.example"]


def test_without_an_admin_or_a_contact_the_others_are_told_and_without_a_lead_nobody(acme, over, contact):
    type(acme.admin).objects.filter(pk=acme.admin.pk).update(role="")
    ends(acme.plain, NOON + 7 * DAY)
    assert {to for _, to in run()} == {CONTACT}

    contact.contact_email = ""
    services.save(contact, actor=TEST)
    Account.objects.filter(providers=contact).update(is_active=False)
    assert run(NOON + 6 * DAY) == []

    type(acme.admin).objects.filter(pk=acme.admin.pk).update(role=Role.ADMIN)
    assert {to for _, to in run(NOON + 6 * DAY)} == {ADA}


def test_where_a_provider_names_no_contact_its_leads_are_told(acme, contact):
    helper = Account.objects.create(email="helper@northlight.example", name="Hal Helper")
    services.add_staff(contact, account=helper, actor=TEST)
    ends(acme.plain, NOON + 7 * DAY)
    contact.contact_email = ""
    services.save(contact, actor=TEST)

    assert {to for _, to in run()} == {ADA, "staff@northlight.example"}

    bodies = dict(Mail.objects.values_list("to", "body"))
    assert "give it a later last day" in bodies["staff@northlight.example"]
    assert "give it a later last day" not in bodies[ADA]
    assert run() == []


def test_each_organization_is_told_of_its_own(acme, globex):
    ends(acme.plain, NOON + 7 * DAY)
    ends(globex.allocation, NOON + DAY)

    assert sorted(run()) == sorted(
        [
            *both("CRM Basic at Acme ends in 7 days"),
            ("CRM Professional at Globex ends tomorrow", "ada@globex.example"),
            ("CRM Professional at Globex ends tomorrow", CONTACT),
        ]
    )


def test_names_are_written_as_they_are_and_never_into_the_head_of_a_mail(acme, over):
    Organization.objects.filter(pk=acme.organization.pk).update(name="R&D <b>\r\nBcc: evil@evil.example")

    run()
    call_command("work", "--once")

    subject = "CRM Professional at R&D <b>"  # the rest stands in the text
    assert [(each.subject, each.to, each.bcc) for each in mail.outbox] == [
        (subject, [ADA], []),
        (subject, [CONTACT], []),
    ]


def test_a_long_address_and_long_names_are_no_hindrance(acme, over, contact):
    contact.contact_email = f"{'a' * 60}@{'b' * 60}.{'c' * 60}.{'d' * 60}.example"
    services.save(contact, actor=TEST)
    Organization.objects.filter(pk=acme.organization.pk).update(name="N" * 120)

    assert len(run()) == 2
    assert run() == []


# The command ---------------------------------------------------------------------------------------------------------


def test_the_command_says_of_how_many_it_told(acme, capsys):
    ends(acme.allocation, timezone.now() + 3 * DAY)

    call_command("send_notices")
    call_command("send_notices")

    assert capsys.readouterr().out.splitlines() == ["Told of 1 allocation.", "Told of 0 allocations."]


def test_seats_are_counted_together_and_nothing_without_a_limit(acme, over, catalogue, django_assert_num_queries):
    run()

    def more(seats):
        for n in range(5):
            license = license_of(catalogue, f"License {seats} {n}")
            allocation = services.allocate(license, organization=acme.organization, seats=seats, actor=TEST)
            acme.assign(acme.group, allocation)

    with django_assert_num_queries(7):  # what ends; what has seats, in four; the Admins; who was told
        assert run_only() == 0
    more(None)
    more(50)
    with django_assert_num_queries(7):
        assert run_only() == 0


def run_only():
    return send_notices(at=NOON)
