"""What is to be sent, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass

ANSWER_CHARACTERS = 300
"""So much of an answer is kept (N-51)."""


@dataclass(frozen=True)
class Message:
    """One request to be. `keys`: one secret, or two while they are exchanged."""

    id: str
    url: str
    body: bytes
    keys: tuple[str, ...]


@dataclass(frozen=True)
class Outcome:
    """What became of a request: `status` None if nothing was answered, `error` then says why.

    `answer`: the beginning of its body. `retry_after_seconds`: what it asks for, None if nothing.
    """

    status: int | None
    error: str
    answer: str
    milliseconds: int
    retry_after_seconds: float | None = None
