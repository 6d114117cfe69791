"""Allocations: changed, cancelled, reinstated, filtered and sent as a file."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from directory import services as directory
from directory.models import Organization
from licensing import services
from licensing.kinds import USERS
from licensing.models import Allocation
from portal.audit.models import AuditEntry
from portal.days import write_day
from tests.admin.hands import asked, audit, html, messages_of, post, refusal, url
from tests.reading import read
from tests.worlds import TEST

DAY = timedelta(days=1)


def test_staff_changes_seats_and_end_and_the_start_keeps_its_time_of_day(staff, catalogue, brussels):
    start = datetime(2026, 3, 4, 15, 30, tzinfo=UTC)
    allocation = services.allocate(catalogue.basic, organization=brussels, starts_at=start, actor=TEST)
    post(staff, url(allocation), seats="3", starts_at="2026-03-04", ends_at="2199-07-01")
    allocation.refresh_from_db()
    assert (allocation.seats, allocation.starts_at) == (3, start)
    assert allocation.ends_at == datetime(2199, 7, 1, 22, tzinfo=UTC)
    (entry,) = audit("allocation.changed", target_id=allocation.pk)
    assert entry.details["old"] == {"seats": None, "from": "2026-03-04", "until": None}


def test_organization_and_license_of_an_allocation_never_change(staff, catalogue, acme, brussels):
    first = timezone.localtime(acme.allocation.starts_at).date().isoformat()
    data = {"organization": "brussels", "license": catalogue.basic.pk, "seats": "4", "starts_at": first}
    post(staff, url(acme.allocation), **data)
    acme.allocation.refresh_from_db()
    assert (acme.allocation.organization, acme.allocation.license) == (acme.organization, catalogue.professional)
    assert acme.allocation.seats == 4


def test_the_page_of_an_allocation_and_its_message_name_the_customer(staff, acme):
    path = read(staff.get(url(acme.allocation))).one("div", class_="breadcrumbs").text
    assert path == "Home › Applications and licenses › Allocations › CRM Professional for Acme"
    data = {"seats": "9", "starts_at": first_day_of(acme.allocation)}
    assert post(staff, url(acme.allocation), **data) == ["CRM Professional for Acme was changed."]
    answer = staff.post(url(acme.allocation), {**data, "seats": "8", "_continue": ""}, follow=True)
    assert answer.redirect_chain == [(url(acme.allocation), 302)]
    acme.allocation.refresh_from_db()
    assert acme.allocation.seats == 8


def test_a_first_day_cannot_be_taken_away(staff, acme):
    assert refusal(staff, url(acme.allocation), seats="", starts_at="") == {"starts_at": "This field is required."}


def first_day_of(allocation):
    return timezone.localtime(allocation.starts_at).date().isoformat()


def test_fewer_seats_than_are_in_use_are_told_of_first_and_show_as_over(staff, acme):
    acme.assign(acme.organization)
    assert '<div class="readonly">4, no limit</div>' in html(staff, url(acme.allocation))
    data = {"seats": "3", "starts_at": first_day_of(acme.allocation)}
    says, confirmed = asked(staff, url(acme.allocation), **data)
    assert says == [
        "Acme will be over its 3 seats of CRM Professional by 1: 4 are in use. Nobody loses anything by that."
    ]
    acme.allocation.refresh_from_db()
    assert acme.allocation.seats is None
    shown = post(staff, url(acme.allocation), **data, confirmed=confirmed)
    assert "Over by 1: 1 more person has this license than it has seats." in shown
    assert '<div class="readonly">4 of 3, over by 1</div>' in html(staff, url(acme.allocation))


def test_enough_seats_and_a_later_end_need_no_confirmation(staff, acme):
    acme.assign(acme.organization)
    end = timezone.now() + 9 * DAY
    services.change_allocation(acme.allocation, seats=3, starts_at=None, ends_at=end, actor=TEST)
    post(staff, url(acme.allocation), seats="4", starts_at=first_day_of(acme.allocation), ends_at="2190-01-01")
    acme.allocation.refresh_from_db()
    assert acme.allocation.seats == 4


def test_days_that_end_it_now_or_begin_it_again_say_for_whom(staff, acme):
    start = timezone.now() - 40 * DAY
    services.change_allocation(acme.allocation, seats=None, starts_at=start, ends_at=None, actor=TEST)
    acme.assign(acme.organization)
    acme.allocation.refresh_from_db()
    yesterday = (timezone.now() - DAY).date().isoformat()
    data = {"seats": "", "starts_at": first_day_of(acme.allocation), "ends_at": yesterday}
    says, confirmed = asked(staff, url(acme.allocation), **data)
    assert says == ["4 people of Acme can no longer use CRM Professional."]
    post(staff, url(acme.allocation), **data, confirmed=confirmed)
    says, confirmed = asked(staff, url(acme.allocation), **data | {"ends_at": "", "seats": "1"})
    assert says == [
        "4 people of Acme get CRM Professional.",
        "Acme will be over its 1 seat of CRM Professional by 3: 4 are in use. Nobody loses anything by that.",
    ]


def test_an_end_that_is_yet_to_come_says_from_when_on_and_for_whom(staff, acme):
    Organization.objects.update(time_zone="Pacific/Kiritimati")  # 14 hours ahead
    acme.assign(acme.organization)
    ends_on = (timezone.now() + 9 * DAY).date()
    data = {"seats": "", "starts_at": first_day_of(acme.allocation), "ends_at": ends_on.isoformat()}
    says, confirmed = asked(staff, url(acme.allocation), **data)
    on = write_day(ends_on + DAY)
    assert says == [f"From {on} on 4 people of Acme can no longer use CRM Professional."]

    post(staff, url(acme.allocation), **data, confirmed=confirmed)

    activity = read(acme.client().get("/activity/")).text
    assert f"last day {write_day(ends_on)} in place of none; from {on} on 4 people can no longer use" in activity
    services.change_allocation(acme.allocation, seats=None, starts_at=None, ends_at=None, actor=TEST)


def test_who_would_not_have_it_by_then_anyway_does_not_lose_it(staff, acme):
    soon = timezone.now() + 3 * DAY
    services.assign(acme.allocation, kind=USERS, assignees=[acme.viewer], ends_at=soon, actor=TEST)
    acme.assign(acme.nobody)
    ends_on = (timezone.now() + 9 * DAY).date()
    data = {"seats": "", "starts_at": first_day_of(acme.allocation), "ends_at": ends_on.isoformat()}
    says, _ = asked(staff, url(acme.allocation), **data)
    assert says == [f"From {write_day(ends_on + DAY)} on 1 person of Acme can no longer use CRM Professional."]


def test_cancelling_says_how_many_lose_what_and_keeps_the_assignments(staff, acme, catalogue):
    acme.assign(acme.organization)
    acme.assign(acme.nobody, allocation=acme.plain)
    page = read(staff.get(url(acme.allocation, "cancel")))
    assert "Cancel CRM Professional for Acme?" in page.text
    assert consequences(page) == [
        "4 people of Acme can no longer use CRM Professional.",
        "3 people of Acme lose CRM access.",
        "1 person of Acme keeps CRM access through something else.",
        "Its assignments are kept, asleep, and work again when you reinstate it.",
    ]
    acme.allocation.refresh_from_db()
    assert acme.allocation.cancelled_at is None

    shown = post(staff, url(acme.allocation, "cancel"), shown=page.one("input", name="shown")["value"])
    assert shown == ["The allocation of CRM Professional to Acme was cancelled."]
    acme.allocation.refresh_from_db()
    assert acme.allocation.cancelled_at is not None
    assert acme.allocation.assignments.count() == 1
    (entry,) = audit("allocation.cancelled", target_id=acme.allocation.pk)
    assert (entry.actor_name, entry.organization_id) == ("Nora North", acme.organization.pk)
    page = html(staff, url(acme.allocation))
    assert "Not in effect: cancelled" in page
    assert "Reinstate this allocation" in page
    assert "Cancel this allocation" not in page


def consequences(page):
    (told,) = page.all("ul", class_="consequences")
    return [" ".join(item.text.split()) for item in told.all("li")]


def test_what_came_to_concern_more_people_is_shown_again(staff, acme):
    acme.assign(acme.group)
    shown = read(staff.get(url(acme.allocation, "cancel"))).one("input", name="shown")["value"]
    acme.assign(acme.admin)
    page = read(staff.post(url(acme.allocation, "cancel"), {"shown": shown}))
    assert "Meanwhile this came to change something else. Read it again." in page.text
    assert consequences(page)[0] == "2 people of Acme can no longer use CRM Professional."
    acme.allocation.refresh_from_db()
    assert acme.allocation.cancelled_at is None


def test_cancelling_twice_is_refused_in_words(staff, acme):
    services.cancel(acme.allocation, actor=TEST)
    assert post(staff, url(acme.allocation, "cancel")) == ["CRM Professional is cancelled already."]
    assert audit("allocation.cancelled").count() == 1


def test_reinstating_says_how_many_regain_access_and_how_far_over_it_goes(staff, acme):
    acme.assign(acme.organization)
    services.change_allocation(acme.allocation, seats=3, starts_at=None, ends_at=None, actor=TEST)
    services.cancel(acme.allocation, actor=TEST)
    assert consequences(read(staff.get(url(acme.allocation, "reinstate")))) == [
        "4 people of Acme get CRM Professional.",
        "Acme will be over its 3 seats of CRM Professional by 1: 4 are in use. Nobody loses anything by that.",
    ]
    shown = post(staff, url(acme.allocation, "reinstate"))
    assert shown == ["The allocation of CRM Professional to Acme was reinstated."]
    acme.allocation.refresh_from_db()
    assert acme.allocation.cancelled_at is None
    assert audit("allocation.reinstated", target_id=acme.allocation.pk).count() == 1
    assert post(staff, url(acme.allocation, "reinstate")) == ["CRM Professional is not cancelled."]


def test_what_is_so_already_is_said_before_anything_is_asked(staff, acme):
    answer = staff.get(url(acme.allocation, "reinstate"), follow=True)
    assert answer.redirect_chain == [(url(acme.allocation), 302)]
    assert messages_of(answer) == ["CRM Professional is not cancelled."]
    services.cancel(acme.allocation, actor=TEST)
    answer = staff.get(url(acme.allocation, "cancel"), follow=True)
    assert answer.redirect_chain == [(url(acme.allocation), 302)]
    assert messages_of(answer) == ["CRM Professional is cancelled already."]


def test_reinstating_one_that_is_assigned_to_an_empty_group_says_that_it_reaches_nobody(staff, acme):
    acme.assign(directory.create_group(acme.organization, name="Empty", actor=TEST))
    services.cancel(acme.allocation, actor=TEST)
    assert consequences(read(staff.get(url(acme.allocation, "reinstate")))) == [
        "It reaches nobody, so nobody gets access by this."
    ]


def test_reinstating_one_that_has_ended_says_that_nobody_gains(staff, catalogue, brussels):
    old = {"starts_at": datetime(2020, 1, 1, tzinfo=UTC), "ends_at": datetime(2020, 12, 31, 23, tzinfo=UTC)}
    allocation = services.allocate(catalogue.basic, organization=brussels, actor=TEST)
    services.change_allocation(allocation, seats=None, **old, actor=TEST)
    services.cancel(allocation, actor=TEST)
    words = "It ended on 31 Dec 2020, so nobody gets access until its last day is changed."
    assert words in html(staff, url(allocation, "reinstate"))


def test_an_allocation_is_never_deleted(staff, operators, acme):
    for client in (staff, operators):
        assert client.post(url(acme.allocation, "delete"), {"post": "yes"}).status_code == 403
    assert Allocation.objects.filter(pk=acme.allocation.pk).exists()


@pytest.mark.parametrize("status", ["live", "scheduled", "ended", "cancelled"])
def test_allocations_are_filtered_by_status(staff, catalogue, status):
    now, day = timezone.now(), timedelta(days=1)
    dates_of = {
        "live": {"starts_at": now - day},
        "scheduled": {"starts_at": now + day},
        "ended": {"starts_at": now - 2 * day, "ends_at": now - day},
        "cancelled": {},
    }
    for slug, dates in dates_of.items():
        organization = directory.create_organization(name=slug, slug=slug, actor=TEST)
        allocation = services.allocate(catalogue.basic, organization=organization, actor=TEST)
        terms = {"seats": None, "starts_at": None, "ends_at": None, **dates}
        services.change_allocation(allocation, **terms, actor=TEST)
        if slug == "cancelled":
            services.cancel(allocation, actor=TEST)
    listed = staff.get(f"{url(Allocation)}?status={status}").context["cl"].result_list
    assert [allocation.organization.slug for allocation in listed] == [status]


@pytest.mark.parametrize(
    ("model", "query"),
    [
        (Allocation, "status=x"),
        (Allocation, "license__id__exact=x"),
        (Allocation, "license__id__exact=" + "9" * 30),
        (Allocation, "q=%00"),
        (Allocation, "customer=%00"),
        (Allocation, "p=99"),
        (AuditEntry, "about=license-" + "9" * 30),
        (AuditEntry, "about=%00"),
        (AuditEntry, "at__gte=%00"),
    ],
)
def test_a_list_survives_any_query(staff, acme, model, query):
    assert staff.get(f"{url(model)}?{query}", follow=True).status_code == 200


def test_what_no_database_takes_is_not_heard(staff, acme):
    field = {"app_label": "licensing", "model_name": "allocation", "field_name": "organization"}
    assert staff.get("/admin/autocomplete/", {**field, "term": "\0"}).json()["results"]
    assert staff.get(url(Allocation, "add"), {"organization": "\0", "license": "\0"}).status_code == 200
    assert staff.get(url(Allocation, "export"), {"customer": "\0"}).status_code == 200


@pytest.mark.parametrize("query", ["license__id__exact=abc", "license__id__exact=", "license__provider__id__exact=x"])
def test_the_file_of_a_list_that_cannot_be_filtered_so_is_the_list(operators, harbor, query):
    answer = operators.get(f"{url(Allocation, 'export')}?{query}")
    assert (answer.status_code, answer.headers.get("Location")) == (302, f"{url(Allocation)}?e=1")


@pytest.fixture
def of_each(catalogue, acme, globex):
    """Allocations of which each needs another look: {which: Allocation}."""
    now = timezone.now()
    acme.assign(acme.organization)
    services.change_allocation(acme.allocation, seats=3, starts_at=None, ends_at=None, actor=TEST)
    globex.assign(globex.group)
    terms = {"seats": 1, "starts_at": None}
    services.change_allocation(globex.allocation, **terms, ends_at=now + 59 * DAY, actor=TEST)
    services.change_allocation(globex.plain, seats=None, starts_at=now + DAY, ends_at=now + 61 * DAY, actor=TEST)
    services.cancel(acme.plain, actor=TEST)
    return {"ending": [globex.allocation], "over": [acme.allocation], "unused": [globex.plain]}


@pytest.mark.parametrize("what", ["ending", "over", "unused"])
def test_the_list_answers_what_to_look_after(staff, of_each, what):
    listed = staff.get(f"{url(Allocation)}?attention={what}").context["cl"].result_list
    assert listed == of_each[what]


def test_the_list_is_narrowed_to_a_license_and_to_a_customer_by_its_slug(staff, catalogue, acme, globex, harbor):
    listed = staff.get(f"{url(Allocation)}?license__id__exact={catalogue.basic.pk}").context["cl"].result_list
    assert set(listed) == {acme.plain, globex.plain}
    page = read(staff.get(f"{url(Allocation)}?customer=globex&status=live"))
    assert {row[1] for row in page.rows} == {"Globex"}
    form = page.one("form", class_="customer-filter")
    assert form.one("input", name="customer")["value"] == "globex"
    assert form.one("input", name="status")["value"] == "live"
    assert [option["value"] for option in form.all("option")] == ["acme", "globex"]
    assert staff.get(f"{url(Allocation)}?customer=initech").context["cl"].result_list == []


def test_the_list_says_seats_and_state_in_words(staff, of_each):
    listed = read(staff.get(url(Allocation)))
    names = [cell.text for cell in listed.all("th", class_="field-license")]
    rows = {(name, row[1]): row[2:4] for name, row in zip(names, listed.rows, strict=True)}
    assert rows["CRM Professional", "Acme"] == ["Live", "4 of 3, over by 1"]
    assert rows["CRM Professional", "Globex"] == ["Live", "1 of 1"]
    assert rows["CRM Basic", "Acme"] == ["Not in effect: cancelled", "0, no limit"]
    assert rows["CRM Basic", "Globex"][0].startswith("Starts ")


def test_the_list_as_it_is_filtered_is_sent_as_a_file(staff, of_each, acme, globex, harbor):
    link = read(staff.get(f"{url(Allocation)}?attention=over")).links["Export as CSV"]
    text = b"".join(staff.get(link).streaming_content).decode()
    head, *rows = [line.split(",") for line in text.lstrip("\ufeff").splitlines()]
    day = f"{timezone.now():%-d %b %Y}"
    assert head[:4] == ["License", "Organization", "Slug", "Status"]
    assert rows == [["CRM Professional", "Acme", "acme", "Live", "4", "3", "1", day, "none"]]
    text = b"".join(staff.get(url(Allocation, "export")).streaming_content).decode()
    assert len(text.splitlines()) == 5
    assert "Initech" not in text


def chosen(action, *allocations, **more):
    return {"action": action, "_selected_action": [each.pk for each in allocations], **more}


def key_of_page(answer):
    return read(answer).one("input", name="shown")["value"]


def test_many_are_cancelled_after_a_page_with_the_numbers(staff, acme, globex):
    acme.assign(acme.organization)
    globex.assign(globex.group)
    act = chosen("cancel_many", acme.allocation, globex.allocation, globex.plain)
    answer = staff.post(url(Allocation), act | {"index": 0})
    page = read(answer)
    assert consequences(page) == [
        "4 people of Acme can no longer use CRM Professional.",
        "1 person of Globex can no longer use CRM Professional.",
        "5 people in 2 organizations lose CRM access.",
    ]
    assert page.rows == [
        ["Acme", "Live", "4, no limit", "4 people can no longer use it"],
        ["Globex", "Live", "1, no limit", "1 person can no longer use it"],
        ["Globex", "Live", "0, no limit", "nobody feels it"],
    ]
    assert not Allocation.objects.exclude(cancelled_at=None).exists()
    assert post(staff, url(Allocation), **act, shown=key_of_page(answer)) == ["3 allocations were cancelled."]
    assert set(Allocation.objects.filter(cancelled_at=None)) == {acme.plain}
    assert audit("allocation.cancelled", actor_name="Nora North").count() == 3


def test_of_many_those_that_are_so_already_are_named_and_the_others_go_through(staff, acme, globex):
    services.cancel(acme.plain, actor=TEST)
    act = chosen("cancel_many", acme.plain, globex.plain)
    answer = staff.post(url(Allocation), act | {"index": 0})
    page, shown = read(answer), key_of_page(answer)
    assert "Cancel 1 allocation?" in page.text
    assert [row[-1] for row in page.rows] == ["left out: CRM Basic is cancelled already.", "nobody feels it"]
    assert post(staff, url(Allocation), **act, shown=shown) == [
        "1 allocation was cancelled.",
        "Not cancelled: CRM Basic for Acme: CRM Basic is cancelled already.",
    ]


def test_where_none_of_many_can_be_done_nothing_is_asked(staff, acme, globex):
    act = chosen("reinstate_many", acme.plain, globex.plain)
    assert post(staff, url(Allocation), **act, index=0) == ["None of these can be reinstated."]


def test_many_are_reinstated_and_those_that_go_over_are_told_of(staff, acme, globex):
    acme.assign(acme.organization)
    services.change_allocation(acme.allocation, seats=1, starts_at=None, ends_at=None, actor=TEST)
    for allocation in (acme.allocation, globex.plain):
        services.cancel(allocation, actor=TEST)
    act = chosen("reinstate_many", acme.allocation, globex.plain)
    answer = staff.post(url(Allocation), act | {"index": 0})
    assert consequences(read(answer)) == [
        "4 people of Acme get CRM Professional.",
        "Acme will be over its 1 seat of CRM Professional by 3: 4 are in use. Nobody loses anything by that.",
    ]
    assert post(staff, url(Allocation), **act, shown=key_of_page(answer)) == ["2 allocations were reinstated."]


def test_the_end_of_many_is_asked_for_then_shown_then_changed(staff, acme, brussels, catalogue):
    acme.assign(acme.organization)
    start = timezone.now() - 40 * DAY
    services.change_allocation(acme.allocation, seats=9, starts_at=start, ends_at=None, actor=TEST)
    there = services.allocate(catalogue.basic, organization=brussels, starts_at=start, actor=TEST)
    act = chosen("change_end_of_many", acme.allocation, there)
    answer = staff.post(url(Allocation), act | {"index": 0})
    assert "Show what that changes" in answer.content.decode()
    day = (timezone.now() - 3 * DAY).date()
    answer = staff.post(url(Allocation), act | {"shown": "", "ends_at": day.isoformat()})
    assert consequences(read(answer)) == ["4 people of Acme can no longer use CRM Professional."]
    shown = key_of_page(answer)
    other = staff.post(url(Allocation), act | {"shown": shown, "ends_at": "2190-01-01"})
    assert "This is not what was shown before. Read it again." in other.content.decode()
    assert there.ends_at is None
    said = post(staff, url(Allocation), **act, shown=shown, ends_at=day.isoformat())
    assert said == ["2 allocations were changed."]
    there.refresh_from_db()
    acme.allocation.refresh_from_db()
    assert there.ends_at.astimezone(brussels.tz).isoformat()[:16] == f"{day + DAY}T00:00"
    assert (acme.allocation.seats, acme.allocation.starts_at) == (9, start)


def test_the_end_of_many_says_from_when_on_and_which_are_left_out(staff, acme, globex):
    acme.assign(acme.organization)
    later = timezone.now() + 90 * DAY
    for each in (acme.allocation, acme.plain):
        services.change_allocation(each, seats=None, starts_at=None, ends_at=None, actor=TEST)
    services.change_allocation(globex.plain, seats=None, starts_at=later, ends_at=None, actor=TEST)
    day = (timezone.now() + 9 * DAY).date()
    act = chosen("change_end_of_many", acme.allocation, acme.plain, globex.plain) | {"ends_at": day.isoformat()}

    answer = staff.post(url(Allocation), act | {"shown": ""})

    page, on = read(answer), write_day(day + DAY)
    assert consequences(page) == [f"From {on} on 4 people of Acme can no longer use CRM Professional."]
    assert [row[-1] for row in page.rows] == [
        f"from {on} on 4 people can no longer use it",
        "nobody feels it",
        "left out: The last day is before the first. Choose a later one.",
    ]
    assert "Change the end of 2 allocations" in answer.content.decode()
    said = post(staff, url(Allocation), **act, shown=key_of_page(answer))
    assert said[0] == "2 allocations were changed."


def test_an_end_that_none_of_many_can_have_is_not_offered(staff, globex):
    later = timezone.now() + 90 * DAY
    services.change_allocation(globex.plain, seats=None, starts_at=later, ends_at=None, actor=TEST)
    day = (timezone.now() + 9 * DAY).date()
    answer = staff.post(
        url(Allocation), chosen("change_end_of_many", globex.plain) | {"shown": "", "ends_at": day.isoformat()}
    )
    assert "left out: The last day is before the first." in read(answer).text
    assert key_of_page(answer) == ""


@pytest.mark.parametrize("day", ["soon", "9999-12-31", "\0"])
def test_a_day_that_is_none_is_refused_at_its_field(staff, acme, day):
    act = chosen("change_end_of_many", acme.allocation)
    answer = staff.post(url(Allocation), act | {"shown": "x", "ends_at": day})
    assert answer.context["form"].errors["ends_at"]
    acme.allocation.refresh_from_db()
    assert acme.allocation.ends_at is None


@pytest.mark.parametrize("key", ["x", "9" * 30, "\0", "-1", "²"])
@pytest.mark.parametrize("action", ["cancel_many", "reinstate_many", "change_end_of_many", "never"])
def test_an_action_survives_keys_that_are_none(staff, acme, action, key):
    answer = staff.post(url(Allocation), {"action": action, "_selected_action": key, "index": 0}, follow=True)
    assert answer.status_code == 200
