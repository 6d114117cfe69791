"""What an admin does with somebody of the directory: edit, place, deactivate, offboard, delete, compare."""

import pytest
from django.core.exceptions import ValidationError

from directory import services as directory
from directory.models import Role, User
from licensing import services
from portal.audit.log import Actor
from portal.audit.models import AuditEntry
from tests.reading import read
from tests.worlds import TEST

HTMX = {"HX-Request": "true"}


def actor_of(user):
    return Actor("account", user.account_id, user.name)


def again(user):
    return User.objects.get(pk=user.pk)


# Basic information ---------------------------------------------------------------------------------------------------


def test_somebody_is_edited_and_activity_tells_old_and_new(acme):
    client = acme.client()
    values = {"name": "Uma Claes", "email": "uma.claes@acme.example", "title": "Driver", "employee_number": "17"}

    answer = client.post(f"/users/{acme.nobody.pk}/edit/", {**values, "role": "viewer", "unit": "Sales"}, headers=HTMX)

    assert "Uma Claes is saved." in read(answer).text
    user = again(acme.nobody)
    assert {name: getattr(user, name) for name in values} == values
    assert (user.role, user.unit, user.sort_key) == (Role.VIEWER, acme.unit, "uma claes")
    told = read(client.get("/activity/")).text
    assert "changed Uma Nobody: name from Uma Nobody to Uma Claes; e-mail address from uma@acme.example to" in told
    assert "portal role from none to viewer" in told
    assert "placed Uma Claes in unit Sales" in told


def test_what_cannot_be_saved_is_said_at_its_field_and_nothing_is_lost(acme):
    url = f"/users/{acme.nobody.pk}/edit/"
    taken = {"name": "", "email": "VIC@acme.example", "title": "x" * 121, "unit": "Sal", "role": ""}

    page = read(acme.client().post(url, taken))
    assert page.alerts["id_name_error"] == "This field is required."
    assert page.alerts["id_unit_error"] == "There is no unit “Sal”. Write another name."
    assert "at most 120 characters" in page.alerts["id_title_error"]
    assert page.one("input", id="id_email")["value"] == "VIC@acme.example"

    page = read(acme.client().post(url, {"name": "Uma", "email": "VIC@acme.example"}))
    assert page.alerts == {"id_email_error": "Vic Viewer has this address."}
    assert again(acme.nobody).name == "Uma Nobody"


def test_a_unit_whose_name_is_not_the_only_one_is_told_by_its_path(acme):
    other = directory.create_unit(acme.organization, name="Nordics", actor=TEST)
    twin = directory.create_unit(acme.organization, name="Benelux", parent=other, actor=TEST)
    url = f"/users/{acme.viewer.pk}/unit/"
    client = acme.client()

    page = read(client.post(url, {"unit": "benelux"}))
    assert page.alerts["id_unit_error"] == (
        "Several units are called so: Nordics › Benelux and Sales › Benelux. Write one of these, as it stands here."
    )
    for path in ("Nordics › Benelux", "nordics > BENELUX"):
        User.objects.filter(pk=acme.viewer.pk).update(unit=None)
        client.post(url, {"unit": path})
        assert again(acme.viewer).unit == twin
    options = [option["value"] for option in read(client.get("/units/suggest/?unit=Sales > ben")).all("option")]
    assert options == ["Sales › Benelux", "Nordics › Benelux"]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("R > D", "R > D"),
        ("r > d", "R > D"),
        ("R/D › R > D", "R/D › R > D"),
        ("R/D > R > D", "R/D › R > D"),
        ("R/D", "R/D"),
        ("R", "R"),
        ("R › D", "R › D"),
        ("Café", "Café"),
        ("cafe", "Cafe"),
        ("Sales › CAFÉ", "Sales › Café"),
        ("sales > cafe", "Sales › Cafe"),
        ("SALES", "Sales"),
    ],
)
def test_every_unit_can_be_written(acme, written, meant):
    """Names may contain what separates them in a path, and differ in an accent only."""
    units = {}
    for name in ("R", "R › D", "R/D", "R > D", "R/D › R > D", "Café", "Cafe", "Sales › Café", "Sales › Cafe"):
        above, separator, own = name.partition(" › ")
        parent = (units | {"Sales": acme.unit})[above] if separator else None
        units[name] = directory.create_unit(acme.organization, name=own or name, parent=parent, actor=TEST)

    page = acme.client().post(f"/users/{acme.nobody.pk}/edit/", {"name": "Uma", "unit": written}, headers=HTMX)

    assert "Uma is saved." in read(page).text
    assert again(acme.nobody).unit == units.get(meant, acme.unit)


