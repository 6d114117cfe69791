"""What was done with a provider's things, to read only."""

import pytest
from django.utils import timezone

from licensing import services
from portal.audit.models import AuditEntry
from tests.admin.hands import html, url
from tests.reading import read
from tests.worlds import TEST


def test_staff_reads_what_was_done_with_their_things(staff, harbor, catalogue, acme):
    acme.assign(acme.group)
    services.cancel(acme.allocation, actor=TEST)
    services.add_staff(catalogue.provider, account=harbor.staff, actor=TEST)
    page = html(staff, url(AuditEntry))
    for words in (
        "cancelled the allocation of <b>CRM Professional</b>",
        "created license <b>CRM Basic</b>",
        "changed the staff of <b>Northlight</b>",
        '<td class="field-customer">Acme</td>',
    ):
        assert words in page
    listed = staff.get(url(AuditEntry)).context["cl"].result_list
    assert {entry.provider_id for entry in listed} == {catalogue.provider.pk}


def test_audit_entries_are_only_read(staff, operators, catalogue):
    entry = AuditEntry.objects.filter(provider_id=catalogue.provider.pk).first()
    for client in (staff, operators):
        for address in (url(AuditEntry, "add"), url(entry), url(entry, "delete")):
            assert client.post(address, {"post": "yes"}).status_code == 403


def test_the_history_of_a_thing_is_its_audit_entries(staff, acme, globex, harbor):
    services.cancel(acme.allocation, actor=TEST)
    response = staff.get(url(acme.allocation, "history"), follow=True)
    assert {entry.verb for entry in response.context["cl"].result_list} == {
        "allocation.created",
        "allocation.cancelled",
    }
    response = staff.get(url(globex.organization, "history"), follow=True)
    assert {entry.target_name for entry in response.context["cl"].result_list} == {"CRM Basic", "CRM Professional"}
    response = staff.get(url(harbor.license, "history"), follow=True)
    assert list(response.context["cl"].result_list) == []


@pytest.mark.parametrize("about", ["organization-" + "9" * 19, "organization-x", "nothing"])
def test_about_what_is_no_thing_there_is_nothing(staff, acme, about):
    assert list(staff.get(f"{url(AuditEntry)}?about={about}").context["cl"].result_list) == []


def test_it_is_headed_by_words_and_times_are_written_as_everywhere(staff, acme):
    listed = read(staff.get(url(AuditEntry)))
    heads = listed.one("table", id="result_list").all("th")
    assert [head.text for head in heads] == ["Time", "Who", "What was done", "Organization"]
    at = timezone.localtime(AuditEntry.objects.exclude(provider_id=None).latest("at", "id").at)
    assert listed.rows[0][0] == f"{at.day} {at:%b %Y, %H:%M}"
