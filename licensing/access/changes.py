"""The changes that can be previewed, each named after what it does and beside the service that makes it."""

from collections import Counter
from dataclasses import replace

from django.db.models import Q, QuerySet

from directory.models import GroupMembership, OrgUnitClosure, User
from licensing.kinds import GROUPS, ORGANIZATION, UNITS, USERS
from licensing.models import Allocation, Assignment, LicensePolicy
from licensing.states import State, state_of

from .previews import (
    ALLOCATION_HELD,
    ALLOCATION_LIVE,
    CHOSEN,
    LICENSE,
    NOTHING,
    OWN_HELD,
    OWN_LIVE,
    POLICY,
    TABLES,
    Change,
    Frame,
    code_of,
    ids,
    listed,
)

MANY = 1000  # things, from which on SQL does not name them one by one
_NO_UNIT = "CAST(NULL AS bigint)"


def assigning(allocation, *, kind, assignees, policies=(), starts_at=None, ends_at=None, at):
    """assign(): the allocation to assignees of one kind; who has it directly already is left out."""
    pks = _pks(assignees)
    existing = allocation.assignments.filter(target_key__in=[kind.target_key(pk) for pk in pks[:MANY]])
    existing = allocation.assignments.of_kind(kind) if len(pks) > MANY else existing
    taken = set(existing.values_list("target_key", flat=True))
    pks = [pk for pk in pks if kind.target_key(pk) not in taken]
    felt_at = max(filter(None, (at, starts_at, allocation.starts_at)))
    people = listed(pks) if kind is USERS else ""
    change = _change([allocation.organization_id], [allocation.pk], at, people=people, gives=True)
    change = replace(change, felt_at=felt_at if felt_at > at else None)
    change = replace(change, seats=change.seats | (change.allocations if change.felt_at else set()))
    grants = [(LICENSE, allocation.pk, "TRUE")] if change.seats else []  # what takes a seat, and gives nothing by then
    if State.LIVE is state_of(None, allocation.ends_at, felt_at) is state_of(None, ends_at, felt_at):
        given = {policy.pk for policy in (*allocation.license.default_policies, *policies)}
        grants = [(LICENSE, allocation.pk, "FALSE"), *((POLICY, pk, "FALSE") for pk in given & change.policies)]
    if not pks or not grants:
        return change
    targets = ["g.id" if kind is other else _NO_UNIT for other in (USERS, GROUPS, UNITS)]
    subjects = ", ".join(f"({code_of(what, pk)}, {later})" for what, pk, later in grants)
    more = f"""SELECT -g.id, s.column1, s.column2, {int(allocation.organization_id)},
        {", ".join(targets)}, {kind is ORGANIZATION} FROM ({listed(pks)}) g CROSS JOIN (VALUES {subjects}) s"""
    return replace(change, after=Frame(more=more))


def unassigning_all(allocation, *, kind, assignees, at):
    """unassign_in_bulk(): the allocation from all assignees of one kind who have it directly."""
    keys = listed(kind.target_key(pk) for pk in _pks(assignees))
    mine = f"(a.allocation_id = {int(allocation.pk)} AND a.target_key IN ({keys}))"
    people = listed(_pks(assignees)) if kind is USERS else ""
    change = _change([allocation.organization_id], [allocation.pk], at, people=people)
    return replace(change, after=Frame(exists=f"NOT {mine}"), takes=True)


def unassigning(assignment, *, at):
    after = Frame(exists=f"a.id <> {int(assignment.pk)}")
    return replace(_of_assignment(assignment, at), after=after, takes=True)


def setting_policies(assignment, policies, *, at):
    """set_policies(): `policies` become the chosen ones."""
    changed = {policy.pk for policy in {*assignment.chosen_policies} ^ {*policies}}
    chosen = f"lp.policy_id IN {ids(policy.pk for policy in policies)}"
    gives = f"(lp.is_default OR CASE WHEN a.id = {int(assignment.pk)} THEN {chosen} ELSE {CHOSEN} END)"
    change = _of_policies(changed, [assignment.organization_id], Frame(gives=gives), at)
    return replace(change, people=_people_of(assignment.kind, [assignment.assignee]))


