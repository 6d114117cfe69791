"""Who may open what: every URL of the project, for everybody there is.

The URLs come from the URL configuration: a URL without a row in the table fails, and so does a row without a URL.
"""

import re
from io import BytesIO
from urllib.parse import quote

import pytest
from django.db import transaction
from django.test import Client
from django.urls import URLResolver, get_resolver, reverse

from directory import services as directory
from directory.imports.running import start_import
from directory.models import User
from licensing import services
from licensing.kinds import KINDS
from licensing.models import ProviderToken
from portal.audit.models import AuditEntry
from tests.reading import everything
from tests.worlds import TEST, license_of

# "No role" to "admin" are of acme, and the URLs name things of acme; "other admin" is the admin of globex. "Staff" is
# of the provider that allocated acme's licenses, "other staff" of another. "Operator": a superuser in no organization.
PEOPLE = ("signed out", "no role", "viewer", "editor", "admin", "other admin", "staff", "other staff", "operator")

OWN_PAGES = """
    directory:group_list directory:organization_detail directory:unit_list directory:suggest_groups
    directory:suggest_people directory:suggest_units licensing:compare licensing:user_list
    audit:activity audit:activity_csv directory:groups_csv directory:units_csv licensing:users_csv
    licensing:licenses_csv licensing:organization_licenses_csv licensing:people_without_license_csv
    directory:invitation_list
    licensing:explain_access licensing:find licensing:first_without_license licensing:license_list
    licensing:organization_licenses licensing:people_without_license licensing:scarce_seats"""
PAGES_OF_THINGS = """
    directory:group_detail directory:unit_detail directory:user_detail directory:user_groups
    directory:group_users_csv directory:unit_users_csv directory:user_groups_csv
    licensing:assignee_licenses_csv licensing:license_assignees_csv
    licensing:assignee_licenses licensing:license_access licensing:license_access_csv licensing:license_assignees
    licensing:license_detail licensing:seats"""
MODALS_OF_THINGS = """
    licensing:add_to_group licensing:add_to_unit licensing:remove_from_group licensing:remove_from_unit
    directory:create_unit_below directory:edit_group directory:edit_unit
    licensing:add_groups licensing:deactivate_user licensing:delete_group licensing:delete_unit licensing:delete_user
    licensing:edit_user licensing:give_what_other_has licensing:move_unit licensing:offboard_user licensing:place_user
    licensing:reactivate_user licensing:change_dates licensing:choose_assignees licensing:choose_license
    licensing:choose_policies licensing:unassign directory:invite_user directory:resend_invitation
    directory:cancel_invitation"""
MODALS_OF_ADMINS = """
    directory:reset_password"""
CREATING = "directory:create_group directory:create_unit"
MODALS = """
    licensing:bulk_assign licensing:bulk_deactivate licensing:bulk_group
    licensing:bulk_reactivate licensing:bulk_unassign licensing:bulk_unit licensing:choose_organization_license"""

IMPORT_PAGES = "imports:upload imports:template"
PAGES_OF_IMPORTS = "imports:import_detail imports:refused"
MODALS_OF_IMPORTS = "imports:confirm imports:cancel"

DECISIONS = """
    authzen:evaluation authzen:evaluations authzen:search_action authzen:search_resource authzen:search_subject"""

ADMIN_LISTS = """
    admin:audit_auditentry_changelist admin:directory_organization_changelist
    admin:directory_organization_add admin:directory_organization_import
    admin:licensing_allocation_changelist admin:licensing_allocation_add admin:licensing_allocation_export
    admin:licensing_staffmember_changelist admin:licensing_staffmember_add
    admin:licensing_application_changelist admin:licensing_application_add
    admin:licensing_license_changelist admin:licensing_license_add
    admin:licensing_policy_changelist admin:licensing_policy_add
    admin:licensing_provider_changelist
    admin:licensing_providertoken_changelist admin:licensing_providertoken_add"""
ADMIN_OBJECTS = """
    admin:audit_auditentry_change admin:directory_organization_change
    admin:licensing_allocation_change admin:licensing_allocation_cancel admin:licensing_allocation_reinstate
    admin:licensing_application_change admin:licensing_application_delete
    admin:licensing_license_change admin:licensing_license_delete
    admin:licensing_policy_change admin:licensing_policy_delete
    admin:licensing_provider_change
    admin:licensing_providertoken_change admin:licensing_providertoken_revoke admin:licensing_providertoken_try
    admin:licensing_staffmember_change admin:licensing_staffmember_delete"""
