"""The Big List of Naughty Strings (`tests/data/text`): whole where a text costs nothing, in parts where a page."""

from __future__ import annotations

import json
import os
from pathlib import Path

NAUGHTY: list[str] = json.loads((Path(__file__).parent / "data/text/blns.json").read_text(encoding="utf-8"))

# With `MUSTER_CASES` every door is shown every text.
_PARTS = 1 if "MUSTER_CASES" in os.environ else 6


def naughty_part(number: int) -> list[str]:
    """Every sixth text. Each door takes a part of its own: among them they are shown every text."""
    return NAUGHTY[number % _PARTS :: _PARTS]
