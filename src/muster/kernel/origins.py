"""Where pages are from, as browsers say it."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

EVERY_ORIGIN = "*"
_USUAL_PORTS = {"http": 80, "https": 443}
_HOST = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*")


def normal_origin(text: str) -> str | None:
    """Scheme, host and an unusual port (Fetch standard, `Origin`), `*` as it is; None if it is no origin."""
    if text.strip() == EVERY_ORIGIN:
        return EVERY_ORIGIN
    try:
        parts = urlsplit(text.strip())
        host, port = _host(parts.hostname or ""), parts.port
    except ValueError:
        return None
    if not parts.scheme or host is None or parts.path not in ("", "/") or "@" in parts.netloc:
        return None
    if parts.query or parts.fragment or text.strip().endswith(("?", "#")):
        return None
    return f"{parts.scheme}://{host}" + (f":{port}" if port and port != _USUAL_PORTS.get(parts.scheme) else "")


def _host(name: str) -> str | None:
    """In the letters that are sent; one of IPv6 in brackets, which are gone here."""
    if ":" in name:
        return f"[{name}]"
    plain = name.encode("idna").decode("ascii")
    return plain if _HOST.fullmatch(plain) else None
