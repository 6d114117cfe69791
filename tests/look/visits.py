"""Which pages, dialogs and states are visited, and as whom. Django is set up before this is imported."""

from dataclasses import dataclass, replace
from fnmatch import fnmatch

from allauth.account.forms import default_token_generator
from allauth.account.models import EmailConfirmationHMAC
from allauth.account.utils import user_pk_to_url_str
from django.template.loader import render_to_string
from django.urls import reverse

from directory.services import token_of
from licensing.kinds import GROUPS, KINDS, UNITS, USERS
from licensing.models import Application, Policy
from portal.audit.models import AuditEntry
from tests.look import world
from tests.look.acts import (
    choose_first_license,
    end_long_ago,
    from_elsewhere,
    hold_toast,
    next_page,
    open_last_menu,
    open_menu,
    open_sidebar,
    open_switch,
    pick,
    press,
    search,
    sign_in,
    steps,
)
from tests.matrix import ADMIN_LISTS, ADMIN_NEVER, ADMIN_OBJECTS, ADMIN_OF_OPERATOR, URLS

HEIGHTS = {360: 740, 800: 1000, 1280: 800}  # by width
ZOOMED = {"width": 320, "height": 256}  # what is left of 1280 × 1024 at 400 %
# What people see most: looked at by Lighthouse, and at 400 %.
MAIN = ["sign-in", "home", "licenses", "license", "users", "user-licenses", "units", "activity", "organization"]
MAIN += ["assign-users-page"]

NOT_VISITED = {
    "directory:switch_organization": "answers POST only",
    "account_confirm_login_code": "a step of signing in by a code, which is off",
    "mfa_download_recovery_codes": "a text file",
    **dict.fromkeys(["licensing:*_csv", "directory:*_csv", "audit:*_csv"], "a file"),
    **dict.fromkeys(["imports:template", "imports:refused", "licensing:bulk_export"], "a file"),
    "directory:suggest_*": "options for a field",
    "authzen:*": "JSON, for applications",
    "admin:jsi18n": "a script",
    "admin:autocomplete": "JSON",
    "admin:login": "leads to the portal's own",
    "admin:logout": "answers POST only",
    "admin:password_change": "leads to the portal's own",
    "admin:password_change_done": "reached by nothing, the portal's own says it",
    "admin:licensing_allocation_export": "a file",
    "admin:*_history": "leads to the list of acts",
    "admin:view_on_site": "nothing in the administration has a page of its own elsewhere",
    "admin:object": "leads to the page on which the object is changed",
    "admin:unknown": "the administration's 404",
    **dict.fromkeys(ADMIN_NEVER.split(), "403 for everybody"),
}


@dataclass(frozen=True)
class Visit:
    """One page as each of the roles; what it says is compared with what it says to the first of them."""

    name: str
    route: str  # the name of its URL
    path: str
    roles: tuple = ("admin",)
    opens: "Visit | None" = None  # the dialog that is opened in it first
    act: object = None  # called with the page then, brings it into the state that is looked at
    status: int = 200
    leads_on: bool = False  # to another path
    widths: tuple = tuple(HEIGHTS)
    schemes: tuple = ("light", "dark")
    is_ours: bool = True  # else Django's
    in_debug: bool = False  # there in debug only
    is_alone: bool = False  # a dialog that a button opens, and no link
    body: str | None = None  # of a page that no URL gives


def visit(name, route, *arguments, query="", **more):
    """A visit of the URL of that name; arguments may be things, or kinds."""
    arguments = [str(getattr(argument, "pk", argument)) for argument in arguments]
    return Visit(name, route, reverse(route, args=arguments) + query, **more)


