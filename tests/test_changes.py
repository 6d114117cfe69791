"""What would change if: a preview says what is then found. tests/test_histories.py asks it of random changes."""

from datetime import timedelta

import pytest
from django.utils import timezone

from directory import services as directory
from licensing import services
from licensing.access import changes, seats_in_use, sources_of
from licensing.access.previews import affected, count_effects, preview
from licensing.kinds import GROUPS, ORGANIZATION, UNITS, USERS
from licensing.models import Allocation, License
from tests.worlds import TEST

DAY = timedelta(days=1)


def foretold(change, do):
    """Make a change; require that its preview said what happened; return it in words: {"+ CRM Professional": "Ada"}."""
    said, lines = preview(change), {}
    in_numbers = count_effects(change)
    assert [(each.thing, each.numbers) for each in in_numbers.effects] == [
        (each.thing, each.numbers) for each in said.effects
    ]
    assert in_numbers.seats == said.seats
    for effect in said.effects:
        for sign, number in (("+", effect.gains), ("-", effect.loses), ("=", effect.keeps)):
            people = affected(change, effect.thing, sign, limit=1000)
            assert len(people) == number
            if people:
                lines[f"{sign} {effect.thing}"] = ", ".join(person.name.split()[0] for person in people)
    before = has(change.felt_at or now())
    do()
    after = has(change.felt_at or now())
    for thing in {effect.thing for effect in said.effects}:
        for sign, pairs in (("+", after - before), ("-", before - after)):
            names = sorted(user.name.split()[0] for what, user in pairs if what == thing)
            assert sorted(filter(None, lines.get(f"{sign} {thing}", "").split(", "))) == names
    allocations = {what for what, _ in before ^ after if isinstance(what, Allocation)}
    assert allocations <= {effect.thing for effect in said.effects}
    return lines


def has(at):
    """Return who has what at an instant: {(allocation or policy, user)}."""
    pairs = set()
    for allocation in Allocation.objects.select_related("organization"):
        users = list(allocation.organization.users.all())
        for user, sources in zip(users, sources_of(USERS, users, at=at).values(), strict=True):
            for source in filter(lambda source: source.in_effect, sources):
                pairs.add((source.assignment.allocation, user))
                pairs.update((policy, user) for policy, _ in source.policies)
    return pairs


def now():
    return timezone.now()


def assign(world, kind, assignee, *policies, of="allocation", **dates):
    """Assign through the preview; return the assignment."""
    allocation = Allocation.objects.with_license().get(pk=getattr(world, of).pk)
    how = {"kind": kind, "assignees": [assignee], "policies": policies, **dates}
    change = changes.assigning(allocation, **how, at=now())
    world.said = foretold(change, lambda: services.assign(allocation, **how, actor=TEST))
    return assignment(world, kind, assignee, allocation)


def assignment(world, kind, assignee, allocation):
    found = world.organization.assignments.with_assignees().with_license().with_policies()
    return found.get(target_key=kind.target_key(assignee.pk), allocation=allocation)


def test_assigning_says_who_gains_and_who_has_it_already(acme, catalogue):
    assign(acme, GROUPS, acme.group, catalogue.export)
    assert acme.said == {"+ CRM Professional": "Uma", "+ CRM access": "Uma", "+ CRM export": "Uma"}
    assign(acme, ORGANIZATION, acme.organization)
    others = "Ada, Eva, Vic"
    assert acme.said == {
        "+ CRM Professional": others, "= CRM Professional": "Uma", "+ CRM access": others, "= CRM access": "Uma",
    }  # fmt: skip


def test_what_starts_later_is_previewed_as_of_then(acme):
    allocation = Allocation.objects.with_license().get(pk=acme.allocation.pk)
    change = changes.assigning(allocation, kind=UNITS, assignees=[acme.unit], starts_at=now() + DAY, at=now())
    (effect,) = [effect for effect in preview(change).effects if effect.thing == allocation]
    assert (effect.gains, change.felt_at is not None) == (1, True)


def test_unassigning_says_who_keeps_it(acme, catalogue):
    of_group = assign(acme, GROUPS, acme.group, catalogue.export)
    assign(acme, USERS, acme.nobody)
    said = foretold(changes.unassigning(of_group, at=now()), lambda: services.unassign(of_group, actor=TEST))
    assert said == {"= CRM Professional": "Uma", "= CRM access": "Uma", "- CRM export": "Uma"}


