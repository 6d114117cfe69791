"""Applications and policies: made, changed and deleted through services, and refused in words."""

import pytest
from django.utils import timezone

from directory.models import Organization
from licensing import services
from licensing.models import Application, License, Policy, ProviderToken
from portal.audit.models import AuditEntry
from portal.audit.sentences import sentence_of
from tests.admin.hands import asked, audit, html, of_license, post, refusal, url
from tests.worlds import TEST


def test_staff_creates_and_changes_an_application(staff, catalogue):
    data = {"name": "Mail", "slug": "mail", "resource_type": "application", "url": "mail.example/"}
    post(staff, url(Application, "add"), provider=catalogue.provider.pk, **data)
    application = Application.objects.get(slug="mail")
    assert (application.provider, application.url) == (catalogue.provider, "https://mail.example/")
    post(staff, url(application), **data | {"name": "Mails"})
    application.refresh_from_db()
    assert application.name == "Mails"
    entries = audit("application.created", target_id=application.pk) | audit(
        "application.changed", target_id=application.pk
    )
    assert set(entries.values_list("verb", "actor_name", "actor_kind", "provider_id")) == {
        (f"application.{verb}", "Nora North", "account", catalogue.provider.pk) for verb in ("created", "changed")
    }


def test_a_slug_by_which_applications_ask_is_changed_after_saying_who_is_answered_no(staff, catalogue, acme):
    acme.assign(acme.organization)
    data = {"name": "CRM", "slug": "crm2", "resource_type": "application"}
    says, confirmed = asked(staff, url(catalogue.application), **data)
    assert says == [
        "4 people have policies of CRM. Whatever asks for application “crm” is answered no from the next question on,"
        " for each of them, until it asks for application “crm2”."
    ]

    post(staff, url(catalogue.application), **data, confirmed=confirmed)

    catalogue.application.refresh_from_db()
    assert catalogue.application.slug == "crm2"
    (entry,) = audit("application.changed")
    assert sentence_of(entry) == "changed application <b>CRM</b>: slug crm2 in place of crm"


@pytest.mark.parametrize(
    ("model", "fields"),
    [
        (Application, ["slug", "resource_type", "description", "url"]),
        (Policy, ["description", "actions", "role"]),
        (License, ["description"]),
    ],
)
def test_what_a_field_is_for_stands_at_it(staff, catalogue, model, fields):
    form = staff.get(url(model, "add")).context["adminform"].form
    assert [name for name in fields if not form.fields[name].help_text] == []


def test_a_slug_that_is_taken_is_refused_in_words(staff, catalogue):
    data = {"name": "Other", "slug": "crm", "resource_type": "application"}
    assert refusal(staff, url(Application, "add"), provider=catalogue.provider.pk, **data) == {
        "__all__": "An application with this slug exists."
    }
    assert Application.objects.filter(provider=catalogue.provider).count() == 1


def test_saving_without_a_change_writes_nothing(staff, catalogue, acme):
    before = AuditEntry.objects.count()
    post(staff, url(catalogue.professional), **of_license(catalogue.professional))
    post(staff, url(catalogue.reading), application=catalogue.application.pk, name="CRM access", actions="read")
    first = timezone.localtime(acme.allocation.starts_at).date().isoformat()
    post(staff, url(acme.allocation), seats="", starts_at=first, ends_at="")
    assert AuditEntry.objects.count() == before


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("read\r\nwrite", ["read", "write"]),
        (" read , write,,read\n", ["read", "write"]),
        ("", []),
        ("[1, {", ["[1", "{"]),
    ],
)
def test_actions_are_written_as_text(staff, catalogue, written, stored):
    post(staff, url(Policy, "add"), application=catalogue.application.pk, name="New", actions=written)
    policy = Policy.objects.get(name="New")
    assert policy.actions == stored
    assert audit("policy.created", target_id=policy.pk, provider_id=catalogue.provider.pk).count() == 1
    assert staff.get(url(policy)).context["adminform"].form["actions"].value() == "\n".join(stored)


