"""What a provider changed, as its customers are told: on the license page, on Home and in Activity."""

from datetime import UTC, datetime, timedelta

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils import timezone

from directory import services as directory
from directory.models import Organization
from licensing import services
from licensing.kinds import USERS
from licensing.models import Application, Assignment, Policy, Provider
from licensing.provider_changes import latest_change
from portal.audit.log import Actor
from portal.audit.models import AuditEntry
from portal.days import write_day
from tests.reading import read
from tests.worlds import PASSWORD, TEST, license_of

DAY = timedelta(days=1)


@pytest.fixture
def nora(catalogue):
    """The actor: somebody of the provider's staff."""
    return Actor("account", catalogue.staff.pk, "Nora North", "203.0.113.7")


def told(world):
    """What the license page says that the provider changed, newest first, without the times."""
    page = read(world.client(world.viewer).get(f"/licenses/{world.allocation.pk}/"))
    return [list(act.all("span"))[1].text for acts in page.all("ul", class_="acts") for act in acts.all("li")]


def latest(world):
    return told(world)[0]


def set_policies(catalogue, default, optional, actor):
    services.set_license_policies(catalogue.professional, default=default, optional=optional, actor=actor)


def change(allocation, actor, **terms):
    allocation.refresh_from_db()
    terms = {"seats": allocation.seats, "starts_at": allocation.starts_at, "ends_at": allocation.ends_at, **terms}
    services.change_allocation(allocation, **terms, actor=actor)


# What it means for whom ----------------------------------------------------------------------------------------------


def test_each_organization_reads_its_own_numbers(acme, globex, catalogue, nora):
    acme.assign(acme.group)
    acme.assign(acme.viewer, policies=[catalogue.export])
    globex.assign(globex.organization)

    set_policies(catalogue, [catalogue.reading, catalogue.export], [catalogue.administration], nora)

    changed = "Northlight changed the policies of CRM Professional: made CRM export default; "
    assert latest(acme) == f"{changed}1 person gained CRM export"
    assert latest(globex) == f"{changed}4 people gained CRM export"
    of_provider = AuditEntry.objects.get(verb="license.policies", provider_id=catalogue.provider.pk, actor_id=nora.id)
    assert of_provider.details["effects"] == [{"sign": "+", "what": "CRM export", "people": 5}]


def test_who_has_it_through_another_license_does_not_gain_it(acme, catalogue, nora):
    other = license_of(catalogue, "Other")
    services.set_license_policies(other, default=[catalogue.export], optional=[], actor=TEST)
    acme.assign(acme.viewer, services.allocate(other, organization=acme.organization, actor=TEST))
    acme.assign(acme.viewer)
    acme.assign(acme.editor)

    set_policies(catalogue, [catalogue.reading, catalogue.export], [], nora)

    assert latest(acme).endswith("; 1 person gained CRM export")


def test_a_new_optional_policy_starts_unchosen_everywhere(acme, globex, catalogue, nora):
    for world in (acme, globex):
        world.assign(world.organization, policies=[catalogue.export])
    new = services.save(Policy(application=catalogue.application, name="CRM import"), actor=TEST)

    set_policies(catalogue, [catalogue.reading], [catalogue.export, catalogue.administration, new], nora)

    for world in (acme, globex):
        assert [policy.name for policy in Assignment.objects.get(organization=world.organization).policies.all()] == [
            "CRM export"
        ]
        assert latest(world) == (
            "Northlight changed the policies of CRM Professional: added CRM import as optional;"
            " nobody has CRM import until it is chosen"
        )
        own = read(world.client(world.nobody).get("/my-access/"))
        assert [row[0] for row in own.rows] == ["CRM access", "CRM export"]
        dialog = read(world.client().get(f"/licenses/{world.allocation.pk}/users/assign/"))
        ticked = {box["id"]: "checked" in box.attributes for box in dialog.all("input", name="policies")}
        assert list(ticked.values()) == [False, False, False]


def test_what_is_taken_out_says_who_lost_it(acme, catalogue, nora):
    acme.assign(acme.viewer, policies=[catalogue.administration])
    acme.assign(acme.editor)

    set_policies(catalogue, [catalogue.reading], [catalogue.export], nora)
    set_policies(catalogue, [catalogue.export], [catalogue.reading], nora)

    assert told(acme)[:2] == [
        "Northlight changed the policies of CRM Professional: made CRM export default; made CRM access optional;"
        " 2 people gained CRM export and 2 people lost CRM access",
        "Northlight changed the policies of CRM Professional: removed CRM administration;"
        " 1 person lost CRM administration",
    ]


