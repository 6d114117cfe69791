from django.db import models

PROVIDED = ("allocation", "license", "policy")  # kinds of targets that are a provider's, of which customers are told


class AuditEntry(models.Model):
    """What somebody did, in data; portal.audit.sentences puts it into words.

    Plain ids instead of foreign keys: an entry outlives what it speaks of. Names stand as they were.
    """

    organization_id = models.BigIntegerField(null=True)
    provider_id = models.BigIntegerField(null=True)
    at = models.DateTimeField()
    change_set = models.UUIDField(help_text="Entries of one act share it.")
    actor_kind = models.CharField(max_length=10, choices=[(k, k) for k in ("account", "token", "command", "system")])
    actor_id = models.BigIntegerField(null=True)
    actor_name = models.CharField(max_length=254)
    address = models.CharField(max_length=45, blank=True)
    request_id = models.CharField(max_length=64, blank=True)
    verb = models.CharField(max_length=40)
    target_kind = models.CharField(max_length=20)
    target_id = models.BigIntegerField()
    target_name = models.CharField(max_length=254)
    details = models.JSONField(default=dict)
    search_text = models.TextField(help_text="Folded: who, what, and the license or place it was about.")

    class Meta:
        verbose_name = "act"
        indexes = [
            models.Index(fields=["organization_id", "-at", "-id"], name="audit_organization"),
            models.Index(fields=["provider_id", "-at", "-id"], name="audit_provider"),
            # On PostgreSQL migration 0002 adds a trigram index on search_text.
            models.Index(fields=["target_kind", "target_id", "-id"], name="audit_target"),
            # What providers do is a few entries among very many of an organization's own.
            models.Index(
                fields=["organization_id", "-at", "-id"],
                condition=models.Q(target_kind__in=PROVIDED, organization_id__isnull=False),
                name="audit_provided",
            ),
        ]

    def __str__(self):
        return f"{self.actor_name}: {self.verb} {self.target_name}"

    @property
    def told_by(self):
        """Who did it, as an organization is told: of what its provider did, the provider and nobody of its staff."""
        return self.details.get("provider") or self.actor_name

    @property
    def told_from(self):
        """From which address, as an organization is told: not where its provider's staff sits."""
        return "" if self.details.get("provider") else self.address
