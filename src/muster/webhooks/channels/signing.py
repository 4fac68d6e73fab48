"""Signatures of Standard Webhooks 1.0: HMAC-SHA256 of id, time and body, under one secret or, being exchanged, two."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterable

_PREFIX = "whsec_"
# The specification asks for 24 to 64.
_SECRET_BYTES = 32


def new_secret() -> str:
    """As receivers are given it: `whsec_` and base64."""
    return _PREFIX + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def signed_headers(identifier: str, at_seconds: int, body: bytes, keys: Iterable[str]) -> dict[str, str]:
    """The three headers by which a receiver knows that the body is ours, new, and not one it had. A signature a key."""
    signed = f"{identifier}.{at_seconds}.".encode() + body
    return {
        "webhook-id": identifier,
        "webhook-timestamp": str(at_seconds),
        "webhook-signature": " ".join(_signature(key, signed) for key in keys),
    }


def _signature(key: str, signed: bytes) -> str:
    digest = hmac.new(base64.b64decode(key.removeprefix(_PREFIX)), signed, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"
