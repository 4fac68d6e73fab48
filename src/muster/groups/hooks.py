"""What groups must learn from the rooms above: which activities use a group (G-22)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Use:
    """Something that refers to a group: `kind` (segment, notification, offer, flight, ...), id and name."""

    kind: str
    id: str
    name: str


used_by: list[Callable[[str], list[Use]]] = []
"""Each answers what of its room uses the group of an id; registered in the rooms' apps.py."""
