"""Random histories of everything that changes access (consequences.md), in two organizations at once.

After every step the engine's answers are compared with tests/oracle.py, which knows nothing of the engine. A change is
refused exactly when the rules say so, and then changes nothing; what is done in one organization changes no other.
"""

from contextlib import ExitStack, suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from io import StringIO
from unittest import mock

import pytest
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import connection, transaction
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from directory import services as directory
from directory.models import Role
from licensing import services
from licensing.access import changes, count_reached, seats_in_use, seats_of
from licensing.kinds import GROUPS, KINDS, ORGANIZATION, UNITS, USERS
from licensing.models import Allocation, Application, License, LicensePolicy, Policy
from portal.audit.models import AuditEntry
from tests.comparing import (
    Previewed,
    compare_decisions,
    compare_sources,
    expected_on_page,
    held_in,
    in_order,
    shown_on,
)
from tests.oracle import Oracle
from tests.reading import read
from tests.worlds import TEST, build_world

IN_THE_DIRECTORY = {kind.one: kind for kind in KINDS}
ASSIGNABLE = {**IN_THE_DIRECTORY, ORGANIZATION.one: ORGANIZATION}
START = datetime(2030, 1, 1, tzinfo=UTC)
MOST = {USERS: 8, GROUPS: 4, UNITS: 6}  # few enough for everything to meet everything
STEPS = [
    "use_what_is_gone",  # first, for hypothesis falls back to it: as long as nothing is gone it does nothing
    *("assign", "assign", "assign", "set_policies", "set_dates", "set_dates", "unassign"),
    *("create", "delete", "join_or_leave_a_group", "place_in_or_leave_a_unit", "move_a_unit"),
    *("deactivate", "reactivate", "allocate", "cancel_or_reinstate", "change_allocation", "set_license_policies"),
    *("let_time_pass", "let_time_pass", "let_time_pass", "use_what_is_foreign", "read_pages"),
]


class Clock:
    """Time that stands still until somebody moves it."""

    at = START

    def __call__(self):
        return self.at


class NothingThere(Exception):
    """There is nothing to draw from, so this step does nothing."""


class Undone(Exception):
    """What was tried is taken back."""


