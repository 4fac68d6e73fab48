"""A segment beside everyone, as pairs of bars (G-20, D-33)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import gettext as _

from muster.engine.compare import OTHER, UNKNOWN
from muster.groups.policies import Told
from muster.groups.queries.comparison import BreakdownView, ComparisonView, SpendView
from muster.rules.describe.words import Words
from muster.web.charts import share_widths

# So that two columns beside each other are about as long.
_ORDER = ("age_group", "gender", "device_family", "country", "last_used_days")


@dataclass(frozen=True)
class Pair:
    """One value: shares from 0 to 1 with the widths of their bars, None where they are not told."""

    label: str
    group: float | None
    everyone: float | None
    group_width: str | None
    everyone_width: str | None
    group_small: bool
    everyone_small: bool


@dataclass(frozen=True)
class Pairs:
    title: str
    rows: list[Pair]


def pairs_of(found: ComparisonView, words: Words) -> list[Pairs]:
    labels = _recency()

    def label(key: str, value: str) -> str:
        if value == UNKNOWN:
            return _("never") if key == "last_used_days" else _("unknown")
        if value == OTHER and key == "country":
            return _("other")
        if key == "last_used_days":
            return labels.get(value, value)
        return words.formats.country(value) if key == "country" else words.names.value(key, value) or value

    return [_pairs(one, found, words, label) for one in sorted(found.breakdowns, key=lambda one: _ORDER.index(one.key))]


def _pairs(one: BreakdownView, found: ComparisonView, words: Words, label: Callable[[str, str], str]) -> Pairs:
    # Nobody anywhere is no row worth reading.
    shares = [share for share in one.shares if share.population.small or share.population.size]
    group = [_share(share.group, found.size) for share in shares]
    everyone = [_share(share.population, found.available_customers) for share in shares]
    widths = share_widths([*group, *everyone])
    rows = [
        Pair(
            label(one.key, share.value),
            group[place],
            everyone[place],
            widths[place],
            widths[len(shares) + place],
            share.group.small,
            share.population.small,
        )
        for place, share in enumerate(shares)
    ]
    title = _("Last use") if one.key == "last_used_days" else words.names.attribute(one.key)
    return Pairs(title, rows)


def _recency() -> dict[str, str]:
    return {
        "7": _("up to 7 days ago"),
        "30": _("7 to 30 days ago"),
        "90": _("30 to 90 days ago"),
        "more": _("earlier"),
    }


def _share(part: Told, whole: Told) -> float | None:
    return part.size / whole.size if part.size is not None and whole.size else None


def spent_each(spend: SpendView, whole: Told) -> Decimal | None:
    """Spending over everybody of the whole, those who bought nothing too."""
    return round(spend.total / whole.size, 2) if spend.total is not None and whole.size else None


def buyers_share(spend: SpendView, whole: Told) -> float | None:
    return _share(spend.buyers, whole)
