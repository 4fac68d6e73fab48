"""Reads the JSON of a request strictly: one meaning for every reader, or an error that says where it went wrong."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any, NoReturn

from django.http import HttpRequest
from ninja.parser import Parser

from muster.kernel.worded import worded
from muster.web.errors import WebError


class StrictParser(Parser):
    """Numbers with a fraction become Decimal; repeated keys, NaN and texts that no store can keep are refused."""

    def parse_body(self, request: HttpRequest) -> Any:
        return parse_body(request.body)


def parse_body(body: bytes) -> Any:
    """The document; `json_unreadable` with line and column."""
    try:
        document = json.loads(
            body.decode("utf-8-sig"), parse_float=Decimal, parse_constant=_refuse_constant, object_pairs_hook=_unique
        )
    except UnicodeDecodeError as error:
        raise _unreadable(worded("The body is not UTF-8: byte {byte} cannot be read.", byte=error.start + 1)) from error
    except json.JSONDecodeError as error:
        message = worded(
            "The body is not JSON: {problem} in line {lineno}, column {colno}.",
            problem=error.msg,
            lineno=error.lineno,
            colno=error.colno,
        )
        raise _unreadable(message) from error
    except RecursionError as error:
        raise _unreadable(worded("The body is nested too deeply.")) from error
    except ValueError as error:
        # Python refuses whole numbers of more than 4,300 digits.
        raise _unreadable(worded("The body holds a number of too many digits.")) from error
    _refuse_unstorable(document, body)
    return document


def _refuse_unstorable(document: Any, body: bytes) -> None:
    # Both can only be written as escapes, so that nearly every body is passed without being walked.
    if b"\\u0000" not in body and b"\\ud" not in body.lower():
        return
    text = json.dumps(document, ensure_ascii=False, default=str)
    if "\\u0000" in text or any("\ud800" <= letter <= "\udfff" for letter in text):
        raise _unreadable(worded("The body holds a character that no store can keep (NUL or half a surrogate pair)."))


def _refuse_constant(name: str) -> NoReturn:
    raise _unreadable(worded("The body is not JSON: {name} is not a number of JSON.", name=name))


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        keys = [key for key, _ in pairs]
        repeated = next(key for key in keys if keys.count(key) > 1)
        raise _unreadable(
            worded("The field `{repeated}` stands twice in one object; keep one of them.", repeated=repeated)
        )
    return document


def _unreadable(message: str) -> WebError:
    return WebError(message, code="json_unreadable")
