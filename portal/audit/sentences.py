"""Audit entries in words. The sentences are made from the data, so that each reader can be told their part of it."""

from datetime import date

from django.utils.html import format_html

from portal.days import write_day
from portal.text import join_words

GAIN, LOSS, OTHER = "+", "−", "·"


def sign_of(entry):
    """Return the ledger's sign: what the act does to access."""
    return _SIGNS.get(entry.verb, OTHER)


def sentence_of(entry):
    """Return what was done as HTML, without who did it: "assigned CRM Professional to group Support"."""
    write = _SENTENCES.get(entry.verb)
    return (
        write(entry, entry.details)
        if write
        else format_html("{1} {0} <b>{2}</b>", *entry.verb.split("."), entry.target_name)
    )


def _days(details):
    start, end = (details.get(key) and write_day(date.fromisoformat(details[key])) for key in ("from", "until"))
    return " ".join(filter(None, [start and f"from {start}", end and f"until {end}"]))


def _assignee(entry, details):
    if details["kind"] == "organization":
        return "the whole organization"
    return format_html(
        "{} <b>{}</b>" if details["kind"] != "user" else "{}<b>{}</b>",
        "" if details["kind"] == "user" else details["kind"],
        entry.target_name,
    )


def _assigned(entry, details):
    chosen = f", with {join_words(details['policies'])}" if details["policies"] else ""
    days = _days(details)
    return format_html(
        "assigned <b>{}</b> to {}{}{}", details["license"], _assignee(entry, details), chosen, days and f", {days}"
    )


def _policies(entry, details):
    parts = [f"added {join_words(details['added'])}"] if details["added"] else []
    parts += [f"removed {join_words(details['removed'])}"] if details["removed"] else []
    return format_html("{} for {} with <b>{}</b>", " and ".join(parts), _assignee(entry, details), details["license"])


def _dates(entry, details):
    return format_html(
        "changed the dates of <b>{}</b> for {}: {}",
        details["license"],
        _assignee(entry, details),
        _days(details) or "no dates of its own",
    )


def _removed(entry, details):
    return format_html("unassigned <b>{}</b> from {}", details["license"], _assignee(entry, details))


def _terms(details):
    seats = (
        "no limit" if details["seats"] is None else "1 seat" if details["seats"] == 1 else f"{details['seats']:,} seats"
    )
    return f"{seats}, {_days(details)}"


def _moved(entry, details):
    where = (details.get("from") or "the top level", details.get("to") or "the top level")
    return format_html("moved unit <b>{}</b> from {} to {}", entry.target_name, *where)


_FIELDS = {
    "name": "name",
    "email": "e-mail address",
    "title": "title",
    "employee_number": "employee number",
    "role": "portal role",
    "description": "description",
    "time_zone": "time zone",
}


def _changed(entry, details):
    """ "changed Ada Jansen: portal role from viewer to editor"; a name is told as it was."""
    parts = [
        f"{_FIELDS[key]} from {details['old'][key] or 'none'} to {new or 'none'}" for key, new in details["new"].items()
    ]
    name = details["old"].get("name") or entry.target_name
    return format_html("changed <b>{}</b>: {}", name, "; ".join(parts))


def _invited(entry, details):
    role = f" as {details['role']}" if details["role"] else ""
    return format_html("invited <b>{}</b> ({}){}", entry.target_name, details["email"], role)


def _password_reset(entry, details):
    if details["stops"]:
        return format_html("reset the password of <b>{}</b>: the old one does not work any more", entry.target_name)
    return format_html("sent <b>{}</b> a link to choose a new password", entry.target_name)


def _license_policies(entry, details):
    words = {
        "added_default": "added {} as default",
        "added_optional": "added {} as optional",
        "now_default": "made {} default",
        "now_optional": "made {} optional",
        "removed": "removed {}",
    }
    parts = [text.format(join_words(details[key])) for key, text in words.items() if details.get(key)]
    return format_html("changed the policies of <b>{}</b>: {}", entry.target_name, "; ".join(parts))


