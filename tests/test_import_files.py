"""Files as spreadsheets write them, and files that are none."""

import codecs
import io
import random

import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st

from directory.imports.reading import MOST_BYTES, read
from portal.exports import FORMULA, guard, unguard

PEOPLE = [
    ["E-mail", "Name", "Title"],
    ["zoe@acme.example", "Zoë “Zo” Müller", "Planner"],
    ["jan@acme.example", "Jan", ""],
]
SAID = [
    (2, {"email": "zoe@acme.example", "name": "Zoë “Zo” Müller", "title": "Planner"}),
    (3, {"email": "jan@acme.example", "name": "Jan", "title": ""}),
]


def sheet(content):
    return read(io.BytesIO(content.encode() if isinstance(content, str) else content))


def said_of(content):
    """Return why the file is refused."""
    with pytest.raises(ValidationError) as refusal:
        sheet(content)
    return " ".join(refusal.value.messages)


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"], ids=["lf", "crlf", "cr"])
@pytest.mark.parametrize("separator", [",", ";", "\t"], ids=["commas", "semicolons", "tabs"])
@pytest.mark.parametrize(
    ("encoding", "called"),
    [("utf-8", "UTF-8"), ("utf-8-sig", "UTF-8"), ("utf-16", "UTF-16"), ("cp1252", "Windows-1252")],
)
def test_what_spreadsheets_write_is_read(encoding, called, separator, ending):
    found = sheet(ending.join(separator.join(row) for row in PEOPLE).encode(encoding))

    names = {",": "commas", ";": "semicolons", "\t": "tabs"}
    assert list(found.rows()) == SAID
    assert found.read_as == f"{called}, with {names[separator]}"
    assert (found.size, found.ignored) == (2, ())


def test_big_endian_utf_16_is_read():
    content = codecs.BOM_UTF16_BE + "E-mail;Name\njan@acme.example;Jan".encode("utf-16-be")
    assert list(sheet(content).rows()) == [(2, {"email": "jan@acme.example", "name": "Jan"})]


def test_a_cell_may_hold_line_breaks_separators_and_quotation_marks():
    content = 'E-mail,Name,Title\r\njan@acme.example,"Jan\r\nde ""Kleine""","a, b"\r\n\r\nan@acme.example,An,\r\n'
    assert list(sheet(content).rows()) == [
        (2, {"email": "jan@acme.example", "name": 'Jan de "Kleine"', "title": "a, b"}),
        (5, {"email": "an@acme.example", "name": "An", "title": ""}),
    ]


def test_empty_lines_and_columns_at_the_end_say_nothing():
    content = "\n;;;\nE-mail;Name;;\njan@acme.example;Jan;;\n ; \n;;;\n\n"
    assert list(sheet(content).rows()) == [(4, {"email": "jan@acme.example", "name": "Jan"})]


def test_a_row_may_have_fewer_cells():
    assert list(sheet("Name,E-mail,Title\nJan\n").rows()) == [(2, {"name": "Jan"})]


def test_the_line_in_which_excel_names_the_separator_is_not_a_header():
    found = sheet("sep=;\r\nE-mail;Name, first and last;Title\r\njan@acme.example;Jan;a,b\r\n")
    assert list(found.rows()) == [(3, {"email": "jan@acme.example", "title": "a,b"})]
    assert found.ignored == ("Name, first and last",)


@pytest.mark.parametrize("header", ["email", "E-MAIL", " Email address ", "e_mail", "E‑mail", "Mail", "“E-mail”"])
def test_headers_are_matched_generously(header):
    found = sheet(f"{header};EMPLOYEE-NUMBER;job title;Organizational Unit;Role;Group\njan@acme.example;1;b;c;d;e\n")
    assert found.fields == ("email", "employee_number", "title", "unit", "role", "groups")


def test_a_column_that_is_not_known_is_named_and_nothing_of_it_is_read():
    found = sheet("Cost  centre;E-mail;;Status\n1;jan@acme.example;x;Active\n")
    assert found.ignored == ("Cost centre", "column 3", "Status")
    assert list(found.rows()) == [(2, {"email": "jan@acme.example"})]


