"""The catalogues of pages and forms: complete, not more, with all placeholders, in the typography of D-49."""

from __future__ import annotations

import re

import pytest
from babel.messages.catalog import Catalog
from scripts.page_messages import LANGUAGES, LOCALE, formatted_errors, messages_of_source, read_catalogue

# `{name}` is of `kernel.worded`, as is `{count:,}`.
_PLACEHOLDER = re.compile(r"%\(\w+\)s|\{\w+(?::,)?\}")
# What people type stays as it is typed.
_TYPED = re.compile(r"`[^`]*`|https://|external:|\{\w+:,\}")


def _texts(text: object) -> list[str]:
    return [text] if isinstance(text, str) else [str(item) for item in text]  # type: ignore[attr-defined]  # str, tuple or list


def _catalogue(language: str) -> Catalog:
    return read_catalogue(LOCALE / language / "LC_MESSAGES" / "django.po")


@pytest.mark.parametrize("language", LANGUAGES)
def test_catalogue_translates_what_the_source_says_and_nothing_else(language: str) -> None:
    messages = [message for message in _catalogue(language) if message.id]
    assert {(message.context, *_texts(message.id)) for message in messages} == {
        (context, *_texts(text)) for context, text in messages_of_source()
    }
    assert [message.id for message in messages if message.fuzzy or not all(_texts(message.string))] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_placeholders_of_pages_agree(language: str) -> None:
    for message in _catalogue(language):
        wanted = {tuple(sorted(_PLACEHOLDER.findall(text))) for text in _texts(message.id)}
        given = {tuple(sorted(_PLACEHOLDER.findall(text))) for text in _texts(message.string)}
        assert given == wanted, message.id


@pytest.mark.parametrize(
    ("language", "wrong"),
    [
        # Straight or foreign quotation marks; a sign without the no-break space it wants before or after it.
        ("de", re.compile(r"[\"'”«»]|[^\u00a0]%(?!\()")),
        ("fr", re.compile(r"[\"'“”„]|[^\u00a0\u202f][»:;!?]|«[^\u00a0]")),
    ],
)
def test_typography_of_pages_is_that_of_the_language(language: str, wrong: re.Pattern[str]) -> None:
    texts = [text for message in _catalogue(language) if message.id for text in _texts(message.string)]
    assert [text for text in texts if wrong.search(_TYPED.sub("", text))] == []


def test_no_error_is_made_with_a_text_that_forgets_its_template() -> None:
    """`worded` instead of an f-string: pages say it in the reader's language."""
    assert formatted_errors() == []
