from django.db import models
from django.utils import timezone


class Mail(models.Model):
    """A mail that shall go out. Written in the transaction of the act it tells of: none without the other."""

    to = models.EmailField()
    subject = models.CharField(max_length=250)
    body = models.TextField(blank=True)  # emptied when it was sent, for it may hold a link that lets somebody in
    key = models.CharField(max_length=400, unique=True, null=True)  # of what is said only once
    created_at = models.DateTimeField(default=timezone.now)
    due_at = models.DateTimeField(default=timezone.now)  # when it is tried (again)
    attempts = models.PositiveSmallIntegerField(default=0)
    sent_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=250, blank=True)  # why the latest attempt failed

    class Meta:
        indexes = [models.Index(fields=["due_at", "id"], condition=models.Q(sent_at=None), name="mail_waiting")]

    def __str__(self):
        return f"{self.subject} to {self.to}"
