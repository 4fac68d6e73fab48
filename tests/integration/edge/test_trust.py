"""How far it is believed who somebody is: keys, customer tokens, what they open, what they never do (section 2)."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jwt
import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyroaring import BitMap

from muster.edge.tokens import decoded
from muster.online.port import Plan, PlanGroup
from muster.online.publication import Identity, Publication
from tests.integration.edge.conftest import Edge, running_edge
from tests.integration.edge.decided import ANN, HMAC, NOTES, SERVER, SHOP, decide, flag, flags, keys, publish

TRACK = {"type": "track", "userId": "ann", "event": "Evt"}


@pytest.fixture(scope="module")
def served() -> Iterator[Edge]:
    with tempfile.TemporaryDirectory(prefix="mst-") as folder, running_edge(Path(folder)) as running:
        publish(running)
        yield running


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Edge]:
    """Which has told nobody's name yet."""
    with running_edge(tmp_path) as running:
        publish(running)
        yield running


def token(subject: str = "ann", **claims: Any) -> str:
    now = int(time.time())
    told = {"sub": subject, "iat": now, "exp": now + 300, **claims}
    return jwt.encode(told, decoded(HMAC.material), algorithm="HS256", headers={"kid": HMAC.id})


def test_token_opens_what_is_for_signed_customers(served: Edge) -> None:
    told = decide(served, {}, **{"X-Muster-Customer": token()}).json()
    assert (told["subject"], told["groups"]) == (
        {"known": True, "trust": "signed"}, ["loyal", "payers", "staff", "careless"],
    )  # fmt: skip  # one fact each
    assert flag(served, "group.staff", "eve", **{"X-Muster-Customer": token("eve")}).json()["value"] is True
    assert flag(served, "group.staff", "eve").status_code == 404


def test_token_is_taken_as_bearer_beside_a_key_and_instead_of_one(served: Edge) -> None:
    """E-6: without a key it must name the app."""
    beside = decide(served, {}, NOTES, Authorization=f"Bearer {token()}")
    instead = decide(served, {}, None, Authorization=f"Bearer {token(aud='notes')}")
    assert beside.json()["groups"] == instead.json()["groups"] == ["loyal", "payers", "staff", "careless"]
    for audience in ({}, {"aud": "nothing"}, {"aud": "shop"}):
        answer = decide(served, {}, None, Authorization=f"Bearer {token(**audience)}")
        assert (answer.status_code, answer.json()["code"] in ("app_key_invalid", "customer_token_invalid")) == (
            401,
            True,
        )


def test_bad_token_is_401_and_never_nobody(served: Edge) -> None:
    """E-7."""
    now = int(time.time())
    late = token(iat=now - 1_000, exp=now - 100)
    for sent, code in (("not.a.token", "customer_token_invalid"), (late, "customer_token_expired")):
        headers = {"X-Muster-Customer": sent}
        decision = decide(served, {"customer": {"id": "ann"}}, **headers)
        assert (decision.status_code, decision.json()["code"]) == (401, code)
        evaluation = flags(served, "ann", **headers)
        assert (evaluation.status_code, evaluation.json()["errorCode"]) == (401, "GENERAL")
        before = len(served.rows())
        assert served.send({"batch": [TRACK]}, key=NOTES, headers=headers).status_code == 401
        assert len(served.rows()) == before


def test_token_of_another_app_opens_nothing(served: Edge) -> None:
    answer = decide(served, {}, SHOP, **{"X-Muster-Customer": token()})
    assert (answer.status_code, answer.json()["code"]) == (401, "customer_token_invalid")


def test_claim_beside_a_token_must_be_the_same(served: Edge) -> None:
    """E-24."""
    headers = {"X-Muster-Customer": token()}
    assert decide(served, {"customer": {"id": "ann"}}, **headers).status_code == 200
    answer = decide(served, {"customer": {"id": "bob"}}, **headers)
    assert (answer.status_code, answer.json()["code"]) == (422, "facts_invalid")
    for refused in (flags(served, "bob", **headers), flag(served, "group.loyal", "bob", **headers)):
        assert (refused.status_code, refused.json()["errorCode"]) == (400, "INVALID_CONTEXT")
    assert flags(served, "ann", **headers).status_code == 200
    assert flags(served, **headers).json()["flags"][0]["value"] is True


