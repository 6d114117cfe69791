"""Importing people: what becomes of each row, by whose rules, and in pieces."""

from datetime import timedelta

import pytest
from django.core import mail
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.urls import reverse
from django.utils import timezone

from directory import services as directory
from directory.imports import judging, running
from directory.imports.models import Import, ImportRow, State
from directory.imports.running import cancel_import, confirm_import, forget_imports, run_imports
from directory.models import Role, User
from portal.audit.models import AuditEntry
from portal.outbox.post import queue_mail
from tests.importing import HEADER, actor_of, directory_of, outcomes, seven, upload
from tests.reading import read
from tests.worlds import TEST

pytestmark = pytest.mark.django_db
# What becomes of rows ------------------------------------------------------------------------------------------------


def test_people_are_created_changed_left_alone_and_refused_as_the_preview_says(acme):
    rows = [
        "New@acme.example;Nina New;Planner;7;V;Sales > Benelux;Support",
        "VIC@ACME.EXAMPLE;;Driver;;;Sales;support",
        "uma@acme.example;Uma Nobody;;;;Sales / Benelux;Support",
        "eva@acme.example;;;;;Nowhere;",
    ]
    before = directory_of(acme)

    imported = upload(acme, rows)

    foreseen = [
        (
            "created",
            "Title: →Planner; Employee number: →7; Portal role: →Viewer; Unit: →Sales › Benelux; Joins: →Support",
        ),
        ("changed", "Title: →Driver; Unit: →Sales; Joins: →Support"),
        ("same", ""),
        ("refused", "There is no unit “Nowhere”."),
    ]
    assert (imported.state, outcomes(imported)) == (State.READY, foreseen)
    assert directory_of(acme) == before
    imported = confirm_import(imported, actor=TEST)
    assert (imported.state, outcomes(imported)) == (State.DONE, foreseen)
    assert imported.counts == {"created": 1, "changed": 1, "same": 1, "refused": 1, "otherwise": 0}
    new = acme.organization.users.get(email="New@acme.example")
    assert (new.name, new.title, new.employee_number, new.role, new.unit) == (
        "Nina New",
        "Planner",
        "7",
        "viewer",
        acme.below,
    )
    assert new.search_text == "nina new new@acme.example planner 7"
    assert new.account is None
    vic = User.objects.get(pk=acme.viewer.pk)
    assert (vic.name, vic.email, vic.title, vic.unit) == ("Vic Viewer", "vic@acme.example", "Driver", acme.unit)
    assert {member.name for member in acme.group.members.all()} == {"Nina New", "Vic Viewer", "Uma Nobody"}


def test_the_same_file_a_second_time_changes_nothing(acme):
    rows = [
        "new@acme.example;Nina New;Planner;7;V;Sales > Benelux;Support",
        "vic@acme.example;Vic V;Driver;;E;Sales;Support",
    ]
    confirm_import(upload(acme, rows), actor=TEST)
    before, entries = directory_of(acme), AuditEntry.objects.exclude(verb="import.done").count()

    again = upload(acme, rows)

    assert outcomes(again) == [("same", ""), ("same", "")]
    confirm_import(again, actor=TEST)
    assert (directory_of(acme), AuditEntry.objects.exclude(verb="import.done").count()) == (before, entries)


def test_an_empty_cell_and_a_column_that_is_not_there_leave_what_is_there(acme):
    directory.update_user(acme.nobody, title="Clerk", employee_number="9", actor=TEST)
    before = directory_of(acme)
    for header, row in [(HEADER, "uma@acme.example;;;;;;"), ("E-mail\n", "uma@acme.example")]:
        imported = upload(acme, [row], header=header)
        assert outcomes(imported) == [("same", "")]
        confirm_import(imported, actor=TEST)
    assert directory_of(acme) == before


def test_who_is_inactive_is_changed_and_stays_so(acme):
    directory.deactivate([acme.viewer], actor=TEST)
    imported = upload(acme, ["vic@acme.example;;Driver;;;;"])
    assert imported.rows.get().note == "Inactive, and stays so."
    confirm_import(imported, actor=TEST)
    vic = User.objects.get(pk=acme.viewer.pk)
    assert (vic.title, vic.is_active) == ("Driver", False)


