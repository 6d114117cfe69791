"""Many organizations from a CSV file: what would become of each row is shown first, then it is done."""

from io import BytesIO

from django import forms
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models.functions import Lower
from django.template.response import TemplateResponse

from directory.imports.reading import Column, read
from licensing import services
from licensing.models import Provider
from portal.text import join_words
from portal.transactions import do_each

from .own import providers_of

COLUMNS = (
    Column("name", "Name", "What the organization is called.", missing="Each organization needs one."),
    Column("slug", "Slug", "Letters, digits and hyphens, for machines.", missing="Each organization needs one."),
    Column("time_zone", "Time zone", "Such as Europe/Brussels. Empty: UTC."),
    Column("admin_email", "Admin e-mail", "Its first Admin is invited by mail. Empty: nobody is invited yet."),
    Column("admin_name", "Admin name", "What the directory calls them until they come in."),
)
NAMES = {column.field: column.name for column in COLUMNS}
EXAMPLE = """Name,Slug,Time zone,Admin e-mail,Admin name
Umbrella,umbrella,Europe/Brussels,ann@umbrella.example,Ann Jansen
"Initrode, Ltd",initrode,,,
"""
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
        help_text="The first row names the columns. With commas, semicolons or tabs between.",
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
        file = self.cleaned_data["file"]
        if file and file.size > MOST_BYTES:
            raise ValidationError(f"This file is too large. Import at most {MOST_ROWS} rows at once.")
        return file

    def clean(self):
        values = super().clean()
        if self.errors:
            return values
        if not values["file"] and not values["rows"].strip():
            raise ValidationError("Choose a file, or paste rows.")
        try:
            sheet = _read(values["file"].file if values["file"] else BytesIO(values["rows"].encode()))
        except ValidationError as error:
            raise ValidationError({"file" if values["file"] else "rows": error}) from error
        return {**values, "sheet": sheet, "rows": sheet.text()}


def _read(file):
    """Return the Sheet of a file; raises ValidationError where it is no list of organizations."""
    sheet = read(file, COLUMNS)
    if sheet.ignored:
        unknown, known = ([f"“{name}”" for name in names] for names in (sheet.ignored, NAMES.values()))
        raise ValidationError(f"There is no column {join_words(unknown, last='or')}. There are {join_words(known)}.")
    if sheet.size > MOST_ROWS:
        raise ValidationError(f"These are {sheet.size:,} rows. Import at most {MOST_ROWS} at once.")
    return sheet


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
            "rows": [(*each.thing, each.result, _in_words(each.error)) for each in done],
            "number_done": sum(not each.error for each in done),
            "is_imported": is_imported,
            "columns": COLUMNS,
            "example": EXAMPLE,
        }
        request.current_app = self.admin_site.name
        return TemplateResponse(request, "admin/directory/organization/import.html", context)

    def _create(self, values, actor, *, rehearsed):
        def one(row):
            _, cells = row
            told = dict.fromkeys(["name", "slug"], "") | {field: text for field, text in cells.items() if text}
            return services.create_customer(provider=values["provider"], **told, actor=actor)

        return do_each(values["sheet"].rows(), one, rehearsed=rehearsed)


def _in_words(error):
    """Return why a row is left out, with the column where there is one; "" where it is not (None)."""
    if not hasattr(error, "error_dict"):
        return " ".join(error.messages) if error else ""
    said = ((NAMES.get(field), message) for field, messages in error.message_dict.items() for message in messages)
    return " ".join(f"{column}: {message}" if column else message for column, message in said)
