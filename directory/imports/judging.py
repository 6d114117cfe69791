"""What becomes of the rows of a file: finding the units and groups they name, and asking the services."""

import re
from collections import defaultdict

from django.core.exceptions import ValidationError
from django.db.models import Min, Q

from directory.models import Group, Role
from directory.services import Told, foresee_people, put_people
from directory.trees import IN_PATH, paths_written, unit_paths, write_path
from portal.audit.log import one_act
from portal.text import fold, join_some

from .models import ImportRow, Outcome
from .reading import NAMES

ROLES = {"a": Role.ADMIN, "e": Role.EDITOR, "v": Role.VIEWER, **{role.value: role for role in Role}}
BETWEEN_GROUPS = re.compile(r"\s*[;|,][\s;|,]*")
MOST_GROUPS = 100  # in one cell
MOST_NAMES = 5000  # in one query


def judge(imported, rows):
    """Set on ImportRows what importing them would do now, and add to what the Import moves. So many queries always."""
    for verdict in _each(imported, rows, foresee_people):
        if not verdict.error and verdict.user.is_active:
            _count(imported.moves, "groups", *verdict.joins)
            _count(imported.moves, "units", verdict.new.get("unit"))
            _count(imported.moves, "left", verdict.old.get("unit"))


def carry_out(imported, rows):
    """Import ImportRows, and set on them what was done. Call it inside a transaction."""
    with one_act(imported.change_set):
        _each(imported, rows, put_people)


def _count(moves, key, *places):
    for place in filter(None, places):
        counted = moves.setdefault(key, {})
        counted[str(place.pk)] = counted.get(str(place.pk), 0) + 1


def _each(imported, rows, service):
    """Ask the service about rows, set on them what it says; returns its Verdicts."""
    told, reasons = _tell(imported, rows)
    verdicts = dict(
        zip(told, service(imported.organization, told=list(told.values()), actor=imported.actor), strict=True)
    )
    units = [unit for verdict in verdicts.values() for unit in (verdict.old.get("unit"), verdict.new.get("unit"))]
    paths = unit_paths({unit.pk for unit in units if unit})
    for row in rows:
        verdict = verdicts.get(row.pk)
        row.changes, row.note, row.reason = [], "", reasons.get(row.pk, "")
        if verdict and verdict.user:
            row.user_id = verdict.user.pk
            row.name = row.name or verdict.user.name
            row.search_text = fold(f"{row.name} {row.email}")
        if row.reason or verdict.error:
            row.outcome, row.reason = Outcome.REFUSED, row.reason or _in_words(verdict.error)
            continue
        row.changes = [
            [NAMES[name], _write(name, verdict.old.get(name), paths), _write(name, value, paths)]
            for name, value in verdict.new.items()
            if value and name != "email" and not (verdict.is_new and name == "name")
        ]
        if verdict.joins:
            row.changes.append(["Joins", "", "; ".join(map(str, verdict.joins))])
        row.outcome = Outcome.CREATED if verdict.is_new else Outcome.CHANGED if row.changes else Outcome.SAME
        if row.outcome == Outcome.CHANGED and not verdict.user.is_active:
            row.note = "Inactive, and stays so."
    return verdicts.values()


def _tell(imported, rows):
    """Return what the rows tell, {pk of the row: Told}, and why others cannot be heard, {pk: reason}."""
    first = dict(
        ImportRow.objects.filter(parent=imported, email__in={row.email for row in rows})
        .values_list("email")
        .annotate(Min("line"))
    )
    find_unit = _units(imported.organization, rows)
    find_groups = _groups(imported.organization, rows)
    told, reasons = {}, {}
    for row in rows:
        try:
            if not row.email:
                raise ValidationError("There is no e-mail address. People are found by it.")
            if row.line != first[row.email]:
                raise ValidationError(f"Line {first[row.email]} has this e-mail address already.")
            fields = {f: row.cells[f] for f in ("name", "title", "employee_number") if row.cells.get(f)}
            if role := row.cells.get("role"):
                fields["role"] = _role(role)
            if unit := row.cells.get("unit"):
                fields["unit"] = find_unit(unit)
            told[row.pk] = Told(row.cells.get("email", ""), fields, find_groups(row.cells.get("groups", "")))
        except ValidationError as error:
            reasons[row.pk] = _in_words(error)
    return told, reasons


