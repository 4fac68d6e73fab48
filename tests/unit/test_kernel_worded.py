"""Texts that remember their template: English to whoever treats them as text."""

from __future__ import annotations

import json
import pickle
from pathlib import Path

import pytest

from muster.kernel.worded import Worded, both, each, either, word, worded


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (worded("There is no app `{key}`.", key="notes"), "There is no app `notes`."),
        (worded("{lost:,} of {rows} are lost.", lost=12_345, rows=54_321), "12,345 of 54321 are lost."),
        # What stands in a value, and braces that are no placeholder, stay as they are.
        (worded("{name}: {other}", name="{other} %s {", other="100 %"), "{other} %s {: 100 %"),
        (worded('write {"{raw}": "amount"} as %d/%m, {none}', raw="sum"), 'write {"sum": "amount"} as %d/%m, {none}'),
        (worded("{place} is full", place=Path("/var/lib")), "/var/lib is full"),
    ],
)
def test_worded_text_is_its_english_sentence(text: Worded, said: str) -> None:
    assert (text, json.loads(json.dumps([text]))) == (said, [said])


def test_worded_text_survives_pickling_with_its_template() -> None:
    text = worded("cannot be undone: {reason}", reason=word("import", "expired"))
    again = pickle.loads(pickle.dumps(text))
    assert (again, again.template, again.values["reason"].context) == (text, text.template, "import")


def test_worded_text_keeps_no_error_alive() -> None:
    assert type(worded("not YAML: {error}", error=ValueError("tab")).values["error"]) is str


def test_words_are_joined_as_english_joins_them() -> None:
    assert [join(["a", "b", "c"]) for join in (either, both, each)] == ["a or b or c", "a and b and c", "a, b, c"]
    assert either([word("import", "done")]) == "done"