def test_token_is_told_to_the_drain(served: Edge) -> None:
    """C-9: items of its own subject are signed."""
    served.send({"batch": [TRACK]}, key=NOTES, headers={"X-Muster-Customer": token()})
    entry = served.rows()[-1].entry
    assert (entry.trust, entry.subject, entry.app, entry.source) == (1, "ann", 1, 21)
    answer = served.http.post("/v1/track", json=TRACK, headers={"Authorization": f"Bearer {token(aud='notes')}"})
    assert answer.status_code == 200
    entry = served.rows()[-1].entry
    assert (entry.trust, entry.subject, entry.app, entry.source) == (1, "ann", 1, 25)


def test_unknown_subject_is_introduced_once(fresh: Edge) -> None:
    """E-28."""
    for _ in range(3):
        decide(fresh, {}, **{"X-Muster-Customer": token("new")})
        flags(fresh, **{"X-Muster-Customer": token("new")})
        decide(fresh, {}, **{"X-Muster-Customer": token("ann")})
    fresh.send({"batch": []}, key=NOTES)
    first, _ = [row.entry for row in fresh.rows()]
    assert (first.kind, first.call, first.trust, first.subject, first.items) == ("items", "identify", 2, None, 1)
    told = json.loads(first.body)
    assert (told["userId"], told["traits"], told["messageId"][:5]) == ("new", {}, "edge-")


def test_address_of_a_token_is_told_as_verified(fresh: Edge) -> None:
    """E-28, C-10: the app's own server vouches for it; another address is told at once."""
    for address in ("ann@example.com", "ann@example.com", "ann@example.org"):
        decide(fresh, {}, **{"X-Muster-Customer": token("ann", email=address)})
    fresh.send({"batch": []}, key=NOTES)
    told = [json.loads(row.entry.body) for row in fresh.rows()][:2]
    assert [(one["userId"], one["traits"]) for one in told] == [
        ("ann", {"email": "ann@example.com"}), ("ann", {"email": "ann@example.org"}),
    ]  # fmt: skip  # one address each
    assert [row.entry.trust for row in fresh.rows()] == [2, 2, 0]
    assert len(fresh.rows()) == 3


def gpc_publish(edge: Edge) -> None:
    assert edge.online is not None
    edge.online.publish_keys({digest: _with_gpc(key) for digest, key in keys().items()})


def _with_gpc(key: Any) -> Any:
    return msgspec.structs.replace(key, respect_gpc=True)


def test_browser_that_asks_for_it_is_not_tracked(fresh: Edge) -> None:
    """E-41: whoever has not logged in; profiling is refused for them once."""
    gpc_publish(fresh)
    visit = {"type": "page", "anonymousId": "v-9", "messageId": "m1", "properties": {"url": "https://a.example"}}
    both = {"type": "track", "event": "Evt", "anonymousId": "v-9", "userId": "ann"}
    answer = fresh.send(
        {"batch": [visit, both, 7, visit], "sentAt": "2026-11-21T00:00:00Z"},
        "/v1/batch?verdicts=1", NOTES, headers={"Sec-GPC": "1"},
    )  # fmt: skip  # as it is called
    assert answer.status_code == 200
    assert [(one["index"], one["code"]) for one in answer.json()["refused"]] == [
        (0, "gpc"), (2, "item_invalid"), (3, "gpc"),
    ]  # fmt: skip  # one verdict each
    assert answer.json()["accepted"] == 1
    rows = [row.entry for row in fresh.rows()]
    denial, refused, again, taken = rows
    assert (denial.trust, denial.call, json.loads(denial.body)["anonymousId"]) == (2, "identify", "v-9")
    assert json.loads(denial.body)["context"] == {"consents": [{"purpose": "profiling", "granted": False}]}
    for one in (refused, again):
        assert (one.kind, one.call, one.items) == ("unreadable", "gpc", 1)
        assert json.loads(one.body) == {"type": "page", "messageId": "m1"}
    assert (taken.kind, taken.items) == ("items", 2)
    assert json.loads(taken.body) == {"batch": [both, 7], "context": {}, "sentAt": "2026-11-21T00:00:00Z"}
    assert answer.json()["position"] == f"1.{fresh.rows()[-1].seq}"


