"""Few customers by the reference, many by one restricted pass, everybody: the same answer, whatever the clock says.

`MUSTER_CASES` sets how many definition-and-data cases are checked in all.
"""

from __future__ import annotations

import os
import random
from datetime import datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from muster.engine.atoms import Beyond, PopulationKey, Ranked
from muster.engine.context import Context
from muster.engine.evaluate import Evaluation
from muster.engine.expiry import turnings
from muster.engine.follow.few import Few
from muster.engine.follow.many import Many, places_of
from muster.engine.follow.needs import needed
from muster.engine.follow.program import Outcome, Program
from muster.engine.follow.questions import Questions
from muster.engine.follow.schedule import turnings_of
from muster.engine.plan import Plan, plan, with_limits
from muster.engine.turning import sources_of
from muster.rules.nodes import AttributeCondition, Definition
from muster.warehouse.duckdb.warehouse import DuckDBWarehouse
from tests.generative.test_engines_agree import _SETTINGS, DEFINITIONS, opened
from tests.generative.towns import NOW, Town, catalog, town

CASES = int(os.environ.get("MUSTER_CASES", "500"))
DEFINITIONS_A_TOWN = 12
# From the same second to the next years: windows, days, birthdays and time zones move differently.
STEPS = (
    timedelta(),
    timedelta(microseconds=1),
    timedelta(seconds=30),
    timedelta(hours=7),
    timedelta(days=1),
    timedelta(days=40),
    timedelta(days=366),
)


class Asked:
    """Definitions of a town prepared as the follower does, with the limits of ranks as of the beginning."""

    def __init__(self, definitions: list[Definition], town_: Town, everybody: Evaluation) -> None:
        self.definitions = {f"grp_{place}": definition for place, definition in enumerate(definitions)}
        self.town = town_
        for definition in definitions:
            everybody.result(plan(definition, town_.context))
        limits = dict(everybody.thresholds)
        self.plans: dict[str, Plan] = {}
        for group, definition in self.definitions.items():
            whole = plan(definition, town_.context)
            self.plans[group] = Plan(whole.population, with_limits(whole.members, lambda ranked: limits[ranked]))
        self.program = Program(self.definitions, self.plans, town_.context)
        self.needed = needed(self.program.atoms, town_.context)
        self.sources = sources_of(self.program.atoms, town_.context)
        self.questions = Questions(self.program.atoms)

    def outside(self, keys: list[int]) -> dict[str, int]:
        return {
            group: sum(1 << place for place, key in enumerate(keys) if key in members)
            for group, members in self.town.groups.items()
        }

    def few(
        self, keys: list[int], here: Context, warehouse: DuckDBWarehouse, until: datetime
    ) -> tuple[Outcome, object]:
        people = warehouse.few(keys, self.needed)
        soon = sorted(set(turnings_of(people.values(), self.sources, here, until)))
        return self.program.run(Few(keys, people, here), self.outside(keys).__getitem__), soon

    def many(
        self, keys: list[int], here: Context, warehouse: DuckDBWarehouse, until: datetime
    ) -> tuple[Outcome, object]:
        asked = np.array(keys, np.uint32)
        with warehouse.narrowed(asked, self.needed) as reader:
            many = Many(self.questions, warehouse, reader, len(keys), here)
            outcome = self.program.run(many, self.outside(keys).__getitem__)
            found = turnings(self.sources, here, warehouse, reader, here.now, until)
        return outcome, sorted(set(zip(found.at.tolist(), asked[found.keys].tolist(), strict=True)))

    def everybody(self, keys: list[int], here: Context, evaluation: Evaluation) -> Outcome:
        asked = Evaluation(here, evaluation.warehouse, evaluation.reader, evaluation.size, evaluation.groups)
        members = {group: asked.result(one).members for group, one in self.plans.items()}
        populations = {app: asked.population(app) for app in {one.app for one in self.definitions.values()}}

        def mask(found: object) -> int:
            return sum(1 << place for place, key in enumerate(keys) if key in found)  # type: ignore[operator]  # bitset

        return Outcome(
            {app: mask(found) for app, found in populations.items()},
            {group: mask(found) for group, found in members.items()},
        )


@pytest.mark.parametrize("block", range(4))
def test_few_many_and_everybody_agree(block: int) -> None:
    """G-15, architecture 5: the three sizes of a refresh are one meaning, also when queries are asked again."""
    examples = max(1, CASES // 4 // DEFINITIONS_A_TOWN // len(STEPS))

    @settings(_SETTINGS, max_examples=examples)
    @given(
        seed=st.integers(block * 10_000_000, (block + 1) * 10_000_000 - 1),
        definitions=st.lists(DEFINITIONS, min_size=DEFINITIONS_A_TOWN, max_size=DEFINITIONS_A_TOWN),
    )
    def agree(seed: int, definitions: list[Definition]) -> None:
        town_ = town(seed)
        dice = random.Random(seed)
        with opened(town_) as evaluation:
            warehouse = evaluation.warehouse
            assert isinstance(warehouse, DuckDBWarehouse)
            warehouse.use_catalog(catalog())
            asked = Asked(definitions, town_, evaluation)
            for step in STEPS:
                here = town_.context.at(NOW + step)
                until = here.now + timedelta(hours=dice.choice([1, 30]))
                # Some of the keys are nobody's.
                keys = sorted(dice.sample(range(1, town_.size + 3), dice.choice([1, 5, 40])))
                few, soon = asked.few(keys, here, warehouse, until)
                many, soon_of_many = asked.many(keys, here, warehouse, until)
                assert few == many, (step, _differing(few, many, asked))
                if dice.random() < 0.3:
                    everybody = asked.everybody(keys, here, evaluation)
                    assert many == everybody, (step, _differing(many, everybody, asked))
                assert soon == soon_of_many, (set(soon) ^ set(soon_of_many), asked.sources)

    agree()


def _differing(one: Outcome, other: Outcome, asked: Asked) -> list[tuple[object, list[int]]]:
    return [
        (asked.definitions[group], places_of(members ^ other.members[group], 64).tolist())
        for group, members in one.members.items()
        if members != other.members[group]
    ]


def test_ranks_stand_at_the_limits_they_are_given() -> None:
    """G-5: the limit of before, whatever the others have now; none is nobody."""
    town_ = town(7)
    ranked = Ranked(
        AttributeCondition("app_spend", "top_percent", Decimal(50), app="notes"), population=PopulationKey("notes")
    )
    with opened(town_) as evaluation:
        within = evaluation.population("notes")
        found = evaluation.atom(ranked)
        assert 0 < len(found & within) < len(within)
        assert len(evaluation.atom(Beyond(ranked, None))) == 0
        assert evaluation.atom(Beyond(ranked, evaluation.thresholds[ranked])) & within == found & within
