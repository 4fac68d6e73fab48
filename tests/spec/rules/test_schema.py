"""The published JSON Schema of definitions (groups spec, section 2)."""

from __future__ import annotations

from typing import Any

import jsonschema
import pytest

from muster.rules.schema import definition_schema

_VALIDATOR = jsonschema.Draft202012Validator(definition_schema())


def test_schema_is_valid_under_its_draft() -> None:
    jsonschema.Draft202012Validator.check_schema(definition_schema())


@pytest.mark.parametrize(
    "match",
    [
        {"all": []},
        {"everyone": False},
        {"everyone": True, "group": "a"},
        {"attribute": "a"},
        {"attribute": "a", "op": "iss"},
        {"attribute": "a", "op": "is_set", "value": 1},
        {"attribute": "a", "op": "in", "value": []},
        {"attribute": "a", "op": "between", "value": [1]},
        {"attribute": "a", "op": "top_percent", "value": 0},
        {"attribute": "a", "op": "in_last", "value": "P1M"},
        {"attribute": "a", "op": "is", "value": 1, "extra": 1},
        {"event": "a", "measure": "first_at"},
        {"event": "a", "op": "is_set"},
        {"event": "a", "measure": {"sum": "x", "avg": "x"}},
        {"event": "a", "where": [{"property": "x", "op": "top_count", "value": 1}]},
        {"event": "a", "when": {}},
        {"event": "a", "when": {"last": "P1D", "to": "2026-01-01"}},
        {"sequence": [{"event": "a"}]},
        {"sequence": [{"event": "a", "within": "P1D"}, {"event": "b"}]},
        {"sample": {"percent": 101, "salt": "s"}},
        {"device": {"all": [{"event": "a"}]}},
    ],
)
def test_schema_refuses_what_needs_no_vocabulary_to_refuse(match: dict[str, Any]) -> None:
    assert not _VALIDATOR.is_valid({"version": 1, "match": match})


def test_schema_asks_for_version_1() -> None:
    assert _VALIDATOR.is_valid({"version": 1, "match": {"everyone": True}})
    assert not _VALIDATOR.is_valid({"match": {"everyone": True}})
    assert not _VALIDATOR.is_valid({"version": True, "match": {"everyone": True}})
