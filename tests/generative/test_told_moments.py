"""Conditions on what events tell of moments ("a renewal in the next 7 days") change with time, like windows (G-15).

`MUSTER_CASES` sets how often they are tried.
"""

from __future__ import annotations

import os
import random
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from muster.engine.expiry import expires
from muster.engine.plan import atoms_of, plan
from muster.engine.reference.evaluate import World, truth
from muster.engine.reference.timeline import timeline
from muster.rules.nodes import Definition, EventCondition, Measure, PropertyFilter, SequenceCondition, Step, Window
from muster.rules.numbers import parse_number
from muster.rules.operators import OPERATORS
from muster.rules.vocabulary import Type
from muster.warehouse.duckdb.warehouse import DuckDBWarehouse
from tests.generative.definitions import values
from tests.generative.test_engines_agree import _SETTINGS, POOLS, check, opened
from tests.generative.test_sizes_agree import Asked
from tests.generative.towns import NOW, catalog, town

_TIMES = max(1, int(os.environ.get("MUSTER_CASES", "500")) // 500)
_MOVING = ("in_last", "not_in_last", "in_next", "anniversary_in_next")
_TOLD = (("at_time", Type.TIMESTAMP), ("deadline", Type.DATE))
_HOURS = st.integers(min_value=1, max_value=24 * 40)
_APPS = st.sampled_from((None, "notes", "rides"))
_WINDOWS = st.one_of(st.none(), st.sampled_from(POOLS.durations).map(lambda length: Window(last=length)))
_FILTERS = st.tuples(st.sampled_from(_TOLD), st.sampled_from(_MOVING)).flatmap(
    lambda drawn: st.builds(
        PropertyFilter,
        property=st.just(drawn[0][0]),
        op=st.just(drawn[1]),
        value=values(drawn[0][1], OPERATORS[drawn[0][1]][drawn[1]], POOLS, ()),
        type=st.just(drawn[0][1]),
    )
)
_WHERE = st.lists(_FILTERS, min_size=1, max_size=2).map(tuple)
_EVENTS = st.builds(
    EventCondition,
    event=st.just("level_up"),
    where=_WHERE,
    app=_APPS,
    when=_WINDOWS,
    measure=st.just(Measure("count")),
    op=st.sampled_from(("gte", "lte", "is_not")),
    value=st.sampled_from((1, 2, 3)).map(parse_number),
)
_SEQUENCES = st.builds(
    lambda first, where, window, app: SequenceCondition((first, Step("level_up", where, None)), window, app),
    st.builds(Step, st.just("level_up"), st.one_of(st.just(()), _WHERE), st.none()),
    _WHERE,
    _WINDOWS,
    _APPS,
)
DEFINITIONS = st.builds(Definition, st.one_of(_EVENTS, _SEQUENCES), _APPS)
LISTED = st.lists(DEFINITIONS, min_size=12, max_size=12)


@pytest.mark.parametrize("seed", range(2))
@settings(_SETTINGS, max_examples=4 * _TIMES)
@given(asked=LISTED, hours=_HOURS)
def test_who_changes_is_named_beforehand(seed: int, asked: list[Definition], hours: int) -> None:
    town_ = town(seed)
    later = replace(town_, context=town_.context.at(NOW + timedelta(hours=hours)))
    with opened(town_) as before, opened(later) as after:
        for definition in asked:
            check(definition, later, after)
            for atom in atoms_of(plan(definition, town_.context).members):
                changed = before.atom(atom) ^ after.atom(atom)
                named = expires(
                    [atom], town_.context, before.warehouse, before.reader, town_.size, NOW, later.context.now
                )
                assert len(changed - named) == 0, atom


@settings(_SETTINGS, max_examples=6 * _TIMES)
@given(seed=st.integers(0, 1_000_000), asked=LISTED)
def test_a_few_and_many_name_the_same_instants(seed: int, asked: list[Definition]) -> None:
    town_ = town(seed)
    dice = random.Random(seed)
    with opened(town_) as evaluation:
        warehouse = evaluation.warehouse
        assert isinstance(warehouse, DuckDBWarehouse)
        warehouse.use_catalog(catalog())
        prepared = Asked(asked, town_, evaluation)
        for step in (timedelta(), timedelta(hours=7), timedelta(days=40)):
            here = town_.context.at(NOW + step)
            until = here.now + timedelta(hours=30)
            keys = sorted(dice.sample(range(1, town_.size + 1), 40))
            assert prepared.few(keys, here, warehouse, until) == prepared.many(keys, here, warehouse, until)


@settings(_SETTINGS, max_examples=10 * _TIMES)
@given(seed=st.integers(0, 1_000_000), asked=LISTED, hours=st.lists(_HOURS, min_size=5, max_size=5))
def test_an_explanation_tells_when_it_changes(seed: int, asked: list[Definition], hours: list[int]) -> None:
    """Between two instants that it names the truth stays."""
    town_ = town(seed)
    world = World(town_.context, town_.groups)
    for definition in asked:
        for person in town_.people[:25]:
            told = timeline(definition.match, person, definition.app, world)
            for later in hours:
                at = NOW + timedelta(hours=later)
                there = replace(world, context=town_.context.at(at))
                flips = sum(flip <= at for flip in told.flips)
                assert truth(definition.match, person, definition.app, there) == told.now ^ bool(flips % 2), told