ADMIN_OF_OPERATOR = """
    admin:directory_account_changelist admin:directory_account_add admin:directory_account_change
    admin:licensing_provider_add"""
ADMIN_NEVER = """
    admin:audit_auditentry_add admin:audit_auditentry_delete admin:directory_account_delete
    admin:directory_organization_delete admin:licensing_allocation_delete admin:licensing_provider_delete
    admin:licensing_providertoken_delete"""
ADMIN_HISTORY = """
    admin:audit_auditentry_history admin:directory_account_history admin:directory_organization_history
    admin:licensing_allocation_history admin:licensing_application_history admin:licensing_license_history
    admin:licensing_policy_history admin:licensing_provider_history admin:licensing_providertoken_history
    admin:licensing_staffmember_history"""

# The statuses stand in the order of PEOPLE.
GET = {
    # the portal
    "licensing:home": "302 302 200 200 200 200 302 302 302",  # who has no role is led to what they may see
    "directory:switch_organization": "302 405 405 405 405 405 405 405 405",
    "licensing:my_access": "302 200 200 200 200 200 403 403 403",
    OWN_PAGES: "302 403 200 200 200 200 403 403 403",
    PAGES_OF_THINGS: "302 403 200 200 200 404 403 403 403",
    f"{MODALS} {CREATING} licensing:bulk_export": "302 403 403 200 200 200 403 403 403",
    "licensing:bulk_leave": "302 403 403 404 404 404 403 403 403",  # of no group
    IMPORT_PAGES: "302 403 403 200 200 200 403 403 403",
    f"{PAGES_OF_IMPORTS} {MODALS_OF_IMPORTS}": "302 403 403 200 200 404 403 403 403",
    "directory:invite_people": "302 403 403 200 200 200 403 403 403",
    MODALS_OF_THINGS: "302 403 403 200 200 404 403 403 403",
    MODALS_OF_ADMINS: "302 403 403 403 200 404 403 403 403",
    "directory:accept_invitation": "404 404 404 404 404 404 404 404 404",  # who has the link, whoever it is; none has
    # for applications, which bring a token: nobody's session counts
    DECISIONS: "405 405 405 405 405 405 405 405 405",
    "authzen:configuration authzen:openapi": "200 200 200 200 200 200 200 200 200",
    "design": "404 404 404 404 404 404 404 404 404",  # in debug only
    # sign-in, and one's own account
    "account_login account_signup": "200 302 302 302 302 302 302 302 302",
    "account_confirm_login_code mfa_authenticate": "302 302 302 302 302 302 302 302 302",  # steps of signing in
    "account_reset_password account_reset_password_done": "200 200 200 200 200 200 200 200 200",
    "account_reset_password_from_key account_reset_password_from_key_done": "200 200 200 200 200 200 200 200 200",
    "account_confirm_email account_email_verification_sent": "200 200 200 200 200 200 200 200 200",
    "account_inactive": "200 200 200 200 200 200 200 200 200",
    "account_logout account_reauthenticate account_email directory:profile": "302 200 200 200 200 200 200 200 200",
    "account_change_password mfa_index usersessions_list": "302 200 200 200 200 200 200 200 200",
    "account_set_password mfa_reauthenticate": "302 302 302 302 302 302 302 302 302",  # not for who has a password
    "mfa_activate_totp mfa_generate_recovery_codes": "302 302 302 302 302 302 302 302 302",  # asks for it again first
    "mfa_deactivate_totp mfa_view_recovery_codes mfa_download_recovery_codes": "302 404 404 404 404 404 404 404 404",
    # the administration: for staff, what is their own provider's; without any object of others, which lead to its index
    "admin:login": "302 403 403 403 403 403 302 302 302",
    "admin:logout": "302 302 302 302 302 302 405 405 405",
    "admin:index admin:app_list admin:jsi18n admin:password_change_done": "302 302 302 302 302 302 200 200 200",
    "admin:password_change": "302 302 302 302 302 302 302 302 302",  # is that of the portal
    "admin:autocomplete": "302 302 302 302 302 302 403 403 403",  # no field is named
    "admin:view_on_site admin:unknown": "302 302 302 302 302 302 404 404 404",
    "admin:object": "302 302 302 302 302 302 302 302 302",  # leads to the page on which it is changed
    ADMIN_LISTS: "302 302 302 302 302 302 200 200 200",
    ADMIN_OBJECTS: "302 302 302 302 302 302 200 302 200",
    ADMIN_OF_OPERATOR: "302 302 302 302 302 302 403 403 200",
    ADMIN_NEVER: "302 302 302 302 302 302 403 403 403",
    ADMIN_HISTORY: "302 302 302 302 302 302 302 302 302",  # leads to the list of acts
}
POST = {
    DECISIONS: "401 401 401 401 401 401 401 401 401",
    "directory:switch_organization": "302 302 302 302 302 404 404 404 404",
    MODALS: "302 403 403 302 302 200 403 403 403",  # 200: what is acme's is refused, or not found
    CREATING: "302 403 403 302 302 302 403 403 403",  # each in their own organization
    MODALS_OF_THINGS: "302 403 403 302 302 404 403 403 403",
    MODALS_OF_IMPORTS: "302 403 403 302 302 404 403 403 403",
    "directory:invite_people": "302 403 403 302 302 302 403 403 403",  # to their own organization
    MODALS_OF_ADMINS: "302 403 403 403 302 404 403 403 403",
    "directory:accept_invitation": "404 404 404 404 404 404 404 404 404",
    "directory:profile": "302 302 302 302 302 302 302 302 302",
    "admin:licensing_allocation_cancel": "302 302 302 302 302 302 302 302 302",
    # 200: for another provider is refused
    "admin:directory_organization_add admin:licensing_application_add": "302 302 302 302 302 302 302 200 302",
    "admin:licensing_allocation_add admin:licensing_staffmember_add": "302 302 302 302 302 302 302 200 302",
}
WRITERS = {
    "authzen": (),
    "licensing": ("editor", "admin"),
    "directory": ("editor", "admin"),
    "imports": ("editor", "admin"),
    "admin": ("staff", "operator"),
    **dict.fromkeys(CREATING.split(), ("editor", "admin", "other admin")),
    "directory:invite_people": ("editor", "admin", "other admin"),
    "directory:reset_password": ("admin",),
    "directory:accept_invitation": (),
    "directory:profile": PEOPLE[1:],
}