def test_a_policy_that_covers_something_else_says_who_has_it(acme, globex, catalogue, harbor, nora):
    acme.assign(acme.viewer, policies=[catalogue.export])
    policy = Policy.objects.get(pk=catalogue.export.pk)
    policy.name, policy.actions, policy.description = "CRM download", ["export", "print"], "Take data along"

    services.save(policy, actor=nora)

    changed = (
        "Northlight changed policy CRM export: name CRM download in place of CRM export; description Take data along in"
        " place of none; actions export and print in place of export; "
    )
    assert latest(acme) == f"{changed}1 person has it"
    assert latest(globex) == f"{changed}nobody has it"
    services.save(harbor.sharing, actor=TEST)
    assert AuditEntry.objects.filter(target_kind="policy", organization_id__isnull=False).count() == 2


def test_a_policy_that_moves_to_another_application_says_so(acme, catalogue, nora):
    other = services.save(Application(provider=catalogue.provider, name="Sales", slug="sales"), actor=TEST)
    policy = Policy.objects.get(pk=catalogue.reading.pk)
    policy.application = other

    services.save(policy, actor=nora)

    assert latest(acme) == "Northlight changed policy CRM access: now in Sales; nobody has it"


def test_a_license_of_another_name_and_text(acme, catalogue, nora):
    license = acme.allocation.license
    license.name, license.description = "CRM Ultimate", "For all"

    services.save(license, actor=nora)

    assert latest(acme) == (
        "Northlight changed license CRM Professional: name CRM Ultimate in place of CRM Professional;"
        " description For all in place of none"
    )


def test_saving_a_policy_unchanged_tells_nobody(acme, catalogue, nora):
    services.save(Policy.objects.get(pk=catalogue.export.pk), actor=nora)

    assert told(acme) == []


def test_seats_and_days_and_cancelling_say_what_they_did(acme, nora):
    Organization.objects.update(time_zone="Pacific/Kiritimati")  # 14 hours ahead
    acme.assign(acme.group)
    acme.assign(acme.viewer)
    change(acme.allocation, nora, seats=1)
    change(acme.allocation, nora, starts_at=datetime(2026, 1, 1, 10, tzinfo=UTC), ends_at=timezone.now() - DAY)
    change(acme.allocation, nora, ends_at=datetime(2099, 12, 31, 10, tzinfo=UTC))
    services.cancel(acme.allocation, actor=nora)
    services.reinstate(acme.allocation, actor=nora)

    found = told(acme)

    with timezone.override("Pacific/Kiritimati"):
        today = timezone.localdate()
    ended = write_day(today - DAY)
    of = "the allocation of CRM Professional"
    assert found == [
        f"Northlight reinstated {of}; 2 people gained CRM Professional",
        f"Northlight cancelled {of}; 2 people lost CRM Professional",
        f"Northlight changed {of}: last day 31 Dec 2099 in place of {ended}; 2 people gained CRM Professional",
        f"Northlight changed {of}: first day 2 Jan 2026 in place of {write_day(today)}; last day {ended} in place of"
        " none; 2 people lost CRM Professional",
        f"Northlight changed {of}: 1 seat in place of no limit, over by 1 then",
    ]


def test_signs_say_what_it_does_to_access(acme, catalogue, nora):
    acme.assign(acme.viewer)
    set_policies(catalogue, [catalogue.reading, catalogue.export], [], nora)
    set_policies(catalogue, [catalogue.reading], [], nora)
    set_policies(catalogue, [catalogue.reading], [catalogue.export], nora)

    page = read(acme.client().get(f"/licenses/{acme.allocation.pk}/"))

    assert [sign.children[0] for sign in page.all("span", class_="sign")] == ["·", "−", "+"]


