"""The Big List of Naughty Strings (`tests/data/text`, MIT): what breaks software where a name or a value is typed."""

from __future__ import annotations

import json
import os
from pathlib import Path

NAUGHTY: list[str] = json.loads((Path(__file__).parent / "data/text/blns.json").read_text(encoding="utf-8"))
_SHARE = 1 if "MUSTER_CASES" in os.environ else 3


def naughty_from(first: int) -> list[str]:
    """Every third of them, for tests to which each costs a page or two; all, where `MUSTER_CASES` is set. Tests that
    begin at 0, 1 and 2 try all of them together."""
    return NAUGHTY[first % _SHARE :: _SHARE]
