"""What is said and done about the spool: what waits in it, and what a damaged file of it still holds (E-19, E-44)."""

from __future__ import annotations

import logging
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction

from muster.audit.actions import record
from muster.catalog.queries import app_numbers, source_names
from muster.customers.actions.drain import drained_cursors
from muster.spool import looking
from muster.spool.files import remove
from muster.spool.recovery import recover, set_aside_files, set_damaged_aside, unreadable_files
from muster.team.policies import Principal
from muster.warehouse.catalog import Trust
from muster.web.actions import start_job
from muster.web.hooks import RunningJob
from muster.web.queries import JobView

logger = logging.getLogger("muster.drain")

RECOVER, TIDY = "spool.recover", "spool.tidy"
# As long as files of imports (C-45): nobody is erased from what cannot be read.
_SECONDS_KEPT = 30 * 24 * 3600
# Of a body that is only looked at.
_SHOWN_BYTES = 4_096
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def spool_status() -> dict[str, Any]:
    """Slot by slot what waits for the warehouse; files that were set aside, and what was left of them."""
    directory = _directory()
    slots = looking.look(directory, drained_cursors())
    oldest = [slot.oldest_us for slot in slots if slot.oldest_us is not None]
    return {
        "requests": sum(slot.requests for slot in slots),
        "items": sum(slot.items for slot in slots),
        "oldest_at": _instant(min(oldest)) if oldest else None,
        "slots": [
            {name: value for name, value in vars(slot).items() if name != "oldest_us"}
            | {"oldest_at": None if slot.oldest_us is None else _instant(slot.oldest_us)}
            for slot in slots
        ],
        "set_aside": [path.name for path in set_aside_files(directory)],
        "unreadable": [path.name for path in unreadable_files(directory)],
    }


def newest_requests(count: int, *, personal: bool) -> list[dict[str, Any]]:
    """What lies there, newest first; drained requests stay for a second or so."""
    apps = {number: key for key, number in app_numbers().items()}
    senders = source_names()
    found = []
    for lying in looking.newest(_directory(), drained_cursors(), count):
        entry = lying.entry
        found.append(
            {
                "position": f"{lying.slot}.{lying.seq}",
                "drained": lying.drained,
                "received_at": _instant(entry.received_at_us),
                "app": apps.get(entry.app),
                "key": senders.get(entry.source),
                "trust": Trust(entry.trust).name.lower() if entry.trust in list(Trust) else None,
                "kind": entry.kind,
                "call": entry.call,
                "items": entry.items,
                "bytes": len(entry.body),
                "body": entry.body[:_SHOWN_BYTES].decode("utf-8", "replace") if personal else None,
            }
        )
    return found


def order_recovery(actor: Principal) -> JobView:
    """The job that reads what can be read of damaged files; the one that waits, if one does."""
    with transaction.atomic():
        job = start_job(RECOVER, {"looks": True}, key="spool")
        record(actor, "spool.recovered", "job", job.id)
    return job


def recover_soon() -> None:
    """What an edge process has set aside, looked for now and then."""
    if set_aside_files(_directory()):
        start_job(RECOVER, {"looks": False}, key="spool")


def recover_files(job: RunningJob) -> dict[str, Any]:
    """What comes back is drained like everything else. After a crash some may be there twice; it is taken once."""
    directory = _directory()
    if job.parameters["looks"]:
        set_damaged_aside(directory)
    drained = {cursor.file: cursor.seq for cursor in drained_cursors().values()}
    found = recover(directory, drained)
    for one in found:
        left = f"; what could not be read is kept as {one.kept}" if one.kept else ""
        logger.error("%s was damaged: %d requests of it were recovered%s", one.file, one.requests, left)
    return {"files": [vars(one) for one in found]}


def tidy(_job: RunningJob) -> dict[str, Any]:
    """Once a day: what nobody could read goes, because nobody can be erased from it either."""
    before = time.time() - _SECONDS_KEPT
    old = [path for path in unreadable_files(_directory()) if path.stat().st_mtime < before]
    for path in old:
        remove(path)
    return {"removed": len(old)}


def _directory() -> Path:
    directory: Path = settings.MUSTER.spool_directory
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    return directory


def _instant(microseconds: int) -> datetime:
    return _EPOCH + timedelta(microseconds=microseconds)
