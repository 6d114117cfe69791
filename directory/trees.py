"""Reading the tree of units, and counting who is where. The tree is written by directory.services alone."""

import re
from collections import Counter, defaultdict
from dataclasses import dataclass, replace

from django.core.exceptions import ValidationError
from django.db import connection
from django.db.models import Case, Count, Exists, F, IntegerField, OuterRef, Q, When, Window
from django.db.models.functions import RowNumber

from portal.text import fold, join_some

from .models import GroupMembership, OrgUnit, OrgUnitClosure, User


def unit_paths(unit_ids):
    """Return for each unit the units from the top down to itself: {pk: (OrgUnit, …)}. One query.

    Each unit is made once, however many paths lead through it.
    """
    names = [field.attname for field in OrgUnit._meta.concrete_fields]
    rows = OrgUnitClosure.objects.filter(descendant__in=unit_ids).order_by("-depth")
    units, paths = {}, defaultdict(tuple)
    for pk, ancestor, *values in rows.values_list("descendant", "ancestor", *(f"ancestor__{name}" for name in names)):
        if ancestor not in units:
            units[ancestor] = OrgUnit.from_db(rows.db, names, values)
        paths[pk] += (units[ancestor],)
    return paths


def write_path(units):
    """Return a path of units as people read it: "Sales › Benelux"."""
    return " › ".join(unit.name for unit in units)


IN_PATH = re.compile(r"\s*[>›/]\s*")
MOST_LEVELS = 20  # in one path that a person writes
_NEARER = (  # what makes a unit more likely to be meant, the strongest first
    lambda unit, text: unit.written.casefold() == text.casefold(),
    lambda unit, text: IN_PATH.sub("/", unit.written.casefold()) == IN_PATH.sub("/", text.casefold()),
    lambda unit, text: unit.is_whole,
)


@dataclass(frozen=True)
class _Written:
    """A way to write a unit: its path from the top (whole), or an end of it."""

    path: tuple[OrgUnit, ...]
    written: str
    is_whole: bool


def paths_written(organization, texts):
    """Return the function that gives the paths of the units that one of the texts may mean. Two queries.

    Names may differ in an accent only, contain what separates them in a path, or be those of many units: of all that
    come to the same, the function gives those that are written most like the text. whole: only by the whole path.
    """
    texts = {fold(text) for text in texts}
    # What may be the last unit's own name: what follows a separator, and all of it.
    names = {
        text[start:][:250]
        for text in texts
        if len(IN_PATH.findall(text)) < MOST_LEVELS
        for start in [0, *(separator.end() for separator in IN_PATH.finditer(text))]
    }
    pks = OrgUnit.objects.filter(organization=organization, sort_key__in=names).values_list("pk", flat=True)
    ways = defaultdict(list)
    for path in unit_paths(list(pks)).values():
        for start in range(len(path)):
            written = write_path(path[start:])
            ways[_key(written)].append(_Written(path, written, is_whole=start == 0))

    def find(text, *, whole=False):
        text = text.strip()
        found = [unit for unit in ways.get(_key(text), ()) if unit.is_whole or not whole]
        for is_nearer in _NEARER:
            found = [unit for unit in found if is_nearer(unit, text)] or found
        return [unit.path for unit in found]

    return find


def _key(path):
    """However a path is written, its parts come to the same."""
    return IN_PATH.sub("/", fold(path))


def find_unit(organization, text):
    """Return the OrgUnit that a person means by its name, or by its path: "Sales › Benelux", "Sales > Benelux".

    Raises ValidationError where there is none, or where several have that name and the path does not tell.
    """
    found = paths_written(organization, [text])(text)
    if len(found) == 1:
        return found[0][-1]
    if not found:
        raise ValidationError(f"There is no unit “{text.strip()[:120]}”. Write another name.", code="unit")
    which = join_some(sorted(map(write_path, found), key=fold))
    raise ValidationError(f"Several units are called so: {which}. Write one of these, as it stands here.", code="unit")


def people_in_groups(group_ids):
    """Return how many active users are in each group: {pk: number}. One query."""
    # Inactive people are few: joining everybody to see who is active takes three times as long at 100,000.
    inactive = User.objects.filter(organization=OuterRef("organization"), pk=OuterRef("user"), is_active=False)
    rows = GroupMembership.objects.filter(~Exists(inactive), group__in=group_ids)
    return dict(rows.values("group").annotate(n=Count("pk")).values_list("group", "n"))


@dataclass(frozen=True)
class UnitPeople:
    """How many active users are in a unit, and how many belong to it: with those of the units below."""

    own: int
    all: int


