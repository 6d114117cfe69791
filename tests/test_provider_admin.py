"""Where providers work: Django's admin, through the services, over their own things only."""

import re
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from django.contrib import admin
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from directory import services as directory
from directory.models import Account, Organization
from licensing import services
from licensing.models import Allocation, Application, License, Policy, Provider, ProviderToken
from portal.audit.models import AuditEntry
from tests.worlds import PASSWORD, TEST

MODELS = [Application, Policy, License, Allocation, Organization, AuditEntry, ProviderToken]
OPERATORS_MODELS = [Provider, Account]


def signed_in(account):
    client = Client()
    client.force_login(account)
    return client


@pytest.fixture
def staff(catalogue):
    return signed_in(catalogue.staff)


@pytest.fixture
def operators(operator):
    return signed_in(operator)


@pytest.fixture
def harbor(harbor, globex):
    """The other provider, with allocations to Globex and to a third organization that is its alone."""
    organization = directory.create_organization(name="Initech", slug="initech", actor=TEST)
    harbor.organization = organization
    harbor.allocation = services.allocate(harbor.license, organization=organization, actor=TEST)
    harbor.at_globex = services.allocate(harbor.license, organization=globex.organization, actor=TEST)
    return harbor


def url(thing, page=None):
    """The URL of a page of a thing (change, delete, …), or of a model (changelist, add)."""
    name = f"admin:{thing._meta.app_label}_{thing._meta.model_name}_"
    if isinstance(thing, type):
        return reverse(name + (page or "changelist"))
    return reverse(name + (page or "change"), args=[thing.pk])


def html(client, address):
    response = client.get(address)
    assert response.status_code == 200
    return response.content.decode()


def post(client, address, **data):
    """Send a form; return the messages on the page that comes next. Fails when the form was refused."""
    response = client.post(address, data, follow=True)
    assert response.redirect_chain, errors_of(response)
    return messages_of(response)


def refusal(client, address, **data):
    """Send a form that is refused; return its errors: {field: words}."""
    response = client.post(address, data)
    assert response.status_code == 200
    return errors_of(response)


def errors_of(response):
    return {field: " ".join(words) for field, words in response.context["adminform"].form.errors.items()}


def messages_of(response):
    return [str(message) for message in response.context["messages"]]


def audit(verb, **fields):
    return AuditEntry.objects.filter(verb=verb, **fields)


def of_license(license, **changes):
    """What the page of a license sends when nothing is changed but `changes`."""
    rows = license.license_policies.all()
    return {
        "name": license.name,
        "description": license.description,
        "default_policies": [row.policy_id for row in rows if row.is_default],
        "optional_policies": [row.policy_id for row in rows if not row.is_default],
        "confirmed": "",
        **changes,
    }


# Who sees what -------------------------------------------------------------------------------------------------------


def test_only_our_own_pages_are_in_the_admin():
    assert set(admin.site._registry) == {*MODELS, *OPERATORS_MODELS}


def test_staff_enters_and_finds_what_is_theirs_to_do(staff, catalogue):
    page = html(staff, "/admin/")
    for model in MODELS:
        assert f'href="{url(model)}"' in page
    for model in OPERATORS_MODELS:
        assert f'href="{url(model)}"' not in page


def test_an_account_without_a_provider_finds_nothing(catalogue):
    account = directory.create_account(
        email="new@example.com", name="New Here", password=PASSWORD, is_staff=True, actor=TEST
    )
    client = signed_in(account)
    assert "don’t have permission to view or edit anything" in html(client, "/admin/")
    for model in [*MODELS, *OPERATORS_MODELS]:
        assert client.get(url(model)).status_code == 403


def test_an_admin_of_an_organization_does_not_enter(acme):
    response = acme.client().get(url(License))
    assert (response.status_code, response.url.split("?")[0]) == (302, reverse("admin:login"))


@pytest.mark.parametrize("model", OPERATORS_MODELS)
def test_staff_does_not_enter_the_operators_pages(staff, model):
    thing = model.objects.first()
    for address in (url(model), url(model, "add"), url(thing), url(thing, "delete")):
        assert staff.get(address).status_code == 403
        assert staff.post(address).status_code == 403


def own_things(catalogue, acme):
    return [catalogue.application, catalogue.reading, catalogue.professional, acme.allocation, acme.organization]


def test_staff_opens_every_page_of_their_own(staff, catalogue, acme):
    for model in MODELS:
        html(staff, url(model))
    for model in (Application, Policy, License, Allocation, ProviderToken):
        html(staff, url(model, "add"))
    for thing in own_things(catalogue, acme):
        assert str(thing) in html(staff, url(thing))


