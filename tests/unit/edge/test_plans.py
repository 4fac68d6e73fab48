"""The algebra of decisions on integers, against plain sets (E-8, E-25)."""

from __future__ import annotations

import json

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from muster.edge.plans import ReadyPlan
from muster.online.port import OPEN, SERVER, SIGNED, Plan, PlanGroup

_TOLD = {OPEN: {"open"}, SIGNED: {"open", "signed"}, SERVER: {"open", "signed", "never"}}
_GROUPS = st.lists(
    st.tuples(st.integers(0, 1_023), st.sampled_from(["never", "signed", "open"]), st.booleans()),
    max_size=12,
    unique_by=lambda one: one[0],
)


@given(_GROUPS, st.sets(st.integers(0, 1_023)), st.sampled_from([OPEN, SIGNED, SERVER]))
def test_integers_equal_sets(groups: list[tuple[int, str, bool]], bits: set[int], trust: int) -> None:
    """Somebody is in these bits: what counts, what is answered, and what is said of each group."""
    bits |= {bit for bit, _, _ in groups if bit % 2}
    plan = ReadyPlan(
        msgspec.json.encode(
            Plan(tuple(PlanGroup(f"grp_{bit}", f"g{bit}", bit, how, guarded) for bit, how, guarded in groups))
        )
    )
    mask = sum(1 << bit for bit in bits)
    guarded = {bit for bit, _, is_guarded in groups if is_guarded}
    listed = [bit for bit, how, _ in groups if how in _TOLD[trust] and not (trust == OPEN and bit in guarded)]
    sure = bits - guarded if trust == OPEN else bits
    assert mask & plan.visible[trust] == sum(1 << bit for bit in sure)
    answered = mask & plan.answered[trust]
    assert answered == sum(1 << bit for bit in bits & set(listed))
    said = plan.answers(trust, answered, known=True)
    assert json.loads(said.groups) == [f"g{bit}" for bit in listed if bit in bits]
    values = {f"group.g{bit}": bit in bits for bit in listed}
    assert {name: one["value"] for name, one in json.loads(said.flags).items()} == values
    assert {one["key"]: one["value"] for one in json.loads(said.bulk)["flags"]} == values
    for bit, _, _ in groups:
        body = plan.flag(trust, f"group.g{bit}", answered, known=True)
        assert (None if body is None else json.loads(body)["value"]) == values.get(f"group.g{bit}")


def test_same_flags_have_the_same_tag_whatever_else_is_published() -> None:
    """E-30."""
    one, other = PlanGroup("grp_1", "a", 3, "open"), PlanGroup("grp_2", "b", 4, "never")
    first = ReadyPlan(msgspec.json.encode(Plan((one,)))).answers(OPEN, 8, known=True)
    second = ReadyPlan(msgspec.json.encode(Plan((msgspec.structs.replace(one, bit=9), other))))
    assert second.answers(OPEN, 1 << 9, known=True).etag == first.etag
    assert second.answers(OPEN, 0, known=True).etag != first.etag
