"""What a real edge process decides for somebody, and how it says so (edge spec, section 6)."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import jsonschema
import pytest
import yaml
from pyroaring import BitMap

from muster.online.port import Plan, PlanGroup
from muster.online.publication import Identity, Moved, Publication
from tests.integration.edge.conftest import Edge, running_edge
from tests.integration.edge.decided import ANN, BOB, NOTES, PLAN, SERVER, SHOP, decide, flag, flags, publish
from tests.integration.processes import wait_until

DOCUMENT = Path(__file__).parents[2] / "data/ofrep/openapi.patched.yaml"


@pytest.fixture(scope="module")
def served() -> Iterator[Edge]:
    with tempfile.TemporaryDirectory(prefix="mst-") as folder, running_edge(Path(folder)) as running:
        publish(running)
        yield running


@cache
def _document() -> dict[str, Any]:
    return dict(yaml.safe_load(DOCUMENT.read_text(encoding="utf-8")))


def check_ofrep(answer: httpx.Response, path: str) -> None:
    """Against the schema of OFREP's own document for this status."""
    described = _document()["paths"][path]["post"]["responses"][str(answer.status_code)]
    if "content" in described:
        schema = {**described["content"]["application/json"]["schema"], "components": _document()["components"]}
        jsonschema.Draft202012Validator(schema).validate(answer.json())
    assert answer.headers.get("content-type", "application/json") == "application/json"


def member(name: str) -> dict[str, Any]:
    return {"key": name, "value": True, "reason": "TARGETING_MATCH", "variant": "in", "metadata": {"kind": "group"}}


def outside(name: str, reason: str = "STATIC") -> dict[str, Any]:
    return {"key": name, "value": False, "reason": reason, "variant": "out", "metadata": {"kind": "group"}}


def test_decision_names_groups_flags_and_what_it_rests_on(served: Edge) -> None:
    """E-24, E-30: whoever claims to be ann is answered what is open to all."""
    answer = decide(served, {"customer": {"id": "ann"}, "device": {"os": "windows"}})
    assert answer.status_code == 200
    generation = int(answer.headers["x-muster-generation"])
    assert answer.json() == {
        "subject": {"known": True, "trust": "open"},
        "groups": ["loyal"],
        "flags": {"group.loyal": {"value": True, "reason": "TARGETING_MATCH", "variant": "in"}},
        "generation": generation,
        "data_as_of": "2026-11-21T19:04:11Z",
        "expires_in_seconds": 60,
    }
    assert answer.headers["cache-control"] == "private, no-store"
    assert "x-muster-data-as-of" not in answer.headers


def test_server_key_is_answered_all_groups_of_the_app(served: Edge) -> None:
    """Section 2."""
    told = decide(served, {"customer": {"id": "ann"}}, SERVER).json()
    assert told["groups"] == ["loyal", "payers", "staff", "hidden", "careless"]
    assert told["subject"] == {"known": True, "trust": "server"}


@pytest.mark.parametrize(
    ("customer", "key", "groups"),
    [
        ({"id": "ann"}, NOTES, ["loyal"]),
        ({"id": "bob"}, NOTES, []),
        # The publisher's own ids come first: a visitor's id that is the same is another's.
        ({"id": "v-1"}, NOTES, ["loyal"]),
        ({"anonymous_id": "v-1"}, NOTES, ["loyal"]),
        ({"anonymous_id": "ann"}, NOTES, []),
        ({"anonymous_id": "bob"}, NOTES, ["loyal"]),
        ({"id": "nobody"}, NOTES, []),
        ({}, NOTES, []),
        # identity_mode signed: a claimed id is a visitor's at most, and visitors are the app's own.
        ({"id": "ann"}, SHOP, []),
        ({"id": "v-1"}, SHOP, []),
        ({"id": "eve"}, SERVER, ["staff"]),
    ],
)
def test_subject_is_looked_up_in_order(served: Edge, customer: dict[str, str], key: str, groups: list[str]) -> None:
    """E-24."""
    assert decide(served, {"customer": customer}, key).json()["groups"] == groups


def test_id_that_nobody_has_is_not_looked_up(served: Edge) -> None:
    """Longer than any that is taken in; to compose this one would take seconds."""
    endless = "a" + "\u0300\u0316" * 4_000
    for customer in ({"id": endless}, {"anonymous_id": endless}):
        answer = decide(served, {"customer": customer})
        assert (answer.status_code, answer.json()["subject"]["known"]) == (200, False)
    assert served.send({"context": {"targetingKey": endless}}, "/ofrep/v1/evaluate/flags", NOTES).status_code == 200


def test_numbers_name_people_as_texts(served: Edge) -> None:
    """Ids become text, as they did when they were sent."""
    assert served.online is not None
    served.online.publish(Publication(identities={Identity("external", 0, "4711"): ANN}))
    assert decide(served, {"customer": {"id": 4711}}).json()["groups"] == ["loyal"]


