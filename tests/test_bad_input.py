"""Whatever is sent: no error page, a sentence at the field, nothing written, and what was entered is kept."""

import base64
import json
from urllib.parse import parse_qs

import hypothesis
import pytest
from django.core.exceptions import ValidationError
from django.db import transaction
from django.urls import reverse
from hypothesis import strategies as st

from directory import services as directory
from directory.models import Account, Group, Organization, OrgUnit, User
from licensing import services
from licensing.kinds import KINDS, USERS
from licensing.models import Application, Assignment, License, Policy, Provider, ProviderToken
from portal.audit.models import AuditEntry
from portal.text import one_line, validate_name
from tests.reading import everything, read
from tests.worlds import TEST

HTMX = {"HX-Request": "true"}

# Forms ---------------------------------------------------------------------------------------------------------------

KEYS = {  # that no row has
    "text": "abc",
    "30 digits": "9" * 30,
    "18 digits": "9" * 18,
    "negative": "-1",
    "zero": "0",
    "fraction": "1.5",
    "NUL": "1\x00",
    "only NUL": "\x00",
    "10,000 characters": "a" * 10_000,
    "10,000 digits": "9" * 10_000,
    "not ASCII": "１٢",
    "spaces": "  ",
}
NOT_A_DAY = "This is not a day. Write it as 2027-01-31."
TOO_EARLY, TOO_LATE = "Choose a day after 1 Jan 2000.", "Choose a day before 2200."
DAYS = {
    "text": ("tomorrow", NOT_A_DAY),
    "30 digits": ("9" * 30, NOT_A_DAY),
    "negative": ("-2027-01-01", NOT_A_DAY),
    "NUL": ("2027-01-01\x00", NOT_A_DAY),
    "10,000 characters": ("2" * 10_000, NOT_A_DAY),
    "no such day": ("2027-02-30", NOT_A_DAY),
    "no such month": ("2027-13-01", NOT_A_DAY),
    "first day of all": ("0001-01-01", TOO_EARLY),
    "last day of all": ("9999-12-31", TOO_LATE),
    "day zero": ("0000-00-00", NOT_A_DAY),
    "too early": ("1999-12-31", TOO_EARLY),
    "too late": ("2200-01-01", TOO_LATE),
    "a year of five digits": ("20270-01-01", NOT_A_DAY),
}
NO_LICENSE = "This license cannot be assigned here (any more). Choose again."
NO_POLICY = "A policy you chose is not an optional policy of this license (any more). Choose again."


def gone(one):
    return f"A {one} you chose is not there any more. Choose again."


@pytest.fixture
def forms(acme, catalogue):
    """Every form with what is right for it: {name: (URL, body)}."""
    assignment = acme.assign(acme.below, policies=[catalogue.export])
    own = {"users": acme.viewer.pk, "groups": acme.group.pk, "units": acme.unit.pk}
    terms = {"policies": [catalogue.export.pk], "starts_on": "2090-01-01", "ends_on": "2090-01-31"}
    found = {
        "organization": (reverse("licensing:choose_organization_license"), {"allocation": acme.allocation.pk, **terms}),
        "policies": (reverse("licensing:choose_policies", args=[assignment.pk]), {"policies": []}),
        "dates": (reverse("licensing:change_dates", args=[assignment.pk]), {"starts_on": "", "ends_on": "2090-01-31"}),
        "group": (reverse("licensing:add_to_group", args=[acme.group.pk]), {"users": [acme.viewer.pk]}),
        "unit": (reverse("licensing:add_to_unit", args=[acme.unit.pk]), {"users": [acme.viewer.pk]}),
    }
    for kind in KINDS:
        to_whom = reverse("licensing:choose_assignees", args=[acme.allocation.pk, kind])
        found[f"to {kind}"] = to_whom, {"assignees": [own[str(kind)]], **terms}
        which = reverse("licensing:choose_license", args=[kind, own[str(kind)]])
        found[f"of {kind}"] = which, {"allocation": acme.allocation.pk, **terms}
    return found


FORMS = ["organization", "policies", "dates", "group", "unit"]
FORMS += [f"{side} {kind}" for side in ("to", "of") for kind in KINDS]


