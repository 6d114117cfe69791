"""What PostgreSQL can hold and SQLite cannot (docs/database.md): tenants apart, and a chosen policy is an optional one."""

from django.db import migrations

from portal.postgresql import composite_keys

SAME_ORGANIZATION = [
    ("licensing_assignment", "organization_id, allocation_id", "licensing_allocation", "organization_id, id"),
    ("licensing_assignmentpolicy", "organization_id, assignment_id", "licensing_assignment", "organization_id, id"),
]
TO_DIRECTORY = [
    ("licensing_assignment", "organization_id, user_id", "directory_user", "organization_id, id"),
    ("licensing_assignment", "organization_id, group_id", "directory_group", "organization_id, id"),
    ("licensing_assignment", "organization_id, unit_id", "directory_orgunit", "organization_id, id"),
]
OPTIONAL_IN_ITS_LICENSE = [
    ("licensing_assignmentpolicy", "assignment_id, allocation_id", "licensing_assignment", "id, allocation_id"),
    ("licensing_assignmentpolicy", "allocation_id, license_id", "licensing_allocation", "id, license_id"),
    (
        "licensing_assignmentpolicy",
        "license_id, policy_id, is_default",
        "licensing_licensepolicy",
        "license_id, policy_id, is_default",
    ),
]


class Migration(migrations.Migration):
    dependencies = [("licensing", "0001_initial"), ("directory", "0002_postgresql")]
    operations = [
        composite_keys(SAME_ORGANIZATION + OPTIONAL_IN_ITS_LICENSE),
        composite_keys(TO_DIRECTORY, unique_exists=True),
    ]
