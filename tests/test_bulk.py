"""What is done with many rows of a list at once, and with all that match a search."""

import pytest
from django.http import QueryDict
from django.utils import timezone

from directory import services as directory
from directory.models import Role, User
from directory.services.bulk import CHUNK
from licensing import services
from licensing.access import seats_in_use
from licensing.filters import Selection
from licensing.kinds import USERS
from portal.audit.models import AuditEntry
from portal.outbox.models import Mail
from tests.reading import read
from tests.worlds import PASSWORD, TEST, license_of

HTMX = {"HX-Request": "true"}


def crowd(world, number, name="Crowd"):
    """So many people, by the shortest way."""
    people = [
        User(organization=world.organization, name=f"{name} {n:04}", email=f"{n}@crowd.example") for n in range(number)
    ]
    for person in people:
        person.fold()
    return User.objects.bulk_create(people)


def post(world, act, user=None, kind="users", **body):
    return read(world.client(user).post(f"/{kind}/bulk/{act}/", body, headers=HTMX))


def members(group):
    return set(group.members.values_list("name", flat=True))


# Which ---------------------------------------------------------------------------------------------------------------


def test_ticked_rows_join_a_group_and_who_is_in_it_is_told(acme):
    page = post(acme, "group", things=[acme.viewer.pk, acme.nobody.pk, acme.admin.pk], group="support")

    assert "2 people joined Support." in page.text
    assert "In the group already: 1 Uma Nobody" in page.text
    assert members(acme.group) == {"Ada Admin", "Uma Nobody", "Vic Viewer"}


def test_all_that_match_are_more_than_a_page_and_one_act(acme):
    crowd(acme, CHUNK + 100)
    client = acme.client()

    page = read(client.get("/users/", {"q": "crowd", "tick": "all"}))
    query = page.one("input", name="query")["value"]
    assert page.one("input", name="all")["value"] == "1"
    shown = read(client.get("/users/bulk/group/", {"all": 1, "query": query}))
    assert shown.one("h1", id="modal-title").text == "Add 1,100 people to a group"
    answer = client.post("/users/bulk/group/", {"all": 1, "query": query, "group": "Support"}, headers=HTMX)

    assert read(answer).text == "1,100 people joined Support."
    assert acme.group.members.count() == 1101
    assert AuditEntry.objects.filter(verb="group.joined", target_name__startswith="Crowd").count() == 1100
    assert AuditEntry.objects.filter(target_name__startswith="Crowd").values("change_set").distinct().count() == 1


@pytest.mark.parametrize(
    ("narrowed", "found"),
    [
        ({"role": "none"}, {"Ina Inactive", "Uma Nobody"}),
        ({"role": "viewer"}, {"Vic Viewer"}),
        ({"status": "inactive"}, {"Ina Inactive"}),
        ({"unit": "Sales"}, {"Uma Nobody", "Ina Inactive"}),
        ({"unit": "Sales", "status": "active"}, {"Uma Nobody"}),
        ({"group": "SUPPORT"}, {"Uma Nobody"}),
        ({"license": "professional"}, {"Uma Nobody", "Ada Admin"}),
        ({"license": "professional", "role": "admin"}, {"Ada Admin"}),
        ({"license": "professional", "q": "uma"}, {"Uma Nobody"}),
        ({"within": "group"}, {"Uma Nobody"}),
        ({"within": "unit"}, {"Uma Nobody"}),
        ({"within": "license"}, {"Ada Admin"}),
        ({"within": "access"}, {"Ada Admin", "Uma Nobody"}),
        ({"within": "access", "source": "units"}, {"Uma Nobody"}),
        ({"within": "without"}, {"Eva Editor", "Vic Viewer"}),
        ({"within": "without", "q": "eva"}, {"Eva Editor"}),
        ({"unit": "nowhere"}, set()),
    ],
)
def test_a_list_and_acts_upon_all_of_it_agree_on_whom_it_shows(acme, narrowed, found):
    acme.person("Ina Inactive", unit=acme.unit, is_active=False)
    acme.assign(acme.below)
    acme.assign(acme.admin)
    keys = {"professional": acme.allocation.pk}
    places = {"group": acme.group.pk, "unit": acme.below.pk}
    places |= dict.fromkeys(["license", "access"], acme.allocation.pk)
    narrowed = {name: keys.get(value, value) for name, value in narrowed.items()}
    if within := narrowed.get("within"):
        narrowed["within"] = f"{within}-{places[within]}" if within in places else within
    else:
        assert set(read(acme.client().get("/users/", narrowed)).names) == found
    query = QueryDict(mutable=True)
    query.update(narrowed)
    data = QueryDict(mutable=True)
    data.update({"all": "1", "query": query.urlencode()})

    selection = Selection(data, organization=acme.organization, kind=USERS)

    assert set(selection.things.values_list("name", flat=True)) == found


