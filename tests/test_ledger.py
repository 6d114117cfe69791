"""What a dialog says it will change: in words, before the button; asked again when that has grown meanwhile."""

import pytest
from django.urls import reverse

from directory import services as directory
from licensing import services
from licensing.kinds import GROUPS, ORGANIZATION, UNITS, USERS
from licensing.models import Assignment
from tests.reading import read
from tests.worlds import TEST


def lines(answer):
    return [line.one("strong").text for line in read(answer).one(id="changes").all("li") if line.all("strong")]


def shown(answer):
    return read(answer).one("input", name="shown")["value"]


@pytest.fixture
def unassign(acme):
    directory.join_group(acme.group, users=[acme.viewer, acme.editor], actor=TEST)
    of_group = acme.assign(acme.group)
    acme.assign(acme.editor)
    return reverse("licensing:unassign", args=[of_group.pk])


def test_who_loses_and_who_keeps_it(acme, unassign):
    answer = acme.client().get(unassign)
    assert lines(answer) == [
        "2 people can no longer use CRM Professional",
        "Eva Editor keeps CRM Professional through a direct assignment",
    ]
    assert "Uma Nobody, Vic Viewer" in read(answer).one(id="changes").text


def test_what_ticks_would_change(acme, catalogue):
    acme.assign(acme.nobody)
    url = reverse("licensing:choose_assignees", args=[acme.allocation.pk, GROUPS])
    client = acme.client()
    assert "as soon as somebody is chosen" in read(client.get(url)).one(id="changes").text
    ticked = {"assignees": acme.group.pk, "policies": catalogue.export.pk}
    answer = client.post(url, {**ticked, "look": "tick"})
    assert lines(answer) == [
        "Uma Nobody gains CRM export",
        "Uma Nobody has CRM Professional already through a direct assignment",
    ]
    assert Assignment.objects.count() == 1


def test_nothing_changes_says_why(acme):
    assignment = acme.assign(acme.viewer)
    services.cancel(acme.allocation, actor=TEST)
    answer = acme.client().get(reverse("licensing:unassign", args=[assignment.pk]))
    assert lines(answer) == ["Nothing changes for anybody now"]
    assert "cancelled" in read(answer).one(id="changes").text


def test_seats_before_and_after(acme):
    services.change_allocation(acme.allocation, seats=1, starts_at=None, ends_at=None, actor=TEST)
    acme.assign(acme.viewer)
    url = reverse("licensing:choose_assignees", args=[acme.allocation.pk, USERS])
    answer = acme.client().post(url, {"assignees": [acme.editor.pk, acme.nobody.pk], "look": "tick"})
    changes = read(answer).one(id="changes")
    foot = changes.one(class_="ledger-foot").text
    assert "1 → 3 of 1" in foot
    assert "Over by 2" in foot
    assert "This will be refused: CRM Professional has 1 seat. Choose fewer, or ask Northlight" in changes.text


def test_who_joins_and_leaves(acme):
    acme.assign(acme.group)
    client = acme.client()
    url = reverse("licensing:add_to_group", args=[acme.group.pk])
    answer = client.post(url, {"users": [acme.viewer.pk, acme.editor.pk], "look": "tick"})
    assert lines(answer) == ["2 people gain CRM Professional"]
    leave = reverse("licensing:remove_from_group", args=[acme.group.pk, acme.nobody.pk])
    assert lines(client.get(leave)) == ["Uma Nobody can no longer use CRM Professional"]


def test_it_is_asked_again_when_more_people_would_lose(acme, unassign):
    client = acme.client()
    before = shown(client.get(unassign))
    directory.join_group(acme.group, users=[acme.admin], actor=TEST)

    again = client.post(unassign, {"shown": before})

    assert Assignment.objects.count() == 2
    assert (
        "Meanwhile this came to concern more people: now 0 gain and 3 lose"
        in next(read(again).one("main").all(role="alert")).text
    )
    assert lines(again)[0] == "3 people can no longer use CRM Professional"
    client.post(unassign, {"shown": shown(again)})
    assert Assignment.objects.count() == 1


def test_it_is_not_asked_again_when_fewer_do_or_something_else_was_chosen(acme, unassign):
    client = acme.client()
    before = shown(client.get(unassign))
    directory.leave_group(acme.group, users=[acme.viewer], actor=TEST)
    client.post(unassign, {"shown": before})
    assert Assignment.objects.count() == 1

    url = reverse("licensing:choose_assignees", args=[acme.allocation.pk, UNITS])
    little = shown(client.post(url, {"assignees": acme.below.pk, "look": "tick"}))
    client.post(url, {"assignees": acme.unit.pk, "shown": little})
    assert Assignment.objects.count() == 2


@pytest.mark.parametrize("made_up", ["", "x", "a:b:c"])
def test_what_was_shown_cannot_be_made_up_and_need_not_be_sent(acme, unassign, made_up):
    acme.client().post(unassign, {"shown": made_up})
    assert Assignment.objects.count() == 1


def test_names_are_shown_on_request_page_by_page(acme):
    for number in range(60):
        directory.create_user(acme.organization, name=f"Person {number:02}", actor=TEST)
    of_all = acme.assign(acme.organization)
    url, client = reverse("licensing:unassign", args=[of_all.pk]), acme.client()
    button = read(client.get(url)).one("button", name="names")
    assert button["value"] == f"loss-license-{acme.allocation.pk}"

    first = read(client.post(url, {"names": button["value"]}))
    more = first.one("button", name="names")
    assert (len(list(first.one(id="changes").all("li"))), more.text) == (1 + 50, "Show more")
    rest = read(client.post(url, {"names": more["value"]}))
    assert len(list(rest.one(id="changes").all("li"))) == 1 + 64
    assert Assignment.objects.count() == 1


@pytest.mark.parametrize("names", ["loss-license-0", "x", "gain-license-1:999999999", "keep-license-1:-5"])
def test_names_of_nothing(acme, unassign, names):
    assert acme.client().post(unassign, {"names": names}).status_code == 200


def test_as_many_queries_for_many_people_as_for_few(acme, django_assert_num_queries):
    assignment = acme.assign(acme.organization)
    url, client = reverse("licensing:unassign", args=[assignment.pk]), acme.client()
    client.get(url)
    with django_assert_num_queries(13):
        client.get(url)
    for number in range(30):
        directory.create_user(acme.organization, name=f"Person {number:02}", actor=TEST)
    with django_assert_num_queries(13):
        client.get(url)
    assert ORGANIZATION.target_key(acme.organization.pk) == assignment.target_key
