"""Four bytes of an identity's text: what a look-up of a few compares, and reads a tenth of what the texts would be.

Two texts may share them, so whoever finds rows by them compares the texts as well (ADR 0035).
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import md5

# Of DuckDB's own hashes this one alone is the same in every version.
OF_TEXT = "CAST(md5_number({text}) & 4294967295 AS UINTEGER)"
"""The same in SQL, of the expression `text`."""


def text_hash(text: str) -> int:
    return int.from_bytes(md5(text.encode(errors="surrogatepass"), usedforsecurity=False).digest()[:4], "little")


def is_one_of(texts: Iterable[str]) -> str:
    """The condition that `text_hash` is that of one of the texts; there is at least one."""
    return f"text_hash IN ({', '.join(map(str, sorted({text_hash(text) for text in texts})))})"