def test_a_policy_that_another_license_gives_is_kept(acme):
    of_user = assign(acme, USERS, acme.nobody)
    assign(acme, UNITS, acme.unit, of="plain")
    said = foretold(changes.unassigning(of_user, at=now()), lambda: services.unassign(of_user, actor=TEST))
    assert said == {"- CRM Professional": "Uma", "= CRM access": "Uma"}


def test_setting_policies(acme, catalogue):
    of_group = assign(acme, GROUPS, acme.group, catalogue.export)
    new = [catalogue.administration]
    change = changes.setting_policies(of_group, new, at=now())
    said = foretold(change, lambda: services.set_policies(of_group, policies=new, actor=TEST))
    assert said == {"+ CRM administration": "Uma", "- CRM export": "Uma"}


@pytest.mark.parametrize(("starts_in", "ends_in"), [(1, None), (None, 2), (None, None), (-2, 1)])
def test_setting_dates(acme, starts_in, ends_in):
    of_group = assign(acme, GROUPS, acme.group, starts_at=now() + DAY)
    dates = [days and now() + days * DAY for days in (starts_in, ends_in)]
    change = changes.setting_dates(of_group, *dates, at=now())

    def do():
        services.set_dates(of_group, starts_at=dates[0], ends_at=dates[1], actor=TEST)

    gained = {"+ CRM Professional": "Uma", "+ CRM access": "Uma"}
    assert foretold(change, do) == ({} if starts_in == 1 else gained)


def test_people_who_come_and_go(acme):
    assign(acme, GROUPS, acme.group)
    assign(acme, UNITS, acme.unit, of="plain")
    people = [acme.viewer, acme.editor]
    both = {"+ CRM Professional": "Eva, Vic", "+ CRM access": "Eva, Vic"}
    change = changes.joining([acme.group], people, at=now())
    assert foretold(change, lambda: directory.join_group(acme.group, users=people, actor=TEST)) == both

    people = [acme.viewer, acme.nobody]  # one comes from nowhere, one from the unit below
    change = changes.placing(acme.unit, people, at=now())
    said = foretold(change, lambda: directory.place_in_unit(acme.unit, users=people, actor=TEST))
    assert said == {"+ CRM Basic": "Vic", "= CRM access": "Vic"}

    viewer = acme.organization.users.get(pk=acme.viewer.pk)
    change = changes.placing(None, [viewer], at=now())
    said = foretold(change, lambda: directory.leave_unit(acme.unit, users=[viewer], actor=TEST))
    assert said == {"- CRM Basic": "Vic", "= CRM access": "Vic"}

    change = changes.leaving(acme.group, [acme.viewer], at=now())
    said = foretold(change, lambda: directory.leave_group(acme.group, users=[acme.viewer], actor=TEST))
    assert said == {"- CRM Professional": "Vic", "- CRM access": "Vic"}


def test_who_is_there_already_is_left_out(acme):
    assign(acme, GROUPS, acme.group)
    people = [acme.nobody, acme.viewer]  # the first one is a member, and active
    change = changes.joining([acme.group], people, at=now())
    said = foretold(change, lambda: directory.join_group(acme.group, users=people, actor=TEST))
    assert said == {"+ CRM Professional": "Vic", "+ CRM access": "Vic"}
    directory.deactivate([acme.viewer], actor=TEST)
    people = list(acme.organization.users.filter(pk__in=[acme.nobody.pk, acme.viewer.pk]))
    change = changes.reactivating(people, at=now())
    said = foretold(change, lambda: directory.reactivate(people, actor=TEST))
    assert said == {"+ CRM Professional": "Vic", "+ CRM access": "Vic"}


def test_moving_a_unit(acme):
    assign(acme, UNITS, acme.unit)
    change = changes.moving_unit(acme.below, None, at=now())
    said = foretold(change, lambda: directory.move_unit(acme.below, parent=None, actor=TEST))
    assert said == {"- CRM Professional": "Uma", "- CRM access": "Uma"}
    change = changes.moving_unit(acme.below, acme.unit, at=now())
    said = foretold(change, lambda: directory.move_unit(acme.below, parent=acme.unit, actor=TEST))
    assert said == {"+ CRM Professional": "Uma", "+ CRM access": "Uma"}


def test_the_provider_cancels_and_reinstates(acme):
    assign(acme, GROUPS, acme.group)
    allocation = acme.allocation
    said = foretold(changes.cancelling(allocation, at=now()), lambda: services.cancel(allocation, actor=TEST))
    assert said == {"- CRM Professional": "Uma", "- CRM access": "Uma"}
    allocation.refresh_from_db()
    said = foretold(changes.reinstating(allocation, at=now()), lambda: services.reinstate(allocation, actor=TEST))
    assert said == {"+ CRM Professional": "Uma", "+ CRM access": "Uma"}


