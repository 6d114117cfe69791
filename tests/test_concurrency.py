"""Two people at once, with real threads on PostgreSQL: one clear outcome each, never a half state, never an exception
that is not a word for the person."""

import threading
import time
from functools import partial

import pytest
from django.core.exceptions import ValidationError
from django.db import connection, connections, transaction
from django.utils import timezone

from directory import services as directory
from directory.models import Account, Group, Invitation, OrgUnit, OrgUnitClosure, User
from licensing import services
from licensing.kinds import GROUPS, USERS
from licensing.models import Allocation, Assignment, AssignmentPolicy, License
from portal.audit.log import Actor
from portal.outbox.models import Mail
from portal.transactions import CHANGED_MEANWHILE, do_each, one_transaction
from tests.worlds import TEST, license_of

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]
ADA, EVA = Actor("account", 1, "Ada"), Actor("account", 2, "Eva")
ROUNDS = 12


def at_once(*acts):
    """Run the acts in threads that start together; return what each returned, or the words of its refusal."""
    results, barrier = [None] * len(acts), threading.Barrier(len(acts))

    def run(index, act):
        try:
            connection.ensure_connection()
            barrier.wait()
            results[index] = act()
        except ValidationError as refusal:
            results[index] = " ".join(refusal.messages)
        except Exception as error:  # noqa: BLE001 it is what the test looks at
            results[index] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=pair) for pair in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [result for result in results if isinstance(result, Exception)] == []
    return results


