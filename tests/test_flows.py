"""The user's document, step by step: assign, edit, unassign, at every place, in a dialog and as a page."""

import json

import pytest
from django.urls import reverse

from licensing.kinds import GROUPS, KINDS, ORGANIZATION, UNITS, USERS
from licensing.models import Assignment
from portal.audit.models import AuditEntry
from tests.worlds import kind_of

HTMX = {"HX-Request": "true"}


def assignees(world):
    """One of each kind, by the name of the kind."""
    return {"users": world.nobody, "groups": world.group, "units": world.unit, "organization": world.organization}


def entry_points(world, kind):
    """The pages on which the kind can be assigned: [(page, modal, what the modal asks for)]."""
    assignee, pk = assignees(world)[str(kind)], assignees(world)[str(kind)].pk
    if kind is ORGANIZATION:
        return {
            "assignee": (reverse("licensing:organization_licenses"), reverse("licensing:choose_organization_license"))
        }
    return {
        "license": (
            reverse("licensing:license_assignees", args=[world.allocation.pk, kind]),
            reverse("licensing:choose_assignees", args=[world.allocation.pk, kind]),
        ),
        "assignee": (
            reverse("licensing:assignee_licenses", args=[kind, assignee.pk]),
            reverse("licensing:choose_license", args=[kind, pk]),
        ),
    }


PLACES = [(kind, side) for kind in KINDS for side in ("license", "assignee")] + [(ORGANIZATION, "assignee")]


@pytest.mark.parametrize("in_dialog", [True, False], ids=["dialog", "page"])
@pytest.mark.parametrize(("kind", "side"), PLACES, ids=[f"{kind}-{side}" for kind, side in PLACES])
def test_assign_license(acme, catalogue, kind, side, in_dialog):
    page, modal = entry_points(acme, kind)[side]
    assignee = assignees(acme)[str(kind)]
    client, headers = acme.client(acme.editor), HTMX if in_dialog else {}

    # the page has the button, and it leads to the modal
    before = client.get(page).content.decode()
    assert f'href="{modal}"' in before
    assert "Assign License" in before

    shown = client.get(modal, headers=headers).content.decode()
    assert ("<html" in shown) is not in_dialog
    assert "Assign License" in shown

    # nothing chosen: it says so, and keeps the dialog
    refused = client.post(modal, {"policies": catalogue.export.pk}, headers=headers)
    said = f"Choose at least one {kind.one}." if side == "license" else "Choose a license."
    assert refused.status_code == 200
    assert said in refused.content.decode()
    assert Assignment.objects.count() == 0

    chosen = {"assignees": assignee.pk} if side == "license" else {"allocation": acme.allocation.pk}
    answer = client.post(modal, {**chosen, "policies": catalogue.export.pk}, headers=headers)

    assignment = Assignment.objects.get()
    assert assignment.assignee == assignee
    assert assignment.allocation == acme.allocation
    assert assignment.chosen_policies == [catalogue.export]
    assert assignment.created_by == "Eva Editor"
    entry = AuditEntry.objects.get(verb="assignment.created")
    assert (entry.organization_id, entry.actor_name, entry.target_id) == (
        acme.organization.pk,
        "Eva Editor",
        assignment.pk,
    )
    assert entry.details["policies"] == ["CRM export"]

    # the outcome names the policies that are now assigned
    who = "the whole organization" if kind is ORGANIZATION else assignee.name
    outcome = f"CRM Professional is now assigned to {who}, with CRM access and CRM export."
    if in_dialog:
        assert "portal-changed" in json.loads(answer.headers["HX-Trigger"])
        assert outcome in answer.content.decode()
    else:
        assert answer.url == page
        assert outcome in client.get(page).content.decode()

    # the page lists it, with the menu
    after = client.get(page).content.decode()
    assert reverse("licensing:unassign", args=[assignment.pk]) in after
    assert reverse("licensing:choose_policies", args=[assignment.pk]) in after


