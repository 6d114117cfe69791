"""Licenses: their policies in one table, and what a change of them does to customers, said before it is made."""

import pytest

from licensing import services
from licensing.models import Allocation, License
from portal.audit.models import AuditEntry
from tests.admin.hands import asked, audit, html, of_license, policies, post, refusal, url
from tests.reading import read
from tests.worlds import TEST


def test_staff_creates_a_license_with_its_policies(staff, catalogue):
    data = {
        "name": "CRM Export",
        **policies([catalogue.reading], [catalogue.export]),
    }
    post(staff, url(License, "add"), provider=catalogue.provider.pk, **data)
    license = License.objects.get(name="CRM Export")
    assert (license.default_policies, license.optional_policies) == ([catalogue.reading], [catalogue.export])
    for verb in ("license.created", "license.policies"):
        assert (
            audit(verb, target_id=license.pk, provider_id=catalogue.provider.pk, actor_name="Nora North").count() == 1
        )


def test_a_name_that_is_taken_leaves_nothing_half_written(staff, catalogue):
    before = AuditEntry.objects.count()
    data = {"name": "crm basic", **policies([catalogue.reading])}
    assert refusal(staff, url(License, "add"), provider=catalogue.provider.pk, **data) == {
        "__all__": "A license of this name exists."
    }
    assert (License.objects.count(), AuditEntry.objects.count()) == (2, before)


def test_the_last_default_policy_of_an_allocated_license_stays(staff, catalogue, acme):
    errors = refusal(staff, url(catalogue.basic), **of_license(catalogue.basic, default=[]))
    assert errors == {"__all__": "This license is allocated: it keeps at least one, or who has it could do nothing."}


def test_the_last_default_policy_of_a_license_that_nobody_has_may_go(staff, catalogue):
    post(staff, url(catalogue.basic), **of_license(catalogue.basic, default=[]))
    assert not catalogue.basic.license_policies.exists()
    assert "none: it cannot be allocated yet" in html(staff, url(License))


def test_a_change_that_people_would_feel_says_so_and_asks_first(staff, catalogue, acme):
    assignment = acme.assign(acme.group, policies=[catalogue.export])
    data = of_license(catalogue.professional, default=[catalogue.administration], optional=[catalogue.reading])
    says, confirmed = asked(staff, url(catalogue.professional), **data)
    assert says == [
        "1 person of Acme loses CRM access.",
        "1 person of Acme loses CRM export.",
        "1 person of Acme gets CRM administration.",
        "1 assignment in 1 organization has CRM export chosen. That choice is deleted for good.",
    ]
    assert catalogue.professional.license_policies.count() == 3

    post(staff, url(catalogue.professional), **data, confirmed=confirmed)
    license = License.objects.get(pk=catalogue.professional.pk)
    assert license.default_policies == [catalogue.administration]
    assert license.optional_policies == [catalogue.reading]
    assert not assignment.assignment_policies.exists()
    (entry,) = audit("license.policies", target_id=license.pk, organization_id=acme.organization.pk)
    assert (entry.details["now_default"], entry.details["removed"]) == (["CRM administration"], ["CRM export"])
    assert not audit("license.changed", target_id=license.pk).exists()


def test_an_added_optional_policy_needs_no_confirmation(staff, catalogue, acme):
    post(staff, url(catalogue.basic), **of_license(catalogue.basic, optional=[catalogue.export]))
    assert License.objects.get(pk=catalogue.basic.pk).optional_policies == [catalogue.export]


