"""The derived rows of the tree against a naive walk, over random histories of creating and moving units."""

import pytest
from django.core.exceptions import ValidationError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from directory import services
from directory.models import OrgUnit, OrgUnitClosure
from tests.worlds import TEST

ACTS = st.lists(st.tuples(st.booleans(), st.integers(0, 9), st.integers(-1, 9)), max_size=25)


def walk(organization):
    """What the parents say: {(ancestor, descendant): depth}."""
    parents = dict(OrgUnit.objects.filter(organization=organization).values_list("pk", "parent"))
    expected = {}
    for pk in parents:
        above, depth = pk, 0
        while above is not None:
            expected[above, pk] = depth
            above, depth = parents[above], depth + 1
    return expected


@pytest.mark.django_db
@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(acts=ACTS)
def test_the_tree_is_what_the_parents_say(db, acts):
    number = OrgUnit.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    organization = services.create_organization(name=f"Tree {number}", slug=f"tree-{number}", actor=TEST)
    units = [services.create_unit(organization, name="Root", actor=TEST)]
    for is_move, which, where in acts:
        parent = None if where < 0 else units[where % len(units)]
        if not is_move:
            units.append(services.create_unit(organization, name=f"Unit {len(units)}", parent=parent, actor=TEST))
            continue
        unit = units[which % len(units)]
        circle = parent is not None and (unit.pk, parent.pk) in walk(organization)
        try:
            services.move_unit(unit, parent=parent, actor=TEST)
        except ValidationError:
            assert circle
        else:
            assert not circle
        rows = OrgUnitClosure.objects.filter(organization=organization)
        assert {(row.ancestor_id, row.descendant_id): row.depth for row in rows} == walk(organization)
