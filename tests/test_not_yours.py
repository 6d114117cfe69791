"""What is not yours does not exist: it answers like what never did."""

import re

import pytest
from django.urls import reverse

from directory import services as directory
from licensing import services
from licensing.kinds import KINDS
from tests.matrix import (
    ADMIN_OBJECTS,
    MODALS_OF_ADMINS,
    MODALS_OF_IMPORTS,
    MODALS_OF_THINGS,
    PAGES_OF_IMPORTS,
    PAGES_OF_THINGS,
    urls,
)
from tests.reading import everything
from tests.worlds import TEST


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

    assert len(answers) == 120
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

    assert len(answers) == 36
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
