"""How long things are kept: the settings, and the nightly work of letting go (C-15, C-46, C-48)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db import transaction
from pyroaring import BitMap

from muster.audit.actions import record
from muster.catalog.actions import check_revision
from muster.catalog.queries import FIRST_KEY_SOURCE, publisher
from muster.customers.errors import PrivacyError
from muster.customers.hooks import current_ledger, current_warehouse
from muster.customers.models import Export, Import, PrivacySettings
from muster.customers.privacy.actions.erasures import RETENTION, UNDER_AGE, Check, overwrite_log, retire
from muster.customers.privacy.actions.places import delete_export, forget_samples
from muster.customers.privacy.queries import Kept, kept
from muster.customers.terms import KEPT_DAYS, MOST_GRACE_HOURS, UNDER_AGE_DATA, ErasureState
from muster.kernel.civil import local_day
from muster.kernel.clock import system_clock
from muster.kernel.worded import worded
from muster.team.policies import Principal
from muster.warehouse.ledger import KEPT

# Mean length of a month: a border that moves by a day or two decides nothing.
_MONTH = timedelta(days=30.4375)
# C-19: who sends something again later than that means it anew.
_REPETITIONS_KEPT = timedelta(days=30)
# So many visitors at once keep the list of their names small beside everything else.
_RETIRED_AT_ONCE = 50_000
_BOUNDS = {
    "grace_hours": (0, MOST_GRACE_HOURS),
    "events_months": (1, 120),
    "anonymous_months": (1, 120),
    "rejects_days": (1, 90),
    "verdict_days": (1, 4_000),
    "exports_days": (1, 30),
}


def edit_privacy(actor: Principal, *, revision: int | None, **changes: Any) -> Kept:
    """Changes some settings; `revision` None does not compare."""
    for name, (low, high) in _BOUNDS.items():
        if not low <= changes.get(name, low) <= high:
            raise PrivacyError(
                worded("`{name}` is {low} to {high}.", name=name, low=low, high=high), pointer=f"/{name}"
            )
    if changes.get("under_age_data", "keep") not in UNDER_AGE_DATA:
        raise PrivacyError(
            worded("`under_age_data` is one of {choices}.", choices=", ".join(UNDER_AGE_DATA)),
            pointer="/under_age_data",
        )
    with transaction.atomic():
        row, _ = PrivacySettings.objects.get_or_create(id=1)
        check_revision(row.revision, revision)
        for name, value in changes.items():
            setattr(row, name, value)
        row.revision += 1
        row.save()
        record(actor, "privacy.edited", "privacy", "1", changes)
    return kept()


def let_go(check: Check = lambda: None, now: datetime | None = None) -> dict[str, Any]:
    """Everything whose time is over, step by step; may be repeated. Answers how much went."""
    now = now or system_clock()
    border = kept()
    warehouse = current_warehouse()
    gone: dict[str, Any] = dict(warehouse.drop_old_events(now - border.events_months * _MONTH))
    check()
    gone["rejects"] = warehouse.drop_old_rejects(now - timedelta(days=border.rejects_days))
    gone["repetitions"] = warehouse.forget_repetitions(now - _REPETITIONS_KEPT, FIRST_KEY_SOURCE)
    unseen = now - border.anonymous_months * _MONTH
    gone["visitors"] = _retire_all(lambda: warehouse.unseen_visitors(unseen, _RETIRED_AT_ONCE), RETENTION, check)
    if border.under_age_data == "discard":
        gone["minors"] = _retire_all(lambda: _minors(now), UNDER_AGE, check)
    gone["exports"] = delete_old_exports(now)
    gone["verdict_counts"] = _forget_counts(now - timedelta(days=border.verdict_days))
    gone["samples"] = _forget_samples(now - timedelta(days=KEPT_DAYS))
    gone["ledger"] = current_ledger().forget(now - KEPT)
    return gone


def _minors(now: datetime) -> BitMap:
    """Some of those who are known to be under the minimum age on the publisher's day (C-15)."""
    settings = publisher()
    today = local_day(now, ZoneInfo(settings.time_zone))
    return current_warehouse().customers_under(settings.minimum_age, today, _RETIRED_AT_ONCE)


def _retire_all(find: Callable[[], BitMap], why: str, check: Check) -> int:
    """So many at once as `find` answers, until it finds nobody. What could not be taken out is tried again later."""
    gone = 0
    while keys := find():
        check()
        if retire(keys, why).state != ErasureState.DONE:
            break
        gone += len(keys)
    return gone


def delete_old_exports(now: datetime) -> int:
    """Files whose link has ended, and what no export points to."""
    due = list(Export.objects.filter(expires_at__lte=now, deleted_at=None))
    for row in due:
        delete_export(row)
    alive = set(Export.objects.filter(deleted_at=None).values_list("id", flat=True))
    directory = settings.MUSTER.export_directory
    strays = [one for one in directory.iterdir() if one.stem not in alive] if directory.exists() else []
    for stray in strays:
        stray.unlink(missing_ok=True)
    return len(due) + len(strays)


def _forget_counts(before: datetime) -> int:
    return Import.objects.filter(created_at__lt=before).exclude(counts={}).update(counts={}, warnings={})


def _forget_samples(before: datetime) -> int:
    """The first cells of a file are shown while it is decided; the file itself is gone by now."""
    found = [
        row
        for row in Import.objects.filter(created_at__lt=before).exclude(facts={})
        if any(column.get("samples") for column in row.facts.get("columns", []))
    ]
    for row in found:
        forget_samples(row)
    return len(found)


def scrub() -> bool:
    """Overwrites freed bytes of both databases; answers whether the warehouse had any."""
    overwrite_log()
    return current_warehouse().scrub()
