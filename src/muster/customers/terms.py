"""The words of imports: states and which follows which (customers spec, section 9)."""

from __future__ import annotations

from enum import StrEnum


class ImportState(StrEnum):
    CHECKING = "checking"
    CHECKED = "checked"
    APPLYING = "applying"
    RESUMABLE = "resumable"
    DONE = "done"
    FAILED = "failed"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


TRANSITIONS: dict[str, dict[ImportState, ImportState]] = {
    "apply": {
        ImportState.CHECKED: ImportState.APPLYING,
        ImportState.RESUMABLE: ImportState.APPLYING,
        # Asked again after a crash: the job that was under way goes on.
        ImportState.APPLYING: ImportState.APPLYING,
    },
    "pause": {ImportState.APPLYING: ImportState.RESUMABLE},
    "cancel": {
        ImportState.CHECKING: ImportState.CANCELLED,
        ImportState.CHECKED: ImportState.CANCELLED,
        ImportState.FAILED: ImportState.CANCELLED,
    },
}

EXPIRES_AFTER_HOURS = 24
"""A dry run's verdicts are about the data as it was; after a day they are asked again."""