def setting_dates(assignment, starts_at, ends_at, *, at):
    """set_dates(): the instants become the assignment's own."""
    state = state_of(starts_at, ends_at, at)
    mine = f"CASE WHEN a.id = {int(assignment.pk)} THEN {{}} ELSE ({{}}) END"
    after = Frame(
        live=f"{ALLOCATION_LIVE} AND {mine.format(state is State.LIVE, OWN_LIVE)}",
        held=f"{ALLOCATION_HELD} AND {mine.format(state is not State.ENDED, OWN_HELD)}",
    )
    return replace(_with_all_seats(_of_assignment(assignment, at)), after=after, gives=True, takes=True)


def joining(groups, users, *, at):
    """join_group(), for one or several Groups: who is a member of all of them already is left out."""
    users = _pks(users)
    some = {"user__in": users} if len(users) <= MANY else {}
    members = Counter(GroupMembership.objects.filter(group__in=groups, **some).values_list("user", flat=True))
    users = [pk for pk in users if members[pk] < len(groups)]
    keys = [group.pk for group in groups]
    everybody = f"(a.whole_organization OR coalesce(a.group_id, 0) IN {ids(keys)})"
    after = Frame(everybody=everybody)
    return _change(
        [groups[0].organization_id], _assigned_to(GROUPS, keys), at, people=listed(users), after=after, gives=True
    )


def leaving(group, users, *, at):
    after = Frame(exists=f"coalesce(a.group_id, 0) <> {int(group.pk)}")
    people = listed(_pks(users))
    allocations = _assigned_to(GROUPS, [group.pk])
    return _change([group.organization_id], allocations, at, people=people, after=after, takes=True)


def placing(unit, users, *, groups=(), at):
    """place_in_unit(), or leave_unit() where unit is None; with it, join_groups() of the Groups."""
    above = _above([unit.pk]) if unit else set()
    before = _above(_units_of(users))
    keys = [group.pk for group in groups]
    everybody = f"""(a.whole_organization OR coalesce(a.unit_id, 0) IN {ids(above)}
        OR coalesce(a.group_id, 0) IN {ids(keys)})"""
    after = Frame(unit=_NO_UNIT, everybody=everybody)
    allocations = _assigned_to(UNITS, before | above) | _assigned_to(GROUPS, keys)
    return _of_people(users, allocations, at, after=after, gives=True, takes=True)


def deactivating(users, *, at):
    """deactivate(), delete_user() and offboard(): nothing reaches them."""
    return _of_people(users, _allocated_to(users), at, before=_reaching(users), after=NOTHING, takes=True)


def reactivating(users, *, at):
    """reactivate(): who is active is left out."""
    if isinstance(users, QuerySet):
        users = users.filter(is_active=False)
    else:
        users = [user for user in users if not user.is_active]
    after = _reaching(users)
    return _of_people(users, _allocated_to(users), at, before=NOTHING, after=after, inactive_too=True, gives=True)


def deleting_group(group, *, at):
    members = listed(_pks(group.members.all()))
    after = Frame(exists=f"coalesce(a.group_id, 0) <> {int(group.pk)}")
    allocations = _assigned_to(GROUPS, [group.pk])
    return _change([group.organization_id], allocations, at, people=members, after=after, takes=True)


def deleting_unit(unit, *, at):
    people = listed(_pks(unit.users.all()))
    allocations = _assigned_to(UNITS, _above([unit.pk]))
    return _change([unit.organization_id], allocations, at, people=people, after=Frame(unit=_NO_UNIT), takes=True)


