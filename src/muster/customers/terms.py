"""The words of imports and erasures: states and which follows which (customers spec, sections 9 and 11)."""

from __future__ import annotations

from enum import StrEnum

from muster.kernel.worded import word


class ImportState(StrEnum):
    UPLOADED = "uploaded"
    CHECKING = "checking"
    CHECKED = "checked"
    EXPIRED = "expired"
    FAILED = "failed"
    CANCELLED = "cancelled"
    APPLYING = "applying"
    RESUMABLE = "resumable"
    DONE = "done"
    UNDOING = "undoing"
    UNDONE = "undone"


TRANSITIONS: dict[str, dict[ImportState, ImportState]] = {
    # The file lies there; now somebody has said what its columns are.
    "judge": {ImportState.UPLOADED: ImportState.CHECKING},
    "apply": {
        ImportState.CHECKED: ImportState.APPLYING,
        ImportState.RESUMABLE: ImportState.APPLYING,
        # Asked again after a crash: the job that was under way goes on.
        ImportState.APPLYING: ImportState.APPLYING,
    },
    "pause": {ImportState.APPLYING: ImportState.RESUMABLE},
    "cancel": {
        # Nothing has been taken in yet.
        ImportState.UPLOADED: ImportState.CANCELLED,
        ImportState.CHECKING: ImportState.CANCELLED,
        ImportState.CHECKED: ImportState.CANCELLED,
        ImportState.EXPIRED: ImportState.CANCELLED,
        ImportState.FAILED: ImportState.CANCELLED,
        # What has been taken in goes out again.
        ImportState.APPLYING: ImportState.UNDOING,
        ImportState.RESUMABLE: ImportState.UNDOING,
    },
    "undo": {
        ImportState.DONE: ImportState.UNDOING,
        # As with apply.
        ImportState.UNDOING: ImportState.UNDOING,
    },
}
"""What people ask for: verb -> state it is asked in -> state that follows."""

IMPORT_STATES = {
    ImportState.UPLOADED: word("import", "uploaded"),
    ImportState.CHECKING: word("import", "checking"),
    ImportState.CHECKED: word("import", "checked"),
    ImportState.EXPIRED: word("import", "expired"),
    ImportState.FAILED: word("import", "failed"),
    ImportState.CANCELLED: word("import", "cancelled"),
    ImportState.APPLYING: word("import", "applying"),
    ImportState.RESUMABLE: word("import", "resumable"),
    ImportState.DONE: word("import", "done"),
    ImportState.UNDOING: word("import", "undoing"),
    ImportState.UNDONE: word("import", "undone"),
}
"""As they stand in sentences."""

IMPORT_VERBS = {
    "judge": word("import", "judge"),
    "apply": word("import", "apply"),
    "pause": word("import", "pause"),
    "cancel": word("import", "cancel"),
    "undo": word("import", "undo"),
}

EVENTS: dict[str, dict[ImportState, ImportState]] = {
    "rows read": {ImportState.CHECKING: ImportState.CHECKED},
    "unreadable": {ImportState.CHECKING: ImportState.FAILED},
    "a day passed": {ImportState.CHECKED: ImportState.EXPIRED},
    "mapping or file changed": {
        ImportState.UPLOADED: ImportState.EXPIRED,
        ImportState.CHECKED: ImportState.EXPIRED,
    },
    "stopped": {ImportState.APPLYING: ImportState.RESUMABLE},
    "last chunk": {ImportState.APPLYING: ImportState.DONE},
    "rows out": {ImportState.UNDOING: ImportState.UNDONE},
}
"""What happens by itself."""

EXPIRES_AFTER_HOURS = 24
"""A dry run's verdicts are about the data as it was; after a day they are asked again."""

KEPT_DAYS = 30
"""So long an import can be undone and its file lies there; then the file is deleted (C-37, C-48)."""


class ErasureState(StrEnum):
    REQUESTED = "requested"
    RUNNING = "running"
    VERIFYING = "verifying"
    DONE = "done"
    WITHDRAWN = "withdrawn"


ERASURE_STATES = {
    ErasureState.REQUESTED: word("erasure", "requested"),
    ErasureState.RUNNING: word("erasure", "running"),
    ErasureState.VERIFYING: word("erasure", "verifying"),
    ErasureState.DONE: word("erasure", "done"),
    ErasureState.WITHDRAWN: word("erasure", "withdrawn"),
}

ERASURE_EVENTS: dict[str, dict[ErasureState, ErasureState]] = {
    "grace is over": {ErasureState.REQUESTED: ErasureState.RUNNING},
    "withdrawn": {ErasureState.REQUESTED: ErasureState.WITHDRAWN},
    "all places report": {ErasureState.RUNNING: ErasureState.VERIFYING},
    "nothing is found": {ErasureState.VERIFYING: ErasureState.DONE},
    "something is found": {ErasureState.VERIFYING: ErasureState.RUNNING},
}
"""A place that fails leaves the erasure running; it is tried again (C-45)."""

OPEN_ERASURES = (ErasureState.REQUESTED, ErasureState.RUNNING, ErasureState.VERIFYING)
MOST_GRACE_HOURS = 72
OVERWRITTEN_WITHIN_DAYS = 31
"""Freed bytes are overwritten at night (warehouse/duckdb/scrub.py); this is what a receipt promises (C-46)."""
MOST_ERASED_AT_ONCE = 10_000

UNDER_AGE_DATA = ("keep", "discard")
"""What becomes of customers known to be under the minimum age: in no group either way (C-15)."""

SUPPRESSION_REASONS = ("unsubscribed", "bounced", "complained", "manual")