def all_visits():
    """Return (every Visit, after making what they need, and sentences about the URLs that were forgotten)."""
    acme, long, others = world.acme(), world.long_names(), world.others()
    acme_dialogs, long_dialogs = dialogs_of(acme), dialogs_of(long)
    of_long = [*pages_of(long), *both_ways(long_dialogs), *states_of_long_names(long, long_dialogs)]
    visits = [
        *(replace(each, roles=("admin", "editor", "viewer")) for each in pages_of(acme)),
        *(replace(each, roles=("admin", "editor")) for each in both_ways(acme_dialogs)),
        *states_of(acme, acme_dialogs),
        # Colors know nothing of length.
        *(replace(each, name=f"long-{each.name}", roles=("long-names",), schemes=("light",)) for each in of_long),
        *empty_lists(others),
        *own_account(),
        *signing_in(acme, others),
        *administration(acme),
    ]
    routes, visited = {row for row, _, _ in URLS}, {each.route for each in visits}
    forgotten = [route for route in routes - visited if not any(fnmatch(route, known) for known in NOT_VISITED)]
    stale = [known for known in NOT_VISITED if not any(fnmatch(route, known) for route in routes)]
    wrong = [f"{route}: tests/look/visits.py has neither a visit nor a reason for none" for route in sorted(forgotten)]
    wrong += [f"{route}, which tests/look/visits.py does not visit, is no URL any more" for route in stale]
    names = [each.name for each in visits]
    assert len(names) == len(set(names)), "two visits have one name"
    return visits, wrong


# An organization -----------------------------------------------------------------------------------------------------


def pages_of(w):
    """The pages of the organization of world w."""
    yield visit("home", "licensing:home")
    yield visit("first-without-license", "licensing:first_without_license")
    yield visit("without-license", "licensing:people_without_license")
    yield visit("scarce-seats", "licensing:scarce_seats")
    yield visit("licenses", "licensing:license_list")
    yield visit("license", "licensing:license_detail", w.allocation)
    yield visit("license-access", "licensing:license_access", w.allocation)
    yield visit("seats", "licensing:seats", w.allocation)
    for kind in KINDS:
        yield visit(f"license-{kind}", "licensing:license_assignees", w.allocation, kind)
    yield visit("users", "licensing:user_list")
    yield visit("user", "directory:user_detail", w.user)
    yield visit("user-groups", "directory:user_groups", w.user)
    yield visit("invitations", "directory:invitation_list")
    yield visit("invited", "directory:user_detail", w.invitation.user)
    yield visit("groups", "directory:group_list")
    yield visit("group", "directory:group_detail", w.group)
    yield visit("units", "directory:unit_list")
    yield visit("units-open", "directory:unit_list", query="?" + "&".join(f"open={unit.pk}" for unit in w.units))
    yield visit("unit", "directory:unit_detail", w.unit)
    yield visit("unit-with-units-below", "directory:unit_detail", w.units[0])
    for kind, thing in [(USERS, w.user), (GROUPS, w.group), (UNITS, w.unit)]:
        yield visit(f"{kind.one}-licenses", "licensing:assignee_licenses", kind, thing)
    yield visit("organization", "directory:organization_detail")
    yield visit("organization-licenses", "licensing:organization_licenses")
    yield visit("activity", "audit:activity")
    yield visit("explain", "licensing:explain_access")
    yield visit("compare", "licensing:compare")
    yield visit("my-access", "licensing:my_access")


