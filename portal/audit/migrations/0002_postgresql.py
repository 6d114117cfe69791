from django.contrib.postgres.operations import TrigramExtension
from django.db import migrations

from portal.postgresql import trigram_index


def refuse_changes(apps, schema_editor):
    """On PostgreSQL what was recorded stays: the table takes no UPDATE and no DELETE, whoever asks."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(
            """CREATE FUNCTION audit_append_only() RETURNS trigger LANGUAGE plpgsql AS
               $$ BEGIN RAISE EXCEPTION 'The audit log only grows.' USING ERRCODE = 'restrict_violation'; END $$""",
            params=None,
        )
        schema_editor.execute(
            """CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON audit_auditentry
               FOR EACH STATEMENT EXECUTE FUNCTION audit_append_only()""",
            params=None,
        )


def allow_changes(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP TRIGGER append_only ON audit_auditentry")
        schema_editor.execute("DROP FUNCTION audit_append_only()")


class Migration(migrations.Migration):
    dependencies = [("audit", "0001_initial")]
    operations = [
        TrigramExtension(),
        trigram_index("audit_search", "audit_auditentry", "search_text"),
        migrations.RunPython(refuse_changes, allow_changes),
    ]