@pytest.mark.parametrize("kind", [*KINDS, ORGANIZATION], ids=str)
def test_what_is_assigned_already_is_not_offered_again(acme, kind):
    assignee = assignees(acme)[str(kind)]
    acme.assign(assignee)
    _, modal = entry_points(acme, kind)["assignee"]

    shown = acme.client().get(modal).content.decode()

    assert "CRM Basic" in shown
    assert "CRM Professional" not in shown


@pytest.mark.parametrize("kind", [*KINDS, ORGANIZATION], ids=str)
def test_with_nothing_left_the_button_is_absent_and_its_url_says_why(acme, kind):
    assignee = assignees(acme)[str(kind)]
    acme.assign(assignee)
    acme.assign(assignee, acme.plain)
    page, modal = entry_points(acme, kind)["assignee"]
    client = acme.client()

    assert "Assign License" not in client.get(page).content.decode()
    shown = client.get(modal).content.decode()
    assert "Nothing is left to assign here" in shown
    assert 'type="submit">Assign License' not in shown


def test_who_has_it_already_is_marked_with_the_source(acme):
    acme.assign(acme.admin)
    acme.assign(acme.group)
    modal = reverse("licensing:choose_assignees", args=[acme.allocation.pk, USERS])

    shown = acme.client().get(modal).content.decode()

    assert "Has it already: Direct" in shown
    assert "Has it through Support" in shown


def test_assigning_again_is_reported_and_the_others_go_through(acme):
    acme.assign(acme.admin)
    modal = reverse("licensing:choose_assignees", args=[acme.allocation.pk, USERS])

    answer = acme.client().post(modal, {"assignees": [acme.admin.pk, acme.viewer.pk]}, headers=HTMX)

    said = "CRM Professional is now assigned to Vic Viewer, with CRM access. Ada Admin had it already."
    assert said in answer.content.decode()
    assert {assignment.user for assignment in Assignment.objects.all()} == {acme.admin, acme.viewer}


@pytest.mark.parametrize("kind", [*KINDS, ORGANIZATION], ids=str)
def test_manage_optional_policies(acme, catalogue, kind):
    assignment = acme.assign(assignees(acme)[str(kind)], policies=[catalogue.export])
    modal = reverse("licensing:choose_policies", args=[assignment.pk])
    client = acme.client()

    shown = client.get(modal, headers=HTMX).content.decode()
    assert 'type="submit">Apply</button>' in shown
    assert f'value="{catalogue.export.pk}" id="policy-{catalogue.export.pk}" checked' in shown

    answer = client.post(modal, {"policies": catalogue.administration.pk}, headers=HTMX)

    assert Assignment.objects.get().chosen_policies == [catalogue.administration]
    assert "now has CRM administration and no longer has CRM export" in answer.content.decode()
    entry = AuditEntry.objects.get(verb="assignment.policies")
    assert (entry.details["added"], entry.details["removed"]) == (["CRM administration"], ["CRM export"])


def test_a_license_without_optional_policies_says_so(acme):
    assignment = acme.assign(acme.group, acme.plain)

    shown = acme.client().get(reverse("licensing:choose_policies", args=[assignment.pk])).content.decode()

    assert "This license has no optional policies" in shown
    assert "Apply" not in shown


@pytest.mark.parametrize("kind", [*KINDS, ORGANIZATION], ids=str)
def test_unassign_license(acme, catalogue, kind):
    assignee = assignees(acme)[str(kind)]
    assignment = acme.assign(assignee, policies=[catalogue.export])
    modal = reverse("licensing:unassign", args=[assignment.pk])
    client = acme.client()

    shown = client.get(modal, headers=HTMX).content.decode()
    who = "the whole organization" if kind is ORGANIZATION else assignee.name
    assert f"Unassign CRM Professional from {who}" in shown
    assert 'type="submit">Yes, Remove</button>' in shown

    answer = client.post(modal, {}, headers=HTMX)

    assert Assignment.objects.count() == 0
    assert f"CRM Professional is no longer assigned to {who}." in answer.content.decode()
    assert AuditEntry.objects.get(verb="assignment.removed").target_name == assignee.name