def fields_of(form):
    """The fields of a form and what belongs to them: {field: (id of the error, {case: (value, what is said)})}."""
    one = {"to users": "user", "to groups": "group", "to units": "unit"}.get(form, "person")

    def each(said, **more):
        return {**{case: (key, said) for case, key in KEYS.items()}, **more}

    picks = each(gone(one), nothing=(None, f"Choose at least one {one}."), empty=("", gone(one)))
    licenses = each(NO_LICENSE, nothing=(None, "Choose a license."), empty=("", "Choose a license."))
    licenses |= {
        case: (key, "Null characters are not allowed.") for case, (key, _) in licenses.items() if "NUL" in case
    }
    policies = each(NO_POLICY, empty=("", NO_POLICY))
    fields = {
        "assignees": ("pick-error", picks),
        "users": ("pick-error", picks),
        "allocation": ("allocation-error", licenses),
        "policies": ("policies-error", policies),
        "starts_on": ("id_starts_on_error", DAYS),
        "ends_on": ("id_ends_on_error", DAYS),
    }
    names = {
        "policies": ["policies"],
        "dates": ["starts_on", "ends_on"],
        "group": ["users"],
        "unit": ["users"],
    }.get(form) or ["assignees" if form.startswith("to") else "allocation", "policies", "starts_on", "ends_on"]
    return {name: fields[name] for name in names}


def entered(page):
    """What a form holds: {field: [values]}, as a browser would send it."""
    found = {}
    for field in page.one("main").one("form", method="post").all("input"):
        kind, name = field.attributes.get("type", "text"), field.attributes.get("name")
        chosen = kind not in ("checkbox", "radio") or "checked" in field.attributes
        if name and chosen and "disabled" not in field.attributes:
            found.setdefault(name, []).append(field.attributes.get("value", ""))
    return found


def as_lists(body):
    return {name: [str(one) for one in (value if isinstance(value, list) else [value])] for name, value in body.items()}


@pytest.mark.parametrize("form", FORMS)
def test_what_is_wrong_is_said_at_the_field_and_nothing_is_written(acme, forms, form):
    url, right = forms[form]
    client = acme.client()
    before = everything()

    for field, (where, cases) in fields_of(form).items():
        for case, (value, said) in cases.items():
            body = {**right, field: value}
            if value is None:
                del body[field]
            answer = client.post(url, body)
            assert (field, case, answer.status_code) == (field, case, 200)
            page = read(answer)
            found = page.alerts
            if where == "allocation-error":
                found.pop(None, None)  # without a license there are no optional policies either
            assert (field, case, found) == (field, case, {where: said})
            assert any(where in each.attributes.get("aria-describedby", "").split() for each in page.all()), (
                field,
                case,
            )
            kept = {name: values for name, values in as_lists(right).items() if name != field and any(values)}
            if field == "allocation":
                kept.pop("policies", None)  # they belong to the license
            assert kept.items() <= entered(page).items(), (field, case)
    assert everything() == before


@pytest.mark.parametrize("form", FORMS)
def test_what_is_right_goes_through(acme, forms, form):
    """The bodies that the other tests spoil."""
    url, right = forms[form]
    before = AuditEntry.objects.count()

    assert acme.client().post(url, right).status_code == 302

    assert AuditEntry.objects.count() > before


@pytest.mark.parametrize("form", [form for form in FORMS if "starts_on" in fields_of(form)])
@pytest.mark.parametrize(
    ("starts_on", "ends_on", "said"),
    [
        ("2090-02-01", "2090-01-31", "The last day is before the first. Choose a later one."),
        ("", "2001-01-01", "This day has passed. Choose today or later."),
        ("2000-01-01", "2001-01-01", "This day has passed. Choose today or later."),
    ],
    ids=["end before start", "past end", "all of it past"],
)
def test_days_that_do_not_fit_together_are_refused_at_the_last(acme, forms, form, starts_on, ends_on, said):
    url, right = forms[form]
    client = acme.client()
    before = everything()

    page = read(client.post(url, {**right, "starts_on": starts_on, "ends_on": ends_on}))

    assert page.alerts == {"id_ends_on_error": said}
    kept = entered(page)
    assert (kept["starts_on"], kept["ends_on"]) == ([starts_on], [ends_on])
    assert everything() == before


@pytest.mark.parametrize(("starts_on", "ends_on"), [("2000-01-01", "2199-12-31"), ("2199-12-31", "2199-12-31")])
def test_the_outermost_days_can_be_entered(acme, starts_on, ends_on):
    assignment = acme.assign(acme.group)
    client = acme.client()

    client.post(f"/assignments/{assignment.pk}/dates/", {"starts_on": starts_on, "ends_on": ends_on})

    kept = entered(read(client.get(f"/assignments/{assignment.pk}/dates/")))
    assert (kept["starts_on"], kept["ends_on"]) == ([starts_on], [ends_on])
    assert client.get(f"/licenses/{acme.allocation.pk}/groups/").status_code == 200