def _role(text):
    if text.lower() not in ROLES:
        raise ValidationError(f"“{text[:60]}” is not a portal role. Write A, E, V or nothing.")
    return ROLES[text.lower()]


def _units(organization, rows):
    """Return the function that finds the unit of a path, which a file writes from the top."""
    paths = paths_written(organization, {text for row in rows if (text := row.cells.get("unit"))})

    def find(text):
        found = paths(text, whole=True)
        if len(found) == 1:
            return found[0][-1]
        if found:
            raise ValidationError(f"There are {len(found)} units “{text}”.")
        near = paths(IN_PATH.split(text)[-1])
        hint = f" Write the whole path: {join_some(sorted(map(write_path, near), key=fold))}." if near else ""
        raise ValidationError(f"There is no unit “{text[:250]}”.{hint}")

    return find


def _groups(organization, rows):
    """Return the function that finds the groups of a cell: the longest names there are, for what stands between groups
    may stand in a name too."""
    cells = {row.cells["groups"] for row in rows if row.cells.get("groups")}
    names = sorted({fold(part)[:250] for cell in cells for part in (cell, *BETWEEN_GROUPS.split(cell))})
    groups = Group.objects.filter(organization=organization)
    by_name = defaultdict(set)
    found = list(groups.filter(Q(name__contains=";") | Q(name__contains=",") | Q(name__contains="|"))) if names else []
    farthest = max((2 * len(group.name) for group in found), default=0)  # twice: an accent may be a sign of its own
    for start in range(0, len(names), MOST_NAMES):
        found += groups.filter(sort_key__in=names[start : start + MOST_NAMES])
    for group in found:
        by_name[fold(group.name)].add(group)

    def find(cell):
        parts, joined, i = list(_parts(cell)), [], 0
        if len(parts) > MOST_GROUPS:
            raise ValidationError(f"There are more than {MOST_GROUPS} groups in one cell.")
        while i < len(parts):
            start = parts[i][0]
            ends = [(j, end) for j, (_, end) in enumerate(parts[i:], i) if j == i or end - start <= farthest]
            runs = [(j, cell[start:end]) for j, end in reversed(ends)]
            j, name = next(((j, run) for j, run in runs if fold(run) in by_name), (None, ""))
            if j is None:
                raise ValidationError(f"There is no group “{cell[slice(*parts[i])][:120]}”.")
            joined.append(_one_of(by_name[fold(name)], name))
            i = j + 1
        return list(dict.fromkeys(joined))

    return find


def _parts(cell):
    """Give (start, end) of each part of a cell between separators that says anything."""
    ends = [match.span() for match in BETWEEN_GROUPS.finditer(cell)]
    for start, end in zip([0, *(end for _, end in ends)], [*(start for start, _ in ends), len(cell)], strict=True):
        if start < end:
            yield start, end


def _one_of(groups, text):
    """Return the group that is meant: names that differ in accents only are told apart by them."""
    same = [group for group in groups if group.name.casefold() == text.casefold()] or groups
    if len(same) > 1:
        raise ValidationError(f"There are {len(same)} groups “{text}”.")
    return same[0]


def _write(name, value, paths):
    if not value:
        return ""
    return write_path(paths[value.pk]) if name == "unit" else Role(value).label if name == "role" else value


def _in_words(error):
    """Return a ValidationError as one sentence or more, with the column where the words do not say it."""
    if not hasattr(error, "error_dict"):
        return " ".join(error.messages)
    parts = []
    for name, errors in error.error_dict.items():
        for each in errors:
            said = " ".join(each.messages)
            if name == "email" and each.code == "invalid":
                said = "This is not an e-mail address."
            elif each.code == "max_length":
                said = f"{NAMES[name]} is longer than {each.params['limit_value']} characters."
            parts.append(said)
    return " ".join(dict.fromkeys(parts))