# URLs and rows -------------------------------------------------------------------------------------------------------


def walk(resolver, route="", namespace=""):
    """Give (row, route, parameters) of each URL; its row is its name."""
    for pattern in resolver.url_patterns:
        whole = route + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from walk(pattern, whole, f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace)
        else:
            name = namespace + (pattern.name or ("object" if "object_id" in whole else "unknown"))
            parameters = [*pattern.pattern.converters, *pattern.pattern.regex.groupindex]
            yield name, whole, list(dict.fromkeys(parameters))


URLS = list(walk(get_resolver()))


def statuses(table, person):
    """Return {row: status} for the person."""
    position = PEOPLE.index(person)
    return {row: int(line.split()[position]) for rows, line in table.items() for row in rows.split()}


@pytest.fixture
def browsers(acme, globex, catalogue, harbor, operator):
    """Return the function that gives a browser in which the person is signed in."""
    accounts = {
        "signed out": None,
        "no role": acme.nobody.account,
        "viewer": acme.viewer.account,
        "editor": acme.editor.account,
        "admin": acme.admin.account,
        "other admin": globex.admin.account,
        "staff": catalogue.staff,
        "other staff": harbor.staff,
        "operator": operator,
    }

    def browser(person):
        client = Client()
        if accounts[person]:
            client.force_login(accounts[person])
        return client

    return browser


