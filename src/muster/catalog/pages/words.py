"""What things of the catalog are called in the reader's language."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

from django.utils.translation import get_language

from muster.rules.describe.words import Names, load_words


def reader_language() -> str:
    return (get_language() or "en")[:2]


@lru_cache
def _names(language: str) -> Names:
    return load_words(language).names


def attribute_name(key: str, label: Mapping[str, str] | None = None) -> str:
    """The label somebody gave it, the word of the house for a standard one, else its key."""
    return _label(label) or _names(reader_language()).attribute(key)


def event_name(key: str, label: Mapping[str, str] | None = None) -> str:
    return _label(label) or _names(reader_language()).event(key)


def value_name(attribute: str, value: str) -> str:
    """The word of the house for a value of a category; the value itself where there is none."""
    return _names(reader_language()).value(attribute, value) or value


def _label(label: Mapping[str, str] | None) -> str:
    if not label:
        return ""
    return label.get(reader_language()) or next(iter(label.values()), "")
