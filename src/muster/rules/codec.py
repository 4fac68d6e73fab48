"""A definition as JSON: `decode` validates, `encode` writes what `decode` reads back unchanged (G-13)."""

from __future__ import annotations

import json
from typing import Any

from muster.rules.decode_nodes import read_definition
from muster.rules.encoding import encode_definition
from muster.rules.errors import DefinitionInvalid
from muster.rules.json_text import LONGEST_BYTES, parse_json, too_long
from muster.rules.nodes import Definition
from muster.rules.report import Report
from muster.rules.vocabulary import Vocabulary


def decode(document: object, vocabulary: Vocabulary) -> Definition:
    """The definition of a parsed JSON document (numbers as int, float or Decimal).

    DefinitionInvalid with every problem found; unknown fields are problems too, and `true` is not 1.
    """
    report = Report()
    definition = read_definition(report, document, vocabulary)
    if report.problems:
        raise DefinitionInvalid(report.problems)
    # Measured as it will be saved, so that what was saved can always be loaded again (G-8, G-13).
    length = len(json.dumps(encode(definition), ensure_ascii=False, separators=(",", ":")).encode())
    if length > LONGEST_BYTES:
        raise too_long(length)
    return definition


def decode_json(text: str | bytes, vocabulary: Vocabulary) -> Definition:
    """The definition of a JSON text of at most 64 KiB; DefinitionInvalid also for text that is not JSON."""
    return decode(parse_json(text), vocabulary)


def encode(definition: Definition) -> dict[str, Any]:
    """The document: what `json.dumps` takes; defaults are left out, the order of conditions is kept."""
    return encode_definition(definition)
