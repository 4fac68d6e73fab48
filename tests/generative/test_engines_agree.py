"""One meaning: the fast engine answers every definition as the reference engine does, on the same people.

Each example builds one town and asks it dozens of definitions. `MUSTER_CASES` sets how many definition-and-data cases
are checked in all; failing towns are kept in `TOWNS`, so that what once failed is asked again.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from muster.engine.atoms import Ranked
from muster.engine.bitset import Bitset
from muster.engine.evaluate import Evaluation, members_from
from muster.engine.expiry import expires
from muster.engine.plan import atoms_of, plan
from muster.engine.reference.evaluate import World, members
from muster.rules.nodes import Definition
from muster.warehouse.duckdb.connection import Resources
from muster.warehouse.duckdb.warehouse import DuckDBWarehouse
from tests.generative import towns as people
from tests.generative.definitions import Pools, definitions
from tests.generative.towns import NOW, Town, load, town

DEFINITIONS_A_TOWN = 15
TOWNS = (0, 1, 2, 3)
POOLS = Pools(
    texts=people.TEXTS,
    numbers=tuple(Decimal(str(number)) for number in people.NUMBERS if number != 1e6),
    versions=tuple(version for version in people.VERSIONS if version != "not a version"),
    days=(NOW.date(), NOW.date() - timedelta(days=30), date(2026, 3, 29), NOW.date() + timedelta(days=1)),
    instants=(NOW, NOW - timedelta(days=30), NOW - timedelta(days=365)),
    durations=(*(timedelta(days=days) for days in (1, 7, 30, 90, 365)), timedelta(hours=12)),
    texts_of={
        "country": people.COUNTRIES,
        "os": ("iOS", "android"),
        "addons_owned": people.LABELS,
        "interests": people.LABELS,
        "tags": people.LABELS,
        "plan": ("pro", "basic"),
        "language": ("fr", "de-DE"),
    },
)
# Events of which the towns know nothing would only ask empty relations.
ASKED = replace(
    people.vocabulary(),
    events={key: people.vocabulary().events[key] for key in ("level_up", "shared", "app_crashed", "order_completed")},
)
DEFINITIONS = definitions(ASKED, max_depth=3, pools=POOLS, max_children=3)
CASES = int(os.environ.get("MUSTER_CASES", "1600"))
_SETTINGS = settings(
    deadline=None,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
)


@contextmanager
def opened(town_: Town) -> Iterator[Evaluation]:
    """A fresh warehouse with the town in it, ready to be asked."""
    with (
        tempfile.TemporaryDirectory() as directory,
        DuckDBWarehouse(Path(directory), Resources(threads=1)) as warehouse,
        warehouse.reader() as reader,
    ):
        load(town_, warehouse)
        groups = {group: Bitset.of(keys, town_.size) for group, keys in town_.groups.items()}
        yield Evaluation(town_.context, warehouse, reader, town_.size, members_from(groups))


def check(definition: Definition, town_: Town, evaluation: Evaluation) -> None:
    expected = members(definition, town_.people, World(town_.context, town_.groups))
    found = set(map(int, evaluation.result(plan(definition, town_.context)).members.keys()))
    assert found == expected, definition


@pytest.mark.parametrize("block", range(8))
def test_fast_engine_equals_the_reference(block: int) -> None:
    """G-2, G-3, G-4, G-5, G-6, G-7 on generated definitions and data."""
    examples = max(1, CASES // 8 // DEFINITIONS_A_TOWN)
    seeds = st.integers(min_value=block * 10_000_000, max_value=(block + 1) * 10_000_000 - 1)

    @settings(_SETTINGS, max_examples=examples)
    @given(seed=seeds, asked=st.lists(DEFINITIONS, min_size=DEFINITIONS_A_TOWN, max_size=DEFINITIONS_A_TOWN))
    def agree(seed: int, asked: list[Definition]) -> None:
        town_ = town(seed)
        with opened(town_) as evaluation:
            for definition in asked:
                check(definition, town_, evaluation)

    agree()


@pytest.mark.parametrize("seed", TOWNS)
@settings(_SETTINGS, max_examples=4)
@given(asked=st.lists(DEFINITIONS, min_size=20, max_size=20), hours=st.integers(min_value=1, max_value=24 * 40))
def test_whoever_changes_by_time_alone_is_named_beforehand(seed: int, asked: list[Definition], hours: int) -> None:
    """G-15: nobody's truth of an atom differs between two instants without standing in `expires`."""
    town_ = town(seed)
    later = replace(town_, context=town_.context.at(NOW + timedelta(hours=hours)))
    with opened(town_) as before, opened(later) as after:
        for definition in asked:
            whole = plan(definition, town_.context)
            for atom in {*atoms_of(whole.population), *atoms_of(whole.members)}:
                if isinstance(atom, Ranked):
                    # Thresholds are global: who is overtaken is found by the full refresh.
                    continue
                changed = before.atom(atom) ^ after.atom(atom)
                named = expires(
                    [atom], town_.context, before.warehouse, before.reader, town_.size, NOW, later.context.now
                )
                assert len(changed - named) == 0, atom
