"""Reads the JSON of senders who know it less well: halves of surrogate pairs, NUL, numbers of any length."""

from __future__ import annotations

import json
import re
from typing import Any

import msgspec

from muster.warehouse.messages.errors import MessageRefused
from muster.warehouse.messages.marks import MOST_MARKS, has_too_many_marks
from muster.warehouse.normal.values import is_finite, is_number

DEEPEST = 32
# A text that is worth a look is longer.
_SHORT = 1_024
# Beyond what a double can hold, 1.8e308, a whole number is as long as this.
_LONG_NUMBER = re.compile(rb"\d{309}")

_decode = msgspec.json.Decoder().decode


def read_value(raw: bytes) -> Any:
    """The value of a JSON text: integers exact, halves of surrogate pairs as U+FFFD, without NUL.

    `MessageRefused`: `item_invalid` for what is no JSON (NaN is none), has a number that no double can hold or more
    combining marks than any text; `too_deep` beyond 32 levels.
    """
    try:
        value = _decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        value = _read_leniently(raw)
    if raw.count(b"{") + raw.count(b"[") > DEEPEST:
        _check_depth(value)
    if len(raw) > _SHORT and has_too_many_marks(value):
        raise MessageRefused(f"A text in it has more than {MOST_MARKS} combining marks in a row.", code="item_invalid")
    if b"\\u0000" in raw or _LONG_NUMBER.search(raw):
        value = _texts_changed(value, _without_nul)
    return value


def _read_leniently(raw: bytes) -> Any:
    try:
        value = json.loads(raw.decode("utf-8", "replace"), parse_constant=_refuse_constant)
    except RecursionError:
        raise MessageRefused("It is more than 32 levels deep.", code="too_deep") from None
    except ValueError as error:
        raise MessageRefused(f"It is not JSON: {error}.", code="item_invalid") from None
    _check_depth(value)
    return _texts_changed(value, _whole_letters)


def _refuse_constant(word: str) -> Any:
    raise ValueError(f"{word} is no value")


def _check_depth(value: Any) -> None:
    level = [value]
    for _ in range(DEEPEST):
        level = [inner for outer in level for inner in _inside(outer)]
        if not level:
            return
    raise MessageRefused("It is more than 32 levels deep.", code="too_deep")


def _inside(value: Any) -> list[Any]:
    """The lists and objects directly in a value, itself standing for one level."""
    if isinstance(value, dict):
        return [inner for inner in value.values() if isinstance(inner, dict | list)]
    return [inner for inner in value if isinstance(inner, dict | list)] if isinstance(value, list) else []


def _texts_changed(value: Any, change: Any) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list):
        return [_texts_changed(inner, change) for inner in value]
    if isinstance(value, dict):
        return {change(key): _texts_changed(inner, change) for key, inner in value.items()}
    if is_number(value) and not is_finite(value):
        raise MessageRefused("A number in it is too large.", code="item_invalid")
    return value


def _without_nul(text: str) -> str:
    return text.replace("\0", "")


def _whole_letters(text: str) -> str:
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
