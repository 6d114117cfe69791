"""Who works for a provider becomes a thing with something to say: whether they lead. Whoever worked for one leads it.

And which provider created an organization.
"""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


def copy(apps, schema_editor):
    Provider, StaffMember = (apps.get_model("licensing", name) for name in ("Provider", "StaffMember"))
    StaffMember.objects.bulk_create(
        StaffMember(provider_id=provider, account_id=account, is_lead=True)
        for provider, account in Provider.staff.through.objects.values_list("provider", "account")
    )


def copy_back(apps, schema_editor):
    Provider, StaffMember = (apps.get_model("licensing", name) for name in ("Provider", "StaffMember"))
    Provider.staff.through.objects.bulk_create(
        Provider.staff.through(provider_id=provider, account_id=account)
        for provider, account in StaffMember.objects.values_list("provider", "account")
    )


class Migration(migrations.Migration):
    dependencies = [
        ("directory", "0003_find_by_address"),
        ("licensing", "0004_over_since"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="OrganizationOrigin",
            fields=[
                (
                    "organization",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="origin",
                        serialize=False,
                        to="directory.organization",
                    ),
                ),
                (
                    "provider",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="origins", to="licensing.provider"
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="StaffMember",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "is_lead",
                    models.BooleanField(
                        default=False,
                        help_text="Adds and removes staff, makes tokens and tries them.",
                        verbose_name="lead",
                    ),
                ),
                (
                    "account",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="staff_members",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "provider",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="staff_members",
                        to="licensing.provider",
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("provider", "account"), name="staff_member")],
            },
        ),
        migrations.RunPython(copy, copy_back),
        migrations.RemoveField(model_name="provider", name="staff"),
        migrations.AddField(
            model_name="provider",
            name="staff",
            field=models.ManyToManyField(
                related_name="providers", through="licensing.StaffMember", to=settings.AUTH_USER_MODEL
            ),
        ),
    ]
