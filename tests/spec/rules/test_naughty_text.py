"""Strings that break software, as values and as names (big-list-of-naughty-strings, MIT, tests/data/text)."""

from __future__ import annotations

import json
import unicodedata
from typing import Any

import pytest

from muster.rules.canonical import condition_hash
from muster.rules.codec import decode, decode_json, encode
from muster.rules.describe.expression import expression
from muster.rules.describe.sentence import sentence
from muster.rules.describe.words import LANGUAGES, load_words
from muster.rules.errors import DefinitionInvalid
from muster.rules.nodes import AttributeCondition, EventCondition
from muster.rules.vocabulary import Attribute, Event, Scope, Type, Vocabulary
from tests.naughty import NAUGHTY
from tests.spec.rules.vocabularies import VOCABULARY

_WORDS = [load_words(language) for language in LANGUAGES]


def test_every_naughty_string_is_a_value_that_comes_back_unchanged() -> None:
    for text in NAUGHTY:
        document = {"version": 1, "app": None, "match": {"attribute": "campaign_id", "op": "is", "value": text}}
        definition = decode(document, VOCABULARY)
        assert definition.match == AttributeCondition("campaign_id", "is", unicodedata.normalize("NFC", text))
        assert decode_json(json.dumps(encode(definition)), VOCABULARY) == definition
        assert len(condition_hash(definition.match)) == 64


def test_every_naughty_string_is_shown_as_it_is() -> None:
    for text in NAUGHTY:
        document = {"version": 1, "match": {"attribute": "campaign_id", "op": "is", "value": text}}
        definition = decode(document, VOCABULARY)
        for words in _WORDS:
            assert sentence(definition, words).count(unicodedata.normalize("NFC", text)) >= 1
            assert expression(definition, words).count(unicodedata.normalize("NFC", text)) >= 1


@pytest.mark.parametrize("field", ["attribute", "event", "group", "app", "op", "property", "salt"])
def test_every_naughty_string_as_a_name_is_read_or_refused_with_a_sentence(field: str) -> None:
    documents: dict[str, Any] = {
        "attribute": lambda text: {"attribute": text, "op": "is_set"},
        "event": lambda text: {"event": text},
        "group": lambda text: {"group": text},
        "app": lambda text: {"event": "session", "app": text},
        "op": lambda text: {"attribute": "age", "op": text, "value": 1},
        "property": lambda text: {"event": "session", "where": [{"property": text, "op": "is_set"}]},
        "salt": lambda text: {"sample": {"percent": 1, "salt": text}},
    }
    for text in NAUGHTY:
        try:
            definition = decode({"version": 1, "match": documents[field](text)}, VOCABULARY)
        except DefinitionInvalid as error:
            misplaced = [problem for problem in error.problems if not problem.pointer.startswith("/match")]
        else:
            misplaced = []
            assert decode(encode(definition), VOCABULARY) == definition
        assert misplaced == []


def test_things_with_naughty_names_are_described() -> None:
    vocabulary = Vocabulary(
        attributes={text: Attribute(text, Type.TEXT, Scope.CUSTOMER) for text in NAUGHTY},
        events={text: Event(text, number) for number, text in enumerate(NAUGHTY)},
        apps={text: number for number, text in enumerate(NAUGHTY)},
    )
    for text in NAUGHTY:
        attribute = decode({"version": 1, "match": {"attribute": text, "op": "is", "value": text}}, vocabulary)
        event = decode({"version": 1, "app": text, "match": {"event": text}}, vocabulary)
        assert event.match == EventCondition(text)
        for words in _WORDS:
            assert sentence(attribute, words).count(text) >= 1
            assert sentence(event, words).count(text) >= 1
            assert expression(event, words).count(text) >= 1
