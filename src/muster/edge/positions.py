"""Has what was answered reached the warehouse, and membership? Scripts wait for that, never for time (E-21)."""

from __future__ import annotations

import re

from muster.edge.answers import Answer, json_answer
from muster.edge.errors import not_found
from muster.edge.published import Published

_POSITION = re.compile(r"([1-9]\d?)\.(\d{1,18})", re.ASCII)


def position(text: str, published: Published) -> Answer:
    match = _POSITION.fullmatch(text)
    if match is None:
        raise not_found()
    slot, seq = int(match[1]), int(match[2])
    drained, followed = published.drained(slot), published.followed(slot)
    return json_answer(
        {
            "drained": drained is not None and drained[1] >= seq,
            "published": followed is not None and followed[1] >= seq,
        }
    )
