"""What the decision API answers, as the protocol has it (OpenID AuthZEN Authorization API 1.0)."""

from datetime import timedelta

import pytest
from django.utils import timezone

from directory import services as directory
from licensing import services
from licensing.models import Application, License, Policy
from tests.asking import EVALUATION, EVALUATIONS, SEARCH, batch, new_token, question, search
from tests.worlds import TEST, license_of

DAY = timedelta(days=1)

# One question --------------------------------------------------------------------------------------------------------


def test_allowed_and_why(acme, catalogue, api):
    ends_at = timezone.now() + DAY
    acme.assign(acme.group, policies=[catalogue.export], ends_at=ends_at)
    acme.assign(acme.unit)
    said = api.decide(question())
    assert said["decision"] is True
    context = said["context"]
    assert context["reason"] == "allowed"
    assert context["policies"] == ["CRM access", "CRM export"]
    assert context["sources"] == [
        {"license": "CRM Professional", "kind": "group", "name": "Support"},
        {"license": "CRM Professional", "kind": "unit", "name": "Sales"},
    ]
    assert context["valid_until"] == ends_at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    assert context["evaluated_at"] < context["valid_until"]


def test_a_denial_is_an_answer_with_its_reason(acme, catalogue, api):
    def reason(**asked):
        said = api.decide(question(**asked))
        return said["decision"], said["context"]["reason"]

    assert reason() == (False, "no_assignment")
    acme.assign(acme.group)
    assert reason() == (True, "allowed")
    assert reason(action="fly") == (False, "action_not_covered")
    assert reason(user="nobody@acme.example") == (False, "unknown_subject")
    assert reason(resource="erp") == (False, "unknown_resource")
    assert reason(subject={"type": "robot", "id": "uma@acme.example"}) == (False, "unknown_subject")
    assert reason(resource="crm\0") == (False, "unknown_resource")
    assert reason(user="uma@acme.example\0") == (False, "unknown_subject")
    directory.deactivate([acme.nobody], actor=TEST)
    assert reason() == (False, "user_inactive")
    services.cancel(acme.allocation, actor=TEST)
    assert reason(user="vic@acme.example") == (False, "no_assignment")  # the other license could be assigned
    services.cancel(acme.plain, actor=TEST)
    assert reason(user="vic@acme.example") == (False, "allocation_ended")


def test_people_by_each_of_their_names(acme, api):
    acme.assign(acme.nobody)
    acme.organization.users.filter(pk=acme.nobody.pk).update(external_id="0042")
    names = [acme.nobody.public_id, "UMA@acme.example", "uma@acme.example", "0042", acme.nobody.public_id.hex]
    assert [api.decide(question(name))["decision"] for name in names] == [True] * 5


def test_roles_are_handed_to_the_application(acme, catalogue, api):
    catalogue.reading.role = "crm-user"
    services.save(catalogue.reading, actor=TEST)
    acme.assign(acme.organization)
    context = api.decide(question())["context"]
    assert context["roles"] == ["crm-user"]
    assert context["sources"] == [{"license": "CRM Professional", "kind": "organization"}]


def test_one_name_in_two_organizations(acme, globex, api):
    """The answer is yes if any of them gives it; the subject's property says which one is meant."""
    for world in (acme, globex):
        world.organization.users.filter(pk=world.nobody.pk).update(external_id="7")
    globex.assign(globex.nobody)
    assert api.decide(question("7"))["decision"] is True
    for slug, decision in [("globex", True), ("acme", False), ("nowhere", False)]:
        subject = {"type": "user", "id": "7", "properties": {"organization": slug}}
        assert api.decide(question(subject=subject))["decision"] is decision


def test_another_provider_learns_nothing(acme, harbor, api):
    """Neither of its applications nor of people in organizations to which it has allocated nothing."""
    acme.assign(acme.organization)
    secret, _ = new_token(harbor.provider)

    def reason(resource):
        return api.ask(EVALUATION, question(resource=resource), secret=secret).json()["context"]["reason"]

    assert (reason("crm"), reason("drive")) == ("unknown_resource", "unknown_subject")
    services.allocate(harbor.license, organization=acme.organization, actor=TEST)
    assert reason("drive") == "no_assignment"
    assert api.decide(question(resource="drive"))["context"]["reason"] == "unknown_resource"


def test_a_token_for_some_applications_only(acme, catalogue, api):
    acme.assign(acme.organization)
    field = services.save(Application(provider=catalogue.provider, name="Field", slug="field"), actor=TEST)
    secret, _ = new_token(catalogue.provider, applications=[field])
    said = api.ask(EVALUATION, question(), secret=secret).json()
    assert said["context"]["reason"] == "unknown_resource"


