"""Imports beside other imports and other people, with real threads on PostgreSQL."""

import io

import pytest

from directory import services as directory
from directory.imports import running
from directory.imports.models import Import, State
from directory.imports.running import confirm_import, run_imports, start_import
from directory.models import Role, User
from portal.audit.models import AuditEntry
from tests.test_concurrency import ADA, EVA, at_once, one_after_the_other
from tests.worlds import TEST

pytestmark = [pytest.mark.postgres, pytest.mark.django_db(transaction=True)]


def upload(world, rows, name="people.csv"):
    content = "\n".join(["E-mail;Name;Title;Role;Unit;Groups", *rows])
    return start_import(world.organization, file=io.BytesIO(content.encode()), name=name, actor=TEST)


def work():
    while run_imports():
        pass


def test_processes_that_work_at_once_do_every_row_once(acme, monkeypatch):
    monkeypatch.setattr(running, "CHUNK", 5)
    for n in range(3):
        upload(acme, [f"p{n}.{m}@acme.example;P;;;Sales;Support" for m in range(23)])
    at_once(work, work, work)
    work()  # who found another at it went home
    assert set(Import.objects.values_list("state", flat=True)) == {State.READY}
    for imported in Import.objects.all():
        confirm_import(imported, actor=TEST)
    at_once(work, work, work)
    work()
    assert [each.counts["created"] for each in Import.objects.all()] == [23] * 3
    for imported in Import.objects.all():
        verbs = sorted(AuditEntry.objects.filter(change_set=imported.change_set).values_list("verb", flat=True))
        assert verbs == ["group.joined"] * 23 + ["import.done"] + ["user.created"] * 23


def test_nobody_waits_for_an_import_that_another_is_at(acme, monkeypatch):
    monkeypatch.setattr(running, "CHUNK", 1)
    upload(acme, ["vic@acme.example;;A;;;", "eva@acme.example;;A;;;"])
    judge, found = running.judging.judge, []

    def meanwhile(*args):
        if not found:
            found.append("at it")
            found.extend(at_once(run_imports))
        judge(*args)

    monkeypatch.setattr(running.judging, "judge", meanwhile)
    assert run_imports() is True
    assert found == ["at it", False]


def test_somebody_who_is_created_while_an_import_does_the_same_is_found_by_it(acme):
    imported = upload(acme, ["new@acme.example;Nina New;Planner;;;"])

    results = one_after_the_other(
        lambda: directory.create_user(acme.organization, name="Nina New", email="NEW@acme.example", actor=ADA).pk,
        lambda: confirm_import(imported, actor=TEST).state,
    )

    assert results[1] == State.DONE
    row = imported.rows.get()
    assert (row.outcome, row.foreseen) == ("changed", "Created: Title Planner")
    assert User.objects.get(email__iexact="new@acme.example").title == "Planner"


def test_two_imports_leave_an_admin(acme):
    directory.create_user(acme.organization, name="Ben", email="ben@acme.example", role="admin", actor=TEST)
    first, second = upload(acme, ["ada@acme.example;;;V;;"]), upload(acme, ["ben@acme.example;;;V;;"])

    at_once(lambda: confirm_import(first, actor=TEST), lambda: confirm_import(second, actor=TEST))

    assert User.objects.active().filter(organization=acme.organization, role=Role.ADMIN).count() == 1
    assert sorted([first.rows.get().outcome, second.rows.get().outcome]) == ["changed", "refused"]


def test_imports_and_people_who_join_the_same_groups_end_well(acme):
    groups = [directory.create_group(acme.organization, name=f"G{n}", actor=TEST) for n in range(4)]
    people = list(acme.organization.users.order_by("pk"))
    rows = [f"{person.email};;T;;;{'|'.join(map(str, groups[::-1]))}" for person in people[::-1]]
    imports = [upload(acme, rows), upload(acme, rows[::-1])]

    def join():
        for group in groups:
            directory.join_group(group, users=people, actor=EVA)

    at_once(join, *(lambda imported=imported: confirm_import(imported, actor=TEST) for imported in imports))

    assert {group.members.count() for group in groups} == {4}
    joins = AuditEntry.objects.filter(
        verb="group.joined", target_id__in=[p.pk for p in people], details__group__in=[str(g) for g in groups]
    )
    assert joins.count() == 16