def test_another_providers_thing_answers_like_one_that_does_not_exist(staff, harbor):
    gone = 999_999
    for thing in (harbor.application, harbor.policy, harbor.license, harbor.allocation, harbor.organization):
        pages = ["change", "cancel", "reinstate"] if isinstance(thing, Allocation) else ["change", "delete"]
        if isinstance(thing, Organization):
            pages = ["change"]
        for page in pages:
            address = url(thing, page)
            for method in (staff.get, staff.post):
                # A page that may not be changed answers 403 to a POST, whether the thing is there or not.
                answers = [
                    (response.status_code, response.redirect_chain, shown.replace(str(pk), "#"))
                    for pk in (thing.pk, gone)
                    for response in [method(address.replace(f"/{thing.pk}/", f"/{pk}/"), follow=True)]
                    for shown in ["".join(messages_of(response)) if response.redirect_chain else ""]
                ]
                assert answers[0] == answers[1]
                assert answers[0][0] == 403 or "doesn’t exist" in answers[0][2]
    assert Allocation.objects.get(pk=harbor.allocation.pk).cancelled_at is None


def test_the_other_providers_staff_sees_theirs_and_not_ours(harbor, catalogue, acme):
    client = signed_in(harbor.staff)
    for thing in (harbor.application, harbor.policy, harbor.license, harbor.allocation, harbor.organization):
        assert str(thing) in html(client, url(thing))
    for thing in own_things(catalogue, acme):
        assert client.get(url(thing)).status_code == 302


def test_lists_pages_and_choices_show_nothing_of_another_provider(staff, harbor, catalogue, globex):
    addresses = [url(model) for model in MODELS]
    addresses += [url(model, "add") for model in (Application, Policy, License, Allocation)]
    addresses += [url(thing) for thing in own_things(catalogue, globex)]
    for address in addresses:
        page = html(staff, address)
        for word in ("Harbor", "Drive", "Initech"):
            assert word not in page, (address, word)


def test_what_is_not_offered_is_refused_when_sent(staff, harbor, catalogue):
    not_one = "Select a valid choice. That choice is not one of the available choices."
    assert refusal(staff, url(Policy, "add"), application=harbor.application.pk, name="X") == {"application": not_one}
    assert refusal(staff, url(Application, "add"), provider=harbor.provider.pk, name="X", slug="x") == {
        "provider": not_one
    } | {"resource_type": "This field is required."}
    assert refusal(staff, url(Allocation, "add"), license=harbor.license.pk, organization="initech") == {
        "license": not_one
    }
    data = of_license(catalogue.professional, optional_policies=[harbor.policy.pk])
    assert set(refusal(staff, url(catalogue.professional), **data)) == {"optional_policies"}


def test_a_filter_that_is_not_offered_answers_nothing(staff, acme, harbor):
    for query in (
        f"users__id__exact={acme.admin.pk}",
        "users__email__startswith=ada",
        f"allocations={harbor.allocation.pk}",
        "allocations__license__name=Drive",
    ):
        assert staff.get(f"{url(Organization)}?{query}").status_code == 400


def test_organizations_of_staff_are_those_with_an_allocation_of_theirs(staff, acme, harbor, catalogue):
    services.cancel(acme.allocation, actor=TEST)
    listed = staff.get(url(Organization)).context["cl"].result_list
    assert {organization.slug for organization in listed} == {"acme", "globex"}


def test_an_organizations_page_has_numbers_and_no_people(staff, acme):
    page = re.sub(r">\s+<", "><", html(staff, url(acme.organization)))
    for number, words in [(4, "Active people"), (1, "Groups"), (2, "Organizational units")]:
        assert f'{words}:</label><div class="readonly">{number}</div>' in page
    assert f'<a href="{url(acme.allocation)}">CRM Professional</a>: Live, no limit' in page
    assert f"{url(Allocation, 'add')}?organization=acme" in page


def test_no_page_of_staff_names_anybody_of_an_organization(staff, acme, catalogue):
    acme.assign(acme.admin)
    acme.assign(acme.group)
    services.cancel(acme.plain, actor=TEST)
    addresses = [url(model) for model in MODELS] + [url(thing) for thing in own_things(catalogue, acme)]
    addresses += [url(acme.allocation, "cancel"), url(acme.plain, "reinstate"), url(catalogue.professional, "delete")]
    addresses += [url(entry) for entry in AuditEntry.objects.filter(provider_id=catalogue.provider.pk)]
    for address in addresses:
        page = html(staff, address)
        for word in ("Ada Admin", "Eva Editor", "Vic Viewer", "Uma Nobody", "@acme.example", "Support", "Benelux"):
            assert word not in page, (address, word)


