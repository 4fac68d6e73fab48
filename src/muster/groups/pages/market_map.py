"""Where the customers of a segment are: a map in six steps of one colour, and the same as a table (D-6, D-33)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from math import ceil
from pathlib import Path

from django.contrib.staticfiles import finders
from django.utils.translation import gettext as _

from muster.engine.compare import OTHER, UNKNOWN
from muster.groups.policies import Told
from muster.groups.queries.comparison import ComparisonView
from muster.rules.describe.words import Words

STEPS = 6


@dataclass(frozen=True)
class Market:
    """`code`: ISO 3166-1; `step`: 1 to 6, 0 where nothing may be told; `drawn`: small territories are not."""

    code: str
    name: str
    size: Told
    share: float | None
    step: int
    drawn: bool


@dataclass(frozen=True)
class MarketMap:
    finding: str
    markets: list[Market]


def market_map(found: ComparisonView, words: Words) -> MarketMap | None:
    """None where nobody's country is known, or none may be told."""
    shares = next(one.shares for one in found.breakdowns if one.key == "country")
    known = [one for one in shares if one.value not in (OTHER, UNKNOWN) and (one.group.size or one.group.small)]
    sizes = [one.group.size for one in known if one.group.size]
    if not sizes or not found.size.size:
        return None
    highest = max(sizes)
    markets = [
        Market(
            one.value,
            words.formats.country(one.value),
            one.group,
            one.group.size / found.size.size if one.group.size is not None else None,
            ceil(STEPS * one.group.size / highest) if one.group.size else 0,
            one.value in drawn_countries(),
        )
        for one in known
    ]
    # What is not told stands last, or its place would tell of it.
    markets.sort(key=lambda one: (one.size.small, -(one.size.size or 0), one.name))
    most = markets[0]
    finding = _("Share of customers by market; the largest is %(country)s.") % {"country": most.name}
    return MarketMap(finding, markets)


@lru_cache(maxsize=1)
def drawn_countries() -> frozenset[str]:
    """The countries that the map shows; some 75 small territories stand in the table only."""
    path = finders.find("map.svg")
    assert path is not None
    return frozenset(re.findall(r'id="([A-Z]{2})"', Path(path).read_text(encoding="utf-8")))
