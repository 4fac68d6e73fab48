"""The page of the audit trail: who did what, when, to which thing."""

from __future__ import annotations

import json
from datetime import date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from muster.audit.actions import record
from muster.audit.queries import Deed, Wanted, choices, newest_deeds, trail, trail_lines
from muster.audit.terms import ACTIONS, THINGS
from muster.web.answers import REFUSED, csv_download, unknown_parameters
from muster.web.hooks import can, check_scope, identify, preferences

_FILTERS = ("actor", "action", "thing_kind", "thing_id", "since", "until")
_NEWEST = 10
_NAMES = (*_FILTERS, "before", "after")


@require_GET
def audit(request: HttpRequest) -> HttpResponse:
    """The address says what is shown (D-11); what it says beyond that is named, not ignored (D-29)."""
    check_scope(identify(request), "audit:read")
    given = _given(request)
    wanted, errors = _wanted(given)
    page = trail(
        wanted,
        limit=preferences(request).rows,
        before=request.GET.get("before") or None,
        after=request.GET.get("after") or None,
    )
    there = choices()
    shown = {
        "given": given,
        "errors": errors,
        "deeds": [_told(deed) for deed in page.items],
        "actors": there["actor"],
        "actions": [(key, ACTIONS.get(key, key)) for key in there["action"]],
        "things": [(key, THINGS.get(key, key)) for key in there["thing_kind"]],
        "zone": timezone.get_current_timezone_name(),
        "older": _address(given, before=page.older),
        "newer": _address(given, after=page.newer),
        "csv": _address(given) or "?",
        "narrowed": any(given.values()),
        "unknown": unknown_parameters(request, *_NAMES),
    }
    return render(request, "audit/audit.html", shown, status=REFUSED if errors else 200)


@require_GET
def export(request: HttpRequest) -> HttpResponseBase:
    """All entries the filter lets through, as CSV; that somebody took them out is noted itself."""
    asker = identify(request)
    check_scope(asker, "audit:read")
    assert asker is not None
    given = _given(request)
    wanted, _errors = _wanted(given)
    record(asker, "audit.exported", "audit", "audit", {name: value for name, value in given.items() if value})
    return csv_download(trail_lines(wanted), "audit")


def newest_part(asker: Any) -> dict[str, Any] | None:
    """What the first page shows: the last ten changes."""
    if not can(asker, "audit:read"):
        return None
    return {"deeds": [_told(deed) for deed in newest_deeds(_NEWEST)]}


def _given(request: HttpRequest) -> dict[str, str]:
    return {name: request.GET.get(name, "").strip()[:200] for name in _FILTERS}


def _wanted(given: dict[str, str]) -> tuple[Wanted, dict[str, str]]:
    """What is asked for, and what is wrong by field. Days are the reader's; the last one is wanted whole."""
    errors: dict[str, str] = {}
    days: dict[str, date | None] = {}
    for name in ("since", "until"):
        try:
            days[name] = date.fromisoformat(given[name]) if given[name] else None
        except ValueError:
            errors[name] = _("A day is written as 2026-11-21.")
            days[name] = None
    if days["since"] and days["until"] and days["until"] < days["since"]:
        errors["until"] = _("This day is before the first.")
    until = days["until"]
    return Wanted(
        actor=given["actor"],
        action=given["action"],
        thing_kind=given["thing_kind"],
        thing_id=given["thing_id"],
        since=_midnight(days["since"]),
        until=_midnight(until + timedelta(days=1)) if until and until < date.max else None,
    ), errors


def _midnight(day: date | None) -> datetime | None:
    return datetime.combine(day, time(), timezone.get_current_timezone()) if day else None


def _address(given: dict[str, str], **cursor: str | None) -> str:
    """The query of a page that shows this; empty where there is no further page."""
    if cursor and not any(cursor.values()):
        return ""
    return "?" + urlencode({name: value for name, value in {**given, **cursor}.items() if value})


def _told(deed: Deed) -> tuple[Deed, str | Promise, str | Promise, list[tuple[str, str]]]:
    """The entry, what was done, the kind of thing, and details as pairs of texts."""
    pairs = [(name, value if isinstance(value, str) else _json(value)) for name, value in deed.details.items()]
    return deed, ACTIONS.get(deed.action, deed.action), THINGS.get(deed.thing_kind, deed.thing_kind), pairs


def _json(value: Any) -> str:
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return ", ".join(value)
    return json.dumps(value, ensure_ascii=False)