def test_claim_does_not_show_whom_we_know(served: Edge) -> None:
    """E-39: bob is known and in nothing that is open; the answers equal those for nobody."""
    known, unknown = (decide(served, {"customer": {"id": one}}).json() for one in ("bob", "nobody"))
    assert known == unknown
    assert known["subject"] == {"known": False, "trust": "open"}
    assert flags(served, "bob").content == flags(served, "nobody").content
    assert decide(served, {"customer": {"id": "bob"}}, SERVER).json()["subject"]["known"] is True


def test_want_selects(served: Edge) -> None:
    """E-31: what does not exist yet is left out."""
    told = decide(served, {"customer": {"id": "ann"}, "want": ["groups", "offers", "update"]}).json()
    assert sorted(told) == ["data_as_of", "expires_in_seconds", "generation", "groups", "subject"]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "invalid_json"),
        (b"{", 400, "invalid_json"),
        (b'{"customer": {"id": "\\ud800"}}', 400, "invalid_json"),
        (b"[]", 422, "facts_invalid"),
        (b'{"customer": "ann"}', 422, "facts_invalid"),
        (b'{"customer": {"id": {}}}', 422, "facts_invalid"),
        (b'{"want": "groups"}', 422, "facts_invalid"),
        (b'{"device": []}', 422, "facts_invalid"),
        (b'{"a": "' + b"x" * 65_536 + b'"}', 413, "body_too_large"),
    ],
)
def test_faults_of_a_decision_are_told(served: Edge, body: bytes, status: int, code: str) -> None:
    answer = served.http.post("/edge/v1/decide", content=body, headers={"X-Muster-Key": NOTES})
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("key", "status", "code"),
    [(None, 401, "app_key_invalid"), ("mpk_none", 401, "app_key_invalid"), ("msk_ingests", 403, "scope_missing")],
)
def test_keys_that_may_not_decide(served: Edge, key: str | None, status: int, code: str) -> None:
    answer = decide(served, {}, key)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_all_flags_are_evaluated_together(served: Edge) -> None:
    """OFREP bulk: only what is exposed at this trust."""
    answer = flags(served, "ann")
    assert (answer.status_code, answer.json()) == (200, {"flags": [member("group.loyal")], "metadata": {}})
    check_ofrep(answer, "/ofrep/v1/evaluate/flags")
    assert answer.headers["cache-control"] == "private, no-cache"
    as_server = flags(served, "eve", SERVER).json()["flags"]
    assert as_server == [
        outside("group.loyal"), outside("group.payers"), member("group.staff"), outside("group.hidden"),
        outside("group.careless"),
    ]  # fmt: skip  # one flag each


def test_unknown_subject_is_out_and_said_to_be_unknown(served: Edge) -> None:
    """Also with no targetingKey at all, and with no context, as libraries send it that were given none."""
    nobody = {"flags": [outside("group.loyal", "UNKNOWN")], "metadata": {}}
    assert flags(served, "nobody").json() == nobody
    assert flags(served).json() == nobody
    assert flags(served, "").json() == nobody
    bare = served.http.post("/ofrep/v1/evaluate/flags", json={}, headers={"X-API-Key": NOTES})
    assert bare.json() == nobody


def test_one_flag(served: Edge) -> None:
    path = "/ofrep/v1/evaluate/flags/{key}"
    for name, expected in (("ann", member("group.loyal")), ("nobody", outside("group.loyal", "UNKNOWN"))):
        answer = flag(served, "group.loyal", name)
        assert (answer.status_code, answer.json()) == (200, expected)
        check_ofrep(answer, path)
    assert flag(served, "group.loyal", "eve", SERVER).json() == outside("group.loyal")


@pytest.mark.parametrize(
    "name", ["nope", "group.nope", "group.payers", "group.staff", "group.hidden", "group.careless"]
)
def test_flag_that_may_not_be_seen_is_as_one_that_is_not_there(served: Edge, name: str) -> None:
    """E-39: existence is not shown."""
    answer = flag(served, name, "ann")
    assert answer.status_code == 404
    assert answer.json() == {"key": name, "errorCode": "FLAG_NOT_FOUND", "errorDetails": "no such flag"}
    check_ofrep(answer, "/ofrep/v1/evaluate/flags/{key}")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "PARSE_ERROR"),
        (b'{"context": ', "PARSE_ERROR"),
        (b"\xff", "PARSE_ERROR"),
        (b"[]", "INVALID_CONTEXT"),
        (b'{"context": []}', "INVALID_CONTEXT"),
        (b'{"context": "ann"}', "INVALID_CONTEXT"),
        (b'{"context": {"targetingKey": 7}}', "INVALID_CONTEXT"),
        (b'{"context": {"targetingKey": {}}}', "INVALID_CONTEXT"),
    ],
)
@pytest.mark.parametrize("name", ["", "/group.loyal"])
def test_faults_of_an_evaluation(served: Edge, body: bytes, code: str, name: str) -> None:
    """400, never 422; with both members that clients read."""
    path = f"/ofrep/v1/evaluate/flags{name}"
    answer = served.http.post(path, content=body, headers={"X-API-Key": NOTES})
    assert (answer.status_code, answer.json()["errorCode"]) == (400, code)
    assert answer.json()["errorDetails"]
    check_ofrep(answer, "/ofrep/v1/evaluate/flags" + ("/{key}" if name else ""))