def test_a_unit_is_found_by_its_path_among_very_many_of_its_name(acme):
    places = [directory.create_unit(acme.organization, name=f"Place {n}", actor=TEST) for n in range(120)]
    teams = [directory.create_unit(acme.organization, name="Team", parent=place, actor=TEST) for place in places]
    client, url = acme.client(), f"/users/{acme.viewer.pk}/unit/"

    client.post(url, {"unit": "Place 119 › Team"})
    assert again(acme.viewer).unit == teams[-1]
    said = read(client.post(url, {"unit": "Team"})).alerts["id_unit_error"]
    assert "Place 0 › Team, Place 1 › Team, Place 10 › Team and 117 more. Write one of these" in said


def as_opened(page):
    """What the form of a dialog posts if nothing is changed in it."""
    form = page.one("form", method="post")
    mine = [each for each in form.all("input") if each["name"] not in ("next", "csrfmiddlewaretoken")]
    entered = {each["name"]: each.attributes.get("value", "") for each in mine}
    chosen = {each["name"]: each.one("option", selected="")["value"] for each in form.all("select")}
    return entered | chosen


def test_two_admins_who_edit_somebody_at_once_do_not_undo_each_other(acme):
    url, client = f"/users/{acme.nobody.pk}/edit/", acme.client()
    opened = as_opened(read(client.get(url)))
    directory.update_user(acme.nobody, title="Driver", role=Role.VIEWER, unit=acme.unit, actor=TEST)

    page = client.post(url, {**opened, "employee_number": "17"}, headers=HTMX)

    assert "Uma Nobody is saved." in read(page).text
    user = again(acme.nobody)
    assert (user.employee_number, user.title, user.role, user.unit) == ("17", "Driver", Role.VIEWER, acme.unit)


def test_where_two_admins_change_the_same_the_second_is_told_and_decides(acme):
    url, client = f"/users/{acme.nobody.pk}/edit/", acme.client()
    opened = as_opened(read(client.get(url)))
    directory.update_user(
        acme.nobody, title="Driver", employee_number="17", role=Role.VIEWER, unit=None, email=None, actor=TEST
    )
    mine = {**opened, "title": "Pilot", "role": "editor", "unit": "Sales", "email": "u@acme.example", "name": "Uma"}

    looked = read(client.post(url, {**mine, "look": "ledger"}))
    page = read(client.post(url, mine))

    assert looked.alerts == {}
    again_ = "Save again to put yours in its place."
    assert page.alerts == {
        "id_title_error": f"This was changed meanwhile to “Driver”. {again_}",
        "id_role_error": f"This was changed meanwhile to “Viewer”. {again_}",
        "id_unit_error": f"This was emptied meanwhile. {again_}",
        "id_email_error": f"This was emptied meanwhile. {again_}",
    }
    assert again(acme.nobody).name == "Uma Nobody"
    shown = as_opened(page)
    assert {name: shown[name] for name in mine if not name.startswith("was_")} == {
        name: value for name, value in mine.items() if not name.startswith("was_")
    }
    assert read(client.post(url, as_opened(looked))).alerts == page.alerts  # who only looked was not told yet
    client.post(url, shown)
    user = again(acme.nobody)
    assert (user.name, user.title, user.role, user.unit) == ("Uma", "Pilot", Role.EDITOR, acme.unit)
    assert (user.email, user.employee_number) == ("u@acme.example", "17")