def dialogs_of(w):
    """The dialogs of that organization, each opened in a page: {name: Visit}."""

    def tab(kind):
        return "licensing:license_assignees", w.allocation, kind

    home, group, unit = ("licensing:home",), ("directory:group_detail", w.group), ("directory:unit_detail", w.unit)
    user = ("directory:user_detail", w.user)
    dialogs = [
        ("find", home, "licensing:find"),
        ("invite-people", ("licensing:user_list",), "directory:invite_people"),
        ("invite-user", ("directory:user_detail", w.uninvited), "directory:invite_user", w.uninvited),
        ("resend", ("directory:invitation_list",), "directory:resend_invitation", w.invitation),
        ("cancel-invitation", ("directory:invitation_list",), "directory:cancel_invitation", w.invitation),
        ("choose-policies", tab(GROUPS), "licensing:choose_policies", w.assignment),
        ("change-dates", tab(GROUPS), "licensing:change_dates", w.assignment),
        ("unassign", tab(GROUPS), "licensing:unassign", w.assignment),
        ("add-to-group", group, "licensing:add_to_group", w.group),
        ("add-to-unit", unit, "licensing:add_to_unit", w.unit),
        ("remove-people-from-group", group, "licensing:remove_people_from_group", w.group),
        ("remove-people-from-unit", unit, "licensing:remove_people_from_unit", w.unit),
        ("remove-from-group", group, "licensing:remove_from_group", w.group, w.user),
        ("remove-from-unit", unit, "licensing:remove_from_unit", w.unit, w.user),
        ("edit-group", group, "directory:edit_group", w.group),
        ("delete-group", group, "licensing:delete_group", w.group),
        ("create-group", ("directory:group_list",), "directory:create_group"),
        ("create-unit", ("directory:unit_list",), "directory:create_unit"),
        ("create-unit-below", unit, "directory:create_unit_below", w.unit),
        ("edit-unit", unit, "directory:edit_unit", w.unit),
        ("move-unit", unit, "licensing:move_unit", w.unit),
        ("delete-unit", unit, "licensing:delete_unit", w.unit),
        ("edit-user", user, "licensing:edit_user", w.user),
        ("add-groups", user, "licensing:add_groups", w.user),
        ("place-user", user, "licensing:place_user", w.user),
        ("deactivate-user", user, "licensing:deactivate_user", w.user),
        ("offboard-user", user, "licensing:offboard_user", w.user),
        ("delete-user", user, "licensing:delete_user", w.user),
        ("assign-everybody", ("licensing:organization_licenses",), "licensing:choose_organization_license"),
    ]
    for kind, thing in [(USERS, w.user), (GROUPS, w.group), (UNITS, w.unit)]:
        dialogs.append((f"assign-{kind}", tab(kind), "licensing:choose_assignees", w.allocation, kind))
        of_thing = "licensing:assignee_licenses", kind, thing
        dialogs.append((f"choose-{kind.one}-license", of_thing, "licensing:choose_license", kind, thing))
    return {name: visit(name, *behind, opens=visit(f"{name}-page", *dialog)) for name, behind, *dialog in dialogs}


def both_ways(dialogs):
    """Each dialog in its page, and as a page of its own."""
    for each in dialogs.values():
        yield from (each, each.opens)


