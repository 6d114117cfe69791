"""Who sees what: a provider's staff sees its own things and numbers, the operator everything, nobody else anything."""

import re

import pytest
from django.contrib import admin
from django.urls import reverse

from directory import services as directory
from directory.models import Organization
from licensing import services
from licensing.models import Allocation, Application, License, Policy, Provider, ProviderToken, StaffMember
from portal.audit.models import AuditEntry
from tests.admin.hands import MODELS, OPERATORS_MODELS, html, messages_of, of_license, policies, refusal, signed_in, url
from tests.reading import everything, read
from tests.worlds import PASSWORD, TEST


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
    for address in (url(model), url(model, "add"), url(thing), url(thing, "delete"), url(Provider, "add")):
        assert staff.get(address).status_code == 403
        assert staff.post(address).status_code == 403


def own_things(catalogue, acme):
    return [catalogue.application, catalogue.reading, catalogue.professional, acme.allocation, acme.organization]


def test_staff_opens_every_page_of_their_own(staff, catalogue, acme):
    for model in MODELS:
        html(staff, url(model))
    for model in (Application, Policy, License, Allocation, Organization, ProviderToken, StaffMember):
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


def test_what_is_not_offered_is_refused_when_sent(staff, harbor, catalogue, acme):
    not_one = "Select a valid choice. That choice is not one of the available choices."
    assert refusal(staff, url(Policy, "add"), application=harbor.application.pk, name="X") == {"application": not_one}
    assert refusal(staff, url(Application, "add"), provider=harbor.provider.pk, name="X", slug="x") == {
        "provider": not_one
    } | {"resource_type": "This field is required."}
    assert refusal(staff, url(Allocation, "add"), licenses=harbor.license.pk, others="acme") == {
        "licenses": "Something you chose is not there any more. Choose again."
    }
    customer = harbor.organization.pk
    assert refusal(staff, url(Allocation, "add"), licenses=catalogue.basic.pk, customers=customer) == {
        "customers": "Something you chose is not there any more. Choose again."
    }
    member = {"provider": harbor.provider.pk, "email": "new@example.com", "name": "New"}
    assert refusal(staff, url(StaffMember, "add"), **member) == {"provider": not_one}
    customer = {"provider": harbor.provider.pk, "name": "New", "slug": "new", "time_zone": "UTC"}
    assert refusal(staff, url(Organization, "add"), **customer) == {"provider": not_one}
    data = of_license(catalogue.professional, optional=[catalogue.export, harbor.policy])
    gone = "A policy you chose is not there any more. Choose again."
    assert refusal(staff, url(catalogue.professional), **data) == {"contents": gone}


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
    assert f'<a href="{url(acme.allocation)}">CRM Professional</a>: Live, seats used: 0, no limit' in page
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


def test_staff_of_two_providers_works_for_both(operators, staff, harbor, catalogue):
    services.add_staff(harbor.provider, account=catalogue.staff, actor=TEST)
    licenses = staff.get(url(License)).context["cl"].result_list
    assert {str(license) for license in licenses} == {"CRM Basic", "CRM Professional", "Drive Business"}
    data = {"name": "Mixed", **policies([harbor.policy])}
    assert refusal(staff, url(License, "add"), provider=catalogue.provider.pk, **data) == {
        "__all__": "Choose from the policies of Northlight only."
    }
    assert not License.objects.filter(name="Mixed").exists()


@pytest.mark.parametrize("action", ["cancel_many", "reinstate_many", "change_end_of_many"])
def test_an_action_takes_no_allocation_of_another_provider(staff, harbor, acme, action):
    both = {"action": action, "_selected_action": [acme.allocation.pk, harbor.allocation.pk, harbor.at_globex.pk]}
    if action == "reinstate_many":
        services.cancel(acme.allocation, actor=TEST)
    before = everything()
    page = staff.post(url(Allocation), both | {"index": 0})
    rows = read(page).rows
    assert [row[0] for row in rows] == ["Acme"]
    shown = read(page).one("input", name="shown")["value"]
    if action == "change_end_of_many":
        asked = staff.post(url(Allocation), both | {"shown": "", "ends_at": "2190-01-01"})
        shown = read(asked).one("input", name="shown")["value"]
    assert everything() == before
    staff.post(url(Allocation), both | {"shown": shown, "ends_at": "2190-01-01"})
    for allocation in (harbor.allocation, harbor.at_globex):
        was = (allocation.cancelled_at, allocation.ends_at)
        allocation.refresh_from_db()
        assert (allocation.cancelled_at, allocation.ends_at) == was


