"""Reading a file as spreadsheets write them: its encoding, its separator, what each column is, and its rows."""

import codecs
import csv
import io
import re
from dataclasses import dataclass

from django.core.exceptions import ValidationError

from portal.exports import unguard
from portal.text import count_words, fold, join_words

MOST_BYTES = 50 * 1024 * 1024
MOST_COLUMNS = 100
PIECE = 1 << 16  # characters that are looked at at once
MOST_IN_A_LINE = 1_000_000


@dataclass(frozen=True)
class Column:
    """What a column of the file can be."""

    field: str
    name: str
    meaning: str
    also: tuple[str, ...] = ()  # other headers by which it is known, folded, letters and digits only
    missing: str = ""  # why it has to be there; without it, it has not

    def is_called(self, header):
        return header in (_letters(self.name), *self.also)


COLUMNS = (
    Column(
        "email",
        "E-mail",
        "The address by which a person is found. Only this column has to be there.",
        ("emailaddress", "mail", "mailaddress", "workemail", "emailadres"),
        missing="People are found by it.",
    ),
    Column("name", "Name", "First and last name. A new person needs one.", ("fullname", "displayname")),
    Column("title", "Title", "What they do, such as Planner.", ("jobtitle", "function", "position")),
    Column(
        "employee_number",
        "Employee number",
        "As your own administration writes it.",
        ("employeeno", "employeenr", "employeeid", "personnelnumber", "staffnumber"),
    ),
    Column("role", "Portal role", "A for Admin, E for Editor, V for Viewer. Only an Admin gives roles.", ("role",)),
    Column(
        "unit",
        "Unit",
        "The path of a unit that exists, from the top: Sales > Benelux.",
        ("unitpath", "organizationalunit", "organisationalunit", "organizationunit", "department"),
    ),
    Column(
        "groups",
        "Groups",
        "Groups that exist, with a semicolon between them. They are joined, none is left.",
        ("group", "groupnames"),
    ),
)
NAMES = {column.field: column.name for column in COLUMNS}

# What is no text, by how it begins.
_WORKBOOK = "This is an Excel workbook. Save it as CSV in Excel, then upload that."
_SIGNS = [
    (b"PK\x03\x04", _WORKBOOK),
    (b"\xd0\xcf\x11\xe0", _WORKBOOK),
    (b"%PDF", "This is a PDF. Save the list as CSV, then upload that."),
    (b"\x1f\x8b", "This is a compressed file. Unpack it, then upload the CSV in it."),
]
_BOMS = [(codecs.BOM_UTF8, "utf-8-sig", "UTF-8"), (codecs.BOM_UTF16_LE, "utf-16", "UTF-16")]
_BOMS += [(codecs.BOM_UTF16_BE, "utf-16", "UTF-16")]
_SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs"}
_TOLD = re.compile(r"sep=(.)", re.IGNORECASE)  # how Excel is told the separator, in a line above the header
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x1f\x7f]")
# Signs that a text in Windows-1252 has besides ASCII; many others mean that it is something else.
_USUAL = set("€‚„…–—‘’“”•™ŠŽŒšžœŸ°·«»§©®½¼¾²³¿¡´ªº\xa0") | {chr(code) for code in range(0xC0, 0x100)}


@dataclass(frozen=True)
class Sheet:
    """A file that was read: how, what its columns are ("" is not imported), and which were not known."""

    read_as: str
    fields: tuple[str, ...]
    ignored: tuple[str, ...]
    size: int  # rows that say something
    _file: object
    _encoding: str
    _separator: str

    def rows(self):
        """Give (line, {field: text}) of each row that says anything."""
        yield from _rows(self._file, self._encoding, self._separator, self.fields)

    def text(self):
        """Return all of it, with the lines that it has."""
        with _Text(self._file, self._encoding) as text:
            return text.read()


def read(file, columns=COLUMNS):
    """Return the Sheet of a file (opened for bytes, seekable); it goes through all of it, some pieces at a time.

    columns: what its columns can be; those of people. Raises ValidationError, with the line where there is one, for
    what is no such list: then nothing of it counts.
    """
    if file.seek(0, io.SEEK_END) == 0:
        raise ValidationError("The file is empty.", code="empty")
    if file.tell() > MOST_BYTES:
        raise ValidationError("The file is larger than 50 MB. Split it, then upload each part.", code="size")
    encoding, called = _encoding_of(file)
    separator = _separator_of(file, encoding)
    _, header = next(_table(file, encoding, separator), (1, []))
    fields, ignored = _columns(header, columns)
    size = sum(1 for _ in _rows(file, encoding, separator, fields))
    if not size:
        raise ValidationError("There is a header, but no row below it.", code="no_rows")
    return Sheet(f"{called}, with {_SEPARATORS[separator]}", fields, ignored, size, file, encoding, separator)


