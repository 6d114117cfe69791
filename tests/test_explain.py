"""Explain access: whom and what it is about, the answer with its reasons, and where what is missing can be changed."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from directory import services as directory
from licensing import services
from licensing.explanations import explain as explain_access
from licensing.models import Assignment
from portal.days import first_day, write_day
from tests.reading import read
from tests.worlds import TEST, license_of

DAY = timedelta(days=1)


def explain(client, person=None, what="", **query):
    query |= {"user": person.pk} if person else {}
    answer = client.get(reverse("licensing:explain_access"), query | {"what": what})
    assert answer.status_code == 200
    return read(answer)


def crm(catalogue):
    return f"application-{catalogue.application.pk}"


def rows(page, section):
    """The rows of a section's table: [text]."""
    return [row.text for row in page.one("section", aria_labelledby=section).one("tbody").all("tr")]


def verdict(page):
    return page.one(id="verdict").text


# Whom, and what ------------------------------------------------------------------------------------------------------


def test_it_asks_for_a_person_and_what_it_is_about(acme):
    page = explain(acme.client(acme.viewer))
    options = [option.text for option in page.one("select", name="what").all("option")]
    assert options[0] == "Everything they can use"
    assert {"CRM", "CRM Professional", "CRM export (CRM)"} <= {*options}  # a policy's name says nothing without it
    assert not page.one(id="answer").text


def test_one_who_matches_is_taken_and_of_many_one_is_chosen(acme, catalogue):
    client = acme.client()
    assert verdict(explain(client, what=crm(catalogue), q="uma@acme")) == "Uma Nobody may not use CRM"

    page = explain(client, what=crm(catalogue), action="export", q="acme.example")
    links = page.one(id="answer").links
    assert list(links) == ["Ada Admin", "Eva Editor", "Uma Nobody", "Vic Viewer"]
    assert verdict(read(client.get("/explain/" + links["Vic Viewer"]))) == "Vic Viewer may not do “export” in CRM"


def test_what_is_typed_over_the_name_is_searched_for(acme, catalogue):
    page = explain(acme.client(), acme.nobody, crm(catalogue), q="vic")
    assert verdict(page) == "Vic Viewer may not use CRM"
    assert "Nobody matches “nix”" in explain(acme.client(), acme.nobody, q="nix").one(id="answer").text


def test_a_person_alone_shows_what_they_may_use(acme, catalogue):
    other = license_of(catalogue, "Other")
    services.allocate(other, organization=acme.organization, actor=TEST)
    acme.assign(acme.group)
    page = explain(acme.client(), acme.nobody)
    assert rows(page, "applications") == ["CRM May use it"]
    assert rows(explain(acme.client(), acme.viewer), "applications") == ["CRM May not"]


@pytest.mark.parametrize("user", ["x", "0", "9" * 30, "globex"])
def test_nobody_of_elsewhere(acme, globex, user):
    user = globex.nobody.pk if user == "globex" else user
    assert acme.client().get(reverse("licensing:explain_access"), {"user": user}).status_code == 404


@pytest.mark.parametrize("what", ["license-0", "application-x", "x", "policy-", "license-globex"])
def test_something_of_elsewhere_is_no_choice(acme, globex, what):
    what = what.replace("globex", str(globex.allocation.pk))
    page = explain(acme.client(), acme.nobody, what)
    words = "Acme does not have this (any more). Choose again."
    assert page.one(id="id_what_error").text == words
    assert not page.one(id="answer").text


# The answer ----------------------------------------------------------------------------------------------------------


def test_yes_through_what_and_until_when(acme, catalogue):
    ends_at = timezone.now() + 3 * DAY
    acme.assign(acme.group, policies=[catalogue.export], ends_at=ends_at)
    acme.assign(acme.unit, ends_at=ends_at + DAY)
    page = explain(acme.client(), acme.nobody, crm(catalogue), action="export")
    assert verdict(page) == "Uma Nobody may do “export” in CRM"
    assert f"From {write_day(first_day(ends_at))}: Uma Nobody may not do “export” in CRM." in page.text
    (through,) = rows(page, "through")
    assert "Group: Support" in through
    assert "Unit" not in through

    page = explain(acme.client(), acme.nobody, crm(catalogue))
    assert f"On {write_day(first_day(ends_at))} a date changes through what." in page.text
    acme.assign(acme.nobody, acme.plain)
    assert len(rows(explain(acme.client(), acme.nobody, crm(catalogue)), "through")) == 2


@pytest.fixture
def missing(acme, catalogue):
    """What is missing for Uma to use something, as a page says it: [(license and text, act)]."""

    def ask(what=None, client=None, **query):
        page = explain(client or acme.client(), acme.nobody, what or crm(catalogue), **query)
        assert "Not allowed" in page.text
        acts = page.one("section", aria_labelledby="missing").one("tbody").links
        acts = {name: url for name, url in acts.items() if url.startswith(("/assignments/", "/users/"))}
        return rows(page, "missing"), acts

    return ask


def test_not_assigned(acme, missing):
    lines, acts = missing(f"license-{acme.allocation.pk}")
    assert lines == [
        "CRM Professional Northlight Not assigned to Uma Nobody, to a group or unit of theirs, or to everyone. Assign"
    ]
    form = read(acme.client().get(acts["Assign"]))
    assert form.one("input", name="allocation", checked="")["value"] == str(acme.allocation.pk)


