"""What the tests in the browser share: signing in without the form, and pages by the names of their URLs."""

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from licensing import services
from tests.worlds import TEST


@pytest.fixture(scope="session")
def base_url(live_server):
    return live_server.url


@pytest.fixture(autouse=True)
def patience(context):
    context.set_default_timeout(8000)


@pytest.fixture
def sign_in(context, base_url):
    def sign_in(user):
        client = Client()
        client.force_login(user.account)
        session = client.cookies[settings.SESSION_COOKIE_NAME].value
        context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": base_url}])

    return sign_in


@pytest.fixture
def visit(page):
    """Go to a page by the name of its URL; returns the path that the address bar shows."""

    def visit(name, *args):
        path = reverse(name, args=args)
        page.goto(path)
        return path

    return visit


@pytest.fixture
def world(acme, sign_in):
    """Acme, whose editor is signed in."""
    sign_in(acme.editor)
    return acme


@pytest.fixture
def busy(world, catalogue):
    """Acme with something on every page: seats, an end, and assignments of every kind."""
    services.change_allocation(
        world.allocation, seats=6, starts_at=None, ends_at=world.allocation.starts_at.replace(year=2099), actor=TEST
    )
    for assignee in (world.viewer, world.group, world.unit):
        world.assign(assignee, policies=[catalogue.export])
    return world
