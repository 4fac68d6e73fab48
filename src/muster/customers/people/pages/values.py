"""Values of customers as the reader writes them."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from muster.catalog.pages.words import value_name
from muster.rules.vocabulary import Type
from muster.web.templatetags.web import reader_formats

# What customers are asked for everywhere; definitions cannot ask it, so `rules` has no word for it.
TRAIT_LABELS = {
    "name": gettext_lazy("Name"),
    "first_name": gettext_lazy("First name"),
    "last_name": gettext_lazy("Last name"),
    "phone": gettext_lazy("Phone"),
    "birthday": gettext_lazy("Birthday"),
    "created_at": gettext_lazy("Signed up"),
}
_MICRO = Decimal("0.000001")


def money_of(micros: int | None) -> Decimal | None:
    """An amount kept in millionths."""
    return None if micros is None else (Decimal(micros) * _MICRO).normalize()


def shown_value(key: str, kind: Type, value: Any, currency: str) -> str:
    """One attribute's value as text; money is in the publisher's currency."""
    formats = reader_formats(currency)
    match value:
        case bool():
            return _("yes") if value else _("no")
        case datetime():
            return formats.instant(value)
        case date():
            return formats.day(value)
        case list() | tuple():
            return formats.list_and([str(one) for one in value])
        case int() if kind is Type.MONEY:
            return formats.money(money_of(value) or Decimal(0))
        case Decimal() if kind is Type.MONEY:
            return formats.money(value)
        case int() | float() | Decimal():
            return formats.number(Decimal(str(value)))
    if key == "country":
        return formats.country(value)
    if kind is Type.TIMESTAMP:
        return formats.instant(datetime.fromisoformat(value))
    return value_name(key, str(value))
