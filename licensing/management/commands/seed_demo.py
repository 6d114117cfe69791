from datetime import timedelta

from django.core.management.base import BaseCommand
from django.db import transaction
from django.utils import timezone

from directory import services as directory
from directory.models import Organization, Role
from licensing import services as licensing
from licensing.kinds import GROUPS, ORGANIZATION, UNITS, USERS
from licensing.models import Application, License, Policy, Provider
from portal.audit.log import Actor
from portal.days import end_of

PASSWORD = "portal-demo"  # noqa: S105 everybody may know it
SEED = Actor("command", None, "seed_demo")

PROVIDERS = {
    ("Northlight Software", "northlight"): {
        ("CRM", "crm", "Customers, deals and what was said to them."): {
            "CRM access": ("See and change customers and deals", ["read", "write"], "crm-user"),
            "CRM export": ("Download customers and deals", ["export"], ""),
            "CRM administration": ("Everything in CRM, settings included", [], "crm-admin"),
        },
        ("Analytics", "analytics", "Dashboards over all data."): {
            "Analytics viewer": ("Open dashboards", ["view"], "viewer"),
            "Analytics author": ("Build dashboards", ["view", "author"], "author"),
        },
        ("Field Service", "field-service", "Visits, routes and spare parts."): {
            "Field Service access": ("Everything in Field Service", [], ""),
        },
    },
    ("Harbor Cloud", "harbor"): {
        ("Drive", "drive", "Files, shared and in step."): {
            "Drive access": ("Read and write files", ["read", "write"], ""),
            "External sharing": ("Share files with people outside", ["share"], ""),
        },
    },
}
LICENSES = {
    # name: (provider, description, default policies, optional policies)
    "CRM Professional": (
        "northlight",
        "Customers and deals for people who sell.",
        ["CRM access"],
        ["CRM export", "CRM administration"],
    ),
    "Analytics Suite": (
        "northlight",
        "Dashboards for everybody who decides.",
        ["Analytics viewer"],
        ["Analytics author"],
    ),
    "Workplace Bundle": ("northlight", "CRM and Analytics together.", ["CRM access", "Analytics viewer"], []),
    "Field Service": ("northlight", "For people on the road.", ["Field Service access"], []),
    "Drive Business": ("harbor", "Files for the whole company.", ["Drive access"], ["External sharing"]),
}
# Whom the other pages speak of comes first; the rest fills the lists. name, login part, unit, groups
ACME_PEOPLE = [
    ("Ada Jansen", "ada", "Head office", ["Account managers"], Role.ADMIN),
    ("Eva Peeters", "eva", "Head office", [], Role.EDITOR),
    ("Vic Willems", "vic", "Operations", [], Role.VIEWER),
    ("Uma Claes", "uma", "Antwerp", ["Support"], ""),
    ("Noor de Smet", "noor", "Benelux", ["Account managers"], ""),
    ("Tom Maes", "tom", "Warehouse", [], ""),
    ("Ivo Laurent", "ivo", "Sales", ["Account managers"], ""),
]
FIRST = [
    "Anouk",
    "Bram",
    "Celine",
    "Daan",
    "Elise",
    "Femke",
    "Gilles",
    "Hanne",
    "Ilse",
    "Jan",
    "Karel",
    "Lena",
    "Maud",
    "Nils",
    "Odette",
    "Pieter",
    "Quinten",
    "Rosa",
    "Stan",
    "Tess",
    "Ugo",
    "Vera",
    "Wout",
    "Yana",
    "Zoë",
]
LAST = [
    "Aerts",
    "Baert",
    "Claessens",
    "Dubois",
    "Evers",
    "Faes",
    "Goossens",
    "Hermans",
    "Jacobs",
    "Lambert",
    "Mertens",
    "Nijs",
    "Ooms",
    "Pauwels",
    "Renard",
    "Segers",
    "Thys",
    "Vermeulen",
    "Wouters",
]
PLACES = [
    "Head office",
    "Operations",
    "Warehouse",
    "Sales",
    "Benelux",
    "Antwerp",
    "Nordics",
    "Warehouse",
    "Operations",
    None,
]


class Command(BaseCommand):
    help = "Load the demo data: two providers, two organizations. Does nothing once the organization acme exists."

    def handle(self, **options):
        if Organization.objects.filter(slug="acme").exists():
            return
        with transaction.atomic():
            seed()
        self.stdout.write("Demo data loaded.")


