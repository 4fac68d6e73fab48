"""Tables of groups. Who the members are stands in membership files and deltas; a row points to its generation."""

from __future__ import annotations

from typing import Any

from django.db import models

from muster.groups.terms import Cause, Exposure, Grain, Kind, SampleKind, State


def _texts() -> list[str]:
    return []


class Group(models.Model):
    """`generation` 0: never evaluated. The pointer, the sizes and the definition change together or not at all."""

    id = models.CharField(max_length=32, primary_key=True)
    key = models.CharField(max_length=64, unique=True)
    name = models.CharField(max_length=200)
    kind = models.CharField(max_length=8, choices=[(kind.value, kind.value) for kind in Kind])
    app = models.CharField(max_length=64, null=True)
    tags = models.JSONField(default=_texts)
    exposure = models.CharField(max_length=8, default=Exposure.NEVER)
    template = models.CharField(max_length=64, default="", blank=True)
    revision = models.PositiveIntegerField(default=1)
    definition: models.JSONField[Any, Any] = models.JSONField(null=True)
    state = models.CharField(max_length=8, choices=[(state.value, state.value) for state in State])
    failure = models.TextField(default="", blank=True)

    generation = models.PositiveIntegerField(default=0)
    # How often all of its members were found out: whoever did it before somebody else did it again (`overtaken`).
    evaluations = models.PositiveIntegerField(default=0)
    size = models.PositiveIntegerField(null=True)
    available_customers = models.PositiveIntegerField(null=True)
    # Canonical conditions with the value at which each rank began, for explanations (G-5).
    thresholds: models.JSONField[Any, Any] = models.JSONField(default=list)
    # Of known groups: the version of the list in force (0: nobody was ever entered), and how many of its entries name
    # nobody yet.
    list_version = models.PositiveIntegerField(default=0)
    entry_count = models.PositiveIntegerField(default=0)
    pending_count = models.PositiveIntegerField(default=0)
    data_as_of = models.DateTimeField(null=True)
    refreshed_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()

    class Meta:
        ordering = ["name", "id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(generation=0) | models.Q(size__isnull=False), name="evaluated_groups_have_a_size"
            ),
        ]

    def __str__(self) -> str:
        return self.key


class GroupVersion(models.Model):
    """What a group was at a revision."""

    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="versions")
    revision = models.PositiveIntegerField()
    name = models.CharField(max_length=200)
    definition: models.JSONField[Any, Any] = models.JSONField(null=True)
    saved_at = models.DateTimeField()
    saved_by = models.CharField(max_length=200)

    class Meta:
        ordering = ["-revision"]
        constraints = [models.UniqueConstraint(fields=["group", "revision"], name="one_version_a_revision")]


class MembershipChange(models.Model):
    """Who joined and who left at an instant, and how large the group was then (G-17).

    `joined` and `left` are packed bitmaps of customer keys (engine/changes.py). Changes by themselves are coalesced:
    one row then stands for all from `began_at` to `at`. The counts stay when a person in them is erased.
    """

    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="changes")
    began_at = models.DateTimeField()
    at = models.DateTimeField()
    cause = models.CharField(max_length=10, choices=[(cause.value, cause.value) for cause in Cause])
    grain = models.CharField(max_length=6, default=Grain.EXACT)
    size = models.PositiveIntegerField()
    joined_count = models.PositiveIntegerField()
    left_count = models.PositiveIntegerField()
    joined = models.BinaryField()
    left = models.BinaryField()
    bytes = models.PositiveIntegerField()

    class Meta:
        ordering = ["id"]
        indexes = [models.Index(fields=["group", "at"], name="change_of_group")]


class MembershipDelta(models.Model):
    """Who joined and left since the file of a generation was written: a small change writes no file (G-16).

    The members of a generation are those of its file, without who left, with who joined. Packed as in a change.
    """

    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="deltas")
    generation = models.PositiveIntegerField()
    joined = models.BinaryField()
    left = models.BinaryField()

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["group", "generation"], name="one_delta_a_generation")]


class MembershipSnapshot(models.Model):
    """All members after a change, so that the past is not replayed from the beginning."""

    change = models.OneToOneField(MembershipChange, on_delete=models.CASCADE, related_name="snapshot")
    members = models.BinaryField()


class MembershipNews(models.Model):
    """Who joined and who left a group since webhooks were last told of it; nobody, a second later.

    Packed bitmaps as of a change. `due_at`: when they are told, empty if there is nothing to tell. `size_before`: how
    large the group was before all of it. `sequence`: how often webhooks were told of the group.
    """

    group = models.OneToOneField(Group, on_delete=models.CASCADE, primary_key=True, related_name="news")
    joined = models.BinaryField(default=bytes)
    left = models.BinaryField(default=bytes)
    cause = models.CharField(max_length=10, choices=[(cause.value, cause.value) for cause in Cause])
    at = models.DateTimeField()
    size_before = models.PositiveIntegerField()
    size = models.PositiveIntegerField()
    sequence = models.PositiveBigIntegerField(default=0)
    due_at = models.DateTimeField(null=True, db_index=True)

    def __str__(self) -> str:
        return self.group_id


class ListVersion(models.Model):
    """A version of a known group's list; its entries stand in a file (warehouse/lists/files.py).

    `before`: the version it replaced, which undo restores. `source`: the import that made it, or what else did.
    """

    group = models.ForeignKey(Group, on_delete=models.CASCADE, related_name="lists")
    version = models.PositiveIntegerField()
    before = models.PositiveIntegerField()
    entry_count = models.PositiveIntegerField()
    source = models.CharField(max_length=32)
    made_at = models.DateTimeField()
    undone = models.BooleanField(default=False)

    class Meta:
        ordering = ["-version"]
        constraints = [models.UniqueConstraint(fields=["group", "version"], name="one_list_a_version")]


class SampleThing(models.Model):
    """Something that `muster demo load` made, by the key of an app or the id of a group or import.

    Marked as it is made, so that removing the sample takes exactly that (D-16).
    """

    kind = models.CharField(max_length=8, choices=[(kind.value, kind.value) for kind in SampleKind])
    thing = models.CharField(max_length=64)

    class Meta:
        ordering = ["id"]
        constraints = [models.UniqueConstraint(fields=["kind", "thing"], name="thing_marked_once")]

    def __str__(self) -> str:
        return f"{self.kind} {self.thing}"
