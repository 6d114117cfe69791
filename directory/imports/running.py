"""The way of a file: stored, judged, confirmed, carried out. A thousand rows at a time, each time one transaction.

Small files go the whole way in the request; the rest of larger ones is done by `manage.py work`. Whoever dies halfway
leaves an import after its last finished rows, and the next goes on there.
"""

import logging
from datetime import timedelta
from itertools import islice

from django.core.exceptions import ValidationError
from django.db import OperationalError, transaction
from django.db.models import Q
from django.utils import timezone

from directory.models import User
from portal.audit.log import Target, one_act, record
from portal.text import count_words, fold
from portal.transactions import one_transaction

from . import judging
from .models import Import, ImportRow, Outcome, State
from .reading import read

CHUNK = 1000
KEPT = timedelta(days=30)
ATTEMPTS = 3  # of a chunk in whose way something came
JUDGED = ["outcome", "changes", "reason", "note", "user_id", "name", "search_text", "foreseen"]

logger = logging.getLogger(__name__)


def start_import(organization, *, file, name, actor):
    """Store the rows of a file (opened for bytes), judge them if they are few, and return the Import.

    Raises ValidationError, in words for the person, where it is no list of people.
    """
    sheet = read(file)
    imported = Import.objects.create(
        organization=organization,
        file_name=name[:200],
        read_as=sheet.read_as,
        fields=[field for field in sheet.fields if field],
        ignored=sheet.ignored,
        by=vars(actor),
        rows_count=sheet.size,
    )
    rows = sheet.rows()
    try:
        while chunk := list(islice(rows, CHUNK)):  # apart, so that nobody waits for all of them
            ImportRow.objects.bulk_create(_row(imported, line, cells) for line, cells in chunk)
        Import.objects.filter(pk=imported.pk).update(state=State.JUDGING)
    except BaseException:
        imported.delete()
        raise
    return _at_once(imported)


def _row(imported, line, cells):
    email = cells.get("email", "").lower()[:320]
    name = cells.get("name", "")[:120]
    return ImportRow(
        parent=imported, line=line, email=email, cells=cells, name=name, search_text=fold(f"{name} {email}")
    )


@one_transaction
def _confirm(imported, actor):
    imported = _locked(imported, State.READY)
    imported.state, imported.by, imported.rows_done, imported.last_line = State.RUNNING, vars(actor), 0, 0
    imported.worked_at = timezone.now()
    imported.save()
    return imported


def confirm_import(imported, *, actor):
    """Carry out what was judged; returns the Import, at work still if it is large.

    Raises ValidationError where somebody confirmed or cancelled it before.
    """
    return _at_once(_confirm(imported, actor))


@one_transaction
def cancel_import(imported):
    """Give up an Import that was not confirmed."""
    imported = _locked(imported, State.READY, State.JUDGING)
    imported.state = State.CANCELLED
    imported.save(update_fields=["state"])
    return imported


def _locked(imported, *states):
    locked = Import.objects.select_for_update(no_key=True).get(pk=imported.pk)
    if locked.state not in states:
        raise ValidationError(f"{locked} is {locked.get_state_display().lower()} already.", code="state")
    return locked


def _at_once(imported):
    """Do all of an Import whose rows are few; returns it as it is then."""
    if imported.rows_count <= CHUNK:
        while run_imports(imported):
            pass
    return Import.objects.get(pk=imported.pk)


def run_imports(one=None):
    """Do the next rows of the import that has waited longest (or of that one); returns whether there were any."""
    waiting = Import.objects.filter(state__in=[State.JUDGING, State.RUNNING], **({"pk": one.pk} if one else {}))
    if not waiting.exists():  # asked every second: without a lock
        return False
    for attempt in range(1, ATTEMPTS):
        try:
            return _next_rows(waiting)
        except (ValidationError, OperationalError):
            logger.info("attempt %s: somebody changed the same at the same moment", attempt)
    return _next_rows(waiting, is_last_attempt=True)


@one_transaction
def _next_rows(waiting, *, is_last_attempt=False):
    imported = waiting.select_for_update(skip_locked=True, no_key=True).order_by("worked_at", "pk").first()
    if imported is None:  # somebody else is at it
        return False
    rows = list(imported.rows.filter(line__gt=imported.last_line).order_by("line")[:CHUNK])
    try:
        with transaction.atomic():
            _do(imported, rows)
    except Exception as error:
        if isinstance(error, OperationalError) or (isinstance(error, ValidationError) and not is_last_attempt):
            raise
        # Mail and other imports shall not wait for this one for ever.
        logger.exception("import %s, after line %s", imported.pk, imported.last_line)
        _stop(imported, f"Something went wrong on our side after line {imported.last_line}.")
    imported.worked_at = timezone.now()
    imported.save()
    return True


def _do(imported, rows):
    if imported.state == State.RUNNING:
        if not _may_still(imported):
            _stop(imported, f"{imported.actor.name} may not change the directory any more.")
            return
        rows_to_do = [row for row in rows if row.outcome != Outcome.REFUSED]  # what was refused was not confirmed
        before = [(row.outcome, row.changes, row.reason) for row in rows_to_do]
        judging.carry_out(imported, rows_to_do)
        for row, was in zip(rows_to_do, before, strict=True):
            if (row.outcome, row.changes, row.reason) != was:
                row.foreseen = _in_words(*was)[:250]
    else:
        rows_to_do = rows
        judging.judge(imported, rows)
    # Rows that are there, as in directory.services.many.
    ImportRow.objects.bulk_create(rows_to_do, update_conflicts=True, unique_fields=["id"], update_fields=JUDGED)
    imported.rows_done += len(rows)
    if rows:
        imported.last_line = rows[-1].line
    if len(rows) == CHUNK and imported.rows_done < imported.rows_count:
        return
    imported.count()
    if imported.state == State.JUDGING:
        imported.state = State.READY
        return
    imported.state = State.DONE
    done = Target("import", imported.pk, imported.file_name)
    with one_act(imported.change_set):
        organization = imported.organization_id
        record(imported.actor, "import.done", [done], organization_id=organization, details=imported.counts)


def _stop(imported, why):
    done = f"{imported.rows_done:,} of {count_words(imported.rows_count, 'row', 'rows')} were done and stay."
    again = "Upload the file again to go on: what is done already is left alone."
    if imported.state == State.JUDGING:
        done, again = "Nothing was changed.", "Upload the file again."
    imported.state, imported.stopped_by = State.STOPPED, f"{why} {done} {again}"


def _may_still(imported):
    """Return whether who confirmed it may change the directory now; one who is no person always may."""
    actor = imported.actor
    users = User.objects.active().filter(organization=imported.organization_id, account=actor.id)
    return actor.kind != "account" or any(user.may_edit for user in users)


def _in_words(outcome, changes, reason):
    said = Outcome(outcome).label
    parts = [f"{name} from {old} to {new}" if old else f"{name} {new}" for name, old, new in changes]
    return f"{said}: {reason or '; '.join(parts)}" if reason or parts else said


def forget_imports():
    """Delete imports of a month ago, and those whose reading was broken off a day ago."""
    now = timezone.now()
    broken_off = Q(state=State.READING, created_at__lt=now - timedelta(days=1))
    Import.objects.filter(broken_off | Q(created_at__lt=now - KEPT)).delete()