def test_the_operator_sees_everything_of_everybody(operators, acme, harbor, catalogue):
    for thing in [*own_things(catalogue, acme), *own_things(catalogue, acme), harbor.license, harbor.allocation]:
        assert str(thing) in html(operators, url(thing))
    for model in [*MODELS, *OPERATORS_MODELS]:
        html(operators, url(model))
    licenses = operators.get(url(License)).context["cl"].result_list
    assert {str(license) for license in licenses} == {"CRM Basic", "CRM Professional", "Drive Business"}
    assert "Drive (Harbor)" in html(operators, url(Policy, "add"))


# The catalogue -------------------------------------------------------------------------------------------------------


def test_staff_creates_and_changes_an_application(staff, catalogue):
    data = {"name": "Mail", "slug": "mail", "resource_type": "application", "url": "mail.example/"}
    post(staff, url(Application, "add"), provider=catalogue.provider.pk, **data)
    application = Application.objects.get(slug="mail")
    assert (application.provider, application.url) == (catalogue.provider, "https://mail.example/")
    post(staff, url(application), **data | {"name": "Mails"})
    application.refresh_from_db()
    assert application.name == "Mails"
    entries = audit("application.created", target_id=application.pk) | audit(
        "application.changed", target_id=application.pk
    )
    assert set(entries.values_list("verb", "actor_name", "actor_kind", "provider_id")) == {
        (f"application.{verb}", "Nora North", "account", catalogue.provider.pk) for verb in ("created", "changed")
    }


def test_a_slug_that_is_taken_is_refused_in_words(staff, catalogue):
    data = {"name": "Other", "slug": "crm", "resource_type": "application"}
    assert refusal(staff, url(Application, "add"), provider=catalogue.provider.pk, **data) == {
        "__all__": "An application with this slug exists."
    }
    assert Application.objects.filter(provider=catalogue.provider).count() == 1


def test_saving_without_a_change_writes_nothing(staff, catalogue, acme):
    before = AuditEntry.objects.count()
    post(staff, url(catalogue.professional), **of_license(catalogue.professional))
    post(staff, url(catalogue.reading), application=catalogue.application.pk, name="CRM access", actions="read")
    first = timezone.localtime(acme.allocation.starts_at).date().isoformat()
    post(staff, url(acme.allocation), seats="", starts_at=first, ends_at="")
    assert AuditEntry.objects.count() == before


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("read\r\nwrite", ["read", "write"]),
        (" read , write,,read\n", ["read", "write"]),
        ("", []),
        ("[1, {", ["[1", "{"]),
    ],
)
def test_actions_are_written_as_text(staff, catalogue, written, stored):
    post(staff, url(Policy, "add"), application=catalogue.application.pk, name="New", actions=written)
    policy = Policy.objects.get(name="New")
    assert policy.actions == stored
    assert audit("policy.created", target_id=policy.pk, provider_id=catalogue.provider.pk).count() == 1
    assert staff.get(url(policy)).context["adminform"].form["actions"].value() == "\n".join(stored)


def test_an_action_with_a_null_character_is_refused(staff, catalogue):
    errors = refusal(staff, url(Policy, "add"), application=catalogue.application.pk, name="New", actions="re\0ad")
    assert errors == {"actions": "Null characters are not allowed."}


def test_a_policy_that_a_license_has_cannot_be_deleted_and_the_page_says_which(staff, catalogue):
    words = "CRM Basic and CRM Professional have the policy CRM access. Take it out first."
    assert words in html(staff, url(catalogue.reading, "delete"))
    assert words in staff.post(url(catalogue.reading, "delete"), {"post": "yes"}).content.decode()
    assert Policy.objects.filter(pk=catalogue.reading.pk).exists()


def test_an_application_whose_policies_a_license_has_cannot_be_deleted_and_the_page_says_which(staff, catalogue):
    words = "CRM Basic and CRM Professional have policies of CRM. Take them out first."
    assert words in html(staff, url(catalogue.application, "delete"))


def test_an_application_with_policies_that_no_license_has_says_to_delete_them_first(staff, catalogue):
    application = services.save(Application(provider=catalogue.provider, name="Mail", slug="mail"), actor=TEST)
    services.save(Policy(application=application, name="Mail access"), actor=TEST)
    assert "Mail has policies: Mail access. Delete them first." in html(staff, url(application, "delete"))


