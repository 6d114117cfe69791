"""Lists pay for their rows once: a thousand cost as many queries as one."""

from types import SimpleNamespace

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from directory import services as directory
from licensing import services
from licensing.models import Application, License, Policy, Provider
from tests.admin.hands import MODELS, OPERATORS_MODELS, customers, url
from tests.worlds import PASSWORD, TEST


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
    assert counts[0] <= 16


# Queries of each page; three of them are the session, the account and its organizations.
PAGES = {
    "/admin/": 25,
    "/admin/licensing/allocation/": 11,
    "/admin/licensing/allocation/?attention=ending": 11,
    "/admin/licensing/allocation/?attention=over": 13,
    "/admin/licensing/allocation/?attention=unused": 11,
    "/admin/licensing/allocation/?q=customer&status=live": 11,
    "/admin/licensing/allocation/?all=": 11,
    "/admin/licensing/allocation/add/": 5,
    "/admin/licensing/license/": 8,
    "/admin/licensing/license/{license}/change/": 11,
    "/admin/licensing/license/{license}/delete/": 8,
    "/admin/directory/organization/": 10,
}


def test_a_thousand_allocations_cost_as_many_queries_as_one(staff, catalogue):
    def queries():
        found = {}
        for page in PAGES:
            with CaptureQueriesContext(connection) as captured:
                assert staff.get(page.format(license=catalogue.basic.pk)).status_code == 200
            found[page] = len(captured)
        return found

    customers(catalogue.basic, range(2))
    queries()  # what Django keeps in memory is there from now on
    assert queries() == PAGES
    customers(catalogue.basic, range(2, 1000))
    assert queries() == PAGES
    assert "Over its seats (500)" in staff.get("/admin/").content.decode()
    for what in ("over", "unused"):
        assert staff.get(f"/admin/licensing/allocation/?attention={what}").context["cl"].result_count == 500
