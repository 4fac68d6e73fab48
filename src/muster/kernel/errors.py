"""The one family of errors that people and programs outside Muster may see.

MusterError            something a caller did that Muster cannot do; has a stable code
  (rooms add their own branches in their errors.py)
InternalError          a broken promise between Muster's own parts; never shown in detail
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class MusterError(Exception):
    """What went wrong (`code`, stable), where (`pointer`, a JSON Pointer or ""), and the sentence a person reads."""

    code = "muster_error"

    def __init__(
        self, message: str, *, code: str | None = None, pointer: str = "", details: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or type(self).code
        self.pointer = pointer
        self.details: dict[str, Any] = dict(details or {})


class InternalError(Exception):
    """A state that the code promises cannot occur."""