def test_a_license_that_was_allocated_cannot_be_deleted_even_when_cancelled(staff, catalogue, acme, globex):
    services.cancel(acme.allocation, actor=TEST)
    page = staff.post(url(catalogue.professional, "delete"), {"post": "yes"}).content.decode()
    assert "CRM Professional is allocated to Acme and Globex, cancelled or not, so it stays." in page
    assert License.objects.filter(pk=catalogue.professional.pk).exists()


def test_what_nothing_uses_is_deleted_and_audited(staff, catalogue):
    post(staff, url(catalogue.basic, "delete"), post="yes")
    assert not License.objects.filter(pk=catalogue.basic.pk).exists()
    assert audit("license.deleted", target_name="CRM Basic", provider_id=catalogue.provider.pk).count() == 1


# Licenses ------------------------------------------------------------------------------------------------------------


def test_staff_creates_a_license_with_its_policies(staff, catalogue):
    data = {
        "name": "CRM Export",
        "default_policies": [catalogue.reading.pk],
        "optional_policies": [catalogue.export.pk],
    }
    post(staff, url(License, "add"), provider=catalogue.provider.pk, **data)
    license = License.objects.get(name="CRM Export")
    assert (license.default_policies, license.optional_policies) == ([catalogue.reading], [catalogue.export])
    for verb in ("license.created", "license.policies"):
        assert (
            audit(verb, target_id=license.pk, provider_id=catalogue.provider.pk, actor_name="Nora North").count() == 1
        )


def test_a_name_that_is_taken_leaves_nothing_half_written(staff, catalogue):
    before = AuditEntry.objects.count()
    data = {"name": "crm basic", "default_policies": [catalogue.reading.pk]}
    assert refusal(staff, url(License, "add"), provider=catalogue.provider.pk, **data) == {
        "__all__": "A license of this name exists."
    }
    assert (License.objects.count(), AuditEntry.objects.count()) == (2, before)


def test_a_policy_is_default_or_optional_but_not_both(staff, catalogue):
    data = of_license(catalogue.basic, name="New name", optional_policies=[catalogue.reading.pk])
    assert refusal(staff, url(catalogue.basic), **data) == {
        "optional_policies": "CRM access: choose it as default or as optional, not both."
    }
    catalogue.basic.refresh_from_db()
    assert catalogue.basic.name == "CRM Basic"


def test_the_last_default_policy_of_an_allocated_license_stays(staff, catalogue, acme):
    errors = refusal(staff, url(catalogue.basic), **of_license(catalogue.basic, default_policies=[]))
    assert errors == {
        "default_policies": "This license is allocated: it keeps at least one, or who has it could do nothing."
    }


def test_the_last_default_policy_of_a_license_that_nobody_has_may_go(staff, catalogue):
    post(staff, url(catalogue.basic), **of_license(catalogue.basic, default_policies=[]))
    assert not catalogue.basic.license_policies.exists()
    assert "none: it cannot be allocated yet" in html(staff, url(License))


def test_a_change_that_people_would_feel_says_so_and_asks_first(staff, catalogue, acme):
    assignment = acme.assign(acme.group, policies=[catalogue.export])
    data = of_license(
        catalogue.professional,
        default_policies=[catalogue.administration.pk],
        optional_policies=[catalogue.reading.pk],
    )
    response = staff.post(url(catalogue.professional), data)
    assert errors_of(response) == {
        "confirmed": "This license reaches 1 person in 1 organization now. At once they get CRM administration, they "
        "lose CRM access and 1 assignment loses CRM export. Tick this and save again."
    }
    assert '<input type="checkbox" name="confirmed"' in response.content.decode()
    assert catalogue.professional.license_policies.count() == 3

    post(staff, url(catalogue.professional), **data | {"confirmed": "on"})
    license = License.objects.get(pk=catalogue.professional.pk)
    assert license.default_policies == [catalogue.administration]
    assert license.optional_policies == [catalogue.reading]
    assert not assignment.assignment_policies.exists()
    (entry,) = audit("license.policies", target_id=license.pk, organization_id=acme.organization.pk)
    assert (entry.details["now_default"], entry.details["removed"]) == (["CRM administration"], ["CRM export"])
    assert not audit("license.changed", target_id=license.pk).exists()


def test_an_added_optional_policy_needs_no_confirmation(staff, catalogue, acme):
    post(staff, url(catalogue.basic), **of_license(catalogue.basic, optional_policies=[catalogue.export.pk]))
    assert License.objects.get(pk=catalogue.basic.pk).optional_policies == [catalogue.export]


