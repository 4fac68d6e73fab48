"""What the catalog must learn from the rooms above: which of its words they use, what they have against a change."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Words:
    """Keys of attributes and of events."""

    attributes: frozenset[str]
    events: frozenset[str]


words_in_use: list[Callable[[], Words]] = []
"""Each answers what of the catalog its room's things name; registered in the rooms' apps.py."""

publisher_changing: list[Callable[[Mapping[str, Any], Mapping[str, Any]], None]] = []
"""Each is told, in the transaction, the settings as they are and those that are about to change; it may refuse."""