def test_a_licenses_page_lists_its_allocations_and_leads_to_a_new_one(staff, catalogue, acme, globex):
    services.cancel(globex.allocation, actor=TEST)
    page = html(staff, url(catalogue.professional))
    assert f'<a href="{url(acme.allocation)}">Acme</a>: Live, seats used: 0, no limit' in page
    assert f'<a href="{url(globex.allocation)}">Globex</a>: Not in effect: cancelled, seats used: 0, no limit' in page
    assert f"{url(Allocation, 'add')}?license={catalogue.professional.pk}" in page


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"contents-kind-x": "default"}, "A policy you chose is not there any more. Choose again."),
        ({f"contents-kind-{'9' * 30}": "default"}, "A policy you chose is not there any more. Choose again."),
        ({"contents-kind-{0}": "never"}, "A policy you chose is not there any more. Choose again."),
        ({"contents-place-{0}": "first"}, "Write places as whole numbers: 1, 2, 3."),
        ({"contents-place-{0}": "²"}, "Write places as whole numbers: 1, 2, 3."),
        ({"contents-place-{0}": "9" * 5000}, "Write places as whole numbers: 1, 2, 3."),
    ],
)
def test_what_is_no_policy_or_place_is_refused_at_the_table(staff, catalogue, sent, said):
    sent = {key.format(catalogue.reading.pk): value for key, value in sent.items()}
    assert refusal(staff, url(catalogue.basic), **of_license(catalogue.basic) | sent) == {"contents": said}


def test_places_say_the_order_and_what_was_moved_to_a_place_comes_before_what_stands_there(staff, catalogue):
    reading, export, administration = catalogue.reading, catalogue.export, catalogue.administration
    license, data = catalogue.professional, of_license(catalogue.professional)
    moved = data | {f"contents-place-{administration.pk}": "2"}
    post(staff, url(license), **moved)
    assert License.objects.get(pk=license.pk).optional_policies == [administration, export]
    last = of_license(License.objects.get(pk=license.pk)) | {f"contents-place-{administration.pk}": ""}
    post(staff, url(license), **last)
    assert License.objects.get(pk=license.pk).optional_policies == [export, administration]
    assert License.objects.get(pk=license.pk).default_policies == [reading]


def test_nothing_typed_into_the_table_is_lost_when_something_is_refused(staff, catalogue):
    data = of_license(catalogue.basic, name="", default=[catalogue.export], optional=[catalogue.reading])
    page = read(staff.post(url(catalogue.basic), data))
    chosen = {
        box["name"]: [option["value"] for option in box.all("option") if "selected" in option.attributes]
        for box in page.all("select")
        if box["name"].startswith("contents")
    }
    assert chosen[f"contents-kind-{catalogue.export.pk}"] == ["default"]
    assert chosen[f"contents-kind-{catalogue.reading.pk}"] == ["optional"]
    assert page.one("input", name=f"contents-place-{catalogue.reading.pk}")["value"] == "2"


def test_the_page_shows_how_customers_see_it_and_will_see_it(staff, catalogue, acme):
    acme.assign(acme.group)
    services.save(set_description(catalogue.reading, "See customers"), actor=TEST)
    seen = read(staff.get(url(catalogue.professional))).one("fieldset", id="preview")
    assert seen.one("h2").text == "How customers see it"
    assert [item.text for item in seen.all("li")] == [
        "CRM access: See customers",
        "CRM export",
        "CRM administration",
        "CRM",
    ]
    data = of_license(catalogue.professional, description="For sales", default=[catalogue.export], optional=[])
    seen = read(staff.post(url(catalogue.professional), data)).one("fieldset", id="preview")
    assert seen.one("h2").text == "How customers will see it"
    assert [item.text for item in seen.all("p", "li")] == ["For sales", "CRM export", "CRM"]


def test_how_customers_will_see_it_is_shown_before_anything_is_saved(staff, catalogue):
    data = {"provider": catalogue.provider.pk, "name": "Suite", "description": "For sales"}
    data |= policies([catalogue.export], [catalogue.reading]) | {"_preview": "1"}

    page = read(staff.post(url(License, "add"), data))

    assert "Nothing is saved yet. Below stands how customers will see it." in page.text
    assert "Please correct the error" not in page.text
    seen = page.one("fieldset", id="preview")
    assert [item.text for item in seen.all("h2", "h3", "li")][:4] == [
        "How customers will see it",
        "Suite",
        "CRM export",
        "CRM access",
    ]
    assert not License.objects.filter(name="Suite").exists()
    post(staff, url(License, "add"), **{name: value for name, value in data.items() if name != "_preview"})
    assert License.objects.get(name="Suite").default_policies == [catalogue.export]


def set_description(policy, text):
    policy.description = text
    return policy