def test_a_change_costs_the_same_for_one_customer_and_for_many(catalogue, acme, nora, django_assert_max_num_queries):
    def count():
        with django_assert_max_num_queries(100) as queries:
            set_policies(catalogue, [catalogue.reading, catalogue.export], [], nora)
        with django_assert_max_num_queries(100) as more:
            set_policies(catalogue, [catalogue.reading], [catalogue.export], nora)
        policy = Policy.objects.get(pk=catalogue.reading.pk)
        policy.description += "x"
        with django_assert_max_num_queries(100) as saving:
            services.save(policy, actor=nora)
        return len(queries), len(more), len(saving)

    set_policies(catalogue, [catalogue.reading], [catalogue.export], nora)
    before = count()
    for n in range(5):
        organization = directory.create_organization(name=f"More {n}", slug=f"more-{n}", actor=TEST)
        allocation = services.allocate(catalogue.professional, organization=organization, actor=TEST)
        user = directory.create_user(organization, name="Somebody", actor=TEST)
        services.assign(allocation, kind=USERS, assignees=[user], actor=TEST)

    assert count() == before


# Who is told ---------------------------------------------------------------------------------------------------------


def test_nobody_of_the_providers_staff_is_named_nor_found(acme, catalogue, nora):
    acme.assign(acme.viewer)
    services.allocate(license_of(catalogue, "Suite"), organization=acme.organization, actor=nora)
    change(acme.allocation, nora, seats=9)
    services.cancel(acme.allocation, actor=nora)
    services.reinstate(acme.allocation, actor=nora)
    set_policies(catalogue, [catalogue.reading, catalogue.export], [], nora)
    policy = Policy.objects.get(pk=catalogue.reading.pk)
    policy.actions = ["read", "write"]
    services.save(policy, actor=nora)

    for user in (acme.admin, acme.editor, acme.viewer):
        client = acme.client(user)
        for url in ("/", "/activity/", f"/licenses/{acme.allocation.pk}/", "/activity/?q=CRM"):
            html = client.get(url).content.decode()
            assert "Northlight" in html
            assert "Nora" not in html
        assert "matches" in read(client.get("/activity/?q=Nora")).text
        assert len(list(read(client.get("/activity/?q=Northlight")).one("ul", class_="acts").all("li"))) > 5
        file = b"".join(client.get("/activity.csv").streaming_content).decode()
        assert "Northlight" in file
        assert "Nora" not in file
        assert nora.address not in file

    staff = acme.client()
    staff.force_login(catalogue.staff)
    assert "Nora North" in staff.get("/admin/audit/auditentry/").content.decode()


def test_who_of_the_provider_created_an_organization_is_not_named_there(catalogue, nora):
    customer = services.create_customer(
        provider=catalogue.provider, name="New", slug="new", time_zone="UTC", admin_email="al@new.example", actor=nora
    )
    services.update_customer(customer, name="Newer", time_zone="UTC", actor=nora)
    account = directory.create_account(email="x@new.example", name="Xe", password=PASSWORD, actor=TEST)
    directory.create_user(customer, name="Xe", account=account, role="admin", actor=TEST)
    client = Client()
    client.force_login(account)

    acts = [item.text for item in read(client.get("/activity/")).one("ul", class_="acts").all("li")]

    assert sum("Northlight" in act for act in acts) == 4  # created, its first Admin put there and invited, renamed
    assert not any("Nora" in act for act in acts)


def test_a_policy_that_takes_the_place_of_its_namesake_is_told(acme, catalogue, nora):
    other = services.save(Application(provider=catalogue.provider, name="Mail", slug="mail"), actor=TEST)
    twin = services.save(Policy(application=other, name="CRM access", actions=["read"]), actor=TEST)
    acme.assign(acme.viewer)

    set_policies(catalogue, [twin], [catalogue.export, catalogue.administration], nora)

    assert told(acme) == [
        "Northlight changed the policies of CRM Professional: added CRM access as default; removed CRM access; 1 person"
        " gained CRM access and 1 person lost CRM access"
    ]


def test_each_allocation_shows_its_own_changes_only(acme, globex, catalogue, nora):
    change(acme.plain, nora, seats=3)
    change(globex.allocation, nora, seats=4)

    assert told(acme) == []


def test_the_latest_five_are_shown_and_the_rest_is_in_activity(acme, nora):
    for seats in range(1, 9):
        change(acme.allocation, nora, seats=seats)

    page = read(acme.client(acme.viewer).get(f"/licenses/{acme.allocation.pk}/access/"))

    acts = [item.text for item in page.one("ul", class_="acts").all("li")]
    assert len(acts) == 5
    assert "8 seats in place of 7 seats" in acts[0]
    assert page.links["its activity"] == "/activity/?q=Northlight"
    assert "open" in page.one("details", class_="disclose").attributes


