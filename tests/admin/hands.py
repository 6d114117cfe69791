"""How staff does things in the administration: pages by model, forms as a browser sends them, and what is answered."""

from datetime import timedelta

from django.test import Client
from django.urls import reverse
from django.utils import timezone

from directory.models import Account, Organization, User
from licensing.models import Allocation, Application, Assignment, License, Policy, Provider, ProviderToken, StaffMember
from portal.audit.log import Target, record
from portal.audit.models import AuditEntry
from tests.worlds import TEST

MODELS = [Application, Policy, License, Allocation, Organization, AuditEntry, Provider, ProviderToken, StaffMember]
OPERATORS_MODELS = [Account]


def signed_in(account):
    client = Client()
    client.force_login(account)
    return client


def url(thing, page=None):
    """The URL of a page of a thing (change, delete, …), or of a model (changelist, add)."""
    name = f"admin:{thing._meta.app_label}_{thing._meta.model_name}_"
    if isinstance(thing, type):
        return reverse(name + (page or "changelist"))
    return reverse(name + (page or "change"), args=[thing.pk])


def html(client, address):
    response = client.get(address)
    assert response.status_code == 200
    return response.content.decode()


def post(client, address, **data):
    """Send a form; return the messages on the page that comes next. Fails when the form was refused."""
    response = client.post(address, data, follow=True)
    assert response.redirect_chain, errors_of(response)
    return messages_of(response)


def refusal(client, address, **data):
    """Send a form that is refused; return its errors: {field: words}."""
    response = client.post(address, data)
    assert response.status_code == 200
    return errors_of(response)


def asked(client, address, **data):
    """Send a form that asks to be confirmed first; return what it will do, and what the box is worth."""
    response = client.post(address, data)
    assert set(errors_of(response)) == {"__all__"}
    assert "Nothing is saved yet." in errors_of(response)["__all__"]
    form = response.context["adminform"].form
    return [each.says for each in form.consequences], form.confirmation


def errors_of(response):
    form = response.context["adminform"].form if "adminform" in response.context else response.context["form"]
    return {field: " ".join(words) for field, words in form.errors.items()}


def messages_of(response):
    return [str(message) for message in response.context["messages"]]


def audit(verb, **fields):
    return AuditEntry.objects.filter(verb=verb, **fields)


def policies(default=(), optional=()):
    """What the table of policies sends for these, in their order."""
    rows = [*((policy, "default") for policy in default), *((policy, "optional") for policy in optional)]
    sent = {}
    for place, (policy, kind) in enumerate(rows, start=1):
        sent[f"contents-kind-{policy.pk}"], sent[f"contents-place-{policy.pk}"] = kind, place
    return sent


def of_license(license, **changes):
    """What the page of a license sends when nothing is changed but `changes`; default, optional: its policies."""
    rows = license.license_policies.all()
    default = changes.pop("default", [row.policy for row in rows if row.is_default])
    optional = changes.pop("optional", [row.policy for row in rows if not row.is_default])
    return {"name": license.name, "description": license.description, **policies(default, optional), **changes}


def customers(license, numbers):
    """Organizations with an allocation each that is over its one seat, and ends soon, or that nobody has assigned."""
    now = timezone.now()
    made = Organization.objects.bulk_create(Organization(name=f"Customer {n}", slug=f"customer-{n}") for n in numbers)
    people = [User(organization=each, name=f"Person {n}") for each in made for n in range(2)]
    for person in people:
        person.fold()
    User.objects.bulk_create(people)
    allocations = Allocation.objects.bulk_create(
        Allocation(organization=each, license=license, seats=1, starts_at=now, ends_at=now + timedelta(days=9))
        for each in made
    )
    Assignment.objects.bulk_create(
        Assignment(
            organization_id=each.organization_id, allocation=each, whole_organization=True, created_by="the test"
        )
        for each in allocations[::2]
    )
    record(
        TEST,
        "allocation.created",
        [Target("allocation", a.pk, "X") for a in allocations],
        provider_id=license.provider_id,
        details={"seats": 1, "from": None, "until": None},
    )
