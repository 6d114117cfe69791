"""The cast: two organizations with the same names in both, so that a leak shows. Built by the services."""

from dataclasses import dataclass
from types import SimpleNamespace

import pytest
from django.test import Client

from directory import services as directory
from directory.models import Group, Organization, OrgUnit, Role, User
from licensing import services
from licensing.kinds import GROUPS, ORGANIZATION, UNITS, USERS
from licensing.models import Allocation, Application, License, Policy, Provider
from portal.audit.log import Actor

TEST = Actor("command", None, "the test")
PASSWORD = "a-long-password"


@dataclass
class World:
    """An organization, its people (each with an account), a group, a unit with one below it, and two allocations."""

    organization: Organization
    admin: User
    editor: User
    viewer: User
    nobody: User  # no portal role
    group: Group
    unit: OrgUnit
    below: OrgUnit
    allocation: Allocation  # of a license with optional policies
    plain: Allocation  # of a license without any

    def client(self, user=None, **kwargs):
        """A browser in which the user (else the admin) is signed in."""
        client = Client(**kwargs)
        client.force_login((user or self.admin).account)
        return client

    def person(self, name, **fields):
        return directory.create_user(self.organization, name=name, actor=TEST, **fields)

    def invite(self, email, name="", **fields):
        """Invite and return the Invitation."""
        people = [directory.Invitee(email, name)]
        return directory.invite(self.organization, people=people, actor=TEST, **fields).done[0]

    def assign(self, assignee, allocation=None, **terms):
        """Assign and return the Assignment."""
        kind = kind_of(assignee)
        allocation = allocation or self.allocation
        services.assign(allocation, kind=kind, assignees=[assignee], actor=TEST, **terms)
        return allocation.assignments.with_assignees().get(target_key=kind.target_key(assignee.pk))


def kind_of(assignee):
    return {User: USERS, Group: GROUPS, OrgUnit: UNITS, Organization: ORGANIZATION}[type(assignee)]


@pytest.fixture
def catalogue(db):
    """A provider with one application and two licenses; `reading` is default in both, `export` and `admin` optional."""
    account = directory.create_account(
        email="staff@northlight.example", name="Nora North", password=PASSWORD, is_staff=True, actor=TEST
    )
    provider = services.save(Provider(name="Northlight", slug="northlight"), actor=TEST)
    services.add_staff(provider, account=account, is_lead=True, actor=TEST)
    application = services.save(Application(provider=provider, name="CRM", slug="crm"), actor=TEST)
    reading, export, administration = (
        services.save(Policy(application=application, name=name, actions=actions), actor=TEST)
        for name, actions in [("CRM access", ["read"]), ("CRM export", ["export"]), ("CRM administration", [])]
    )
    professional = services.save(License(provider=provider, name="CRM Professional"), actor=TEST)
    services.set_license_policies(professional, default=[reading], optional=[export, administration], actor=TEST)
    basic = services.save(License(provider=provider, name="CRM Basic"), actor=TEST)
    services.set_license_policies(basic, default=[reading], optional=[], actor=TEST)
    return SimpleNamespace(
        provider=provider,
        staff=account,
        application=application,
        reading=reading,
        export=export,
        administration=administration,
        professional=professional,
        basic=basic,
    )


@pytest.fixture
def harbor(db):
    """Another provider, with one of everything; nothing of it is allocated. `sharing` is optional."""
    account = directory.create_account(
        email="staff@harbor.example", name="Hugo Harbor", password=PASSWORD, is_staff=True, actor=TEST
    )
    provider = services.save(Provider(name="Harbor", slug="harbor"), actor=TEST)
    services.add_staff(provider, account=account, is_lead=True, actor=TEST)
    application = services.save(Application(provider=provider, name="Drive", slug="drive"), actor=TEST)
    access, sharing = (
        services.save(Policy(application=application, name=name), actor=TEST) for name in ("Drive access", "Sharing")
    )
    license = services.save(License(provider=provider, name="Drive Business"), actor=TEST)
    services.set_license_policies(license, default=[access], optional=[sharing], actor=TEST)
    return SimpleNamespace(
        staff=account, provider=provider, application=application, policy=access, sharing=sharing, license=license
    )


def license_of(catalogue, name, *, optional=()):
    """A license of the provider with a default policy of its own."""
    default = services.save(Policy(application=catalogue.application, name=f"{name} access"), actor=TEST)
    license = services.save(License(provider=catalogue.provider, name=name), actor=TEST)
    services.set_license_policies(license, default=[default], optional=list(optional), actor=TEST)
    return license


def build_world(slug, catalogue):
    organization = directory.create_organization(name=slug.title(), slug=slug, actor=TEST)
    unit = directory.create_unit(organization, name="Sales", actor=TEST)
    below = directory.create_unit(organization, name="Benelux", parent=unit, actor=TEST)
    group = directory.create_group(organization, name="Support", actor=TEST)

    def member(name, role):
        email = f"{name.split()[0].lower()}@{slug}.example"
        account = directory.create_account(email=email, name=name, password=PASSWORD, actor=TEST)
        return directory.create_user(organization, name=name, email=email, account=account, role=role, actor=TEST)

    world = World(
        organization=organization,
        admin=member("Ada Admin", Role.ADMIN),
        editor=member("Eva Editor", Role.EDITOR),
        viewer=member("Vic Viewer", Role.VIEWER),
        nobody=member("Uma Nobody", ""),
        group=group,
        unit=unit,
        below=below,
        allocation=services.allocate(catalogue.professional, organization=organization, actor=TEST),
        plain=services.allocate(catalogue.basic, organization=organization, actor=TEST),
    )
    directory.join_group(group, users=[world.nobody], actor=TEST)
    directory.place_in_unit(below, users=[world.nobody], actor=TEST)
    return world


@pytest.fixture
def acme(catalogue):
    return build_world("acme", catalogue)


@pytest.fixture
def globex(catalogue):
    return build_world("globex", catalogue)


@pytest.fixture
def operator(db):
    return directory.create_account(
        email="operator@portal.example",
        name="Olaf Operator",
        password=PASSWORD,
        is_staff=True,
        is_superuser=True,
        actor=TEST,
    )