REFUSED = {
    ";Jan;;;;;": "There is no e-mail address. People are found by it.",
    "jan;Jan;;;;;": "This is not an e-mail address.",
    "jan@acme.example;;;;;;": "A new person needs a name.",
    f"jan@acme.example;{'x' * 121};;;;;": "Name is longer than 120 characters.",
    f"jan@acme.example;Jan;{'x' * 121};{'1' * 61};;;": "Title is longer than 120 characters. Employee number is longer",
    "jan@acme.example;Jan;;;Boss;;": "“Boss” is not a portal role. Write A, E, V or nothing.",
    "jan@acme.example;Jan;;;;Benelux;": "There is no unit “Benelux”. Write the whole path: Sales › Benelux.",
    "jan@acme.example;Jan;;;;Sales > Nordics;": "There is no unit “Sales > Nordics”.",
    "jan@acme.example;Jan;;;;;Support, Sopport": "There is no group “Sopport”.",
    f"jan@acme.example;Jan;;;;{'a/' * 5000}b;": "There is no unit",
    f'jan@acme.example;Jan;;;;;"{"a;" * 5000}"': "There are more than 100 groups in one cell.",
}


@pytest.mark.parametrize("row", REFUSED, ids=range(len(REFUSED)))
def test_a_row_that_cannot_be_is_refused_whole_with_the_reason(acme, globex, row):
    directory.create_unit(globex.organization, name="Nordics", parent=globex.unit, actor=TEST)
    directory.create_group(globex.organization, name="Sopport", actor=TEST)
    before = directory_of(acme), directory_of(globex)

    imported = upload(acme, [row])

    ((outcome, said),) = outcomes(imported)
    assert (outcome, said[: len(REFUSED[row])]) == ("refused", REFUSED[row])
    confirm_import(imported, actor=TEST)
    assert (directory_of(acme), directory_of(globex)) == before


def test_the_second_row_of_one_address_is_refused_also_in_another_piece(acme, monkeypatch):
    monkeypatch.setattr(running, "CHUNK", 2)
    rows = ["a@acme.example;A;;;;;", "b@acme.example;B;;;;;", "A@acme.example;AA;;;;;", "c@acme.example;C;;;;;"]
    imported = upload(acme, rows)
    while run_imports():
        pass
    assert outcomes(imported)[2] == ("refused", "Line 2 has this e-mail address already.")
    assert [outcome for outcome, _ in outcomes(imported)] == ["created", "created", "refused", "created"]


def test_a_person_of_another_organization_is_not_found(acme, globex):
    before = directory_of(globex)
    confirm_import(upload(acme, ["vic@globex.example;Vic Elsewhere;;;;;"]), actor=TEST)
    assert directory_of(globex) == before
    assert acme.organization.users.filter(email="vic@globex.example").exists()


def test_groups_and_units_whose_names_contain_separators_are_found(acme):
    names = ["R&D, Labs", "A; B", "A", "Éclair", "Eclair"]
    groups = {name: directory.create_group(acme.organization, name=name, actor=TEST) for name in names}
    labs = directory.create_unit(acme.organization, name="R/D", actor=TEST)
    deep = directory.create_unit(acme.organization, name="North > South", parent=labs, actor=TEST)
    cells = {
        "R&D, Labs": ["R&D, Labs"],
        "Support, R&D, Labs|A": ["Support", "R&D, Labs", "A"],
        '"A; B"': ["A; B"],
        '"Support ; A; B,"': ["Support", "A; B"],
        "eclair|ÉCLAIR": ["Eclair", "Éclair"],
    }
    rows = [f"p{n}@acme.example;P;;;;R/D › North > South;{cell}" for n, cell in enumerate(cells)]
    rows.append("q@acme.example;Q;;;;r/d;")

    imported = confirm_import(upload(acme, rows), actor=TEST)

    assert imported.counts["created"] == len(rows)
    for n, found in enumerate(cells.values()):
        person = acme.organization.users.get(email=f"p{n}@acme.example")
        assert ({group.name for group in person.groups.all()}, person.unit) == (set(found), deep)
    assert acme.organization.users.get(email="q@acme.example").unit == labs
    assert {"R&D, Labs", "A; B"} <= groups.keys()


def test_an_address_in_letters_that_databases_fold_otherwise_is_refused(acme):
    imported = upload(acme, ["x@MÜLLER.example;A;;;;;"])
    assert outcomes(imported) == [("refused", "An e-mail address has no other letters than a to z. Write it so.")]


def test_a_hundred_groups_in_a_cell_are_found(acme):
    names = [*(f"{number:03} {'g' * 16}" for number in range(98)), "R&D; Labs"]
    for name in names:
        directory.create_group(acme.organization, name=name, actor=TEST)
    confirm_import(upload(acme, [f'a@acme.example;A;;;;;"{"|".join(names)}"']), actor=TEST)
    assert acme.organization.users.get(email="a@acme.example").groups.count() == 99