@pytest.mark.parametrize("kind", [GROUPS, UNITS, ORGANIZATION], ids=str)
def test_the_unassign_dialog_says_who_keeps_it_and_through_what(acme, kind):
    """Uma has it by two ways: whichever goes, the other one stays, and the dialog says so before."""
    other = acme.assign(assignees(acme)[str(kind)])
    direct = acme.assign(acme.nobody)
    through = {GROUPS: "Support", UNITS: "Sales", ORGANIZATION: "the whole organization"}[kind]
    client = acme.client()

    assert (
        f"Uma Nobody keeps CRM Professional through {through}"
        in client.get(reverse("licensing:unassign", args=[direct.pk])).content.decode()
    )
    assert (
        "Uma Nobody keeps CRM Professional through a direct assignment"
        in client.get(reverse("licensing:unassign", args=[other.pk])).content.decode()
    )


def test_the_unassign_dialog_says_when_nobody_keeps_it(acme):
    assignment = acme.assign(acme.nobody)

    shown = acme.client().get(reverse("licensing:unassign", args=[assignment.pk])).content.decode()

    assert "Uma Nobody can no longer use CRM Professional" in shown
    assert "keeps CRM" not in shown


def test_policies_follow_the_chosen_license(acme):
    modal = reverse("licensing:choose_license", args=[GROUPS, acme.group.pk])
    client = acme.client()

    with_policies = client.post(modal, {"allocation": acme.allocation.pk, "look": "policies"}).content.decode()
    without = client.post(modal, {"allocation": acme.plain.pk, "look": "policies"}).content.decode()

    assert "CRM export" in with_policies.split('id="follows"')[1]
    assert "This license has no optional policies" in without
    assert "invalid-feedback" not in with_policies + without
    assert Assignment.objects.count() == 0


def test_ticks_travel_through_searches(acme):
    modal = reverse("licensing:choose_assignees", args=[acme.allocation.pk, USERS])
    client = acme.client()

    ticked = {"assignees": [acme.admin.pk, acme.viewer.pk], "q": "eva", "look": "search"}
    shown = client.post(modal, ticked).content.decode()
    assert "2 selected" in shown
    assert f'type="hidden" name="assignees" value="{acme.admin.pk}"' in shown
    assert "1 of 4 active people matches “eva”." in shown

    shown = client.post(modal, {**ticked, "drop": acme.admin.pk}).content.decode()
    assert "1 selected" in shown
    assert f'name="assignees" value="{acme.admin.pk}"' not in shown


def test_dates_are_days_of_the_organization(acme):
    modal = reverse("licensing:choose_assignees", args=[acme.allocation.pk, GROUPS])

    acme.client().post(modal, {"assignees": acme.group.pk, "starts_on": "2090-01-01", "ends_on": "2090-01-31"})

    assignment = Assignment.objects.get()
    assert assignment.starts_at.isoformat() == "2090-01-01T00:00:00+00:00"
    assert assignment.ends_at.isoformat() == "2090-02-01T00:00:00+00:00"
    page = acme.client().get(reverse("licensing:license_assignees", args=[acme.allocation.pk, GROUPS])).content.decode()
    assert "Starts 1 Jan 2090" in page
    assert "until 31 Jan 2090" in page


def test_change_dates(acme):
    assignment = acme.assign(acme.group)
    modal = reverse("licensing:change_dates", args=[assignment.pk])

    acme.client().post(modal, {"starts_on": "", "ends_on": "2091-05-01"})

    assert Assignment.objects.get().ends_at.isoformat() == "2091-05-02T00:00:00+00:00"
    assert AuditEntry.objects.get(verb="assignment.dates").details["until"] == "2091-05-01"


def test_assigned_kind_is_what_the_world_says(acme):
    assert {kind_of(assignee) for assignee in assignees(acme).values()} == {*KINDS, ORGANIZATION}
