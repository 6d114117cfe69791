"""What a decision reads, where there is much: at 100,000 people as little as for one."""

from io import StringIO

import pytest
from django.core.management import call_command
from django.db.models import Count

from directory.models import Organization
from licensing.models import Application
from tests.plans import plans_of_decisions

pytestmark = [pytest.mark.postgres, pytest.mark.django_db]


def test_a_decision_reads_no_table_whole_and_few_pages_at_100_000_people():
    """By the generic plan, of those with most groups and of others. 130 pages are the goal (docs/access.md)."""
    call_command("seed_scale", users=100_000, stdout=StringIO())
    people = Organization.objects.get(slug="scale").users.active()
    most = people.annotate(groups_count=Count("memberships")).order_by("-groups_count", "pk")[:40]
    others = people.order_by("public_id")[:60]  # in no order that means anything
    plans = list(plans_of_decisions([*most, *others], list(Application.objects.all())))
    assert [wrong for _, wrong in plans if wrong] == []
    assert max(buffers for buffers, _ in plans) <= 130
