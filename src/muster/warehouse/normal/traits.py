"""Standard traits in the form the warehouse keeps them in, decided once per distinct value (C-16, C-17)."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Callable
from typing import Any, NamedTuple

from muster.rules.vocabulary import Type
from muster.warehouse.normal.countries import country_code
from muster.warehouse.normal.genders import gender_of
from muster.warehouse.normal.instants import parse_day, parse_instant
from muster.warehouse.normal.languages import language_tag
from muster.warehouse.normal.values import attribute_value, text_of
from muster.warehouse.normal.zones import zone_name

LONGEST_TEXT_BYTES = 1024  # C-4
OLDEST_AGE = 120


class Taken(NamedTuple):
    """`value` is JSON text, `null` removes; `code` says why a value was not taken (then `value` is None)."""

    value: str | None
    code: str | None = None


def normal_trait(attribute: str, value: str) -> Taken:
    """A standard trait's JSON text in its normal form. Ranges that depend on the day are checked by the caller."""
    sent = json.loads(value)
    if sent is None:
        return Taken("null")
    return _NORMAL[attribute](sent)


def _word(read: Callable[[str], str | None], code: str) -> Callable[[Any], Taken]:
    def normal(sent: Any) -> Taken:
        text = text_of(sent)
        known = read(text) if text is not None else None
        if known is None:
            return Taken(None, code)
        return _text(known) if known else Taken("null")

    return normal


def _country(text: str) -> str | None:
    return country_code(text) if text.strip() else ""


def _zone(text: str) -> str | None:
    return zone_name(text) if text.strip() else ""


def _plain(sent: Any) -> Taken:
    text = text_of(sent)
    if text is None:
        return Taken(None, "type_conflict")
    text = text.strip()
    if len(text) <= LONGEST_TEXT_BYTES:
        text = unicodedata.normalize("NFC", text)
    if len(text.encode()) > LONGEST_TEXT_BYTES:
        return Taken(None, "value_too_long")
    return _text(text) if text else Taken("null")


def _age(sent: Any) -> Taken:
    years = attribute_value(sent, Type.NUMBER)
    if not isinstance(years, float):
        return Taken(None, "type_conflict")
    return Taken(str(int(years))) if 0 <= years < OLDEST_AGE + 1 else Taken(None, "value_out_of_range")


def _birthday(sent: Any) -> Taken:
    """A day, or the day an instant is written with: libraries send midnight UTC for a day."""
    day = parse_day(sent[:10]) if isinstance(sent, str) and (len(sent) == 10 or parse_instant(sent)) else None
    return _text(day.isoformat()) if day else Taken(None, "type_conflict")


def _instant(sent: Any) -> Taken:
    if not isinstance(sent, str):
        return Taken(None, "type_conflict")
    instant = parse_instant(f"{sent}T00:00:00Z" if len(sent) == 10 else sent)
    if instant is None:
        return Taken(None, "type_conflict")
    return _text(instant.isoformat(timespec="microseconds").replace("+00:00", "Z"))


def _text(text: str) -> Taken:
    return Taken(json.dumps(text, ensure_ascii=False))


_NORMAL: dict[str, Callable[[Any], Taken]] = {
    "age": _age,
    "birthday": _birthday,
    "gender": _word(gender_of, "gender_unknown"),
    "country": _word(_country, "country_unknown"),
    "language": _word(language_tag, "language_unknown"),
    "time_zone": _word(_zone, "time_zone_unknown"),
    "name": _plain,
    "first_name": _plain,
    "last_name": _plain,
    "phone": _plain,
    "created_at": _instant,
}
STANDARD_TRAITS = frozenset(_NORMAL)
