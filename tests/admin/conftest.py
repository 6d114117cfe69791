import pytest

from directory import services as directory
from licensing import services
from tests.admin.hands import signed_in
from tests.worlds import PASSWORD, TEST


@pytest.fixture
def staff(catalogue):
    """A browser of the provider's staff: its lead."""
    return signed_in(catalogue.staff)


@pytest.fixture
def helper(catalogue):
    """A browser of one who works for the provider and does not lead."""
    account = directory.create_account(
        email="hal@northlight.example", name="Hal Helper", password=PASSWORD, is_staff=True, actor=TEST
    )
    services.add_staff(catalogue.provider, account=account, actor=TEST)
    return signed_in(account)


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


@pytest.fixture
def brussels(catalogue):
    """A customer that nothing is allocated to, an hour or two ahead of UTC."""
    return directory.create_organization(name="Brussels", slug="brussels", time_zone="Europe/Brussels", actor=TEST)
