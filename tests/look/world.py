"""Whom pages are visited as, and what they show: Acme of the demo, and two organizations made for looking."""

from datetime import timedelta
from io import BytesIO
from types import SimpleNamespace

from allauth.account.internal.flows.login import AUTHENTICATION_METHODS_SESSION_KEY, record_authentication
from allauth.account.models import EmailAddress
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from django.conf import settings
from django.test import Client
from django.utils import timezone

from directory import services as directory
from directory.imports.running import start_import
from directory.models import Account, Organization
from licensing import services
from licensing.kinds import GROUPS, ORGANIZATION, UNITS, USERS
from licensing.models import Application, License, Policy, Provider, ProviderToken
from portal.audit.log import Actor

LOOK = Actor("command", None, "the look")
PASSWORD = "portal-demo"

# A row for each outcome.
PEOPLE = f"""E-mail;Name;Title;Unit;Groups;Cost centre
noor@acme.example;Noor de Smet;Account director;Sales > Nordics;Support;1
ivo@acme.example;;Planner;;;2
uma@acme.example;Uma Claes;;;;3
pia@acme.example;Pia Peeters;Planner;Sales > Benelux;Account managers;4
kim@acme.example;Kim Nys;;Nordics;;5
{"k" * 60}@acme.example;;;;;6
"""

# As long as a name may be: in words, in one word, from right to left, and in what is not letters.
WORDS = "International coordination of customers, renewals and escalations for Benelux and Nordics".ljust(120, "!")
ONE_WORD = "Warehousing-of-temperature-controlled-goods-at-Antwerp-and-Rotterdam-harbours-night-shift".ljust(120, "0")
ARABIC = "قسم تنسيق الخدمات اللوجستية الدولية وإدارة العملاء والتجديدات في المنطقة الشرقية والغربية والشمالية والجنوبية"
HEBREW = "מחלקת התיאום הבינלאומי של לקוחות (CRM), חידושים והסלמות"
EMOJI = '🚚 Fleet 👩‍👩‍👧‍👦 & <Family> "Ops" 🇧🇪🇳🇱 ✅ ' * 3
NAMES = [WORDS, ONE_WORD, ARABIC, HEBREW, EMOJI.strip()]

# Who signs in, by the name of the folder that the screenshots lie in.
ROLES = {
    "admin": "ada@acme.example",
    "editor": "eva@acme.example",
    "viewer": "vic@acme.example",
    "no-role": "uma@acme.example",
    "two-organizations": "cleo@consult.example",
    "staff": "staff@northlight.example",
    "operator": "operator@portal.example",
    "long-names": "lea@long.example",
    "empty": "emil@empty.example",
    "second-factor": "mia@long.example",
    "no-password": "nico@nowhere.example",  # who is in no organization either
}


def acme():
    """Return what the pages of the demo's Acme are visited with."""
    organization = Organization.objects.get(slug="acme")
    allocations = {allocation.license.name: allocation for allocation in organization.allocations.with_license()}
    group = organization.groups.get(name="Account managers")
    allocation = allocations["CRM Professional"]
    token = ProviderToken(provider=allocation.license.provider, name="CRM, production")
    services.create_token(token, actor=LOOK)
    customer = {"provider": token.provider, "name": "Nobody In Yet", "slug": "nobody-in-yet"}
    invitation, account, cancelled = _invite(organization, "noor@acme.example", "gus@globex.example", "l@x.example")
    directory.cancel_invitation(cancelled, actor=LOOK)
    return SimpleNamespace(
        organization=organization,
        customer=services.create_customer(**customer, actor=LOOK),
        token=token,
        allocation=allocation,
        user=organization.users.get(name="Noor de Smet"),
        group=group,
        unit=organization.units.get(name="Benelux"),
        units=list(organization.units.filter(name__in=["Sales", "Benelux"]).order_by("pk")),
        assignment=allocation.assignments.get(group=group),
        invitation=invitation,
        invited_account=account,
        cancelled=cancelled,
        uninvited=organization.users.get(name="Tom Maes"),
        cleo=organization.users.get(name="Cleo Consult"),
        inactive=organization.users.get(name="Ivo Laurent"),
        unlimited=allocations["Analytics Suite"],
        provider=allocation.license.provider,
        ada=organization.users.get(email=ROLES["admin"]),
        imported=start_import(organization, file=BytesIO(PEOPLE.encode()), name="people.csv", actor=LOOK),
    )


def _invite(organization, *addresses):
    """Invite addresses; returns the Invitations."""
    people = [directory.Invitee(address) for address in addresses]
    invitations = directory.invite(organization, people=people, actor=LOOK).done
    return sorted(invitations, key=lambda each: addresses.index(each.email))