HEADER = "E-mail,Name\n"
BROKEN = {
    "empty": ("", "The file is empty."),
    "blank": ("\n\n ,\n", "There is no column “E-mail” in the first line. People are found by it."),
    "header only": (HEADER + "\n,\n", "There is a header, but no row below it."),
    "no e-mail": ("Name,Title\nJan,Planner\n", "There is no column “E-mail” in the first line."),
    "twice": ("E-mail,Name,Email\na,b,c\n", "The columns “E-mail” and “Email” are both E-mail. Leave one of them."),
    "NUL": (HEADER + "jan@acme.example,Jan\nan@acme.example,A\0n\n", "Line 3 contains a NUL byte, which no text has."),
    "control": (HEADER + "jan@acme.example,J\x01an\n", "Line 2 contains a control character (1), which no text has."),
    "UTF-16 without mark": ("E-mail\njan@acme.example".encode("utf-16-le"), "Line 1 contains a NUL byte"),
    "workbook": (b"PK\x03\x04\x14\x00\x06\x00", "This is an Excel workbook. Save it as CSV in Excel"),
    "old workbook": (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "This is an Excel workbook. Save it as CSV in Excel"),
    "PDF": (b"%PDF-1.7\n", "This is a PDF."),
    "compressed": (b"\x1f\x8b\x08\x00", "This is a compressed file."),
    "half of UTF-16": (codecs.BOM_UTF16_LE + b"E\x00-\x00m", "This cannot be read as text"),
    "marked as UTF-8 and not": (codecs.BOM_UTF8 + HEADER.encode() + b"jan@acme.example,M\xfcller", "cannot be read"),
    "Japanese": (HEADER.encode() + "jan@acme.example,山田　太郎".encode("shift-jis"), "This cannot be read as text"),
    "Cyrillic": (HEADER.encode() + b"jan@acme.example," + bytes([0x8F, 0x90, 0x9D]), "This cannot be read as text"),
    "1 MB cell": (
        HEADER + f'jan@acme.example,"{"x" * 999_000}"\n',
        "Line 2: a cell is longer than 131,072 characters.",
    ),
    "long line": (HEADER + "x" * 1_200_000, "Line 2 is longer than a million characters."),
    "too many cells": (
        HEADER + "a@acme.example,A\nb@acme.example,B,b\n",
        "Line 3 has 3 cells, but there are 2 columns.",
    ),
    "too many columns": (",".join(["E-mail", *map(str, range(100))]) + "\na\n", "There are more than 100 columns."),
    "open quotation": (
        HEADER + 'jan@acme.example,"Jan\n',
        "Line 2: a quotation mark that begins a cell is not closed.",
    ),
    "after quotation": (HEADER + '"jan"@acme.example,Jan\n', "Line 2: something follows the closing quotation mark"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_what_is_no_list_is_refused_in_clear_words(case):
    content, said = BROKEN[case]
    assert said in said_of(content)


def test_a_file_that_is_too_large_is_refused_before_it_is_read():
    class Large(io.BytesIO):
        def tell(self):
            return MOST_BYTES + 1

        def read(self, *size):
            raise AssertionError("it was read")

    with pytest.raises(ValidationError, match="larger than 50 MB"):
        read(Large(b"E-mail\n"))


def test_noise_is_refused_and_never_an_error():
    noise = random.Random(7)  # noqa: S311 it need not be a secret
    for _ in range(300):
        said_of(noise.randbytes(noise.randrange(1, 400)))


@given(st.binary(max_size=60))
def test_whatever_follows_a_header_is_read_or_refused(rest):
    try:
        found = sheet(b"E-mail;Name\n" + rest)
    except ValidationError:
        return
    assert len(list(found.rows())) == found.size > 0


@given(st.text(alphabet="'=+-@\t\r a", max_size=6))
def test_a_guarded_cell_is_no_formula_and_comes_back_as_it_was(text):
    assert not guard(text).startswith(FORMULA)
    assert unguard(guard(text)) == text


def test_cells_that_an_export_guarded_come_back_as_they_were():
    (row,) = sheet("E-mail,Name,Title\n'+jan@acme.example,'=1+1,'@home\n").rows()
    assert row[1] == {"email": "+jan@acme.example", "name": "=1+1", "title": "@home"}