def test_what_was_deleted_meanwhile_is_said_and_the_rest_stays_ticked(acme):
    group = directory.create_group(acme.organization, name="Going", actor=TEST)
    url = reverse("licensing:choose_assignees", args=[acme.allocation.pk, "groups"])
    pk = group.pk
    group.delete()

    page = read(acme.client().post(url, {"assignees": [pk, acme.group.pk]}))

    assert page.alerts == {"pick-error": gone("group")}
    assert entered(page)["assignees"] == [str(acme.group.pk)]
    assert Assignment.objects.count() == 0


def test_who_was_deactivated_meanwhile_is_refused_at_the_field(acme):
    away = acme.person("Away", is_active=False)
    client = acme.client()
    for url, field, one in [
        (reverse("licensing:choose_assignees", args=[acme.allocation.pk, USERS]), "assignees", "user"),
        (reverse("licensing:add_to_group", args=[acme.group.pk]), "users", "person"),
        (reverse("licensing:add_to_unit", args=[acme.unit.pk]), "users", "person"),
    ]:
        before = everything()
        assert read(client.post(url, {field: away.pk})).alerts == {"pick-error": gone(one)}
        assert everything() == before


def test_a_license_that_was_cancelled_meanwhile_is_refused_at_the_field(acme):
    services.cancel(acme.allocation, actor=TEST)
    url = reverse("licensing:choose_license", args=["groups", acme.group.pk])

    page = read(acme.client().post(url, {"allocation": acme.allocation.pk}))

    assert page.alerts == {"allocation-error": NO_LICENSE}
    assert Assignment.objects.count() == 0


def test_an_optional_policy_that_became_default_meanwhile_is_refused_at_the_field(acme, catalogue):
    services.set_license_policies(
        catalogue.professional,
        default=[catalogue.reading, catalogue.export],
        optional=[catalogue.administration],
        actor=TEST,
    )
    url = reverse("licensing:choose_assignees", args=[acme.allocation.pk, "groups"])

    page = read(acme.client().post(url, {"assignees": acme.group.pk, "policies": catalogue.export.pk}))

    assert page.alerts == {"policies-error": NO_POLICY}
    assert Assignment.objects.count() == 0


def test_the_same_twice_counts_once(acme, catalogue):
    client, export = acme.client(), catalogue.export.pk
    url = reverse("licensing:choose_assignees", args=[acme.allocation.pk, "groups"])
    client.post(url, {"assignees": [acme.group.pk] * 3, "policies": [export] * 3})
    client.post(reverse("licensing:add_to_group", args=[acme.group.pk]), {"users": [acme.viewer.pk] * 3})

    assert Assignment.objects.get().chosen_policies == [catalogue.export]
    assert set(acme.group.members.all()) == {acme.nobody, acme.viewer}
    assert AuditEntry.objects.filter(verb__in=["assignment.created", "group.joined"], actor_kind="account").count() == 2


@pytest.mark.parametrize(
    "extra", [{"q": "\x00"}, {"q": "x" * 10_000}, {"show": "many"}, {"show": "9" * 30}, {"show": "-1"}]
)
def test_what_the_picker_was_searched_for_does_not_keep_anything_from_being_saved(acme, extra):
    url = reverse("licensing:choose_assignees", args=[acme.allocation.pk, "groups"])

    answer = acme.client().post(url, {"assignees": acme.group.pk, **extra})

    assert answer.status_code == 302
    assert Assignment.objects.get().group == acme.group


@pytest.mark.parametrize(
    "extra", [{"drop": "x"}, {"drop": "9" * 30}, {"look": "\x00"}, {"look": "more", "show": "x" * 999}]
)
def test_a_picker_that_is_only_looked_at_shows_itself_again(acme, extra):
    url = reverse("licensing:choose_assignees", args=[acme.allocation.pk, "groups"])

    page = read(acme.client().post(url, {"assignees": [acme.group.pk, "9" * 30, "\x00"], "look": "search", **extra}))

    assert page.alerts == {}
    assert entered(page)["assignees"] == [str(acme.group.pk)]
    assert Assignment.objects.count() == 0