@pytest.fixture
def things(acme, catalogue):
    """The keys that URLs hold, by the first part of the URL and the name of the parameter."""
    directory.place_in_unit(acme.unit, users=[acme.editor], actor=TEST)
    services.create_token(ProviderToken(provider=catalogue.provider, name="CRM"), actor=TEST)
    objects = {
        "audit_auditentry": AuditEntry.objects.filter(target_kind="license").last(),
        "directory_account": acme.viewer.account,
        "directory_organization": acme.organization,
        "licensing_allocation": acme.allocation,
        "licensing_application": catalogue.application,
        "licensing_license": catalogue.professional,
        "licensing_policy": catalogue.reading,
        "licensing_provider": catalogue.provider,
        "licensing_providertoken": ProviderToken.objects.get(),
        "licensing_staffmember": catalogue.provider.staff_members.get(),
    }
    people = BytesIO(b"E-mail,Title\nvic@acme.example,Planner\n")
    pages = ("change", "delete", "history", "cancel", "reinstate", "revoke", "try")
    return {
        ("users", "pk"): acme.nobody.pk,
        ("imports", "pk"): start_import(acme.organization, file=people, name="people.csv", actor=TEST).pk,
        ("directory:invite_user", "pk"): acme.person("Noor", email="noor@acme.example").pk,
        ("invitations", "pk"): acme.invite("tom@acme.example").pk,
        ("invitations", "token"): "no-token",
        ("groups", "pk"): acme.group.pk,
        ("groups", "user"): acme.nobody.pk,
        ("units", "pk"): acme.unit.pk,
        ("units", "user"): acme.editor.pk,
        ("licenses", "allocation"): acme.allocation.pk,
        ("assignments", "pk"): acme.assign(acme.below).pk,
        ("licensing:reactivate_user", "pk"): acme.person("Ina Inactive", is_active=False).pk,
        ("licensing:give_what_other_has", "pk"): acme.viewer.pk,
        ("licensing:give_what_other_has", "other"): acme.nobody.pk,
        ("licensing:delete_unit", "pk"): acme.below.pk,
        ("licensing:move_unit", "pk"): acme.below.pk,
        **{(f"admin:{model}_{page}", "object_id"): thing.pk for model, thing in objects.items() for page in pages},
        ("account_confirm_email", "key"): "no-key",
        ("account_reset_password_from_key", "uidb36"): "1",
        ("account_reset_password_from_key", "key"): "no-key",
        ("admin:view_on_site", "content_type_id"): 1,
        ("admin:view_on_site", "object_id"): 1,
        ("admin:app_list", "app_label"): "licensing",
    }


def urls(things):
    """Return [(row, URL)]; URLs with a kind in them once for each kind."""
    found = [("admin:object", f"/admin/licensing/license/{things['admin:licensing_license_change', 'object_id']}/")]
    found.append(("admin:unknown", "/admin/no/such/page/"))
    for row, route, parameters in URLS:
        if row in ("admin:object", "admin:unknown"):
            continue  # they have no name to reverse
        for kind in KINDS if "kind" in parameters else [None]:
            first = str(kind) if route.startswith("<kind") else route.split("/")[0]
            where = row if first in ("accounts", "admin") else "imports" if row.startswith("imports:") else first
            values = {each: things.get((row, each), things.get((where, each))) for each in parameters}
            found.append((row, reverse(row, kwargs=values | ({"kind": kind} if kind else {}))))
    return found


# The matrix ----------------------------------------------------------------------------------------------------------


def test_every_url_has_a_row_and_every_row_a_url():
    rows = [row for rows in GET for row in rows.split()]

    assert sorted(rows) == sorted({row for row, _, _ in URLS})


@pytest.mark.parametrize("person", PEOPLE)
def test_who_may_open_what(things, browsers, person):
    client, status = browsers(person), statuses(GET, person)
    before = everything()

    answers = {(row, url): client.get(url) for row, url in urls(things)}

    assert {key: answer.status_code for key, answer in answers.items()} == {key: status[key[0]] for key in answers}
    assert everything() == before


def test_who_is_signed_out_is_led_to_sign_in_and_back(things):
    rows = [row for rows in GET for row in rows.split() if ":" in row and not row.startswith("authzen:")]
    rows = [row for row in rows if row not in ("admin:login", "admin:object", "directory:accept_invitation")]
    asked = [url for row, url in urls(things) if row in rows]

    found = {url: Client().get(url).headers["Location"].replace("/admin/login/", "/accounts/login/") for url in asked}

    assert found == {url: f"/accounts/login/?next={url}" for url in asked}
    assert len(asked) > 35


