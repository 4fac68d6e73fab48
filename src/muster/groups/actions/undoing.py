"""How what was done to a group is taken back, as long as nobody changed it since (D-38)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from muster.groups.actions import many
from muster.groups.actions.segments import change_state, edit_group
from muster.groups.errors import StateNotAllowed
from muster.groups.queries.groups import group_row
from muster.kernel.worded import worded

RENAMED, ARCHIVED, RESTORED = "groups.rename", "groups.archive", "groups.restore"
TAGGED, MANY_ARCHIVED = "groups.tag", "groups.archive-many"
EXPOSED = "groups.expose"
DISCARDED = "groups.draft"
"""A draft of the builder; the kit takes that back."""


def rename_back(actor: Any, given: Mapping[str, Any]) -> None:
    """`group`, `name` before, `revision` after the renaming."""
    edit_group(actor, given["group"], revision=given["revision"], name=given["name"])


def expose_as_before(actor: Any, given: Mapping[str, Any]) -> None:
    """`group`, `exposure` before, `revision` after the change."""
    edit_group(actor, given["group"], revision=given["revision"], exposure=given["exposure"])


def restore_again(actor: Any, given: Mapping[str, Any]) -> None:
    change_state(actor, given["group"], "restore")


def archive_again(actor: Any, given: Mapping[str, Any]) -> None:
    row = group_row(given["group"])
    if row.revision != given["revision"]:
        raise StateNotAllowed(
            worded("“{name}” was changed since it was restored.", name=row.name), code="state_conflict"
        )
    change_state(actor, given["group"], "archive")


def restore_all_again(actor: Any, given: Mapping[str, Any]) -> None:
    """`groups`: their ids."""
    many.restore_many(actor, given["groups"])


def tag_as_before(actor: Any, given: Mapping[str, Any]) -> None:
    """`groups`: id, revision after the change and tags before, of each."""
    many.tags_back(actor, [tuple(one) for one in given["groups"]])
