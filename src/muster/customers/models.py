"""Tables of customers in the control database: the imports. The people themselves stand in the warehouse."""

from __future__ import annotations

from typing import Any

from django.db import models

from muster.customers.terms import ImportState


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
