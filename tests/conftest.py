"""What every test may use. The organizations that tests play with are in tests/worlds.py."""

import os

import pytest
from django.core.cache import cache
from django.db import connection
from hypothesis import settings as hypothesis_settings

from tests import chromium
from tests.asking import api  # noqa: F401 a fixture too
from tests.matrix import browsers, things  # noqa: F401 the same
from tests.worlds import acme, catalogue, globex, harbor, operator  # noqa: F401 fixtures that every test may ask for

# Playwright keeps an event loop running in the test's thread; without this Django refuses to query the database there.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")

pytest.register_assert_rewrite("tests.comparing")  # what it finds is told like what a test finds

# A slow machine is no failure.
hypothesis_settings.register_profile("portal", deadline=None)
hypothesis_settings.load_profile("portal")


def pytest_collection_modifyitems(items):
    for item in items:
        if "browser" in item.keywords:
            # The page is served by another thread, which sees only what was committed.
            item.add_marker(pytest.mark.django_db(transaction=True))
            if chromium.PATH is None:
                item.add_marker(pytest.mark.skip(reason=chromium.MISSING))
        if "postgres" in item.keywords and connection.vendor != "postgresql":
            item.add_marker(pytest.mark.skip(reason="only on PostgreSQL: DATABASE_URL names another database"))


@pytest.fixture
def on_postgres():
    """Whether this run is on PostgreSQL. A test that makes sense nowhere else is marked `postgres` instead."""
    return connection.vendor == "postgresql"


# Browser -------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args):
    return {**browser_type_launch_args, "executable_path": chromium.PATH, "args": chromium.ARGS}


@pytest.fixture(scope="session")
def browser_context_args(browser_context_args):
    return {
        **browser_context_args,
        "viewport": {"width": 1280, "height": 800},
        "locale": "en-GB",
        "reduced_motion": "reduce",
    }


@pytest.fixture(autouse=True)
def console(request):
    """Fail a browser test when the browser complained: an error in a script, a blocked style, a missing file.

    The list holds the complaints so far. A test that provokes one looks at it and then calls `console.clear()`.
    """
    if "browser" not in request.keywords:
        yield None
        return
    # Asked for here, not above, so that other tests start no browser; and so that the page is closed before the
    # database is emptied.
    context = request.getfixturevalue("context")
    cache.clear()  # holds the rate limits of sign-in, and is not emptied with the rest of the database
    complaints = []

    def listen(message):
        if message.type in ("error", "warning"):
            complaints.append(f"{message.type}: {message.text} ({message.location.get('url')})")

    context.on("console", listen)
    context.on("weberror", lambda error: complaints.append(f"error in a script: {error.error}"))
    yield complaints
    for page in context.pages:
        page.wait_for_timeout(100)  # what was started last may still complain
    assert complaints == []