def states_of(w, dialogs):
    """What the pages of Acme look like when something was done there, or is not there."""

    def state(name, of, *acts, **more):
        return replace(of, name=name, act=steps(*acts), **more)

    groups = visit("", "licensing:license_assignees", w.allocation, GROUPS)
    licenses, policies = visit("", "licensing:license_list"), dialogs["choose-policies"]
    yield state("row-menu", groups, open_menu)
    yield state("row-menu-of-last-row", visit("", "directory:group_detail", w.group), open_last_menu)
    yield state("menu", licenses, open_sidebar, widths=(360, 800))
    yield state("organization-switch", licenses, open_switch, roles=("two-organizations",))
    for of in ("user", "group", "unit"):
        app = "licensing" if of == "user" else "directory"
        yield visit(f"{of}s-none-found", f"{app}:{of}_list", query="?q=xyzzy")
    yield visit("invitations-none-found", "directory:invitation_list", query="?q=xyzzy")
    yield visit("invitations-cancelled", "directory:invitation_list", query="?state=cancelled")
    again = visit("reactivate-user-page", "licensing:reactivate_user", w.inactive)
    yield from (again, visit("reactivate-user", "directory:user_detail", w.inactive, opens=again))
    reset = visit("reset-password-page", "directory:reset_password", w.ada)
    yield from (reset, visit("reset-password-of-somebody", "directory:user_detail", w.ada, opens=reset))
    yield visit("reset-password-shared-page", "directory:reset_password", w.cleo)
    yield visit("reset-password-without-account-page", "directory:reset_password", w.user)
    yield visit("licenses-none-found", "licensing:license_list", query="?q=xyzzy")
    yield visit("license-none-found", "licensing:license_assignees", w.allocation, GROUPS, query="?q=xyzzy")
    yield visit("license-access-none-found", "licensing:license_access", w.allocation, query="?q=xyzzy")
    yield visit("license-access-narrowed", "licensing:license_access", w.allocation, query="?source=groups")
    yield visit("activity-none-found", "audit:activity", query="?q=xyzzy")
    yield visit("without-license-none-found", "licensing:people_without_license", query="?q=xyzzy")
    of = f"what=license-{w.allocation.pk}"
    explained = {
        "who": "?q=a",
        "nobody": "?q=xyzzy",
        "all": f"?user={w.user.pk}",
        "person": f"?user={w.user.pk}&{of}",
        "inactive": f"?user={w.inactive.pk}&{of}",
        "missing": f"?user={w.user.pk}&{of}&action=fly",
    }
    for name, query in explained.items():
        yield visit(f"explain-{name}", "licensing:explain_access", query=query)
    yield visit("users-found", "licensing:user_list", query="?q=ma")
    yield visit("users-narrowed", "licensing:user_list", query=f"?status=active&unit=Sales&license={w.allocation.pk}")
    yield visit("users-no-such-unit", "licensing:user_list", query="?unit=xyzzy")
    yield visit("users-ticked", "licensing:user_list", query="?tick=page")
    yield visit("invitations-ticked", "directory:invitation_list", query="?tick=page")
    yield visit("units-ticked", "directory:unit_list", query="?tick=page")
    both = f"?one=%23{w.user.pk}&other=%23{w.inactive.pk}"
    yield visit("compared", "licensing:compare", query=both)
    yield visit("compare-nobody", "licensing:compare", query="?one=xyzzy")
    give = visit("give-page", "licensing:give_what_other_has", w.inactive, w.user)
    yield from (give, visit("give", "licensing:compare", query=both, opens=give))
    ticked = f"?things={w.user.pk}&things={w.inactive.pk}"
    for act in ("group", "unit", "deactivate", "reactivate"):
        yield visit(f"bulk-{act}", f"licensing:bulk_{act}", query=ticked, is_alone=True)
    of_group = f"{ticked}&query=within%3Dgroup-{w.group.pk}"
    yield visit("bulk-leave", "licensing:bulk_leave", query=of_group, is_alone=True)
    of_unit = f"?things={w.user.pk}&query=within%3Dunit-{w.user.unit_id}"
    yield visit("bulk-leave-unit", "licensing:bulk_leave_unit", query=of_unit, is_alone=True)
    for act in ("assign", "unassign"):
        yield visit(f"bulk-{act}", f"licensing:bulk_{act}", USERS, query=ticked, is_alone=True)
    invited = f"?things={w.invitation.pk}"
    for act in ("resend", "cancel"):
        yield visit(f"bulk-{act}", f"licensing:bulk_{act}_invitations", query=invited, is_alone=True)
    yield visit("bulk-nothing", "licensing:bulk_group", is_alone=True)
    yield visit("units-found", "directory:unit_list", query="?q=e")
    yield state("users-next", visit("", "licensing:user_list"), next_page, leads_on=True)
    yield visit("user-inactive", "licensing:assignee_licenses", USERS, w.inactive)
    yield visit("license-without-limit", "licensing:license_detail", w.unlimited)
    for name, query in [("found", "?q=a"), ("none-found", "?q=xyzzy"), ("assign", "?act=assign"), ("add", "?act=add")]:
        yield visit(f"find-{name}-page", "licensing:find", query=query)
    yield state("find-found", dialogs["find"], search("a"))
    yield state("picked", dialogs["assign-groups"], pick)
    yield state("picked-page", dialogs["assign-users"].opens, pick)
    yield state("picked-people", dialogs["add-to-unit"], pick)
    yield state("picker-none-found", dialogs["assign-groups"], search("xyzzy"))
    yield state("refused", dialogs["assign-groups"], press("Assign License"))
    yield state("refused-page", dialogs["assign-groups"].opens, press("Assign License"))
    yield state("refused-dates", dialogs["change-dates"], end_long_ago, press("Apply"))
    yield state("license-chosen", dialogs["choose-group-license"], choose_first_license)
    yield state("toast", policies, press("Apply"), hold_toast)
    yield state("toast-page", policies.opens, press("Apply"), hold_toast, leads_on=True)
    yield state("organization-switched", policies.opens, from_elsewhere, press("Apply"))
    yield visit("own-home", "licensing:home", roles=("no-role",), leads_on=True)
    yield visit("own-access", "licensing:my_access", roles=("no-role", "two-organizations"))
    yield visit("forbidden", "licensing:license_list", roles=("no-role",), status=403)
    yield visit("not-found", "directory:user_detail", 0, status=404)
    yield visit("no-organization", "licensing:home", roles=("no-password",))
    yield visit("import", "imports:upload")
    yield visit("import-preview", "imports:import_detail", w.imported)
    yield visit("import-none-found", "imports:import_detail", w.imported, query="?q=xyzzy")
    for act in ("confirm", "cancel"):
        dialog = visit(f"import-{act}-page", f"imports:{act}", w.imported)
        yield from (dialog, visit(f"import-{act}", "imports:import_detail", w.imported, opens=dialog))
    yield visit("design", "design", in_debug=True)
    for dialog in ("narrow", "wide"):
        yield visit(f"design-{dialog}", "design_dialog", dialog, in_debug=True)


