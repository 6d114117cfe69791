"""Organizations: created by providers and the operator, corrected by who may, imported from CSV."""

from directory.models import Organization
from tests.admin.hands import audit, post, refusal, url


def test_the_operator_creates_an_organization(operators, staff, catalogue):
    data = {"name": "Umbrella", "slug": "umbrella", "time_zone": "Europe/Brussels"}
    assert refusal(operators, url(Organization, "add"), **data | {"time_zone": "Mars"}) == {
        "time_zone": "“Mars” is not a time zone. Write one such as Europe/Brussels."
    }
    post(operators, url(Organization, "add"), **data)
    organization = Organization.objects.get(slug="umbrella")
    assert audit("organization.created", organization_id=organization.pk, actor_name="Olaf Operator").count() == 1
    assert organization not in staff.get(url(Organization)).context["cl"].result_list