@pytest.mark.parametrize("value", [*KEYS.values(), ""])
def test_an_organization_that_is_none_cannot_be_switched_to(acme, value):
    client = acme.client()

    assert client.post(reverse("directory:switch_organization"), {"organization": value}).status_code == 404
    assert "organization_id" not in client.session


@pytest.mark.parametrize("opened_in", ["abc", "9" * 30, "-1", "\x00", " "])
def test_a_form_that_names_no_organization_of_ones_own_is_refused(acme, opened_in):
    url = reverse("licensing:choose_assignees", args=[acme.allocation.pk, "groups"])

    page = read(acme.client().post(url, {"assignees": acme.group.pk, "opened_in": opened_in}))

    assert "Nothing was changed." in page.alerts[None]
    assert Assignment.objects.count() == 0


def test_a_form_of_more_fields_than_a_person_can_fill_in_is_refused(acme):
    url = reverse("licensing:choose_assignees", args=[acme.allocation.pk, "groups"])

    answer = acme.client().post(url, {"assignees": [acme.group.pk] * 5001})

    assert answer.status_code == 400
    assert Assignment.objects.count() == 0


# Addresses -----------------------------------------------------------------------------------------------------------


def cursor(*values):
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")


CURSORS = {
    "text": "abc",
    "not ASCII": "é",
    "NUL": "\x00",
    "10,000 characters": "a" * 10_000,
    "parts": ":::",
    "not signed": cursor("a", 1),
    "wrongly signed": f"{cursor('a', 1)}:1abcde:{'a' * 43}",
    "deep": base64.urlsafe_b64encode(b"[" * 5_000).decode(),
    "half a character": cursor("\ud800", 1),
    "the first instant": cursor("0001-01-01T00:00:00+14:00", 1),
    "no key is so long": cursor("a", 10**30),
}
QUERIES = {
    "q": ["\x00", "a" * 10_000, "%", "_", "\\", "'", '"', "<b>", " ", "\ufffd", "ﬁ ß İ"],
    "sort": [
        "abc",
        "-",
        "--name",
        "name,pk",
        "password",
        "\x00",
        "9" * 30,
        "a" * 10_000,
        "sort_key",
        "organization__slug",
    ],
}
LISTS = [
    "/licenses/",
    "/licenses/{allocation}/users/",
    "/licenses/{allocation}/groups/",
    "/licenses/{allocation}/units/",
    "/users/",
    "/users/{user}/groups/",
    "/groups/",
    "/groups/{group}/",
    "/units/?q=e",
    "/units/{unit}/",
    "/activity/",
]


@pytest.fixture
def keys(acme):
    for assignee in (acme.nobody, acme.group, acme.below):
        acme.assign(assignee)
    return {"allocation": acme.allocation.pk, "user": acme.nobody.pk, "group": acme.group.pk, "unit": acme.below.pk}


@pytest.mark.parametrize("url", LISTS)
def test_a_list_is_shown_whatever_the_address_says(acme, keys, url):
    client = acme.client()
    path, _, query = url.format(**keys).partition("?")
    given = {"q": "e"} if query else {}

    for name, values in QUERIES.items():
        for value in values:
            assert (value, client.get(path, {**given, name: value}).status_code) == (value, 200)


@pytest.mark.parametrize("url", LISTS)
def test_a_forged_cursor_never_breaks_a_list(acme, keys, url):
    client = acme.client()
    path, _, query = url.format(**keys).partition("?")
    given = {"q": "e"} if query else {}

    for case, value in CURSORS.items():
        for name in ("after", "before"):
            assert (case, client.get(path, {**given, name: value}).status_code) == (case, 200)


def test_a_cursor_that_is_none_shows_the_first_page(acme, keys):
    User.objects.bulk_create(
        User(organization=acme.organization, name=f"Person {n}", sort_key=f"person {n}", search_text="")
        for n in range(60)
    )
    client = acme.client()
    page = read(client.get("/users/"))
    real = parse_qs(page.one("a", rel="next")["href"].removeprefix("?"))["after"][0]
    assert len(page.names) == 50
    assert read(client.get("/users/", {"after": real})).names != page.names
    flipped = ("B" if real[0] == "A" else "A") + real[1:]

    for cursor in [CURSORS["text"], CURSORS["not signed"], flipped, real[:-1], real + "A"]:
        for name in ("after", "before"):
            assert read(client.get("/users/", {name: cursor})).names == page.names
    # nor does the cursor of one sort count for another
    by_added = read(client.get("/users/", {"sort": "added"})).names
    assert read(client.get("/users/", {"sort": "added", "before": real})).names == by_added