class Histories(RuleBasedStateMachine):
    """worlds: {slug: World}, as they are when a history begins, under a Clock. Each history is undone at its end."""

    steps = done = refused = 0  # in all histories: steps that did something, and of these what services did and refused

    def __init__(self, worlds, clock):
        super().__init__()
        self.worlds, self.clock, clock.at = worlds, clock, START
        self.number = 0  # of what was created
        self.gone = {}  # what was removed: {what: (its world, its kind if it was an assignee, itself)}
        self.undo = ExitStack()
        self.undo.enter_context(transaction.atomic())
        self.undo.callback(transaction.set_rollback, True)
        self.oracles = {}
        self.look(worlds.values())

    def teardown(self):
        self.undo.close()

    # One rule that draws the step: of many, hypothesis would leave most out of each history, to make histories differ,
    # and that takes more of them than there is time for.
    @rule(data=st.data(), step=st.sampled_from(STEPS))
    def step(self, data, step):
        self.data = data
        with suppress(NothingThere):
            getattr(self, step)()
            Histories.steps += 1

    def act(self, world, do, *, change=None, writes="", refused=False):
        """Do what concerns one world (None: all), and is refused or not; compare all that follows from it.

        do: calls the service. change: given the instant, makes the Change to preview, of those only who are not so
        already. writes: the rows that may change, by the oracle's names for them.
        """
        before, entries = self.oracles, self.entries
        previewed = None if refused or change is None else Previewed(change(at=self.now))
        refusal = words_of_refusal(do)
        assert (refusal is not None) is refused, refusal
        connection.check_constraints()  # they are deferred to a COMMIT that never comes

        looked_at = [*self.worlds.values()] if world is None or Histories.steps % 4 == 0 else [world]
        self.look(looked_at)
        for organization, oracle in self.oracles.items():
            is_concerned = not refused and (world is None or world.organization == organization)
            rows, old_rows = oracle.rows, before[organization].rows
            changed = {name for name in rows if rows[name] != old_rows[name]}
            assert changed <= ({*writes.split()} if is_concerned else set())
            if changed & {"units", "in_licenses"}:
                verify()
        if refused:
            assert self.entries == entries
        if previewed:
            self.check_previewed(previewed, before)
        self.compare(looked_at)
        Histories.refused += refused
        Histories.done += not refused

    def check_previewed(self, previewed, before):
        """Compare what was said of a change before it was made with what the oracle saw before it, and sees now."""
        for of_it in (Oracle.reached, Oracle.who_has):
            had, has = (held_in(oracles.values(), of_it, previewed.at) for oracles in (before, self.oracles))
            for thing in had.keys() | has.keys() | previewed.effects[of_it].keys():
                then, now = had.get(thing, {}), has.get(thing, {})
                kept = {user for user in then.keys() & now.keys() if then[user] != now[user]}
                found = {"+": now.keys() - then.keys(), "-": then.keys() - now.keys(), "=": kept}
                assert previewed.effects[of_it].get(thing, dict.fromkeys("+-=", set())) == found, (of_it, thing)
        for organization, oracle in before.items():
            for allocation, row in oracle.allocations.items():
                if row["seats"] is not None:
                    then, now = (o.seats(allocation, self.now) for o in (oracle, self.oracles[organization]))
                    assert previewed.seats.get(allocation, 0) == now - then, allocation

    def look(self, worlds):
        """Read the rows of the worlds; those of the other are, unless something is wrong, as they were."""
        self.oracles = self.oracles | {world.organization: Oracle(world.organization) for world in worlds}
        self.entries = AuditEntry.objects.count()

    def compare(self, worlds):
        """Compare the engine's answers about everybody and everything in some worlds.

        Now, and one time in three at an instant at which something will start or end.
        """
        for world in worlds:
            oracle = self.oracles[world.organization]
            turns = oracle.turns(self.now)
            at = turns[Histories.steps % len(turns)] if turns and Histories.steps % 3 == 0 else self.now
            compare_sources(oracle, things_of(world, USERS), at)
            compare_decisions(oracle, world.organization, at, turn=Histories.steps)
            counted_together = seats_of(Allocation.objects.all(), at=at)
            for allocation in world.organization.allocations.all():
                seats = oracle.seats(allocation.pk, at)
                use = seats_in_use(allocation, at=at)
                assert (use.used, counted_together[allocation.pk]) == (seats, use)
                if not seats:  # otherwise it is the same statement
                    assert count_reached(allocation, at=at) == len(oracle.counted(allocation.pk, at))

    # Assignments -----------------------------------------------------------------------------------------------------

    def assign(self):
        world = self.draw_world()
        kind = self.draw(ASSIGNABLE, "kind")
        allocation, assignees = self.one(world.organization.allocations), self.some(things_of(world, kind))
        terms = {"kind": kind, "policies": self.draw_policies(allocation.license), **self.draw_dates()}
        do = partial(services.assign, allocation, assignees=assignees, **terms, actor=TEST)
        wrong = (
            allocation.cancelled_at is not None
            or (allocation.ends_at is not None and allocation.ends_at <= self.now)
            or not set(terms["policies"]) <= set(optional_policies(allocation.license))
            or any(kind is USERS and not user.is_active for user in assignees)
            or self.are_wrong(terms["starts_at"], terms["ends_at"])
        )
        self.act(
            world,
            do,
            change=partial(changes.assigning, allocation, assignees=assignees, **terms),
            writes="assignments chosen",
            refused=wrong or self.exceeds_seats(world, allocation, do),
        )

    def set_policies(self):
        world, assignment = self.draw_assignment()
        license = assignment.allocation.license
        policies = self.draw_policies(license)
        self.act(
            world,
            partial(services.set_policies, assignment, policies=policies, actor=TEST),
            change=partial(changes.setting_policies, assignment, policies),
            writes="chosen",
            refused=not set(policies) <= set(optional_policies(license)),
        )

    def set_dates(self):
        world, assignment = self.draw_assignment()
        dates = self.draw_dates()
        do = partial(services.set_dates, assignment, **dates, actor=TEST)
        is_another = (dates["starts_at"], dates["ends_at"]) != (assignment.starts_at, assignment.ends_at)
        self.act(
            world,
            do,
            change=partial(changes.setting_dates, assignment, dates["starts_at"], dates["ends_at"]),
            writes="assignments",
            refused=is_another and (self.are_wrong(**dates) or self.exceeds_seats(world, assignment.allocation, do)),
        )

    def unassign(self):
        world, assignment = self.draw_assignment()
        self.act(
            world,
            partial(services.unassign, assignment, actor=TEST),
            change=partial(changes.unassigning, assignment),
            writes="assignments chosen",
        )
        self.gone[f"assignment {assignment.pk}"] = (world, None, assignment)

    # The directory ---------------------------------------------------------------------------------------------------

    def create(self):
        world, kind = self.draw_world(), self.draw(IN_THE_DIRECTORY, "kind")
        if len(things_of(world, kind)) >= MOST[kind]:
            raise NothingThere
        self.number += 1
        named = {"name": f"{kind.one} {self.number}", "actor": TEST}
        unit = self.draw([None, *things_of(world, UNITS)], "unit")
        person = {"role": self.draw(["", Role.ADMIN], "role"), "is_active": self.draw([True, False], "is active")}
        create = {
            USERS: partial(directory.create_user, unit=unit, **person),
            GROUPS: directory.create_group,
            UNITS: partial(directory.create_unit, parent=unit),
        }
        self.act(world, partial(create[kind], world.organization, **named), writes=f"{kind}")

    def delete(self):
        world, kind = self.draw_world(), self.draw(IN_THE_DIRECTORY, "kind")
        thing = self.one([thing for thing in things_of(world, kind) if thing != world.viewer])  # who reads the pages
        units = self.oracles[world.organization].units.values()
        delete, change, writes, refused = {
            USERS: (
                services.delete_user,
                partial(changes.deactivating, [thing]),
                "users memberships assignments chosen",
                self.is_last_admin_among(world, [thing]),
            ),
            GROUPS: (
                services.delete_group,
                partial(changes.deleting_group, thing),
                "memberships assignments chosen",
                False,
            ),
            UNITS: (
                services.delete_unit,
                partial(changes.deleting_unit, thing),
                "units users assignments chosen",
                thing.pk in {row["parent"] for row in units},
            ),
        }[kind]
        self.act(world, partial(delete, thing, actor=TEST), change=change, writes=writes, refused=refused)
        if not refused:
            self.gone[f"{kind.one} {thing.pk}"] = (world, kind, thing)

    def join_or_leave_a_group(self):
        world = self.draw_world()
        group, users = self.one(world.organization.groups), self.some(world.organization.users)
        is_joining = self.draw([True, False], "joining")
        members = self.oracles[world.organization].memberships
        moved = [user for user in users if is_joining is ((group.pk, user.pk) not in members)]
        self.act(
            world,
            partial(directory.join_group if is_joining else directory.leave_group, group, users=users, actor=TEST),
            change=partial(changes.joining, [group], moved) if is_joining else partial(changes.leaving, group, moved),
            writes="memberships",
        )

    def place_in_or_leave_a_unit(self):
        world = self.draw_world()
        unit, users = self.one(world.organization.units), self.some(world.organization.users)
        is_placing = self.draw([True, True, False], "placing")
        moved = [user for user in users if is_placing is (user.unit_id != unit.pk)]
        self.act(
            world,
            partial(directory.place_in_unit if is_placing else directory.leave_unit, unit, users=users, actor=TEST),
            change=partial(changes.placing, unit if is_placing else None, moved),
            writes="users",
        )

    def move_a_unit(self):
        world = self.draw_world()
        unit = self.one(world.organization.units)
        parent = self.draw([None, *things_of(world, UNITS)], "parent")
        above, rows = parent and parent.pk, self.oracles[world.organization].units
        while above not in (None, unit.pk):
            above = rows[above]["parent"]
        self.act(
            world,
            partial(directory.move_unit, unit, parent=parent, actor=TEST),
            change=partial(changes.moving_unit, unit, parent),
            writes="units",
            refused=above is not None,
        )

    def deactivate(self):
        world = self.draw_world()
        users = self.some(world.organization.users.exclude(pk=world.viewer.pk))
        self.act(
            world,
            partial(directory.deactivate, users, actor=TEST),
            change=partial(changes.deactivating, users),
            writes="users",
            refused=self.is_last_admin_among(world, users),
        )

    def reactivate(self):
        world = self.draw_world()
        users = self.some(world.organization.users)
        self.act(
            world,
            partial(directory.reactivate, users, actor=TEST),
            change=partial(changes.reactivating, [user for user in users if not user.is_active]),
            writes="users",
        )

    # The provider ----------------------------------------------------------------------------------------------------

    def allocate(self):
        world, license = self.draw_world(), License.objects.get(name="Suite")
        terms = {"seats": self.draw_seats(), **self.draw_dates(unit=4)}
        is_useless = not license.license_policies.filter(is_default=True).exists()
        is_there = world.organization.allocations.filter(license=license).exists()
        is_over = ends_before(self.now, terms["ends_at"])
        self.act(
            world,
            partial(services.allocate, license, organization=world.organization, **terms, actor=TEST),
            writes="allocations",
            refused=is_useless or is_there or is_over or ends_before(terms["starts_at"] or self.now, terms["ends_at"]),
        )

    def cancel_or_reinstate(self):
        world = self.draw_world()
        allocation = self.one(world.organization.allocations)
        is_cancelled = allocation.cancelled_at is not None
        is_cancelling = self.draw([not is_cancelled, not is_cancelled, True, False], "cancelling")
        self.act(
            world,
            partial(services.cancel if is_cancelling else services.reinstate, allocation, actor=TEST),
            change=partial(changes.cancelling if is_cancelling else changes.reinstating, allocation),
            writes="allocations",
            refused=is_cancelling is is_cancelled,
        )

    def change_allocation(self):
        world = self.draw_world()
        allocation = self.one(world.organization.allocations)
        seats, dates = self.draw_seats(), self.draw_dates(unit=4)
        starts_at = dates["starts_at"] or allocation.starts_at
        self.act(
            world,
            partial(services.change_allocation, allocation, seats=seats, **dates, actor=TEST),
            change=partial(changes.changing_allocation, allocation, starts_at, dates["ends_at"]),
            writes="allocations",
            refused=ends_before(starts_at, dates["ends_at"]),
        )

    def set_license_policies(self):
        license = self.one(License.objects)
        policies = self.data.draw(st.permutations(in_order(Policy.objects)), "policies")
        default = policies[: self.draw([1, 2, 3, 0], "default")]
        optional = policies[3:][: self.draw([2, 1, 0], "optional")]
        self.act(
            None,
            partial(services.set_license_policies, license, default=default, optional=optional, actor=TEST),
            change=partial(changes.changing_policies, license, default, optional),
            writes="in_licenses chosen",
            refused=not default and license.allocations.exists(),
        )

    # Time, and what cannot be ----------------------------------------------------------------------------------------

    @property
    def now(self):
        return self.clock.at

    def let_time_pass(self):
        self.clock.at += timedelta(hours=self.draw([1, 2, 3], "hours"))
        self.compare(self.worlds.values())

    def use_what_is_foreign(self):
        world = self.draw_world()
        other = next(other for other in self.worlds.values() if other is not world)
        organization = world.organization
        kind = self.draw(ASSIGNABLE, "kind")
        thing, users = self.one(things_of(other, kind)), [world.viewer, self.one(other.organization.users)]
        allocation = self.one(organization.allocations)
        acts = [
            partial(services.assign, allocation, kind=kind, assignees=[thing]),
            partial(directory.deactivate, users),
            partial(directory.reactivate, users),
        ]
        for group in things_of(world, GROUPS)[:1]:
            acts += [partial(service, group, users=users) for service in (directory.join_group, directory.leave_group)]
        for unit in things_of(world, UNITS)[:1]:
            acts += [partial(service, unit, users=users) for service in (directory.place_in_unit, directory.leave_unit)]
            acts += [partial(directory.move_unit, unit, parent=thing)] if kind is UNITS else []
        if kind is UNITS:
            acts.append(partial(directory.create_unit, organization, name="New", parent=thing))
            acts.append(partial(directory.create_user, organization, name="New", unit=thing))
        self.act(world, partial(self.draw(acts, "act"), actor=TEST), refused=True)

    def use_what_is_gone(self):
        world, kind, thing = self.draw(self.gone, "what is gone")
        users, allocation = [world.viewer], self.one(world.organization.allocations)
        acts = {
            None: [
                partial(services.unassign, thing),
                partial(services.set_policies, thing, policies=[]),
                partial(services.set_dates, thing, starts_at=None, ends_at=None),
            ],
            USERS: [partial(services.delete_user, thing)],
            GROUPS: [
                partial(services.delete_group, thing),
                partial(directory.join_group, thing, users=users),
                partial(directory.leave_group, thing, users=users),
            ],
            UNITS: [
                partial(services.delete_unit, thing),
                partial(directory.place_in_unit, thing, users=users),
                partial(directory.move_unit, thing, parent=None),
                partial(directory.create_unit, world.organization, name="New", parent=thing),
            ],
        }[kind]
        if kind:
            acts.append(partial(services.assign, allocation, kind=kind, assignees=[thing]))
        self.act(world, partial(self.draw(acts, "act"), actor=TEST), refused=True)

    def read_pages(self):
        """The Licenses tab of a user, and the seats of a license, as somebody reads them who may see everything."""
        world = self.draw_world()
        oracle, client = self.oracles[world.organization], world.client(world.viewer)
        person, allocation = self.one(world.organization.users), self.one(world.organization.allocations)

        page = read(client.get(f"/users/{person.pk}/licenses/"))
        seats = read(client.get(f"/licenses/{allocation.pk}/seats/")).one(id="seats-use").one("strong").text

        assert shown_on(page) == expected_on_page(world, oracle, person, self.now)
        assert int(seats) == oracle.seats(allocation.pk, self.now)

    # What steps draw, and know ---------------------------------------------------------------------------------------

    def draw(self, things, label=None):
        """Draw one of a list, or by its name one of a dictionary."""
        if not things:
            raise NothingThere
        drawn = self.data.draw(st.sampled_from([*things]), label)
        return things[drawn] if isinstance(things, dict) else drawn

    def one(self, things):
        """Draw one of the things: a list, a manager or a QuerySet."""
        return self.draw(in_order(things))

    def some(self, things, *, at_least=1):
        if not (things := in_order(things)) and at_least:
            raise NothingThere
        few = st.lists(st.sampled_from(things), min_size=at_least, max_size=3, unique=True) if things else st.just([])
        return self.data.draw(few)

    def draw_world(self):
        return self.draw(self.worlds, "world")

    def draw_assignment(self):
        world = self.draw_world()
        return world, self.one(world.organization.assignments.with_assignees().with_license().with_policies())

    def draw_policies(self, license):
        """Draw some that may be chosen with the license; now and then any, which are mostly refused."""
        if self.draw([True] * 5 + [False], "optional ones"):
            return self.some(optional_policies(license), at_least=0)
        return self.some(Policy.objects)

    def draw_seats(self):
        return self.draw([None, 0, 1, 2, 3, 4, 5], "seats")

    def draw_dates(self, *, unit=1):
        """Draw a start and an end, some hours from now or none; unit: how many hours are one."""
        units = {"starts_at": [None, None, -1, 0, 1, 2], "ends_at": [None, None, 0, 1, 2, 3, 4, 5]}
        drawn = {field: self.draw(numbers, f"{field}, from now") for field, numbers in units.items()}
        return {field: n if n is None else self.now + timedelta(hours=n * unit) for field, n in drawn.items()}

    def are_wrong(self, starts_at, ends_at):
        return ends_at is not None and (ends_at <= self.now or ends_before(starts_at, ends_at))

    def exceeds_seats(self, world, allocation, do):
        """Whether more people would be reached than before, and than there are seats: by doing it without a limit."""
        if allocation.seats is None:
            return False
        before = self.oracles[world.organization].counted(allocation.pk, self.now)
        try:
            with transaction.atomic():
                Allocation.objects.filter(pk=allocation.pk).update(seats=None)
                do()
                after = Oracle(world.organization).counted(allocation.pk, self.now)
                raise Undone
        except Undone:
            return len(after) > max(len(before), allocation.seats)

    def is_last_admin_among(self, world, users):
        rows = self.oracles[world.organization].users.items()
        admins = {pk: row["account"] for pk, row in rows if row["role"] == Role.ADMIN and row["is_active"]}
        governing = {pk for pk, account in admins.items() if account} or set(admins)  # who can sign in, else all
        return bool(governing) and governing <= {user.pk for user in users}