# Rules ---------------------------------------------------------------------------------------------------------------

ONLY_ADMINS = "Only an Admin gives portal roles."


def test_only_an_admin_gives_roles_by_an_import(acme):
    rows = [
        "vic@acme.example;;;;Editor;;",
        "new@acme.example;New;;;v;;",
        "eva@acme.example;;;;A;;",
        "uma@acme.example;;;;;;",
    ]
    by_editor = upload(acme, rows, by=actor_of(acme.editor))
    assert outcomes(by_editor) == [("refused", ONLY_ADMINS)] * 3 + [("same", "")]
    by_admin = upload(acme, rows, by=actor_of(acme.admin))
    assert outcomes(by_admin)[2] == ("changed", "Portal role: Editor→Admin")
    assert [outcome for outcome, _ in outcomes(by_admin)] == ["changed", "created", "changed", "same"]


def test_an_editor_does_not_change_an_admin_but_may_name_one(acme):
    rows = ["ada@acme.example;Eva’s puppet;;;;;", "ada2@acme.example;;;;;;"]
    directory.create_user(acme.organization, name="Ada Two", email="ada2@acme.example", role="admin", actor=TEST)
    imported = upload(acme, rows, by=actor_of(acme.editor))
    assert outcomes(imported) == [("refused", "Ada Admin is an Admin. Only an Admin can do this."), ("same", "")]


def test_the_last_admin_stays_also_where_a_file_makes_all_less(acme):
    directory.create_user(acme.organization, name="Ben", email="ben@acme.example", role="admin", actor=TEST)
    directory.create_user(
        acme.organization, name="Off", email="off@acme.example", role="admin", is_active=False, actor=TEST
    )
    rows = [f"{name}@acme.example;;;;V;;" for name in ("ben", "off", "ada")]

    imported = confirm_import(upload(acme, rows, by=actor_of(acme.admin)), actor=actor_of(acme.admin))

    assert outcomes(imported)[2] == (
        "refused",
        "Ada Admin is the last active Admin of Acme. Make somebody else Admin first.",
    )
    admins = User.objects.active().filter(organization=acme.organization, role=Role.ADMIN)
    assert [admin.name for admin in admins] == ["Ada Admin"]


def test_what_an_admin_uploaded_an_editor_carries_out_by_their_own_rights(acme):
    imported = upload(acme, ["eva@acme.example;;;;A;;", "vic@acme.example;;Driver;;;;"], by=actor_of(acme.admin))
    imported = confirm_import(imported, actor=actor_of(acme.editor))
    assert outcomes(imported) == [("refused", ONLY_ADMINS), ("changed", "Title: →Driver")]
    assert imported.rows.get(line=2).foreseen == "Changed: Portal role from Editor to Admin"


def test_what_was_refused_is_not_carried_out_by_somebody_who_may_more(acme):
    imported = upload(acme, ["eva@acme.example;;;;A;;", "vic@acme.example;;Driver;;;;"], by=actor_of(acme.editor))
    confirm_import(imported, actor=actor_of(acme.admin))
    assert User.objects.get(pk=acme.editor.pk).role == "editor"


def test_who_lost_the_right_meanwhile_imports_no_further(acme, monkeypatch):
    monkeypatch.setattr(running, "CHUNK", 1)
    imported = upload(acme, ["vic@acme.example;;Driver;;;;", "uma@acme.example;;Driver;;;;"])
    while run_imports():
        pass
    confirm_import(Import.objects.get(), actor=actor_of(acme.editor))
    run_imports()
    directory.update_user(acme.editor, role="viewer", actor=TEST)

    assert run_imports()

    imported.refresh_from_db()
    assert (imported.state, imported.rows_done) == (State.STOPPED, 1)
    assert imported.stopped_by == (
        "Eva Editor may not change the directory any more. 1 of 2 rows were done and stay."
        " Upload the file again to go on: what is done already is left alone."
    )
    assert [person.title for person in (User.objects.get(pk=u.pk) for u in (acme.viewer, acme.nobody))] == [
        "Driver",
        "",
    ]


def test_the_audit_log_tells_what_the_services_for_one_would_under_one_change_set(acme, globex):
    acts = [
        (acme, lambda w: confirm_import(upload(w, [row.format(w.organization.slug) for row in ROWS]), actor=TEST)),
        (globex, one_by_one),
    ]
    told = []
    for world, act in acts:
        last = AuditEntry.objects.order_by("-pk").first().pk
        act(world)
        entries = AuditEntry.objects.filter(pk__gt=last).exclude(verb="import.done")
        told.append(
            sorted(
                (e.verb, e.target_kind, e.target_name, sorted(without_ids(e.details).items(), key=str)) for e in entries
            )
        )
    assert told[0] == told[1]
    own = AuditEntry.objects.filter(change_set=Import.objects.get().change_set)
    assert own.count() == len(told[0]) + 1
    assert own.get(verb="import.done").target_name == "people.csv"