def test_a_long_address_of_a_list_selects_no_more_than_it_shows(acme):
    page = read(acme.client().get(f"/groups/{acme.group.pk}/?x={'a' * 5000}&tick=all"))
    data = QueryDict(mutable=True)
    data.update({"all": "1", "query": page.one("input", type="hidden", name="query")["value"]})

    selection = Selection(data, organization=acme.organization, kind=USERS)

    assert set(selection.things) == set(acme.group.members.all())


def test_a_place_that_is_not_there_is_said_and_shows_nobody(acme):
    page = read(acme.client().get("/users/", {"unit": "Nowhere", "group": "None such"}))

    assert "There is no unit “Nowhere”. Write another name." in page.text
    assert "There is no group “None such”. Write another name." in page.text
    assert page.rows == []


def test_a_part_of_a_name_is_enough_where_only_one_has_it(acme):
    for name in ("Warehouse", "Software", "Waste"):
        unit = directory.create_unit(acme.organization, name=name, parent=acme.unit, actor=TEST)
        acme.person(f"{name} Worker", unit=unit)

    def narrowed(**by):
        page = read(acme.client().get("/users/", by))
        return page.names or page.one(id="found").one("h2").text

    assert narrowed(unit="benel") == ["Uma Nobody"]
    assert narrowed(unit="Ware") == ["Warehouse Worker"]  # the only one that begins so
    assert narrowed(unit="sales › Ware") == ["Warehouse Worker"]
    assert narrowed(unit="Wa") == "“Wa” may be Sales › Software, Sales › Warehouse or Sales › Waste. Write more of it."
    elsewhere = "“Benelux > Ware” may be Sales › Software or Sales › Warehouse. Write more of it."
    assert narrowed(unit="Benelux > Ware") == elsewhere
    assert narrowed(group="supp") == ["Uma Nobody"]


def test_nothing_of_another_organization_can_be_selected(acme, globex):
    for body in (
        {"things": globex.viewer.pk},
        {"all": 1, "query": f"within=group-{globex.group.pk}"},
        {"all": 1, "query": f"license={globex.allocation.pk}"},
        {"all": 1, "query": "within=group-999999"},
        {"things": ["x", "-1", "9" * 30]},
    ):
        page = post(acme, "deactivate", **body)
        assert "Nothing is ticked any more." in page.text
    assert not User.objects.filter(is_active=False).exists()


def test_nothing_ticked_is_said(acme):
    assert "Nothing is ticked" in read(acme.client().get("/users/bulk/group/")).text
    assert "Nothing is ticked any more. Tick at least one person." in post(acme, "group", group="Support").text


# What ----------------------------------------------------------------------------------------------------------------


def test_nobody_deactivates_themselves_or_as_an_editor_an_admin(acme):
    everybody = {"all": 1, "query": ""}
    second = acme.person("Second Admin", role=Role.ADMIN)

    page = post(acme, "deactivate", acme.editor, **everybody)

    assert "2 people deactivated." in page.text
    assert "Only an Admin can deactivate an Admin: 2 Ada Admin, Second Admin" in page.text
    assert "That is you: 1 Eva Editor" in page.text
    page = post(acme, "deactivate", **everybody)
    assert "That is you: 1 Ada Admin" in page.text
    assert "Inactive already: 2" in page.text
    active = acme.organization.users.active()
    assert list(active) == [acme.admin]
    assert not User.objects.get(pk=second.pk).is_active
    post(acme, "reactivate", **everybody)
    assert active.all().count() == 5


def test_an_editor_reactivates_everybody_but_admins(acme):
    acme.person("Ina Inactive", is_active=False)
    gone = acme.person("Gone Admin", role=Role.ADMIN, is_active=False)

    page = post(acme, "reactivate", acme.editor, all=1, query="")

    assert "1 person reactivated." in page.text
    assert "Only an Admin can reactivate an Admin: 1 Gone Admin" in page.text
    assert "Active already: 4" in page.text
    assert not User.objects.get(pk=gone.pk).is_active


def test_who_will_be_left_out_is_said_before_and_not_counted(acme, django_assert_max_num_queries):
    acme.assign(acme.organization)
    acme.person("Second Admin", role=Role.ADMIN)
    crowd(acme, CHUNK + 100)
    everybody, client = {"all": 1, "query": ""}, acme.client(acme.editor)

    with django_assert_max_num_queries(25):  # they are not gone through
        page = read(client.get("/users/bulk/deactivate/", everybody))
    assert page.one("h1", id="modal-title").text == "Deactivate 1,102 people"
    assert "1,102 people can no longer use CRM Professional" in page.one(id="changes").text
    assert "1 not: That is you" in page.text
    assert "2 not: Only an Admin can deactivate an Admin" in page.text
    page = read(client.get("/users/bulk/deactivate/", {"things": acme.editor.pk}))
    assert "Deactivate" not in page.one("footer").buttons


