"""What Segment's library for browsers asks before it begins: where to send to."""

from __future__ import annotations

from muster.edge.answers import Answer, json_answer
from muster.edge.request import Request


def snippet_settings(request: Request, key: str) -> Answer:
    """This host, as the page reached it: the library itself would take TLS for granted."""
    host = f"{request.header(b'host')}/v1"
    # A page that came over TLS may send nowhere else.
    over_tls = request.is_over_tls or request.header(b"origin").startswith("https://")
    told = {"apiKey": key, "apiHost": host, "protocol": "https" if over_tls else "http"}
    return json_answer({"integrations": {"Segment.io": told}})