def test_a_licenses_page_lists_its_allocations_and_leads_to_a_new_one(staff, catalogue, acme, globex):
    services.cancel(globex.allocation, actor=TEST)
    page = html(staff, url(catalogue.professional))
    assert f'<a href="{url(acme.allocation)}">Acme</a>: Live, no limit' in page
    assert f'<a href="{url(globex.allocation)}">Globex</a>: Not in effect: cancelled, no limit' in page
    assert f"{url(Allocation, 'add')}?license={catalogue.professional.pk}" in page


# Allocations ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def brussels(catalogue):
    """A customer that nothing is allocated to, an hour or two ahead of UTC."""
    return directory.create_organization(name="Brussels", slug="brussels", time_zone="Europe/Brussels", actor=TEST)


def test_staff_allocates_to_a_slug_with_seats_and_days_of_the_customer(staff, catalogue, brussels):
    data = {"organization": "brussels", "license": catalogue.basic.pk, "seats": 5}
    post(staff, url(Allocation, "add"), **data, starts_at="2027-01-01", ends_at="2027-12-31")
    allocation = Allocation.objects.get(organization=brussels)
    assert (allocation.license, allocation.seats) == (catalogue.basic, 5)
    assert allocation.starts_at == datetime(2026, 12, 31, 23, tzinfo=UTC)
    assert allocation.ends_at == datetime(2027, 12, 31, 23, tzinfo=UTC)
    (entry,) = audit("allocation.created", target_id=allocation.pk)
    assert (entry.organization_id, entry.provider_id, entry.actor_name) == (
        brussels.pk,
        catalogue.provider.pk,
        "Nora North",
    )
    assert (entry.details["from"], entry.details["until"]) == ("2027-01-01", "2027-12-31")
    form = staff.get(url(allocation)).context["adminform"].form
    assert (str(form.initial["starts_at"]), str(form.initial["ends_at"])) == ("2027-01-01", "2027-12-31")


def test_an_allocation_without_days_starts_now_and_has_no_end(staff, catalogue, brussels):
    post(staff, url(Allocation, "add"), organization="brussels", license=catalogue.basic.pk)
    allocation = Allocation.objects.get(organization=brussels)
    assert (allocation.seats, allocation.ends_at) == (None, None)
    assert timezone.now() - allocation.starts_at < timedelta(minutes=1)


def test_the_form_offers_no_list_of_organizations(staff, harbor):
    page = html(staff, url(Allocation, "add"))
    assert '<input type="text" name="organization"' in page
    assert "Acme" not in page


def test_an_unknown_slug_is_refused_at_its_field_and_nothing_typed_is_lost(staff, catalogue):
    response = staff.post(
        url(Allocation, "add"), {"organization": "acmee", "license": catalogue.basic.pk, "seats": "17"}
    )
    assert errors_of(response) == {
        "organization": "No organization has the slug “acmee”. Ask the customer; it must be exact."
    }
    assert 'value="acmee"' in response.content.decode()
    assert 'value="17"' in response.content.decode()


def test_a_license_without_a_default_policy_cannot_be_allocated_and_says_why(staff, catalogue, brussels):
    empty = services.save(License(provider=catalogue.provider, name="Empty"), actor=TEST)
    assert refusal(staff, url(Allocation, "add"), organization="brussels", license=empty.pk) == {
        "__all__": "Empty has no default policy, so whoever got it could do nothing. Give it one, then allocate it."
    }


def test_a_license_is_allocated_once_to_an_organization(staff, catalogue, acme):
    errors = refusal(staff, url(Allocation, "add"), organization="acme", license=catalogue.basic.pk)
    assert errors == {"__all__": "This license is allocated here already. Change that allocation instead."}


@pytest.mark.parametrize(
    ("data", "errors"),
    [
        ({"seats": "-1"}, {"seats": "Write 1 or more, or nothing for no limit."}),
        ({"seats": "0"}, {"seats": "Write 1 or more, or nothing for no limit."}),
        ({"seats": "9" * 30}, {"seats": "Write at most 10,000,000, or nothing for no limit."}),
        ({"seats": "9" * 5000}, {"seats": "Write a number, or nothing for no limit."}),
        ({"seats": "many"}, {"seats": "Write a number, or nothing for no limit."}),
        ({"starts_at": "soon"}, {"starts_at": "This is not a day. Write it as 2027-01-31."}),
        ({"ends_at": "9999-12-31"}, {"ends_at": "Choose a day before 2200."}),
        (
            {"starts_at": "2027-02-01", "ends_at": "2027-01-31"},
            {"ends_at": "The last day is before the first. Choose a later one."},
        ),
        ({"ends_at": "2001-01-01"}, {"ends_at": "The last day is before the first. Choose a later one."}),
        ({"organization": ""}, {"organization": "This field is required."}),
        ({"organization": "a\0b"}, {"organization": "Null characters are not allowed."}),
        (
            {"license": "9" * 30},
            {"license": "Select a valid choice. That choice is not one of the available choices."},
        ),
        ({"license": "x"}, {"license": "Select a valid choice. That choice is not one of the available choices."}),
    ],
)
def test_bad_input_is_refused_at_its_field(staff, catalogue, brussels, data, errors):
    data = {"organization": "brussels", "license": catalogue.basic.pk, **data}
    assert refusal(staff, url(Allocation, "add"), **data) == errors
    assert not Allocation.objects.exists()


