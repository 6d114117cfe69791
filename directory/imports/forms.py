from django import forms


class UploadForm(forms.Form):
    file = forms.FileField(
        label="CSV file",
        max_length=200,
        help_text="Commas, semicolons or tabs; UTF-8 or what Excel writes; at most 50 MB.",
        error_messages={"required": "Choose a file.", "empty": "The file is empty."},
        widget=forms.FileInput(attrs={"accept": ".csv,.tsv,.txt,text/csv"}),
    )
