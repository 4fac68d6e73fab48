"""Who is in a segment, now or as recorded at a past instant (G-17)."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from muster.customers.people.queries.finding import PERSONAL, find
from muster.groups.errors import GroupInactive, ValueNotAllowed
from muster.groups.models import Group
from muster.groups.pages.segment_head import head
from muster.groups.queries import people
from muster.groups.queries.people import MemberPage
from muster.kernel.errors import MusterError
from muster.kernel.worded import worded
from muster.team.errors import ScopeMissing
from muster.team.pages.permits import permitted, refusal
from muster.team.policies import Principal
from muster.web.problems import status_of

_A_PAGE = 50


def members(request: HttpRequest, row: Group) -> HttpResponse:
    """`?customer=&as_of=&cursor=`. An error stands at its field, what was typed is kept (D-39)."""
    asker = permitted(request, "members:read")
    given = {name: request.GET.get(name, "").strip() for name in ("customer", "as_of")}
    cursor = request.GET.get("cursor") or None
    shown = head(request, row, "members") | given
    shown |= {"cursor": cursor, "zone": timezone.get_current_timezone_name()}
    shown |= {"export_address": f"/api/v1/groups/{row.key}/export", "email_refusal": refusal(asker, PERSONAL)}
    status = 200
    try:
        shown |= _named(row, asker, **given) if given["customer"] else _page(row, given["as_of"], cursor)
    except GroupInactive as error:
        shown["refused"] = error
    except MusterError as error:
        shown["customer_error" if isinstance(error, ScopeMissing) else "error"] = error
        status = status_of(error)
    return render(request, "groups/segment/members.html", shown, status=status)


def _named(row: Group, asker: Principal, customer: str, as_of: str) -> dict[str, Any]:
    """Who of those an exact id or address names is in it; nobody else is listed (D-13)."""
    found = [one.id for one in find(asker, customer)]
    inside, recalled = people.members_among(row.id, found, instant(as_of) if as_of else None)
    return {"page": MemberPage(inside, 0, None), "recalled": recalled, "outside": sorted(set(found) - set(inside))}


def _page(row: Group, as_of: str, cursor: str | None) -> dict[str, Any]:
    if not as_of:
        page = people.members(row.id, cursor=cursor, limit=_A_PAGE)
        return {"page": page, "following": _query(page.next_cursor, "")}
    page, recalled = people.members_as_of(row.id, instant(as_of), cursor=cursor, limit=_A_PAGE)
    return {"page": page, "recalled": recalled, "following": _query(page.next_cursor, as_of)}


def _query(cursor: str | None, as_of: str) -> str:
    """The end of the next page's address; empty on the last."""
    if cursor is None:
        return ""
    return "?" + urlencode({"cursor": cursor} | ({"as_of": as_of} if as_of else {}))


def instant(text: str) -> datetime:
    """What a date and time field sends, on the reader's clock unless it names its zone."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        message = worded("{text} is no day and time such as 2026-03-01T12:00.", text=repr(text[:60]))
        raise ValueNotAllowed(message, pointer="/as_of") from error
    return found if found.tzinfo else found.replace(tzinfo=timezone.get_current_timezone())
