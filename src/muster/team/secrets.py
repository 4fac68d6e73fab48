"""Secrets that are shown once: only their hashes are kept."""

from __future__ import annotations

import hashlib
import secrets


def new_secret() -> str:
    return secrets.token_urlsafe(32)


def secret_hash(secret: str) -> str:
    """SHA-256 in hex: secrets are 32 random bytes, which nobody guesses however fast the hash is."""
    return hashlib.sha256(secret.encode()).hexdigest()