@pytest.mark.parametrize("kind", ["groups", "units"])
def test_two_admins_who_edit_a_group_or_unit_at_once_do_not_undo_each_other(acme, kind):
    place, update = {
        "groups": (acme.group, directory.update_group),
        "units": (acme.unit, directory.update_unit),
    }[kind]
    url, client = f"/{kind}/{place.pk}/edit/", acme.client()
    opened = as_opened(read(client.get(url)))
    update(place, name="Theirs", actor=TEST)

    page = read(client.post(url, {**opened, "name": "Mine"}))
    client.post(url, {**opened, "description": "What it is for"})

    assert page.alerts["id_name_error"].startswith("This was changed meanwhile to “Theirs”.")
    place.refresh_from_db()
    assert (place.name, place.description) == ("Theirs", "What it is for")


def test_a_unit_that_is_not_changed_is_not_judged_again(acme):
    """Two paths may be written alike; who is in one of them can still be edited."""
    r = directory.create_unit(acme.organization, name="R", actor=TEST)
    for name, parent in (("R › D", None), ("D", r)):
        unit = directory.create_unit(acme.organization, name=name, parent=parent, actor=TEST)
    directory.update_user(acme.nobody, unit=unit, actor=TEST)
    url, client = f"/users/{acme.nobody.pk}/edit/", acme.client()

    client.post(url, {**as_opened(read(client.get(url))), "title": "Driver"})

    assert (again(acme.nobody).title, again(acme.nobody).unit) == ("Driver", unit)


@pytest.mark.parametrize("tab", ["", "groups/", "licenses/"])
def test_every_tab_of_somebody_says_where_they_are(acme, tab):
    page = read(acme.client().get(f"/users/{acme.nobody.pk}/{tab}"))

    assert "uma@acme.example · Sales › Benelux" in page.text


# Roles ---------------------------------------------------------------------------------------------------------------


def test_an_editor_neither_gives_roles_nor_touches_admins(acme):
    editor, actor = acme.client(acme.editor), actor_of(acme.editor)

    page = read(editor.get(f"/users/{acme.editor.pk}/edit/"))
    assert not list(page.all(id="id_role"))
    editor.post(f"/users/{acme.editor.pk}/edit/", {"name": "Eva", "role": "admin"})
    assert again(acme.editor).role == Role.EDITOR
    with pytest.raises(ValidationError, match="Only an Admin gives portal roles"):
        directory.update_user(acme.editor, role=Role.ADMIN, actor=actor)
    with pytest.raises(ValidationError, match="Only an Admin gives portal roles"):
        directory.create_user(acme.organization, name="Friend", role=Role.ADMIN, actor=actor)

    second = acme.person("Second Admin", role=Role.ADMIN)  # so that Ada is not the last
    for act, body in {
        "edit": {"name": "Mine", "email": "eva@acme.example"},
        "deactivate": {},
        "delete": {},
        "offboard": {"plan": services.plan_of(second).digest},
    }.items():
        page = read(editor.post(f"/users/{second.pk}/{act}/", body))
        assert page.alerts[None] == "Second Admin is an Admin. Only an Admin can do this.", act
    assert (again(second).is_active, again(second).name) == (True, "Second Admin")


def test_an_editor_does_not_bring_back_an_admin_nor_take_what_an_inactive_one_has(acme):
    gone = acme.person("Gone Admin", role=Role.ADMIN, unit=acme.unit, is_active=False)
    editor = acme.client(acme.editor)

    for act, body in {"reactivate": {}, "offboard": {"plan": services.plan_of(gone).digest}}.items():
        page = read(editor.post(f"/users/{gone.pk}/{act}/", body))
        assert page.alerts[None] == "Gone Admin is an Admin. Only an Admin can do this.", act
    assert (again(gone).is_active, again(gone).unit) == (False, acme.unit)
    assert {"Reactivate", "Offboard"}.isdisjoint(read(editor.get(f"/users/{gone.pk}/")).links)
    acme.client().post(f"/users/{gone.pk}/reactivate/")
    assert again(gone).is_active