def test_what_was_changed_long_ago_is_folded_away(acme, globex, nora):
    change(globex.allocation, nora, seats=3)
    long_ago = AuditEntry.objects.get(verb="allocation.changed")  # told again here, as of then: the log only grows
    long_ago.pk, long_ago.organization_id, long_ago.target_id = None, acme.organization.pk, acme.allocation.pk
    long_ago.at -= 15 * DAY
    long_ago.save(force_insert=True)

    page = read(acme.client(acme.viewer).get(f"/licenses/{acme.allocation.pk}/"))

    assert "open" not in page.one("details", class_="disclose").attributes
    assert len(told(acme)) == 1


# Home ----------------------------------------------------------------------------------------------------------------


def line(world):
    """The provider's latest change on Home: (what it says, where its link leads), or None."""
    page = read(world.client(world.viewer).get("/"))
    alerts = list(page.all("div", class_="alert-info"))
    return (alerts[0].text, *alerts[0].links.values()) if alerts else None


def test_home_shows_the_latest_change_and_leads_to_its_license(acme, catalogue, nora):
    today, url = write_day(timezone.localdate()), f"/licenses/{acme.allocation.pk}/"
    change(acme.allocation, nora, seats=3)
    said = "Northlight changed the allocation of CRM Professional: 3 seats in place of no limit."
    assert line(acme) == (f"{today}: {said} See CRM Professional", url)

    set_policies(catalogue, [catalogue.reading], [catalogue.export], nora)
    assert line(acme)[1] == url
    assert "removed CRM administration" in line(acme)[0]

    policy = Policy.objects.get(pk=catalogue.export.pk)
    policy.actions = []
    services.save(policy, actor=nora)
    assert "actions every action in place of export" in line(acme)[0]
    assert line(acme)[1] == url


def test_home_is_quiet_two_weeks_later(acme):
    now = timezone.now()

    assert latest_change(acme.organization, now)  # it was allocated just now
    assert latest_change(acme.organization, now + 15 * DAY) is None


# The license page ----------------------------------------------------------------------------------------------------


def head(world):
    return read(world.client(world.viewer).get(f"/licenses/{world.allocation.pk}/")).one("header", class_="head")


def test_the_license_page_leads_to_the_providers_contact_and_terms(acme, catalogue):
    catalogue.provider.contact_email = "sales+crm@northlight.example"
    catalogue.provider.terms_url = "https://northlight.example/terms?v=2&lang=en"
    services.save(catalogue.provider, actor=TEST)
    license = acme.allocation.license
    license.description = "d" * 250
    services.save(license, actor=TEST)

    found = head(acme)

    assert "d" * 250 in found.text
    assert found.links["sales+crm@northlight.example"] == (
        "mailto:sales%2Bcrm@northlight.example?subject=CRM%20Professional%20at%20Acme"
    )
    assert found.links["Terms of Northlight"] == "https://northlight.example/terms?v=2&lang=en"


def test_what_a_provider_does_not_say_leaves_no_gap(acme):
    assert "Questions" not in head(acme).text
    assert "Terms" not in head(acme).text
    assert list(head(acme).links) == ["Licenses"]


@pytest.mark.parametrize("url", ["javascript:alert(1)", "JavaScript://x.example/%0aalert(1)", "data:text/html,x"])
def test_a_script_is_neither_saved_as_an_address_nor_a_link(acme, catalogue, url):
    catalogue.provider.terms_url = url
    with pytest.raises(ValidationError):
        services.save(catalogue.provider, actor=TEST)
    catalogue.application.url = url
    with pytest.raises(ValidationError):
        services.save(catalogue.application, actor=TEST)

    Provider.objects.update(terms_url=url)  # however it came there
    Application.objects.update(url=url)
    acme.assign(acme.nobody)
    for address, user in ((f"/licenses/{acme.allocation.pk}/", acme.viewer), ("/my-access/", acme.nobody)):
        assert url not in acme.client(user).get(address).content.decode()


