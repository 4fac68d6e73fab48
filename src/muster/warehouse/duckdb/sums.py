"""SQL that adds: a sum ends where its column does, whatever somebody says they have spent (ADR 36)."""

from __future__ import annotations

MOST_MICROS = 2**63 - 1
MOST_MINUTES = 2**31 - 1


def micros_sum(micros: str) -> str:
    """The sum of a BIGINT expression as BIGINT, null of nothing."""
    return f"CAST({_within(f'sum({micros})', MOST_MICROS)} AS BIGINT)"


def minutes(seconds: str) -> str:
    """Whole minutes of a sum of seconds as INTEGER, null of null."""
    return f"CAST({_within(f'{seconds} // 60', MOST_MINUTES)} AS INTEGER)"


def _within(number: str, most: int) -> str:
    # `least` and `greatest` would make numbers of null.
    return f"CASE WHEN {number} > {most} THEN {most} WHEN {number} < -{most} THEN -{most} ELSE {number} END"
