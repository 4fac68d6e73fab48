"""What errors say, in the language of who reads."""

from __future__ import annotations

import pytest
from django.utils.translation import override

from muster.kernel.worded import Worded, either, word, worded
from muster.web.wording import said


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "Name 1 to 10,000 customers."),
        ("de", "Nennen Sie 1 bis 10.000 Kunden."),
        ("fr", "Indiquez de 1 à 10\u202f000 clients."),
    ],
)
def test_sentence_groups_numbers_as_its_language_does(language: str, text: str) -> None:
    with override(language):
        assert said(worded("Name 1 to {most:,} customers.", most=10_000)) == text


@pytest.mark.parametrize(
    ("text", "german"),
    [
        ("The file is empty.", "Die Datei ist leer."),
        ("Nobody has translated this: {x}", "Nobody has translated this: {x}"),
        ("", ""),
        (worded("There is no app `{key}`.", key="{key}"), "Es gibt keine App `{key}`."),
        # The same word in English, of other things.
        (word("import", "failed"), "fehlgeschlagen"),
        (either([word("import", "done"), word("import", "undoing")]), "angewendet oder in Rücknahme"),
        (
            worded("{problem} ({others} more)", problem=worded("`{field}` is missing", field="app"), others=2),
            "`app` fehlt (2 weitere)",
        ),
    ],
)
def test_what_is_worded_is_said_in_german(text: str | Worded, german: str) -> None:
    with override("de"):
        assert said(text) == german
