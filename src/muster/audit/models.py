"""Who did what, when, to which thing. Plain ids: an entry outlives what it describes."""

from __future__ import annotations

from typing import Any, NoReturn

from django.db import models

from muster.kernel.errors import InternalError


class AuditEntry(models.Model):
    """One thing done. Never changed and never deleted one by one."""

    at = models.DateTimeField()
    actor_kind = models.CharField(max_length=16)
    actor_id = models.CharField(max_length=64)
    # The name of the actor at the time: the actor may be renamed or gone later.
    actor_label = models.CharField(max_length=200)
    action = models.CharField(max_length=64)
    thing_kind = models.CharField(max_length=32)
    thing_id = models.CharField(max_length=64)
    details = models.JSONField(default=dict)

    class Meta:
        indexes = [
            models.Index(fields=["at"], name="audit_at"),
            models.Index(fields=["thing_kind", "thing_id", "at"], name="audit_thing"),
            models.Index(fields=["actor_label", "at"], name="audit_actor"),
            models.Index(fields=["action", "at"], name="audit_action"),
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.actor_label} {self.action} {self.thing_id}"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self.pk is not None:
            raise InternalError("an audit entry is never changed")
        super().save(*args, **kwargs)

    def delete(self, *_: Any, **__: Any) -> NoReturn:
        raise InternalError("an audit entry is never deleted")
