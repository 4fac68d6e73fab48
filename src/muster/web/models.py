"""Tables of the doors and the jobs."""

from __future__ import annotations

from django.db import models


class JobState(models.TextChoices):
    WAITING = "waiting"
    RUNNING = "running"
    PAUSED = "paused"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


class Job(models.Model):
    """Work that outlives a request. A job of a process that died is still `running` until a runner takes it again."""

    id = models.CharField(primary_key=True, max_length=40)
    kind = models.CharField(max_length=64)
    # Of the jobs of one kind and key at most one waits: what is asked twice before it begins is done once.
    key = models.CharField(max_length=128, blank=True)
    state = models.CharField(max_length=16, choices=JobState.choices, default=JobState.WAITING)
    # What somebody asked a running job to do: cancel or pause.
    wish = models.CharField(max_length=16, blank=True)
    done = models.PositiveBigIntegerField(default=0)
    total = models.PositiveBigIntegerField(null=True)
    text = models.CharField(max_length=300, blank=True)
    subject_kind = models.CharField(max_length=32, blank=True)
    subject_id = models.CharField(max_length=64, blank=True)
    parameters = models.JSONField(default=dict)
    result = models.JSONField(null=True)
    error_code = models.CharField(max_length=64, blank=True)
    error_text = models.TextField(blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    created_at = models.DateTimeField()
    started_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    heartbeat_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["state", "created_at"], name="job_state"),
            models.Index(fields=["subject_kind", "subject_id", "created_at"], name="job_subject"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "key"], condition=models.Q(state="waiting") & ~models.Q(key=""), name="job_waits_once"
            ),
            models.CheckConstraint(condition=models.Q(state__in=JobState.values), name="job_state_known"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.id} {self.state}"


class IdempotentAnswer(models.Model):
    """The answer to a POST that named an Idempotency-Key, kept 24 hours; `status` is empty while it is under way."""

    principal = models.CharField(max_length=80)
    key = models.CharField(max_length=255)
    request_hash = models.CharField(max_length=64)
    # Which process works on it: what another one left unfinished died with it.
    process = models.CharField(max_length=40)
    status = models.PositiveSmallIntegerField(null=True)
    headers = models.JSONField(default=dict)
    body = models.BinaryField(default=bytes)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["principal", "key"], name="idempotent_answer_once")]
        indexes = [models.Index(fields=["created_at"], name="idempotent_age")]

    def __str__(self) -> str:
        return f"{self.principal} {self.key}"


class Draft(models.Model):
    """A larger form as somebody left it: one for each member, kind of form and thing; kept 30 days (D-14)."""

    owner = models.CharField(max_length=80)
    kind = models.CharField(max_length=32)
    # What is edited; empty for something new.
    subject = models.CharField(max_length=64, blank=True)
    fields = models.JSONField()
    saved_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["owner", "kind", "subject"], name="draft_once")]
        indexes = [models.Index(fields=["saved_at"], name="draft_age")]

    def __str__(self) -> str:
        return f"{self.owner} {self.kind} {self.subject}"


class Undo(models.Model):
    """What would take back something somebody did; possible for 24 hours, once (D-38)."""

    id = models.CharField(primary_key=True, max_length=40)
    owner = models.CharField(max_length=80)
    # Of the functions that rooms register, and what it is called with.
    kind = models.CharField(max_length=32)
    parameters = models.JSONField()
    # A sentence: what was done.
    text = models.CharField(max_length=300)
    created_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [models.Index(fields=["created_at"], name="undo_age")]

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"
