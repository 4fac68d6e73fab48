"""What follows from an outcome: sent, tried again when, or given up (Standard Webhooks 1.0). Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from muster.webhooks.channels.requests import Outcome

RETRY_SECONDS = (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
"""After the first attempt, the second, ...: ten attempts in a little more than three days."""
JITTER = 0.1
"""So much later at most, drawn for each: what failed together does not come back together."""
DISABLED_AFTER = timedelta(days=5)
"""A receiver that took nothing for so long is sent nothing more."""
GONE = 410
# The receiver, or what stands before it, says that it has too much to do.
_THROTTLED = frozenset({429, 502, 503, 504})
_LONGEST_WAIT_SECONDS = 86_400.0
# After so many failures in a row it is the receiver, not the delivery.
_PATIENCE = 5
_LONGEST_HOLD_SECONDS = 300.0


@dataclass(frozen=True)
class Judgement:
    """`code`: why it failed, "" if it did not. `next_at`: None if it is not tried again."""

    code: str
    next_at: datetime | None

    @property
    def is_sent(self) -> bool:
        return not self.code


def judge(outcome: Outcome, tries: int, now: datetime, drawn: float) -> Judgement:
    """`tries`: attempts since it began to wait, with this one. `drawn`: from 0 up to 1."""
    code = failure_of(outcome)
    if not code or outcome.status == GONE or tries > len(RETRY_SECONDS):
        return Judgement(code, None)
    seconds = max(RETRY_SECONDS[tries - 1], _asked_wait(outcome)) * (1 + JITTER * drawn)
    return Judgement(code, now + timedelta(seconds=seconds))


def failure_of(outcome: Outcome) -> str:
    """Only 2xx is success: a redirect might lead where nobody checked."""
    status = outcome.status
    if status is None:
        return outcome.error
    if 200 <= status < 300:
        return ""
    if status == GONE:
        return "gone"
    return "redirected" if 300 <= status < 400 else "not_accepted"


def hold_of(outcome: Outcome, failures: int, now: datetime) -> datetime | None:
    """Until when the receiver is left alone altogether. `failures`: in a row, with this one."""
    if not failure_of(outcome):
        return None
    seconds = 0.0
    if outcome.status in _THROTTLED:
        seconds = max(_asked_wait(outcome), float(RETRY_SECONDS[0]))
    if failures >= _PATIENCE:
        seconds = max(seconds, min(RETRY_SECONDS[0] * 2.0 ** min(failures - _PATIENCE, 10), _LONGEST_HOLD_SECONDS))
    return now + timedelta(seconds=seconds) if seconds else None


def _asked_wait(outcome: Outcome) -> float:
    return min(outcome.retry_after_seconds or 0.0, _LONGEST_WAIT_SECONDS)
