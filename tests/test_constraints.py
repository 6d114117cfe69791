"""What the database itself refuses, whoever writes: docs/database.md says what holds where."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from directory.models import Account, Group, GroupMembership, Invitation, Organization, OrgUnit, OrgUnitClosure, User
from licensing.models import Allocation, Application, Assignment, AssignmentPolicy, License, LicensePolicy, Policy
from portal.audit.models import AuditEntry


def refused(write):
    """Whether the database refuses the write; also what it looks at only when the transaction ends."""
    try:
        with transaction.atomic():
            write()
            connection.check_constraints()
    except IntegrityError:
        return True
    return False


def assignment(world, **fields):
    return Assignment(
        **{"organization": world.organization, "allocation": world.allocation, "created_by": "x", **fields}
    )


def invitation(world, **fields):
    now = timezone.now()
    return Invitation(
        **{"organization": world.organization, "user": world.nobody, "sent_at": now, "expires_at": now, **fields}
    )


EVERYWHERE = {
    "organizations of one name": lambda w, c: Organization.objects.create(name="ACME", slug="other"),
    "organizations of one slug": lambda w, c: Organization.objects.create(name="Other", slug="acme"),
    "accounts of one address": lambda w, c: Account.objects.create(email="ada@acme.example", name="x"),
    "an account whose address is not lower case": lambda w, c: Account.objects.create(
        email="Ada@acme.example", name="x"
    ),
    "users of one address": lambda w, c: User.objects.create(
        organization=w.organization, name="x", email="ADA@acme.example"
    ),
    "two users of one account in an organization": lambda w, c: User.objects.create(
        organization=w.organization, name="x", account=w.admin.account
    ),
    "a role that does not exist": lambda w, c: User.objects.create(organization=w.organization, name="x", role="king"),
    "groups of one name": lambda w, c: Group.objects.create(organization=w.organization, name="SUPPORT"),
    "a member twice": lambda w, c: GroupMembership.objects.create(
        organization=w.organization, group=w.group, user=w.nobody
    ),
    "units of one name at the top": lambda w, c: OrgUnit.objects.create(organization=w.organization, name="SALES"),
    "units of one name in one parent": lambda w, c: OrgUnit.objects.create(
        organization=w.organization, name="BENELUX", parent=w.unit
    ),
    "a unit in itself": lambda w, c: OrgUnit.objects.filter(pk=w.unit.pk).update(parent=w.unit),
    "a closure row of depth 0 between two units": lambda w, c: OrgUnitClosure.objects.filter(
        ancestor=w.unit, descendant=w.below
    ).update(depth=0),
    "two open invitations of one person": lambda w, c: [invitation(w).save() for _ in range(2)],
    "an invitation both accepted and cancelled": lambda w, c: invitation(
        w, accepted_at=timezone.now(), cancelled_at=timezone.now()
    ).save(),
    "a closure row twice": lambda w, c: OrgUnitClosure.objects.create(
        organization=w.organization, ancestor=w.unit, descendant=w.below, depth=3
    ),
    "applications of one slug": lambda w, c: Application.objects.create(provider=c.provider, name="x", slug="crm"),
    "policies of one name": lambda w, c: Policy.objects.create(application=c.application, name="crm ACCESS"),
    "licenses of one name": lambda w, c: License.objects.create(provider=c.provider, name="crm BASIC"),
    "a policy twice in a license": lambda w, c: LicensePolicy.objects.create(
        license=c.basic, policy=c.reading, is_default=False
    ),
    "a license allocated twice": lambda w, c: Allocation.objects.create(organization=w.organization, license=c.basic),
    "an allocation that ends before it starts": lambda w, c: Allocation.objects.filter(pk=w.plain.pk).update(
        ends_at=datetime(2000, 1, 1, tzinfo=UTC)
    ),
    "seats below zero": lambda w, c: Allocation.objects.filter(pk=w.plain.pk).update(seats=-1),
    "an assignment to nobody": lambda w, c: assignment(w).save(),
    "an assignment to two": lambda w, c: assignment(w, user=w.admin, group=w.group).save(),
    "an assignment to one and to everybody": lambda w, c: assignment(w, unit=w.unit, whole_organization=True).save(),
    "an assignment twice": lambda w, c: [assignment(w, user=w.admin).save() for _ in range(2)],
    "an assignment that ends before it starts": lambda w, c: assignment(
        w, user=w.admin, starts_at=timezone.now(), ends_at=timezone.now() - timedelta(days=1)
    ).save(),
    "a chosen policy that counts as default": lambda w, c: chosen(w, c.export, is_default=True).save(),
    "a chosen policy twice": lambda w, c: [chosen(w, c.export).save() for _ in range(2)],
}


def chosen(world, policy, **fields):
    held = Assignment.objects.get_or_create(
        organization=world.organization, allocation=world.allocation, group=world.group, defaults={"created_by": "x"}
    )[0]
    allocation = world.allocation
    defaults = {"organization": world.organization, "allocation": allocation, "license": allocation.license}
    return AssignmentPolicy(**{**defaults, "assignment": held, "policy": policy, **fields})


@pytest.mark.parametrize("rule", EVERYWHERE)
def test_every_database_refuses(acme, catalogue, rule):
    assert refused(lambda: EVERYWHERE[rule](acme, catalogue))


ON_POSTGRESQL = {
    "a member of another organization's group": lambda a, g, c: GroupMembership.objects.create(
        organization=a.organization, group=g.group, user=a.admin
    ),
    "another organization's user as a member": lambda a, g, c: GroupMembership.objects.create(
        organization=a.organization, group=a.group, user=g.admin
    ),
    "a user in another organization's unit": lambda a, g, c: User.objects.filter(pk=a.admin.pk).update(unit=g.unit),
    "a unit below another organization's": lambda a, g, c: OrgUnit.objects.filter(pk=a.unit.pk).update(parent=g.unit),
    "a closure row between two organizations": lambda a, g, c: OrgUnitClosure.objects.create(
        organization=a.organization, ancestor=g.unit, descendant=a.unit, depth=1
    ),
    "an invitation of another organization's user": lambda a, g, c: invitation(a, user=g.nobody).save(),
    "an assignment of another organization's allocation": lambda a, g, c: assignment(
        a, allocation=g.allocation, user=a.admin
    ).save(),
    "an assignment to another organization's user": lambda a, g, c: assignment(a, user=g.admin).save(),
    "an assignment to another organization's group": lambda a, g, c: assignment(a, group=g.group).save(),
    "an assignment to another organization's unit": lambda a, g, c: assignment(a, unit=g.unit).save(),
    "a chosen policy of another organization's assignment": lambda a, g, c: chosen(
        a, c.export, organization=g.organization
    ).save(),
    "a chosen policy that is default in the license": lambda a, g, c: chosen(a, c.reading).save(),
    "a chosen policy of another license": lambda a, g, c: chosen(a, c.export, license=c.basic).save(),
    "a chosen policy under another allocation": lambda a, g, c: chosen(
        a, c.export, allocation=a.plain, license=c.basic
    ).save(),
    "a chosen policy taken out of the license": lambda a, g, c: (
        chosen(a, c.export).save(),
        LicensePolicy.objects.filter(license=c.professional, policy=c.export).delete(),
    ),
    "a chosen policy made default": lambda a, g, c: (
        chosen(a, c.export).save(),
        LicensePolicy.objects.filter(license=c.professional, policy=c.export).update(is_default=True),
    ),
}


@pytest.mark.postgres
@pytest.mark.parametrize("rule", ON_POSTGRESQL)
def test_postgresql_refuses(acme, globex, catalogue, rule):
    assert refused(lambda: ON_POSTGRESQL[rule](acme, globex, catalogue))


@pytest.mark.postgres
def test_what_was_recorded_stays(acme):
    with pytest.raises(IntegrityError, match="The audit log only grows"), transaction.atomic():
        AuditEntry.objects.update(actor_name="somebody else")
    with pytest.raises(IntegrityError, match="The audit log only grows"), transaction.atomic():
        AuditEntry.objects.all().delete()


def test_target_key_says_who_holds_it(acme):
    keys = {
        acme.assign(assignee).target_key % 4: assignee.pk * 4
        for assignee in (acme.admin, acme.group, acme.unit, acme.organization)
    }
    stored = dict(Assignment.objects.values_list("target_key", "pk"))
    assert {key + base for key, base in keys.items()} == set(stored)


def test_deleting_what_holds_an_assignment_takes_it_along(acme, catalogue):
    for assignee in (acme.admin, acme.group, acme.below):
        acme.assign(assignee, policies=[catalogue.export])
        assignee.delete()
    connection.check_constraints()
    assert not Assignment.objects.exists()
    assert not AssignmentPolicy.objects.exists()
