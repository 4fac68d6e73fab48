"""The catalogues of `rules`: complete, not fuzzy, with all placeholders, in the typography of D-49."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from muster.rules.describe.words import LANGUAGES, LOCALE_FOLDER

_KEYWORDS: dict[str, Any] = {"message": ((1, "c"), 2), "plural": ((1, "c"), 2, 3)}
_TRANSLATED = [language for language in LANGUAGES if language != "en"]
_PLACEHOLDER = re.compile(r"\{\w+\}")


def _catalogue(path: Path) -> Catalog:
    with path.open("rb") as file:
        return read_po(file)


def _translation(language: str) -> Catalog:
    return _catalogue(LOCALE_FOLDER / language / "LC_MESSAGES" / "rules.po")


def _messages(catalogue: Catalog) -> dict[tuple[str | None, str], Any]:
    return {(message.context, _texts(message.id)[0]): message for message in catalogue if message.id}


def _texts(text: str | tuple[str, ...] | list[str]) -> list[str]:
    return [text] if isinstance(text, str) else list(text)


def _extracted() -> set[tuple[str | None, str]]:
    found = extract_from_dir(LOCALE_FOLDER.parent, [("**.py", "python")], keywords=_KEYWORDS)
    return {(context, _texts(text)[0]) for _, _, text, _, context in found}


def test_template_holds_the_messages_of_the_source() -> None:
    assert set(_messages(_catalogue(LOCALE_FOLDER / "rules.pot"))) == _extracted()


@pytest.mark.parametrize("language", _TRANSLATED)
def test_catalogue_is_complete_and_holds_nothing_else(language: str) -> None:
    messages = _messages(_translation(language))
    assert set(messages) == _extracted()
    untranslated = [key for key, message in messages.items() if not all(_texts(message.string))]
    assert untranslated == []


@pytest.mark.parametrize("language", _TRANSLATED)
def test_nothing_is_fuzzy_or_obsolete(language: str) -> None:
    catalogue = _translation(language)
    assert [message.id for message in catalogue if message.id and message.fuzzy] == []
    assert list(catalogue.obsolete) == []


@pytest.mark.parametrize("language", _TRANSLATED)
def test_placeholders_agree(language: str) -> None:
    for message in _translation(language):
        wanted = {tuple(sorted(_PLACEHOLDER.findall(text))) for text in _texts(message.id)}
        given = {tuple(sorted(_PLACEHOLDER.findall(text))) for text in _texts(message.string)}
        assert given == wanted, message.id


@pytest.mark.parametrize(
    ("language", "wrong"),
    [
        # Straight or foreign quotation marks; a sign without the no-break space it wants before or after it.
        ("de", re.compile(r"[\"'”«»]|[^\u00a0]%")),
        ("fr", re.compile(r"[\"'“”„]|[^\u00a0][»:;!?%]|«[^\u00a0]")),
    ],
)
def test_typography_is_that_of_the_language(language: str, wrong: re.Pattern[str]) -> None:
    """D-49"""
    texts = [text for message in _translation(language) if message.id for text in _texts(message.string)]
    assert [text for text in texts if wrong.search(text)] == []
