"""What definitions mean: a rule, and the keys of the people of the village who satisfy it, written by hand.

Every rule runs on the reference and on the fast engine.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from muster.engine.bitset import Bitset
from muster.engine.evaluate import Evaluation, members_from
from muster.engine.plan import plan
from muster.engine.reference.evaluate import World, members
from muster.rules.codec import decode
from muster.rules.nodes import Definition
from muster.warehouse.duckdb.connection import Resources
from muster.warehouse.duckdb.warehouse import DuckDBWarehouse
from tests.generative.towns import load
from tests.spec.engine.village import CONTEXT, TOWN

Json = dict[str, Any]


def attribute(key: str, op: str, value: Any = None, **more: Any) -> Json:
    return {"attribute": key, "op": op, **({} if value is None else {"value": value}), **more}


def event(key: str = "level_up", **more: Any) -> Json:
    return {"event": key, **more}


def level(op: str, value: Any) -> list[Json]:
    return [{"property": "level", "op": op, "value": value}]


EVERYBODY = {1, 2, 5, 7, 8, 9, 10}
RULES: dict[str, tuple[Json, set[int]]] = {
    # G-1: not Cem (too young), Dee (objected), Fay (other app). Eve's age is unknown: she stays.
    "everyone": ({"everyone": True}, EVERYBODY),
    # G-3: a missing value satisfies the negative operators and no positive one.
    "country is FR, whatever its case": (attribute("country", "is", "FR"), {1, 7}),
    "country is not FR": (attribute("country", "is_not", "FR"), EVERYBODY - {1, 7}),
    "country in": (attribute("country", "in", ["DE", "NO"]), {2, 9, 10}),
    "country not in": (attribute("country", "not_in", ["DE", "NO"]), {1, 5, 7, 8}),
    "country set": (attribute("country", "is_set"), EVERYBODY - {5}),
    "gender not set": (attribute("gender", "is_not_set"), {5, 10}),
    "none of two": ({"none": [attribute("gender", "is", "male"), attribute("country", "is", "DE")]}, {1, 5, 7, 9}),
    "any of two": ({"any": [attribute("gender", "is", "other"), attribute("country", "is", "NO")]}, {7, 9}),
    "all of two": ({"all": [attribute("gender", "is", "male"), attribute("country", "is", "US")]}, {8}),
    "nested": (
        {"all": [{"any": [attribute("country", "is", "DE"), attribute("country", "is", "FR")]},
                 {"none": [{"all": [attribute("gender", "is", "male"), attribute("country", "is", "DE")]}]}]},
        {1, 7, 10},
    ),
    # Ages are full years on Berlin's day; 29 February counts from 1 March.
    "eighteen since yesterday": (attribute("age", "is", 18), {2}),
    "25 today": (attribute("age", "gte", 25), {1, 7, 8, 10}),
    "24 until tomorrow": (attribute("age", "between", [18, 24]), {2, 9}),
    "age not between": (attribute("age", "not_between", [18, 24]), {1, 5, 7, 8, 10}),
    "age group": (attribute("age_group", "is", "25-34"), {1, 7, 10}),
    "age group 50+": (attribute("age_group", "in", ["50+", "18-24"]), {2, 8, 9}),
    # Money is exact to the millionth; who spent nothing has spent 0 (ADR 0004).
    "spent over 10": (attribute("app_spend", "gt", 10), {2}),
    "spent at least 10": (attribute("app_spend", "gte", 10), {1, 2}),
    "spent less than 10": (attribute("app_spend", "lt", 10), {5, 7, 8, 9, 10}),
    "spent 0": (attribute("app_spend", "is", 0), {5, 8, 9, 10}),
    "has purchased": (attribute("has_purchased", "is", True), {1, 2}),
    "has not purchased": (attribute("has_purchased", "is_not", True), {5, 7, 8, 9, 10}),
    "fewer than two purchases": (attribute("purchase_count", "lt", 2), EVERYBODY - {1}),
    # G-5: of those with something behind the value; ties are all in.
    "top half by spend": (attribute("app_spend", "top_percent", 50), {1, 2}),
    "bottom third by spend": (attribute("app_spend", "bottom_percent", 33), {7}),
    "the best": (attribute("app_spend", "top_count", 1), {2}),
    "top 1 % is at least one": (attribute("session_count", "top_percent", 1), {8}),
    # G-4: in_last P30D is (now - 30 d, now].
    "used in the last 30 days": (attribute("last_used_at", "in_last", "P30D"), {2, 8, 9, 10}),
    "not used in the last 30 days": (attribute("last_used_at", "not_in_last", "P30D"), {1, 5, 7}),
    "used in the last 7 days": (attribute("last_used_at", "in_last", "P7D"), {8, 10}),
    "used on Berlin's yesterday": (attribute("last_used_at", "on", "2026-11-20"), {10}),
    "used before Berlin's yesterday": (attribute("last_used_at", "before", "2026-11-20"), {1, 2, 7, 9}),
    "used after Berlin's yesterday": (attribute("last_used_at", "after", "2026-11-20"), {8}),
    "used between days": (attribute("last_used_at", "between", ["2026-11-14", "2026-11-20"]), {9, 10}),
    "not used on": (attribute("last_used_at", "not_on", "2026-11-20"), EVERYBODY - {10}),
    # Anniversaries: today counts, the day itself is none, 29 February celebrates on 1 March.
    "anniversary today": (attribute("anniversary", "anniversary_in_next", "P1D"), {8}),
    "anniversary within 101 days": (attribute("anniversary", "anniversary_in_next", "P101D"), {8, 10}),
    "anniversary within 100 days": (attribute("anniversary", "anniversary_in_next", "P100D"), {8}),
    # Text without regard to case, as SQL and Python alike lower it: ß is not ss.
    "campaign": (attribute("campaign_id", "contains", "ÉTÉ"), {8}),
    "campaign without": (attribute("campaign_id", "not_contains", "été"), EVERYBODY - {8}),
    "starts with": (attribute("nickname", "starts_with", "stras"), {10}),
    "sharp s": (attribute("nickname", "is", "straße"), set()),
    # Ownership ends by itself.
    "owns Pro": (attribute("addons_owned", "has_any", ["Pro"]), {8}),
    "owns both": (attribute("addons_owned", "has_all", ["Pro", "tour"]), {8}),
    "owns none": (attribute("addons_owned", "has_none", ["Pro"]), EVERYBODY - {8}),
    "a list of one's own": (attribute("interests", "has_any", ["Pro", "tour"]), {9}),
    # G-7: any active device, seen within 90 days; two conditions need not be one device unless wrapped.
    "on iOS": (attribute("os", "is", "ios"), {8}),
    "iOS and desktop, any devices": (
        {"all": [attribute("os", "is", "iOS"), attribute("device_family", "is", "desktop")]}, {8}),
    "iOS and desktop, one device": (
        {"device": {"all": [attribute("os", "is", "iOS"), attribute("device_family", "is", "desktop")]}}, set()),
    "one device that is not iOS": ({"device": {"all": [attribute("os", "is_not", "iOS")]}}, {8}),
    "no device on iOS": (attribute("os", "is_not", "iOS"), EVERYBODY - {8}),
    "version below 1.10": (attribute("app_version", "lt", "1.10"), {8}),
    "version at least 2": (attribute("app_version", "gte", "2.0.0.0"), {8}),
    "version below 1.2": (attribute("app_version", "lt", "1.2"), set()),
    # Events: counts within windows, of the definition's app.
    "levelled": (event(), {1, 2, 7, 10}),
    "levelled three times": (event(value=3), {1}),
    "levelled in 30 days": (event(when={"last": "P30D"}), {1, 7, 10}),
    # G-6: what 0 satisfies includes who never did it.
    "levelled fewer than twice": (event(op="lt", value=2), EVERYBODY - {1}),
    "never levelled": (event(op="is", value=0), {5, 8, 9}),
    "not exactly once": (event(op="is_not", value=1), {1, 5, 8, 9}),
    "level at least 5": (event(where=level("gte", 5)), {1, 2, 10}),
    "level 5 as text": (event(where=[{"property": "level", "op": "is", "value": 5}]), {1, 2, 10}),
    "level not 5, or none": (event(where=level("is_not", 5)), {1, 7}),
    "sum of levels": (event(measure={"sum": "level"}, op="gte", value=18), {1}),
    "mean level": (event(measure={"avg": "level"}, op="is", value=6), {1}),
    "highest level": (event(measure={"max": "level"}, op="lt", value=6), {2, 10}),
    "lowest level missing": (event(measure={"min": "level"}, op="is_not_set"), {5, 7, 8, 9}),
    "distinct levels": (event(measure={"distinct": "level"}, op="gte", value=2), {1}),
    "first levelled in 20 days": (event(measure="first_at", op="in_last", value="P20D"), {7, 10}),
    "last levelled on Berlin's today": (event(measure="last_at", op="on", value="2026-11-21"), {10}),
    "in a window of days": (event(when={"from": "2026-11-01", "to": "2026-11-12"}), {1}),
    "window up to its end": (event(when={"from": "2026-11-01T12:00:00Z", "to": "2026-11-11T12:00:00Z"}), {1}),
    "of the other app": (event(app="rides"), {7}),
    "attribute of the other app": (attribute("session_count", "gte", 5, app="rides"), {7}),
    "zero in the other app": (attribute("session_count", "lt", 5, app="rides"), EVERYBODY - {7}),
    # Sequences: strictly after, at most so long after.
    "shared, then levelled": ({"sequence": [{"event": "shared"}, {"event": "level_up"}]}, {7}),
    "within a day": ({"sequence": [{"event": "shared"}, {"event": "level_up", "within": "P1D"}]}, {7}),
    "within an hour": ({"sequence": [{"event": "shared"}, {"event": "level_up", "within": "PT1H"}]}, set()),
    "levelled, then shared": ({"sequence": [{"event": "level_up"}, {"event": "shared"}]}, set()),
    "three levels": ({"sequence": [{"event": "level_up"}] * 3}, {1}),
    # Groups and samples.
    "staff": ({"group": "grp_staff"}, {1, 5}),
    "not staff": ({"none": [{"group": "grp_staff"}]}, EVERYBODY - {1, 5}),
    "nobody": ({"sample": {"percent": 0, "salt": "line-1"}}, set()),
    "everybody of a sample": ({"sample": {"percent": 100, "salt": "line-1"}}, EVERYBODY),
    # F-32: buckets 6017, 9305 of c:1 and c:2 under line-1.
    "a sample of 60.18 %": ({"all": [{"sample": {"percent": 60.18, "salt": "line-1"}}, {"any": [
        attribute("gender", "is", "female"), attribute("gender", "is", "male")]},
        attribute("purchase_count", "gte", 1)]}, {1}),
    "a sample of 60.17 %": ({"all": [{"sample": {"percent": 60.17, "salt": "line-1"}},
        attribute("purchase_count", "gte", 1)]}, set()),
}  # fmt: skip  # a table, read by rows


def definition_of(match: Json, app: str | None = "notes") -> Definition:
    return decode({"version": 1, "app": app, "match": match}, CONTEXT.vocabulary)


@pytest.fixture(scope="module")
def evaluation() -> Iterator[Evaluation]:
    with (
        tempfile.TemporaryDirectory() as directory,
        DuckDBWarehouse(Path(directory), Resources(threads=1)) as warehouse,
        warehouse.reader() as reader,
    ):
        load(TOWN, warehouse)
        groups = {group: Bitset.of(keys, TOWN.size) for group, keys in TOWN.groups.items()}
        yield Evaluation(CONTEXT, warehouse, reader, TOWN.size, members_from(groups))


@pytest.mark.parametrize("rule", RULES)
def test_rule_on_the_reference(rule: str) -> None:
    """G-1, G-2, G-3, G-4, G-5, G-6, G-7"""
    match, expected = RULES[rule]
    assert members(definition_of(match), TOWN.people, World(CONTEXT, TOWN.groups)) == expected


@pytest.mark.parametrize("rule", RULES)
def test_rule_on_the_fast_engine(rule: str, evaluation: Evaluation) -> None:
    """G-1, G-2, G-3, G-4, G-5, G-6, G-7"""
    match, expected = RULES[rule]
    result = evaluation.result(plan(definition_of(match), CONTEXT))
    assert set(map(int, result.members.keys())) == expected


def test_population_of_all_apps_has_the_customers_of_any(evaluation: Evaluation) -> None:
    """G-1: `app` null."""
    definition = definition_of({"everyone": True}, app=None)
    expected = EVERYBODY | {6}
    assert members(definition, TOWN.people, World(CONTEXT, TOWN.groups)) == expected
    assert set(map(int, evaluation.result(plan(definition, CONTEXT)).population.keys())) == expected