def states_of_long_names(w, dialogs):
    """Every state of a license, and what opens."""
    for state, allocation in w.allocations.items():
        yield visit(state, "licensing:license_assignees", allocation, GROUPS)
    yield visit("ended-assign-page", "licensing:choose_assignees", w.allocations["ended"], USERS)
    yield visit("row-menu", "licensing:license_assignees", w.allocation, USERS, act=open_menu)
    yield visit("menu", "licensing:license_list", act=open_sidebar, widths=(360, 800))
    yield visit("already-removed", "licensing:unassign", w.removed)
    yield replace(dialogs["assign-users"], name="picked", act=pick)
    yield replace(dialogs["find"], name="found", act=search("a"))


def empty_lists(w):
    """What the lists look like with nothing in them."""
    for name in ("home", "license_list", "user_list", "organization_licenses", "people_without_license", "my_access"):
        yield visit(f"empty-{name.replace('_', '-')}", f"licensing:{name}", roles=("empty",))
    for name in ("invitation_list", "group_list", "unit_list", "organization_detail"):
        yield visit(f"empty-{name.replace('_', '-')}", f"directory:{name}", roles=("empty",))
    yield visit("empty-activity", "audit:activity", roles=("empty",))
    yield visit("empty-user-groups", "directory:user_groups", w.emil, roles=("empty",))
    yield visit("empty-user-licenses", "licensing:assignee_licenses", USERS, w.emil, roles=("empty",))


# An account ----------------------------------------------------------------------------------------------------------


