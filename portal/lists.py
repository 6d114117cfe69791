"""Lists: search, sort, and pages by keyset, so that the last page costs what the first does."""

from dataclasses import dataclass
from functools import reduce

from django.core import signing
from django.db.models import CharField, Q, QuerySet, TextField
from django.db.models.lookups import Contains

from portal.text import fold

PAGE_SIZE = 50
COUNT_LIMIT = 10_000  # counting further would cost more than it tells


@dataclass(frozen=True)
class Listing:
    """One page of a list, as its template needs it. The cursors are empty where there is no such page."""

    rows: list
    q: str
    sort: str
    count: int  # at most COUNT_LIMIT + 1
    next_cursor: str
    previous_cursor: str

    @property
    def count_text(self):
        return f"{self.count:,}" if self.count <= COUNT_LIMIT else f"more than {COUNT_LIMIT:,}"

    @property
    def all_text(self):
        """What a link says that ticks all of them."""
        return f"all {self.count:,}" if self.count <= COUNT_LIMIT else "all that match"


class Finds(Contains):
    """Whether folded text has a folded word in it: the lookup `finds`.

    The trigram index knows nothing of fewer than three letters: it would give every row, in more time than it takes to
    read the table. PostgreSQL does not know that, so such words are compared in a collation that the index is not in.
    """

    def process_lhs(self, compiler, connection, lhs=None):
        sql, parameters = super().process_lhs(compiler, connection, lhs)
        is_short = connection.vendor == "postgresql" and len(self.rhs) < 3
        return (f'{sql} COLLATE "C"' if is_short else sql), parameters


CharField.register_lookup(Finds, "finds")
TextField.register_lookup(Finds, "finds")


def list_page(request, queryset, *, search, sorts, default="", size=PAGE_SIZE, counted=None, number=None):
    """Return the Listing that the request's q, sort, after and before ask for; what they ask wrongly is not heard.

    search: name of a lookup on folded text, which every word of q has to match; None where they are searched already.
    sorts: {name: fields}, of which the last is unique; "-name" sorts the other way. default: a sort, else the first.
    counted: the same things as a QuerySet that is quicker to count. number: how many they are, where that is known.
    """
    q = clean_query(request.GET.get("q", ""))
    condition = matching(q, search) if search else Q()
    counted = (queryset if counted is None else counted).filter(condition)
    queryset = queryset.filter(condition)
    sort = request.GET.get("sort", "")
    sort = sort if sort.removeprefix("-") in sorts else default or next(iter(sorts))
    fields, descending = sorts[sort.removeprefix("-")], sort.startswith("-")
    before, after = (_decode(request.GET.get(name, ""), fields) for name in ("before", "after"))

    backwards = before is not None
    order = [f"-{field}" if descending != backwards else field for field in fields]
    page: QuerySet = queryset.order_by(*order)
    if cursor := before or after:
        page = page.filter(_beyond(fields, cursor, "lt" if descending != backwards else "gt"))
    rows = list(page[: size + 1])
    more, rows = len(rows) > size, rows[:size]
    if backwards:
        rows.reverse()
    has_next, has_previous = (bool(cursor), more) if backwards else (more, bool(cursor))
    return Listing(
        rows=rows,
        q=q,
        sort=sort,
        count=min(number, COUNT_LIMIT + 1) if number is not None and not condition else _count(counted),
        next_cursor=_encode(rows[-1], fields) if rows and has_next else "",
        previous_cursor=_encode(rows[0], fields) if rows and has_previous else "",
    )


def _count(things):
    return things.order_by()[: COUNT_LIMIT + 1].count()


def in_chunks(queryset, *fields, size=1000):
    """Give the rows of a queryset in lists of `size`, in the order of the fields (the last one unique), by keyset."""
    chunk, page = [], queryset.order_by(*fields)
    while rows := list(
        (page.filter(_beyond(fields, [getattr(chunk[-1], f) for f in fields], "gt")) if chunk else page)[:size]
    ):
        yield rows
        chunk = rows


def clean_query(q):
    """Return what was typed into a search field without what no database takes."""
    return q.replace("\x00", "").strip()[:200]


def searched(request, queryset, search):
    """Return what the q of the request finds, all of it: for the list as a file. search: as in list_page."""
    return queryset.filter(matching(clean_query(request.GET.get("q", "")), search))


def matching(q, search):
    """Return the condition that every word of q is found by the lookup."""
    return reduce(Q.__and__, (Q(**{search: word}) for word in fold(q).split()), Q())


def _beyond(fields, values, op):
    """Rows after the cursor in lexicographic order, written so that the index on the first field is used."""
    field, value = fields[0], values[0]
    if len(fields) == 1:
        return Q(**{f"{field}__{op}": value})
    return Q(**{f"{field}__{op}e": value}) & (Q(**{f"{field}__{op}": value}) | _beyond(fields[1:], values[1:], op))


# A cursor is signed, for these fields: no database has to be asked for what a person made up.


def _encode(row, fields):
    values = [reduce(getattr, field.split("__"), row) for field in fields]
    return signing.dumps([value if isinstance(value, int) else str(value) for value in values], salt=",".join(fields))


def _decode(cursor, fields):
    try:
        return signing.loads(cursor, salt=",".join(fields))
    except signing.BadSignature:
        return None