def test_the_numbers_are_of_all_customers_and_name_nobody(staff, catalogue, acme, globex):
    acme.assign(acme.group)
    globex.assign(globex.organization)
    globex.assign(globex.viewer, policies=[catalogue.export])
    says, _ = asked(
        staff,
        url(catalogue.professional),
        **of_license(catalogue.professional, default=[catalogue.administration], optional=[catalogue.export]),
    )
    assert says == [
        "5 people in 2 organizations lose CRM access.",
        "5 people in 2 organizations get CRM administration.",
    ]


def test_who_keeps_a_policy_through_another_license_does_not_lose_it(staff, catalogue, acme):
    acme.assign(acme.organization)
    acme.assign(acme.nobody, allocation=acme.plain)
    both = [catalogue.export]
    says, _ = asked(staff, url(catalogue.professional), **of_license(catalogue.professional, default=both, optional=[]))
    assert says == [
        "3 people of Acme lose CRM access.",
        "4 people of Acme get CRM export.",
        "1 person of Acme keeps CRM access through something else.",
    ]


def test_what_was_confirmed_is_asked_again_when_it_has_become_something_else(staff, catalogue, acme):
    acme.assign(acme.group)
    data = of_license(catalogue.professional, default=[catalogue.administration], optional=[])
    _, confirmed = asked(staff, url(catalogue.professional), **data)
    acme.assign(acme.admin)
    errors = refusal(staff, url(catalogue.professional), **data, confirmed=confirmed)
    assert errors["__all__"].startswith("Meanwhile this came to change something else.")
    assert License.objects.get(pk=catalogue.professional.pk).default_policies == [catalogue.reading]


def test_a_choice_that_sleeps_is_told_of_before_it_is_deleted(staff, catalogue, acme):
    acme.assign(acme.group, policies=[catalogue.export])
    services.cancel(acme.allocation, actor=TEST)
    data = of_license(catalogue.professional, optional=[catalogue.administration])
    says, _ = asked(staff, url(catalogue.professional), **data)
    assert says == ["1 assignment in 1 organization has CRM export chosen. That choice is deleted for good."]


def test_the_actions_of_a_policy_in_use_are_changed_after_saying_how_many_have_it(staff, catalogue, acme, globex):
    acme.assign(acme.group)
    globex.assign(globex.organization)
    data = {"application": catalogue.application.pk, "name": "CRM access", "actions": "read\nwrite"}
    says, confirmed = asked(staff, url(catalogue.reading), **data)
    assert says == [
        "5 people in 2 organizations have CRM access now. "
        "From the next question on it covers read and write of CRM in place of read of CRM."
    ]
    catalogue.reading.refresh_from_db()
    assert catalogue.reading.actions == ["read"]
    post(staff, url(catalogue.reading), **data, confirmed=confirmed)
    catalogue.reading.refresh_from_db()
    assert catalogue.reading.actions == ["read", "write"]


def test_the_role_of_a_policy_in_use_is_changed_after_saying_which_is_handed_over(staff, catalogue, acme):
    acme.assign(acme.viewer)
    data = {"application": catalogue.application.pk, "name": "CRM access", "actions": "read", "role": "crm-reader"}
    says, _ = asked(staff, url(catalogue.reading), **data)
    assert says == [
        "1 person in 1 organization has CRM access now. "
        "From the next question on it hands over the role crm-reader in place of no role."
    ]


def test_an_optional_policy_that_becomes_default_tells_of_the_choices_that_go(staff, catalogue, acme):
    acme.assign(acme.viewer, policies=[catalogue.export])
    data = of_license(
        catalogue.professional, default=[catalogue.reading, catalogue.export], optional=[catalogue.administration]
    )
    says, _ = asked(staff, url(catalogue.professional), **data)
    assert says == ["1 assignment in 1 organization has CRM export chosen. That choice is deleted for good."]


def test_words_of_a_policy_and_actions_of_one_that_nobody_has_need_no_confirmation(staff, catalogue, acme):
    acme.assign(acme.group)
    data = {"application": catalogue.application.pk, "description": "See customers"}
    post(staff, url(catalogue.reading), **data, name="CRM access", actions="read")
    post(staff, url(catalogue.export), **data, name="CRM export", actions="")
    assert audit("policy.changed", organization_id=None).count() == 2  # and what Acme is told
