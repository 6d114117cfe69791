"""Who may open what: every URL of the project, for everybody there is.

The URLs come from the URL configuration: a URL without a row in the table fails, and so does a row without a URL.
"""

from urllib.parse import quote

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse

from directory import services as directory
from directory.models import User
from licensing import services
from tests.matrix import GET, OWN_PAGES, PAGES_OF_THINGS, PEOPLE, POST, URLS, WRITERS, statuses, urls
from tests.reading import everything
from tests.worlds import TEST, license_of

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
        "admin:directory_organization_invite": {"email": "first@new.example"},
        "admin:licensing_allocation_add": {"licenses": new.pk, "others": "acme"},
        "admin:licensing_application_add": {**own, **slug, "resource_type": "application"},
        "admin:licensing_staffmember_add": {**own, "email": "new@northlight.example"},
        "directory:switch_organization": {"organization": acme.organization.pk},
        "directory:invite_people": {"people": "new@acme.example"},
        "directory:profile": {"name": "Another Name"},
        "licensing:add_to_group": {"users": acme.viewer.pk},
        "licensing:add_to_unit": {"users": acme.viewer.pk},
        "licensing:remove_people_from_group": {"users": acme.nobody.pk},
        "licensing:remove_people_from_unit": {"users": acme.editor.pk},
        "licensing:change_dates": {"ends_on": "2090-01-01"},
        "directory:create_group": {"name": "New"},
        "directory:create_unit": {"name": "New"},
        "directory:create_unit_below": {"name": "New"},
        "directory:edit_group": {"name": "New"},
        "directory:edit_unit": {"name": "New"},
        "licensing:add_groups": {"groups": directory.create_group(acme.organization, name="Other", actor=TEST).pk},
        "licensing:bulk_cancel_invitations": {"things": things["invitations", "pk"]},
        "licensing:bulk_deactivate": {"things": acme.viewer.pk},
        "licensing:bulk_group": {"things": acme.viewer.pk, "group": "Support"},
        "licensing:bulk_reactivate": {"things": things["licensing:reactivate_user", "pk"]},
        "licensing:bulk_resend_invitations": {"things": things["invitations", "pk"]},
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