def test_who_became_an_admin_meanwhile_is_one_for_an_editor_too(acme):
    directory.update_user(again(acme.viewer), role=Role.ADMIN, actor=TEST)

    with pytest.raises(ValidationError, match="Vic Viewer is an Admin. Only an Admin can do this."):
        directory.deactivate([acme.viewer], actor=actor_of(acme.editor))


@pytest.mark.parametrize("act", ["demote", "deactivate", "delete", "offboard"])
def test_the_last_admin_stays(acme, act):
    url = f"/users/{acme.admin.pk}/{'edit' if act == 'demote' else act}/"
    body = {"name": "Ada", "role": "viewer", "plan": services.plan_of(acme.admin).digest}

    page = read(acme.client().post(url, body))

    assert "is the last active Admin of Acme. Make somebody else Admin first." in page.alerts[None]
    assert again(acme.admin).role == Role.ADMIN
    assert again(acme.admin).is_active


def test_an_admin_who_was_only_invited_does_not_count_as_one_who_is_left(acme):
    acme.person("Invited Admin", email="invited@acme.example", role=Role.ADMIN)

    with pytest.raises(ValidationError, match="Ada Admin is the last active Admin of Acme"):
        directory.update_user(acme.admin, role=Role.VIEWER, actor=TEST)
    assert again(acme.admin).role == Role.ADMIN


def test_an_admin_who_was_demoted_meanwhile_gives_no_role(acme):
    other = directory.update_user(acme.editor, role=Role.ADMIN, actor=TEST)
    actor = actor_of(acme.admin)
    directory.update_user(acme.admin, role=Role.EDITOR, actor=TEST)

    with pytest.raises(ValidationError, match="Only an Admin gives portal roles"):
        directory.update_user(acme.viewer, role=Role.EDITOR, actor=actor)
    assert again(other).role == Role.ADMIN


# Ending ---------------------------------------------------------------------------------------------------------------


def test_deactivating_ends_access_and_reactivating_returns_it(acme):
    acme.assign(acme.group)
    client, url = acme.client(), f"/users/{acme.nobody.pk}/"

    assert "Uma Nobody can no longer use CRM Professional" in read(client.get(f"{url}deactivate/")).text
    client.post(f"{url}deactivate/")
    assert not again(acme.nobody).is_active
    assert "Reactivate" in read(client.get(url)).links
    assert "Uma Nobody gains CRM Professional" in read(client.get(f"{url}reactivate/")).text
    client.post(f"{url}reactivate/")
    assert again(acme.nobody).is_active
    assert acme.group in acme.nobody.groups.all()


def test_deleting_says_what_goes_and_leads_to_the_list(acme):
    acme.assign(acme.nobody)
    client, url = acme.client(), f"/users/{acme.nobody.pk}/delete/"

    said = read(client.get(url)).text
    assert "1 membership in groups and 1 license assigned directly" in said
    assert "Their account stays" in said
    headers = {**HTMX, "HX-Current-URL": f"http://testserver/users/{acme.nobody.pk}/licenses/"}
    answer = client.post(url, headers=headers)

    assert answer.headers["HX-Redirect"] == "/users/"
    assert "Uma Nobody is deleted." in read(client.get("/users/")).text
    assert not User.objects.filter(pk=acme.nobody.pk).exists()
    # What went with them is the same act.
    acts = AuditEntry.objects.filter(verb__in=["assignment.removed", "user.deleted"])
    assert acts.count() == 2
    assert acts.values("change_set").distinct().count() == 1