def moving_unit(unit, parent, *, at):
    """move_unit(): with all below it under `parent`, or to the top (None)."""
    old = _above([unit.pk]) - {unit.pk}
    new = _above([parent.pk]) if parent else set()
    below = OrgUnitClosure.objects.filter(ancestor=unit).values("descendant")
    people = listed(_pks(User.objects.filter(unit__in=below)))
    after = Frame(
        unit=f"CASE WHEN a.unit_id IN {ids(old)} THEN NULL ELSE a.unit_id END",
        everybody=f"(a.whole_organization OR coalesce(a.unit_id, 0) IN {ids(new)})",
    )
    allocations = _assigned_to(UNITS, old ^ new)
    return _change([unit.organization_id], allocations, at, people=people, after=after, gives=True, takes=True)


def cancelling(*allocations, at):
    """cancel(), of one or many."""
    after = Frame(exists=f"al.id NOT IN {ids(allocation.pk for allocation in allocations)}")
    return replace(_of_allocations(allocations, at), after=after, takes=True)


def reinstating(*allocations, at):
    """reinstate(), of one or many."""
    return _with_terms({each: (each.starts_at, each.ends_at) for each in allocations}, at)


def changing_allocation(allocation, starts_at, ends_at, *, at):
    """change_allocation(): the instants become its dates. Its seats change nobody's access."""
    return changing_allocations({allocation: (starts_at, ends_at)}, at=at)


def changing_allocations(dates, *, at):
    """change_allocation() of many: {allocation: (starts_at, ends_at)}. Those that are cancelled stay so."""
    return _with_terms({each: instants for each, instants in dates.items() if not each.cancelled_at}, at)


def ending_later(dates, *, at):
    """Give the Changes that changing_allocations() is felt by later only, each at its instant: the new ends to come."""
    for instant in sorted({ends_at for _, ends_at in dates.values() if ends_at and ends_at > at}):
        yield changing_allocations({each: terms for each, terms in dates.items() if terms[1] == instant}, at=instant)


def _with_terms(dates, at):
    """The allocations, not cancelled, with these dates."""
    states = {each.pk: state_of(starts_at, ends_at, at) for each, (starts_at, ends_at) in dates.items()}
    live = _is_one_of([pk for pk, state in states.items() if state is State.LIVE])
    held = _is_one_of([pk for pk, state in states.items() if state is not State.ENDED])
    mine = f"CASE WHEN {_is_one_of(states)} THEN {{}} ELSE {{}} END"
    after = Frame(
        live=f"{mine.format(live, ALLOCATION_LIVE)} AND {OWN_LIVE}",
        held=f"{mine.format(held, ALLOCATION_HELD)} AND {OWN_HELD}",
    )
    return replace(_with_all_seats(_of_allocations(dates, at)), after=after, gives=True, takes=True)


def _is_one_of(allocations):
    return f"al.id IN {ids(allocations)}" if allocations else "FALSE"


def changing_policies(license, default, optional, *, at):
    """set_license_policies(), in every organization that has the license."""
    old = {row.policy_id: row.is_default for row in license.license_policies.all()}
    new = {policy.pk: False for policy in optional} | {policy.pk: True for policy in default}
    changed = {pk for pk in old.keys() | new.keys() if old.get(pk) != new.get(pk)}
    default = {pk for pk, is_default in new.items() if is_default}
    still_chosen = {pk for pk, is_default in new.items() if not is_default and old.get(pk) is False}
    gives = f"""CASE WHEN al.license_id = {int(license.pk)}
        THEN lp.policy_id IN {ids(default)} OR (lp.policy_id IN {ids(still_chosen)} AND {CHOSEN})
        ELSE {Frame.gives} END"""
    added = [
        f"""SELECT a.id, CAST({code_of(POLICY, pk)} AS bigint), FALSE, a.organization_id, a.user_id, a.group_id,
            a.unit_id, a.whole_organization FROM {TABLES} WHERE al.license_id = {int(license.pk)} AND {Frame.live}"""
        for pk in sorted(default - old.keys())
    ]
    organizations = license.allocations.values_list("organization", flat=True)
    return _of_policies(changed, organizations, Frame(gives=gives, more=" UNION ALL ".join(added)), at)