@pytest.mark.parametrize("person", PEOPLE)
def test_who_may_post_what(acme, catalogue, things, browsers, person):
    client, status = browsers(person), statuses(POST, person)
    own, slug = {"provider": catalogue.provider.pk, "name": "New"}, {"slug": "new"}
    new = license_of(catalogue, "New")
    bodies = {
        "admin:directory_organization_add": {**own, **slug, "time_zone": "UTC"},
        "admin:licensing_allocation_add": {"licenses": new.pk, "others": "acme"},
        "admin:licensing_application_add": {**own, **slug, "resource_type": "application"},
        "admin:licensing_staffmember_add": {**own, "email": "new@northlight.example"},
        "directory:switch_organization": {"organization": acme.organization.pk},
        "directory:invite_people": {"people": "new@acme.example"},
        "directory:profile": {"name": "Another Name"},
        "licensing:add_to_group": {"users": acme.viewer.pk},
        "licensing:add_to_unit": {"users": acme.viewer.pk},
        "licensing:change_dates": {"ends_on": "2090-01-01"},
        "directory:create_group": {"name": "New"},
        "directory:create_unit": {"name": "New"},
        "directory:create_unit_below": {"name": "New"},
        "directory:edit_group": {"name": "New"},
        "directory:edit_unit": {"name": "New"},
        "licensing:add_groups": {"groups": directory.create_group(acme.organization, name="Other", actor=TEST).pk},
        "licensing:bulk_deactivate": {"things": acme.viewer.pk},
        "licensing:bulk_group": {"things": acme.viewer.pk, "group": "Support"},
        "licensing:bulk_reactivate": {"things": things["licensing:reactivate_user", "pk"]},
        "licensing:bulk_unit": {"things": acme.viewer.pk, "unit": "Sales"},
        "licensing:edit_user": {"name": "New"},
        "licensing:give_what_other_has": {"groups": acme.group.pk, "unit": "on"},
        "licensing:offboard_user": {"plan": services.plan_of(User.objects.get(pk=acme.nobody.pk)).digest},
        "licensing:place_user": {"unit": "Sales"},
        "licensing:choose_license": {"allocation": acme.plain.pk},
        "licensing:choose_organization_license": {"allocation": acme.plain.pk},
        "licensing:choose_policies": {"policies": acme.allocation.license.optional_policies[0].pk},
    }
    assignees = {"users": acme.viewer.pk, "groups": acme.group.pk, "units": acme.unit.pk}
    other = services.allocate(license_of(catalogue, "Other"), organization=acme.organization, actor=TEST)
    for assignee in (acme.viewer, acme.group, acme.unit):
        acme.assign(assignee, other)
    bulk = {"licensing:bulk_assign": acme.plain.pk, "licensing:bulk_unassign": other.pk}
    before = everything()

    found, changed = {}, {}
    for row, url in urls(things):
        if row in status:
            body = (
                {"assignees": assignees[url.split("/")[3]]} if row == "licensing:choose_assignees" else bodies.get(row)
            )
            if row in bulk:
                body = {"things": assignees[url.split("/")[1]], "allocation": bulk[row]}
            with transaction.atomic():
                found[row, url] = client.post(url, body).status_code
                changed[row, url] = everything() != before
                transaction.set_rollback(True)

    assert found == {key: status[key[0]] for key in found}
    # Whoever may write has written, which shows that the others were refused for who they are.
    assert changed == {
        (row, url): person in (WRITERS.get(row, WRITERS.get(row.split(":")[0])))
        and row != "directory:switch_organization"
        for row, url in found
    }


@pytest.mark.parametrize("person", ["viewer", "admin"])
def test_a_page_that_is_no_form_writes_nothing_when_posted_to(things, browsers, person):
    client, before = browsers(person), everything()
    rows = f"licensing:my_access licensing:home {OWN_PAGES} {PAGES_OF_THINGS}".split()

    for row, url in urls(things):
        if row in rows:
            client.post(url, {"assignees": 1, "policies": 1, "allocation": 1, "users": 1})

    assert everything() == before


# What is not yours does not exist ------------------------------------------------------------------------------------


def comparable(response):
    """Return what an answer says, without what differs from one answer to the next."""
    body = re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "", response.content.decode())
    return response.status_code, [template.name for template in response.templates], re.sub(r"\d+", "#", body)


