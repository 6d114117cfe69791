"""Two admins at once on the same people, groups and units: one clear outcome each, never half of one."""

from functools import partial

import pytest
from django.core.management import call_command

from directory import services as directory
from directory.models import Role, User
from directory.services import in_bulk, why_not_deactivate
from licensing import services
from portal.audit.log import Actor
from portal.audit.models import AuditEntry
from portal.transactions import CHANGED_MEANWHILE
from tests.test_concurrency import ROUNDS, at_once, one_after_the_other
from tests.worlds import TEST

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


def actor_of(user):
    return Actor("account", user.account_id, user.name)


def edit(user, **fields):
    return partial(directory.update_user, user, actor=TEST, **fields)


def test_an_edit_of_somebody_who_is_being_deleted_says_so(acme):
    delete = partial(services.delete_user, acme.nobody, actor=TEST)

    _, said = one_after_the_other(delete, edit(acme.nobody, name="Ghost"))

    assert said == "Uma Nobody does not exist any more."
    assert not User.objects.filter(name="Ghost").exists()


def test_two_edits_are_told_one_after_the_other(acme):
    for number in range(ROUNDS):
        at_once(edit(acme.nobody, title=f"Driver {number}"), edit(acme.nobody, title=f"Planner {number}"))
        second, first = AuditEntry.objects.filter(verb="user.changed").order_by("-pk")[:2]
        assert second.details["old"]["title"] == first.details["new"]["title"]
        acme.nobody.refresh_from_db()
        assert acme.nobody.title == second.details["new"]["title"]


def test_who_is_offboarded_twice_at_once_is_offboarded_once(acme):
    for _ in range(ROUNDS):
        person = acme.person("Leaver", unit=acme.unit)
        directory.join_group(acme.group, users=[person], actor=TEST)
        acme.assign(person)
        act = partial(services.offboard, person, plan=services.plan_of(person).digest, actor=TEST)
        done, refused = sorted(at_once(act, act), key=str)
        assert done is None
        assert refused.startswith("Since this was shown, something was given to them or taken from them.")
        person.refresh_from_db()
        assert (person.is_active, person.unit, person.groups.count()) == (False, None, 0)
        services.delete_user(person, actor=TEST)


def test_two_admins_who_deactivate_everybody_at_once_leave_one(acme):
    second = directory.create_account(email="two@acme.example", name="Two", password="a-long-password", actor=TEST)
    for _ in range(ROUNDS):
        User.objects.update(is_active=True)
        other = User.objects.filter(account=second).first() or acme.person("Two", account=second, role=Role.ADMIN)

        def everybody(admin):
            why_not = why_not_deactivate(acme.organization, actor_of(admin))
            act = partial(directory.deactivate, actor=actor_of(admin))
            return partial(in_bulk, acme.organization.users.all(), act, already="", why_not=why_not)

        at_once(everybody(acme.admin), everybody(other))
        assert acme.organization.users.active().filter(role=Role.ADMIN).count() == 1


def test_a_group_is_deleted_while_many_join_it(acme):
    people = acme.organization.users.all()
    for _ in range(ROUNDS):
        group = directory.create_group(acme.organization, name="Short-lived", actor=TEST)
        join = partial(
            in_bulk, people, lambda users, g=group: directory.join_group(g, users=users, actor=TEST), already=""
        )
        joined, deleted = at_once(join, partial(services.delete_group, group, actor=TEST))
        assert deleted is None
        if isinstance(joined, str):
            assert joined in ("Short-lived does not exist any more.", CHANGED_MEANWHILE)
        else:
            assert joined.done == people.count()
        assert not acme.organization.groups.filter(name="Short-lived").exists()


def test_a_unit_is_deleted_while_another_is_moved_below_it(acme):
    for _ in range(ROUNDS):
        place, moved = (directory.create_unit(acme.organization, name=name, actor=TEST) for name in ("Place", "Moved"))
        move = partial(directory.move_unit, moved, parent=place, actor=TEST)
        result, deleted = at_once(move, partial(services.delete_unit, place, actor=TEST))
        if isinstance(result, str):
            assert (result, deleted) == ("Place does not exist any more.", None)
        else:
            assert deleted == "Place has 1 unit below it. Move or delete them first."
        call_command("check_access", "--verify")
        for unit in (moved, place):
            if acme.organization.units.filter(pk=unit.pk).exists():
                services.delete_unit(unit, actor=TEST)


def test_two_groups_get_one_name_at_once_and_one_is_refused(acme):
    for number in range(ROUNDS):
        groups = [directory.create_group(acme.organization, name=f"{number} {n}", actor=TEST) for n in (1, 2)]
        rename = [
            partial(directory.update_group, group, name=f"Same {number}", description="", actor=TEST)
            for group in groups
        ]
        refused = [result for result in at_once(*rename) if isinstance(result, str)]
        assert len(refused) == 1
        assert refused[0] in ("A group of this name exists.", CHANGED_MEANWHILE)
        assert acme.organization.groups.filter(name=f"Same {number}").count() == 1
