"""Deactivating and deleting: what stops, what comes back, what goes along, what is refused, what is written down."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.utils import timezone

from directory import services as directory
from directory.models import Account, Group, GroupMembership, OrgUnit, OrgUnitClosure, Role, User
from licensing import services
from licensing.access import seats_in_use
from licensing.kinds import GROUPS, USERS
from licensing.models import Assignment, AssignmentPolicy
from portal.audit.models import AuditEntry
from tests.reading import everything, read
from tests.test_concurrency import ADA, EVA, at_once, one_after_the_other
from tests.test_services import can_use, verbs, words
from tests.worlds import TEST

CHANGED = "Somebody changed this at the same moment. Nothing was saved. Look again, then try once more."
ROUNDS = 12


def last(count):
    """The last entries: [(verb, name of what it was done to)]."""
    return list(AuditEntry.objects.order_by("-pk").values_list("verb", "target_name")[:count])[::-1]


def used(allocation):
    return seats_in_use(allocation, at=timezone.now()).used


# Deactivate, reactivate ----------------------------------------------------------------------------------------------


def test_nothing_reaches_who_is_deactivated_and_all_of_it_who_is_reactivated(acme, catalogue):
    acme.assign(acme.nobody, policies=[catalogue.export])
    acme.assign(acme.group)
    kept = (Assignment.objects.count(), GroupMembership.objects.count())

    outcome = directory.deactivate([acme.nobody, acme.viewer], actor=TEST)

    assert (outcome.done, outcome.skipped) == ([acme.viewer, acme.nobody], [])
    assert (can_use(acme.nobody, acme.allocation), used(acme.allocation)) == (set(), 0)
    assert (Assignment.objects.count(), GroupMembership.objects.count()) == kept
    outcome = directory.reactivate([acme.nobody, acme.editor], actor=TEST)
    assert (outcome.done, outcome.skipped) == ([acme.nobody], [acme.editor])
    assert can_use(acme.nobody, acme.allocation) == {"CRM access", "CRM export"}
    assert last(3) == [
        ("user.deactivated", "Vic Viewer"),
        ("user.deactivated", "Uma Nobody"),
        ("user.reactivated", "Uma Nobody"),
    ]


def test_who_is_deactivated_cannot_enter_the_organization(acme):
    client = acme.client(acme.viewer)
    assert client.get("/licenses/").status_code == 200
    directory.deactivate([acme.viewer], actor=TEST)
    assert acme.organization.name not in read(client.get("/", follow=True)).text


def test_reactivating_is_never_refused_and_shows_as_over(acme):
    acme.assign(acme.group)
    directory.deactivate([acme.nobody], actor=TEST)
    allocation = services.change_allocation(acme.allocation, seats=0, starts_at=None, ends_at=None, actor=TEST)
    directory.reactivate([acme.nobody], actor=TEST)
    assert seats_in_use(allocation, at=timezone.now()).over == 1


def test_deactivating_who_is_inactive_changes_and_records_nothing(acme):
    directory.deactivate([acme.viewer], actor=TEST)
    before = everything()
    outcome = directory.deactivate([acme.viewer], actor=TEST)
    assert (outcome.done, outcome.skipped) == ([], [acme.viewer])
    assert everything() == before


@pytest.mark.parametrize("service", [directory.deactivate, directory.reactivate])
def test_people_of_two_organizations_are_refused(acme, globex, service):
    with pytest.raises(ValidationError, match="Choose from Acme only."):
        service([acme.viewer, globex.viewer], actor=TEST)
    assert not User.objects.filter(is_active=False).exists()


# The last Admin ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "remove",
    [
        lambda world: directory.deactivate([world.admin, world.viewer], actor=TEST),
        lambda world: services.delete_user(world.admin, actor=TEST),
    ],
    ids=["deactivate", "delete"],
)
def test_the_last_active_admin_stays(acme, globex, remove):
    inactive = acme.person("Ina Inactive", account=account_of("ina"), role=Role.ADMIN, is_active=False)
    before = everything()

    with pytest.raises(ValidationError) as refusal:
        remove(acme)

    assert words(refusal) == "Ada Admin is the last active Admin of Acme. Make somebody else Admin first."
    assert everything() == before
    directory.reactivate([inactive], actor=TEST)
    remove(acme)
    assert set(acme.organization.users.active().filter(role=Role.ADMIN)) == {inactive}


def account_of(name):
    return directory.create_account(email=f"{name}@acme.example", name=name, password="a-long-password", actor=TEST)


def test_all_admins_together_stay(acme):
    second = acme.person("Ben Admin", account=account_of("ben"), role=Role.ADMIN)
    with pytest.raises(ValidationError, match="^.'Ada Admin and Ben Admin are the last active Admins of Acme."):
        directory.deactivate([second, acme.admin], actor=TEST)


def test_an_organization_that_has_no_admin_can_remove_people(acme):
    User.objects.filter(pk=acme.admin.pk).update(role="")
    directory.deactivate([acme.admin], actor=TEST)
    services.delete_user(acme.editor, actor=TEST)
    assert acme.organization.users.active().count() == 2


# Delete --------------------------------------------------------------------------------------------------------------


def test_a_deleted_user_takes_memberships_and_assignments_along(acme, catalogue):
    acme.assign(acme.nobody, policies=[catalogue.export])
    acme.assign(acme.nobody, acme.plain)
    acme.assign(acme.group)
    account = acme.nobody.account

    services.delete_user(acme.nobody, actor=TEST)

    connection.check_constraints()
    assert not User.objects.filter(pk=acme.nobody.pk).exists()
    assert not GroupMembership.objects.filter(group=acme.group).exists()
    assert Assignment.objects.get().group == acme.group
    assert not AssignmentPolicy.objects.exists()
    assert (used(acme.allocation), used(acme.plain)) == (0, 0)
    assert Account.objects.filter(pk=account.pk).exists()
    assert last(3) == [
        ("assignment.removed", "Uma Nobody"),
        ("assignment.removed", "Uma Nobody"),
        ("user.deleted", "Uma Nobody"),
    ]
    removed, _, deleted = AuditEntry.objects.order_by("-pk")[:3][::-1]
    assert (removed.details["license"], removed.details["policies"]) == ("CRM Professional", ["CRM export"])
    assert (removed.details["kind"], removed.details["assignee_id"]) == ("user", acme.nobody.pk)
    assert deleted.details == {"groups": ["Support"], "unit": "Benelux"}


def test_members_of_a_deleted_group_lose_what_no_other_source_gives(acme, catalogue):
    directory.join_group(acme.group, users=[acme.viewer], actor=TEST)
    acme.assign(acme.group, policies=[catalogue.export])
    acme.assign(acme.unit)  # Uma is in the unit below

    services.delete_group(acme.group, actor=TEST)

    connection.check_constraints()
    assert (can_use(acme.nobody, acme.allocation), can_use(acme.viewer, acme.allocation)) == ({"CRM access"}, set())
    assert not Group.objects.exists()
    assert not GroupMembership.objects.exists()
    assert Assignment.objects.get().unit == acme.unit
    assert last(2) == [("assignment.removed", "Support"), ("group.deleted", "Support")]
    assert AuditEntry.objects.latest("pk").details == {"members": 2}


def test_people_of_a_deleted_unit_are_in_none_and_its_rows_go(acme):
    acme.assign(acme.below)
    acme.assign(acme.unit, acme.plain)

    services.delete_unit(acme.below, actor=TEST)

    connection.check_constraints()
    assert User.objects.get(pk=acme.nobody.pk).unit is None
    assert (can_use(acme.nobody, acme.allocation), can_use(acme.nobody, acme.plain)) == (set(), set())
    assert set(OrgUnitClosure.objects.values_list("ancestor", "descendant")) == {(acme.unit.pk, acme.unit.pk)}
    assert Assignment.objects.get().unit == acme.unit
    assert last(2) == [("assignment.removed", "Benelux"), ("unit.deleted", "Benelux")]
    assert AuditEntry.objects.latest("pk").details == {"parent": "Sales", "people": 1}


def test_a_unit_with_units_below_it_stays(acme):
    acme.assign(acme.unit)
    before = everything()
    with pytest.raises(ValidationError) as refusal:
        services.delete_unit(acme.unit, actor=TEST)
    assert words(refusal) == "Sales has 1 unit below it. Move or delete them first."
    assert everything() == before
    services.delete_unit(acme.below, actor=TEST)
    services.delete_unit(acme.unit, actor=TEST)
    assert not OrgUnit.objects.exists()


def test_what_is_not_in_effect_goes_too(acme):
    now = timezone.now()
    acme.assign(acme.group, starts_at=now + timedelta(days=3))
    acme.assign(acme.group, acme.plain)
    services.cancel(acme.plain, actor=TEST)
    services.delete_group(acme.group, actor=TEST)
    assert not Assignment.objects.exists()
    assert verbs()[-3:] == ["assignment.removed", "assignment.removed", "group.deleted"]


DELETED = {
    "user": (services.delete_user, lambda world: world.nobody),
    "group": (services.delete_group, lambda world: world.group),
    "unit": (services.delete_unit, lambda world: world.below),
}


@pytest.mark.parametrize("one", DELETED)
def test_deleting_touches_nothing_else(acme, globex, one):
    for world in (acme, globex):
        for assignee in (world.nobody, world.group, world.below):
            world.assign(assignee)
    delete, which = DELETED[one]
    before = everything()

    delete(which(acme), actor=TEST)

    gone = {model: [row for row in before[model] if row not in rows] for model, rows in everything().items()}
    expected = {
        "user": {User: 1, GroupMembership: 1, Assignment: 1},
        "group": {Group: 1, GroupMembership: 1, Assignment: 1},
        "unit": {OrgUnit: 1, OrgUnitClosure: 2, Assignment: 1, User: 1},  # the user's row is another one now
    }
    assert {model: len(rows) for model, rows in gone.items() if rows} == expected[one]


@pytest.mark.parametrize("one", DELETED)
def test_who_deletes_second_is_told(acme, one):
    delete, which = DELETED[one]
    thing = which(acme)
    delete(thing, actor=TEST)
    before = everything()
    with pytest.raises(ValidationError, match=f"{thing} does not exist any more."):
        delete(thing, actor=TEST)
    assert everything() == before


def test_a_deleted_unit_takes_nobody_in(acme):
    services.delete_unit(acme.below, actor=TEST)
    for act in (
        lambda: directory.place_in_unit(acme.below, users=[acme.admin], actor=TEST),
        lambda: directory.create_unit(acme.organization, name="New", parent=acme.below, actor=TEST),
        lambda: directory.move_unit(acme.unit, parent=acme.below, actor=TEST),
    ):
        with pytest.raises(ValidationError, match="Benelux does not exist any more."):
            act()


@pytest.mark.parametrize("one", ["group", "unit"])
@pytest.mark.parametrize("people", [1, 3])
def test_more_people_do_not_mean_more_queries(acme, django_assert_num_queries, one, people):
    for number in range(people):
        person = acme.person(f"Person {number}")
        directory.join_group(acme.group, users=[person], actor=TEST)
        directory.place_in_unit(acme.below, users=[person], actor=TEST)
    delete, which = DELETED[one]
    with django_assert_num_queries({"group": 9, "unit": 15}[one]):
        delete(which(acme), actor=TEST)


# Activity ------------------------------------------------------------------------------------------------------------


def test_each_act_is_a_sentence(acme):
    acme.assign(acme.group)
    before = AuditEntry.objects.filter(organization_id=acme.organization.pk).count()
    directory.deactivate([acme.nobody], actor=ADA)
    directory.reactivate([acme.nobody], actor=ADA)
    services.delete_user(acme.nobody, actor=ADA)
    services.delete_group(acme.group, actor=ADA)
    services.delete_unit(acme.below, actor=ADA)
    new = AuditEntry.objects.filter(organization_id=acme.organization.pk).count() - before

    listed = read(acme.client().get("/activity/")).one("ul", class_="acts")

    signs = [sign.children[0] for sign in listed.all("span", class_="sign")]
    said = [act.text.rsplit(" ", 4)[0] for act in listed.all("li")]  # without day and time
    assert list(zip(signs, said, strict=True))[:new][::-1] == [
        ("−", "Ada deactivated Uma Nobody"),
        ("+", "Ada reactivated Uma Nobody"),
        ("−", "Ada deleted Uma Nobody from the directory"),
        ("−", "Ada unassigned CRM Professional from group Support"),
        ("−", "Ada deleted group Support"),
        ("−", "Ada deleted unit Benelux"),
    ]


# Two at once ---------------------------------------------------------------------------------------------------------


def two_at_once(test):
    """With real transactions, on PostgreSQL."""
    return pytest.mark.postgres(pytest.mark.django_db(transaction=True)(test))


def deactivating(user, actor):
    return lambda: directory.deactivate([user], actor=actor)


def deleting(user, actor):
    return lambda: services.delete_user(user, actor=actor)


@two_at_once
@pytest.mark.parametrize("acts", [(deactivating, deactivating), (deleting, deleting), (deactivating, deleting)])
def test_two_admins_who_remove_each_other_leave_one(acme, acts):
    for _ in range(ROUNDS):
        first, second = (acme.person(f"Admin {number}", role=Role.ADMIN) for number in (1, 2))
        acme.organization.users.filter(role=Role.ADMIN).exclude(pk__in=[first.pk, second.pk]).update(role="")
        outcomes = at_once(acts[0](first, TEST), acts[1](second, TEST))
        refusals = [outcome for outcome in outcomes if isinstance(outcome, str)]
        assert len(refusals) == 1
        assert refusals[0].endswith("is the last active Admin of Acme. Make somebody else Admin first.")
        assert acme.organization.users.active().filter(role=Role.ADMIN).count() == 1


@two_at_once
@pytest.mark.parametrize("one", DELETED)
def test_deleting_twice_at_once_one_is_told(acme, one):
    delete, which = DELETED[one]
    thing = which(acme)
    acme.assign(thing)
    delete_once = lambda: delete(thing, actor=ADA)  # noqa: E731
    outcomes = at_once(delete_once, delete_once)
    assert sorted(map(str, outcomes)) == sorted(["None", f"{thing} does not exist any more."])
    assert AuditEntry.objects.filter(verb="assignment.removed").count() == 1


@two_at_once
def test_assign_waits_for_delete_and_is_refused(acme):
    _, refusal = one_after_the_other(
        lambda: services.delete_group(acme.group, actor=ADA),
        lambda: services.assign(acme.allocation, kind=GROUPS, assignees=[acme.group], actor=EVA),
    )
    assert refusal == CHANGED
    assert not Assignment.objects.exists()


@two_at_once
def test_what_is_assigned_while_its_assignee_is_deleted_is_refused_or_recorded_as_removed(acme):
    for number in range(ROUNDS):
        group = directory.create_group(acme.organization, name=f"Group {number}", actor=TEST)
        at_once(
            lambda group=group: services.delete_group(group, actor=ADA),
            lambda group=group: services.assign(acme.allocation, kind=GROUPS, assignees=[group], actor=EVA),
        )
        entries = AuditEntry.objects.filter(target_kind="assignment", target_name=group.name)
        assert list(entries.order_by("pk").values_list("verb", flat=True)) in (
            [],
            ["assignment.created", "assignment.removed"],
        )
        assert not Assignment.objects.exists()


@two_at_once
def test_edit_waits_for_delete_and_is_told_who_did_it(acme, catalogue):
    assignment = acme.assign(acme.group)
    _, refusal = one_after_the_other(
        lambda: services.delete_group(acme.group, actor=ADA),
        lambda: services.set_policies(assignment, policies=[catalogue.export], actor=EVA),
    )
    assert refusal == "This assignment was already removed by Ada."


@two_at_once
def test_placing_waits_for_delete_and_is_refused(acme):
    _, refusal = one_after_the_other(
        lambda: services.delete_unit(acme.below, actor=ADA),
        lambda: directory.place_in_unit(acme.below, users=[acme.admin], actor=EVA),
    )
    assert refusal == "Benelux does not exist any more."
    assert not User.objects.exclude(unit=None).exists()


@two_at_once
def test_delete_waits_for_placing_and_takes_everybody_out(acme):
    one_after_the_other(
        lambda: directory.place_in_unit(acme.below, users=[acme.admin], actor=EVA),
        lambda: services.delete_unit(acme.below, actor=ADA),
    )
    assert AuditEntry.objects.get(verb="unit.deleted").details["people"] == 2
    assert not User.objects.exclude(unit=None).exists()


@two_at_once
def test_delete_waits_for_a_unit_created_below_and_is_refused(acme):
    _, refusal = one_after_the_other(
        lambda: directory.create_unit(acme.organization, name="New", parent=acme.below, actor=EVA),
        lambda: services.delete_unit(acme.below, actor=ADA),
    )
    assert refusal == "Benelux has 1 unit below it. Move or delete them first."


@two_at_once
def test_many_who_touch_the_same_people_wait_for_each_other_in_one_order(acme):
    people = [acme.admin, acme.editor, acme.viewer, acme.nobody]
    for number in range(ROUNDS):
        there = directory.create_unit(acme.organization, name=f"There {number}", actor=TEST)
        away = directory.create_unit(acme.organization, name=f"Away {number}", actor=TEST)
        directory.place_in_unit(there, users=people, actor=TEST)
        at_once(  # which fails where anything but a word for the person comes back
            lambda there=there: services.delete_unit(there, actor=ADA),
            lambda there=there: directory.place_in_unit(there, users=people[::-1], actor=EVA),
            lambda away=away: directory.place_in_unit(away, users=people, actor=EVA),
            lambda there=there: directory.leave_unit(there, users=people[1:], actor=EVA),
            lambda: directory.deactivate(people[:0:-1], actor=ADA),
            lambda: directory.reactivate(people, actor=EVA),
            lambda: services.assign(acme.allocation, kind=USERS, assignees=people, actor=EVA),
        )
        assert not OrgUnit.objects.filter(pk=there.pk).exists()
        assert set(User.objects.values_list("unit", flat=True)) <= {None, away.pk}


@two_at_once
def test_people_and_groups_go_while_others_work_with_them(acme, catalogue):
    for number in range(ROUNDS):
        people = [acme.person(f"Person {number} {which}") for which in range(3)]
        group = directory.create_group(acme.organization, name=f"Group {number}", actor=TEST)
        directory.join_group(group, users=people, actor=TEST)
        of_group, of_person = acme.assign(group, policies=[catalogue.export]), acme.assign(people[0])
        export = {"policies": [catalogue.export], "actor": EVA}
        at_once(
            lambda group=group: services.delete_group(group, actor=ADA),
            lambda people=people: services.delete_user(people[0], actor=ADA),
            lambda people=people: services.delete_user(people[2], actor=ADA),
            lambda group=group, people=people: directory.leave_group(group, users=people[::-1], actor=EVA),
            lambda people=people: directory.place_in_unit(acme.below, users=people, actor=EVA),
            lambda people=people: services.assign(acme.plain, kind=USERS, assignees=people, actor=EVA),
            lambda of_group=of_group: services.set_dates(of_group, starts_at=None, ends_at=None, actor=EVA),
            lambda of_person=of_person, export=export: services.set_policies(of_person, **export),
        )
        assert not Group.objects.filter(pk=group.pk).exists()
        assert set(User.objects.filter(pk__in=[person.pk for person in people])) == {people[1]}
    created, removed = (AuditEntry.objects.filter(verb=f"assignment.{verb}").count() for verb in ("created", "removed"))
    assert created - removed == Assignment.objects.count()