def test_an_action_on_everything_is_on_everything_of_ones_own(staff, harbor, acme, globex):
    everywhere = {"action": "cancel_many", "select_across": 1, "_selected_action": acme.allocation.pk, "index": 0}
    assert len(read(staff.post(url(Allocation), everywhere)).rows) == 4


def test_no_action_of_django_deletes_many(staff, operators, catalogue, acme):
    for client in (staff, operators):
        for model in MODELS:
            things = [thing.pk for thing in model.objects.all()]
            sent = {"action": "delete_selected", "_selected_action": things, "index": 0, "post": "yes"}
            client.post(url(model), sent, follow=True)
            assert model.objects.filter(pk__in=things).count() == len(things)


def autocompleted(client, source, field, term="", app="licensing", **more):
    asked = {"app_label": app, "model_name": source, "field_name": field, "term": term, **more}
    return client.get(reverse("admin:autocomplete"), asked)


def test_the_choice_of_customers_completes_ones_own_only(staff, harbor, acme, globex):
    found = autocompleted(staff, "allocation", "organization").json()["results"]
    assert [each["text"] for each in found] == ["Acme", "Globex"]
    assert autocompleted(staff, "allocation", "organization", "init").json()["results"] == []
    for more in ({"_to_field": "slug"}, {"to_field": "users__email"}):
        words = autocompleted(staff, "allocation", "organization", **more).content.decode()
        assert "Initech" not in words
        assert "@" not in words


@pytest.mark.parametrize(
    ("app", "source", "field"),
    [
        ("directory", "user", "organization"),
        ("directory", "user", "account"),
        ("directory", "groupmembership", "user"),
        ("licensing", "staffmember", "account"),
        ("licensing", "staffmember", "provider"),
        ("licensing", "assignment", "user"),
        ("licensing", "assignment", "group"),
        ("licensing", "license", "provider"),
        ("licensing", "allocation", "license"),
        ("licensing", "policy", "application"),
    ],
)
def test_nothing_else_is_completed_with_what_is_anothers(staff, harbor, acme, app, source, field):
    answer = autocompleted(staff, source, field, app=app)
    words = answer.content.decode() if answer.status_code == 200 else ""
    for word in ("Harbor", "Drive", "Initech", "Uma", "Ada", "@", "Support"):
        assert word not in words


def test_popups_and_other_fields_to_go_by_show_nothing_of_another_provider(staff, harbor, acme, catalogue):
    theirs = [
        harbor.application,
        harbor.policy,
        harbor.license,
        harbor.allocation,
        harbor.organization,
        harbor.provider,
    ]
    for query in ("_popup=1", "_to_field=id", "_popup=1&_to_field=id", "_to_field=slug", "_to_field=users__email"):
        for model in MODELS:
            answer = staff.get(f"{url(model)}?{query}")
            words = re.sub(r'name="csrfmiddlewaretoken" value="[^"]*"', "", answer.content.decode())  # any letters
            for word in ("Harbor", "Drive", "Initech", "Uma"):
                assert word not in words, (model, query, word)
        for thing in theirs:
            for key in (thing.pk, getattr(thing, "slug", thing.pk)):
                answer = staff.get(f"{url(type(thing))}{key}/change/?{query}")
                assert answer.status_code in (302, 400)


def test_what_is_deleted_names_nothing_of_another_provider(staff, harbor, catalogue, acme):
    member = catalogue.provider.staff_members.get()
    for thing in (catalogue.application, catalogue.reading, catalogue.professional, member):
        page = html(staff, url(thing, "delete"))
        for word in ("Harbor", "Drive", "Initech", "Globex Drive"):
            assert word not in page


def test_searches_and_filters_count_ones_own_only(staff, harbor, acme, globex):
    for query in ("q=Drive", "q=initech", "customer=initech", f"license__id__exact={harbor.license.pk}"):
        assert staff.get(f"{url(Allocation)}?{query}").context["cl"].result_count == 0
    counted = html(staff, f"{url(Allocation)}?_facets=True")
    assert "Live (4)" in counted
    assert "Assigned to nobody (4)" in counted
    assert "Drive" not in counted


def test_a_customer_of_both_shows_each_its_own(staff, harbor, globex, acme):
    globex.assign(globex.organization)
    page = html(staff, url(globex.organization))
    assert "CRM Professional" in page
    assert "Drive" not in page
    theirs = html(signed_in(harbor.staff), url(globex.organization))
    assert "Drive" in theirs
    assert "CRM" not in theirs
