"""Definitions as JSON text: read strictly, numbers exactly."""

from __future__ import annotations

from decimal import Decimal

import pytest

from muster.rules.codec import decode_json
from muster.rules.errors import DefinitionInvalid
from muster.rules.nodes import AttributeCondition
from tests.spec.rules.vocabularies import VOCABULARY


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (b"", "definition_invalid"),
        (b"{", "definition_invalid"),
        (b"\xff{}", "definition_invalid"),
        ('{"version": 1, "version": 1, "match": {"everyone": true}}', "definition_invalid"),
        ('{"version": 1, "match": {"attribute": "age", "op": "is", "value": NaN}}', "definition_invalid"),
        ('{"version": 1, "match": {"attribute": "age", "op": "is", "value": -Infinity}}', "definition_invalid"),
        ('{"version": 1, "match": {"attribute": "age", "op": "is", "value": 1e400}}', "value_not_allowed"),
        ("1" * 5_000, "definition_invalid"),
        ("[" * 60_000, "too_many_conditions"),
    ],
)
def test_text_that_is_no_definition_is_refused(text: str | bytes, code: str) -> None:
    with pytest.raises(DefinitionInvalid) as caught:
        decode_json(text, VOCABULARY)
    assert [problem.code for problem in caught.value.problems][:1] == [code]


def test_numbers_of_a_text_are_read_exactly() -> None:
    text = (
        '\ufeff{"version":1.0,"match":{"attribute":"app_spend","op":"in","value":[0.1,1E2,100,-0.0,123456789.123456]}}'
    )
    read = decode_json(text, VOCABULARY).match
    exact = tuple(map(Decimal, ("0", "0.1", "100", "123456789.123456")))
    assert read == AttributeCondition("app_spend", "in", exact)
