"""Canonical form and hash of conditions (G-11)."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from muster.rules.canonical import canonical, canonical_json, condition_hash
from muster.rules.nodes import (
    All,
    AnyOf,
    AttributeCondition,
    DeviceCondition,
    EventCondition,
    Everyone,
    GroupCondition,
    Node,
    NoneOf,
    PropertyFilter,
    SequenceCondition,
    Step,
)
from muster.rules.vocabulary import Type

A, B, C = (GroupCondition(name) for name in ("grp_a", "grp_b", "grp_c"))


def _is(value: object) -> AttributeCondition:
    return AttributeCondition("x", "is", value)  # type: ignore[arg-type]  # also values that no type has


def _filter(op: str, value: object) -> PropertyFilter:
    return PropertyFilter("x", op, value, Type.TEXT)  # type: ignore[arg-type]  # as above


@pytest.mark.parametrize(
    ("node", "form"),
    [
        (All((B, A, B)), All((A, B))),
        (AnyOf((A,)), A),
        (All((AnyOf((All((A, A)),)),)), A),
        (All((A, All((B, All((C,)))))), All((A, B, C))),
        (AnyOf((A, AnyOf((C, B)))), AnyOf((A, B, C))),
        (All((A, AnyOf((C, B)))), All((AnyOf((B, C)), A))),
        (NoneOf((AnyOf((B, A)), C)), NoneOf((A, B, C))),
        (NoneOf((All((B, A)),)), NoneOf((All((A, B)),))),
        (NoneOf((NoneOf((A,)),)), A),
        (NoneOf((NoneOf((B, A)),)), AnyOf((A, B))),
        (AttributeCondition("x", "in", ("a",)), AttributeCondition("x", "is", "a")),
        (AttributeCondition("x", "not_in", ("a",)), AttributeCondition("x", "is_not", "a")),
        (AttributeCondition("x", "has_all", ("a",)), AttributeCondition("x", "has_any", ("a",))),
        (AttributeCondition("x", "in", ("a", "b")), AttributeCondition("x", "in", ("a", "b"))),
        (EventCondition("e", op="in", value=(Decimal(2),)), EventCondition("e", op="is", value=Decimal(2))),
        (
            EventCondition("e", where=(_filter("is", "b"), _filter("in", ("a",)), _filter("is", "a"))),
            EventCondition("e", where=(_filter("is", "a"), _filter("is", "b"))),
        ),
        (
            SequenceCondition((Step("b", where=(_filter("in", ("a",)),)), Step("a"))),
            SequenceCondition((Step("b", where=(_filter("is", "a"),)), Step("a"))),
        ),
        (
            DeviceCondition((AttributeCondition("x", "in", ("b",)), _is("a"), _is("a"))),
            DeviceCondition((_is("a"), _is("b"))),
        ),
        (Everyone(), Everyone()),
    ],
)
def test_canonical_form_is_sorted_flat_and_free_of_repetition(node: Node, form: Node) -> None:
    assert canonical(node) == form


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (_is("1"), _is(Decimal(1))),
        (_is(True), _is(Decimal(1))),
        (_is(True), _is("true")),
        (_is("P1D"), _is(timedelta(days=1))),
        (AttributeCondition("x", "is"), AttributeCondition("x", "is", app="notes")),
        (AttributeCondition("x", "is", "a"), AttributeCondition("x", "is_not", "a")),
        (GroupCondition("grp_a"), AttributeCondition("grp_a", "is_set")),
        (All((A, B)), AnyOf((A, B))),
        (NoneOf((A,)), A),
        (SequenceCondition((Step("a"), Step("b"))), SequenceCondition((Step("b"), Step("a")))),
    ],
)
def test_different_meaning_has_different_hashes(one: Node, other: Node) -> None:
    assert condition_hash(one) != condition_hash(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (_is(Decimal("1.0")), _is(Decimal(1))),
        (_is(Decimal("1E+2")), _is(Decimal(100))),
        (_is(timedelta(hours=48)), _is(timedelta(days=2))),
        (All((A, B)), All((B, A))),
    ],
)
def test_equal_meaning_has_one_hash(one: Node, other: Node) -> None:
    assert condition_hash(canonical(one)) == condition_hash(other)


def test_canonical_json_tags_values_by_their_type() -> None:
    """The hash is stored with cached bitmaps: a change of this text makes every installation evaluate anew."""
    assert canonical_json(_is(Decimal(1))) == (
        '{"AttributeCondition":{"app":null,"attribute":"x","op":"is","value":{"number":"1"}}}'
    )
    assert condition_hash(Everyone()) == "d8dcefb9bf59ea3a2e5dfbf11035339dfe2e9c6f049515264e52b78f48a994e9"
