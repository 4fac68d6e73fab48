"""What the catalog must learn from the rooms above: which of its words they refer to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Words:
    """Keys of attributes and of events."""

    attributes: frozenset[str]
    events: frozenset[str]


words_in_use: list[Callable[[], Words]] = []
"""Each answers what of the catalog its room's things name; registered in the rooms' apps.py."""
