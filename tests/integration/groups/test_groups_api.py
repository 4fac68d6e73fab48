"""Groups from their creation to their end, over REST (groups spec, sections 1 to 5 and 8)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from tests.integration.groups.conftest import BOUGHT_AT, in_group, matching, up_to
from tests.integration.living import Document, Living, problem

Make = Callable[..., Document]


def _patch(town: Living, group: str, revision: int, **changes: object) -> Document:
    answer = town.local.patch(f"/groups/{group}", json=changes, headers={"If-Match": f'"{revision}"'})
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def _members(town: Living, group: str) -> list[str]:
    return list(town.get(f"/groups/{group}/members", limit=1000)["items"])


def test_group_is_usable_when_it_is_saved(town: Living, make: Make) -> None:
    made = make("regulars", up_to(40), tags=["b", "a", "a"])
    shown = town.get("/groups/regulars")
    assert {name: shown[name] for name in ("key", "kind", "app", "tags", "exposure", "revision", "state", "size")} == {
        "key": "regulars",
        "kind": "segment",
        "app": "notes",
        "tags": ["a", "b"],
        "exposure": "never",
        "revision": 1,
        "state": "active",
        "size": 40,
    }
    assert (shown["available_customers"], shown["used_by"], shown["definition"]) == (54, [], up_to(40))
    assert shown["data_as_of"] is not None
    assert town.get(f"/groups/{made['id']}") == shown
    assert len(_members(town, "regulars")) == 40


def test_population_leaves_out_the_young_the_objecting_and_the_strangers(town: Living, make: Make) -> None:
    """G-1, G-2, G-3"""
    everyone = make("everyone", matching({"everyone": True}))
    nobody = make("nobody", matching({"none": [{"everyone": True}]}))
    strangers = make("not-french", matching({"none": [{"attribute": "country", "op": "is", "value": "FR"}]}))
    assert [(one["size"], one["available_customers"]) for one in (everyone, nobody, strangers)] == [
        (54, 54),
        (0, 54),
        (None, 54),
    ]
    assert (nobody["state"], "small" in nobody) == ("inactive", False)
    assert (strangers["size"], strangers["small"], strangers["state"]) == (None, True, "inactive")


def test_minimum_age_and_unknown_age_are_settings(town: Living, make: Make) -> None:
    """G-1: five are ten years old, nobody else said their age."""
    make("everyone", matching({"everyone": True}))
    sizes = []
    for changes in ({"minimum_age": 0}, {"minimum_age": 17, "require_known_age": True}, {"require_known_age": False}):
        revision = town.get("/publisher")["revision"]
        edited = town.local.patch("/publisher", json=changes, headers={"If-Match": f'"{revision}"'})
        assert edited.status_code == 200
        town.post("/groups/everyone/refresh")
        sizes.append(town.get("/groups/everyone")["size"])
    assert sizes == [59, 0, 54]


def test_segments_follow_what_an_unset_consent_means(town: Living, make: Make) -> None:
    """C-12: only u60 ever spoke of profiling."""
    make("profiled", matching({"everyone": True}))
    sizes = []
    for allowed in (False, True):
        revision = town.get("/publisher")["revision"]
        changes = {"unset_consents": {"profiling": allowed}}
        edited = town.local.patch("/publisher", json=changes, headers={"If-Match": f'"{revision}"'})
        assert (edited.status_code, edited.json()["unset_consents"]["offers"]) == (200, True)
        town.settle()
        sizes.append((town.get("/groups/profiled")["size"], town.get("/groups/profiled")["available_customers"]))
    assert sizes == [(0, 0), (54, 54)]


def test_unset_consents_are_an_owners_to_change(town: Living) -> None:
    revision = town.get("/publisher")["revision"]
    editor = town.with_scopes("catalog:read", "catalog:write")
    headers = {"If-Match": f'"{revision}"'}
    refused = editor.patch("/publisher", json={"unset_consents": {"offers": False}}, headers=headers)
    assert problem(refused) == (403, "scope_missing")
    unknown = town.local.patch("/publisher", json={"unset_consents": {"fun": True}}, headers=headers)
    assert (problem(unknown)[0], unknown.json()["errors"][0]["pointer"]) == (422, "/unset_consents/fun")
    assert town.get("/publisher")["revision"] == revision


def test_list_is_read_page_by_page_and_by_state(town: Living, make: Make) -> None:
    for number in range(3):
        make(f"page-{number}", up_to(30))
    make("page-draft", up_to(30), active=False)
    pages, cursor = [], None
    while True:
        page = town.get("/groups", limit=2, **({"cursor": cursor} if cursor else {}))
        pages.append([one["key"] for one in page["items"]])
        cursor = page["next_cursor"]
        if not cursor:
            break
    assert pages == [["page-0", "page-1"], ["page-2", "page-draft"]]
    drafts = town.get("/groups", state="draft")["items"]
    assert [(one["key"], one["size"], "small" in one) for one in drafts] == [("page-draft", None, False)]


def test_edit_needs_the_revision_that_was_read(town: Living, make: Make) -> None:
    make("edited", up_to(40))
    assert problem(town.local.patch("/groups/edited", json={"name": "New"})) == (428, "revision_required")
    assert _patch(town, "edited", 1, name="  New  name ")["name"] == "New  name"
    stale = town.local.patch("/groups/edited", json={"name": "Newer"}, headers={"If-Match": '"1"'})
    assert problem(stale) == (409, "revision_conflict")
    assert {name: stale.json()[name] for name in ("current", "expected")} == {"current": 2, "expected": 1}
    nothing = town.local.patch("/groups/edited", json={"name": None}, headers={"If-Match": '"2"'})
    assert problem(nothing) == (422, "request_invalid")
    assert nothing.json()["errors"][0]["pointer"] == "/name"
    assert town.get("/groups/edited")["revision"] == 2


def test_versions_keep_every_revision(town: Living, make: Make) -> None:
    make("kept", up_to(40))
    _patch(town, "kept", 1, name="Second")
    _patch(town, "kept", 2, definition=up_to(30))
    found = town.get("/groups/kept/versions")["items"]
    assert [(one["revision"], one["name"], one["definition"], one["saved_by"]) for one in found] == [
        (3, "Second", up_to(30), "command line"),
        (2, "Second", up_to(40), "command line"),
        (1, "Kept", up_to(40), "command line"),
    ]


def test_states_follow_one_another(town: Living, make: Make) -> None:
    """groups.md, section 5"""
    make("stated", up_to(40), active=False)
    assert town.get("/groups/stated")["state"] == "draft"
    assert _members(town, "stated") == []
    assert problem(town.local.post("/groups/stated/refresh")) == (422, "state_not_allowed")
    assert _patch(town, "stated", 1, definition=up_to(30))["size"] is None
    assert (town.post("/groups/stated/activate")["state"], town.get("/groups/stated")["size"]) == ("active", 30)
    assert problem(town.local.post("/groups/stated/activate")) == (422, "state_not_allowed")
    assert problem(town.local.post("/groups/stated/retry")) == (422, "state_not_allowed")
    assert _patch(town, "stated", 2, definition=up_to(3))["state"] == "inactive"
    assert town.post("/groups/stated/refresh")["state"] == "inactive"
    assert _patch(town, "stated", 3, definition=up_to(26))["state"] == "active"
    assert town.post("/groups/stated/archive")["state"] == "archived"
    assert [one["key"] for one in town.get("/groups")["items"]] == []
    assert [one["key"] for one in town.get("/groups", state="archived")["items"]] == ["stated"]
    restored = town.post("/groups/stated/restore")
    assert (restored["state"], restored["size"]) == ("active", 26)
    assert town.local.delete("/groups/stated").status_code == 204
    assert problem(town.local.get("/groups/stated")) == (404, "group_unknown")


def test_key_is_taken_once(town: Living, make: Make) -> None:
    make("taken", up_to(30))
    again = town.local.post("/groups", json={"key": "taken", "name": "Other", "definition": up_to(30)})
    assert (problem(again), again.json()["errors"][0]["pointer"]) == ((409, "key_taken"), "/key")
    same_name = town.post("/groups", {"name": "Taken", "definition": up_to(30)}, 201)
    assert same_name["key"] == "taken-2"
    assert town.local.delete("/groups/taken-2").status_code == 204


def test_used_group_stays_and_names_its_users(town: Living, make: Make) -> None:
    """G-22"""
    base = make("base", up_to(40))
    user = make("user", matching({"all": [{"group": "base"}, {"attribute": "points", "op": "gt", "value": 10}]}))
    uses = [{"kind": "segment", "id": user["id"], "name": "User"}]
    assert town.get("/groups/base")["used_by"] == uses
    for refused in (town.local.post("/groups/base/archive"), town.local.delete("/groups/base")):
        assert (problem(refused), refused.json()["used_by"]) == ((409, "in_use"), uses)
        assert "segment “User”" in refused.json()["detail"]
    assert town.post("/groups/user/archive")["state"] == "archived"
    # Put away is not gone: it may be restored, and then it needs the group again.
    assert problem(town.local.delete("/groups/base")) == (409, "in_use")
    assert town.post("/groups/base/archive")["state"] == "archived"
    assert town.get("/groups/user")["sentence"] != ""
    assert problem(town.local.post("/groups/user/restore")) == (422, "definition_invalid")
    assert town.post(f"/groups/{base['id']}/restore")["state"] == "active"
    assert town.post("/groups/user/restore")["size"] == 30


def test_circle_of_references_is_shown(town: Living, make: Make) -> None:
    """G-9"""
    make("first", up_to(40))
    make("second", in_group("first"))
    make("third", in_group("second"))
    refused = town.local.patch("/groups/first", json={"definition": in_group("third")}, headers={"If-Match": '"1"'})
    assert problem(refused) == (422, "reference_cycle")
    path = refused.json()["path"]
    assert (path[0] == path[-1], sorted(path[:-1])) == (True, ["First", "Second", "Third"])
    itself = town.local.patch("/groups/first", json={"definition": in_group("first")}, headers={"If-Match": '"1"'})
    assert (problem(itself), itself.json()["path"]) == ((422, "reference_cycle"), ["First", "First"])
    assert (town.get("/groups/first")["revision"], town.get("/groups/first")["size"]) == (1, 40)


def test_segment_follows_the_one_it_uses_in_the_same_refresh(town: Living, make: Make) -> None:
    """G-9, G-16"""
    make("source", up_to(40))
    make("follower", in_group("source"))
    make("second-follower", matching({"none": [{"group": "follower"}]}))
    edited = _patch(town, "source", 1, definition=up_to(28))
    shown = [town.get(f"/groups/{key}") for key in ("source", "follower", "second-follower")]
    assert [one["size"] for one in shown] == [28, 28, 26]
    assert {one["refreshed_at"] for one in shown} == {edited["refreshed_at"]}
    assert _members(town, "follower") == _members(town, "source")


def test_inactive_group_still_excludes(town: Living, make: Make) -> None:
    """groups.md, section 5: where it excludes, it goes on excluding."""
    make("few", up_to(3))
    assert make("others", matching({"none": [{"group": "few"}]}))["size"] == 51


def test_draft_has_no_members_to_refer_to(town: Living, make: Make) -> None:
    make("empty", up_to(30), active=False)
    refused = town.local.post("/groups", json={"name": "Of a draft", "definition": in_group("empty")})
    assert problem(refused) == (409, "group_inactive")


def test_members_are_read_to_the_end_of_the_generation_they_began_in(town: Living, make: Make) -> None:
    """G-16: never a mixture."""
    make("paged", up_to(30))
    before = _members(town, "paged")
    first = town.get("/groups/paged/members", limit=20)
    _patch(town, "paged", 1, definition=matching({"attribute": "points", "op": "gt", "value": 20}))
    second = town.get("/groups/paged/members", limit=20, cursor=first["next_cursor"])
    assert (first["items"] + second["items"], second["next_cursor"]) == (before, None)
    assert (first["generation"], second["generation"]) == (1, 1)
    now = town.get("/groups/paged/members", limit=1000)
    assert (now["generation"], len(now["items"])) == (2, 34)
    assert problem(town.local.get("/groups/paged/members", params={"cursor": "bm9uZQ"})) == (400, "cursor_invalid")
    foreign = "WyJhIiwiYiJd"
    assert problem(town.local.get("/groups/paged/members", params={"cursor": foreign})) == (400, "cursor_invalid")
    assert problem(town.local.get("/groups", params={"cursor": first["next_cursor"]})) == (400, "cursor_invalid")


def test_preview_counts_what_is_not_saved(town: Living, make: Make) -> None:
    """G-14"""
    make("saved", up_to(40))
    make("french", matching({"attribute": "country", "op": "is", "value": "FR"}))
    french = {"attribute": "country", "op": "is", "value": "FR"}
    late = {"attribute": "points", "op": "gt", "value": 4}
    answer = town.post(
        "/groups/preview", {"definition": matching({"all": [french, late]}), "edited": "saved", "overlap": ["french"]}
    )
    french_id = town.get("/groups/french")["id"]
    assert {
        name: answer[name] for name in ("size", "available_customers", "waterfall", "overlap", "joined", "left")
    } == {
        "size": 26,
        "available_customers": 54,
        "waterfall": [
            {"pointer": "/match/all/0", "condition": french, "alone": {"size": 30}, "after": {"size": 30}},
            {"pointer": "/match/all/1", "condition": late, "alone": {"size": 50}, "after": {"size": 26}},
        ],
        "overlap": {french_id: {"size": 26}},
        "joined": {"size": 0},
        "left": {"size": 14},
    }
    assert (answer["share"], len(answer["sample"])) == (26 / 54, 10)
    assert answer["sentence"].startswith("Customers of Notes")
    four = town.local.post("/groups/preview", json={"definition": up_to(30), "overlap": ["saved"] * 4})
    assert (problem(four), four.json()["errors"][0]["pointer"]) == ((422, "value_not_allowed"), "/overlap")


def test_explanation_shows_the_value_seen_and_when_it_changes(town: Living, make: Make) -> None:
    """G-18"""
    recent = {"attribute": "last_purchase_at", "op": "in_last", "value": "P30D"}
    points = {"attribute": "points", "op": "lte", "value": 40}
    make("explained", matching({"any": [recent, points]}))
    why = town.get("/groups/explained/explain", customer="external:u1")
    instant = BOUGHT_AT.isoformat().replace("+00:00", "Z")
    changes = (BOUGHT_AT + timedelta(days=30)).isoformat().replace("+00:00", "Z")
    assert (why["member"], why["stored_member"], why["in_population"]) == (True, True, True)
    assert [(one["pointer"], one["truth"], one["seen"], one["changes_at"]) for one in why["tree"]["children"]] == [
        ("/match/any/0", True, instant, changes),
        ("/match/any/1", True, 1, None),
    ]
    outside = town.get("/groups/explained/explain", customer="u45@example.com")
    assert (outside["member"], [one["seen"] for one in outside["tree"]["children"]]) == (False, [None, 45])
    objecting = town.get("/groups/explained/explain", customer="external:u60")
    assert (objecting["member"], objecting["in_population"]) == (False, False)
    nobody = town.local.get("/groups/explained/explain", params={"customer": "external:u99"})
    assert problem(nobody) == (404, "customer_unknown")
    found = town.get("/customers/external:u1/groups")["items"]
    assert [one["key"] for one in found] == ["explained"]


def test_overlap_tells_every_intersection(town: Living, make: Make) -> None:
    """G-19"""
    ids = {make(f"set-{size}", up_to(size))["id"]: size for size in (50, 46, 42, 38, 34, 30)}
    keys = [f"set-{size}" for size in ids.values()]
    found = town.get("/groups/overlap", ids=",".join(keys))["intersections"]
    shown = [(sorted(ids[one] for one in cell["groups"]), cell["size"]) for cell in found]
    assert shown == [
        ([30, 34, 38, 42, 46, 50], 30),
        *sorted(
            [([50], 4), ([46, 50], 4), ([42, 46, 50], 4), ([38, 42, 46, 50], 4), ([34, 38, 42, 46, 50], 4)],
            key=lambda one: sorted(identifier for identifier, size in ids.items() if size in one[0]),
        ),
    ]
    for wrong in ("set-50", "set-50,set-50", ",".join([*keys, "set-x"])):
        refused = town.local.get("/groups/overlap", params={"ids": wrong})
        assert problem(refused) in ((422, "value_not_allowed"), (404, "group_unknown"))
    same = f"set-50,{next(iter(ids))}"
    assert problem(town.local.get("/groups/overlap", params={"ids": same})) == (422, "value_not_allowed")


def test_templates_show_their_size_and_are_copied(town: Living) -> None:
    """groups.md, section 7"""
    listed = town.get("/group-templates", app="notes")["items"]
    assert [(one["key"], one["size"]) for one in listed] == [
        ("new-customers", 0),
        ("first-time-payers", 53),
        ("top-spenders", None),
        ("lapsing", 54),
        ("inactive-30-days", 54),
        ("trial-users", 0),
        ("unhappy-raters", 0),
        ("campaign-arrivals", 0),
        ("outdated-version", 0),
        ("loyal", 0),
    ]
    copied = town.post("/group-templates/first-time-payers/copy", {"app": "notes", "name": "Never paid"}, 201)
    assert (copied["template"], copied["name"], copied["size"]) == ("first-time-payers", "Never paid", 53)
    assert town.local.delete(f"/groups/{copied['id']}").status_code == 204
    unknown = town.local.post("/group-templates/none/copy", json={"app": "notes"})
    assert problem(unknown) == (404, "template_unknown")
    assert problem(town.local.get("/group-templates", params={"app": "nots"})) == (422, "definition_invalid")


@pytest.mark.parametrize(
    ("match", "expected"),
    [
        ({"attribute": "countri", "op": "is", "value": "FR"}, ("/match/attribute", "unknown_attribute", "country")),
        ({"event": "sesion"}, ("/match/event", "unknown_event", "session")),
        ({"attribute": "points", "op": "contains", "value": "1"}, ("/match/op", "operator_not_allowed", None)),
        ({"attribute": "points", "op": "gt", "value": "x"}, ("/match/value", "value_not_allowed", None)),
        ({"group": "regulers"}, ("/match/group", "unknown_group", "regulars")),
        ({"all": []}, ("/match/all", "definition_invalid", None)),
        ({"all": [{"everyone": True}] * 101}, ("/match/all", "too_many_conditions", None)),
    ],
)
def test_definition_says_where_it_is_wrong(
    town: Living, make: Make, match: Document, expected: tuple[str, str, str | None]
) -> None:
    """G-10"""
    make("regulars", up_to(40))
    for path, body in (
        ("/groups", {"name": "Wrong", "definition": matching(match)}),
        ("/groups/preview", {"definition": matching(match)}),
    ):
        refused = town.local.post(path, json=body)
        assert problem(refused) == (422, "definition_invalid")
        [error] = refused.json()["errors"]
        assert (error["pointer"], error["code"], error["nearest"]) == expected
        assert error["message"].endswith((".", "?"))


def test_names_and_tags_have_limits(town: Living) -> None:
    wrong: list[tuple[Document, str]] = [
        ({"name": ""}, "/name"),
        ({"name": "a\u0007b"}, "/name"),
        ({"name": "x" * 201}, "/name"),
        ({"name": "x", "tags": [str(number) for number in range(21)]}, "/tags"),
        ({"name": "x", "exposure": "public"}, "/exposure"),
        ({"name": "x", "key": "-x"}, "/key"),
    ]
    for fields, pointer in wrong:
        refused = town.local.post("/groups", json={"definition": up_to(30), **fields})
        assert (problem(refused), refused.json()["errors"][0]["pointer"]) == ((422, "value_not_allowed"), pointer)


def test_what_is_done_to_a_group_is_on_the_record(town: Living, make: Make) -> None:
    import sqlite3

    group = make("recorded", up_to(40))
    _patch(town, "recorded", 1, name="Recorded twice")
    for verb in ("refresh", "archive", "restore"):
        town.post(f"/groups/recorded/{verb}")
    assert town.local.delete("/groups/recorded").status_code == 204
    with sqlite3.connect(town.home / "control.sqlite3") as database:
        found = database.execute(
            "SELECT action, actor_label FROM audit_auditentry WHERE thing_id = ? ORDER BY id", (group["id"],)
        ).fetchall()
    database.close()
    assert found == [
        (f"group.{verb}", "command line") for verb in ("created", "edited", "refresh", "archive", "restore", "deleted")
    ]


def test_api_describes_itself(town: Living) -> None:
    described = town.local.get("http://localhost/api/v1/openapi.json").json()
    operations = {(method.upper(), path) for path, methods in described["paths"].items() for method in methods}
    assert {("PATCH", "/api/v1/groups/{reference}"), ("POST", "/api/v1/imports")} <= operations


@pytest.fixture(autouse=True)
def _clean(town: Living) -> Iterator[None]:
    yield
    assert town.get("/groups")["items"] == []