def test_who_is_inactive_is_said_to_get_no_license(acme):
    acme.person("Ina Inactive", is_active=False)

    page = read(acme.client().get("/users/bulk/assign/", {"all": 1, "query": ""}))

    assert page.one("h1", id="modal-title").text == "Assign a license to 4 people"
    assert "1 not: Inactive" in page.text


def test_people_are_moved_to_a_unit_and_taken_out_of_the_group_whose_list_it_is(acme):
    directory.join_group(acme.group, users=[acme.viewer], actor=TEST)
    ticked = {"things": [acme.viewer.pk, acme.nobody.pk]}

    assert "2 people moved to Sales." in post(acme, "unit", unit="Sales", **ticked).text
    assert set(acme.unit.users.all()) == {acme.viewer, acme.nobody}
    page = read(acme.client().get(f"/groups/{acme.group.pk}/"))
    query = page.one("input", name="query")["value"]
    assert "2 people left Support." in post(acme, "leave", query=query, **ticked).text
    assert members(acme.group) == set()


def test_people_are_taken_out_of_the_unit_whose_list_it_is(acme):
    directory.place_in_unit(acme.below, users=[acme.viewer, acme.admin], actor=TEST)
    directory.place_in_unit(acme.unit, users=[acme.editor], actor=TEST)
    acme.assign(acme.unit)
    acme.assign(acme.below, acme.plain)
    client = acme.client()
    page = read(client.get(f"/units/{acme.below.pk}/"))
    assert "Remove from unit" in page.buttons
    query = page.one("input", name="query")["value"]
    ticked = {"query": query, "things": [acme.viewer.pk, acme.nobody.pk, acme.editor.pk]}

    shown = read(client.get("/users/bulk/leave-unit/", ticked))
    assert shown.one("h1", id="modal-title").text == "Remove 2 people from Benelux"
    assert "1 not: Not in the unit" in shown.text
    assert "2 people can no longer use CRM Professional" in shown.one(id="changes").text
    page = post(acme, "leave-unit", **ticked)

    assert "2 people left Benelux." in page.text
    assert "Not in the unit: 1 Eva Editor" in page.text
    assert list(acme.below.users.all()) == [acme.admin]
    assert list(acme.unit.users.all()) == [acme.editor]


def test_the_name_of_a_group_may_hold_braces(acme):
    directory.update_group(acme.group, name="{0} {x}", actor=TEST)
    query = f"within=group-{acme.group.pk}"

    shown = read(acme.client().get("/users/bulk/leave/", {"query": query, "things": acme.nobody.pk}))

    assert shown.one("h1", id="modal-title").text == "Remove 1 person from {0} {x}"


def test_many_get_a_license_and_lose_it(acme, catalogue):
    services.assign(acme.allocation, kind=USERS, assignees=[acme.viewer], actor=TEST)
    acme.person("Ina Inactive", is_active=False)
    everybody = {"all": 1, "query": ""}
    client = acme.client()

    chosen = {**everybody, "allocation": acme.allocation.pk}
    shown = read(client.post("/users/bulk/assign/", {**chosen, "look": "policies"}))
    assert "3 people gain CRM Professional" in shown.text
    page = post(acme, "assign", **chosen, policies=catalogue.export.pk)

    assert "3 people got CRM Professional." in page.text
    assert "Had it directly already: 1 Vic Viewer" in page.text
    assert "Inactive: 1 Ina Inactive" in page.text
    given = acme.allocation.assignments.of_kind(USERS).with_license().with_policies()
    assert {each.user.name: each.chosen_policies for each in given} == {
        "Vic Viewer": [],
        **dict.fromkeys(["Ada Admin", "Eva Editor", "Uma Nobody"], [catalogue.export]),
    }
    shown = read(client.post("/users/bulk/unassign/", {**chosen, "look": "ledger"}))
    assert "4 people can no longer use CRM Professional" in shown.text
    page = post(acme, "unassign", **chosen)
    assert "4 people lost the direct assignment of CRM Professional." in page.text
    assert not acme.allocation.assignments.exists()