def ends_before(starts_at, ends_at):
    return starts_at is not None and ends_at is not None and ends_at <= starts_at


def words_of_refusal(do):
    """Do it, and return the words by which it is refused, or None."""
    try:
        do()
    except ValidationError as refusal:
        return refusal.messages


def verify():
    said = StringIO()
    call_command("check_access", "--verify", stdout=said)
    assert said.getvalue() == "Everything is as it must be.\n"


def things_of(world, kind):
    if kind is ORGANIZATION:
        return [world.organization]
    return in_order(kind.model.objects.filter(organization=world.organization))


def optional_policies(license):
    return [row.policy for row in LicensePolicy.objects.filter(license=license, is_default=False)]


# The test ------------------------------------------------------------------------------------------------------------


def extend(catalogue):
    """Add a second application, and a license of both that nobody has."""
    drive = services.save(Application(provider=catalogue.provider, name="Drive", slug="drive"), actor=TEST)
    names = ("Drive access", "Drive sharing")
    access, sharing = (services.save(Policy(application=drive, name=name), actor=TEST) for name in names)
    suite = services.save(License(provider=catalogue.provider, name="Suite"), actor=TEST)
    services.set_license_policies(suite, default=[access], optional=[sharing, catalogue.export], actor=TEST)
    services.set_license_policies(catalogue.basic, default=[catalogue.reading], optional=[access], actor=TEST)