ROWS = ["vic@{}.example;Vic V;Driver;;E;Sales;Support", "uma@{}.example;;;;;Sales;Support"]


def one_by_one(world):
    directory.update_user(world.viewer, name="Vic V", title="Driver", role="editor", unit=world.unit, actor=TEST)
    directory.update_user(world.nobody, unit=world.unit, actor=TEST)
    directory.join_group(world.group, users=[User.objects.get(pk=world.viewer.pk)], actor=TEST)


def without_ids(details):
    return {key: value for key, value in details.items() if not key.endswith("_id")}


# In pieces, and what comes between -----------------------------------------------------------------------------------


@pytest.fixture
def in_pieces(monkeypatch):
    """Pieces of two rows."""
    monkeypatch.setattr(running, "CHUNK", 2)


def test_a_large_file_is_done_by_the_background_process(acme, in_pieces):
    imported = seven(acme)
    assert (imported.state, imported.rows_done) == (State.JUDGING, 0)
    call_command("work", "--once")
    imported.refresh_from_db()
    assert (imported.state, imported.rows_done) == (State.READY, 7)
    imported = confirm_import(imported, actor=TEST)
    assert (imported.state, imported.rows_done) == (State.RUNNING, 0)
    assert not acme.organization.users.filter(email="p0@acme.example").exists()
    call_command("work", "--once")
    imported.refresh_from_db()
    assert (imported.state, imported.counts["created"]) == (State.DONE, 7)
    assert acme.group.members.count() == 8


def test_mail_leaves_between_the_pieces(acme, in_pieces, monkeypatch):
    seven(acme)
    queue_mail("account/email/password_reset_key_message.txt", to=["ada@acme.example"])
    done, judge = [], judging.judge

    def look(*args):
        done.append(len(mail.outbox))
        return judge(*args)

    monkeypatch.setattr(judging, "judge", look)
    call_command("work", "--once")
    assert done == [1, 1, 1, 1]


@pytest.mark.parametrize("phase", ["judge", "carry_out"])
def test_after_a_process_that_died_the_next_goes_on_where_it_was(acme, in_pieces, monkeypatch, phase):
    imported = seven(acme)
    if phase == "carry_out":
        call_command("work", "--once")
        confirm_import(Import.objects.get(), actor=TEST)
    run_imports()
    do = getattr(judging, phase)

    def die(*args):
        do(*args)
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(judging, phase, die)
        with pytest.raises(SystemExit):
            run_imports()
    imported.refresh_from_db()
    assert (imported.rows_done, imported.last_line) == (2, 3)
    call_command("work", "--once")
    if phase == "judge":
        confirm_import(Import.objects.get(), actor=TEST)
        call_command("work", "--once")

    imported.refresh_from_db()
    assert (imported.state, imported.counts["created"], imported.counts["otherwise"]) == (State.DONE, 7, 0)
    verbs = AuditEntry.objects.filter(change_set=imported.change_set).values_list("verb", flat=True)
    assert sorted(verbs) == ["group.joined"] * 7 + ["import.done"] + ["user.created"] * 7


def test_what_goes_wrong_stops_that_import_only_and_is_said(acme, in_pieces, monkeypatch, caplog):
    imported, judge = seven(acme), judging.judge
    other = upload(acme, ["vic@acme.example;;Driver;;;;"] * 3)

    def fail(imported_, rows):
        if imported_.pk == imported.pk and imported_.rows_done:
            raise ZeroDivisionError
        judge(imported_, rows)

    monkeypatch.setattr(judging, "judge", fail)
    call_command("work", "--once")

    imported.refresh_from_db()
    other.refresh_from_db()
    said = "Something went wrong on our side after line 3. Nothing was changed. Upload the file again."
    assert (imported.state, imported.stopped_by) == (State.STOPPED, said)
    assert other.state == State.READY
    assert "ZeroDivisionError" in caplog.text
    page = read(acme.client().get(reverse("imports:import_detail", args=[imported.pk])))
    assert said in " ".join(page.alerts.values())


def test_imports_take_turns(acme, in_pieces):
    first, second = seven(acme), seven(acme)
    for _ in range(4):
        run_imports()
    assert [Import.objects.get(pk=each.pk).rows_done for each in (first, second)] == [4, 4]