def test_the_provider_changes_what_a_license_gives_everywhere(acme, globex, catalogue):
    assign(acme, GROUPS, acme.group, catalogue.export)
    assign(globex, GROUPS, globex.group)
    license = License.objects.prefetch_related("license_policies").get(pk=catalogue.professional.pk)
    default, optional = [catalogue.reading, catalogue.administration], [catalogue.export]
    change = changes.changing_policies(license, default, optional, at=now())

    def do():
        services.set_license_policies(license, default=default, optional=optional, actor=TEST)

    assert foretold(change, do) == {"+ CRM administration": "Uma, Uma"}
    license = License.objects.prefetch_related("license_policies").get(pk=catalogue.professional.pk)
    change = changes.changing_policies(license, [catalogue.reading], [catalogue.administration], at=now())

    def undo():
        services.set_license_policies(
            license, default=[catalogue.reading], optional=[catalogue.administration], actor=TEST
        )

    assert foretold(change, undo) == {"- CRM administration": "Uma, Uma", "- CRM export": "Uma"}


def counted(change, do):
    """Make a change of many; require that what was counted of it happened; return it: [(sign, thing, people, of)]."""
    said = {
        (sign, effect.thing): (effect.numbers[sign], effect.organizations[sign])
        for effect in count_effects(change).effects
        for sign in effect.numbers
    }
    before = has(now())
    do()
    after, found = has(now()), {}
    for sign, pairs in (("+", after - before), ("-", before - after)):
        for thing, user in pairs:
            found.setdefault((sign, thing), []).append(user)
    numbers = {key: (len(users), len({user.organization_id for user in users})) for key, users in found.items()}
    assert said == {key: numbers[key] for key in said}
    assert {key for key in numbers if isinstance(key[1], Allocation)} <= said.keys()
    return sorted((sign, str(thing), *each) for (sign, thing), each in said.items())


def test_the_provider_cancels_reinstates_and_ends_many_at_once(acme, globex):
    assign(acme, GROUPS, acme.group)
    assign(acme, USERS, acme.viewer, of="plain")
    assign(globex, GROUPS, globex.group)
    many = [acme.allocation, globex.allocation, acme.plain]
    Allocation.objects.update(starts_at=now() - 9 * DAY)

    def each(service, **terms):
        for allocation in many:
            service(allocation, **terms, actor=TEST)
            allocation.refresh_from_db()

    lost = [("CRM Basic", 1, 1), ("CRM Professional", 1, 1), ("CRM Professional", 1, 1), ("CRM access", 3, 2)]
    said = counted(changes.cancelling(*many, at=now()), lambda: each(services.cancel))
    assert said == [("-", *line) for line in lost]
    said = counted(changes.reinstating(*many, at=now()), lambda: each(services.reinstate))
    assert said == [("+", *line) for line in lost]
    end = now() - DAY
    change = changes.changing_allocations({allocation: (allocation.starts_at, end) for allocation in many}, at=now())
    assert counted(change, lambda: each(services.change_end, ends_at=end)) == [("-", *line) for line in lost]
    change = changes.reinstating(*many, at=now())
    assert count_effects(change).effects == []


def test_seats_before_and_after(acme):
    services.change_allocation(acme.allocation, seats=10, starts_at=None, ends_at=None, actor=TEST)
    acme.allocation.refresh_from_db()
    later = assign(acme, USERS, acme.viewer, starts_at=now() + DAY)  # takes a seat, has nothing yet
    allocation = Allocation.objects.with_license().get(pk=acme.allocation.pk)
    change = changes.assigning(allocation, kind=ORGANIZATION, assignees=[acme.organization], at=now())
    assert preview(change).seats == {allocation: 3}
    services.assign(allocation, kind=ORGANIZATION, assignees=[acme.organization], actor=TEST)
    assert seats_in_use(allocation, at=now()).used == 4
    assert preview(changes.unassigning(later, at=now())).seats == {allocation: 0}


def test_names_are_paged(acme):
    assign(acme, ORGANIZATION, acme.organization)
    of_all = assignment(acme, ORGANIZATION, acme.organization, acme.allocation)
    change, allocation = changes.unassigning(of_all, at=now()), acme.allocation
    first = affected(change, allocation, "-", limit=3)
    rest = affected(change, allocation, "-", after=first[-1], limit=3)
    assert [person.name.split()[0] for person in first + rest] == ["Ada", "Eva", "Uma", "Vic"]