def long_names():
    """Make the organization in which every name is long and every license in another state; returns the same.

    The license that is free is assigned to nobody, and those that are not to everybody, so that there is a choice.
    """
    admin = directory.create_account(email=ROLES["long-names"], name=WORDS, password=PASSWORD, actor=LOOK)
    organization = directory.create_organization(name=ONE_WORD, slug="long", actor=LOOK)
    units = []
    for name in NAMES:  # each below the one before
        units.append(
            directory.create_unit(
                organization, name=name, description=name, parent=units[-1] if units else None, actor=LOOK
            )
        )
    groups = [directory.create_group(organization, name=name, description=name, actor=LOOK) for name in NAMES]

    def person(name, **fields):
        return directory.create_user(organization, name=name, actor=LOOK, **fields)

    person(WORDS, account=admin, email=admin.email, role="admin", title=WORDS, unit=units[0])
    people = [
        person(name, email=f"{ONE_WORD[:60].lower()}.{number}@long.example", title=name, employee_number="9" * 60)
        for number, name in enumerate(NAMES)
    ]
    people.append(person(f"Inactive {ONE_WORD}"[:120], is_active=False))
    directory.place_in_unit(units[-1], users=people, actor=LOOK)
    for group in groups:
        directory.join_group(group, users=people, actor=LOOK)

    licenses, optional = _long_catalogue()
    now, day = timezone.now(), timedelta(days=1)
    allocations = {}
    for state, license in licenses.items():
        allocation = allocations[state] = services.allocate(
            license, organization=organization, seats=8, starts_at=now - 60 * day, actor=LOOK
        )
        for kind, assignees in [(USERS, people[:3]), (GROUPS, groups[:4]), (UNITS, units[:4])] * (state != "free"):
            services.assign(allocation, kind=kind, assignees=assignees, policies=optional, actor=LOOK)
    later = {"starts_at": now + 9 * day, "ends_at": now + 90 * day}
    services.assign(allocations["live"], kind=USERS, assignees=people[3:4], actor=LOOK, **later)
    services.assign(allocations["soon"], kind=ORGANIZATION, assignees=[organization], policies=optional, actor=LOOK)
    for state, seats, starts_in, ends_in in [
        ("over", 3, -60, None), ("scheduled", None, 30, 300), ("soon", None, -60, 6), ("ended", 8, -60, -1)
    ]:  # fmt: skip
        ends_at = ends_in and now + ends_in * day
        services.change_allocation(
            allocations[state], seats=seats, starts_at=now + starts_in * day, ends_at=ends_at, actor=LOOK
        )
    services.cancel(allocations["cancelled"], actor=LOOK)
    removed = allocations["live"].assignments.get(group=groups[3])
    services.unassign(removed, actor=LOOK)
    return SimpleNamespace(
        organization=organization,
        allocation=allocations["live"],
        allocations=allocations,
        user=people[1],
        invitation=_invite(organization, people[2].email)[0],
        uninvited=people[3],
        group=groups[0],
        unit=units[-1],
        units=units,
        assignment=allocations["live"].assignments.get(group=groups[0]),
        removed=removed,
    )


def _long_catalogue():
    """Return ({state: License}, optional policies) of a provider with long names."""
    provider = services.save(Provider(name=WORDS, slug="long"), actor=LOOK)
    policies = []
    for number, name in enumerate(NAMES):
        application = Application(provider=provider, name=name, slug=f"long-{number}", description=name)
        services.save(application, actor=LOOK)
        policies.append(services.save(Policy(application=application, name=name, description=name), actor=LOOK))
    licenses = {}
    states = ("live", "over", "scheduled", "soon", "ended", "cancelled", "free")
    for state, name in zip(states, [*NAMES, WORDS, ONE_WORD], strict=True):
        licenses[state] = License(provider=provider, name=f"{state}: {name}"[:120], description=name)
        services.save(licenses[state], actor=LOOK)
        services.set_license_policies(licenses[state], default=policies[:2], optional=policies[2:], actor=LOOK)
    return licenses, policies[2:]


def others():
    """Make an organization with nothing in it but its admin, and the accounts that are in a state of their own."""
    account = directory.create_account(email=ROLES["empty"], name="Emil Empty", password=PASSWORD, actor=LOOK)
    organization = directory.create_organization(name="Empty", slug="empty", actor=LOOK)
    emil = directory.create_user(organization, name=account.name, account=account, role="admin", actor=LOOK)
    mia = directory.create_account(email=ROLES["second-factor"], name="Mia Factor", password=PASSWORD, actor=LOOK)
    directory.create_user(organization, name=mia.name, account=mia, actor=LOOK)
    TOTP.activate(mia, "A" * 32)
    RecoveryCodes.activate(mia)
    nico = directory.create_account(email=ROLES["no-password"], name="Nico Nowhere", password=PASSWORD, actor=LOOK)
    nico.set_unusable_password()
    nico.save()
    unverified = EmailAddress.objects.create(user=nico, email="nico@elsewhere.example", verified=False, primary=False)
    return SimpleNamespace(organization=organization, emil=emil, mia=mia, unverified=unverified)


def cookies():
    """Sign everybody in, with the password asked for just now: {role: cookie's value}."""
    values = {"anonymous": None}
    for role, email in ROLES.items():
        client, account = Client(), Account.objects.get(email=email)
        client.force_login(account, settings.AUTHENTICATION_BACKENDS[0])
        request = SimpleNamespace(session=client.session)
        record_authentication(request, account, "password", reauthenticated=True)
        request.session[AUTHENTICATION_METHODS_SESSION_KEY][-1]["at"] += (
            86_400  # stays "just now": looking takes longer
        )
        request.session.save()
        values[role] = request.session.session_key
    return values