def people_of_units(unit_ids):
    """Return the UnitPeople of each unit: {pk: UnitPeople}. One query.

    Each unit below is counted once, by the index on a user's unit, and then summed up the tree: joining each person to
    each unit above takes five times as long at 100,000, and everybody is too many where few units are asked for.
    """
    found = {pk: UnitPeople(0, 0) for pk in unit_ids}
    if not found:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            f"""WITH below AS MATERIALIZED (
                    SELECT ancestor_id, descendant_id, depth FROM directory_orgunitclosure
                    WHERE ancestor_id IN ({", ".join(["%s"] * len(found))})),
                counted AS MATERIALIZED (
                    SELECT d.id, (SELECT count(*) FROM directory_user WHERE unit_id = d.id AND is_active) AS people
                    FROM (SELECT DISTINCT descendant_id AS id FROM below) d)
                SELECT ancestor_id, sum(CASE depth WHEN 0 THEN people ELSE 0 END), sum(people)
                FROM below JOIN counted ON id = descendant_id GROUP BY ancestor_id""",  # noqa: S608 placeholders only
            list(found),
        )
        found.update({pk: UnitPeople(int(own), int(all_of_them)) for pk, own, all_of_them in cursor.fetchall()})
    return found


def units_below(unit_ids):
    """Return how many units lie below each unit: {pk: number}; those with none are absent. One query."""
    rows = OrgUnitClosure.objects.filter(ancestor__in=unit_ids, depth__gt=0)
    return dict(rows.values("ancestor").annotate(n=Count("pk")).values_list("ancestor", "n"))


LEVEL = 100  # units below one unit that are shown at once


@dataclass(frozen=True)
class TreeRow:
    """A unit as a row of the tree. rails: the classes of the lines before it, one per level."""

    unit: OrgUnit
    rails: tuple[str, ...]
    has_children: bool
    is_open: bool
    toggled: tuple[int, ...]  # what is open after its toggle was pressed
    above: str  # the path above it, for who cannot see the lines


@dataclass(frozen=True)
class Rest:
    """What a level has beyond what is shown of it: the last row of the level."""

    parent: int  # 0: the top
    number: int
    more: tuple[int, ...]  # of what more is shown after its link was pressed
    rails: tuple[str, ...] = ()


def levels(units, more):
    """Return {pk of a parent, None for the top: (the first OrgUnits below it in reading order, Rest or None)}.

    units: QuerySet of all units of these levels. more: pks of parents, 0 for the top, of which another LEVEL of units
    is shown; of one that is there twice, two. One query.
    """
    wanted = [When(parent=pk or None, then=LEVEL * (1 + times)) for pk, times in Counter(more).items()]
    numbered = units.annotate(
        number=Window(RowNumber(), partition_by="parent", order_by=["sort_key", "pk"]),
        level=Window(Count("pk"), partition_by="parent"),
        shown=Case(*wanted, default=LEVEL, output_field=IntegerField()),
    )
    found = defaultdict(list)
    for unit in numbered.filter(number__lte=F("shown")).order_by("sort_key", "pk"):
        found[unit.parent_id].append(unit)
    return {parent: (units, _rest(parent, units, more)) for parent, units in found.items()}


def _rest(parent, units, more):
    number = units[0].level - len(units)
    return Rest(parent or 0, number, (*more, parent or 0)) if number else None


def tree_rows(organization, opened, more=()):
    """Return the rows of the top level and of what lies directly in the opened units (pks), in reading order.

    Each level is shown as far as levels() does, and ends with a Rest where it goes on; all others are TreeRows. Two
    queries, however deep.
    """
    shown = levels(organization.units.filter(Q(parent=None) | Q(parent__in=opened)), more)
    pks = [unit.pk for units, _ in shown.values() for unit in units]
    parents = set(OrgUnit.objects.filter(parent__in=pks).values_list("parent", flat=True).distinct())

    def rows(parent, rails, above):
        units, rest = shown.get(parent, ([], None))
        for unit in units:
            is_last = unit is units[-1] and not rest
            is_open = unit.pk in opened and unit.pk in parents
            own = (*rails, "tree-turn tree-last" if is_last else "tree-turn") if parent else ()
            toggled = tuple(sorted(opened ^ {unit.pk}))
            yield TreeRow(unit, own, unit.pk in parents, is_open, toggled, write_path(above))
            if is_open:
                yield from rows(unit.pk, (*rails, "tree-none" if is_last else "") if parent else (), (*above, unit))
        if rest:
            yield replace(rest, rails=(*rails, "tree-turn tree-last") if parent else ())

    return list(rows(None, (), ()))
