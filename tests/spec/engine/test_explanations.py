"""Why somebody is in, and when that changes by itself (G-18): instants written by hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from muster.engine.explain import Explained, explain
from muster.engine.reference.evaluate import World
from tests.spec.engine.test_definitions import attribute, definition_of, event
from tests.spec.engine.village import CONTEXT, NOW, PEOPLE, TOWN, ago

_WORLD = World(CONTEXT, TOWN.groups, lambda _condition, _app: 10_000_000.0)
_DAY = timedelta(days=1)
_BERLIN_MIDNIGHT = datetime(2026, 11, 21, 23, tzinfo=UTC)
# Key of the person, condition, member now, and when that changes without new data.
CASES: dict[str, tuple[int, dict[str, Any], bool, datetime | None]] = {
    "used 7 days ago is used within 30 for 23 more": (
        9,
        attribute("last_used_at", "in_last", "P30D"),
        True,
        NOW + 23 * _DAY,
    ),
    "once out, out for good": (1, attribute("last_used_at", "in_last", "P30D"), False, None),
    "an inside tick ends a tick later": (
        2,
        attribute("last_used_at", "in_last", "P30D"),
        True,
        NOW + timedelta(microseconds=1),
    ),
    "a negation turns at the same instant": (
        9,
        attribute("last_used_at", "not_in_last", "P30D"),
        False,
        NOW + 23 * _DAY,
    ),
    "a count falls when its oldest event is too old": (
        1,
        event(value=3, when={"last": "P30D"}),
        True,
        ago(days=20) + 30 * _DAY,
    ),
    "a count of at most two rises to true": (
        1,
        event(op="lte", value=2, when={"last": "P30D"}),
        False,
        NOW + 10 * _DAY,
    ),
    "24 until Berlin's midnight": (9, attribute("age", "lt", 25), True, _BERLIN_MIDNIGHT),
    "beyond 120 an age is none": (8, attribute("age", "gte", 50), True, datetime(2097, 11, 20, 23, tzinfo=UTC)),
    "a subscription ends tomorrow": (8, attribute("addons_owned", "has_any", ["Pro"]), True, NOW + _DAY),
    "a durable stays": (8, attribute("addons_owned", "has_any", ["tour"]), True, None),
    "a device is forgotten after 90 days": (8, attribute("os", "is", "windows"), True, NOW + _DAY),
    "the day of an anniversary ends": (
        8,
        attribute("anniversary", "anniversary_in_next", "P1D"),
        True,
        _BERLIN_MIDNIGHT,
    ),
    "days do not move": (8, attribute("last_used_at", "on", "2026-11-21"), True, None),
    "too young until the birthday": (3, {"everyone": True}, False, datetime(2026, 12, 31, 23, tzinfo=UTC)),
    "all turns with the first of its parts": (
        9,
        {"all": [attribute("age", "lt", 25), attribute("last_used_at", "in_last", "P30D")]},
        True,
        _BERLIN_MIDNIGHT,
    ),
    "any turns with the last of its parts": (
        9,
        {"any": [attribute("age", "lt", 25), attribute("last_used_at", "in_last", "P30D")]},
        True,
        NOW + 23 * _DAY,
    ),
    "membership of a group only changes with data": (1, {"group": "grp_staff"}, True, None),
}


def _explained(key: int, match: dict[str, Any]) -> Any:
    person = next(one for one in PEOPLE if one.customer_key == key)
    return explain(definition_of(match), person, _WORLD)


@pytest.mark.parametrize("case", CASES)
def test_explanation_names_the_next_change(case: str) -> None:
    """G-18"""
    key, match, member, changes_at = CASES[case]
    found = _explained(key, match)
    assert (found.member, found.changes_at) == (member, changes_at)


def test_explanation_shows_values_and_the_newest_events() -> None:
    """G-18: the value or count seen, and the events that decide it, newest first."""
    match = {"all": [attribute("app_spend", "top_percent", 50), event(value=3), attribute("country", "is", "DE")]}
    tree = _explained(1, match).tree
    spend, levels, country = tree.children
    assert [node.truth for node in (tree, spend, levels, country)] == [False, True, True, False]
    assert (spend.seen, spend.threshold) == (10, 10.0)
    assert (levels.seen, [one.properties["level"] for one in levels.events]) == (3, [9, 5, 4])
    assert country.seen == "FR"
    assert [node.pointer for node in tree.children] == ["/match/all/0", "/match/all/1", "/match/all/2"]


def test_outsiders_are_explained_too() -> None:
    """G-1: the tree may hold for somebody who is not in the population."""
    found = _explained(4, attribute("country", "is", "DE"))
    assert (found.member, found.in_population, found.tree.truth) == (False, False, True)


def test_every_kind_of_node_is_explained() -> None:
    match = {
        "all": [
            {"any": [{"sample": {"percent": 100, "salt": "s"}}]},
            {"none": [{"group": "grp_beta"}]},
            {"sequence": [{"event": "level_up"}, {"event": "level_up"}]},
            {"device": {"all": [attribute("os", "is_not", "iOS")]}},
            {"everyone": True},
        ]
    }
    assert _kinds(_explained(8, match).tree) == [
        "all",
        "any",
        "sample",
        "none",
        "group",
        "sequence",
        "device",
        "everyone",
    ]


def _kinds(node: Explained) -> list[str]:
    return [node.kind, *(kind for child in node.children for kind in _kinds(child))]
