"""What groups must learn from the rooms above: which activities use a group (G-22)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from muster.kernel.worded import word


@dataclass(frozen=True)
class Use:
    """Something that refers to a group: `kind` (segment, notification, offer, flight, ...), id and name."""

    kind: str
    id: str
    name: str


USERS = {"segment": word("use", "segment"), "import": word("use", "import")}
"""The kinds as they stand in sentences; the rooms above put in theirs."""

used_by: list[Callable[[str], list[Use]]] = []
"""Each answers what of its room uses the group of an id; registered in the rooms' apps.py."""
