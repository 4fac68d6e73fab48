"""Finds the key of a request, in all the places where libraries put it (E-5)."""

from __future__ import annotations

import base64
import binascii

from muster.edge.errors import EdgeError, key_invalid
from muster.edge.published import Published
from muster.edge.request import Request
from muster.online.port import PublishedKey

PUBLISHABLE, SERVER = "publishable", "server"
_LONGEST_KEY = 200


def key_in_headers(request: Request) -> str | None:
    """The key as it was sent in a header or, a publishable one, in the address."""
    for name in (b"x-muster-key", b"x-api-key"):
        if key := request.header(name):
            return key
    scheme, _, rest = request.header(b"authorization").partition(" ")
    if scheme.lower() == "basic":
        return _user_name(rest)
    # A customer token has two dots; it says who the customer is, not which app asks.
    if scheme.lower() == "bearer" and rest.count(".") != 2:
        return rest.strip()
    asked = request.query("key")
    return asked if asked and asked.startswith("mpk_") else None


def _user_name(encoded: str) -> str | None:
    """With or without the colon."""
    try:
        return base64.b64decode(encoded.strip(), validate=True).decode("utf-8").partition(":")[0] or None
    except (binascii.Error, UnicodeDecodeError):
        return None


def permitted_key(request: Request, key: str | None, published: Published, scope: str) -> PublishedKey:
    """401 for a key that is none, 403 for one that may not, 503 while keys cannot be read: senders throw away what is
    answered with 401."""
    if not key or len(key) > _LONGEST_KEY:
        raise key_invalid()
    found = published.key(key)
    if found is None:
        raise key_invalid()
    if found.kind == SERVER and scope not in found.scopes:
        raise EdgeError(403, "scope_missing", f"This key may not {scope}.")
    origin = request.header(b"origin")
    if origin and found.kind == PUBLISHABLE and "*" not in found.origins and origin not in found.origins:
        raise EdgeError(403, "origin_not_allowed", f"{origin} is not allowed for this app.")
    return found
