"""The lists of the directory as files: each takes what its page shows, and reads it in chunks."""

from collections import defaultdict

from django.utils import timezone

from directory.imports.reading import NAMES
from directory.models import GroupMembership
from directory.trees import people_in_groups, people_of_units, unit_paths, write_path
from portal.days import last_day
from portal.exports import stream_csv
from portal.lists import in_chunks


def export_users(organization, users, *, name=None):
    """Return a response with Users of one Organization, as a file that can be imported again.

    users: a QuerySet of them. name: of the file, if not that of the organization.
    """
    return stream_csv(name or f"{organization} users", [*NAMES.values(), "Status"], _user_rows(users))


def _user_rows(users):
    for chunk in in_chunks(users, "sort_key", "pk"):
        paths = unit_paths({user.unit_id for user in chunk} - {None})
        groups = defaultdict(list)
        memberships = GroupMembership.objects.filter(user__in=[user.pk for user in chunk])
        for user, group in memberships.order_by("group__sort_key").values_list("user", "group__name"):
            groups[user].append(group)
        for user in chunk:
            who = [user.email or "", user.name, user.title, user.employee_number, user.role[:1].upper()]
            where = [write_path(paths[user.unit_id]) if user.unit_id else "", "; ".join(groups[user.pk])]
            yield [*who, *where, "Active" if user.is_active else "Inactive"]


def export_groups(groups, *, name):
    """Return a response with Groups, a QuerySet."""

    def rows():
        for chunk in in_chunks(groups, "sort_key", "pk"):
            people = people_in_groups([group.pk for group in chunk])
            for group in chunk:
                yield [group.name, group.description, people.get(group.pk, 0)]

    return stream_csv(name, ["Group", "Description", "People"], rows())


def export_invitations(invitations, *, name):
    """Return a response with Invitations, a QuerySet that reads their people too."""

    def rows():
        for chunk in in_chunks(invitations, "sent_at", "pk"):
            for each in chunk:
                until = f"{last_day(each.expires_at):%Y-%m-%d}" if each.is_unfinished else ""
                sent = f"{timezone.localdate(each.sent_at):%Y-%m-%d}"
                yield [each.user, each.email, each.state.capitalize(), sent, until, each.invited_by]

    return stream_csv(name, ["User", "E-mail", "State", "Sent", "Good until", "By"], rows())


def export_units(units, *, name):
    """Return a response with OrgUnits, a QuerySet; each with its path."""

    def rows():
        for chunk in in_chunks(units, "sort_key", "pk"):
            pks = [unit.pk for unit in chunk]
            paths, people = unit_paths(pks), people_of_units(pks)
            for unit in chunk:
                here = people[unit.pk]
                yield [unit.name, write_path(paths[unit.pk]), unit.description, here.own, here.all]

    return stream_csv(name, ["Unit", "Path", "Description", "People", "With units below"], rows())