def test_a_contact_cannot_say_what_the_mail_will(acme, catalogue):
    Provider.objects.update(contact_email="x?bcc=evil@evil.example")

    assert head(acme).links["x?bcc=evil@evil.example"].startswith("mailto:x%3Fbcc%3Devil@evil.example?subject=")


# Seats ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seats", "says"),
    [
        (5, ""),
        (4, "Full: nobody else can get it. Ask Northlight for more seats, or unassign it from somebody."),
        (
            3,
            "1 person has it beyond the seats. They keep it; nobody else can get it. Ask Northlight for more seats, or"
            " unassign it from somebody.",
        ),
        (None, ""),
    ],
)
def test_the_license_page_says_what_to_do_when_seats_run_out(acme, seats, says):
    acme.assign(acme.organization)  # four people
    change(acme.allocation, TEST, seats=seats)

    page = read(acme.client(acme.viewer).get(f"/licenses/{acme.allocation.pk}/seats/"))

    assert " ".join(p.text for p in page.one("div", id="seats-told").all("p")) == says


def test_from_nine_in_ten_it_is_nearly_full(acme):
    for n in range(14):
        acme.person(f"Person {n}")
    acme.assign(acme.organization)  # 18 people
    change(acme.allocation, TEST, seats=20)

    page = read(acme.client(acme.viewer).get(f"/licenses/{acme.allocation.pk}/seats/"))

    told = page.one("div", id="seats-told").one("p").text
    assert told == "Nearly full: 2 seats are left. Ask Northlight for more before you need them."


def test_home_loads_what_is_over_its_seats_or_near_them(acme, globex, catalogue, django_assert_num_queries):
    globex.assign(globex.organization)
    change(globex.allocation, TEST, seats=1)
    client = acme.client(acme.viewer)
    assert "/licenses/scarce-seats/" not in [
        each["hx-get"] for each in read(client.get("/")).all(hx_trigger="load")
    ]  # nothing here has seats

    acme.assign(acme.organization)  # four people
    change(acme.allocation, TEST, seats=3)
    with django_assert_num_queries(6):
        page = read(client.get("/licenses/scarce-seats/"))
    assert [item.text for item in page.one("div", id="scarce").all("li")] == ["CRM Professional 4 of 3, over by 1"]

    for n, seats in enumerate((1, 4, 5)):
        license = license_of(catalogue, f"License {n}")
        acme.assign(
            acme.organization if seats > 3 else acme.viewer,
            services.allocate(license, organization=acme.organization, seats=seats, actor=TEST),
        )
    with django_assert_num_queries(6):
        page = read(client.get("/licenses/scarce-seats/"))
    assert [item.text for item in page.one("div", id="scarce").all("li")] == [
        "CRM Professional 4 of 3, over by 1",
        "License 0 1 of 1, 0 free",
        "License 1 4 of 4, 0 free",
    ]
    loaded = [each["hx-get"] for each in read(client.get("/")).all(hx_trigger="load")]
    assert "/licenses/scarce-seats/" in loaded


@pytest.mark.parametrize("entry", ["license", "user", "organization", "dates"])
def test_whatever_does_not_fit_is_refused_wherever_it_is_asked(acme, entry):
    change(acme.allocation, TEST, seats=1)
    past = acme.assign(acme.viewer, ends_at=timezone.now() + DAY)
    Assignment.objects.filter(pk=past.pk).update(starts_at=timezone.now() - 9 * DAY, ends_at=timezone.now() - DAY)
    acme.assign(acme.editor)
    client, pk = acme.client(), acme.allocation.pk
    url, data = {
        "license": (f"/licenses/{pk}/users/assign/", {"assignees": acme.nobody.pk}),
        "user": (f"/users/{acme.nobody.pk}/licenses/assign/", {"allocation": pk}),
        "organization": ("/organization/licenses/assign/", {"allocation": pk}),
        "dates": (f"/assignments/{past.pk}/dates/", {"ends_on": ""}),
    }[entry]
    before = set(Assignment.objects.values_list("pk", "ends_at"))

    page = read(client.post(url, data))

    needed = "3 are needed" if entry == "organization" else "1 is needed"
    refusal = f"Not enough seats: {needed}, 0 of 1 are free. Choose fewer, or ask Northlight for more seats."
    assert refusal in page.alerts.values()
    assert set(Assignment.objects.values_list("pk", "ends_at")) == before
