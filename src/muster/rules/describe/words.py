"""The language a definition is described in: translations, formats of values, names of things."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from gettext import NullTranslations, translation
from pathlib import Path
from typing import Protocol

from muster.rules.describe.labels import ATTRIBUTE_LABELS, VALUE_LABELS
from muster.rules.describe.messages import Message, PluralMessage, message, plural
from muster.rules.moments import format_instant
from muster.rules.standard import STANDARD_ATTRIBUTES
from muster.rules.vocabulary import Attribute, Type

LOCALE_FOLDER = Path(__file__).parents[1] / "locale"
LANGUAGES = ("en", "de", "fr")


class Formats(Protocol):
    """How a reader writes values. All answers are plain text without markup."""

    def number(self, number: Decimal) -> str: ...
    def money(self, amount: Decimal) -> str:
        """An amount in the publisher's currency."""

    def percent(self, percent: Decimal) -> str:
        """`percent` of a hundred, with its sign."""

    def day(self, day: date) -> str: ...
    def instant(self, instant: datetime) -> str: ...
    def duration(self, length: timedelta) -> str:
        """A number and one unit, as `count_units` gives them, in the nominative: "24 hours"."""

    def list_and(self, items: Sequence[str]) -> str: ...
    def list_or(self, items: Sequence[str]) -> str: ...
    def country(self, code: str) -> str:
        """The name of an ISO 3166-1 code, or the code."""


class Names(Protocol):
    """What things are called. Answers are names as people see them, without quotation marks."""

    def attribute(self, key: str) -> str: ...
    def attribute_type(self, key: str) -> Type | None:
        """The type that tells money from numbers and versions from texts; None if unknown."""

    def value(self, attribute: str, value: str) -> str | None:
        """The label of one value of a category; None if it has none."""

    def event(self, key: str) -> str: ...
    def app(self, key: str) -> str: ...
    def group(self, identifier: str) -> str: ...


def count_units(length: timedelta) -> tuple[int, str]:
    """The number and unit (days, hours, minutes, seconds) that say a length in one unit.

    Never one day, hour or minute but 24 hours, 60 minutes, 60 seconds: a window is a length and no calendar day, and
    "the last {duration}" stays plural in every language.
    """
    seconds = length.days * 86_400 + length.seconds
    for unit, unit_seconds in (("days", 86_400), ("hours", 3_600), ("minutes", 60)):
        if seconds % unit_seconds == 0 and seconds > unit_seconds:
            return seconds // unit_seconds, unit
    return seconds, "seconds"


_UNITS = {
    "days": plural("duration", "{count} day", "{count} days"),
    "hours": plural("duration", "{count} hour", "{count} hours"),
    "minutes": plural("duration", "{count} minute", "{count} minutes"),
    "seconds": plural("duration", "{count} second", "{count} seconds"),
}
_AND_OF_TWO = message("list", "{first} and {second}")
_AND_AT_END = message("list", "{list}, and {last}")
_OR_OF_TWO = message("list", "{first} or {second}")
_OR_AT_END = message("list", "{list}, or {last}")
_MORE = message("list", "{list}, {next}")


@dataclass(frozen=True)
class PlainFormats:
    """Formats without a locale database: ISO days, bare numbers; lists and units from the catalogue."""

    translations: NullTranslations

    def number(self, number: Decimal) -> str:
        return f"{number:f}"

    def money(self, amount: Decimal) -> str:
        return f"{amount:f}"

    def percent(self, percent: Decimal) -> str:
        return say(self.translations, message("number", "{number}%"), number=f"{percent:f}")

    def day(self, day: date) -> str:
        return day.isoformat()

    def instant(self, instant: datetime) -> str:
        return format_instant(instant)

    def duration(self, length: timedelta) -> str:
        count, unit = count_units(length)
        return say(self.translations, _UNITS[unit], count, count=count)

    def list_and(self, items: Sequence[str]) -> str:
        return self._list(items, _AND_OF_TWO, _AND_AT_END)

    def list_or(self, items: Sequence[str]) -> str:
        return self._list(items, _OR_OF_TWO, _OR_AT_END)

    def country(self, code: str) -> str:
        return code

    def _list(self, items: Sequence[str], of_two: Message, at_end: Message) -> str:
        if len(items) == 2:
            return say(self.translations, of_two, first=items[0], second=items[1])
        *others, last = items
        if not others:
            return last
        text = others[0]
        for item in others[1:]:
            text = say(self.translations, _MORE, list=text, next=item)
        return say(self.translations, at_end, list=text, last=last)


@dataclass(frozen=True)
class PlainNames:
    """Names without a catalog of things: the standard attributes and categories in the reader's language, else keys."""

    translations: NullTranslations
    attributes: Mapping[str, Attribute] = field(default_factory=lambda: STANDARD_ATTRIBUTES)

    def attribute(self, key: str) -> str:
        label = ATTRIBUTE_LABELS.get(key)
        return say(self.translations, label) if label else key

    def attribute_type(self, key: str) -> Type | None:
        attribute = self.attributes.get(key)
        return attribute.type if attribute else None

    def value(self, attribute: str, value: str) -> str | None:
        label = VALUE_LABELS.get(attribute, {}).get(value)
        return say(self.translations, label) if label else None

    def event(self, key: str) -> str:
        return key

    def app(self, key: str) -> str:
        return key

    def group(self, identifier: str) -> str:
        return identifier


@dataclass(frozen=True)
class Words:
    """Everything a description needs to know about its reader."""

    translations: NullTranslations
    formats: Formats
    names: Names

    def say(self, text: Message | PluralMessage, count: int = 0, /, **parts: object) -> str:
        """A message in the reader's language; `count` chooses the form of a plural."""
        return say(self.translations, text, count, **parts)


def say(translations: NullTranslations, text: Message | PluralMessage, count: int = 0, /, **parts: object) -> str:
    if isinstance(text, PluralMessage):
        pattern = translations.npgettext(text.context, text.text, text.plural, count)
    else:
        pattern = translations.pgettext(text.context, text.text)
    # Parts are inserted as they are: braces in somebody's value are never read as placeholders.
    return pattern.format_map(parts)


def load_words(language: str, formats: Formats | None = None, names: Names | None = None) -> Words:
    """The words of a language (`en`, `de`, `fr`); FileNotFoundError if its catalogue has not been compiled.

    Without `formats` and `names` the plain ones are taken; pages bring those of the reader's locale and catalog.
    """
    translations = (
        NullTranslations() if language == "en" else translation("rules", localedir=LOCALE_FOLDER, languages=[language])
    )
    return Words(translations, formats or PlainFormats(translations), names or PlainNames(translations))
