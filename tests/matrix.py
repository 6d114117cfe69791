"""Who may open what, as a table: every URL of the project, for everybody there is. Tests ask by it."""

from io import BytesIO

import pytest
from django.test import Client
from django.urls import URLResolver, get_resolver, reverse

from directory import services as directory
from directory.imports.running import start_import
from licensing import services
from licensing.kinds import KINDS
from licensing.models import ProviderToken
from portal.audit.models import AuditEntry
from tests.worlds import TEST, license_of

# "No role" to "admin" are of acme, and the URLs name things of acme; "other admin" is the admin of globex. "Staff" is
# of the provider that allocated acme's licenses, "other staff" of another. "Operator": a superuser in no organization.
PEOPLE = ("signed out", "no role", "viewer", "editor", "admin", "other admin", "staff", "other staff", "operator")

OWN_PAGES = """
    directory:group_list directory:organization_detail directory:unit_list directory:suggest_groups
    directory:suggest_people directory:suggest_units licensing:compare licensing:user_list
    audit:activity audit:activity_csv directory:groups_csv directory:units_csv licensing:users_csv
    licensing:licenses_csv licensing:organization_licenses_csv licensing:people_without_license_csv
    directory:invitation_list directory:invitations_csv
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
    licensing:remove_people_from_group licensing:remove_people_from_unit
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
    licensing:bulk_cancel_invitations licensing:bulk_reactivate licensing:bulk_resend_invitations
    licensing:bulk_unassign licensing:bulk_unit licensing:choose_organization_license"""

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
    admin:audit_auditentry_change admin:directory_organization_change admin:directory_organization_invite
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
    # of no group or unit
    "licensing:bulk_leave licensing:bulk_leave_unit": "302 403 403 404 404 404 403 403 403",
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
    "design_dialog": "404 404 404 404 404 404 404 404 404",
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
    "admin:licensing_allocation_cancel admin:directory_organization_invite": "302 302 302 302 302 302 302 302 302",
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
    old = services.allocate(license_of(catalogue, "Old"), organization=acme.organization, actor=TEST)
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
    customer = {"provider": catalogue.provider, "name": "Nobody In Yet", "slug": "nobody-in-yet"}
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
        ("admin:licensing_allocation_reinstate", "object_id"): services.cancel(old, actor=TEST).pk,
        ("admin:directory_organization_invite", "object_id"): services.create_customer(**customer, actor=TEST).pk,
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
