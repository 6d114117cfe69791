"""What PostgreSQL can hold and SQLite cannot (docs/database.md): a trigram index, and keys that keep tenants apart."""

from django.contrib.postgres.operations import TrigramExtension
from django.db import migrations

from portal.composite_keys import composite_keys

KEYS = [
    # table, columns, table referred to, its columns
    ("directory_user", "organization_id, unit_id", "directory_orgunit", "organization_id, id"),
    ("directory_orgunit", "organization_id, parent_id", "directory_orgunit", "organization_id, id"),
    ("directory_orgunitclosure", "organization_id, ancestor_id", "directory_orgunit", "organization_id, id"),
    ("directory_orgunitclosure", "organization_id, descendant_id", "directory_orgunit", "organization_id, id"),
    ("directory_groupmembership", "organization_id, group_id", "directory_group", "organization_id, id"),
    ("directory_groupmembership", "organization_id, user_id", "directory_user", "organization_id, id"),
]


def add_search_index(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("CREATE INDEX user_search ON directory_user USING gin (search_text gin_trgm_ops)")


class Migration(migrations.Migration):
    dependencies = [("directory", "0001_initial")]
    operations = [
        TrigramExtension(),
        migrations.RunPython(add_search_index, migrations.RunPython.noop),
        composite_keys(KEYS),
    ]