def test_offboarding_does_what_it_shows_or_nothing(acme):
    acme.assign(acme.nobody, acme.plain)
    acme.assign(acme.below)
    client, url = acme.client(), f"/users/{acme.nobody.pk}/offboard/"

    page = read(client.get(url))
    said = page.one(class_="ledger").text
    for sentence in (
        "Can no longer use CRM Basic Direct",
        "Can no longer use CRM Professional Unit: Benelux",
        "CRM Basic is unassigned from them",
        "Leaves 1 group Support",
        "Leaves unit Sales › Benelux",
        "Is deactivated",
    ):
        assert sentence in said
    plan = {"plan": page.one("input", name="plan")["value"]}

    assignment = acme.assign(acme.nobody)
    page = read(client.post(url, plan))
    assert "Since this was shown, something was given to them or taken from them." in page.text
    assert "CRM Professional is unassigned from them" in page.text
    assert again(acme.nobody).is_active
    services.unassign(assignment, actor=TEST)

    client.post(url, plan)
    user = again(acme.nobody)
    assert (user.is_active, user.unit, list(user.groups.all()), user.assignments.count()) == (False, None, [], 0)
    verbs = ["user.deactivated", "group.left", "unit.left", "assignment.removed"]
    acts = AuditEntry.objects.filter(verb__in=verbs).order_by("-pk")[:4]
    assert {act.verb for act in acts} == set(verbs)
    assert len({act.change_set for act in acts}) == 1


def test_what_is_kept_is_told_of_who_has_something(acme):
    acme.assign(acme.group)
    user = again(acme.nobody)
    directory.deactivate([user], actor=TEST)
    pages = [f"/users/{user.pk}/", f"/users/{user.pk}/groups/", f"/users/{user.pk}/licenses/"]
    pages.append(f"/explain/?user={user.pk}&what=license-{acme.allocation.pk}")
    inactive = "Uma Nobody is inactive: no license reaches them and they take no seat."
    for page in pages:
        assert f"{inactive} What is assigned is kept, and works again" in read(acme.client().get(page)).text, page

    services.offboard(user, plan=services.plan_of(user).digest, actor=TEST)

    for page in pages:
        said = read(acme.client().get(page)).text
        assert (inactive in said, "is kept" in said) == (True, False), page


def test_who_is_in_no_group_is_told_what_a_group_gives_and_no_more(acme):
    url = f"/users/{acme.admin.pk}/groups/"
    for user in (acme.editor, acme.viewer):
        page = read(acme.client(user).get(url))
        assert page.one(class_="empty").text == (
            "Ada Admin is in no group Whoever joins a group can use its licenses at once."
        )
        assert ("Add to Group" in page.links) is (user is acme.editor)


def test_offboarding_shows_and_ends_an_open_invitation(acme):
    person = acme.invite("noor@new.example", "Noor", unit=acme.unit).user
    client, url = acme.client(), f"/users/{person.pk}/offboard/"
    page = read(client.get(url))
    assert "The invitation to noor@new.example is cancelled" in page.one(class_="ledger").text
    plan = {"plan": page.one("input", name="plan")["value"]}

    directory.cancel_invitation(person.invitations.get(), actor=TEST)
    assert "Since this was shown" in read(client.post(url, plan)).text
    invitation = acme.invite("noor@new.example")
    client.post(url, {"plan": services.plan_of(person).digest})

    invitation.refresh_from_db()
    assert (invitation.state, again(person).is_active) == ("cancelled", False)
    verbs = ["user.deactivated", "unit.left", "invitation.cancelled"]
    acts = AuditEntry.objects.filter(target_id=person.pk, verb__in=verbs).order_by("-pk")[:3]
    assert {act.verb for act in acts} == set(verbs)
    assert len({act.change_set for act in acts}) == 1