def taking_away(policy, *, at):
    """As if nobody had the Policy: whoever loses it is who has it. For what changes the policy itself."""
    organizations = Allocation.objects.filter(license__policies=policy).values_list("organization", flat=True)
    return _of_policies(
        [policy.pk], organizations, Frame(gives=f"lp.policy_id <> {int(policy.pk)} AND {Frame.gives}"), at
    )


# Whom they concern ---------------------------------------------------------------------------------------------------


def _of_allocations(allocations, at):
    organizations = {allocation.organization_id for allocation in allocations}
    return _change(organizations, [allocation.pk for allocation in allocations], at)


def _of_assignment(assignment, at):
    people = _people_of(assignment.kind, [assignment.assignee])
    return _change([assignment.organization_id], [assignment.allocation_id], at, people=people)


def _people_of(kind, assignees):
    """Return the SQL for whom assignments to these concern, where they are few enough to be named."""
    return listed(_pks(assignees)) if kind is USERS else ""


def _pks(things):
    """Return the keys of things: a list, or a QuerySet where they may be very many."""
    return list(things.values_list("pk", flat=True)) if isinstance(things, QuerySet) else [thing.pk for thing in things]


def _units_of(users):
    if isinstance(users, QuerySet):
        return users.exclude(unit=None).order_by().values_list("unit", flat=True).distinct()
    return {user.unit_id for user in users if user.unit_id}


def _of_policies(policies, organizations, after, at):
    return Change(
        at, frozenset(organizations), frozenset(), policies=frozenset(policies), after=after, gives=True, takes=True
    )


def _of_people(users, allocations, at, **how):
    """A change of Users of one organization (a list, or a QuerySet) that touches the allocations."""
    return _change(_organizations_of(users), allocations, at, people=listed(_pks(users)), **how)


def _reaching(users):
    """Return the Frame of what reaches Users as they are: of few, what is granted to others need not be read."""
    pks = _pks(users[: MANY + 1])
    if len(pks) > MANY:
        return Frame()
    groups = GroupMembership.objects.filter(user__in=pks).values_list("group", flat=True)
    keys = {USERS.target_key(pk) for pk in pks} | {GROUPS.target_key(pk) for pk in groups}
    keys |= {UNITS.target_key(pk) for pk in _above(_units_of(users))}
    keys |= {ORGANIZATION.target_key(pk) for pk in _organizations_of(users)}
    return Frame(exists=f"a.target_key IN {ids(keys)}")


def _organizations_of(users):
    return [user.organization_id for user in users[:1]]


def _change(organizations, allocations, at, **how):
    organizations, allocations = frozenset(organizations), frozenset(allocations)
    given = {}
    rows = LicensePolicy.objects.filter(license__allocations__organization__in=organizations)
    where = "license__allocations", "license__allocations__organization"
    for policy, is_default, allocation, organization in rows.values_list("policy", "is_default", *where):
        given.setdefault((organization, policy), []).append((allocation, is_default))
    policies = frozenset(
        policy
        for (_, policy), by in given.items()
        if allocations.intersection(allocation for allocation, _ in by) and by != [(by[0][0], True)]
    )
    later = Q(starts_at__gt=at) | Q(assignments__starts_at__gt=at)
    seats = Allocation.objects.filter(later, pk__in=allocations).exclude(seats=None).values_list("pk", flat=True)
    return Change(at, organizations, allocations, frozenset(seats), policies, **how)


def _with_all_seats(change):
    return replace(change, seats=change.allocations)


def _allocated_to(users):
    allocations = Allocation.objects.filter(organization__in=_organizations_of(users), cancelled_at=None)
    return allocations.values_list("pk", flat=True)


def _assigned_to(kind, pks):
    """Return the pks of the allocations that are assigned to groups or units."""
    keys = [kind.target_key(pk) for pk in pks]
    return set(Assignment.objects.filter(target_key__in=keys).values_list("allocation", flat=True))


def _above(units):
    """Return the pks of units and of all units above them."""
    return set(OrgUnitClosure.objects.filter(descendant__in=units).values_list("ancestor", flat=True))
