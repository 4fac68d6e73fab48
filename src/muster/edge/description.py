"""What the edge's own calls take and answer, as OpenAPI 3.1: a file that `scripts/describe_edge.py` writes."""

from __future__ import annotations

from pathlib import Path

from muster.edge.answers import Answer

PATH = "/edge/v1/openapi.json"
_FILE = Path(__file__).with_name("openapi.json")


def description() -> Answer:
    """For everybody: it says nothing of this installation."""
    return Answer(200, _FILE.read_bytes(), ((b"content-type", b"application/json"),), b"no-cache")
