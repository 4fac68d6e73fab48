"""What was refused, as it is kept to be looked at and to be taken once more (E-14)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Refused:
    """One item. `number` grows in the order of refusal. `received_at`: when its cycle took it, once and for all.

    `item`: what was sent; None of somebody who was erased. `place`, `nth` and `told` (see `messages.telling`) say what
    it takes to take it once more: without them it cannot be.
    """

    number: int
    code: str
    app: int
    source: int
    received_at: datetime
    item: str | None
    place: str | None
    nth: int
    told: str | None

    @property
    def is_replayable(self) -> bool:
        return self.item is not None and self.told is not None


@dataclass(frozen=True)
class Asked:
    """Which of them: None is any. `since` and `until` (excluded) are of `received_at`."""

    app: int | None = None
    code: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    numbers: tuple[int, ...] | None = None


@dataclass(frozen=True)
class RefusedCount:
    """How many there are of one verdict in one app, how many of them can be taken once more, and the newest."""

    app: int
    code: str
    count: int
    replayable: int
    newest_at: datetime
