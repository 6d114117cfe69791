"""Audit entries in words. The sentences are made from the data, so that each reader can be told their part of it."""

from datetime import date

from django.utils.html import format_html

from portal.days import write_day
from portal.text import count_words, join_words

GAIN, LOSS, OTHER = "+", "−", "·"


def sign_of(entry):
    """Return the ledger's sign: what the act does to access."""
    effects = [*entry.details.get("effects", []), *entry.details.get("later", {}).get("effects", [])]
    signs = {effect["sign"] for effect in effects}
    told = {"+": GAIN, "-": LOSS}[signs.pop()] if len(signs) == 1 else OTHER
    return _SIGNS.get(entry.verb, told)


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


def _seats(details):
    return "no limit" if details["seats"] is None else count_words(details["seats"], "seat", "seats")


def _terms(details):
    return f"{_seats(details)}, {_days(details)}"


def _new_terms(entry, details):
    """ "changed CRM Professional: 20 seats in place of 25, over by 3 then; last day 31 Mar 2027 in place of none"."""
    old, parts = details["old"], []
    if old["seats"] != details["seats"]:
        over = f", over by {details['over']:,} then" if details.get("over") else ""
        parts.append(f"{_seats(details)} in place of {_seats(old)}{over}")
    for key, name in (("from", "first day"), ("until", "last day")):
        if old[key] != details[key]:
            new, before = (each[key] and write_day(date.fromisoformat(each[key])) for each in (details, old))
            parts.append(f"{name} {new or 'none'} in place of {before or 'none'}")
    effects = _effects(details) if old["from"] != details["from"] or old["until"] != details["until"] else ""
    return format_html("changed the allocation of <b>{}</b>: {}{}", entry.target_name, "; ".join(parts), effects)


def _effects(details, otherwise="nobody gained or lost anything"):
    """Say how many people gained and lost what, where that was counted, and what they will lose later."""
    if "effects" not in details:
        return ""
    parts = _told(details["effects"], {"+": "gained", "-": "lost"})
    if later := details.get("later"):
        on = write_day(date.fromisoformat(later["on"]))
        parts += [f"from {on} on {said}" for said in _told(later["effects"], {"-": "can no longer use"})]
    return f"; {join_words(parts) or otherwise}"


def _told(effects, words):
    """words: what is said of each sign."""
    return [
        f"{count_words(each['people'], 'person', 'people')} {words[each['sign']]} {each['what']}" for each in effects
    ]


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


def _in_order(new):
    """Give what changed in the order of the form: PostgreSQL keeps the keys of a JSON object in its own."""
    return [(key, new[key]) for key in _FIELDS if key in new]


def _changed(entry, details):
    """ "changed Ada Jansen: portal role from viewer to editor"; a name is told as it was."""
    old, kind = details["old"], "" if entry.target_kind == "user" else f"{entry.target_kind} "
    parts = [f"{_FIELDS[key]} from {old[key] or 'none'} to {new or 'none'}" for key, new in _in_order(details["new"])]
    return format_html("changed {}<b>{}</b>: {}", kind, old.get("name") or entry.target_name, "; ".join(parts))


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
    added = details.get("added_optional")
    otherwise = f"nobody has {join_words(added)} until it is chosen" if added else "nobody gained or lost anything"
    what = "; ".join(parts) + _effects(details, otherwise)
    return format_html("changed the policies of <b>{}</b>: {}", entry.target_name, what)


_OF_CATALOGUE = {
    "name": "name",
    "slug": "slug",
    "resource_type": "resource type",
    "description": "description",
    "actions": "actions",
    "role": "role in the application",
    "url": "address",
    "contact_email": "contact address",
    "terms_url": "terms",
}


def _catalogue(entry, details):
    """ "changed policy CRM access: actions read and write in place of read; 12 people have it"."""

    def write(value):
        return (join_words(value) or "every action") if isinstance(value, list) else value or "none"

    old, new = details.get("old", {}), details.get("new", {})
    parts = [
        f"{name} {write(new[key])} in place of {write(old[key])}" for key, name in _OF_CATALOGUE.items() if key in new
    ]
    parts += [f"now in {details['application']}"] if details.get("application") else []
    people = details.get("people")
    have = (
        "" if people is None else count_words(people, "person has it", "people have it") if people else "nobody has it"
    )
    what = "; ".join(filter(None, [*parts, have]))
    return format_html(
        "changed {} <b>{}</b>{}{}", entry.target_kind, old.get("name") or entry.target_name, what and ": ", what
    )


def _imported(entry, details):
    parts = [f"{details['created']:,} created", f"{details['changed']:,} changed"]
    parts += [f"{details['refused']:,} refused"] if details["refused"] else []
    return format_html("imported users from <b>{}</b>: {}", entry.target_name, join_words(parts))


def _about_target(text):
    return lambda entry, details: format_html(text, entry.target_name, **{"group": "", "unit": "", **details})


_SENTENCES = {
    "organization.created": _about_target("created the organization <b>{}</b>"),
    "organization.changed": lambda entry, details: (
        _changed(entry, details) if "new" in details else _about_target("changed <b>{}</b>")(entry, details)
    ),
    "organization.invited": _about_target("invited the first Admin of <b>{}</b>"),
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
    "import.done": _imported,
    "group.created": _about_target("created group <b>{}</b>"),
    "group.changed": _changed,
    "group.joined": _about_target("added <b>{}</b> to group <b>{group}</b>"),
    "group.left": _about_target("removed <b>{}</b> from group <b>{group}</b>"),
    "group.deleted": _about_target("deleted group <b>{}</b>"),
    "unit.created": _about_target("created unit <b>{}</b>"),
    "unit.changed": _changed,
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
    "allocation.changed": _new_terms,
    "allocation.cancelled": lambda entry, details: format_html(
        "cancelled the allocation of <b>{}</b>{}", entry.target_name, _effects(details)
    ),
    "allocation.reinstated": lambda entry, details: format_html(
        "reinstated the allocation of <b>{}</b>{}", entry.target_name, _effects(details)
    ),
    "provider.changed": _catalogue,
    "application.changed": _catalogue,
    "license.changed": _catalogue,
    "policy.changed": _catalogue,
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
