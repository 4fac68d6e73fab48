"""Finds key and customer token of a request, in all the places where they are put (E-5, E-6)."""

from __future__ import annotations

import base64
import binascii

from muster.edge.request import Request

SERVER_KIND = "server"


def key_in_headers(request: Request) -> str | None:
    """The key as it was sent in a header or, a publishable one, in the address."""
    headers = request.headers
    for name in (b"x-muster-key", b"x-api-key"):
        if name in headers and (key := request.header(name)):
            return key
    if b"authorization" in headers:
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


def token_in_headers(request: Request) -> str:
    """The customer token; empty if none was sent."""
    headers = request.headers
    if b"x-muster-customer" in headers and (token := request.header(b"x-muster-customer")):
        return token
    if b"authorization" in headers:
        scheme, _, rest = request.header(b"authorization").partition(" ")
        if scheme.lower() == "bearer" and rest.count(".") == 2:
            return rest.strip()
    return ""
