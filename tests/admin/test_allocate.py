"""Allocating: one or many licenses to one or many organizations, with seats and days of the customer."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from directory import services as directory
from directory.models import Organization
from licensing import services
from licensing.models import Allocation, License
from tests.admin.hands import audit, errors_of, html, post, refusal, url
from tests.reading import read
from tests.worlds import TEST

GONE = "Something you chose is not there any more. Choose again."


def test_staff_allocates_to_a_slug_with_seats_and_days_of_the_customer(staff, catalogue, brussels):
    data = {"others": "brussels", "licenses": catalogue.basic.pk, "seats": 5}
    post(staff, url(Allocation, "add"), **data, starts_at="2127-01-01", ends_at="2127-12-31")
    allocation = Allocation.objects.get(organization=brussels)
    assert (allocation.license, allocation.seats) == (catalogue.basic, 5)
    assert allocation.starts_at == datetime(2126, 12, 31, 23, tzinfo=UTC)
    assert allocation.ends_at == datetime(2127, 12, 31, 23, tzinfo=UTC)
    (entry,) = audit("allocation.created", target_id=allocation.pk)
    assert (entry.organization_id, entry.provider_id, entry.actor_name) == (
        brussels.pk,
        catalogue.provider.pk,
        "Nora North",
    )
    assert (entry.details["from"], entry.details["until"]) == ("2127-01-01", "2127-12-31")
    form = staff.get(url(allocation)).context["adminform"].form
    assert (str(form.initial["starts_at"]), str(form.initial["ends_at"])) == ("2127-01-01", "2127-12-31")


def test_an_allocation_without_days_starts_now_and_has_no_end(staff, catalogue, brussels):
    post(staff, url(Allocation, "add"), others="brussels", licenses=catalogue.basic.pk)
    allocation = Allocation.objects.get(organization=brussels)
    assert (allocation.seats, allocation.ends_at) == (None, None)
    assert timezone.now() - allocation.starts_at < timedelta(minutes=1)


def test_the_form_offers_no_list_of_organizations(staff, harbor):
    page = html(staff, url(Allocation, "add"))
    assert '<textarea name="others"' in page
    assert "Acme" not in page


def test_an_unknown_slug_is_refused_at_its_field_and_nothing_typed_is_lost(staff, catalogue):
    response = staff.post(url(Allocation, "add"), {"others": "acmee", "licenses": catalogue.basic.pk, "seats": "17"})
    assert errors_of(response) == {
        "others": "No organization has the slug “acmee”. Ask the customer; it must be exact."
    }
    assert ">\nacmee</textarea>" in response.content.decode()
    assert 'value="17"' in response.content.decode()


def test_a_license_without_a_default_policy_cannot_be_allocated_and_says_why(staff, catalogue, brussels):
    empty = services.save(License(provider=catalogue.provider, name="Empty"), actor=TEST)
    assert refusal(staff, url(Allocation, "add"), others="brussels", licenses=empty.pk) == {
        "__all__": "Empty has no default policy, so whoever got it could do nothing. Give it one, then allocate it."
    }


def test_a_license_is_allocated_once_to_an_organization(staff, catalogue, acme):
    errors = refusal(staff, url(Allocation, "add"), others="acme", licenses=catalogue.basic.pk)
    assert errors == {"__all__": "This license is allocated here already. Change that allocation instead."}


@pytest.mark.parametrize(
    ("data", "errors"),
    [
        ({"seats": "-1"}, {"seats": "Write 1 or more, or nothing for no limit."}),
        ({"seats": "0"}, {"seats": "Write 1 or more, or nothing for no limit."}),
        ({"seats": "9" * 30}, {"seats": "Write at most 10,000,000, or nothing for no limit."}),
        ({"seats": "9" * 5000}, {"seats": "Write a number, or nothing for no limit."}),
        ({"seats": "many"}, {"seats": "Write a number, or nothing for no limit."}),
        ({"starts_at": "soon"}, {"starts_at": "This is not a day. Write it as 2027-01-31."}),
        ({"ends_at": "9999-12-31"}, {"ends_at": "Choose a day before 2200."}),
        (
            {"starts_at": "2127-02-01", "ends_at": "2127-01-31"},
            {"ends_at": "The last day is before the first. Choose a later one."},
        ),
        ({"ends_at": "2001-01-01"}, {"ends_at": "This day has passed. Choose today or later."}),
        ({"others": ""}, {"others": "Choose an organization, or write the slug of one."}),
        ({"others": "a\0b"}, {"others": "Null characters are not allowed."}),
        ({"customers": "x"}, {"customers": GONE}),
        ({"licenses": []}, {"licenses": "Choose a license."}),
        (
            {"licenses": "9" * 30},
            {"licenses": GONE},
        ),
        ({"licenses": "x"}, {"licenses": GONE}),
    ],
)
def test_bad_input_is_refused_at_its_field(staff, catalogue, brussels, data, errors):
    data = {"others": "brussels", "licenses": catalogue.basic.pk, **data}
    assert refusal(staff, url(Allocation, "add"), **data) == errors
    assert not Allocation.objects.exists()


def outcomes(answer):
    """What the page says became of each: [[organization, license, outcome], …]."""
    return read(answer).rows


def test_one_license_is_allocated_to_many_and_many_to_one_each_with_its_outcome(staff, catalogue, acme, brussels):
    sent = {"licenses": [catalogue.professional.pk, catalogue.basic.pk], "customers": acme.organization.pk}
    answer = staff.post(url(Allocation, "add"), sent | {"others": "brussels, brussels", "seats": "7"})
    already = "Not allocated. This license is allocated here already. Change that allocation instead."
    assert outcomes(answer) == [
        ["Acme", "CRM Basic", already],
        ["Acme", "CRM Professional", already],
        ["Brussels", "CRM Basic", "Allocated"],
        ["Brussels", "CRM Professional", "Allocated"],
    ]
    assert "2 of 4 were allocated." in answer.content.decode()
    assert set(brussels.allocations.values_list("license__name", "seats")) == {
        ("CRM Basic", 7),
        ("CRM Professional", 7),
    }
    assert acme.organization.allocations.filter(seats=7).count() == 0
    assert audit("allocation.created", organization_id=brussels.pk, actor_name="Nora North").count() == 2


def test_days_are_those_of_each_organization(staff, catalogue, brussels):
    tokyo = directory.create_organization(name="Tokyo", slug="tokyo", time_zone="Asia/Tokyo", actor=TEST)
    sent = {"licenses": catalogue.basic.pk, "others": "brussels tokyo", "ends_at": "2199-06-30"}
    staff.post(url(Allocation, "add"), sent)
    assert brussels.allocations.get().ends_at == datetime(2199, 6, 30, 22, tzinfo=UTC)
    assert tokyo.allocations.get().ends_at == datetime(2199, 6, 30, 15, tzinfo=UTC)


def test_the_way_here_chooses_and_offers_own_customers_only(staff, catalogue, acme, harbor):
    page = read(
        staff.get(f"{url(Allocation, 'add')}?license={catalogue.basic.pk}&organization=acme&organization=initech")
    )
    ticked = [box["value"] for box in page.all("input", name="licenses") if "checked" in box.attributes]
    assert ticked == [str(catalogue.basic.pk)]
    offered = [option.text for option in page.one("select", name="customers").all("option")]
    assert offered == ["Acme"]
    assert page.one("textarea", name="others").text == "initech"


def test_too_many_at_once_are_refused(staff, catalogue, brussels):
    slugs = " ".join(f"x{number}" for number in range(501))
    errors = refusal(staff, url(Allocation, "add"), licenses=catalogue.basic.pk, others=slugs)
    assert errors == {"others": "Write at most 500 slugs at once."}


def test_a_time_that_is_over_is_refused_by_the_day_of_the_customer(staff, catalogue, brussels):
    yesterday = timezone.localdate(timezone=brussels.tz) - timedelta(days=1)
    sent = {"licenses": catalogue.basic.pk, "others": "brussels", "starts_at": "2020-01-01"}
    assert refusal(staff, url(Allocation, "add"), **sent, ends_at=yesterday) == {
        "ends_at": "This day has passed. Choose today or later."
    }
    post(staff, url(Allocation, "add"), **sent, ends_at=yesterday + timedelta(days=1))


def test_unknown_slugs_are_named(staff, catalogue):
    assert refusal(staff, url(Allocation, "add"), licenses=catalogue.basic.pk, others="nosuch, what") == {
        "others": "No organization has the slug “nosuch” or “what”. Ask the customer; it must be exact."
    }


def test_an_organization_that_nobody_allocated_to_is_found_by_its_slug_only(staff, catalogue, brussels):
    listed = staff.get(url(Organization)).context["cl"].result_list
    assert brussels not in listed
    post(staff, url(Allocation, "add"), licenses=catalogue.basic.pk, others="brussels")
    assert brussels in staff.get(url(Organization)).context["cl"].result_list


def test_customers_are_chosen_from_the_list_too(staff, catalogue, acme, globex):
    chosen = {"action": "allocate", "_selected_action": [acme.organization.pk, globex.organization.pk], "index": 0}
    answer = staff.post(url(Organization), chosen)
    assert answer.url == f"{url(Allocation, 'add')}?organization=acme&organization=globex"
