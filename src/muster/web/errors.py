"""What the doors and the jobs themselves can refuse.

MusterError
  WebError
    NotFound              no such thing, or not visible to who asks
    RequestInvalid        the request cannot be read
    RevisionRequired      a change of a thing that does not say which revision it changes
    IdempotencyConflict   a key that belongs to another request, or whose request is still under way
    DraftTooLarge         what was typed is longer than a draft may be
    UndoStale             what would be undone was changed since
    UndoExpired           the day in which it could be undone is over
    JobStateError         a job cannot be stopped or continued in the state it is in
  JobStopped (internal)   a running job was asked to stop; never shown
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from muster.kernel.errors import MusterError


class WebError(MusterError):
    code = "web_error"


class NotFound(WebError):
    code = "not_found"


class RequestInvalid(WebError):
    """`errors`: one mapping (pointer, code, message, nearest) per thing wrong, at least one."""

    code = "request_invalid"

    def __init__(self, message: str, *, code: str | None = None, errors: Sequence[dict[str, Any]] = ()) -> None:
        super().__init__(message, code=code, details={"errors": list(errors)} if errors else None)


class RevisionRequired(WebError):
    code = "revision_required"


class IdempotencyConflict(WebError):
    code = "idempotency_key_reused"


class DraftTooLarge(WebError):
    code = "draft_too_large"


class UndoStale(WebError):
    code = "undo_stale"


class UndoExpired(WebError):
    code = "undo_expired"


class JobStateError(WebError):
    code = "job_state"


class JobStopped(Exception):
    """Raised inside a job by `RunningJob.check`; the runner notes why."""

    def __init__(self, why: Literal["cancel", "pause", "shutdown"]) -> None:
        super().__init__(why)
        self.why = why
