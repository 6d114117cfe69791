"""What services do and refuse, and what they write down: the rows of the specification that exist so far."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from directory import services as directory
from directory.models import OrgUnitClosure, User
from licensing import services
from licensing.access import count_reached, seats_in_use, sources_of
from licensing.kinds import GROUPS, ORGANIZATION, UNITS, USERS
from licensing.models import Allocation, Assignment, AssignmentPolicy, License, Policy
from portal.audit.models import AuditEntry
from tests.worlds import TEST

DAY = timedelta(days=1)


def can_use(user, allocation):
    """The names of the policies that the user has of the allocation now."""
    user = User.objects.get(pk=user.pk)
    sources = sources_of(USERS, [user], at=timezone.now())[user.pk]
    through = [source for source in sources if source.in_effect and source.assignment.allocation == allocation]
    return {policy.name for source in through for policy, _ in source.policies}


def words(refusal):
    return " ".join(refusal.value.messages)


def verbs():
    return list(AuditEntry.objects.order_by("pk").values_list("verb", flat=True))


# Assign --------------------------------------------------------------------------------------------------------------


def test_assign_reaches_at_once_through_group_and_unit_and_everybody(acme):
    for assignee in (acme.group, acme.unit, acme.organization, acme.nobody):
        assert can_use(acme.nobody, acme.allocation) == set()
        assignment = acme.assign(assignee)
        assert can_use(acme.nobody, acme.allocation) == {"CRM access"}
        services.unassign(assignment, actor=TEST)


def test_assign_says_who_was_skipped_and_writes_one_entry_each(acme):
    acme.assign(acme.admin)
    outcome = services.assign(acme.allocation, kind=USERS, assignees=[acme.admin, acme.editor, acme.viewer], actor=TEST)

    assert (outcome.done, outcome.skipped) == ([acme.editor, acme.viewer], [acme.admin])
    entries = AuditEntry.objects.filter(verb="assignment.created", target_name__in=["Eva Editor", "Vic Viewer"])
    assert len({entry.change_set for entry in entries}) == 1
    assert entries.count() == 2


def test_assign_refuses_nothing_chosen(acme):
    with pytest.raises(ValidationError) as refusal:
        services.assign(acme.allocation, kind=GROUPS, assignees=[], actor=TEST)
    assert refusal.value.message_dict == {"assignees": ["Choose at least one group."]}


def test_assign_refuses_what_is_of_another_organization(acme, globex):
    for kind, foreign in [
        (USERS, globex.nobody),
        (GROUPS, globex.group),
        (UNITS, globex.unit),
        (ORGANIZATION, globex.organization),
    ]:
        with pytest.raises(ValidationError):
            services.assign(acme.allocation, kind=kind, assignees=[foreign], actor=TEST)
    assert not Assignment.objects.exists()


def test_assign_refuses_an_inactive_user(acme):
    inactive = acme.person("Ivo Inactive", is_active=False)
    with pytest.raises(ValidationError) as refusal:
        services.assign(acme.allocation, kind=USERS, assignees=[inactive, acme.admin], actor=TEST)
    assert words(refusal) == "Ivo Inactive cannot be chosen any more. Choose again."
    assert not Assignment.objects.exists()


def test_assign_refuses_a_policy_that_is_not_optional_in_the_license(acme, catalogue):
    other = services.save(Policy(application=catalogue.application, name="Elsewhere"), actor=TEST)
    for policy in (catalogue.reading, other):
        with pytest.raises(ValidationError) as refusal:
            services.assign(acme.allocation, kind=GROUPS, assignees=[acme.group], policies=[policy], actor=TEST)
        assert "policies" in refusal.value.message_dict
    assert not Assignment.objects.exists()


def test_assign_refuses_a_cancelled_and_an_ended_allocation_but_not_a_scheduled_one(acme):
    services.cancel(acme.allocation, actor=TEST)
    with pytest.raises(ValidationError, match="was cancelled by Northlight on"):
        acme.assign(acme.group)
    services.reinstate(acme.allocation, actor=TEST)

    now = timezone.now()
    Allocation.objects.filter(pk=acme.allocation.pk).update(starts_at=now - 2 * DAY, ends_at=now - DAY)
    with pytest.raises(ValidationError, match="ended on"):
        acme.assign(acme.group)

    services.change_allocation(acme.allocation, seats=None, starts_at=now + DAY, ends_at=None, actor=TEST)
    acme.assign(acme.group)
    assert can_use(acme.nobody, acme.allocation) == set()


def test_assign_refuses_an_end_before_the_start_and_one_that_has_passed(acme):
    now = timezone.now()
    with pytest.raises(ValidationError, match="last day is before the first"):
        acme.assign(acme.group, starts_at=now + 2 * DAY, ends_at=now + DAY)
    with pytest.raises(ValidationError, match="This day has passed"):
        acme.assign(acme.group, ends_at=now - DAY)


# Seats ---------------------------------------------------------------------------------------------------------------


def set_seats(world, seats):
    world.allocation = services.change_allocation(
        world.allocation, seats=seats, starts_at=None, ends_at=None, actor=TEST
    )


def test_seats_count_distinct_active_people_now_or_later(acme):
    set_seats(acme, 10)
    inactive = acme.person("Ivo Inactive", is_active=False)
    directory.join_group(acme.group, users=[inactive, acme.admin], actor=TEST)
    acme.assign(acme.group)
    acme.assign(acme.admin)
    assert seats_in_use(acme.allocation, at=timezone.now()).used == 2

    acme.assign(acme.viewer, starts_at=timezone.now() + DAY)
    use = seats_in_use(acme.allocation, at=timezone.now())
    assert (use.used, use.now, use.later) == (3, 2, 1)


def test_assign_beyond_the_seats_is_refused_with_the_numbers(acme):
    set_seats(acme, 2)
    acme.assign(acme.nobody)
    with pytest.raises(ValidationError) as refusal:
        services.assign(acme.allocation, kind=USERS, assignees=[acme.admin, acme.editor], actor=TEST)
    said = "Not enough seats: 2 are needed, 1 of 2 is free. Choose fewer, or ask Northlight for more seats."
    assert words(refusal) == said
    assert Assignment.objects.count() == 1
    # who has it already needs no further seat
    acme.assign(acme.group)


def test_dates_that_reach_more_people_than_seats_are_refused(acme):
    set_seats(acme, 1)
    now = timezone.now()
    ended = acme.assign(acme.viewer)
    Assignment.objects.filter(pk=ended.pk).update(ends_at=now - DAY)
    acme.assign(acme.editor)
    with pytest.raises(ValidationError, match="Not enough seats"):
        services.set_dates(Assignment.objects.get(pk=ended.pk), starts_at=None, ends_at=None, actor=TEST)
    assert Assignment.objects.get(pk=ended.pk).ends_at is not None


def test_joining_is_never_refused_and_shows_as_over(acme):
    set_seats(acme, 1)
    acme.assign(acme.group)
    directory.join_group(acme.group, users=[acme.admin, acme.editor], actor=TEST)
    use = seats_in_use(acme.allocation, at=timezone.now())
    assert (use.used, use.over, use.free) == (3, 2, 0)


def test_who_is_reached_before_an_allocation_starts_takes_a_seat_from_then(acme):
    acme.assign(acme.group)
    start = timezone.now() + DAY
    services.change_allocation(acme.allocation, seats=None, starts_at=start, ends_at=None, actor=TEST)
    use = seats_in_use(Allocation.objects.get(pk=acme.allocation.pk), at=timezone.now())
    assert (use.used, use.later, use.later_from) == (1, 1, start)


def test_fewer_seats_than_in_use_and_reinstating_are_never_refused(acme):
    acme.assign(acme.organization)
    set_seats(acme, 1)
    assert seats_in_use(acme.allocation, at=timezone.now()).over == 3
    services.cancel(acme.allocation, actor=TEST)
    assert seats_in_use(Allocation.objects.get(pk=acme.allocation.pk), at=timezone.now()).used == 0
    services.reinstate(acme.allocation, actor=TEST)
    assert seats_in_use(Allocation.objects.get(pk=acme.allocation.pk), at=timezone.now()).over == 3


# Edit, unassign ------------------------------------------------------------------------------------------------------


def test_policies_become_exactly_what_is_ticked(acme, catalogue):
    assignment = acme.assign(acme.group, policies=[catalogue.export])
    kept = AssignmentPolicy.objects.get(policy=catalogue.export).pk

    services.set_policies(assignment, policies=[catalogue.export, catalogue.administration], actor=TEST)

    assert can_use(acme.nobody, acme.allocation) == {"CRM access", "CRM export", "CRM administration"}
    assert AssignmentPolicy.objects.get(policy=catalogue.export).pk == kept
    services.set_policies(assignment, policies=[], actor=TEST)
    assert can_use(acme.nobody, acme.allocation) == {"CRM access"}


def test_nothing_changed_writes_nothing(acme, catalogue):
    assignment = acme.assign(acme.group, policies=[catalogue.export])
    before = verbs()
    services.set_policies(assignment, policies=[catalogue.export], actor=TEST)
    services.set_dates(assignment, starts_at=None, ends_at=None, actor=TEST)
    assert verbs() == before


def test_unassign_leaves_what_another_source_gives(acme, catalogue):
    direct = acme.assign(acme.nobody, policies=[catalogue.export])
    acme.assign(acme.unit)
    services.unassign(direct, actor=TEST)
    assert can_use(acme.nobody, acme.allocation) == {"CRM access"}


def test_who_comes_second_is_told_who_was_first(acme):
    assignment = acme.assign(acme.group)
    services.unassign(assignment, actor=TEST)
    for act in (
        lambda: services.unassign(assignment, actor=TEST),
        lambda: services.set_policies(assignment, policies=[], actor=TEST),
        lambda: services.set_dates(assignment, starts_at=None, ends_at=None, actor=TEST),
    ):
        with pytest.raises(ValidationError, match="This assignment was already removed by the test."):
            act()


# Allocations ---------------------------------------------------------------------------------------------------------


def test_cancel_puts_assignments_to_sleep_and_reinstate_wakes_them(acme):
    assignment = acme.assign(acme.group)
    services.cancel(acme.allocation, actor=TEST)
    assert can_use(acme.nobody, acme.allocation) == set()
    with pytest.raises(ValidationError, match="is cancelled already"):
        services.cancel(acme.allocation, actor=TEST)

    services.reinstate(acme.allocation, actor=TEST)
    assert can_use(acme.nobody, acme.allocation) == {"CRM access"}
    with pytest.raises(ValidationError, match="is not cancelled"):
        services.reinstate(acme.allocation, actor=TEST)

    services.cancel(acme.allocation, actor=TEST)
    services.unassign(assignment, actor=TEST)  # still removable
    assert verbs()[-4:] == [
        "allocation.cancelled",
        "allocation.reinstated",
        "allocation.cancelled",
        "assignment.removed",
    ]


def test_a_license_without_a_default_policy_cannot_be_allocated(acme, catalogue):
    empty = services.save(License(provider=catalogue.provider, name="Empty"), actor=TEST)
    with pytest.raises(ValidationError, match="Empty has no default policy"):
        services.allocate(empty, organization=acme.organization, actor=TEST)


def test_a_license_is_allocated_once_for_ever(acme, catalogue):
    services.cancel(acme.allocation, actor=TEST)
    with pytest.raises(ValidationError, match="allocated here already"):
        services.allocate(catalogue.professional, organization=acme.organization, actor=TEST)


def test_allocation_dates_are_half_open(acme):
    acme.assign(acme.nobody)
    start = timezone.now() + DAY
    services.change_allocation(acme.allocation, seats=None, starts_at=start, ends_at=start + DAY, actor=TEST)
    allocation = Allocation.objects.get(pk=acme.allocation.pk)
    instants = {"before": start - timedelta(microseconds=1), "start": start, "end": start + DAY}
    assert {name: allocation.state(at).value for name, at in instants.items()} == {
        "before": "scheduled",
        "start": "live",
        "end": "ended",
    }
    for at, in_effect in [(start - timedelta(microseconds=1), False), (start, True), (start + DAY, False)]:
        assert Assignment.objects.in_effect(at).exists() is in_effect
        source = sources_of(USERS, [acme.nobody], at=at)[acme.nobody.pk][0]
        assert source.in_effect is in_effect
    with pytest.raises(ValidationError, match="last day is before the first"):
        services.change_allocation(acme.allocation, seats=None, starts_at=start, ends_at=start, actor=TEST)


# The catalogue -------------------------------------------------------------------------------------------------------


def set_policies(catalogue, *, default, optional):
    services.set_license_policies(catalogue.professional, default=default, optional=optional, actor=TEST)


def test_a_new_default_policy_is_there_at_once_and_a_new_optional_one_is_not(acme, catalogue):
    acme.assign(acme.group)
    printing, scanning = (
        services.save(Policy(application=catalogue.application, name=name), actor=TEST) for name in ("Print", "Scan")
    )
    set_policies(
        catalogue,
        default=[catalogue.reading, printing],
        optional=[catalogue.export, catalogue.administration, scanning],
    )
    assert can_use(acme.nobody, acme.allocation) == {"CRM access", "Print"}
    customers = AuditEntry.objects.filter(verb="license.policies", organization_id=acme.organization.pk)
    assert customers.get().details["added_default"] == ["Print"]


def test_default_becomes_optional_and_everybody_loses_it_until_chosen(acme, catalogue):
    acme.assign(acme.group)
    set_policies(catalogue, default=[catalogue.export], optional=[catalogue.reading, catalogue.administration])
    assert can_use(acme.nobody, acme.allocation) == {"CRM export"}


def test_optional_becomes_default_and_the_chosen_rows_go(acme, catalogue):
    acme.assign(acme.group, policies=[catalogue.export])
    set_policies(catalogue, default=[catalogue.reading, catalogue.export], optional=[catalogue.administration])
    assert not AssignmentPolicy.objects.exists()
    assert can_use(acme.nobody, acme.allocation) == {"CRM access", "CRM export"}


def test_an_optional_policy_removed_takes_what_was_chosen_with_it(acme, catalogue):
    acme.assign(acme.group, policies=[catalogue.export, catalogue.administration])
    set_policies(catalogue, default=[catalogue.reading], optional=[catalogue.administration])
    assert can_use(acme.nobody, acme.allocation) == {"CRM access", "CRM administration"}


def test_the_last_default_policy_of_an_allocated_license_stays(acme, catalogue):
    with pytest.raises(ValidationError) as refusal:
        set_policies(catalogue, default=[], optional=[catalogue.reading])
    assert "default_policies" in refusal.value.message_dict


def test_what_is_used_is_not_deleted_and_says_by_what(acme, catalogue):
    for thing, said in [
        (catalogue.application, "CRM Basic and CRM Professional have policies of CRM"),
        (catalogue.reading, "CRM Basic and CRM Professional have the policy CRM access"),
        (catalogue.professional, "CRM Professional is allocated to Acme"),
    ]:
        with pytest.raises(ValidationError, match=said):
            services.delete(thing, actor=TEST)
    unused = services.save(Policy(application=catalogue.application, name="Unused"), actor=TEST)
    services.delete(unused, actor=TEST)
    assert verbs()[-1] == "policy.deleted"


# The directory -------------------------------------------------------------------------------------------------------


def test_access_follows_membership_at_once(acme):
    acme.assign(acme.group)
    outcome = directory.join_group(acme.group, users=[acme.admin, acme.nobody], actor=TEST)
    assert (outcome.done, outcome.skipped) == ([acme.admin], [acme.nobody])
    assert can_use(acme.admin, acme.allocation) == {"CRM access"}
    outcome = directory.leave_group(acme.group, users=[acme.admin, acme.editor], actor=TEST)
    assert (outcome.done, outcome.skipped) == ([acme.admin], [acme.editor])
    assert can_use(acme.admin, acme.allocation) == set()


def test_a_license_of_a_unit_reaches_the_units_below_and_placing_moves(acme):
    acme.assign(acme.unit)
    assert can_use(acme.nobody, acme.allocation) == {"CRM access"}  # is in the unit below
    elsewhere = directory.create_unit(acme.organization, name="Elsewhere", actor=TEST)
    directory.place_in_unit(elsewhere, users=[acme.nobody], actor=TEST)
    assert can_use(acme.nobody, acme.allocation) == set()
    assert AuditEntry.objects.filter(verb="unit.joined").latest("pk").details["from"] == "Benelux"
    directory.leave_unit(elsewhere, users=[acme.nobody], actor=TEST)
    assert User.objects.get(pk=acme.nobody.pk).unit is None


def test_moving_a_unit_changes_what_reaches_its_people_and_touches_none_of_them(acme):
    acme.assign(acme.unit)
    top = directory.create_unit(acme.organization, name="Top", actor=TEST)
    directory.move_unit(acme.below, parent=top, actor=TEST)
    assert can_use(acme.nobody, acme.allocation) == set()
    directory.move_unit(top, parent=acme.unit, actor=TEST)
    assert can_use(acme.nobody, acme.allocation) == {"CRM access"}
    directory.move_unit(acme.below, parent=None, actor=TEST)
    assert set(OrgUnitClosure.objects.filter(descendant=acme.below).values_list("ancestor", "depth")) == {
        (acme.below.pk, 0)
    }


def test_a_unit_cannot_lie_below_itself(acme):
    for parent in (acme.unit, acme.below):
        with pytest.raises(ValidationError, match="a unit cannot lie below itself"):
            directory.move_unit(acme.unit, parent=parent, actor=TEST)


def test_units_of_one_name_under_one_parent_are_refused(acme):
    for parent in (None, acme.unit):
        with pytest.raises(ValidationError, match="A unit of this name exists there."):
            directory.create_unit(
                acme.organization, name="SALES" if parent is None else "benelux", parent=parent, actor=TEST
            )


def test_nothing_of_another_organization_joins_or_moves(acme, globex):
    for act in (
        lambda: directory.join_group(acme.group, users=[globex.admin], actor=TEST),
        lambda: directory.leave_group(acme.group, users=[globex.admin], actor=TEST),
        lambda: directory.place_in_unit(acme.unit, users=[globex.admin], actor=TEST),
        lambda: directory.leave_unit(acme.unit, users=[globex.admin], actor=TEST),
        lambda: directory.create_unit(acme.organization, name="New", parent=globex.unit, actor=TEST),
        lambda: directory.move_unit(acme.unit, parent=globex.unit, actor=TEST),
        lambda: directory.create_user(acme.organization, name="New", unit=globex.unit, actor=TEST),
    ):
        with pytest.raises(ValidationError, match="Choose from Acme only."):
            act()


def test_an_inactive_user_is_reached_by_nothing_and_keeps_everything(acme):
    acme.assign(acme.nobody)
    User.objects.filter(pk=acme.nobody.pk).update(is_active=False)
    assert can_use(acme.nobody, acme.allocation) == set()
    assert count_reached(acme.allocation, at=timezone.now()) == 0
    User.objects.filter(pk=acme.nobody.pk).update(is_active=True)
    assert can_use(acme.nobody, acme.allocation) == {"CRM access"}
