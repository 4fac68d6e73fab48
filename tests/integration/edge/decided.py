"""A running edge with people and groups published by hand, for tests of decisions."""

from __future__ import annotations

from typing import Any

import httpx
from pyroaring import BitMap

from muster.online.port import Plan, PlanGroup, PublishedKey, TokenKey, app_digest, key_digest
from muster.online.publication import Identity, Publication
from tests.integration.edge.conftest import Edge

NOTES, SHOP, SERVER = "mpk_notes", "mpk_decides", "msk_decides"
SECRET = "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldA"
HMAC = TokenKey("hmac-1", "HS256", SECRET)

LOYAL = PlanGroup("grp_1", "loyal", 0, "open")
PAYERS = PlanGroup("grp_2", "payers", 1, "signed")
STAFF = PlanGroup("grp_3", "staff", 2, "signed", guarded=True)
HIDDEN = PlanGroup("grp_4", "hidden", 3, "never")
# As no action stores it: what answers must not rest on that alone.
CARELESS = PlanGroup("grp_5", "careless", 4, "open", guarded=True)
PLAN = Plan((LOYAL, PAYERS, STAFF, HIDDEN, CARELESS))

ANN, BOB, VISITOR, EVE = 5, 6, 7, 70_000
"""ann is in every group, bob in none, the visitor is loyal, eve is staff."""
MEMBERS = {0: {ANN, VISITOR}, 1: {ANN}, 2: {ANN, EVE}, 3: {ANN}, 4: {ANN}}
IDENTITIES = {
    Identity("external", 0, "ann"): ANN,
    Identity("external", 0, "bob"): BOB,
    Identity("external", 0, "eve"): EVE,
    Identity("anonymous", 1, "v-1"): VISITOR,
    Identity("anonymous", 2, "v-1"): BOB,
    Identity("anonymous", 1, "bob"): ANN,
}


def keys(identity_mode: str = "open") -> dict[bytes, PublishedKey]:
    """Of an app `notes` (1), as it is asked here, and of `shop` (2), which always wants to be signed."""
    notes: dict[str, Any] = {
        "app": 1,
        "app_key": "notes",
        "identity_mode": identity_mode,
        "token_keys": (HMAC,),
    }
    shop: dict[str, Any] = {"app": 2, "app_key": "shop", "identity_mode": "signed"}
    return {
        key_digest(NOTES): PublishedKey(source=21, kind="publishable", **notes),
        key_digest(SERVER): PublishedKey(source=22, kind="server", scopes=("decide",), **notes),
        key_digest("msk_ingests"): PublishedKey(source=23, kind="server", scopes=("ingest",), **notes),
        key_digest(SHOP): PublishedKey(source=24, kind="publishable", origins=("https://shop.example",), **shop),
        app_digest("notes"): PublishedKey(source=25, kind="app", **notes),
        app_digest("shop"): PublishedKey(source=26, kind="app", **shop),
    }


def publish(edge: Edge) -> None:
    assert edge.online is not None
    edge.online.publish_keys(keys())
    aside = edge.online.rebuild(len(PLAN.groups))
    aside.put_masks({bit: BitMap(theirs) for bit, theirs in MEMBERS.items()})
    aside.put_identities(IDENTITIES.items())
    aside.switch(Publication(plans={1: PLAN, 2: PLAN}, data_as_of="2026-11-21T19:04:11Z"))


def decide(edge: Edge, body: Any, key: str | None = NOTES, **headers: str) -> httpx.Response:
    sent = {**({"X-Muster-Key": key} if key else {}), **headers}
    return edge.http.post("/edge/v1/decide", json=body, headers=sent)


def flags(edge: Edge, targeting_key: str | None = None, key: str = NOTES, **headers: str) -> httpx.Response:
    context = {} if targeting_key is None else {"targetingKey": targeting_key}
    return edge.http.post("/ofrep/v1/evaluate/flags", json={"context": context}, headers={"X-API-Key": key, **headers})


def flag(edge: Edge, name: str, targeting_key: str | None = None, key: str = NOTES, **headers: str) -> httpx.Response:
    context = {} if targeting_key is None else {"targetingKey": targeting_key}
    sent = {"X-API-Key": key, **headers}
    return edge.http.post(f"/ofrep/v1/evaluate/flags/{name}", json={"context": context}, headers=sent)