def test_the_type_of_a_resource_is_the_application_s(acme, catalogue, api):
    acme.assign(acme.organization)
    catalogue.application.resource_type = "record"
    services.save(catalogue.application, actor=TEST)
    assert api.decide(question())["decision"] is False
    assert api.decide(question(resource={"type": "record", "id": "crm"}))["decision"] is True


# Many questions ------------------------------------------------------------------------------------------------------


def test_a_batch_inherits_whole_entities_and_keeps_the_order(acme, catalogue, api):
    acme.assign(acme.nobody, policies=[catalogue.export])
    shared = {name: value for name, value in question().items() if name != "action"}
    items = [{"action": {"name": name}} for name in ("read", "fly", "export")]
    items.append({"action": {"name": "read"}, "subject": {"type": "user", "id": "vic@acme.example"}})
    said = api.decide(batch(*items, **shared), EVALUATIONS)
    assert [each["decision"] for each in said["evaluations"]] == [True, False, True, False]
    assert "decision" not in said


def test_a_bad_item_is_denied_and_the_others_are_answered(acme, api):
    acme.assign(acme.nobody)
    half = {"subject": {"type": "user"}, "action": {"name": "read"}, "resource": {"type": "application", "id": "crm"}}
    said = api.decide(batch(half, question(), 5, question(context=[])), EVALUATIONS)["evaluations"]
    assert [each["decision"] for each in said] == [False, True, False, False]
    assert said[0]["context"]["error"] == {"status": 400, "message": "subject.id is missing."}
    assert [each["context"]["error"]["message"] for each in said[2:]] == [
        "An evaluation must be an object.",
        "context must be an object.",
    ]


@pytest.mark.parametrize("empty", [{}, {"evaluations": []}])
def test_without_evaluations_it_is_one_question(acme, api, empty):
    acme.assign(acme.nobody)
    said = api.decide(question() | empty, EVALUATIONS)
    assert said["decision"] is True
    assert "evaluations" not in said
    assert api.ask(EVALUATIONS, empty).status_code == 400


@pytest.mark.parametrize(
    ("semantic", "decisions"),
    [
        ("execute_all", [True, False, True]),
        ("deny_on_first_deny", [True, False]),
        ("permit_on_first_permit", [True]),
    ],
)
def test_what_ends_a_batch(acme, api, semantic, decisions):
    acme.assign(acme.nobody)
    asked = batch(question(), question(action="fly"), question(), options={"evaluations_semantic": semantic, "x": 1})
    assert [each["decision"] for each in api.decide(asked, EVALUATIONS)["evaluations"]] == decisions


# Searches ------------------------------------------------------------------------------------------------------------


def test_who_may_by_page(acme, globex, catalogue, api):
    acme.assign(acme.unit)
    acme.assign(acme.viewer, policies=[catalogue.export])
    globex.assign(globex.group, policies=[catalogue.export])
    asked = question(subject={"type": "user", "id": "left alone"})
    found = search(api, "subject", asked)
    assert {each["properties"]["email"] for each in found["results"]} == {
        "uma@acme.example",
        "vic@acme.example",
        "uma@globex.example",
    }
    assert found["page"] == {"next_token": "", "count": 3}
    for each in found["results"]:
        assert api.decide(question(each["id"]))["decision"] is True
    assert len(search(api, "subject", asked | {"action": {"name": "export"}})["results"]) == 2

    first = search(api, "subject", asked | {"page": {"limit": 2}})
    rest = search(api, "subject", asked | {"page": {"token": first["page"]["next_token"]}})
    assert (first["results"] + rest["results"], rest["page"]["next_token"]) == (found["results"], "")
    within = {"type": "user", "properties": {"organization": "globex"}}
    assert len(search(api, "subject", asked | {"subject": within})["results"]) == 1


def test_on_what_and_which_actions(acme, catalogue, api):
    field = services.save(Application(provider=catalogue.provider, name="Field", slug="field"), actor=TEST)
    everything = services.save(Policy(application=field, name="Field access"), actor=TEST)
    license = license_of(catalogue, "Field", optional=[])
    services.set_license_policies(license, default=[everything], optional=[], actor=TEST)
    acme.assign(acme.nobody, services.allocate(license, organization=acme.organization, actor=TEST))
    acme.assign(acme.nobody, policies=[catalogue.export])

    asked = question(resource={"type": "application"})
    found = search(api, "resource", asked)
    assert found["results"] == [{"type": "application", "id": slug} for slug in ("crm", "field")]
    assert search(api, "resource", asked | {"action": {"name": "export"}})["results"] == found["results"]
    first = search(api, "resource", asked | {"page": {"limit": 1}})
    rest = search(api, "resource", asked | {"page": {"limit": 1, "token": first["page"]["next_token"]}})
    assert first["results"] + rest["results"] == found["results"]

    found = search(api, "action", question(action="left alone"))
    assert found["results"] == [{"name": "export"}, {"name": "read"}]


