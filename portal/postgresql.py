"""Migration operations for what PostgreSQL can hold and Django's models cannot state; elsewhere they do nothing."""

from django.db import migrations


def composite_keys(keys, *, unique_exists=False):
    """Return an operation that adds composite foreign keys: (table, columns, table referred to, its columns).

    So a row and what it refers to belong to one organization. Named by their columns, and deferred to COMMIT like
    Django's own keys, for a cascade deletes in its own order.

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


def trigram_index(name, table, column):
    """Return an operation that indexes a column for finding any part of it; needs TrigramExtension before it."""

    def add(apps, schema_editor):
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(f"CREATE INDEX {name} ON {table} USING gin ({column} gin_trgm_ops)")

    def drop(apps, schema_editor):
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute(f"DROP INDEX {name}")

    return migrations.RunPython(add, drop)