@pytest.mark.parametrize("opened", [*KEYS.values(), "", ["9" * 18] * 500])
def test_the_tree_is_shown_whatever_is_said_to_be_open(acme, opened):
    page = read(acme.client().get("/units/", {"open": opened}))

    assert page.names_with("name") == ["Sales"]


@pytest.mark.parametrize("value", [*KEYS.values(), ""])
def test_a_license_that_is_none_is_not_chosen_beforehand(acme, value):
    answer = acme.client().get(reverse("licensing:choose_organization_license"), {"allocation": value})

    assert answer.status_code == 200
    assert "allocation" not in entered(read(answer))


@pytest.mark.parametrize("name", ["directory:user_detail", "licensing:add_to_group", "directory:unit_detail"])
@pytest.mark.parametrize("pk", [0, 10**18, 10**19, 10**30])
def test_a_key_that_no_row_has_is_not_found(acme, name, pk):
    assert acme.client().get(reverse(name, args=[pk])).status_code == 404


@pytest.mark.parametrize("pk", [0, 10**18, 10**19, 10**30])
def test_a_key_that_nothing_of_licensing_has_is_not_found(acme, pk):
    client = acme.client()
    urls = [
        f"/licenses/{pk}/",
        f"/licenses/{pk}/seats/",
        f"/licenses/{pk}/users/assign/",
        f"/users/{pk}/licenses/",
        f"/groups/{pk}/licenses/assign/",
        f"/assignments/{pk}/policies/",
        f"/assignments/{pk}/dates/",
        f"/assignments/{pk}/unassign/",
        f"/groups/{acme.group.pk}/remove/{pk}/",
        f"/units/{acme.unit.pk}/remove/{pk}/",
    ]

    assert {url: client.get(url).status_code for url in urls} == dict.fromkeys(urls, 404)


# Where it leads back to ----------------------------------------------------------------------------------------------

ELSEWHERE = [
    "https://evil.example",
    "//evil.example",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "http:///evil.example",
    "https:evil.example",
    "javascript:alert('evil.example')",
    "\x00https://evil.example",
    " https://evil.example",
    "evil.example",
    "0",
    "https://testserver@evil.example/",
]


def modals(world):
    """A URL of each modal, and the page behind it."""
    assignment = world.assign(world.below)
    removed = world.assign(world.viewer)
    services.unassign(removed, actor=TEST)
    below = f"/units/{world.below.pk}/licenses/"
    return {
        f"/licenses/{world.allocation.pk}/users/assign/": f"/licenses/{world.allocation.pk}/users/",
        f"/groups/{world.group.pk}/licenses/assign/": f"/groups/{world.group.pk}/licenses/",
        "/organization/licenses/assign/": "/organization/licenses/",
        f"/assignments/{assignment.pk}/policies/": below,
        f"/assignments/{assignment.pk}/dates/": below,
        f"/assignments/{assignment.pk}/unassign/": below,
        f"/assignments/{removed.pk}/unassign/": "/",
        f"/groups/{world.group.pk}/add/": f"/groups/{world.group.pk}/",
        f"/groups/{world.group.pk}/remove/{world.nobody.pk}/": f"/groups/{world.group.pk}/",
        f"/units/{world.below.pk}/remove/{world.nobody.pk}/": f"/units/{world.below.pk}/",
    }


@pytest.mark.parametrize("next_url", ELSEWHERE)
def test_a_modal_leads_back_to_a_page_of_ours_only(acme, next_url):
    client = acme.client()

    for url, behind in modals(acme).items():
        page = read(client.get(url, {"next": next_url}))
        assert {link.attributes["href"] for link in page.all("a", data_close="")} == {behind}, url
        assert "evil" not in "".join(filter(None, page.links.values())), url
        answer = client.post(url, {"next": next_url, "look": "again"})
        assert "evil" not in "".join(filter(None, read(answer).links.values())), url


@pytest.mark.parametrize("next_url", ELSEWHERE)
def test_after_saving_nobody_is_led_elsewhere(acme, next_url):
    client, url = acme.client(), f"/licenses/{acme.allocation.pk}/groups/assign/"
    body = {"assignees": acme.group.pk}

    for address, given in [(url, {**body, "next": next_url}), (f"{url}?next={next_url}", body)]:
        with transaction.atomic():
            assert client.post(address, given).headers["Location"] == f"/licenses/{acme.allocation.pk}/groups/"
            transaction.set_rollback(True)