@pytest.mark.parametrize("what", ["subject", "resource", "action"])
def test_nothing_is_found_of_what_is_unknown(acme, api, what):
    acme.assign(acme.organization)
    nothing = {"results": [], "page": {"next_token": "", "count": 0}}
    assert search(api, what, question(resource={"type": "robot", "id": "crm"})) == nothing
    assert search(api, what, question("no\0body", subject={"type": "robot", "id": "x"})) == nothing


@pytest.mark.parametrize("slug", ["", "nowhere", "acme\0"])
def test_an_organization_that_is_none_has_nobody(acme, api, slug):
    acme.assign(acme.organization)
    subject = {"type": "user", "id": "uma@acme.example", "properties": {"organization": slug}}
    assert search(api, "subject", question(subject=subject))["results"] == []
    assert api.decide(question(subject=subject))["context"]["reason"] == "unknown_subject"


@pytest.mark.parametrize("page", [{"limit": 0}, {"limit": 1001}, {"limit": "5"}, {"limit": True}, {"token": "forged"}])
def test_a_page_that_was_not_given(acme, api, page):
    assert api.ask(f"{SEARCH}subject", question(page=page)).status_code == 400


def test_a_page_of_another_search(acme, api):
    acme.assign(acme.organization)
    token = search(api, "subject", question(page={"limit": 1}))["page"]["next_token"]
    for changed in (
        question(action="export", page={"token": token}),
        question(page={"token": token, "limit": 2}),
    ):
        assert api.ask(f"{SEARCH}subject", changed).status_code == 400
    assert api.ask(f"{SEARCH}action", question(page={"token": token})).status_code == 400


# The working group's scenario ----------------------------------------------------------------------------------------


def test_the_records_of_alice_and_bob(acme, catalogue, api):
    """Alice may read and write record-1 and read record-2; Bob may read record-1."""
    alice, bob = acme.person("Alice", email="alice@acme.example"), acme.person("Bob", email="bob@acme.example")
    acme.organization.users.filter(pk=alice.pk).update(external_id="alice")
    acme.organization.users.filter(pk=bob.pk).update(external_id="bob")
    for name, may_write, may_read in [("record-1", [alice], [bob]), ("record-2", [], [alice])]:
        record = Application(provider=catalogue.provider, name=name, slug=name, resource_type="record")
        services.save(record, actor=TEST)
        reading, writing = (
            services.save(Policy(application=record, name=f"{name} {action}", actions=[action]), actor=TEST)
            for action in ("read", "write")
        )
        license = services.save(License(provider=catalogue.provider, name=name), actor=TEST)
        services.set_license_policies(license, default=[reading], optional=[writing], actor=TEST)
        allocation = services.allocate(license, organization=acme.organization, actor=TEST)
        for person in (*may_write, *may_read):
            acme.assign(person, allocation, policies=[writing] * (person in may_write))

    def about(who, action, record):
        return question(who, action, {"type": "record", "id": record})

    everything = [(w, a, r) for w in ("alice", "bob") for a in ("read", "write") for r in ("record-1", "record-2")]
    said = api.decide(batch(*[about(*each) for each in everything]), EVALUATIONS)["evaluations"]
    allowed = [each for each, one in zip(everything, said, strict=True) if one["decision"]]
    assert allowed == [
        ("alice", "read", "record-1"),
        ("alice", "read", "record-2"),
        ("alice", "write", "record-1"),
        ("bob", "read", "record-1"),
    ]
    readers = search(api, "subject", about("x", "read", "record-1"))["results"]
    assert [each["id"] for each in readers] == [str(alice.public_id), str(bob.public_id)]
    records = search(api, "resource", about("alice", "read", "x"))["results"]
    assert records == [{"type": "record", "id": "record-1"}, {"type": "record", "id": "record-2"}]
    assert search(api, "action", about("alice", "x", "record-1"))["results"] == [{"name": "read"}, {"name": "write"}]
    assert search(api, "action", about("bob", "x", "record-1"))["results"] == [{"name": "read"}]
