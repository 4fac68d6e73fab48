"""The value an explanation saw, as the reader writes values."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from muster.engine.explain import Explained
from muster.rules.describe.words import Words
from muster.rules.nodes import AttributeCondition, EventCondition
from muster.rules.vocabulary import Type

_PER_CENT_OF_A_BUCKET = 100


def seen_text(node: Explained, words: Words) -> str:
    """Text without markup; an em dash where nothing was seen."""
    if isinstance(node.node, EventCondition) and node.node.measure.kind == "count":
        return ngettext("%(count)s time", "%(count)s times", node.seen) % {
            "count": words.formats.number(Decimal(node.seen))
        }
    if node.kind == "sequence":
        return ngettext("%(count)s time", "%(count)s times", node.seen) % {"count": node.seen}
    if node.kind == "device":
        return ngettext("%(count)s active device", "%(count)s active devices", len(node.seen)) % {
            "count": len(node.seen)
        }
    if node.kind == "sample":
        return words.formats.percent(Decimal(node.seen) / _PER_CENT_OF_A_BUCKET)
    if node.kind == "everyone":
        return ""
    key = node.node.attribute if isinstance(node.node, AttributeCondition) else None
    return _one(node.seen, key, words)


def _one(value: Any, attribute: str | None, words: Words) -> str:
    if value is None:
        return "—"
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list):
        return words.formats.list_and([_one(one, attribute, words) for one in value]) if value else "—"
    if isinstance(value, datetime):
        return words.formats.instant(value)
    if isinstance(value, date):
        return words.formats.day(value)
    if isinstance(value, int | float | Decimal):
        number = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
        money = attribute is not None and words.names.attribute_type(attribute) is Type.MONEY
        return words.formats.money(number) if money else words.formats.number(number)
    if attribute == "country":
        return words.formats.country(value)
    return (words.names.value(attribute, value) if attribute else None) or str(value)
