"""Reads the JSON text of a definition strictly: one meaning for every reader, or an error."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any, NoReturn

from muster.rules.errors import DEFINITION_INVALID, TOO_MANY_CONDITIONS, DefinitionInvalid, Problem

LONGEST_BYTES = 64 * 1024


def parse_json(text: str | bytes) -> object:
    """The document, numbers as Decimal. DefinitionInvalid for more than 64 KiB (G-8), bad UTF-8, bad JSON, a repeated
    key (readers differ in which one counts) and NaN or Infinity."""
    raw = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
    if len(raw) > LONGEST_BYTES:
        raise too_long(len(raw))
    try:
        return json.loads(
            raw.decode("utf-8-sig", "surrogatepass" if isinstance(text, str) else "strict"),
            parse_float=Decimal,
            parse_int=Decimal,
            parse_constant=_refuse_constant,
            object_pairs_hook=_unique,
        )
    except UnicodeDecodeError as error:
        raise _invalid(f"This is not UTF-8: byte {error.start + 1} cannot be read.") from error
    except json.JSONDecodeError as error:
        raise _invalid(f"This is not JSON: {error.msg} in line {error.lineno}, column {error.colno}.") from error
    except RecursionError as error:
        problem = Problem("", TOO_MANY_CONDITIONS, "The definition is nested too deeply; at most 8 levels are allowed.")
        raise DefinitionInvalid([problem]) from error


def too_long(length_bytes: int) -> DefinitionInvalid:
    message = f"The definition is {length_bytes} bytes of JSON; at most {LONGEST_BYTES} are allowed."
    return DefinitionInvalid([Problem("", TOO_MANY_CONDITIONS, message)])


def _invalid(message: str) -> DefinitionInvalid:
    return DefinitionInvalid([Problem("", DEFINITION_INVALID, message)])


def _refuse_constant(name: str) -> NoReturn:
    raise _invalid(f"{name} is not a number of JSON.")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        keys = [key for key, _ in pairs]
        repeated = next(key for key in keys if keys.count(key) > 1)
        raise _invalid(f"The field `{repeated}` stands twice in one object; keep one of them.")
    return document