def test_what_changed_since_the_preview_is_judged_again_and_told(acme):
    rows = [
        "vic@acme.example;;Driver;;;Sales;",
        "eva@acme.example;;Driver;;;;",
        "new@acme.example;New;;;;;",
        "b@acme.example;B;;;;;",
    ]
    imported = upload(acme, rows)
    directory.update_user(acme.viewer, title="Driver", unit=acme.unit, actor=TEST)
    directory.update_user(acme.editor, title="Clerk", actor=TEST)
    directory.create_user(acme.organization, name="New", email="NEW@acme.example", actor=TEST)

    imported = confirm_import(imported, actor=TEST)

    assert outcomes(imported) == [("same", ""), ("changed", "Title: Clerk→Driver"), ("same", ""), ("created", "")]
    assert list(imported.rows.order_by("line").values_list("foreseen", flat=True)) == [
        "Changed: Title Driver; Unit Sales",
        "Changed: Title Driver",
        "Created",
        "",
    ]
    assert imported.counts["otherwise"] == 3
    page = read(acme.client().get(reverse("imports:import_detail", args=[imported.pk]), {"outcome": "otherwise"}))
    assert len(page.rows) == 3


def test_a_group_or_unit_that_is_gone_meanwhile_refuses_the_row(acme):
    other = directory.create_group(acme.organization, name="Other", actor=TEST)
    top = directory.create_unit(acme.organization, name="Top", actor=TEST)
    told = [
        directory.Told("vic@acme.example", {"title": "Driver"}, [other]),
        directory.Told("eva@acme.example", {"unit": top}, []),
        directory.Told("uma@acme.example", {"title": "Driver"}, []),
    ]
    acme.organization.units.filter(pk=top.pk).delete()
    acme.organization.groups.filter(pk=other.pk).delete()
    verdicts = directory.put_people(acme.organization, told=told, actor=TEST)
    said = [each.error and each.error.messages for each in verdicts]
    assert said == [["Other does not exist any more."], ["Top does not exist any more."], None]
    assert User.objects.get(pk=acme.viewer.pk).title == ""


def test_an_import_is_confirmed_or_cancelled_once(acme):
    cancelled, done = upload(acme, ["vic@acme.example;;A;;;;"]), upload(acme, ["vic@acme.example;;B;;;;"])
    cancel_import(cancelled)
    confirm_import(done, actor=TEST)
    for imported, said in [(cancelled, "people.csv is cancelled already."), (done, "people.csv is done already.")]:
        with pytest.raises(ValidationError, match=said):
            confirm_import(imported, actor=TEST)
        with pytest.raises(ValidationError, match=said):
            cancel_import(imported)
    assert User.objects.get(pk=acme.viewer.pk).title == "B"


def test_a_month_later_an_import_is_gone_with_its_rows_and_one_that_was_never_read_a_day_later(acme):
    old, young, broken = (upload(acme, ["vic@acme.example;;A;;;;"]) for _ in range(3))
    Import.objects.filter(pk=old.pk).update(created_at=timezone.now() - running.KEPT - timedelta(days=1))
    Import.objects.filter(pk=broken.pk).update(created_at=timezone.now() - timedelta(days=2), state=State.READING)
    forget_imports()
    assert list(Import.objects.values_list("pk", flat=True)) == [young.pk]
    assert set(ImportRow.objects.values_list("parent", flat=True)) == {young.pk}


@pytest.mark.parametrize("size", [2, 9])
def test_a_piece_costs_the_same_number_of_queries_whatever_is_in_it(acme, size, django_assert_num_queries):
    groups = [directory.create_group(acme.organization, name=f"G{n}", actor=TEST) for n in range(size)]
    for n in range(size):
        unit = directory.create_unit(acme.organization, name=f"U{n}", parent=acme.unit, actor=TEST)
        directory.create_user(acme.organization, name=f"Old {n}", email=f"o{n}@acme.example", unit=unit, actor=TEST)
    rows = [f"n{n}@acme.example;New {n};T;1;V;Sales > U{n};{groups[n]}" for n in range(size)]
    rows += [f"o{n}@acme.example;Older {n};T;1;V;Sales > U{size - n - 1};{groups[n]}, Support" for n in range(size)]
    imported = upload(acme, rows, by=actor_of(acme.admin))
    assert set(imported.rows.values_list("outcome", flat=True)) == {"created", "changed"}
    with django_assert_num_queries(43):
        confirm_import(imported, actor=actor_of(acme.admin))
    assert Import.objects.get().counts["otherwise"] == 0
