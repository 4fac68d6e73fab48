"""The errors of the edge, each with its status; where it is asked decides what the body looks like (E-12)."""

from __future__ import annotations

from muster.kernel.errors import MusterError


class EdgeError(MusterError):
    """`status` of HTTP; `retry_after_seconds` where trying again helps."""

    def __init__(self, status: int, code: str, message: str, *, retry_after_seconds: int | None = None) -> None:
        super().__init__(message, code=code)
        self.status = status
        self.retry_after_seconds = retry_after_seconds


def key_invalid() -> EdgeError:
    return EdgeError(401, "app_key_invalid", "This key is unknown or revoked.")


def not_found() -> EdgeError:
    return EdgeError(404, "not_found", "There is nothing at this address.")


def body_too_large(largest_bytes: int) -> EdgeError:
    return EdgeError(413, "body_too_large", f"The body may have {largest_bytes // 1024} KiB.")


def spool_full() -> EdgeError:
    message = "What was accepted waits for the warehouse, and there is no room for more. Send it again later."
    return EdgeError(429, "spool_full", message, retry_after_seconds=60)


def storage_failed() -> EdgeError:
    return EdgeError(503, "storage_failed", "It could not be stored. Send it again.", retry_after_seconds=5)


def plan_missing() -> EdgeError:
    return EdgeError(503, "plan_missing", "Nothing has been published yet. Try again.", retry_after_seconds=5)


def stopping() -> EdgeError:
    return EdgeError(503, "stopping", "This server is stopping. Send it again.", retry_after_seconds=1)


class MethodNotAllowed(EdgeError):
    """With what is allowed instead."""

    def __init__(self, allowed: list[str]) -> None:
        super().__init__(405, "method_not_allowed", f"Ask with {', '.join(allowed)}.")
        self.allowed = allowed