def _encoding_of(file):
    """Return the encoding that the whole file is in, and its name."""
    file.seek(0)
    start = file.read(8)
    for sign, said in _SIGNS:
        if start.startswith(sign):
            raise ValidationError(said, code="no_csv")
    marked = [(encoding, name) for bom, encoding, name in _BOMS if start.startswith(bom)]
    for encoding, name in marked or [("utf-8", "UTF-8"), ("cp1252", "Windows-1252")]:
        try:
            _look_through(file, encoding)
        except UnicodeError:
            continue
        return encoding, name
    raise ValidationError(
        "This cannot be read as text: it is neither UTF-8, UTF-16 nor Windows-1252. Save it as “CSV UTF-8”.",
        code="encoding",
    )


def _look_through(file, encoding):
    """Decode all of the file; refuse what no text has."""
    lines, length, strange, beyond = 1, 0, 0, 0
    with _Text(file, encoding) as text:
        while piece := text.read(PIECE):
            if control := _CONTROL.search(piece):
                line = lines + piece.count("\n", 0, control.start())
                what = "a NUL byte" if control[0] == "\0" else f"a control character ({ord(control[0])})"
                raise ValidationError(
                    f"Line {line} contains {what}, which no text has. Save the list as “CSV UTF-8” again.", code="nul"
                )
            first, _, rest = piece.partition("\n")
            length = len(rest.rpartition("\n")[2]) if "\n" in piece else length + len(first)
            lines += piece.count("\n")
            if length > MOST_IN_A_LINE:
                raise ValidationError(f"Line {lines} is longer than a million characters.", code="long")
            if encoding == "cp1252":
                others = [c for c in piece if c > "\x7f"]
                beyond, strange = beyond + len(others), strange + sum(c not in _USUAL for c in others)
    if strange * 5 > beyond:
        raise UnicodeError


def _separator_of(file, encoding):
    """Return what the first line that says anything has most of, but within quotation marks; or what it names."""
    with _Text(file, encoding) as text:
        line = next((line for line in text if line.strip()), "")
    if told := _TOLD.fullmatch(line.strip()):
        return told[1] if told[1] in _SEPARATORS else ","
    line = re.sub(r'"[^"]*"', "", line)
    return max(_SEPARATORS, key=line.count)


def _columns(header, columns):
    """Return the field of each column, "" where it is not imported, and the names of those."""
    while header and not header[-1].strip():
        header = header[:-1]
    if len(header) > MOST_COLUMNS:
        raise ValidationError(f"There are more than {MOST_COLUMNS} columns.", code="columns")
    fields, ignored, seen = [], [], {}
    for number, cell in enumerate(header, 1):
        column = next((column for column in columns if column.is_called(_letters(cell))), None)
        field = column.field if column else ""
        if field in seen:
            both = join_words(f"“{name.strip()}”" for name in (seen[field], cell))
            raise ValidationError(f"The columns {both} are both {column.name}. Leave one of them.", code="twice")
        if field:
            seen[field] = cell
        else:
            ignored.append(" ".join(cell.split())[:60] or f"column {number}")
        fields.append(field)
    for column in columns:
        if column.missing and column.field not in fields:
            raise ValidationError(
                f"There is no column “{column.name}” in the first line. {column.missing}", code="no_column"
            )
    return tuple(fields), tuple(ignored)


def _table(file, encoding, separator):
    """Give (line, cells) of each row that says anything, the header first."""
    with _Text(file, encoding) as text:
        for line, cells in _cells(text, separator):
            if any(cell.strip() for cell in cells) and not (line == 1 and _TOLD.fullmatch(separator.join(cells))):
                yield line, cells


def _rows(file, encoding, separator, fields):
    rows = _table(file, encoding, separator)
    next(rows)  # the header
    for line, cells in rows:
        if any(cell.strip() for cell in cells[len(fields) :]):
            raise ValidationError(
                f"Line {line} has {count_words(len(cells), 'cell', 'cells')}, but there are"
                f" {count_words(len(fields), 'column', 'columns')}. A cell that contains a separator needs quotation"
                " marks around it.",
                code="cells",
            )
        yield line, {f: " ".join(unguard(cell).split()) for f, cell in zip(fields, cells, strict=False) if f}


def _cells(lines, separator):
    """Give (line on which it begins, cells) of each row."""
    reader = csv.reader(lines, delimiter=separator, strict=True)
    while True:
        line = reader.line_num + 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise ValidationError(f"Line {line}: {_said(str(error))}", code="csv") from error
        yield line, cells


def _said(error):
    if "field limit" in error:
        return f"a cell is longer than {csv.field_size_limit():,} characters. Perhaps a quotation mark is not closed."
    if "end of data" in error:
        return "a quotation mark that begins a cell is not closed."
    return "something follows the closing quotation mark of a cell. Within a cell, write a quotation mark twice."


class _Text:
    """The text of a file from its beginning, each line ending in \\n; the file stays open."""

    def __init__(self, file, encoding):
        file.seek(0)
        self._text = io.TextIOWrapper(file, encoding=encoding, newline=None)

    def __enter__(self):
        return self._text

    def __exit__(self, *error):
        if not self._text.closed:
            self._text.detach()


def _letters(header):
    return re.sub(r"[^a-z0-9]", "", fold(header))
