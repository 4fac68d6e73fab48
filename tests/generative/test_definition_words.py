"""Descriptions exist for every valid definition in every language (G-12)."""

from __future__ import annotations

import pytest
from hypothesis import given, settings

from muster.rules.describe.expression import expression
from muster.rules.describe.sentence import sentence
from muster.rules.describe.words import LANGUAGES, load_words
from muster.rules.nodes import Definition
from tests.generative.definitions import definitions
from tests.spec.rules.vocabularies import VOCABULARY


@pytest.mark.parametrize("language", LANGUAGES)
@settings(deadline=None)
@given(definition=definitions(VOCABULARY))
def test_every_definition_reads_as_a_sentence_and_an_expression(language: str, definition: Definition) -> None:
    words = load_words(language)
    text = sentence(definition, words)
    assert (text[-1], text.count("{"), text.count("  "), text.count(" ,")) == (".", 0, 0, 0)
    assert expression(definition, words).count("{") == 0