def test_a_policy_key_that_is_no_key_is_refused_at_its_field(staff, catalogue):
    for key in ("9" * 30, "x"):
        data = of_license(catalogue.basic, default_policies=[key])
        assert set(refusal(staff, url(catalogue.basic), **data)) == {"default_policies"}


def test_staff_changes_seats_and_end_and_the_start_keeps_its_time_of_day(staff, catalogue, brussels):
    start = datetime(2026, 3, 4, 15, 30, tzinfo=UTC)
    allocation = services.allocate(catalogue.basic, organization=brussels, starts_at=start, actor=TEST)
    post(staff, url(allocation), seats="3", starts_at="2026-03-04", ends_at="2199-07-01")
    allocation.refresh_from_db()
    assert (allocation.seats, allocation.starts_at) == (3, start)
    assert allocation.ends_at == datetime(2199, 7, 1, 22, tzinfo=UTC)
    (entry,) = audit("allocation.changed", target_id=allocation.pk)
    assert entry.details["old"] == {"seats": None, "from": "2026-03-04", "until": None}


def test_organization_and_license_of_an_allocation_never_change(staff, catalogue, acme, brussels):
    first = timezone.localtime(acme.allocation.starts_at).date().isoformat()
    data = {"organization": "brussels", "license": catalogue.basic.pk, "seats": "4", "starts_at": first}
    post(staff, url(acme.allocation), **data)
    acme.allocation.refresh_from_db()
    assert (acme.allocation.organization, acme.allocation.license) == (acme.organization, catalogue.professional)
    assert acme.allocation.seats == 4


def test_a_first_day_cannot_be_taken_away(staff, acme):
    assert refusal(staff, url(acme.allocation), seats="", starts_at="") == {"starts_at": "This field is required."}


def test_seats_in_use_are_a_number_and_fewer_seats_than_that_show_as_over(staff, acme):
    acme.assign(acme.organization)
    assert '<div class="readonly">4</div>' in html(staff, url(acme.allocation))
    first = timezone.localtime(acme.allocation.starts_at).date().isoformat()
    shown = post(staff, url(acme.allocation), seats="3", starts_at=first)
    assert "Over by 1: 1 more person has this license than it has seats." in shown
    assert '<div class="readonly">4 (over by 1)</div>' in html(staff, url(acme.allocation))


def test_cancelling_says_how_many_lose_access_and_keeps_the_assignments(staff, acme):
    acme.assign(acme.organization)
    page = html(staff, url(acme.allocation, "cancel"))
    assert "Cancel CRM Professional for Acme?" in page
    assert "At once 4 people lose what they have through it. Its assignments are kept" in page
    acme.allocation.refresh_from_db()
    assert acme.allocation.cancelled_at is None

    shown = post(staff, url(acme.allocation, "cancel"))
    assert shown == ["The allocation of CRM Professional to Acme was cancelled."]
    acme.allocation.refresh_from_db()
    assert acme.allocation.cancelled_at is not None
    assert acme.allocation.assignments.count() == 1
    (entry,) = audit("allocation.cancelled", target_id=acme.allocation.pk)
    assert (entry.actor_name, entry.organization_id) == ("Nora North", acme.organization.pk)
    page = html(staff, url(acme.allocation))
    assert "Not in effect: cancelled" in page
    assert "Reinstate this allocation" in page
    assert "Cancel this allocation" not in page


def test_cancelling_twice_is_refused_in_words(staff, acme):
    services.cancel(acme.allocation, actor=TEST)
    assert post(staff, url(acme.allocation, "cancel")) == ["CRM Professional is cancelled already."]
    assert audit("allocation.cancelled").count() == 1


