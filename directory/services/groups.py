from portal.audit.log import one_act, record
from portal.transactions import one_transaction

from ..models import Group, GroupMembership
from .rules import Outcome, clean, lock, record_move, require_same_organization, split, target, update_place


@one_transaction
def create_group(organization, *, name, description="", actor):
    group = Group(organization=organization, name=name, description=description)
    clean(group)
    group.save()
    record(actor, "group.created", [target(group)], organization_id=organization.pk)
    return group


@one_transaction
def update_group(group, *, actor, **fields):
    """Rename or describe a Group (fields: name, description, or one of them); returns it.

    Raises ValidationError at the name where another has it.
    """
    return update_place(lock(Group, group), fields, actor)


@one_transaction
def join_groups(user, *, groups, actor):
    """Make a User a member of Groups; returns an Outcome of Groups. From now on their licenses reach them."""
    with one_act():
        joined = [
            group for group in sorted(groups, key=lambda g: g.pk) if join_group(group, users=[user], actor=actor).done
        ]
    return Outcome([group for group in groups if group in joined], [group for group in groups if group not in joined])


@one_transaction
def join_group(group, *, users, actor):
    """Make Users members of a Group; returns an Outcome. From now on the group's licenses reach them."""
    require_same_organization(group.organization, users)
    lock(Group, group)  # two joins of one person would meet at the unique pair
    members = set(GroupMembership.objects.filter(group=group, user__in=users).values_list("user_id", flat=True))
    outcome = split(users, lambda user: user.pk in members)
    GroupMembership.objects.bulk_create(
        GroupMembership(organization_id=group.organization_id, group=group, user=user) for user in outcome.done
    )
    record_move(actor, "group.joined", outcome.done, group)
    return outcome


@one_transaction
def leave_group(group, *, users, actor):
    """End the membership of Users in a Group; returns an Outcome."""
    require_same_organization(group.organization, users)
    lock(Group, group)
    memberships = GroupMembership.objects.filter(group=group, user__in=users)
    members = set(memberships.values_list("user_id", flat=True))
    outcome = split(users, lambda user: user.pk not in members)
    memberships.delete()
    record_move(actor, "group.left", outcome.done, group)
    return outcome