@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}], ids=["page", "htmx"])
def test_a_thing_of_another_organization_answers_like_one_that_does_not_exist(things, browsers, headers):
    client = browsers("other admin")
    nothing = {key: value + 1_000_000 if isinstance(value, int) else value for key, value in things.items()}
    rows = f"{PAGES_OF_THINGS} {MODALS_OF_THINGS} {MODALS_OF_ADMINS} {PAGES_OF_IMPORTS} {MODALS_OF_IMPORTS}".split()
    pairs = [(a, b) for (row, a), (_, b) in zip(urls(things), urls(nothing), strict=True) if row in rows]

    answers = [
        (comparable(ask(theirs, headers=headers)), comparable(ask(unknown, headers=headers)))
        for theirs, unknown in pairs
        for ask in (client.get, client.post)
    ]

    assert len(answers) == 116
    assert [theirs for theirs, _ in answers] == [unknown for _, unknown in answers]
    assert {theirs[0] for theirs, _ in answers} == {404}


def test_a_thing_of_another_provider_answers_like_one_that_does_not_exist(things, browsers):
    client = browsers("other staff")
    nothing = {key: value + 1_000_000 if isinstance(value, int) else value for key, value in things.items()}
    pairs = [
        (a, b) for (row, a), (_, b) in zip(urls(things), urls(nothing), strict=True) if row in ADMIN_OBJECTS.split()
    ]

    answers = [
        [comparable(ask(url, {"post": "yes"}, follow=True)) for url in pair]
        for pair in pairs
        for ask in (client.get, client.post)
    ]

    assert len(answers) == 34
    assert [theirs for theirs, _ in answers] == [unknown for _, unknown in answers]
    refused = [theirs[0] for theirs, _ in answers if "doesn’t exist. Perhaps it was deleted?" not in theirs[2]]
    assert refused == [403, 403]  # neither acts nor tokens are changed by anybody


@pytest.mark.parametrize("modal", ["choose_policies", "change_dates", "unassign"])
def test_that_an_assignment_was_removed_is_said_to_its_own_organization_only(acme, globex, modal):
    assignment = acme.assign(acme.group)
    url = reverse(f"licensing:{modal}", args=[assignment.pk])
    services.unassign(assignment, actor=TEST)

    assert "the test already unassigned CRM Professional from Support" in acme.client().get(url).content.decode()
    assert acme.client(acme.viewer).get(url).status_code == 403
    assert globex.client().get(url).status_code == 404


@pytest.mark.parametrize("row", ["remove_from_group", "remove_from_unit"])
def test_a_person_of_another_organization_cannot_be_removed_from_ones_own_group_or_unit(acme, globex, row):
    place = acme.group if row == "remove_from_group" else acme.below
    client = acme.client()
    before = everything()

    answer = client.post(reverse(f"licensing:{row}", args=[place.pk, globex.nobody.pk]))

    assert answer.status_code == 404
    assert everything() == before


