"""The overview of a segment: key figures, size over time, compared with everyone."""

from __future__ import annotations

from datetime import UTC, date, timedelta
from itertools import pairwise
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from muster.groups.models import Group
from muster.groups.pages.compared import buyers_share, pairs_of, spent_each
from muster.groups.pages.market_map import market_map
from muster.groups.pages.segment_head import head
from muster.groups.pages.size_chart import HEIGHT, WIDTH, size_chart
from muster.groups.pages.words import reader_words
from muster.groups.policies import Told
from muster.groups.queries.comparison import comparison_of
from muster.groups.queries.groups import GroupView
from muster.groups.queries.history import WEEK, days_of, summed
from muster.kernel.clock import system_clock
from muster.kernel.errors import MusterError

PERIODS = (30, 90, 365)
"""Days that the chart may show; the address says which."""
_USUAL = 90
_FIGURES = ("spent_each", "everyone_spent_each", "buyers", "everyone_buyers", "currency")


def segment_page(request: HttpRequest, row: Group) -> HttpResponse:
    """`?period=30|90|365`. Works without scripts; whoever may see groups may see it."""
    shown = head(request, row, "")
    may_list: bool = shown["may_list"]
    view: GroupView = shown["group"]
    period = _period(request)
    today = system_clock().astimezone(UTC).date()
    days = days_of(row.id, today - timedelta(days=period - 1), today, may_list=may_list)
    size = Told(view.size, view.small)
    changed = _definition_days(row)
    shown |= {
        "share": _share(view),
        "joined": summed([one.joined for one in days[-WEEK:]]),
        "left": summed([one.left for one in days[-WEEK:]]),
        "chart": size_chart(days, size, changed, shown["minimum_size"]),
        "chart_width": WIDTH,
        "chart_height": HEIGHT,
        "changed_days": changed,
        "periods": [(one, _period_label(one), one == period) for one in PERIODS],
        **_compared(row, may_list=may_list),
    }
    return render(request, "groups/segment/overview.html", shown)


def _period(request: HttpRequest) -> int:
    asked = request.GET.get("period", "")
    return int(asked) if asked in [str(one) for one in PERIODS] else _USUAL


def _period_label(days: int) -> str:
    return {30: _("30 d"), 90: _("90 d"), 365: _("1 y")}[days]


def _share(view: GroupView) -> float | None:
    return view.size / view.available_customers if view.size is not None and view.available_customers else None


def _definition_days(row: Group) -> set[date]:
    """On which the definition changed; it did not change when it began."""
    found: set[date] = set()
    versions = list(row.versions.all())
    for newer, older in pairwise(versions):
        if newer.definition != older.definition:
            found.add(newer.saved_at.astimezone(UTC).date())
    return found


def _compared(row: Group, *, may_list: bool) -> dict[str, Any]:
    """The comparison, or the sentence why there is none."""
    try:
        found = comparison_of(row.id, may_list=may_list)
    except MusterError as error:
        return {"not_compared": error, **dict.fromkeys(_FIGURES)}
    words = reader_words()
    return {
        "comparison": found,
        "pairs": pairs_of(found, words),
        "markets": market_map(found, words),
        "spent_each": spent_each(found.spend, found.size),
        "everyone_spent_each": spent_each(found.population_spend, found.available_customers),
        "buyers": buyers_share(found.spend, found.size),
        "everyone_buyers": buyers_share(found.population_spend, found.available_customers),
        "currency": found.currency,
    }
