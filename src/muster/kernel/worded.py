"""An English text that remembers how it was made, so that a page can say it in the reader's language."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import reduce
from typing import Any, Self

# `{name}`, or `{count:,}` for a number that is grouped as the language does it. Other braces are text.
_PLACEHOLDER = re.compile(r"\{(\w+)(:,)?\}")


def _grouped(number: Any) -> str:
    return f"{number:,}"


def fill(template: str, values: Mapping[str, object], grouped: Callable[[Any], str] = _grouped) -> str:
    """The template with its values; what stands in a value is never read as a placeholder."""

    def written(found: re.Match[str]) -> str:
        name, is_count = found.groups()
        if name not in values:
            return found[0]
        return grouped(values[name]) if is_count else str(values[name])

    return _PLACEHOLDER.sub(written, template)


class Worded(str):
    """To programs, JSON and stores a text like any other. Values are numbers, texts, or worded themselves.

    `context` tells apart what is one word in English and several in other languages.
    """

    template: str
    values: Mapping[str, int | str]
    context: str

    def __new__(cls, template: str, values: Mapping[str, object], context: str = "") -> Self:
        text = super().__new__(cls, fill(template, values))
        text.template = template
        # An error kept here would keep the frames of its traceback.
        text.values = {
            name: value if isinstance(value, (int, Worded)) else str(value) for name, value in values.items()
        }
        text.context = context
        return text

    def __reduce__(self) -> tuple[type[Self], tuple[str, Mapping[str, int | str], str]]:
        return type(self), (self.template, self.values, self.context)


def worded(template: str, /, **values: object) -> Worded:
    """The sentence of an error, or a part of one."""
    return Worded(template, values)


def word(context: str, text: str) -> Worded:
    """A word that stands in such sentences: `word("import", "expired")`."""
    return Worded(text, {}, context)


def either(words: Iterable[str]) -> str:
    """One or more of them, joined by "or"."""
    return reduce(lambda first, other: worded("{first} or {other}", first=first, other=other), words)


def both(words: Iterable[str]) -> str:
    """One or more of them, joined by "and"."""
    return reduce(lambda first, other: worded("{first} and {other}", first=first, other=other), words)


def each(words: Iterable[str]) -> str:
    """One or more of them, parted by commas."""
    return reduce(lambda first, other: worded("{first}, {other}", first=first, other=other), words)