def test_not_chosen_and_the_closest_first(acme, catalogue, missing):
    assignment = acme.assign(acme.group)
    acme.assign(acme.unit, acme.plain)
    lines, acts = missing(action="export")
    assert [line.removeprefix("CRM Professional Northlight ") for line in lines] == [
        "CRM export is optional, and not chosen. Group: Support Manage Optional Policies",
        "CRM administration is optional, and not chosen. Group: Support Manage Optional Policies",
    ]
    assert acts == {"Manage Optional Policies": reverse("licensing:choose_policies", args=[assignment.pk])}


def test_policies_that_are_not_chosen_stand_as_the_provider_ordered_them(acme, catalogue):
    acme.assign(acme.group)
    export, administration = catalogue.export, catalogue.administration
    for optional in ([export, administration], [administration, export]):
        services.set_license_policies(
            catalogue.professional, default=[catalogue.reading], optional=optional, actor=TEST
        )
        page = explain(acme.client(), acme.nobody, crm(catalogue), action="export")
        said = " ".join(rows(page, "missing"))
        first, second = (said.index(f"{policy.name} is optional") for policy in optional)
        assert first < second
        ids = [element["id"] for element in page.all() if "id" in element.attributes]
        assert len(ids) == len(set(ids))


def test_ended_and_not_started(acme, missing):
    now = timezone.now()
    ended, later = acme.assign(acme.group), acme.assign(acme.nobody, starts_at=now + DAY)
    Assignment.objects.filter(pk=ended.pk).update(starts_at=now - 2 * DAY, ends_at=now - DAY)
    lines, acts = missing(f"license-{acme.allocation.pk}")
    assert [("has not started" in line, "has ended" in line) for line in lines] == [(True, False), (False, True)]
    assert f"Starts {write_day(first_day(now + DAY))}" in lines[0]
    assert acts == {"Change dates": reverse("licensing:change_dates", args=[ended.pk])}
    page = explain(acme.client(), acme.nobody, f"license-{acme.allocation.pk}")
    assert f"From {write_day(first_day(later.starts_at))}: Uma Nobody may use CRM Professional." in page.text


def test_cancelled_is_the_provider_s_to_change(acme, missing):
    acme.assign(acme.group)
    services.cancel(acme.allocation, actor=TEST)
    ((line,), acts) = missing(f"license-{acme.allocation.pk}")
    assert "Only its provider, Northlight, can renew it. Group: Support Not in effect: cancelled" in line
    assert acts == {}


def test_an_action_that_nothing_covers(acme, catalogue):
    acme.assign(acme.group, acme.plain)
    services.cancel(acme.allocation, actor=TEST)
    services.set_license_policies(catalogue.professional, default=[catalogue.reading], optional=[], actor=TEST)
    page = explain(acme.client(), acme.nobody, crm(catalogue), action="fly")
    assert "No license of Acme covers “fly” there. They cover read." in page.text
    assert "What they have there" in page.text
    assert not list(page.all(id="missing"))


def test_an_inactive_person_and_what_they_will_have_again(acme, catalogue):
    acme.assign(acme.group)
    directory.deactivate([acme.nobody], actor=TEST)
    page = explain(acme.client(), acme.nobody, crm(catalogue))
    assert verdict(page) == "Uma Nobody may not use CRM"
    assert "is inactive" in page.text
    assert "user_inactive" in page.text
    assert "When they are active again, through" in page.text
    assert not list(page.all(id="missing"))
    page = explain(acme.client(), acme.nobody, f"license-{acme.plain.pk}")
    assert len(rows(page, "missing")) == 1
    assert "Assign" not in page.one("section", aria_labelledby="missing").links


def test_what_came_while_it_was_found_out_is_left_to_the_next_question(acme, catalogue):
    """The parts of an explanation are read one after the other: an assignment may have come or gone between them."""
    acme.assign(acme.group, acme.plain, starts_at=timezone.now() + DAY)
    allocations = list(acme.organization.allocations.with_license())
    explanation = explain_access(acme.nobody, catalogue.application, None, allocations, at=timezone.now())
    assert [line.reason for line in explanation.missing] == ["assignment_not_started", "no_assignment"]
    without_source = replace(explanation, sources={})
    assert [line.reason for line in without_source.missing] == ["no_assignment"]
    assert replace(explanation, allocations={}).missing == []


def test_a_viewer_sees_the_reasons_and_no_acts(acme, missing):
    lines, acts = missing(f"license-{acme.allocation.pk}", client=acme.client(acme.viewer))
    assert (len(lines), acts) == (1, {})


def test_as_many_queries_for_much_as_for_little(acme, catalogue, django_assert_num_queries):
    client = acme.client()
    url = reverse("licensing:explain_access")
    acme.assign(acme.group)
    asked = {
        "": 5,
        f"user={acme.nobody.pk}": 7,
        f"user={acme.nobody.pk}&what={crm(catalogue)}": 12,
        f"user={acme.nobody.pk}&what={crm(catalogue)}&action=export": 12,
    }
    for number in range(2):
        for query, queries in asked.items():
            with django_assert_num_queries(queries, info=query):
                client.get(f"{url}?{query}")
        for extra in range(4 * (1 - number)):
            services.allocate(license_of(catalogue, f"Extra {extra}"), organization=acme.organization, actor=TEST)
            acme.person(f"Extra {extra}")
            acme.assign(acme.nobody, acme.organization.allocations.latest("pk"))
