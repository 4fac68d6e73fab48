"""Small is told to nobody, wherever a size could show (G-21, D-44)."""

from __future__ import annotations

import json

import httpx
import pytest

from tests.integration.groups.conftest import in_group, matching, up_to
from tests.integration.living import Document, Living, problem

FLOOR = 25
SMALL = {"size": None, "small": True}


@pytest.fixture(scope="module")
def looker(town: Living) -> httpx.Client:
    """May see groups, and not who is in them."""
    return town.with_scopes("groups:read")


@pytest.fixture(scope="module")
def lister(town: Living) -> httpx.Client:
    return town.with_scopes("groups:read", "members:read")


@pytest.fixture(scope="module", autouse=True)
def groups(town: Living) -> None:
    """One group of every size from 0 to 30, and two large ones."""
    for size in range(31):
        town.post("/groups", {"key": f"of-{size}", "name": f"Of {size}", "definition": up_to(size)}, 201)
    town.post("/groups", {"key": "everybody", "name": "Everybody", "definition": matching({"everyone": True})}, 201)
    upper = matching({"attribute": "points", "op": "gt", "value": 20})
    town.post("/groups", {"key": "upper", "name": "Upper", "definition": upper}, 201)


def _ask(client: httpx.Client, path: str, **parameters: str) -> Document:
    answer = client.get(path, params=parameters)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def _preview(client: httpx.Client, definition: Document, **fields: object) -> Document:
    answer = client.post("/groups/preview", json={"definition": definition, **fields})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def _told(size: int) -> Document:
    return SMALL if 0 < size < FLOOR else {"size": size}


def _size(document: Document) -> Document:
    return {name: document[name] for name in ("size", "small") if name in document}


@pytest.mark.parametrize("who", ["looker", "lister"])
def test_list_and_show_tell_no_small_size(town: Living, who: str, request: pytest.FixtureRequest) -> None:
    client = request.getfixturevalue(who)
    listed = {one["key"]: one for one in _ask(client, "/groups", limit="200")["items"]}
    for size in range(31):
        expected = (_told(size), "active" if size >= FLOOR else "inactive")
        for shown in (listed[f"of-{size}"], _ask(client, f"/groups/of-{size}")):
            assert (_size(shown), shown["state"]) == expected


@pytest.mark.parametrize("who", ["looker", "lister"])
def test_preview_of_a_small_set_tells_nothing_that_is_as_small(
    town: Living, who: str, request: pytest.FixtureRequest
) -> None:
    client = request.getfixturevalue(who)
    everybody = town.get("/groups/everybody")["id"]
    for size in range(1, FLOOR):
        whole = {"all": [{"everyone": True}, up_to(size)["match"], {"everyone": True}]}
        shown = _preview(client, matching(whole), edited="everybody", overlap=["everybody"])
        assert (_size(shown), shown["share"], shown["sample"]) == (SMALL, None, [])
        last = [step["after"] for step in shown["waterfall"]][1:]
        assert (last, shown["waterfall"][1]["alone"]) == ([SMALL, SMALL], SMALL)
        assert (shown["overlap"], shown["joined"], shown["left"]) == ({everybody: SMALL}, SMALL, SMALL)
        assert shown["available_customers"] == 54


@pytest.mark.parametrize("who", ["looker", "lister"])
def test_small_group_is_not_measured_by_a_large_preview(town: Living, who: str, request: pytest.FixtureRequest) -> None:
    """A large definition compared with a Small group would tell the group's size by itself or by subtraction."""
    client = request.getfixturevalue(who)
    for size in range(1, FLOOR):
        key = f"of-{size}"
        identifier = town.get(f"/groups/{key}")["id"]
        shown = _preview(client, matching({"everyone": True}), edited=key, overlap=[key])
        assert (shown["overlap"], shown["joined"], shown["left"]) == ({identifier: SMALL}, SMALL, SMALL)


def test_parts_are_exact_for_who_may_list_the_members(town: Living, looker: httpx.Client, lister: httpx.Client) -> None:
    """u21..u30 are in both: a part of ten. The looker learns neither it nor what would give it."""
    definition = matching({"all": [up_to(30)["match"], {"attribute": "points", "op": "gt", "value": 1}]})
    exact = _preview(lister, definition, edited="of-30", overlap=["upper"])
    upper = town.get("/groups/upper")["id"]
    assert exact["overlap"] == {upper: {"size": 10}}
    assert (exact["joined"], exact["left"]) == ({"size": 0}, {"size": 1})
    assert [(step["alone"], step["after"]) for step in exact["waterfall"]] == [
        ({"size": 30}, {"size": 30}),
        ({"size": 53}, {"size": 29}),
    ]
    vague = _preview(looker, definition, edited="of-30", overlap=["upper"])
    assert vague["overlap"] == {upper: SMALL}
    assert (vague["joined"], vague["left"], vague["sample"]) == ({"size": 0}, SMALL, [])
    # 54 - 53 and 30 - 29 would each be one person.
    assert [(step["alone"], step["after"]) for step in vague["waterfall"]] == [(SMALL, SMALL), (SMALL, {"size": 29})]


