"""Erasing people: ordered, worked off place by place, verified, told in a receipt that names nobody (C-45 to C-47)."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection, transaction
from pyroaring import BitMap

from muster.audit.actions import record
from muster.customers.errors import ConfirmMismatch, CustomerUnknown, ErasureRunning, ErasureStateWrong, PrivacyError
from muster.customers.hooks import PersonalData, current_ledger, current_warehouse, personal_data
from muster.customers.models import Erasure
from muster.customers.privacy.queries import ErasureView, erasure_row, erasure_view, kept
from muster.customers.queries import customer_key
from muster.customers.terms import (
    ERASURE_EVENTS,
    ERASURE_STATES,
    MOST_ERASED_AT_ONCE,
    MOST_GRACE_HOURS,
    OPEN_ERASURES,
    OVERWRITTEN_WITHIN_DAYS,
    ErasureState,
)
from muster.kernel.clock import system_clock
from muster.kernel.errors import MusterError
from muster.kernel.ids import customer_id, new_id
from muster.kernel.worded import worded
from muster.team.policies import LOCAL, Principal
from muster.warehouse.ledger import KEPT
from muster.warehouse.subject import Subject, subject_from_json
from muster.web.actions import start_job
from muster.web.queries import job_view

logger = logging.getLogger("muster.privacy")

JOB = "customers.erase"
RETENTION = "retention"
UNDER_AGE = "minimum age"
# A place that fails is tried again after a minute, then two, ... at most an hour.
_LONGEST_PAUSE = timedelta(hours=1)
Check = Callable[[], None]


def request_erasure(
    actor: Principal, references: Sequence[str], *, confirm: str, grace_hours: int | None = None
) -> ErasureView:
    """Orders the erasure of one person or of many in one pass.

    `confirm`: the id (cus_...) of the one, or how many they are: typed by whoever means it (`confirm_mismatch`).
    """
    if not 1 <= len(references) <= MOST_ERASED_AT_ONCE:
        raise PrivacyError(worded("Name 1 to {most:,} customers.", most=MOST_ERASED_AT_ONCE), pointer="/customers")
    several = len(references) > 1
    keys = BitMap(_key(one, f"/customers/{place}" if several else "") for place, one in enumerate(references))
    _check_confirmed(keys, confirm)
    hours = kept().grace_hours if grace_hours is None else grace_hours
    if not 0 <= hours <= MOST_GRACE_HOURS:
        raise PrivacyError(worded("`grace_hours` is 0 to {most}.", most=MOST_GRACE_HOURS), pointer="/grace_hours")
    now = system_clock()
    with transaction.atomic():
        _check_not_running(keys)
        row = _order(keys, actor.label, now, now + timedelta(hours=hours))
        for key in keys[:MOST_ERASED_AT_ONCE]:
            record(actor, "customer.erase", "customer", customer_id(key), {"erasure": row.id})
        if not hours:
            _start(row)
    return erasure_view(row)


def _key(reference: str, pointer: str) -> int:
    key = customer_key(reference)
    if key is None:
        raise CustomerUnknown(
            worded(
                "There is no customer `{reference}`. Name one by id (cus_2f), or by `external:` and the"
                " publisher's own id.",
                reference=reference,
            ),
            pointer=pointer,
        )
    return key


def _order(keys: BitMap, label: str, now: datetime, due_at: datetime) -> Erasure:
    return Erasure.objects.create(
        id=new_id("era"),
        keys=keys.serialize(),
        customer_count=len(keys),
        requested_at=now,
        requested_by=label,
        due_at=due_at,
    )


def _check_confirmed(keys: BitMap, confirm: str) -> None:
    wanted = customer_id(keys[0]) if len(keys) == 1 else str(len(keys))
    if confirm.strip() != wanted:
        message = (
            worded("Type the id of the customer to erase: `confirm` must be {wanted}.", wanted=wanted)
            if len(keys) == 1
            else worded("Type the number of customers to erase: `confirm` must be {wanted}.", wanted=wanted)
        )
        raise ConfirmMismatch(message, pointer="/confirm")


def _check_not_running(keys: BitMap) -> None:
    for row in Erasure.objects.filter(state__in=OPEN_ERASURES):
        if BitMap.deserialize(bytes(row.keys)).intersect(keys):
            raise ErasureRunning(
                worded(
                    "Erasure {id} is {state} and includes somebody of these.",
                    id=row.id,
                    state=ERASURE_STATES[ErasureState(row.state)],
                ),
                details={"erasure": row.id},
            )


def withdraw_erasure(actor: Principal, identifier: str) -> ErasureView:
    """While its grace lasts; `erasure_state` afterwards."""
    with transaction.atomic():
        row = erasure_row(identifier)
        following = ERASURE_EVENTS["withdrawn"].get(ErasureState(row.state))
        if following is None:
            raise ErasureStateWrong(
                worded(
                    "Erasure {id} is {state}; it can be withdrawn while it is requested.",
                    id=row.id,
                    state=ERASURE_STATES[ErasureState(row.state)],
                )
            )
        row.state = following
        row.save(update_fields=["state"])
        record(actor, "erasure.withdrawn", "erasure", row.id)
    return erasure_view(row)


def start_due_erasures() -> None:
    """Those whose grace is over, and those that wait for another try; nothing of an order is ever forgotten."""
    now = system_clock()
    for row in Erasure.objects.filter(state__in=OPEN_ERASURES, due_at__lte=now):
        if (row.retry_at is None or row.retry_at <= now) and not _has_job(row):
            _start(row)


def _has_job(row: Erasure) -> bool:
    return bool(row.job_id) and not job_view(row.job_id).is_over


def _start(row: Erasure) -> None:
    row.job_id = start_job(JOB, {"erasure": row.id}, key=row.id, subject=("erasure", row.id)).id
    row.save(update_fields=["job_id"])


def run_erasure(identifier: str, check: Check = lambda: None) -> ErasureView:
    """Works the order off, from wherever it was left: each step may be repeated. `check` is called between steps.

    Answers it done, or still running with `retry_at` and the places that failed.
    """
    row = _begin(erasure_row(identifier))
    if row.state not in (ErasureState.RUNNING, ErasureState.VERIFYING):
        return erasure_view(row)
    assert row.erased_at is not None
    subject = _as_they_are_now(row)
    # First of all: what is sent meanwhile does not bring back what is being taken out.
    if row.requested_by != RETENTION:
        current_ledger().add(subject.names(), row.erased_at)
    for place in personal_data.values():
        if row.places.get(place.key, {}).get("state") != "erased":
            check()
            _erase(row, place, subject)
    if all(row.places[key]["state"] == "erased" for key in personal_data):
        _step(row, "all places report")
        check()
        _verify(row, subject)
    if row.state is not ErasureState.DONE:
        _try_later(row)
    return erasure_view(row)


def _begin(row: Erasure) -> Erasure:
    """From here on it cannot be withdrawn; whom it is about is written down, because soon nobody can say."""
    with transaction.atomic():
        row = erasure_row(row.id)
        row.state = ErasureState(row.state)
        if row.state is ErasureState.REQUESTED and row.due_at <= system_clock():
            subject = current_warehouse().subject_of(BitMap.deserialize(bytes(row.keys)))
            row.subject = subject.as_json()
            row.erased_at = row.erased_at or system_clock()
            _step(row, "grace is over")
    return row


def _as_they_are_now(row: Erasure) -> Subject:
    """Whom it is about. Who was merged with one of them since is the same person: every place is gone through again."""
    told = subject_from_json(row.subject or {})
    found = current_warehouse().subject_of(told.keys)
    if found.keys == told.keys:
        return told
    whole = told.with_those_of(found)
    row.subject = whole.as_json()
    for place in row.places.values():
        place["state"] = "waiting"
    row.save(update_fields=["subject", "places"])
    return whole


def _step(row: Erasure, event: str) -> None:
    row.state = ERASURE_EVENTS[event].get(ErasureState(row.state), ErasureState(row.state))
    row.save()


def _erase(row: Erasure, place: PersonalData, subject: Subject) -> None:
    blank: dict[str, Any] = {"state": "waiting", "removed": {}, "found": None, "error": "", "tries": 0}
    told = row.places.setdefault(place.key, blank)
    told["tries"] += 1
    try:
        if "there" not in told:
            # Written down before: of what a process removed that then died, nobody else could tell.
            told["there"] = place.count(subject)
            row.save(update_fields=["places"])
        removed = place.erase(subject)
    except Exception as error:  # whatever it is: it is shown, and the other places go on
        logger.exception("erasure %s failed in %s", row.id, place.key)
        told |= {"state": "failed", "error": _shown(error)}
    else:
        for name, count in removed.items():
            told["removed"][name] = told["removed"].get(name, 0) + count
        told |= {"state": "erased", "error": ""}
    row.save(update_fields=["places"])


def _shown(error: Exception) -> str:
    """Of what may name somebody only the kind is shown."""
    return f"{error.code}: {error.message}" if isinstance(error, MusterError) else type(error).__name__


def _verify(row: Erasure, subject: Subject) -> None:
    """All counts are 0, or what was found is erased again."""
    for place in personal_data.values():
        told = row.places[place.key]
        try:
            found = place.count(subject)
        except Exception as error:  # as above
            logger.exception("erasure %s could not be verified in %s", row.id, place.key)
            told |= {"state": "failed", "error": _shown(error)}
            continue
        told["found"] = sum(found.values())
        if found:
            told |= {"state": "failed", "error": f"found: {', '.join(sorted(found))}"}
    if any(told["state"] != "erased" for told in row.places.values()):
        _step(row, "something is found")
        return
    _finish(row)


def _finish(row: Erasure) -> None:
    row.done_at = system_clock()
    row.receipt = _receipt(row)
    text = json.dumps(row.receipt, sort_keys=True, separators=(",", ":"))
    row.receipt_digest = hashlib.sha256(text.encode()).hexdigest()
    row.subject, row.retry_at = None, None
    with transaction.atomic():
        _step(row, "nothing is found")
        record(LOCAL, "erasure.done", "erasure", row.id, {"receipt": row.receipt_digest})
    overwrite_log()


def _receipt(row: Erasure) -> dict[str, Any]:
    """Nothing in it is personal; its SHA-256 is that of its JSON with sorted keys and without spaces."""
    assert row.done_at is not None
    assert row.erased_at is not None
    return {
        "erasure": row.id,
        "customers": row.customer_count,
        "requested_at": _plain(row.requested_at),
        "erased_at": _plain(row.erased_at),
        "done_at": _plain(row.done_at),
        "places": [
            {"place": key, "removed": _removed(told), "found": told["found"]}
            for key, told in sorted(row.places.items())
        ],
        "overwritten_by": _plain(row.done_at + timedelta(days=OVERWRITTEN_WITHIN_DAYS)),
        "ledger_until": _plain(row.erased_at + KEPT),
    }


def _removed(told: dict[str, Any]) -> dict[str, int]:
    names = sorted({*told["there"], *told["removed"]})
    return {name: max(told["there"].get(name, 0), told["removed"].get(name, 0)) for name in names}


def _plain(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _try_later(row: Erasure) -> None:
    for told in row.places.values():
        if told["state"] == "failed":
            told["state"] = "waiting"
    row.tries += 1
    row.retry_at = system_clock() + min(timedelta(minutes=2 ** min(row.tries - 1, 10)), _LONGEST_PAUSE)
    row.save(update_fields=["places", "tries", "retry_at"])


def overwrite_log() -> None:
    """Moves SQLite's log into the file, which overwrites what is deleted: old pages would lie in the log for long."""
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def retire(keys: BitMap, why: str = RETENTION) -> ErasureView:
    """Takes out customers whose time is over (C-48), or who are under age (C-15).

    Those of RETENTION did not ask to be erased: the ledger does not know them, and they may come back.
    """
    now = system_clock()
    row = _order(keys, why, now, now)
    record(LOCAL, "customers.retired", "erasure", row.id, {"customers": len(keys), "why": why})
    return run_erasure(row.id)


def apply_ledger() -> list[ErasureView]:
    """Erases again whoever the ledger has erased and an older backup brought back; to be called after a restore,
    before anybody is let in, with the warehouse open. Answers the erasures, each with its receipt.

    The ledger is the one of this installation together with the backup's copy (`ErasureLedger.include`).
    """
    done = []
    for at, keys in sorted(current_warehouse().erased_people().items()):
        now = system_clock()
        row = _order(keys, "erasure ledger", now, now)
        row.erased_at = at.replace(tzinfo=UTC)
        row.save(update_fields=["erased_at"])
        record(LOCAL, "erasure.repeated", "erasure", row.id, {"customers": len(keys)})
        done.append(run_erasure(row.id))
    return done
