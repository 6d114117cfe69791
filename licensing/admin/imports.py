"""Many organizations from a CSV file: what would become of each row is shown first, then it is done."""

import csv

from django import forms
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models.functions import Lower
from django.template.response import TemplateResponse

from licensing import services
from licensing.models import Provider
from portal.text import join_words
from portal.transactions import do_each

from .own import providers_of

COLUMNS = {  # as a file names them, and as the service does
    "name": "name",
    "slug": "slug",
    "time zone": "time_zone",
    "admin e-mail": "admin_email",
    "admin name": "admin_name",
}
REQUIRED = ["name", "slug"]
MOST_ROWS, MOST_BYTES = 500, 500_000


class ImportForm(forms.Form):
    """A file, or what was in it: so the second step needs no file again."""

    required_css_class = "required"
    provider = forms.ModelChoiceField(Provider.objects.none(), required=False, help_text="Whose customers they are.")
    file = forms.FileField(required=False, label="CSV file", widget=forms.FileInput({"accept": ".csv,text/csv"}))
    rows = forms.CharField(
        required=False,
        strip=False,
        label="Or paste the rows",
        widget=forms.Textarea({"rows": 8, "class": "vLargeTextField"}),
        help_text=f"The first row names the columns: {', '.join(COLUMNS)}. With commas, semicolons or tabs between.",
    )

    def __init__(self, *args, request, **kwargs):
        super().__init__(*args, **kwargs)
        field = self.fields["provider"]
        field.queryset = Provider.objects.filter(pk__in=providers_of(request)).order_by(Lower("name"))
        if not request.user.is_superuser:
            field.required = True
            if len(providers_of(request)) == 1:
                field.empty_label = None

    def clean_file(self):
        if not (file := self.cleaned_data["file"]):
            return ""
        if file.size > MOST_BYTES:
            raise ValidationError(f"This file is too large. Import at most {MOST_ROWS} rows at once.")
        try:
            return file.read().decode("utf-8-sig")
        except UnicodeDecodeError:
            raise ValidationError("This is not text in UTF-8. Save the sheet as “CSV UTF-8”.") from None

    def clean(self):
        values = super().clean()
        if self.errors:
            return values
        values["rows"] = values.get("file") or values.get("rows") or ""
        if "\0" in values["rows"]:
            raise ValidationError({"file": "This is not a CSV file: it holds null characters."})
        try:
            values["organizations"] = _read(values["rows"])
        except csv.Error as error:
            raise ValidationError(f"This is not a CSV file: {error}.") from None
        return values


def _read(text):
    """Return the rows of a CSV text as [{field: value}]; raises ValidationError where its head is not right."""
    lines = text.lstrip("\ufeff").strip("\r\n").splitlines()
    if not any(line.strip() for line in lines):
        raise ValidationError("Choose a file, or paste rows.")
    delimiter = max(",;\t", key=lines[0].count)
    head, *rows = list(csv.reader(lines, delimiter=delimiter, strict=True))
    head = [name.strip().lower().replace("_", " ").replace("email", "e-mail") for name in head]
    if missing := [name for name in REQUIRED if name not in head]:
        raise ValidationError(f"The first row does not name {join_words(missing)}. It names the columns.")
    if unknown := [name for name in head if name not in COLUMNS]:
        raise ValidationError(f"There is no column {join_words(unknown, last='or')}. There are {join_words(COLUMNS)}.")
    rows = [row for row in rows if any(cell.strip() for cell in row)]
    if not rows:
        raise ValidationError("There are no rows below the first.")
    if len(rows) > MOST_ROWS:
        raise ValidationError(f"These are {len(rows):,} rows. Import at most {MOST_ROWS} at once.")
    fields, empty = [COLUMNS[name] for name in head], dict.fromkeys(COLUMNS.values(), "")
    return [empty | dict(zip(fields, map(str.strip, row), strict=False)) for row in rows]


class ImportOrganizations:
    """The page on which an OrganizationAdmin imports."""

    def import_view(self, request):
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = ImportForm(*((request.POST, request.FILES) if request.method == "POST" else ()), request=request)
        done, is_imported = [], False
        if form.is_valid():
            is_imported = "import" in request.POST
            done = self._create(form.cleaned_data, request.actor, rehearsed=not is_imported)
        context = {
            **self.admin_site.each_context(request),
            "title": "Import organizations",
            "opts": self.opts,
            "form": form,
            "done": done,
            "number_done": sum(not each.error for each in done),
            "is_imported": is_imported,
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "admin/directory/organization/import.html", context)

    def _create(self, values, actor, *, rehearsed):
        def one(row):
            terms = row | {"time_zone": row["time_zone"] or "UTC"}
            return services.create_customer(provider=values["provider"], **terms, actor=actor)

        return do_each(values["organizations"], one, rehearsed=rehearsed)