def own_account():
    for route in ("email", "change_password", "logout", "reauthenticate"):
        yield visit(f"account-{route.replace('_', '-')}", f"account_{route}", roles=("admin", "no-role"))
    yield visit("account-profile", "directory:profile", roles=("admin", "no-role", "two-organizations", "no-password"))
    yield visit("account-sessions", "usersessions_list")
    yield visit("account-emails", "account_email", roles=("no-password",))
    yield visit("account-set-password", "account_set_password", roles=("no-password",))
    yield visit("mfa", "mfa_index")
    yield visit("mfa-activate", "mfa_activate_totp")
    for route in ("index", "deactivate_totp", "view_recovery_codes", "generate_recovery_codes", "reauthenticate"):
        yield visit(f"mfa-on-{route.replace('_', '-')}", f"mfa_{route}", roles=("second-factor",))


def signing_in(w, others):
    more = {"roles": ("anonymous",)}
    yield visit("sign-in", "account_login", **more)
    yield visit("sign-in-refused", "account_login", act=sign_in("gus@globex.example", "wrong"), **more)
    second = sign_in(others.mia.email, world.PASSWORD)
    yield Visit("second-factor", "mfa_authenticate", reverse("account_login"), act=second, leads_on=True, **more)
    for route in ("signup", "inactive", "email_verification_sent", "reset_password", "reset_password_done"):
        yield visit(route.replace("_", "-"), f"account_{route}", **more)
    yield visit("reset-password-from-key-done", "account_reset_password_from_key_done", **more)
    yield visit("confirm-email", "account_confirm_email", EmailConfirmationHMAC(others.unverified).key, **more)
    yield visit("confirm-email-late", "account_confirm_email", "no-key", **more)
    user, key = user_pk_to_url_str(w.ada.account), default_token_generator.make_token(w.ada.account)
    yield visit("new-password", "account_reset_password_from_key", user, key, leads_on=True, **more)
    yield visit("join-new", "directory:accept_invitation", token_of(w.invitation), **more)
    yield visit("join-existing", "directory:accept_invitation", token_of(w.invited_account), **more)
    yield visit("join-as-another", "directory:accept_invitation", token_of(w.invitation))
    yield visit("join-cancelled", "directory:accept_invitation", token_of(w.cancelled), status=410, **more)
    yield visit("join-broken", "directory:accept_invitation", "no-token", status=404, **more)
    yield visit("new-password-late", "account_reset_password_from_key", user, "no-key", **more)
    yield Visit("not-here", "", "/no/such/page/", status=404, **more)
    for status in (403, 429, 500):
        page = render_to_string("403_csrf.html" if status == 403 else f"{status}.html")
        yield Visit(f"problem-{status}", "", f"/{status}/", body=page, **more)


def administration(w):
    """Django's administration as a provider's staff; what only the operator may, as the operator."""
    changed = {
        "audit_auditentry": AuditEntry.objects.filter(target_kind="license", provider_id=w.provider.pk).last(),
        "directory_account": w.ada.account,
        "directory_organization": w.organization,
        "licensing_allocation": w.allocation,
        "licensing_application": Application.objects.get(slug="crm"),
        "licensing_license": w.allocation.license,
        "licensing_policy": Policy.objects.get(name="CRM access"),
        "licensing_provider": w.provider,
        "licensing_providertoken": w.token,
        "licensing_staffmember": w.provider.staff_members.first(),
    }
    yield visit("admin-index", "admin:index", roles=("staff", "operator"), is_ours=False)
    yield visit("admin-app", "admin:app_list", "licensing", roles=("staff",), is_ours=False)
    for role, routes in [("staff", f"{ADMIN_LISTS} {ADMIN_OBJECTS}"), ("operator", ADMIN_OF_OPERATOR)]:
        for route in routes.split():
            if route in NOT_VISITED:
                continue
            model, page = route.removeprefix("admin:").rsplit("_", 1)
            thing = w.customer if page == "invite" else changed[model]
            arguments = [] if page in ("changelist", "add", "import") else [thing]
            leads_on = page in ("cancel", "reinstate", "delete")  # where that cannot be done, to its page
            name = f"admin-{model.split('_')[1]}-{page}"
            yield visit(name, route, *arguments, roles=(role,), is_ours=False, leads_on=leads_on)
