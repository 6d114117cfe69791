"""The pages of an import: choosing a file, seeing what it would do, confirming that, and what came of it."""

from functools import partial
from pathlib import Path

from django.core.exceptions import ValidationError
from django.forms import Form
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse

from directory.decorators import editor_required
from portal.exports import stream_csv
from portal.lists import in_chunks, list_page
from portal.modals import add_error, run_modal
from portal.text import count_words, join_words

from .forms import UploadForm
from .models import Import, Outcome, State
from .reading import COLUMNS, NAMES
from .running import cancel_import, confirm_import, start_import

LOOKS = {
    State.READY: "soon",
    State.DONE: "live",
    State.STOPPED: "over",
    State.CANCELLED: "ended",
}  # of a status; else scheduled
OTHERWISE = "otherwise"  # in the URL: the rows that turned out otherwise than foreseen


@editor_required
def upload(request):
    """Ask for a file, and lead to what it would do; below, the imports of the last month."""
    form = UploadForm(request.POST, request.FILES) if request.method == "POST" else UploadForm()
    if form.is_valid():
        file = form.cleaned_data["file"]
        try:
            imported = start_import(request.organization, file=file.file, name=file.name, actor=request.actor)
        except ValidationError as error:
            add_error(form, ValidationError({"file": error}))
        else:
            return redirect("imports:import_detail", imported.pk)
    listing = list_page(
        request,
        request.organization.imports.all(),
        search="file_name__icontains",
        sorts={"at": ("created_at", "pk")},
        default="-at",
    )
    rows = [(imported, _status(imported), _result(imported)) for imported in listing.rows]
    return render(request, "imports/upload.html", {"form": form, "columns": COLUMNS, "listing": listing, "rows": rows})


@editor_required
def template(request):
    return stream_csv("users", NAMES.values(), [])


@editor_required
def import_detail(request, pk):
    """An import as it is: being read, what it would do, being carried out, or what it did."""
    imported = _import(request, pk)
    context = {"imported": imported, "status": _status(imported)}
    if not imported.is_at_work:
        outcome, rows = request.GET.get("outcome", ""), imported.rows.all()
        if outcome in Outcome.values:
            rows = rows.filter(outcome=outcome)
        elif outcome == OTHERWISE:
            rows = rows.exclude(foreseen="")
        else:
            outcome = ""
        context["listing"] = list_page(request, rows, search="search_text__finds", sorts={"line": ("line", "pk")})
        context["outcome"] = outcome
        context["outcomes"] = [*Outcome.choices]
        if imported.counts.get(OTHERWISE):
            context["outcomes"].append((OTHERWISE, "Otherwise than foreseen"))
    return render(request, "imports/import_detail.html", context)


@editor_required
def refused(request, pk):
    """The refused rows as a file like the one that was uploaded, with the reason in a last column."""
    imported = _import(request, pk)
    rows = imported.rows.filter(outcome=Outcome.REFUSED)

    def cells():
        for chunk in in_chunks(rows, "line"):
            for row in chunk:
                yield [*(row.cells.get(field, "") for field in imported.fields), row.reason]

    header = [*(NAMES[field] for field in imported.fields), "Reason"]
    return stream_csv(f"{Path(imported.file_name).stem} refused", header, cells())


@editor_required
def confirm(request, pk):
    imported = _import(request, pk)
    return run_modal(
        request,
        "imports/confirm.html",
        Form,
        title=f"Import {imported}",
        save=partial(confirm_import, imported, actor=request.actor),
        say=lambda after: f"{after} is being imported." if after.is_at_work else f"{after}: {_result(after)}.",
        back=reverse("imports:import_detail", args=[imported.pk]),
        imported=imported,
    )


@editor_required
def cancel(request, pk):
    imported = _import(request, pk)
    return run_modal(
        request,
        "imports/cancel.html",
        Form,
        title=f"Cancel the import of {imported}",
        save=partial(cancel_import, imported),
        say=lambda _: f"The import of {imported} is cancelled. Nothing was changed.",
        back=reverse("imports:import_detail", args=[imported.pk]),
        imported=imported,
    )


def _import(request, pk):
    return get_object_or_404(Import, organization=request.organization, pk=pk)


def _status(imported):
    return {"look": LOOKS.get(imported.state, "scheduled"), "text": imported.get_state_display()}


def _result(imported):
    """Return in words what an import did or would do."""
    if imported.state == State.STOPPED:
        return f"stopped after {count_words(imported.rows_done, 'row', 'rows')}"
    if not imported.counts or imported.is_at_work:
        return f"{imported.rows_done:,} of {count_words(imported.rows_count, 'row', 'rows')}"
    said = [f"{n:,} {label.lower()}" for key, label in Outcome.choices if (n := imported.counts.get(key))]
    return join_words(said)