def test_groups_and_units_get_a_license_too(acme):
    license, group, both = acme.plain.pk, acme.group.pk, [acme.unit.pk, acme.below.pk]
    assert "1 group got CRM Basic." in post(acme, "assign", kind="groups", things=group, allocation=license).text
    assert "2 units got CRM Basic." in post(acme, "assign", kind="units", things=both, allocation=license).text
    assert acme.plain.assignments.count() == 3


def test_seats_are_asked_for_all_at_once_and_nothing_is_done_where_they_do_not_suffice(acme, catalogue):
    allocation = services.allocate(
        license_of(catalogue, "Small"), organization=acme.organization, seats=CHUNK + 20, actor=TEST
    )
    crowd(acme, CHUNK + 100)

    looked = post(acme, "assign", all=1, query="q=crowd", allocation=allocation.pk, look="policies")
    page = post(acme, "assign", all=1, query="q=crowd", allocation=allocation.pk)

    refused = "This will be refused: Small has 1,020 seats. Choose fewer, or ask Northlight for more seats."
    assert refused in looked.one(id="changes").text
    assert "Not enough seats: 1,100 are needed, 1,020 of 1,020 are free." in page.alerts[None]
    assert not allocation.assignments.exists()
    assert seats_in_use(allocation, at=timezone.now()).used == 0
    assert not AuditEntry.objects.filter(verb="assignment.created").exists()


# Invitations ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def invited(acme):
    """Somebody invited in each way that matters: {name: Invitation}."""
    found = {name: acme.invite(f"{name}@new.example", name) for name in ("Al", "Cy", "Ina", "Noor", "Jan")}
    found["Boss"] = acme.invite("boss@new.example", "Boss", role=Role.ADMIN)
    directory.accept(found["Al"], name="Al", password=PASSWORD, actor=TEST)
    directory.cancel_invitation(found["Cy"], actor=TEST)
    directory.deactivate([found["Ina"].user], actor=TEST)
    return found


def pending(world):
    return set(world.organization.invitations.listed("pending").values_list("user__name", flat=True))


def test_ticked_invitations_are_sent_again_and_who_is_left_out_is_told(acme, invited):
    mails = Mail.objects.count()
    client = acme.client(acme.editor)
    shown = read(client.get("/users/invitations/bulk/resend/", {"things": [each.pk for each in invited.values()]}))
    assert shown.one("h1", id="modal-title").text == "Resend 4 invitations"  # two that are over say so afterwards
    assert "1 not: Inactive" in shown.text
    assert "1 not: Only an Admin can invite an Admin" in shown.text
    assert "What changes" not in shown.text

    page = post(acme, "resend", acme.editor, kind="users/invitations", things=[each.pk for each in invited.values()])

    assert "2 invitations sent again." in page.text
    assert "Accepted or cancelled already: 2 Al, Cy" in page.text
    assert "Inactive: 1 Ina" in page.text
    assert "Only an Admin can invite an Admin: 1 Boss" in page.text
    assert Mail.objects.count() == mails + 2
    sent = AuditEntry.objects.filter(verb="invitation.resent")
    assert set(sent.values_list("target_name", flat=True)) == {"Noor", "Jan"}
    assert sent.values("change_set").distinct().count() == 1


def test_all_invitations_that_the_list_shows_are_cancelled(acme, globex, invited):
    globex.invite("elsewhere@new.example")
    page = post(acme, "cancel", acme.editor, kind="users/invitations", all=1, query="state=pending")
    assert "3 invitations cancelled." in page.text
    assert "Only an Admin can cancel the invitation of an Admin: 1 Boss" in page.text
    assert pending(acme) == {"Boss"}

    acme.invite("noor@new.example"), acme.invite("jan@new.example")
    page = post(acme, "cancel", kind="users/invitations", all=1, query="q=noor&state=pending")
    assert page.text == "1 invitation cancelled."
    assert pending(acme) == {"Boss", "Jan"}
    assert pending(globex) == {"elsewhere"}


def test_invitations_are_ticked_by_who_may_do_something_with_them(acme, invited):
    page = read(acme.client(acme.editor).get("/users/invitations/?state=pending&tick=page"))
    assert len(list(page.all("input", name="things"))) == 4
    assert page.one("input", name="query")["value"] == "state=pending&tick=page"
    assert {"Resend", "Cancel invitations"} <= set(page.buttons)
    viewer = read(acme.client(acme.viewer).get("/users/invitations/"))
    assert not list(viewer.all("input", type="checkbox"))
    assert "Nothing is ticked" in read(acme.client().get("/users/invitations/bulk/cancel/")).text


def test_a_viewer_has_nothing_to_tick(acme):
    page = read(acme.client(acme.viewer).get("/users/"))

    assert not list(page.all("input", type="checkbox"))
    assert "Deactivate" not in page.buttons
