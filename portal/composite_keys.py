"""Composite foreign keys, which Django's models cannot state: a row and what it refers to belong to one organization.

Named by their columns, deferred to COMMIT like Django's own keys (a cascade deletes in its own order), and PostgreSQL
only: SQLite would need the table rebuilt, and Django drops what it does not know when it rebuilds one.
"""

from django.db import migrations


def composite_keys(keys, *, unique_exists=False):
    """Return a migration operation that adds the keys: (table, columns, table referred to, its columns).

    What they refer to has to be unique; that constraint is added too, unless an earlier migration did.
    """
    referred = set() if unique_exists else {(table, columns) for _, _, table, columns in keys}

    def add(apps, schema_editor):
        if schema_editor.connection.vendor != "postgresql":
            return
        for table, columns in sorted(referred):
            schema_editor.execute(
                f"ALTER TABLE {table} ADD CONSTRAINT {_name(table, columns, 'uniq')} UNIQUE ({columns})"
            )
        for table, columns, to_table, to_columns in keys:
            schema_editor.execute(
                f"ALTER TABLE {table} ADD CONSTRAINT {_name(table, columns, 'fk')} FOREIGN KEY ({columns})"
                f" REFERENCES {to_table} ({to_columns}) DEFERRABLE INITIALLY DEFERRED"
            )

    def drop(apps, schema_editor):
        if schema_editor.connection.vendor != "postgresql":
            return
        for table, columns, _, _ in keys:
            schema_editor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {_name(table, columns, 'fk')}")
        for table, columns in sorted(referred):
            schema_editor.execute(f"ALTER TABLE {table} DROP CONSTRAINT {_name(table, columns, 'uniq')}")

    return migrations.RunPython(add, drop)


def _name(table, columns, suffix):
    short = columns.replace("organization", "org").replace("_id", "").replace(", ", "_")
    return f"{table.split('_')[1]}_{short}_{suffix}"
