"""Reads the JSON text of a definition strictly: one meaning for every reader, or an error."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any, NoReturn

from muster.kernel.worded import worded
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
        raise _invalid(worded("This is not UTF-8: byte {byte} cannot be read.", byte=error.start + 1)) from error
    except json.JSONDecodeError as error:
        raise _invalid(
            worded(
                "This is not JSON: {problem} in line {lineno}, column {colno}.",
                problem=error.msg,
                lineno=error.lineno,
                colno=error.colno,
            )
        ) from error
    except RecursionError as error:
        message = worded("The definition is nested too deeply; at most 8 levels are allowed.")
        raise DefinitionInvalid([Problem("", TOO_MANY_CONDITIONS, message)]) from error


def too_long(length_bytes: int) -> DefinitionInvalid:
    message = worded(
        "The definition is {length_bytes} bytes of JSON; at most {most} are allowed.",
        length_bytes=length_bytes,
        most=LONGEST_BYTES,
    )
    return DefinitionInvalid([Problem("", TOO_MANY_CONDITIONS, message)])


def _invalid(message: str) -> DefinitionInvalid:
    return DefinitionInvalid([Problem("", DEFINITION_INVALID, message)])


def _refuse_constant(name: str) -> NoReturn:
    raise _invalid(worded("{name} is not a number of JSON.", name=name))


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        keys = [key for key, _ in pairs]
        repeated = next(key for key in keys if keys.count(key) > 1)
        raise _invalid(
            worded("The field `{repeated}` stands twice in one object; keep one of them.", repeated=repeated)
        )
    return document
