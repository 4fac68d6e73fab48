"""SQL compiled once whose instants move with the clock: to compile an expression costs more than to ask some customers.

The same expression is compiled for two instants; whatever moved from one text to the other by as much as the clock did
is told relative to now, everything else stays.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

# As Ibis writes timestamps for DuckDB: years to seconds, the seconds with their fraction.
_STAMP = re.compile(r"MAKE_TIMESTAMP\(([^()]*)\)")


@dataclass(frozen=True)
class Moving:
    """Texts, and between them instants by their distance from now."""

    texts: tuple[str, ...]
    distances: tuple[timedelta, ...]

    def sql(self, now: datetime) -> str:
        here = now.astimezone(UTC).replace(tzinfo=None)
        parts = [self.texts[0]]
        for distance, text in zip(self.distances, self.texts[1:], strict=True):
            parts += (f"TIMESTAMP '{(here + distance).isoformat(sep=' ')}'", text)
        return "".join(parts)


def moving(one: str, other: str, now: datetime, then: datetime) -> Moving | None:
    """None if the texts differ by more than instants that moved from `now` to `then`."""
    pieces, pieces_then = _STAMP.split(one), _STAMP.split(other)
    if len(pieces) != len(pieces_then):
        return None
    here, there = (instant.astimezone(UTC).replace(tzinfo=None) for instant in (now, then))
    texts, distances = [""], []
    for place, (piece, piece_then) in enumerate(zip(pieces, pieces_then, strict=True)):
        is_stamp = place % 2 == 1
        if piece == piece_then:
            texts[-1] += f"MAKE_TIMESTAMP({piece})" if is_stamp else piece
            continue
        if not is_stamp:
            return None
        instant, instant_then = _instant(piece), _instant(piece_then)
        if instant is None or instant_then is None or instant_then - instant != there - here:
            return None
        distances.append(instant - here)
        texts.append("")
    return Moving(tuple(texts), tuple(distances))


def _instant(arguments: str) -> datetime | None:
    try:
        *whole, seconds = arguments.split(",")
        year, month, day, hour, minute = map(int, whole)
        return datetime(year, month, day, hour, minute) + timedelta(microseconds=round(float(seconds) * 1e6))  # noqa: DTZ001 - UTC, as the store writes it
    except ValueError:
        return None