def test_after_saving_one_is_led_back_to_where_one_came_from(acme):
    behind = f"/licenses/{acme.allocation.pk}/groups/?q=é&sort=-name"
    client, url = acme.client(), f"/licenses/{acme.allocation.pk}/groups/assign/"

    page = read(client.get(url, {"next": behind}))
    answer = client.post(url, {"assignees": acme.group.pk, "next": entered(page)["next"]})

    assert entered(page)["next"] == [behind]
    assert answer.headers["Location"] == f"/licenses/{acme.allocation.pk}/groups/?q=%C3%A9&sort=-name"


# Names ---------------------------------------------------------------------------------------------------------------

ONE_LINE = "Write the name on one line, without control characters."
SEEN = "Write a name that can be seen: this one has no letter, digit or sign."
NO_NAMES = {
    "line break": ("Ann\r\nBcc: b@x.example", ONE_LINE),
    "line separator": ("Ann\u2028Jansen", ONE_LINE),
    "control character": ("An\x1bn", ONE_LINE),
    "direction": ("Ann\u202egpj.exe", ONE_LINE),
    "nothing but a direction": ("\u202e", ONE_LINE),
    "zero width": ("\u200b\u200d", SEEN),
    "soft hyphen": ("\xad", SEEN),
    "accent": ("\u0301", SEEN),
    "filler": ("\u3164", SEEN),
}
NAMES = ["Ann", "Zoë “Zo” Müller", "山田　太郎", "می\u200cخواهم", "👩\u200d💻", "3M", "★", "O'Neil–Smith & Co."]
NAMED = [Account, Application, Group, License, Organization, OrgUnit, Policy, Provider, ProviderToken, User]


@pytest.mark.parametrize("model", NAMED)
def test_what_has_a_name_has_one_that_can_be_read(model):
    field = model._meta.get_field("name")
    found = {}
    for case, (name, _) in NO_NAMES.items():
        with pytest.raises(ValidationError) as refusal:
            field.clean(name, None)
        found[case] = " ".join(refusal.value.messages)
    assert found == {case: said for case, (_, said) in NO_NAMES.items()}
    assert [field.clean(name, None) for name in NAMES] == NAMES


@pytest.mark.parametrize("name", [name for name, _ in NO_NAMES.values()])
def test_what_is_made_one_line_is_a_name_or_nothing(name):
    if made := one_line(name):
        validate_name(made)


@pytest.mark.parametrize("page", ["create_group", "create_unit"])
def test_a_name_that_cannot_be_read_is_refused_at_the_field(acme, page):
    client, url, before = acme.client(), reverse(f"directory:{page}"), everything()
    for name, said in (NO_NAMES["direction"], NO_NAMES["zero width"]):
        assert said in read(client.post(url, {"name": name})).one(id="id_name_error").text
    assert everything() == before


# Anything at all -----------------------------------------------------------------------------------------------------

FIELDS = [
    "assignees", "users", "allocation", "policies", "starts_on", "ends_on", "q", "show", "look", "drop", "next",
    "opened_in", "organization", "sort", "after", "before", "open",
]  # fmt: skip
VALUES = st.one_of(
    st.text(max_size=30),
    st.integers().map(str),
    st.integers(min_value=1, max_value=9).map(str),
    st.dates().map(str),
    st.lists(st.one_of(st.text(max_size=5), st.integers(), st.booleans(), st.none()), max_size=3).map(
        lambda values: cursor(*values)
    ),
)
BODIES = st.dictionaries(st.sampled_from(FIELDS), st.lists(VALUES, max_size=3), max_size=6)


@hypothesis.settings(
    max_examples=25,
    suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture, hypothesis.HealthCheck.too_slow],
)
@hypothesis.given(body=BODIES, query=BODIES, data=st.data())
def test_no_address_and_no_form_ever_breaks_a_page(acme, body, query, data):
    client = acme.client()
    with transaction.atomic():
        url = data.draw(st.sampled_from([*modals(acme), "/users/", "/units/", "/licenses/", "/organization/switch/"]))
        for answer in (client.get(url, query), client.post(url, body, query_params=query)):
            assert answer.status_code in (200, 302, 404, 405)
        transaction.set_rollback(True)