def test_an_action_with_a_null_character_is_refused(staff, catalogue):
    errors = refusal(staff, url(Policy, "add"), application=catalogue.application.pk, name="New", actions="re\0ad")
    assert errors == {"actions": "Null characters are not allowed."}


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (",".join(f"a{n}" for n in range(101)), "These are 101 actions. List at most 100."),
        ("a" * 100_000, "“aaaaaaaaaaaaaaaaaaaa…” has 100,000 characters. An action has at most 100."),
        ("read,\u202e", "Write the name on one line, without control characters."),
    ],
)
def test_a_policy_lists_so_many_actions_and_no_longer_ones(staff, catalogue, written, said):
    page, sent = url(Policy, "add"), {"application": catalogue.application.pk, "name": "New"}
    assert refusal(staff, page, **sent, actions=written) == {"actions": said}
    post(staff, page, **sent, actions=",".join("a" * 99 + chr(200 + n) for n in range(100)))
    assert len(Policy.objects.get(name="New").actions) == 100


def test_what_a_provider_names_can_be_read(staff, catalogue):
    said = "Write the name on one line, without control characters."
    sent = {"provider": catalogue.provider.pk, "slug": "new", "resource_type": "x", "time_zone": "UTC"}
    sent |= {"application": catalogue.application.pk, "name": "New\r\nline"}
    for model in (Application, Policy, License, Organization, ProviderToken):
        assert refusal(staff, url(model, "add"), **sent) == {"name": said}


def test_a_policy_that_a_license_has_cannot_be_deleted_and_the_page_says_which(staff, catalogue):
    words = "CRM Basic and CRM Professional have the policy CRM access. Take it out first."
    assert words in html(staff, url(catalogue.reading, "delete"))
    assert words in staff.post(url(catalogue.reading, "delete"), {"post": "yes"}).content.decode()
    assert Policy.objects.filter(pk=catalogue.reading.pk).exists()


def test_an_application_whose_policies_a_license_has_cannot_be_deleted_and_the_page_says_which(staff, catalogue):
    words = "CRM Basic and CRM Professional have policies of CRM. Take them out first."
    assert words in html(staff, url(catalogue.application, "delete"))


def test_an_application_with_policies_that_no_license_has_says_to_delete_them_first(staff, catalogue):
    application = services.save(Application(provider=catalogue.provider, name="Mail", slug="mail"), actor=TEST)
    services.save(Policy(application=application, name="Mail access"), actor=TEST)
    assert "Mail has policies: Mail access. Delete them first." in html(staff, url(application, "delete"))


def test_a_license_that_was_allocated_cannot_be_deleted_even_when_cancelled(staff, catalogue, acme, globex):
    services.cancel(acme.allocation, actor=TEST)
    page = staff.post(url(catalogue.professional, "delete"), {"post": "yes"}).content.decode()
    assert "CRM Professional is allocated to Acme and Globex, cancelled or not, so it stays." in page
    assert License.objects.filter(pk=catalogue.professional.pk).exists()


def test_what_nothing_uses_is_deleted_and_audited(staff, catalogue):
    post(staff, url(catalogue.basic, "delete"), post="yes")
    assert not License.objects.filter(pk=catalogue.basic.pk).exists()
    assert audit("license.deleted", target_name="CRM Basic", provider_id=catalogue.provider.pk).count() == 1


def test_a_lead_says_how_customers_reach_the_provider_and_its_name_stays(staff, helper, catalogue, harbor):
    sent = {
        "name": "Mine",
        "slug": "mine",
        "contact_email": "help@northlight.example",
        "terms_url": "northlight.example",
    }
    post(staff, url(catalogue.provider), **sent)
    catalogue.provider.refresh_from_db()
    assert (catalogue.provider.name, catalogue.provider.slug) == ("Northlight", "northlight")
    assert catalogue.provider.contact_email == "help@northlight.example"
    assert catalogue.provider.terms_url == "https://northlight.example"
    (entry,) = audit("provider.changed", actor_name="Nora North")
    assert entry.details["old"] == {"contact_email": "", "terms_url": ""}
    assert "help@northlight.example" in html(helper, url(catalogue.provider))
    assert helper.post(url(catalogue.provider), sent).status_code == 403
    assert staff.get(url(harbor.provider)).status_code == 302
    assert staff.post(url(harbor.provider), sent).status_code == 302
