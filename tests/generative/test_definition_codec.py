"""Properties of the definition language that hold for every valid definition (G-11, G-13)."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from muster.rules.canonical import canonical, condition_hash
from muster.rules.codec import decode, decode_json, encode
from muster.rules.nodes import All, AnyOf, Definition, DeviceCondition, Node, NoneOf
from muster.rules.schema import definition_schema
from tests.generative.definitions import definitions
from tests.spec.rules.vocabularies import VOCABULARY

DEFINITIONS = definitions(VOCABULARY)
_VALIDATOR = jsonschema.Draft202012Validator(definition_schema())
_SETTINGS = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@_SETTINGS
@given(DEFINITIONS)
def test_saved_definition_loads_unchanged(definition: Definition) -> None:
    """G-13"""
    assert decode(encode(definition), VOCABULARY) == definition


@_SETTINGS
@given(DEFINITIONS)
def test_saved_definition_loads_unchanged_from_its_text(definition: Definition) -> None:
    """G-13"""
    assert decode_json(json.dumps(encode(definition)), VOCABULARY) == definition


@_SETTINGS
@given(DEFINITIONS)
def test_schema_accepts_what_decode_accepts(definition: Definition) -> None:
    assert list(_VALIDATOR.iter_errors(encode(definition))) == []


@_SETTINGS
@given(DEFINITIONS)
def test_canonical_form_of_a_canonical_form_is_itself(definition: Definition) -> None:
    """G-11"""
    once = canonical(definition.match)
    assert canonical(once) == once


@_SETTINGS
@given(DEFINITIONS)
def test_canonical_form_is_a_valid_definition(definition: Definition) -> None:
    """G-11"""
    form = Definition(canonical(definition.match), definition.app)
    assert decode(encode(form), VOCABULARY) == form


@_SETTINGS
@given(DEFINITIONS, st.data())
def test_order_and_repetition_of_children_do_not_change_the_hash(definition: Definition, data: st.DataObject) -> None:
    """G-11"""
    shuffled = _shuffled(definition.match, data)
    assert condition_hash(shuffled) == condition_hash(definition.match)


def _shuffled(node: Node, data: st.DataObject) -> Node:
    match node:
        case All(children) | AnyOf(children) | NoneOf(children):
            return type(node)(_mixed([_shuffled(child, data) for child in children], data))
        case DeviceCondition(conditions):
            return DeviceCondition(_mixed(list(conditions), data))
        case _:
            return node


def _mixed(items: list[Any], data: st.DataObject) -> tuple[Any, ...]:
    return tuple(data.draw(st.permutations([*items, data.draw(st.sampled_from(items))])))
