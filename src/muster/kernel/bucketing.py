"""Bucketing `muster-1`: which share of people somebody falls into, the same on every machine (F-30 to F-32)."""

from __future__ import annotations

import unicodedata

import mmh3

BUCKET_COUNT = 10_000


def bucket(salt: str, subject: str) -> int:
    """0..9999 of a subject (`c:` + external id, `a:` + anonymous id) under a salt: below the share means in."""
    text = unicodedata.normalize("NFC", f"{salt}:{subject}")
    hashed: int = mmh3.hash(text.encode(), seed=0, signed=False)
    return (hashed * BUCKET_COUNT) >> 32
