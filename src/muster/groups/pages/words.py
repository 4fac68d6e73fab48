"""The reader's language, in which definitions are told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import get_language

from muster.groups.queries.evaluation import Named
from muster.groups.queries.wording import words_for
from muster.kernel.errors import MusterError
from muster.rules.codec import decode
from muster.rules.describe.sentence import sentence
from muster.rules.describe.words import Words
from muster.rules.vocabulary import Vocabulary


def reader_words(names_of_groups: Sequence[Named] | None = None) -> Words:
    return words_for((get_language() or "en")[:2], names_of_groups)


def told_definition(definition: Mapping[str, Any] | None, known: Vocabulary, words: Words) -> str:
    """The sentence of a stored definition; empty where there is none, or where it names what is gone."""
    if definition is None:
        return ""
    try:
        return sentence(decode(definition, known), words)
    except MusterError:
        return ""
