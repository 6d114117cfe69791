"""Lists as files, for spreadsheets."""

import csv

from django.http import StreamingHttpResponse
from django.utils import timezone
from django.utils.text import slugify

FORMULA = ("=", "+", "-", "@", "\t", "\r")


class _Echo:
    def write(self, line):
        return line


def guard(text):
    """Return text as a cell that no spreadsheet takes for a formula: an apostrophe before it (OWASP, CSV injection).

    What only looks as if it had been guarded gets one too, so that unguard() gives every text back as it was.
    """
    return f"'{text}" if text.lstrip("'").startswith(FORMULA) else text


def unguard(cell):
    """Return the text of which guard() made the cell."""
    return cell[1:] if cell.startswith("'") and cell.lstrip("'").startswith(FORMULA) else cell


def stream_csv(name, header, rows):
    """Return a response that sends rows (an iterable of lists of texts) as a CSV file while they are read.

    Memory stays flat however many there are. UTF-8 with a byte order mark, as spreadsheets expect; guarded cells. Days
    are those of the time zone that is current now, though the rows are read later.
    """
    writer, rows, tz = csv.writer(_Echo()), iter(rows), timezone.get_current_timezone()

    def lines():
        yield "\ufeff" + writer.writerow(header)
        while True:
            with timezone.override(tz):
                row = next(rows, None)
            if row is None:
                return
            yield writer.writerow([guard(str(cell)) for cell in row])

    response = StreamingHttpResponse(lines(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{slugify(name) or "list"}.csv"'
    response["Cache-Control"] = "no-store"
    return response