def test_who_is_inactive_with_an_open_invitation_is_not_said_to_have_nothing(acme):
    person = acme.invite("noor@new.example", "Noor").user
    directory.deactivate([person], actor=TEST)
    url = f"/users/{person.pk}/offboard/"

    assert "The invitation to noor@new.example is cancelled" in read(acme.client().get(url)).text
    acme.client().post(url, {"plan": services.plan_of(person).digest})

    said = read(acme.client().get(url)).one(class_="ledger").text
    assert said.endswith("Nothing: Noor is inactive and has nothing of their own")


def test_the_edit_dialog_says_what_another_address_does_to_an_open_invitation(acme):
    person = acme.invite("nor@new.example", "Noor").user
    client, url = acme.client(acme.editor), f"/users/{person.pk}/edit/"
    assert "Another e-mail address cancels the invitation to nor@new.example" in read(client.get(url)).text

    client.post(url, {"name": "Noor", "email": "noor@new.example"})

    assert person.invitations.get().state == "cancelled"
    assert "cancels the invitation" not in read(client.get(url)).text


@pytest.mark.parametrize("act", ["deactivate", "offboard", "delete"])
def test_who_would_shut_themselves_out_is_told_so_first(acme, act):
    acme.person("Second Admin", role=Role.ADMIN)
    warning = "This is you: you will be signed out of Acme at once and cannot undo it yourself."
    for user in (acme.admin, acme.editor):
        assert warning in read(acme.client(user).get(f"/users/{user.pk}/{act}/")).text
    assert "This is you" not in read(acme.client().get(f"/users/{acme.editor.pk}/{act}/")).text


def test_an_admin_is_told_what_another_role_of_their_own_means(acme):
    warning = "This is you: with another portal role you can do less here at once, and cannot undo it yourself."
    assert warning in read(acme.client().get(f"/users/{acme.admin.pk}/edit/")).text
    assert "This is you" not in read(acme.client().get(f"/users/{acme.editor.pk}/edit/")).text
    assert "This is you" not in read(acme.client(acme.editor).get(f"/users/{acme.editor.pk}/edit/")).text


# Comparing -----------------------------------------------------------------------------------------------------------


def test_two_people_stand_side_by_side_and_one_joins_what_the_other_is_in(acme):
    acme.assign(acme.group)
    acme.assign(acme.unit, acme.plain)
    acme.assign(acme.viewer, acme.plain)
    client = acme.client()

    page = read(client.get("/users/compare/", {"one": "uma", "other": "vic@acme.example"}))
    licenses = page.one("section", aria_labelledby="licenses").rows
    assert licenses == [
        ["CRM Basic Northlight", "Unit: Sales › Benelux", "Direct"],
        ["CRM Professional Northlight", "Group: Support", "Does not have it"],
    ]
    assert page.one("section", aria_labelledby="places").rows == [
        ["Organizational unit", "Sales › Benelux", "None"],
        ["Support", "In it", "Not in it"],
    ]
    give = page.links["Give Vic Viewer what Uma Nobody has"]
    modal = read(client.get(give))
    assert "Vic Viewer gains CRM Professional" in modal.text
    assert "Vic Viewer keeps CRM Basic through a direct assignment" in modal.text

    client.post(give, {"groups": acme.group.pk})
    assert list(acme.viewer.groups.all()) == [acme.group]
    assert again(acme.viewer).unit is None
    client.post(give, {"unit": "on"})
    assert again(acme.viewer).unit == acme.below
    assert "There is nothing to join" in read(client.get(give)).text


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("nobody at all", "There is nobody “nobody at all”."),
        ("#999999", "There is nobody “#999999”."),
        ("a", "Several people are called “a”. Write the e-mail address."),
    ],
)
def test_who_cannot_be_told_from_what_is_typed_is_asked_for_again(acme, typed, said):
    page = read(acme.client().get("/users/compare/", {"one": typed}))

    assert page.alerts["id_one_error"] == said
    assert page.one("input", id="id_one")["value"] == typed