def begin(slug, catalogue):
    """Build a world in which each kind of assignee has something, seats are few, and two are Admin."""
    world = build_world(slug, catalogue)
    services.change_allocation(world.allocation, seats=3, starts_at=None, ends_at=None, actor=TEST)
    services.change_allocation(world.plain, seats=5, starts_at=None, ends_at=None, actor=TEST)
    account = directory.create_account(email=f"ben@{slug}.example", name="Ben", password="a-long-password", actor=TEST)
    world.person("Ben Admin", role=Role.ADMIN, unit=world.unit, account=account)
    world.assign(world.nobody, policies=[catalogue.export])
    world.assign(world.group, policies=[catalogue.administration])
    world.assign(world.unit)
    world.assign(world.organization, world.plain)
    return world


@pytest.mark.parametrize("part", range(4))
def test_every_history_gives_what_the_specification_says(catalogue, part, on_postgres):
    """In parts, so that workers share them, and because hypothesis begins to repeat itself after ten histories."""
    histories, length = (10, 70) if on_postgres else (4, 35)
    extend(catalogue)
    clock = Clock()
    with mock.patch("django.utils.timezone.now", clock):
        worlds = {slug: begin(slug, catalogue) for slug in ("acme", "globex")}
        Histories.steps = Histories.done = Histories.refused = 0
        begin_history = partial(Histories, worlds, clock)
        run_state_machine_as_test(
            seed(part)(begin_history) if settings.default.derandomize else begin_history,  # or all parts are the same
            settings=settings(
                max_examples=histories,
                stateful_step_count=length,
                print_blob=True,
                suppress_health_check=list(HealthCheck),
                phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink],
            ),
        )
    assert Histories.steps > (500 if on_postgres else 60)
    assert Histories.done > Histories.refused
