"""Lists as files, for spreadsheets."""

import csv

from django.http import StreamingHttpResponse
from django.utils.text import slugify

FORMULA = ("=", "+", "-", "@", "\t", "\r")


class _Echo:
    def write(self, line):
        return line


def stream_csv(name, header, rows):
    """Return a response that sends rows (an iterable of lists of texts) as a CSV file while they are read.

    Memory stays flat however many there are. UTF-8 with a byte order mark, as spreadsheets expect; a text that they
    would take for a formula is preceded by an apostrophe (OWASP, CSV injection).
    """
    writer = csv.writer(_Echo())

    def lines():
        yield "\ufeff" + writer.writerow(header)
        for row in rows:
            yield writer.writerow([f"'{cell}" if cell.startswith(FORMULA) else cell for cell in map(str, row)])

    response = StreamingHttpResponse(lines(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{slugify(name) or "list"}.csv"'
    response["Cache-Control"] = "no-store"
    return response