def seed():
    accounts = {}

    def account(email, name, **kwargs):
        accounts[email] = directory.create_account(email=email, name=name, password=PASSWORD, actor=SEED, **kwargs)
        return accounts[email]

    account("operator@portal.example", "Portal operator", is_staff=True, is_superuser=True)
    licenses = _catalogue(account)
    acme = directory.create_organization(name="Acme Logistics", slug="acme", time_zone="Europe/Brussels", actor=SEED)
    globex = directory.create_organization(name="Globex", slug="globex", time_zone="Europe/Amsterdam", actor=SEED)
    cleo = account("cleo@consult.example", "Cleo Consult")
    _acme(acme, account, cleo)
    _globex(globex, account, cleo)

    def allocate(name, organization, **terms):
        return licensing.allocate(licenses[name], organization=organization, actor=SEED, **terms)

    with timezone.override(acme.tz):
        year = end_of(timezone.localdate() + timedelta(days=365))
    crm = allocate("CRM Professional", acme, seats=25)
    analytics = allocate("Analytics Suite", acme)
    drive = allocate("Drive Business", acme, ends_at=year)
    allocate("CRM Professional", globex, seats=10)
    allocate("Workplace Bundle", globex)

    ada = Actor("account", accounts["ada@acme.example"].pk, "Ada Jansen")
    policy = {policy.name: policy for policy in Policy.objects.all()}
    for allocation, kind, assignee, policies in [
        (crm, GROUPS, acme.groups.get(name="Account managers"), [policy["CRM export"]]),
        (crm, USERS, acme.users.get(email="ada@acme.example"), [policy["CRM administration"]]),
        (analytics, UNITS, acme.units.get(name="Sales"), []),
        (drive, ORGANIZATION, acme, []),
    ]:
        licensing.assign(allocation, kind=kind, assignees=[assignee], policies=policies, actor=ada)


def _catalogue(account):
    """Create the providers with all they own; return the licenses by name."""
    providers, policies, licenses = {}, {}, {}
    for (name, slug), applications in PROVIDERS.items():
        provider = providers[slug] = licensing.save(
            Provider(
                name=name, slug=slug, contact_email=f"sales@{slug}.example", terms_url=f"https://{slug}.example/terms"
            ),
            actor=SEED,
        )
        staff = account(f"staff@{slug}.example", f"{name} staff", is_staff=True)
        licensing.add_staff(provider, account=staff, is_lead=True, actor=SEED)
        for (app_name, app_slug, description), app_policies in applications.items():
            url = f"https://{app_slug}.example/"
            application = Application(provider=provider, name=app_name, slug=app_slug, description=description, url=url)
            licensing.save(application, actor=SEED)
            for policy_name, (text, actions, role) in app_policies.items():
                policy = Policy(application=application, name=policy_name, description=text, actions=actions, role=role)
                policies[policy_name] = licensing.save(policy, actor=SEED)
    for name, (slug, description, default, optional) in LICENSES.items():
        license = licenses[name] = licensing.save(
            License(provider=providers[slug], name=name, description=description), actor=SEED
        )
        licensing.set_license_policies(
            license,
            default=[policies[policy] for policy in default],
            optional=[policies[policy] for policy in optional],
            actor=SEED,
        )
    return licenses


def _acme(acme, account, cleo):
    units = {}
    for name, parent in [
        ("Head office", None),
        ("Sales", None),
        ("Benelux", "Sales"),
        ("Antwerp", "Benelux"),
        ("Nordics", "Sales"),
        ("Operations", None),
        ("Warehouse", "Operations"),
    ]:
        units[name] = directory.create_unit(acme, name=name, parent=units.get(parent), actor=SEED)
    groups = {
        name: directory.create_group(acme, name=name, description=text, actor=SEED)
        for name, text in [
            ("Account managers", "Whoever looks after customers."),
            ("Support", "First line, all shifts."),
            ("Project Apollo", "The new warehouse in Antwerp, until it opens."),
        ]
    }

    def person(name, login, unit, member_of, role="", **kwargs):
        user = directory.create_user(
            acme, name=name, email=f"{login}@acme.example", unit=units.get(unit), role=role, actor=SEED, **kwargs
        )
        for group in member_of:
            directory.join_group(groups[group], users=[user], actor=SEED)

    for name, login, unit, member_of, role in ACME_PEOPLE:
        has_account = login in ("ada", "eva", "vic", "uma")
        person(
            name,
            login,
            unit,
            member_of,
            role,
            account=account(f"{login}@acme.example", name) if has_account else None,
            is_active=login != "ivo",
        )
    directory.create_user(
        acme,
        name="Cleo Consult",
        email="cleo@consult.example",
        account=cleo,
        role=Role.VIEWER,
        title="Consultant",
        actor=SEED,
    )
    for number in range(52):
        first, last = FIRST[number % len(FIRST)], LAST[(number * 7 + number // len(FIRST)) % len(LAST)]
        member_of = (
            ["Account managers"]
            if number % 5 == 0
            else ["Support"]
            if number % 7 == 0
            else ["Project Apollo"]
            if number % 11 == 0
            else []
        )
        login = f"{first}.{last}".lower().replace("ë", "e")
        person(f"{first} {last}", login, PLACES[number % len(PLACES)], member_of, employee_number=f"A{1000 + number}")


def _globex(globex, account, cleo):
    sales = directory.create_unit(globex, name="Sales", actor=SEED)
    support = directory.create_group(globex, name="Support", actor=SEED)
    gus = account("gus@globex.example", "Gus Globex")
    directory.create_user(
        globex, name="Gus Globex", email="gus@globex.example", account=gus, role=Role.ADMIN, unit=sales, actor=SEED
    )
    directory.create_user(
        globex, name="Cleo Consult", email="cleo@consult.example", account=cleo, role=Role.VIEWER, actor=SEED
    )
    for name in ["Greta Olsen", "Gino Ricci", "Gwen Parker"]:
        login = name.split()[0].lower()
        user = directory.create_user(globex, name=name, email=f"{login}@globex.example", unit=sales, actor=SEED)
        directory.join_group(support, users=[user], actor=SEED)
