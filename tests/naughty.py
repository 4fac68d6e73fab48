"""The Big List of Naughty Strings (`tests/data/text`, MIT): what breaks software where a name or a value is typed."""

from __future__ import annotations

import json
from pathlib import Path

NAUGHTY: list[str] = json.loads((Path(__file__).parent / "data/text/blns.json").read_text(encoding="utf-8"))