def test_single_call_of_a_visitor_who_asks_for_it_leaves_only_its_verdict(fresh: Edge) -> None:
    gpc_publish(fresh)
    visit = {"anonymousId": "v-9", "event": "Evt"}
    assert fresh.send(visit, "/v1/track", NOTES, headers={"Sec-GPC": "1"}).status_code == 200
    assert [(row.entry.kind, row.entry.call) for row in fresh.rows()] == [("items", "identify"), ("unreadable", "gpc")]


@pytest.mark.parametrize("who", ["app does not want it", "not asked", "server", "token"])
def test_others_are_not_concerned_by_it(fresh: Edge, who: str) -> None:
    if who != "app does not want it":
        gpc_publish(fresh)
    visit = {"type": "track", "event": "Evt", "anonymousId": "v-9"}
    headers = {} if who == "not asked" else {"Sec-GPC": "1"}
    if who == "token":
        headers["X-Muster-Customer"] = token()
    assert fresh.send({"batch": [visit]}, key="msk_ingests" if who == "server" else NOTES, headers=headers).is_success
    [entry] = [row.entry for row in fresh.rows()]
    assert (entry.kind, json.loads(entry.body)) == ("items", {"batch": [visit]})


_ATTRIBUTES = st.dictionaries(
    st.sampled_from(["email", "plan", "group", "groups", "staff", "sub", "trust", "customer", "member", "age"]),
    st.sampled_from(["ann", "staff@example.com", True, 99, ["staff"], {"staff": True}]),
    max_size=4,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    key=st.sampled_from([NOTES, SERVER]),
    vouched=st.sampled_from([None, "ann", "bob"]),
    claimed=st.sampled_from([None, "ann", "bob", "nobody"]),
    mode=st.sampled_from(["open", "signed"]),
    exposure=st.sampled_from(["never", "signed", "open"]),
    guarded=st.booleans(),
    attributes=_ATTRIBUTES,
)
def test_nobody_gains_a_list_by_a_claim(
    served: Edge,
    key: str,
    vouched: str | None,
    claimed: str | None,
    mode: str,
    exposure: str,
    guarded: bool,
    attributes: dict[str, Any],
) -> None:
    """E-8, E-25, E-26: for every key, token, mode, exposure and kind of group, against the table of section 2."""
    if vouched is not None and claimed is not None:
        claimed = vouched
    assert served.online is not None
    served.online.publish_keys(keys(mode))
    group = PlanGroup("grp_1", "asked", 0, exposure, guarded=guarded)
    served.online.publish(
        Publication(
            plans={1: Plan((group,))},
            whole={0: BitMap([ANN])},
            identities={Identity("anonymous", 1, "bob"): None},
        )
    )
    trust = "server" if key == SERVER else "signed" if vouched else "open"
    is_seen = {
        "server": True,
        "signed": exposure in ("signed", "open"),
        "open": exposure == "open" and not guarded,
    }[trust]
    person = vouched or (claimed if trust == "server" or mode == "open" else None)
    headers = {"X-Muster-Customer": token(vouched)} if vouched else {}
    context = {**attributes, **({"targetingKey": claimed} if claimed else {})}
    sent = {"X-API-Key": key, **headers}
    evaluated = served.http.post("/ofrep/v1/evaluate/flags", json={"context": context}, headers=sent).json()["flags"]
    assert {one["key"]: one["value"] for one in evaluated} == ({"group.asked": person == "ann"} if is_seen else {})
    body = {**attributes, "customer": {"id": claimed} if claimed else {}, "device": attributes}
    told = decide(served, body, key, **headers).json()
    assert told["groups"] == (["asked"] if is_seen and person == "ann" else [])
    assert told["subject"]["trust"] == trust