def one_after_the_other(first, second):
    """Run `first` and hold its transaction open until `second` waits for it; return both results."""
    holding, results = threading.Event(), {}

    def run_first():
        try:
            with transaction.atomic():
                results["first"] = first()
                holding.set()
                wait_until_somebody_waits()
        except Exception as error:
            results["first"] = error
        finally:
            holding.set()
            connections.close_all()

    def run_second():
        holding.wait()
        try:
            results["second"] = second()
        except ValidationError as refusal:
            results["second"] = " ".join(refusal.messages)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run_first), threading.Thread(target=run_second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not isinstance(results["first"], Exception), results["first"]
    return results["first"], results["second"]


def wait_until_somebody_waits():
    with connection.cursor() as cursor:
        for _ in range(1000):
            # Of this database: another worker of the suite has its own. Read anew, for a transaction keeps what it saw.
            cursor.execute("SELECT pg_stat_clear_snapshot()")
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
            if cursor.fetchone()[0]:
                return
            time.sleep(0.01)
    raise AssertionError("Nobody waited for the lock.")


def test_of_two_who_wait_for_each_other_one_is_told(acme):
    meet = threading.Barrier(2, timeout=30)

    @one_transaction
    def lock_both(first, second):
        User.objects.select_for_update().get(pk=first.pk)
        meet.wait()
        User.objects.select_for_update().get(pk=second.pk)
        return "done"

    outcomes = at_once(lambda: lock_both(acme.admin, acme.editor), lambda: lock_both(acme.editor, acme.admin))
    assert sorted(outcomes) == [CHANGED_MEANWHILE, "done"]


def assign_to(world, assignee, actor):
    return lambda: services.assign(world.allocation, kind=USERS, assignees=[assignee], actor=actor)


def test_the_same_assignment_twice_is_one_row_and_a_clear_answer(acme):
    for _ in range(ROUNDS):
        outcomes = at_once(assign_to(acme, acme.admin, ADA), assign_to(acme, acme.admin, EVA))
        assert sorted((len(outcome.done), len(outcome.skipped)) for outcome in outcomes) == [(0, 1), (1, 0)]
        services.unassign(Assignment.objects.get(), actor=TEST)


def test_the_last_seat_goes_to_exactly_one(acme):
    services.change_allocation(acme.allocation, seats=1, starts_at=None, ends_at=None, actor=TEST)
    people = [acme.admin, acme.editor, acme.viewer, acme.nobody]
    for _ in range(ROUNDS):
        outcomes = at_once(*(assign_to(acme, person, ADA) for person in people))
        refusals = [outcome for outcome in outcomes if isinstance(outcome, str)]
        assert len(refusals) == 3
        assert all(refusal.startswith("Not enough seats: 1 is needed, 0 of 1 are free.") for refusal in refusals)
        services.unassign(Assignment.objects.get(), actor=TEST)


def test_assign_waits_for_cancel_and_is_refused(acme):
    cancel = lambda: services.cancel(acme.allocation, actor=TEST)  # noqa: E731
    _, refusal = one_after_the_other(cancel, assign_to(acme, acme.admin, ADA))
    assert refusal.startswith("CRM Professional was cancelled by Northlight on")
    assert not Assignment.objects.exists()


def test_cancel_waits_for_assign_and_the_assignment_sleeps(acme):
    cancel = lambda: services.cancel(acme.allocation, actor=TEST)  # noqa: E731
    outcome, cancelled = one_after_the_other(assign_to(acme, acme.admin, ADA), cancel)
    assert outcome.done == [acme.admin]
    assert cancelled.cancelled_at
    assert Assignment.objects.get().allocation.cancelled_at


def test_edit_waits_for_unassign_and_is_told_who_did_it(acme, catalogue):
    assignment = acme.assign(acme.admin, policies=[catalogue.export])
    _, refusal = one_after_the_other(
        lambda: services.unassign(assignment, actor=ADA),
        lambda: services.set_policies(assignment, policies=[catalogue.administration], actor=EVA),
    )
    assert refusal == "This assignment was already removed by Ada."
    assert (Assignment.objects.count(), AssignmentPolicy.objects.count()) == (0, 0)


def test_unassign_waits_for_edit_and_removes_what_was_chosen(acme, catalogue):
    assignment = acme.assign(acme.admin)
    changes, _ = one_after_the_other(
        lambda: services.set_policies(assignment, policies=[catalogue.export], actor=EVA),
        lambda: services.unassign(assignment, actor=ADA),
    )
    assert changes == ([catalogue.export], [])
    assert (Assignment.objects.count(), AssignmentPolicy.objects.count()) == (0, 0)


def test_two_unassigns_one_is_told(acme):
    for _ in range(ROUNDS):
        assignment = acme.assign(acme.admin)
        outcomes = at_once(
            lambda held=assignment: services.unassign(held, actor=ADA),
            lambda held=assignment: services.unassign(held, actor=EVA),
        )
        assert sorted(map(str, outcomes)) in (
            ["None", "This assignment was already removed by Ada."],
            ["None", "This assignment was already removed by Eva."],
        )


def test_two_moves_that_would_make_a_circle_make_none(acme):
    other = directory.create_unit(acme.organization, name="Other", actor=TEST)
    for _ in range(ROUNDS):
        outcomes = at_once(
            lambda: directory.move_unit(acme.unit, parent=other, actor=ADA),
            lambda: directory.move_unit(other, parent=acme.unit, actor=EVA),
        )
        refusals = [outcome for outcome in outcomes if isinstance(outcome, str)]
        assert len(refusals) == 1
        assert "a unit cannot lie below itself" in refusals[0]
        assert (
            OrgUnitClosure.objects.filter(
                depth__gt=0, ancestor__in=[acme.unit, other], descendant__in=[acme.unit, other]
            ).count()
            == 1
        )
        for unit in (acme.unit, other):
            directory.move_unit(OrgUnit.objects.get(pk=unit.pk), parent=None, actor=TEST)


def test_a_unit_created_while_its_parent_moves_knows_all_above(acme):
    top = directory.create_unit(acme.organization, name="Top", actor=TEST)
    _, unit = one_after_the_other(
        lambda: directory.move_unit(acme.unit, parent=top, actor=ADA),
        lambda: directory.create_unit(acme.organization, name="New", parent=acme.unit, actor=EVA),
    )
    above = OrgUnitClosure.objects.filter(descendant=unit).order_by("depth").values_list("ancestor__name", "depth")
    assert list(above) == [("New", 0), ("Sales", 1), ("Top", 2)]


def test_an_assignee_deleted_meanwhile_is_a_clear_word(acme):
    _, refusal = one_after_the_other(
        lambda: Group.objects.get(pk=acme.group.pk).delete(),
        lambda: services.assign(acme.allocation, kind=GROUPS, assignees=[acme.group], actor=EVA),
    )
    assert refusal == "Somebody changed this at the same moment. Nothing was saved. Look again, then try once more."
    assert not Assignment.objects.exists()


def test_a_policy_made_default_while_it_is_chosen_leaves_no_half_state(acme, catalogue):
    _, refusal = one_after_the_other(
        lambda: services.set_license_policies(
            catalogue.professional, default=[catalogue.reading, catalogue.export], optional=[], actor=TEST
        ),
        lambda: services.assign(
            acme.allocation, kind=USERS, assignees=[acme.admin], policies=[catalogue.export], actor=EVA
        ),
    )
    assert refusal == "Somebody changed this at the same moment. Nothing was saved. Look again, then try once more."
    assert not Assignment.objects.exists()


def test_joining_twice_at_once_is_one_membership(acme):
    for _ in range(ROUNDS):
        join = lambda: directory.join_group(acme.group, users=[acme.admin], actor=TEST)  # noqa: E731
        outcomes = at_once(join, join)
        assert sorted(len(outcome.done) for outcome in outcomes) == [0, 1]
        directory.leave_group(acme.group, users=[acme.admin], actor=TEST)


def test_the_first_question_on_another_connection_sees_the_change(acme):
    def asked_elsewhere():
        seen = []
        ask = lambda: seen.append(Assignment.objects.count())  # noqa: E731
        at_once(ask)
        return seen[0]

    assert asked_elsewhere() == 0
    acme.assign(acme.group)
    assert asked_elsewhere() == 1
    assert Allocation.objects.count() == 2


def test_two_runs_of_the_notices_at_once_tell_once(acme):
    services.change_allocation(acme.allocation, seats=1, starts_at=None, ends_at=None, actor=TEST)
    acme.assign(acme.group)
    for n in range(ROUNDS):
        directory.join_group(acme.group, users=[acme.viewer], actor=TEST)
        runs = [lambda: services.send_notices(at=timezone.now())] * 2
        at_once(*runs)
        assert Mail.objects.count() == 2 * (n + 1)
        directory.leave_group(acme.group, users=[acme.viewer], actor=TEST)
        at_once(*runs)
        assert Allocation.objects.get(pk=acme.allocation.pk).over_since is None


# Invitations ---------------------------------------------------------------------------------------------------------


def accept(invitation):
    return lambda: directory.accept(invitation, name="Noor", password="a-long-password", actor=TEST)


def test_one_link_followed_in_two_tabs_makes_one_account(acme):
    for number in range(ROUNDS):
        invitation = acme.invite(f"p{number}@new.example")
        results = at_once(accept(invitation), accept(invitation))
        assert sorted(map(str, results)) == ["It was accepted already. Sign in with your account.", "Noor"]
        assert Account.objects.filter(email=invitation.email).count() == 1


def test_an_invitation_is_accepted_or_cancelled_not_both(acme):
    for number in range(ROUNDS):
        invitation = acme.invite(f"p{number}@new.example", "Noor")
        cancelled = "Acme has cancelled it. Ask an admin there if you expect access."
        results = at_once(accept(invitation), lambda it=invitation: directory.cancel_invitation(it, actor=TEST))
        invitation.refresh_from_db()
        if invitation.state == "accepted":
            assert [str(each) for each in results] == ["Noor", "Noor has accepted already."]
        else:
            assert results == [cancelled, None]
        assert Account.objects.filter(email=invitation.email).exists() is (invitation.state == "accepted")


def test_two_lists_with_the_same_people_invite_each_once(acme):
    for number in range(ROUNDS):
        people = [directory.Invitee(f"p{number}-{n}@new.example") for n in range(30)]
        outcomes = at_once(
            lambda people=people: directory.invite(acme.organization, people=people[:25], actor=TEST),
            lambda people=people: directory.invite(acme.organization, people=people[::-1][:25], actor=TEST),
        )
        assert sorted((len(outcome.done), len(outcome.refused)) for outcome in outcomes) == [(5, 20), (25, 0)]
        assert Mail.objects.filter(to__startswith=f"p{number}-").count() == 30


def test_one_address_invited_by_two_organizations_gets_one_account(acme, globex):
    for number in range(ROUNDS):
        invitations = [world.invite(f"p{number}@new.example") for world in (acme, globex)]
        results = sorted(map(str, at_once(*map(accept, invitations))))
        assert results[0] == "Noor" or results[1] == "Noor"
        assert Account.objects.filter(email=f"p{number}@new.example").count() == 1
        assert sorted(each.state for each in Invitation.objects.filter(email=f"p{number}@new.example")) == [
            "accepted",
            "pending",
        ]


def test_an_organization_has_one_first_admin_also_when_they_come_in_at_this_moment(catalogue):
    come_in = "An Admin of Umbrella {} has come in. They invite the others."
    for number in range(ROUNDS):
        own = {"name": f"Umbrella {number}", "slug": f"umbrella-{number}", "admin_email": f"p{number}@new.example"}
        organization = services.create_customer(provider=catalogue.provider, **own, actor=TEST)
        results = at_once(
            accept(organization.invitations.select_related("user").get()),
            lambda it=organization, n=number: services.invite_admin(it, email=f"q{n}@new.example", actor=TEST),
        )
        admin = organization.users.get()
        if admin.account:
            assert [str(each) for each in results] == ["Noor", come_in.format(number)]
        else:
            assert results == [f"p{number} does not exist any more.", None]
        assert Account.objects.filter(email__endswith="@new.example", users=None).count() == 0


def test_two_leads_who_remove_each_other_leave_one(catalogue, harbor):
    services.add_staff(catalogue.provider, account=harbor.staff, is_lead=True, actor=TEST)
    nora, hugo = catalogue.provider.staff_members.order_by("pk")

    _, told = one_after_the_other(
        lambda: services.remove_staff(nora, actor=TEST), lambda: services.remove_staff(hugo, actor=TEST)
    )

    assert told == "staff@harbor.example is the last lead of Northlight. Make somebody else lead first."
    assert list(catalogue.provider.staff_members.all()) == [hugo]


def test_who_is_removed_by_one_provider_and_added_by_another_at_once_may_enter(catalogue, harbor):
    services.add_staff(catalogue.provider, account=harbor.staff, is_lead=True, actor=TEST)
    nora = catalogue.provider.staff_members.get(account=catalogue.staff)

    one_after_the_other(
        partial(services.remove_staff, nora, actor=TEST),
        partial(services.add_staff, harbor.provider, account=catalogue.staff, actor=TEST),
    )

    account = Account.objects.get(pk=catalogue.staff.pk)
    assert list(account.providers.all()) == [harbor.provider]
    assert account.is_staff


def test_many_that_are_cancelled_by_two_at_once_are_each_cancelled_by_one(acme, globex):
    many = [acme.allocation, globex.allocation, acme.plain, globex.plain]

    def cancel_all(allocations):
        return lambda: do_each(
            sorted(allocations, key=lambda each: each.pk), lambda each: services.cancel(each, actor=TEST)
        )

    first, second = at_once(cancel_all(many), cancel_all(many[::-1]))

    assert sorted(sum(not each.error for each in done) for done in (first, second)) == [0, 4]
    assert not Allocation.objects.filter(cancelled_at=None).exists()


def test_the_last_default_policy_is_not_taken_out_while_the_license_is_allocated(acme, catalogue):
    license = license_of(catalogue, "Fresh")
    allocate = partial(services.allocate, license, organization=acme.organization, actor=ADA)
    empty = partial(services.set_license_policies, license, default=[], optional=[], actor=EVA)

    _, second = one_after_the_other(allocate, empty)

    assert "This license is allocated" in second
    assert license.license_policies.filter(is_default=True).exists()


def test_a_license_that_lost_its_policies_meanwhile_is_not_allocated(acme, catalogue):
    license = license_of(catalogue, "Fresh")
    allocate = partial(services.allocate, license, organization=acme.organization, actor=ADA)
    empty = partial(services.set_license_policies, license, default=[], optional=[], actor=EVA)

    _, second = one_after_the_other(empty, allocate)

    assert second.startswith("Fresh has no default policy")
    assert not license.allocations.exists()


def test_a_license_deleted_while_it_is_given_to_many_is_a_clear_word_for_each(acme, globex, catalogue):
    license = license_of(catalogue, "Fresh")

    def allocate(organization):
        return services.allocate(license, organization=organization, actor=ADA)

    _, done = one_after_the_other(
        partial(services.delete, License.objects.get(pk=license.pk), actor=EVA),
        partial(do_each, [acme.organization, globex.organization], allocate),
    )

    assert [each.refusal for each in done] == ["Fresh does not exist any more."] * 2
