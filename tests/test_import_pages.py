"""The pages of an import: upload, preview, confirm, progress, result."""

import csv
import io
import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.urls import reverse

from directory import services as directory
from directory.imports import running
from directory.imports.models import Import, ImportRow, State
from directory.imports.running import confirm_import, run_imports, start_import
from tests.importing import HEADER, directory_of, outcomes, seven, upload
from tests.reading import everything, read
from tests.worlds import TEST

pytestmark = pytest.mark.django_db


@pytest.fixture
def in_pieces(monkeypatch):
    """Pieces of two rows."""
    monkeypatch.setattr(running, "CHUNK", 2)


def post_file(client, content, name="people.csv"):
    return client.post(reverse("imports:upload"), {"file": SimpleUploadedFile(name, content)})


def test_from_the_upload_to_the_result(acme):
    client = acme.client(acme.editor)
    assert read(client.get(reverse("licensing:user_list"))).links["Import"] == reverse("imports:upload")

    answer = post_file(client, b"E-mail,Title,Shoe size\nvic@acme.example,Driver,44\nzed@acme.example,Clerk,40\n")
    imported = Import.objects.get()
    url = reverse("imports:import_detail", args=[imported.pk])
    assert (answer.status_code, answer["Location"]) == (302, url)

    page = read(client.get(url))
    assert page.rows == [
        ["Vic Viewer vic@acme.example", "2", "Changed", "Title Driver"],
        ["zed@acme.example", "3", "Refused", "A new person needs a name."],
    ]
    assert "Not imported: the column “Shoe size”." in page.text
    assert "Read as UTF-8, with commas: 2 rows." in page.text
    assert "1 person is changed" in read(client.get(page.links["Import"])).text

    answer = client.post(page.links["Import"], follow=True)
    page = read(answer)
    assert answer.redirect_chain == [(url, 302)]
    assert "people.csv: 1 changed and 1 refused." in page.text
    assert "Done" in page.statuses
    assert "Import" not in page.links
    listed = read(client.get(reverse("imports:upload")))
    assert listed.rows[-1][:4] == ["people.csv", "Done", "1 changed and 1 refused", "Eva Editor"]
    assert "imported users from people.csv: 0 created, 1 changed and 1 refused" in read(client.get("/activity/")).text


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"PK\x03\x04 a workbook", "This is an Excel workbook. Save it as CSV in Excel, then upload that."),
        (b"", "The file is empty."),
        (b"E-mail,Name\njan@acme.example,J\0an\n", "Line 2 contains a NUL byte"),
        (b"Name\nJan\n", "There is no column “E-mail” in the first line."),
        (b"E-mail\n" + b"x" * 3_000_000, "Line 2 is longer than a million characters."),  # kept on disk by Django
    ],
)
def test_a_broken_file_is_refused_at_the_field_and_changes_nothing(acme, content, said):
    client = acme.client(acme.editor)
    before = everything()
    answer = post_file(client, content)
    page = read(answer)
    assert answer.status_code == 200
    assert said in page.alerts["id_file_error"]
    assert everything() == before


def test_a_form_without_a_file_says_so(acme):
    page = read(acme.client().post(reverse("imports:upload"), {}))
    assert page.alerts["id_file_error"] == "Choose a file."


def test_what_breaks_off_while_rows_are_stored_leaves_nothing(acme, in_pieces, monkeypatch):
    store, stored = ImportRow.objects.bulk_create, []

    def break_off(rows, **options):
        stored.append(rows)
        if len(stored) == 2:
            raise SystemExit
        return store(rows, **options)

    monkeypatch.setattr(ImportRow.objects, "bulk_create", break_off)
    with pytest.raises(SystemExit):
        seven(acme)
    assert (Import.objects.count(), ImportRow.objects.count()) == (0, 0)


def test_rows_are_searched_and_narrowed(acme):
    imported = upload(acme, ["vic@acme.example;;Driver;;;;", "zoe@acme.example;Zoë;;;;;", "x;;;;;;"])
    url = reverse("imports:import_detail", args=[imported.pk])

    def found(**query):
        return [row[0] for row in read(acme.client().get(url, query)).rows]

    assert found(q="viewer") == ["Vic Viewer vic@acme.example"]
    assert found(q="ZOE") == ["Zoë zoe@acme.example"]
    assert found(outcome="refused") == ["x"]
    assert found(outcome="created", q="vic") == []
    assert len(found(outcome="nonsense", after="nonsense")) == 3


def test_refused_rows_come_back_as_a_file_that_can_be_mended_and_imported(acme):
    header = "Groups;Shoe size;E-mail;Name\n"
    rows = ["Nope;44;jan@acme.example;'=Jan", "Support;40;vic@acme.example;", '"Nope; Support";1;zed@acme.example;Zed']
    imported = upload(acme, rows, header=header)
    answer = acme.client().get(reverse("imports:refused", args=[imported.pk]))
    content = b"".join(answer.streaming_content).decode("utf-8-sig")
    assert list(csv.reader(content.splitlines())) == [
        ["Groups", "E-mail", "Name", "Reason"],
        ["Nope", "jan@acme.example", "'=Jan", "There is no group “Nope”."],
        ["Nope; Support", "zed@acme.example", "Zed", "There is no group “Nope”."],
    ]
    mended = start_import(
        acme.organization, file=io.BytesIO(content.replace("Nope", "Support").encode()), name="m.csv", actor=TEST
    )
    assert [outcome for outcome, _ in outcomes(mended)] == ["created", "created"]
    confirm_import(mended, actor=TEST)
    assert acme.organization.users.get(email="jan@acme.example").name == "=Jan"


