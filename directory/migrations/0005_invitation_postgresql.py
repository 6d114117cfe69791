from django.db import migrations

from portal.postgresql import composite_keys

KEYS = [("directory_invitation", "organization_id, user_id", "directory_user", "organization_id, id")]


class Migration(migrations.Migration):
    dependencies = [("directory", "0004_invitation")]
    operations = [composite_keys(KEYS, unique_exists=True)]
