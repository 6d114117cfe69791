import uuid

from django.db import models
from django.utils import timezone

from directory.models import Organization
from portal.audit.log import Actor


class State(models.TextChoices):
    READING = "reading", "Reading"
    JUDGING = "judging", "Checking"
    READY = "ready", "Not confirmed yet"
    RUNNING = "running", "Importing"
    DONE = "done", "Done"
    CANCELLED = "cancelled", "Cancelled"
    STOPPED = "stopped", "Stopped"


class Outcome(models.TextChoices):
    """What becomes of a row. Before it is carried out: what would."""

    CREATED = "created", "Created"
    CHANGED = "changed", "Changed"
    SAME = "same", "Left alone"
    REFUSED = "refused", "Refused"


class Import(models.Model):
    """A file of people: first its rows are judged, and when somebody confirmed that, they are carried out."""

    organization = models.ForeignKey(Organization, models.CASCADE, related_name="imports")
    file_name = models.CharField(max_length=200)
    read_as = models.CharField(max_length=60)  # encoding and separator, in words
    fields = models.JSONField()  # what its columns are, in their order
    ignored = models.JSONField(default=list)  # the columns that are not imported
    state = models.CharField(max_length=10, choices=State, default=State.READING)
    by = models.JSONField()  # the Actor who uploaded it, then who confirmed it
    created_at = models.DateTimeField(default=timezone.now)
    worked_at = models.DateTimeField(default=timezone.now)  # when something was last done: the longest ago is next
    rows_count = models.PositiveIntegerField(default=0)
    rows_done = models.PositiveIntegerField(default=0)  # of what is being done: judged, or carried out
    last_line = models.PositiveIntegerField(default=0)  # the last one done
    counts = models.JSONField(default=dict)  # rows of each outcome, and "otherwise" than foreseen; once all are done
    # How many active people would come to a group or unit, or leave a unit: {"groups", "units", "left": {pk: number}}.
    moves = models.JSONField(default=dict)
    change_set = models.UUIDField(default=uuid.uuid4)
    stopped_by = models.TextField(blank=True)  # why it did not go on, and what to do

    class Meta:
        indexes = [
            models.Index(fields=["organization", "-created_at", "-id"], name="import_by_date"),
            models.Index(
                fields=["worked_at", "id"], condition=models.Q(state__in=["judging", "running"]), name="import_waiting"
            ),
        ]

    def __str__(self):
        return self.file_name

    @property
    def actor(self):
        return Actor(**self.by)

    @property
    def is_at_work(self):
        return self.state in (State.READING, State.JUDGING, State.RUNNING)

    @property
    def percent(self):
        return self.rows_done * 100 // self.rows_count if self.rows_count else 0

    def count(self):
        """Count the rows of each outcome, now that all are done."""
        rows = self.rows.order_by().values_list("outcome").annotate(models.Count("pk"))
        self.counts = dict.fromkeys(Outcome.values, 0) | {outcome: n for outcome, n in rows if outcome}
        self.counts["otherwise"] = self.rows.exclude(foreseen="").count()


class ImportRow(models.Model):
    """A row of the file, and what becomes of it."""

    parent = models.ForeignKey(Import, models.CASCADE, related_name="rows", db_index=False)
    line = models.PositiveIntegerField()  # of the file, on which it begins
    email = models.CharField(max_length=320)  # in lower case: by it people are found
    cells = models.JSONField()  # {field: text}
    name = models.CharField(max_length=120, blank=True)  # as the file says, else as the directory does
    search_text = models.TextField()
    outcome = models.CharField(max_length=10, choices=Outcome, blank=True)
    changes = models.JSONField(default=list)  # [(what, old, new)], in words
    reason = models.TextField(blank=True)  # why it is refused
    note = models.CharField(max_length=120, blank=True)
    user_id = models.BigIntegerField(null=True)  # whom it found or made; a plain id, for a person may go
    foreseen = models.CharField(max_length=250, blank=True)  # what the preview said, where it turned out otherwise

    class Meta:
        constraints = [models.UniqueConstraint(fields=["parent", "line"], name="import_row_line")]
        indexes = [
            models.Index(fields=["parent", "outcome", "line"], name="import_row_outcome"),
            models.Index(fields=["parent", "email", "line"], name="import_row_email"),
            models.Index(fields=["parent", "line"], condition=~models.Q(foreseen=""), name="import_row_otherwise"),
        ]

    def __str__(self):
        return f"line {self.line}: {self.name or self.email}"