def test_the_template_holds_the_columns_and_no_person(acme):
    content = b"".join(acme.client().get(reverse("imports:template")).streaming_content).decode("utf-8-sig")
    assert content.split("\r\n") == ["E-mail,Name,Title,Employee number,Portal role,Unit,Groups", ""]


def test_progress_is_shown_until_it_is_done_and_the_page_may_be_left(acme, in_pieces):
    imported = seven(acme)
    client, url = acme.client(), reverse("imports:import_detail", args=[imported.pk])
    run_imports()
    page = read(client.get(url))
    assert "2 of 7 rows." in page.text
    assert page.one("progress")["value"] == "28"
    assert page.links["Look again"] == url
    assert page.one("div", id="progress")["hx-get"] == url
    assert read(client.get(reverse("imports:upload"))).rows[-1][1:3] == ["Checking", "2 of 7 rows"]
    call_command("work", "--once")
    page = read(client.get(url))
    assert not list(page.all("progress"))
    assert len(page.rows) == 7


def test_cancelling_before_confirming_changes_nothing(acme):
    imported = upload(acme, ["vic@acme.example;;Driver;;;;"])
    before = directory_of(acme)
    client, url = acme.client(acme.editor), reverse("imports:import_detail", args=[imported.pk])
    page = read(client.post(read(client.get(url)).links["Cancel import"], follow=True))
    assert "The import of people.csv is cancelled. Nothing was changed." in page.text
    answer = client.post(reverse("imports:confirm", args=[imported.pk]))
    assert "people.csv is cancelled already." in read(answer).text
    assert directory_of(acme) == before


def test_a_large_import_can_be_cancelled_while_its_rows_are_checked(acme, in_pieces):
    imported = seven(acme)
    run_imports()
    client = acme.client(acme.editor)
    page = read(client.get(reverse("imports:import_detail", args=[imported.pk])))
    assert "Import" not in page.links
    client.post(page.links["Cancel import"])
    assert not run_imports()
    imported.refresh_from_db()
    assert (imported.state, imported.rows_done) == (State.CANCELLED, 2)
    assert "This import was cancelled." in read(client.get(reverse("imports:import_detail", args=[imported.pk]))).text


def test_an_upload_for_another_organization_than_the_current_one_is_refused(acme, globex):
    body = {
        "file": SimpleUploadedFile("people.csv", b"E-mail\nvic@acme.example\n"),
        "opened_in": globex.organization.pk,
    }
    answer = acme.client().post(reverse("imports:upload"), body)
    assert "Nothing was changed" in answer.content.decode()
    assert not Import.objects.exists()


def test_each_organization_sees_its_own_imports(acme, globex):
    upload(acme, ["vic@acme.example;;Driver;;;;"])
    assert "people.csv" not in globex.client().get(reverse("imports:upload")).content.decode()


def test_what_a_file_holds_is_text_on_the_page(acme):
    imported = upload(acme, ["jan@acme.example;<script>alert(1)</script>;<b>x</b>;;;;"], header=HEADER)
    page = acme.client().get(reverse("imports:import_detail", args=[imported.pk])).content.decode()
    assert "<script>alert" not in page
    assert re.search(r"&lt;script&gt;alert\(1\)", page)


@pytest.mark.parametrize("rows", [1, 30])
def test_more_rows_and_imports_do_not_mean_more_queries(acme, rows, django_assert_num_queries):
    for _ in range(rows):
        imported = upload(acme, [f"p{n}@acme.example;P {n};;;;Sales;Support" for n in range(rows)])
    client = acme.client(acme.editor)
    for url, number in [
        (reverse("imports:upload"), 5),
        (reverse("imports:import_detail", args=[imported.pk]), 12),
        (reverse("imports:import_detail", args=[imported.pk]) + "?q=p&outcome=created", 12),
        (reverse("imports:confirm", args=[imported.pk]), 10),
    ]:
        with django_assert_num_queries(number, info=url):
            assert client.get(url).status_code == 200


def test_the_preview_says_what_joining_and_moving_does_to_access(acme):
    acme.assign(acme.group)
    acme.assign(acme.unit, acme.plain)
    acme.assign(acme.organization, acme.allocation)
    other = directory.create_unit(acme.organization, name="Elsewhere", actor=TEST)
    directory.deactivate([acme.viewer], actor=TEST)
    rows = [f"p{n}@acme.example;P;;;;Sales › Benelux;Support" for n in range(2)]
    rows += ["uma@acme.example;;;;;Elsewhere;Support", "vic@acme.example;;;;;Sales;Support", "x;;;;;Sales;Support"]
    imported = upload(acme, rows)
    client = acme.client()
    for name in ("import_detail", "confirm"):
        page = read(client.get(reverse(f"imports:{name}", args=[imported.pk])))
        said = [line.text for line in page.one("section", class_="ledger").all("li")]
        assert said == [
            "2 people join Support It has CRM Professional.",
            "2 people come to Sales › Benelux It has CRM Basic.",
            "1 person leaves Sales › Benelux It has CRM Basic.",
        ]
    assert imported.moves["units"] == {str(acme.below.pk): 2, str(other.pk): 1}
