"""What PostgreSQL can hold and SQLite cannot (docs/database.md): a trigram index, and keys that keep tenants apart."""

from django.contrib.postgres.operations import TrigramExtension
from django.db import migrations

from portal.postgresql import composite_keys, trigram_index

KEYS = [
    # table, columns, table referred to, its columns
    ("directory_user", "organization_id, unit_id", "directory_orgunit", "organization_id, id"),
    ("directory_orgunit", "organization_id, parent_id", "directory_orgunit", "organization_id, id"),
    ("directory_orgunitclosure", "organization_id, ancestor_id", "directory_orgunit", "organization_id, id"),
    ("directory_orgunitclosure", "organization_id, descendant_id", "directory_orgunit", "organization_id, id"),
    ("directory_groupmembership", "organization_id, group_id", "directory_group", "organization_id, id"),
    ("directory_groupmembership", "organization_id, user_id", "directory_user", "organization_id, id"),
]


class Migration(migrations.Migration):
    dependencies = [("directory", "0001_initial")]
    operations = [
        TrigramExtension(),
        trigram_index("user_search", "directory_user", "search_text"),
        composite_keys(KEYS),
    ]
