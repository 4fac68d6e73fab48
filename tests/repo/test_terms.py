"""Both catalogues say the terms of `docs/terms.csv`, in the typography of D-49 and with every placeholder."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po

_ROOT = Path(__file__).parents[2]
_CATALOGUES = {"web": "django.po", "rules": "rules.po"}
_LANGUAGES = ("de", "fr")
_PLACEHOLDER = re.compile(r"%\(\w+\)s|\{\w+(?::,)?\}")
_TAG = re.compile(r"<[^>]*>")
# What an ending takes from the form in the list; the rest is the stem, to which other endings are put.
_ENDING = {"de": re.compile(r"(?:ung|en|er|es|e|n|s)$"), "fr": re.compile(r"(?:er|es|if|e|s|x|f)$")}
_SHORTEST_STEM = 3
# Where a word of the list is an ordinary one.
_ORDINARY = re.compile(
    # A sequence of steps; and the deed of having somebody erased: neither is bought.
    r"in this order|orders to erase"
    # What remains, and what is not taken up: nobody leaves a group.
    r"|(?:is|are|room) left|left out",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Term:
    """`avoid`: forms nobody writes, by language."""

    en: str
    translations: dict[str, str]
    avoid: dict[str, list[str]]


def _terms() -> list[Term]:
    with (_ROOT / "docs" / "terms.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return [
        Term(
            row["en"],
            {language: row[language] for language in _LANGUAGES},
            {language: [one for one in row[f"avoid_{language}"].split("; ") if one] for language in ("en", "de", "fr")},
        )
        for row in rows
    ]


_TERMS = _terms()


def _said(text: str) -> str:
    """What is read: without placeholders and tags, one kind of apostrophe and of space."""
    bare = _PLACEHOLDER.sub("\N{WHITE SQUARE}", _TAG.sub(" ", text)).replace("'", "’").replace("\u00ad", "")
    return " ".join(bare.split())


def _english(term: str) -> re.Pattern[str]:
    """The term as a whole phrase, one or many of it."""
    if term == "Small":
        return re.compile("^Small$")
    plural = re.escape(term[:-1]) + "(?:y|ies)" if term.endswith("y") else re.escape(term) + "(?:s|es)?"
    return re.compile(rf"(?<![\w-]){plural}(?![\w-])", re.IGNORECASE)


def _inflected(phrase: str, language: str) -> re.Pattern[str]:
    """Every word of the phrase with whatever ending; in German also as a part of a longer word."""
    words = []
    for word in phrase.split():
        stem = _ENDING[language].sub("", word)
        words.append(re.escape(stem if len(stem) >= _SHORTEST_STEM else word) + r"\w{0,4}")
    pattern = r"\s+".join(words)
    return re.compile(pattern if language == "de" else rf"\b{pattern}\b", re.IGNORECASE)


def _avoided(form: str) -> re.Pattern[str]:
    return re.compile(rf"\b{re.escape(form)}(?:e|en|er|es|em|n|s)?\b", re.IGNORECASE)


def _used(text: str) -> list[Term]:
    """The terms of an English text; the longest wins, so that of a customer group no customer is asked."""
    found = []
    text = _ORDINARY.sub("\N{BLACK SQUARE}", text)
    for term in sorted(_TERMS, key=lambda one: -len(one.en)):
        text, count = _english(term.en).subn("\N{BLACK SQUARE}", text)
        found += [term] * bool(count)
    return found


def _avoid(language: str, texts: list[str]) -> list[tuple[str, str]]:
    forms = [form for term in _TERMS for form in term.avoid[language]]
    return [(form, text) for form in forms for text in texts if _avoided(form).search(_said(text))]


def _catalogue(room: str, language: str) -> Catalog:
    path = _ROOT / "src" / "muster" / room / "locale" / language / "LC_MESSAGES" / _CATALOGUES[room]
    with path.open("rb") as file:
        return read_po(file)


def _texts(text: object) -> list[str]:
    return [text] if isinstance(text, str) else [str(one) for one in text]  # type: ignore[attr-defined]  # str, tuple or list


def _messages(language: str) -> Iterator[Message]:
    for room in _CATALOGUES:
        yield from (message for message in _catalogue(room, language) if message.id)


def _misses(message: Message, language: str) -> Iterator[tuple[str, str, str]]:
    english, *_ = _texts(message.id)
    for term in _used(_said(english)):
        wanted = _inflected(term.translations[language], language)
        for text in _texts(message.string):
            if not wanted.search(_said(text)):
                yield term.en, english, text


@pytest.mark.parametrize("language", _LANGUAGES)
def test_translations_use_the_terms_of_the_list(language: str) -> None:
    misses = [miss for message in _messages(language) for miss in _misses(message, language)]
    assert misses == []


@pytest.mark.parametrize("language", _LANGUAGES)
def test_texts_use_no_word_to_avoid(language: str) -> None:
    messages = list(_messages(language))
    assert _avoid(language, [text for message in messages for text in _texts(message.string)]) == []
    assert _avoid("en", [text for message in messages for text in _texts(message.id)]) == []


def test_longest_term_of_a_text_wins() -> None:
    assert [term.en for term in _used("Customer groups of this app; in this order")] == ["customer group", "app"]


@pytest.mark.parametrize(
    ("language", "phrase", "text", "found"),
    [
        ("de", "verfügbare Kunden", "der verfügbaren Kunden", True),
        ("de", "Bestellung", "Bestellnummer", True),
        ("de", "Kunde", "diese Person", False),
        ("de", "Übermittlung", "Ubermittlung", False),
        ("fr", "segment inactif", "des segments inactifs", True),
        ("fr", "client", "clientèle", True),
        ("fr", "rang", "orange", False),
    ],
)
def test_term_is_found_in_any_form(language: str, phrase: str, text: str, found: bool) -> None:
    assert bool(_inflected(phrase, language).search(text)) is found


def test_list_is_complete_and_names_every_term_once() -> None:
    assert [term.en for term in _TERMS if not all(term.translations.values())] == []
    assert len({term.en.casefold() for term in _TERMS}) == len(_TERMS)