def test_reinstating_says_how_many_regain_access_and_how_far_over_it_goes(staff, acme):
    acme.assign(acme.organization)
    services.change_allocation(acme.allocation, seats=3, starts_at=None, ends_at=None, actor=TEST)
    services.cancel(acme.allocation, actor=TEST)
    words = "At once 4 people have access through it again. It will be over its seats by 1."
    assert words in html(staff, url(acme.allocation, "reinstate"))
    shown = post(staff, url(acme.allocation, "reinstate"))
    assert shown == ["The allocation of CRM Professional to Acme was reinstated."]
    acme.allocation.refresh_from_db()
    assert acme.allocation.cancelled_at is None
    assert audit("allocation.reinstated", target_id=acme.allocation.pk).count() == 1
    assert post(staff, url(acme.allocation, "reinstate")) == ["CRM Professional is not cancelled."]


def test_reinstating_one_that_has_ended_says_that_nobody_gains(staff, catalogue, brussels):
    old = {"starts_at": datetime(2020, 1, 1, tzinfo=UTC), "ends_at": datetime(2020, 12, 31, 23, tzinfo=UTC)}
    allocation = services.allocate(catalogue.basic, organization=brussels, **old, actor=TEST)
    services.cancel(allocation, actor=TEST)
    words = "It ended on 31 Dec 2020, so nobody gets access until its last day is changed."
    assert words in html(staff, url(allocation, "reinstate"))


def test_an_allocation_is_never_deleted(staff, operators, acme):
    for client in (staff, operators):
        assert client.post(url(acme.allocation, "delete"), {"post": "yes"}).status_code == 403
    assert Allocation.objects.filter(pk=acme.allocation.pk).exists()


@pytest.mark.parametrize("status", ["live", "scheduled", "ended", "cancelled"])
def test_allocations_are_filtered_by_status(staff, catalogue, status):
    now, day = timezone.now(), timedelta(days=1)
    terms = {
        "live": {"starts_at": now - day},
        "scheduled": {"starts_at": now + day},
        "ended": {"starts_at": now - 2 * day, "ends_at": now - day},
        "cancelled": {},
    }
    for slug, dates in terms.items():
        organization = directory.create_organization(name=slug, slug=slug, actor=TEST)
        allocation = services.allocate(catalogue.basic, organization=organization, **dates, actor=TEST)
        if slug == "cancelled":
            services.cancel(allocation, actor=TEST)
    listed = staff.get(f"{url(Allocation)}?status={status}").context["cl"].result_list
    assert [allocation.organization.slug for allocation in listed] == [status]


@pytest.mark.parametrize(
    ("model", "query"),
    [
        (Allocation, "status=x"),
        (Allocation, "license__id__exact=x"),
        (Allocation, "license__id__exact=" + "9" * 30),
        (Allocation, "q=%00"),
        (Allocation, "p=99"),
        (AuditEntry, "about=license-" + "9" * 30),
        (AuditEntry, "about=%00"),
        (AuditEntry, "at__gte=%00"),
    ],
)
def test_a_list_survives_any_query(staff, acme, model, query):
    assert staff.get(f"{url(model)}?{query}", follow=True).status_code == 200


# The operator --------------------------------------------------------------------------------------------------------


def test_the_operator_creates_a_provider_with_its_staff(operators, catalogue):
    data = {"name": "Third", "slug": "third", "contact_email": "", "terms_url": "", "staff": [catalogue.staff.pk]}
    post(operators, url(Provider, "add"), **data)
    provider = Provider.objects.get(slug="third")
    assert list(provider.staff.all()) == [catalogue.staff]
    assert audit("provider.created", target_id=provider.pk, actor_name="Olaf Operator").count() == 1
    post(operators, url(provider), **data | {"staff": []})
    assert not provider.staff.exists()
    assert audit("provider.staff", target_id=provider.pk).count() == 2
    assert not audit("provider.changed").exists()
    assert operators.get(url(provider, "delete")).status_code == 403


def test_staff_of_two_providers_works_for_both(operators, staff, harbor, catalogue):
    services.set_staff(harbor.provider, accounts=[catalogue.staff], actor=TEST)
    licenses = staff.get(url(License)).context["cl"].result_list
    assert {str(license) for license in licenses} == {"CRM Basic", "CRM Professional", "Drive Business"}
    data = {"name": "Mixed", "default_policies": [harbor.policy.pk]}
    assert refusal(staff, url(License, "add"), provider=catalogue.provider.pk, **data) == {
        "__all__": "Choose from the policies of Northlight only."
    }
    assert not License.objects.filter(name="Mixed").exists()