def test_overlap_tells_no_small_part_and_nothing_that_gives_it(
    town: Living, looker: httpx.Client, lister: httpx.Client
) -> None:
    """G-19: `of-30` is u1..u30, `upper` u21..u50 and u56..u59: ten in both, 20 and 24 in one."""
    ids = {town.get(f"/groups/{key}")["id"]: key for key in ("of-30", "upper", "everybody", "of-26")}

    def cells(client: httpx.Client, *keys: str) -> dict[str, Document]:
        found = _ask(client, "/groups/overlap", ids=",".join(keys))["intersections"]
        return {"+".join(sorted(ids[one] for one in cell["groups"])): _size(cell) for cell in found}

    assert cells(lister, "of-30", "upper") == {
        "of-30": {"size": 20},
        "upper": {"size": 24},
        "of-30+upper": {"size": 10},
    }
    assert cells(looker, "of-30", "upper") == {"of-30": SMALL, "upper": SMALL, "of-30+upper": SMALL}
    # Everybody (54) without the 26: 28 may be told, but 30 - 26 = 4 may not, so the 26 must not be told beside the 30.
    assert cells(looker, "everybody", "of-26") == {"everybody": {"size": 28}, "everybody+of-26": {"size": 26}}
    assert cells(looker, "of-30", "of-26") == {"of-30": SMALL, "of-26+of-30": SMALL}
    assert cells(lister, "of-30", "of-26") == {"of-30": {"size": 4}, "of-26+of-30": {"size": 26}}


@pytest.mark.parametrize("who", ["looker", "lister"])
def test_overlap_does_not_measure_a_small_group(town: Living, who: str, request: pytest.FixtureRequest) -> None:
    """The rest of the large one would give it by subtraction."""
    client = request.getfixturevalue(who)
    for size in range(1, FLOOR):
        found = _ask(client, "/groups/overlap", ids=f"everybody,of-{size}")["intersections"]
        assert [_size(cell) for cell in found] == [SMALL, SMALL]


def test_small_group_lists_nobody(town: Living, lister: httpx.Client) -> None:
    for size in range(1, FLOOR):
        assert problem(lister.get(f"/groups/of-{size}/members")) == (409, "group_inactive")
    assert _ask(lister, "/groups/of-0/members")["items"] == []
    assert len(_ask(lister, "/groups/of-25/members")["items"]) == 25


def test_explanation_tells_no_size(town: Living, looker: httpx.Client, lister: httpx.Client) -> None:
    for size in (1, 24):
        why = _ask(lister, f"/groups/of-{size}/explain", customer="external:u1")
        assert ("size" in json.dumps(why), why["member"]) == (False, True)
    assert problem(looker.get("/groups/of-30/explain", params={"customer": "external:u1"})) == (403, "scope_missing")
    assert problem(looker.get("/groups/of-30/members")) == (403, "scope_missing")
    assert problem(looker.get("/customers/external:u1/groups")) == (403, "scope_missing")
    assert problem(looker.post("/groups", json={"name": "x", "definition": up_to(30)})) == (403, "scope_missing")


def test_small_group_in_a_large_definition_is_not_measured(town: Living, lister: httpx.Client) -> None:
    """Who may list the members could subtract what a step leaves from what it found."""
    whole = {"all": [{"everyone": True}, in_group("of-7")["match"]]}
    shown = _preview(lister, matching(whole))
    assert [step["after"] for step in shown["waterfall"]] == [{"size": 54}, SMALL]


def test_command_line_says_small(town: Living) -> None:
    from tests.integration.processes import muster

    listed = muster(town.environment, "groups", "list").stdout.splitlines()
    [row] = [line.split() for line in listed if line.startswith("of-24 ")]
    assert row[4] == "Small"


def test_floor_can_be_switched_off(town: Living, lister: httpx.Client) -> None:
    def floor(size: int) -> None:
        revision = town.get("/publisher")["revision"]
        answer = town.local.patch("/publisher", json={"minimum_size": size}, headers={"If-Match": f'"{revision}"'})
        assert answer.status_code == 200

    floor(0)
    assert _size(_ask(lister, "/groups/of-7")) == {"size": 7}
    floor(FLOOR)
    assert _size(_ask(lister, "/groups/of-7")) == SMALL
