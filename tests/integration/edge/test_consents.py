"""What a customer allows or refuses: from an app's call into the log, and out of groups (C-12, C-13)."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import jwt
import orjson
import pytest

from muster.edge.tokens import decoded
from muster.spool.entries import CONSENT
from muster.warehouse.refused import Asked
from tests.integration.edge.conftest import Edge, running_edge
from tests.integration.edge.decided import HMAC, NOTES, publish
from tests.integration.edge.served import Served, served
from tests.integration.edge.test_cycles import Town, town
from tests.integration.processes import wait_until

__all__ = ["town"]
ANN = {"type": "consent", "userId": "ann"}


@pytest.fixture(scope="module")
def edge() -> Iterator[Edge]:
    with tempfile.TemporaryDirectory(prefix="mst-") as folder, running_edge(Path(folder)) as running:
        publish(running)
        yield running


def token(subject: str = "ann", key: str = HMAC.id, secret: str = HMAC.material) -> str:
    now = int(time.time())
    told = {"sub": subject, "iat": now, "exp": now + 300}
    return jwt.encode(told, decoded(secret), algorithm="HS256", headers={"kid": key})


def put(edge: Edge, purpose: str, body: Any, **headers: str) -> httpx.Response:
    sent = {"X-Muster-Key": NOTES, "X-Muster-Customer": token(), **headers}
    content = {"content": body} if isinstance(body, bytes) else {"json": body}
    return edge.http.put(f"/edge/v1/consents/{purpose}", headers=sent, **content)


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def test_what_is_answered_202_is_on_disk(edge: Edge) -> None:
    answer = put(edge, "marketing", {"channel": "email", "state": "denied"}, **{"Idempotency-Key": "k1"})
    assert answer.status_code == 202
    assert answer.json() == {"position": answer.headers["x-muster-position"]}
    seq = int(answer.json()["position"].split(".")[1])
    [row] = [row for row in edge.rows() if row.seq == seq]
    assert row.entry[:2] == (CONSENT, None)
    assert (row.entry.app, row.entry.source, row.entry.trust, row.entry.subject) == (1, 21, 1, "ann")
    assert orjson.loads(row.entry.body) == {
        "type": "consent",
        "userId": "ann",
        "purpose": "marketing",
        "channel": "email",
        "state": "denied",
        "messageId": "k1",
    }


@pytest.mark.parametrize(
    ("purpose", "body", "expected"),
    [
        ("profiling", {"state": "no"}, (422, "facts_invalid")),
        ("profiling", {}, (422, "facts_invalid")),
        ("profiling", {"state": ["denied"]}, (422, "facts_invalid")),
        ("profiling", {"state": "denied", "channel": "email"}, (422, "facts_invalid")),
        ("marketing", {"state": "denied", "channel": "pigeon"}, (422, "facts_invalid")),
        ("marketing", {"state": "denied", "chanel": "email"}, (422, "facts_invalid")),
        ("marketing", {"state": "denied", "text_version": "x" * 256}, (422, "facts_invalid")),
        ("everything", {"state": "denied"}, (422, "facts_invalid")),
        ("", {"state": "denied"}, (422, "facts_invalid")),
        ("offers", [], (422, "facts_invalid")),
        ("offers", b"hello", (400, "invalid_json")),
        ("offers", b'{"state":"' + b"x" * 65_536 + b'"}', (413, "body_too_large")),
    ],
)
def test_what_is_no_consent_is_refused_and_not_stored(
    edge: Edge, purpose: str, body: Any, expected: tuple[int, str]
) -> None:
    before = len(edge.rows())
    assert code(put(edge, purpose, body)) == expected
    assert len(edge.rows()) == before


def test_only_the_customer_may_say_it(edge: Edge) -> None:
    """E-6: an app alone never, a server by REST; a token that is wrong is never taken for none (E-7)."""
    body = {"state": "granted"}
    assert code(edge.http.put("/edge/v1/consents/offers", json=body)) == (401, "app_key_invalid")
    assert code(put(edge, "offers", body, **{"X-Muster-Customer": ""})) == (403, "signed_customer_required")
    server = {"X-Muster-Key": "msk_ingests", "X-Muster-Customer": ""}
    assert code(put(edge, "offers", body, **server)) == (403, "signed_customer_required")
    assert code(put(edge, "offers", body, **{"X-Muster-Customer": token()[:-3] + "abc"})) == (
        401,
        "customer_token_invalid",
    )
    answer = edge.http.get("/edge/v1/consents/offers")
    assert (code(answer), answer.headers["allow"]) == ((405, "method_not_allowed"), "PUT")


def say(town: Town, subject: str = "ann", **said: Any) -> None:
    body = orjson.dumps({"type": "consent", "userId": subject, **said})
    town.spool(kind=CONSENT, body=body, trust=1, subject=subject)


def log(town: Town) -> list[tuple[Any, ...]]:
    return town.ask("SELECT purpose, channel, granted, text_version, trust, source FROM consents ORDER BY happened_at")


def test_every_word_is_an_entry_of_the_log_and_a_repeated_one_is_none(town: Town) -> None:
    """C-12; with an id it is one, whoever else uses that id for something else."""
    say(town, purpose="profiling", state="denied", textVersion="v2", messageId="k")
    say(town, purpose="profiling", state="denied", textVersion="v2", messageId="k")
    say(town, subject="bob", purpose="offers", state="granted", messageId="k")
    say(town, purpose="marketing", channel="push", state="denied")
    say(town, purpose="marketing", channel="push", state="denied")
    town.spool({"type": "page", "userId": "ann", "messageId": "k"})
    town.run()
    assert sorted(log(town), key=str) == [
        ("marketing", "push", False, None, 1, 7),
        ("marketing", "push", False, None, 1, 7),
        ("offers", None, True, None, 1, 7),
        ("profiling", None, False, "v2", 1, 7),
    ]
    assert town.ask("SELECT count(*) FROM all_events") == [(1,)]


def test_no_tracking_library_can_say_it(town: Town) -> None:
    town.spool({**ANN, "purpose": "profiling", "state": "denied"}, trust=1, subject="ann")
    town.run()
    assert [one.code for one in town.warehouse.refused(Asked(), None, 9)] == ["type_unknown"]
    assert log(town) == []


def test_what_is_refused_of_it_is_kept_with_its_kind(town: Town) -> None:
    """A replay reads it as what it was."""
    say(town, subject="none", purpose="offers", state="granted")
    town.run()
    [kept] = town.warehouse.refused(Asked(), None, 9)
    assert (kept.code, kept.is_replayable) == ("identity_placeholder", True)
    assert orjson.loads(kept.told or "")["kind"] == CONSENT


def test_who_refuses_profiling_leaves_groups(environment: dict[str, str]) -> None:
    """C-13: within the same publication; allowed again, they are back."""
    with served(environment) as installation:
        here = installation.living
        here.post("/apps", {"key": "notes"}, 201)
        settings = {"json": {"minimum_size": 0}, "headers": {"If-Match": '"1"'}}
        assert here.local.patch("/publisher", **settings).status_code == 200
        vouching = here.post("/apps/notes/token-keys", {"algorithm": "HS256"}, 201)
        key = installation.key("publishable")
        sent = installation.send(key, {"type": "page", "userId": "ann"})
        installation.wait_for(sent.headers["x-muster-position"])
        definition = {"version": 1, "match": {"event": "page_viewed"}}
        here.post("/groups", {"key": "readers", "name": "R", "definition": definition}, 201)
        here.settle()
        ann = here.get("/customers/external:ann")["id"]
        assert here.get("/groups/readers/members")["items"] == [ann]
        for state, members in (("denied", []), ("granted", [ann])):
            say_by_app(installation, key, vouching, state)
            assert here.get("/groups/readers/members")["items"] == members
        told = here.get("/customers/external:ann/consents")["items"]
        assert [(one["purpose"], one["granted"]) for one in told] == [("profiling", False), ("profiling", True)]


def say_by_app(installation: Served, key: str, vouching: dict[str, Any], state: str) -> None:
    """Until it is published (E-21)."""
    headers = {"X-API-Key": key, "X-Muster-Customer": token("ann", vouching["id"], vouching["secret"])}
    answer = installation.edge.put("/edge/v1/consents/profiling", json={"state": state}, headers=headers)
    assert answer.status_code == 202, answer.text
    position = f"/edge/v1/positions/{answer.json()['position']}"
    wait_until(lambda: bool(installation.edge.get(position).json()["published"]))