def test_the_operator_creates_an_organization(operators, staff, catalogue):
    data = {"name": "Umbrella", "slug": "umbrella", "time_zone": "Europe/Brussels"}
    assert refusal(operators, url(Organization, "add"), **data | {"time_zone": "Mars"}) == {
        "time_zone": "“Mars” is not a time zone. Write one such as Europe/Brussels."
    }
    post(operators, url(Organization, "add"), **data)
    organization = Organization.objects.get(slug="umbrella")
    assert audit("organization.created", organization_id=organization.pk, actor_name="Olaf Operator").count() == 1
    assert staff.get(url(Organization, "add")).status_code == 403


def test_the_operator_creates_an_account_that_can_sign_in(operators):
    data = {"email": "New@Harbor.example", "name": "New Staff", "password": "short", "is_staff": "on"}
    assert set(refusal(operators, url(Account, "add"), **data)) == {"password"}
    post(operators, url(Account, "add"), **data | {"password": "correct-horse-battery"})
    account = Account.objects.get(email="new@harbor.example")
    assert (account.is_staff, account.is_superuser) == (True, False)
    assert account.check_password("correct-horse-battery")
    assert account.emailaddress_set.get().verified
    assert audit("account.created", target_id=account.pk).count() == 1
    page = html(operators, url(account))
    assert account.password not in page
    assert operators.post(url(account), data).status_code == 403
    assert set(refusal(operators, url(Account, "add"), **data | {"password": "correct-horse-battery"})) == {"email"}


# What was done -------------------------------------------------------------------------------------------------------


def test_staff_reads_what_was_done_with_their_things(staff, harbor, catalogue, acme):
    acme.assign(acme.group)
    services.cancel(acme.allocation, actor=TEST)
    services.set_staff(catalogue.provider, accounts=[catalogue.staff, harbor.staff], actor=TEST)
    page = html(staff, url(AuditEntry))
    for words in (
        "cancelled the allocation of <b>CRM Professional</b>",
        "created license <b>CRM Basic</b>",
        "changed the staff of <b>Northlight</b>",
        '<td class="field-customer">Acme</td>',
    ):
        assert words in page
    listed = staff.get(url(AuditEntry)).context["cl"].result_list
    assert {entry.provider_id for entry in listed} == {catalogue.provider.pk}


def test_audit_entries_are_only_read(staff, operators, catalogue):
    entry = AuditEntry.objects.filter(provider_id=catalogue.provider.pk).first()
    for client in (staff, operators):
        for address in (url(AuditEntry, "add"), url(entry), url(entry, "delete")):
            assert client.post(address, {"post": "yes"}).status_code == 403


def test_the_history_of_a_thing_is_its_audit_entries(staff, acme, globex, harbor):
    services.cancel(acme.allocation, actor=TEST)
    response = staff.get(url(acme.allocation, "history"), follow=True)
    assert {entry.verb for entry in response.context["cl"].result_list} == {
        "allocation.created",
        "allocation.cancelled",
    }
    response = staff.get(url(globex.organization, "history"), follow=True)
    assert {entry.target_name for entry in response.context["cl"].result_list} == {"CRM Basic", "CRM Professional"}
    response = staff.get(url(harbor.license, "history"), follow=True)
    assert list(response.context["cl"].result_list) == []


# Lists pay for their rows once ---------------------------------------------------------------------------------------


def more_of_everything(catalogue, number):
    """Add one more row to every list of the provider."""
    application = services.save(
        Application(provider=catalogue.provider, name=f"App {number}", slug=f"app-{number}"), actor=TEST
    )
    policy = services.save(Policy(application=application, name=f"Policy {number}"), actor=TEST)
    license = services.save(License(provider=catalogue.provider, name=f"License {number}"), actor=TEST)
    services.set_license_policies(license, default=[policy], optional=[], actor=TEST)
    organization = directory.create_organization(name=f"Customer {number}", slug=f"customer-{number}", actor=TEST)
    services.allocate(license, organization=organization, actor=TEST)


@pytest.mark.parametrize("model", [*MODELS, *OPERATORS_MODELS])
def test_a_list_takes_as_many_queries_for_three_rows_as_for_one(operators, staff, db, model):
    client = operators if model in OPERATORS_MODELS else staff
    catalogue = SimpleNamespace(provider=Provider.objects.get())
    counts = []
    for number in range(3):
        more_of_everything(catalogue, number)
        directory.create_account(email=f"{number}@example.com", name="X", password=PASSWORD, actor=TEST)
        services.save(Provider(name=f"P{number}", slug=f"p{number}"), actor=TEST)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            client.get(url(model))
        counts.append(len(queries))
    assert counts[0] == counts[2]
    assert counts[0] <= 13