def foreign_bodies(acme, globex, harbor):
    """Forms of acme filled in with a thing that is not acme's: {case: (URL, body, what is said)}."""
    gone = "A {} you chose is not there any more. Choose again."
    not_here = "This license cannot be assigned here (any more). Choose again."
    not_optional = "A policy you chose is not an optional policy of this license (any more). Choose again."
    own = {"users": acme.viewer, "groups": acme.group, "units": acme.unit}
    foreign = {"users": globex.viewer, "groups": globex.group, "units": globex.unit}
    cases = {}
    for kind in KINDS:
        slug, one = str(kind), kind.one
        to_whom = reverse("licensing:choose_assignees", args=[acme.allocation.pk, kind])
        which = reverse("licensing:choose_license", args=[kind, own[slug].pk])
        both = [own[slug].pk, foreign[slug].pk]
        cases[f"assignee-{slug}"] = to_whom, {"assignees": foreign[slug].pk}, gone.format(one)
        cases[f"assignee-beside-own-{slug}"] = to_whom, {"assignees": both}, gone.format(one)
        cases[f"policy-{slug}"] = to_whom, {"assignees": own[slug].pk, "policies": harbor.sharing.pk}, not_optional
        cases[f"allocation-{slug}"] = which, {"allocation": globex.allocation.pk}, not_here
    everyone = reverse("licensing:choose_organization_license")
    cases["allocation-organization"] = everyone, {"allocation": globex.allocation.pk}, not_here
    manage = reverse("licensing:choose_policies", args=[acme.assign(acme.below).pk])
    cases["policy-of-assignment"] = manage, {"policies": harbor.sharing.pk}, not_optional
    other = directory.create_group(globex.organization, name="Only of the other", actor=TEST)
    directory.create_unit(globex.organization, name="Unit of the other", actor=TEST)
    no_unit = "There is no unit “{}”. Write another name."
    cases["group-of-person"] = (
        reverse("licensing:add_groups", args=[acme.viewer.pk]),
        {"groups": other.pk},
        gone.format("group"),
    )
    give = reverse("licensing:give_what_other_has", args=[acme.viewer.pk, acme.nobody.pk])
    cases["group-of-other"] = give, {"groups": other.pk}, gone.format("group")
    for name, url in {
        "place": reverse("licensing:place_user", args=[acme.viewer.pk]),
        "bulk": reverse("licensing:bulk_unit"),
    }.items():
        cases[f"unit-{name}"] = (
            url,
            {"unit": "unit of the other", "things": acme.viewer.pk},
            no_unit.format("unit of the other"),
        )
    for case, place in [("group", acme.group), ("unit", acme.unit)]:
        url = reverse(f"licensing:add_to_{case}", args=[place.pk])
        cases[f"person-{case}"] = url, {"users": globex.viewer.pk}, gone.format("person")
        cases[f"person-beside-own-{case}"] = url, {"users": [acme.viewer.pk, globex.viewer.pk]}, gone.format("person")
    return cases


def test_ids_of_another_organization_in_a_form_are_refused_at_the_field(acme, globex, harbor):
    cases = foreign_bodies(acme, globex, harbor)
    client, before = acme.client(), everything()

    for case, (url, body, said) in cases.items():
        answer = client.post(url, body)
        assert (case, answer.status_code) == (case, 200)
        assert re.search(rf'role="alert">{re.escape(said)}</p>', answer.content.decode()), case
        assert "Globex" not in answer.content.decode(), case
        assert everything() == before, case


def test_an_organization_that_one_is_not_in_cannot_be_switched_to(acme, globex):
    client = acme.client()

    answer = client.post(reverse("directory:switch_organization"), {"organization": globex.organization.pk})

    assert answer.status_code == 404
    assert "organization_id" not in client.session


# Signed out ----------------------------------------------------------------------------------------------------------


def test_who_is_signed_out_inside_a_dialog_is_led_to_sign_in_and_back_to_the_page_behind(acme):
    behind = f"/licenses/{acme.allocation.pk}/groups/?q=sup"
    modal = reverse("licensing:choose_assignees", args=[acme.allocation.pk, "groups"])
    headers = {"HX-Request": "true", "HX-Current-URL": f"http://testserver{behind}"}

    for ask in (Client().get, Client().post):
        answer = ask(modal, headers=headers)
        assert answer.headers["HX-Redirect"] == f"/accounts/login/?next={quote(behind, safe='')}"
        assert answer.content == b""


def test_a_page_behind_that_is_not_ours_is_not_come_back_to(acme):
    headers = {"HX-Request": "true", "HX-Current-URL": "https://evil.example/licenses/"}

    answer = Client().get(reverse("licensing:license_list"), headers=headers)

    assert answer.headers["HX-Redirect"] == "/accounts/login/?next=%2F"


def test_a_role_that_was_lowered_counts_at_once(acme):
    client, modal = acme.client(acme.editor), reverse("licensing:choose_organization_license")
    assert client.get(modal).status_code == 200

    acme.editor.role = "viewer"
    acme.editor.save()

    assert client.get(modal).status_code == 403
    assert client.get(reverse("licensing:license_list")).status_code == 200


def test_who_was_deactivated_is_out_at_once_though_signed_in(acme):
    client = acme.client()
    assert client.get(reverse("licensing:license_list")).status_code == 200

    acme.admin.is_active = False
    acme.admin.save()

    answer = client.get(reverse("licensing:license_list"))
    assert answer.status_code == 403
    assert "is not an active user of any organization" in answer.content.decode()
