"""Tables of customers in the control database: imports, privacy. The people themselves stand in the warehouse."""

from __future__ import annotations

from typing import Any

from django.db import models

from muster.customers.terms import UNDER_AGE_DATA, ErasureState, ImportState


class Import(models.Model):
    """One file on its way in. `number` is the `source` of every row it brings, so that it can be taken out again."""

    number = models.AutoField(primary_key=True)
    id = models.CharField(max_length=32, unique=True)
    kind = models.CharField(max_length=12)
    file_name = models.CharField(max_length=255)
    digest = models.CharField(max_length=64)
    mapping: models.JSONField[Any, Any] = models.JSONField()
    state = models.CharField(max_length=12, default=ImportState.CHECKING)
    reason = models.TextField(default="", blank=True)
    row_count = models.PositiveBigIntegerField(default=0)
    counts: models.JSONField[Any, Any] = models.JSONField(default=dict)
    warnings: models.JSONField[Any, Any] = models.JSONField(default=dict)
    item_count = models.PositiveBigIntegerField(default=0)
    applied_count = models.PositiveBigIntegerField(default=0)
    job_id = models.CharField(max_length=32, default="", blank=True)
    created_by = models.CharField(max_length=200)
    created_at = models.DateTimeField()
    checked_at = models.DateTimeField(null=True)
    done_at = models.DateTimeField(null=True)
    undone_at = models.DateTimeField(null=True)
    # What the dry run found out beside the verdicts, by the kind of import: the columns, how many leave, ...
    facts: models.JSONField[Any, Any] = models.JSONField(default=dict)
    # What of the catalog the import's rows name and only data brought there: keys of `attributes` and `events`.
    observed: models.JSONField[Any, Any] = models.JSONField(default=dict)

    class Meta:
        ordering = ["-number"]

    def __str__(self) -> str:
        return self.id


class PrivacySettings(models.Model):
    """How long things are kept, and how long an erasure can be withdrawn (C-46, C-48); one row."""

    grace_hours = models.PositiveSmallIntegerField(default=0)
    events_months = models.PositiveSmallIntegerField(default=26)
    anonymous_months = models.PositiveSmallIntegerField(default=13)
    rejects_days = models.PositiveSmallIntegerField(default=7)
    verdict_days = models.PositiveSmallIntegerField(default=400)
    exports_days = models.PositiveSmallIntegerField(default=7)
    under_age_data = models.CharField(max_length=8, choices=[(one, one) for one in UNDER_AGE_DATA], default="keep")
    revision = models.PositiveIntegerField(default=1)

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(id=1), name="one_privacy_settings")]


class Suppression(models.Model):
    """Whom no message may reach (C-14): an address (its normal form) or an external id.

    `mark` is its keyed hash (warehouse/ledger.py). Of somebody who was erased only the mark is left, so that the
    suppression still holds and names nobody.
    """

    id = models.CharField(max_length=32, primary_key=True)
    kind = models.CharField(max_length=8, choices=[("email", "email"), ("external", "external")])
    identity = models.CharField(max_length=320, null=True)
    mark = models.CharField(max_length=64, unique=True)
    reason = models.CharField(max_length=16)
    since = models.DateTimeField()
    made_by = models.CharField(max_length=200)

    class Meta:
        ordering = ["-since", "-id"]

    def __str__(self) -> str:
        return self.id


class Erasure(models.Model):
    """An order to erase one person or many. `keys`: a packed bitmap of customer keys, which afterwards lead nowhere.

    `subject` holds every name they are known by from the start of the work until it is verified, then nothing.
    `places`: key -> {state, removed, found, error, tries}.
    """

    id = models.CharField(max_length=32, primary_key=True)
    state = models.CharField(max_length=12, default=ErasureState.REQUESTED)
    keys = models.BinaryField()
    customer_count = models.PositiveIntegerField()
    subject: models.JSONField[Any, Any] = models.JSONField(null=True)
    places: models.JSONField[Any, Any] = models.JSONField(default=dict)
    requested_at = models.DateTimeField()
    requested_by = models.CharField(max_length=200)
    due_at = models.DateTimeField()
    erased_at = models.DateTimeField(null=True)
    retry_at = models.DateTimeField(null=True)
    tries = models.PositiveIntegerField(default=0)
    done_at = models.DateTimeField(null=True)
    receipt: models.JSONField[Any, Any] = models.JSONField(null=True)
    receipt_digest = models.CharField(max_length=64, default="", blank=True)
    job_id = models.CharField(max_length=32, default="", blank=True)

    class Meta:
        ordering = ["-requested_at", "-id"]

    def __str__(self) -> str:
        return f"{self.id} {self.state}"


class Export(models.Model):
    """What is handed over of one person (C-44): a ZIP file that is deleted when its link ends."""

    id = models.CharField(max_length=32, primary_key=True)
    customer_key = models.PositiveBigIntegerField()
    requested_at = models.DateTimeField()
    requested_by = models.CharField(max_length=200)
    ready_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField()
    bytes = models.PositiveBigIntegerField(default=0)
    deleted_at = models.DateTimeField(null=True)
    job_id = models.CharField(max_length=32, default="", blank=True)

    class Meta:
        ordering = ["-requested_at", "-id"]

    def __str__(self) -> str:
        return self.id