def test_unknown_key_is_told_as_ofrep_does(served: Edge) -> None:
    answer = flags(served, "ann", "mpk_none")
    assert (answer.status_code, answer.json()) == (
        401, {"errorCode": "GENERAL", "errorDetails": "This key is unknown or revoked."},
    )  # fmt: skip  # one fact each


def test_methods_and_paths_are_exact(served: Edge) -> None:
    """E-3."""
    for path in ("/edge/v1/decide", "/ofrep/v1/evaluate/flags", "/ofrep/v1/evaluate/flags/group.loyal"):
        answer = served.http.get(path)
        assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
    assert served.http.post("/edge/v1/decide/", json={}).status_code == 404


def test_same_flags_are_not_sent_again(served: Edge) -> None:
    """E-30: a strong tag over the flags; a publication that changes nothing for this person stays a 304."""
    first = flags(served, "ann")
    etag = first.headers["etag"]
    assert etag.startswith('"')
    assert served.online is not None
    served.online.publish(Publication(moved={1: Moved(BitMap([BOB]), BitMap())}))
    for asked in (etag, f'"other", {etag}', f"W/{etag}", "*"):
        again = flags(served, "ann", **{"If-None-Match": asked})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)
        assert int(again.headers["x-muster-generation"]) == int(first.headers["x-muster-generation"]) + 1
    assert flags(served, "nobody", **{"If-None-Match": etag}).status_code == 200
    served.online.publish(Publication(moved={1: Moved(BitMap(), BitMap([BOB]))}))


def test_change_is_seen_by_the_next_request(served: Edge) -> None:
    """E-33."""
    assert served.online is not None
    for _ in range(20):
        served.online.publish(Publication(moved={0: Moved(BitMap(), BitMap([ANN]))}))
        assert decide(served, {"customer": {"id": "ann"}}).json()["groups"] == []
        served.online.publish(Publication(moved={0: Moved(BitMap([ANN]), BitMap())}))
        assert decide(served, {"customer": {"id": "ann"}}).json()["groups"] == ["loyal"]


def test_plan_and_members_are_of_one_publication(served: Edge) -> None:
    """E-33: a bit that is given to another group comes with that group's members."""
    assert served.online is not None
    other = Plan((PlanGroup("grp_9", "other", 0, "open"),))
    served.online.publish(Publication(plans={1: other, 2: PLAN}, whole={0: BitMap([BOB])}))
    assert decide(served, {"customer": {"id": "ann"}}).json()["groups"] == []
    assert decide(served, {"customer": {"id": "bob"}}).json()["groups"] == ["other"]
    publish(served)
    assert decide(served, {"customer": {"id": "ann"}}).json()["groups"] == ["loyal"]


def test_answers_may_be_read_by_pages_of_allowed_origins(served: Edge) -> None:
    """E-10: never with a server key."""
    shop = {"Origin": "https://shop.example"}
    answer = flags(served, "v-1", SHOP, **shop)
    assert answer.headers["access-control-allow-origin"] == "https://shop.example"
    assert answer.headers["access-control-expose-headers"] == (
        "ETag, Retry-After, X-Request-Id, X-Muster-Position, X-Muster-Generation"
    )
    assert answer.headers["vary"] == "Origin, Authorization, X-API-Key, X-Muster-Key, X-Muster-Customer"
    assert "access-control-allow-credentials" not in answer.headers
    refused = flags(served, "v-1", SHOP, Origin="https://evil.example")
    assert (refused.status_code, refused.json()["errorCode"]) == (403, "GENERAL")
    assert "access-control-allow-origin" not in flags(served, "ann", SERVER, **shop).headers


def test_age_of_the_data_is_told_when_control_is_silent(tmp_path: Path) -> None:
    """Section 8: never refused for age."""
    with running_edge(tmp_path) as edge:
        publish(edge)
        assert edge.online is not None
        edge.online.publish_meta({"heartbeat_at": "2026-11-21T19:04:12+00:00"})
        edge.http.get("/healthz")
        wait_until(lambda: "x-muster-data-as-of" in decide(edge, {}).headers)
        assert decide(edge, {}).headers["x-muster-data-as-of"] == "2026-11-21T19:04:11Z"
        edge.online.beat()
        wait_until(lambda: "x-muster-data-as-of" not in decide(edge, {}).headers)


def test_nothing_is_decided_before_the_store_is_made(tmp_path: Path) -> None:
    """E-38: 503 with Retry-After; events are taken."""
    with running_edge(tmp_path) as edge:
        publish(edge)
        assert edge.online is not None
        edge.online.forget_all()
        answer = decide(edge, {"customer": {"id": "ann"}})
        assert (answer.status_code, answer.headers["retry-after"], answer.json()["code"]) == (503, "5", "plan_missing")
        told = flags(edge, "ann")
        assert (told.status_code, told.json()["errorCode"]) == (503, "PROVIDER_NOT_READY")
        assert edge.send({"batch": []}, key=NOTES).status_code == 200
        assert edge.http.get("/readyz").json()["checks"]["online"] == "warning"
