"""Whatever happens, in whatever order: groups that follow have the members a plain evaluation of everybody finds.

`MUSTER_CASES` sets how many group-and-step cases are checked in all, about.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from pyroaring import BitMap

from muster.customers.hooks import provide_ledger, provide_warehouse
from muster.engine.changes import Change
from muster.groups.actions.following import Follower, Sizes
from muster.groups.hooks import memberships_changed
from muster.groups.models import Group, MembershipChange
from muster.groups.queries.evaluation import stored_members
from muster.groups.queries.recall import members_after
from muster.groups.terms import State
from muster.kernel.clock import clock_of
from muster.rules.nodes import Definition
from muster.warehouse.duckdb.warehouse import DuckDBWarehouse
from muster.warehouse.ledger import ErasureLedger
from tests.generative.lives import DEFINITIONS, SEGMENTS, STEPS, Life, forget_life

CASES = int(os.environ.get("MUSTER_CASES", "2000"))
LEAST_STEPS, MOST_STEPS = 8, 24
# By the reference, by one pass, by evaluating everybody; and as it comes.
SIZES = (Sizes(few=1_000), Sizes(few=0, share=10), Sizes(few=0, share=0), Sizes(few=1, share=0.5))


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DuckDBWarehouse]:
    with DuckDBWarehouse(Path(tmp_path_factory.mktemp("warehouse"))) as warehouse:
        provide_warehouse(warehouse)
        yield warehouse
        provide_warehouse(None)
        provide_ledger(None)


class Subscriber:
    """What somebody knows who was told every change."""

    def __init__(self) -> None:
        self.members: dict[str, BitMap] = {}

    def __call__(self, changes: Mapping[str, Change]) -> None:
        for group, change in changes.items():
            known = self.members.get(group, BitMap())
            # Nobody joins twice or leaves without having been there.
            assert not change.joined & known
            assert not change.left - known
            self.members[group] = change.applied_to(known)


@pytest.mark.parametrize("sizes", SIZES, ids=["few", "many", "everybody", "mixed"])
def test_who_follows_has_the_members_of_a_plain_evaluation(
    opened: DuckDBWarehouse, transactional_db: None, tmp_path_factory: pytest.TempPathFactory, sizes: Sizes
) -> None:
    """G-9, G-15, G-16, G-17, G-23: members, sizes, populations, memory and what subscribers are told."""

    @settings(
        max_examples=max(1, CASES // len(SIZES) // 16 // (len(SEGMENTS) + 1)),
        # A history is read as it is; making it shorter takes minutes.
        phases=[Phase.explicit, Phase.reuse, Phase.generate],
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(
        chosen=st.lists(DEFINITIONS, min_size=len(SEGMENTS), max_size=len(SEGMENTS)),
        steps=st.lists(STEPS, min_size=LEAST_STEPS, max_size=MOST_STEPS),
    )
    def live(chosen: list[Definition], steps: list[tuple[str, Any]]) -> None:
        forget_life(opened)
        ledger = ErasureLedger(tmp_path_factory.mktemp("ledger") / "erasures", "key")
        opened.use_ledger(ledger)
        provide_ledger(ledger)
        life, told = Life(opened), Subscriber()
        memberships_changed.append(told)
        try:
            with clock_of(lambda: life.now):
                life.begin(chosen)
                follower = Follower(sizes)
                for kind, given_step in steps:
                    touched = life.step(kind, given_step)
                    follower.follow(touched, life.now)
                    follower.advance(life.now)
                    early = _stored()
                    # Others may be touched by facts that are derived late.
                    opened.settle()
                    follower.follow(BitMap(), life.now)
                    _check(life, told, (kind, given_step))
                    assert {key: found & touched for key, found in early.items()} == {
                        key: found & touched for key, found in _stored().items()
                    }
        finally:
            memberships_changed.remove(told)

    live()


def _stored() -> dict[str, BitMap]:
    return {row.key: stored_members(row) for row in Group.objects.exclude(state=State.ARCHIVED)}


def _check(life: Life, told: Subscriber, step: object) -> None:
    expected = life.from_scratch()
    rows = {row.key: row for row in Group.objects.exclude(state=State.ARCHIVED)}
    stored = _stored()
    assert stored == {key: members for key, (members, _) in expected.items()}, step
    assert {key: row.size for key, row in rows.items()} == {key: len(members) for key, members in stored.items()}
    populations = {key: row.available_customers for key, row in rows.items() if key != "listed"}
    assert populations == {key: size for key, (_, size) in expected.items() if key != "listed"}, step
    for key, row in rows.items():
        last = MembershipChange.objects.filter(group=row).last()
        assert last is not None
        assert (members_after(last), last.size) == (stored[key], row.size)
        assert told.members.get(row.id, BitMap()) == stored[key], (key, step)
