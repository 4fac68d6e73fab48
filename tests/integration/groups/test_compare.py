"""A group beside its population (groups spec, G-20 and G-21)."""

from __future__ import annotations

from collections.abc import Callable

from tests.integration.groups.conftest import matching, up_to
from tests.integration.living import Document, Living, problem

Make = Callable[..., Document]


def _figures(answer: Document, key: str) -> dict[str, tuple[object, object]]:
    [found] = [one for one in answer["breakdowns"] if one["key"] == key]
    return {one["value"]: (one["group"]["size"], one["population"]["size"]) for one in found["values"]}


def test_figures_are_counted_by_hand(town: Living, make: Make) -> None:
    """u1..u30 live in France, the others of the 54 in Germany; everybody came 40 days ago; u1 bought for 12.50."""
    make("compared", up_to(40))
    found = town.get("/groups/compared/compare")
    assert (found["size"], found["available_customers"]) == (40, 54)
    assert _figures(found, "country") == {"FR": (30, 30), "DE": (10, 24), "unknown": (0, 0)}
    assert _figures(found, "last_used_days") == {
        "7": (0, 0),
        "30": (0, 0),
        "90": (40, 54),
        "more": (0, 0),
        "unknown": (0, 0),
    }
    assert _figures(found, "age_group")["unknown"] == (40, 54)
    assert found["spend"]["group"] == {"buyers": {"size": 1}, "total": "12.5", "average": "12.50"}
    [french] = [one for one in found["breakdowns"][2]["values"] if one["value"] == "FR"]
    assert round(french["index"], 4) == round((30 / 40) / (30 / 54), 4)


def test_small_figures_are_kept_from_who_may_not_list(town: Living, make: Make) -> None:
    """G-21: neither the ten Germans, nor the French from whom they could be reckoned."""
    make("compared", up_to(40))
    reader = town.with_scopes("groups:read")
    found = reader.get("/groups/compared/compare").json()
    assert _figures(found, "country") == {"FR": (None, None), "DE": (None, None), "unknown": (0, 0)}
    assert found["spend"]["group"] == {"buyers": {"size": None, "small": True}, "total": None, "average": None}


def test_small_group_is_not_compared(town: Living, make: Make) -> None:
    make("tiny", up_to(3))
    assert problem(town.local.get("/groups/tiny/compare")) == (409, "group_inactive")


def test_known_group_is_compared_with_everybody(town: Living, make: Make) -> None:
    make("lively", matching({"everyone": True}))
    town.post("/groups/lively/freeze", {"key": "frozen"}, 201)
    found = town.get("/groups/frozen/compare")
    assert (found["size"], found["available_customers"]) == (54, 54)
    town.local.delete("/groups/frozen")
