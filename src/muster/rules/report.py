"""Collects the problems of one document, so that a person sees all of them at once (G-10)."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from decimal import Decimal

from muster.kernel.text import fold
from muster.kernel.worded import Worded, worded
from muster.rules.errors import DEFINITION_INVALID, Problem

# Comparing a word with thousands of event names takes milliseconds; a document full of unknown names must not take
# seconds.
_SUGGESTIONS = 20
_LONGEST_WORD = 100
_SHOWN_LENGTH = 60


class Report:
    """The problems found so far. Readers report and go on with a harmless placeholder: a document with problems is
    never returned."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self.condition_count = 0
        self._suggestions_left = _SUGGESTIONS

    def add(self, pointer: str, code: str, message: str, nearest: str | None = None) -> None:
        if nearest is not None:
            message = worded("{problem}; did you mean `{nearest}`?", problem=message, nearest=nearest)
        elif not message.endswith((".", "?")):
            message = worded("{problem}.", problem=message)
        self.problems.append(Problem(pointer, code, message, nearest))

    def add_unknown(self, pointer: str, code: str, message: Worded, word: str, choices: Iterable[str]) -> None:
        """Reports the message with the nearest of the choices."""
        self.add(pointer, code, message, self.nearest(word, choices))

    def nearest(self, word: str, choices: Iterable[str]) -> str | None:
        if not self._suggestions_left or len(word) > _LONGEST_WORD:
            return None
        self._suggestions_left -= 1
        by_folded = {fold(choice): choice for choice in choices}
        matches = difflib.get_close_matches(fold(word), by_folded, n=1)
        return by_folded[matches[0]] if matches else None


def shown(value: object) -> str:
    """A value of the document as it stands in a sentence: short, on one line."""
    text = value if isinstance(value, str) else _json_like(value)
    text = "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text)
    return f"`{text[:_SHOWN_LENGTH]}…`" if len(text) > _SHOWN_LENGTH else f"`{text}`"


def _json_like(value: object) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, list):
        return "a list"
    if isinstance(value, dict):
        return "an object"
    # Not str(): it refuses integers of thousands of digits.
    return format(Decimal(value)) if isinstance(value, int) else str(value)


def below(pointer: str, field: str | int) -> str:
    """The JSON Pointer (RFC 6901) of a field or item."""
    return f"{pointer}/{str(field).replace('~', '~0').replace('/', '~1')}"


def read_object(
    report: Report, raw: object, pointer: str, required: tuple[str, ...], optional: tuple[str, ...] = ()
) -> Mapping[str, object]:
    """The known fields of an object; reports a non-object, missing and unknown fields."""
    if not isinstance(raw, dict):
        report.add(pointer, DEFINITION_INVALID, worded("{value} stands where an object must be", value=shown(raw)))
        return {}
    known = required + optional
    for field in raw:
        if field not in known:
            message = worded("unknown field {word}", word=shown(str(field)))
            report.add_unknown(below(pointer, field), DEFINITION_INVALID, message, str(field), known)
    for field in required:
        if field not in raw:
            report.add(pointer, DEFINITION_INVALID, worded("`{field}` is missing", field=field))
    return {field: raw[field] for field in known if field in raw}


def read_list(report: Report, raw: object, pointer: str, longest: int, code: str) -> list[object]:
    """A list of 1..`longest` items; `code` reports a longer one. The empty list is an error, never everybody (G-10)."""
    if not isinstance(raw, list):
        report.add(pointer, DEFINITION_INVALID, worded("{value} stands where a list must be", value=shown(raw)))
        return []
    if not raw:
        report.add(
            pointer, DEFINITION_INVALID, worded("an empty list selects nothing and nobody; add an item or remove it")
        )
    if len(raw) > longest:
        report.add(
            pointer,
            code,
            worded("a list of {length} items; at most {longest} are allowed here", length=len(raw), longest=longest),
        )
        return []
    return raw


def read_text(report: Report, raw: object, pointer: str, code: str, longest: int | None = None) -> str:
    """A text that every store can keep: no NUL, no lone surrogate; empty text is refused where a length is given."""
    if not isinstance(raw, str):
        report.add(pointer, code, worded("{value} stands where a text must be", value=shown(raw)))
        return ""
    if "\0" in raw or any("\ud800" <= letter <= "\udfff" for letter in raw):
        report.add(
            pointer, code, worded("this text holds a character that no store can keep (NUL or half a surrogate pair)")
        )
        return ""
    if longest is not None and not 1 <= len(raw) <= longest:
        report.add(
            pointer,
            code,
            worded("a text of {length} characters; 1 to {longest} are allowed here", length=len(raw), longest=longest),
        )
        return ""
    return raw