def _about_target(text):
    return lambda entry, details: format_html(text, entry.target_name, **{"group": "", "unit": "", **details})


_SENTENCES = {
    "organization.created": _about_target("created the organization <b>{}</b>"),
    "organization.changed": lambda entry, details: (
        _changed(entry, details) if "new" in details else _about_target("changed <b>{}</b>")(entry, details)
    ),
    "account.created": _about_target("created an account for <b>{}</b>"),
    "account.renamed": lambda entry, details: format_html(
        "changed their name from <b>{}</b> to <b>{}</b>", details["old"], details["new"]
    ),
    "account.password_reset": _password_reset,
    "account.password_changed": _about_target("changed their password"),
    "account.address_confirmed": _about_target("confirmed an e-mail address of their account"),
    "account.address_removed": _about_target("removed an e-mail address from their account"),
    "account.address_changed": _about_target("changed the main e-mail address of their account"),
    "account.second_factor_on": _about_target("turned on the second factor of their account"),
    "account.second_factor_off": _about_target("turned off the second factor of their account"),
    "account.recovery_codes": _about_target("made new recovery codes for their account"),
    "user.invited": _invited,
    "invitation.resent": _about_target("invited <b>{}</b> again, by a mail to {email}"),
    "invitation.cancelled": _about_target("cancelled the invitation of <b>{}</b>"),
    "invitation.accepted": _about_target("accepted the invitation of <b>{}</b>"),
    "user.created": _about_target("added <b>{}</b> to the directory"),
    "user.changed": _changed,
    "user.deactivated": _about_target("deactivated <b>{}</b>"),
    "user.reactivated": _about_target("reactivated <b>{}</b>"),
    "user.deleted": _about_target("deleted <b>{}</b> from the directory"),
    "group.created": _about_target("created group <b>{}</b>"),
    "group.joined": _about_target("added <b>{}</b> to group <b>{group}</b>"),
    "group.left": _about_target("removed <b>{}</b> from group <b>{group}</b>"),
    "group.deleted": _about_target("deleted group <b>{}</b>"),
    "unit.created": _about_target("created unit <b>{}</b>"),
    "unit.joined": _about_target("placed <b>{}</b> in unit <b>{unit}</b>"),
    "unit.left": _about_target("removed <b>{}</b> from unit <b>{unit}</b>"),
    "unit.moved": _moved,
    "unit.deleted": _about_target("deleted unit <b>{}</b>"),
    "assignment.created": _assigned,
    "assignment.policies": _policies,
    "assignment.dates": _dates,
    "assignment.removed": _removed,
    "allocation.created": lambda entry, details: format_html(
        "allocated <b>{}</b>: {}", entry.target_name, _terms(details)
    ),
    "allocation.changed": lambda entry, details: format_html(
        "changed the allocation of <b>{}</b>: {}", entry.target_name, _terms(details)
    ),
    "allocation.cancelled": _about_target("cancelled the allocation of <b>{}</b>"),
    "allocation.reinstated": _about_target("reinstated the allocation of <b>{}</b>"),
    "license.policies": _license_policies,
    "provider.staff": _about_target("changed the staff of <b>{}</b>"),
}
_SIGNS = {
    **dict.fromkeys(
        [
            "user.reactivated",
            "invitation.accepted",
            "group.joined",
            "unit.joined",
            "assignment.created",
            "allocation.created",
            "allocation.reinstated",
        ],
        GAIN,
    ),
    **dict.fromkeys(
        [
            "user.deactivated",
            "user.deleted",
            "invitation.cancelled",
            "group.left",
            "group.deleted",
            "unit.left",
            "unit.deleted",
            "assignment.removed",
            "allocation.cancelled",
        ],
        LOSS,
    ),
}
