"""Erasure end to end: a marker in every field of one person is nowhere afterwards (C-45 to C-47, section 13)."""

from __future__ import annotations

import hashlib
import json
import shutil
import signal
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.integration.living import Document, Living, csv_of, living, problem
from tests.integration.processes import muster, wait_until

MARK = "mark7e31"
NOW = datetime.now(UTC).replace(microsecond=0)
EARLIER = (NOW - timedelta(days=3)).isoformat()
PEOPLE = {
    "kind": "customers",
    "app": "notes",
    "row": {
        "external_id": "id",
        "anonymous_id": "visitor",
        "email": "email",
        "traits": {name: name for name in ("name", "phone", "country", "plan")},
    },
}
EVENTS = {
    "kind": "events",
    "app": "notes",
    "row": {
        "external_id": "id",
        "event": "event",
        "happened_at": "at",
        "device_id": "device",
        "device_model": "model",
        "message_id": "message",
        "properties": {"url": "url", "note": "note"},
    },
}
ORDERS = {
    "kind": "orders",
    "app": "notes",
    "row": {
        "external_id": "id",
        "order_id": "order",
        "happened_at": "at",
        "amount": "amount",
        "currency": "currency",
        "coupon": "coupon",
    },
}
CONSENTS = {
    "kind": "consents",
    "row": {"external_id": "id", "purpose": "purpose", "granted": "granted", "text_version": "text"},
}


def _people(*rows: str) -> bytes:
    return csv_of("id,visitor,email,name,phone,country,plan", *rows)


def _fill(town: Living) -> None:
    """Thirty people and one with the marker in every field, on two lists and in a segment, under two addresses."""
    town.post("/apps", {"key": "notes", "name": {"en": "Notes"}}, 201)
    others = [f"u{n},,u{n}@example.com,Name {n},,NO,free" for n in range(1, 31)]
    town.bring_in(_people(*others), PEOPLE)
    theirs = f"{MARK},a-{MARK},{MARK}@Example.com,Ann {MARK},0{MARK},NO,plan {MARK}"
    town.bring_in(_people(theirs), PEOPLE)
    visits = [f"u{n},app_opened,{EARLIER},,,m{n},," for n in range(1, 31)]
    mine = [
        f"{MARK},app_opened,{EARLIER},dev-{MARK},model {MARK},msg-{MARK},https://x.example/{MARK},note {MARK}",
        f"{MARK},page_viewed,{EARLIER},dev-{MARK},,msg2-{MARK},https://x.example/{MARK},",
    ]
    town.bring_in(csv_of("id,event,at,device,model,message,url,note", *visits, *mine), EVENTS)
    order = f"{MARK},o-{MARK},{EARLIER},12.50,EUR,coupon-{MARK}"
    town.bring_in(csv_of("id,order,at,amount,currency,coupon", order), ORDERS)
    town.bring_in(csv_of("id,purpose,granted,text", f"{MARK},offers,yes,text {MARK}"), CONSENTS)
    # A dry run that names them, never applied, with a row that cannot be read.
    town.dry_run(_people(f"{MARK},,,{MARK},,NO,", f"x,y,z,{MARK}"), PEOPLE)
    definition = {"version": 1, "app": "notes", "match": {"attribute": "country", "op": "is", "value": "NO"}}
    town.post("/groups", {"key": "norway", "name": "Norway", "definition": definition}, 201)
    town.post("/groups", {"key": "old", "name": "Old", "definition": definition}, 201)
    town.post("/groups/old/archive")
    town.post("/groups", {"key": "testers", "name": "Testers", "kind": "known"}, 201)
    _list(town, f"u1@example.com {MARK}@example.com external:{MARK} pending@example.com")
    _list(town, "u2@example.com")
    headers = {"Idempotency-Key": "once"}
    body = {"kind": "email", "identity": f"{MARK}@example.com", "reason": "unsubscribed"}
    assert town.local.post("/suppressions", json=body, headers=headers).status_code == 201
    assert town.local.put(f"/customers/external:{MARK}/consents/marketing", json={"granted": True}).status_code == 200
    town.settle()


def _list(town: Living, text: str) -> Document:
    begun = town.local.post("/groups/testers/imports", data={"text": text})
    assert begun.status_code == 202, begun.text
    town.finish(begun.json()["job"]["id"])
    applied = town.post(f"/imports/{begun.json()['id']}/apply", {}, 202)
    assert town.finish(applied["job"]["id"])["state"] == "done"
    town.settle()
    return dict(begun.json())


def _erase(town: Living, reference: str, **more: Any) -> Document:
    identifier = town.get(f"/customers/{reference}")["id"]
    order = town.post(f"/customers/{reference}/erase", {"confirm": identifier, **more}, 202)
    if order["job"]:
        town.finish(order["job"]["id"])
    return town.get(f"/erasures/{order['id']}")


def _with_marker(home: Path) -> list[str]:
    command = ["grep", "-a", "-r", "-l", "-i", MARK, str(home)]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    return sorted(str(Path(one).relative_to(home)) for one in found.stdout.split())


def _night(environment: Mapping[str, str], what: str) -> Any:
    ended = muster(environment, what, command="tests.integration.customers.night_process")
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


def test_marker_is_nowhere_and_nothing_brings_it_back(environment: dict[str, str], home: Path, tmp_path: Path) -> None:
    with living(environment) as town:
        _fill(town)
        before = {key: town.get(f"/groups/{key}") for key in ("norway", "testers")}
        assert (before["norway"]["size"], before["testers"]["entries"]) == (31, 5)
        exported = town.post(f"/customers/external:{MARK}/export", None, 202)
        town.finish(exported["job"]["id"])
        backup = tmp_path / "backup"
    assert {one.split("/")[0] for one in _with_marker(home)} == {
        "control.sqlite3",
        "exports",
        "imports",
        "lists",
        "warehouse",
    } - {"exports"}
    shutil.copytree(home, backup, ignore=shutil.ignore_patterns("*.sock"))
    with living(environment) as town:
        done = _erase(town, f"external:{MARK}")
        assert done["state"] == "done", done
        # Nobody evaluates an archived group; what is remembered of its size follows all the same.
        assert town.get("/groups/old")["size"] == town.get("/groups/old/sizes")["items"][-1]["size"] == 30
        _check_receipt(done)
        assert (town.get("/groups/norway")["size"], town.get("/groups/testers")["size"]) == (30, 2)
        assert (town.get("/groups/testers")["entries"], town.get("/groups/testers")["pending"]) == (3, 1)
        gone = town.local.get(f"/customers/external:{MARK}")
        assert problem(gone) == (404, "customer_unknown")
        assert town.get(f"/exports/{exported['id']}")["state"] == "expired"
        [still] = town.get("/suppressions")["items"]
        assert (still["identity"], still["reason"]) == (None, "unsubscribed")
    assert _night(environment, "overwrite") is True
    assert _with_marker(home) == []
    with living(environment) as town:
        _check_nothing_comes_back(town)
    _check_restored(environment, home, backup)


def _check_receipt(done: Document) -> None:
    receipt = done["receipt"]
    text = json.dumps(receipt, sort_keys=True, separators=(",", ":"))
    assert hashlib.sha256(text.encode()).hexdigest() == done["receipt_sha256"]
    assert MARK not in json.dumps(done)
    places = ("answers", "exports", "imports", "lists", "memberships", "published", "spool", "suppressions")
    assert {one["place"]: one["found"] for one in receipt["places"]} == dict.fromkeys(
        (*places, "warehouse", "webhooks"), 0
    )
    removed = {one["place"]: one["removed"] for one in receipt["places"]}
    assert removed["lists"] == {"entries": 4}
    assert (removed["warehouse"]["identities"], removed["warehouse"]["all_events"]) == (2, 2)
    assert (removed["exports"], removed["answers"], removed["suppressions"]) == (
        {"files": 1},
        {"answers": 1},
        {"suppressions": 1},
    )


def _check_nothing_comes_back(town: Living) -> None:
    """C-47: what is from before is refused, whoever comes back is new."""
    event = f"{MARK},app_opened,{EARLIER},,,new-{MARK},,"
    checked = town.dry_run(csv_of("id,event,at,device,model,message,url,note", event), EVENTS)
    assert checked["counts"] == {"erased": 1}
    # The same file as once: what it says without a time it said then.
    again = f"{MARK},a-{MARK},{MARK}@Example.com,Ann {MARK},0{MARK},NO,plan {MARK}"
    repeated = town.dry_run(_people(again), PEOPLE)
    assert (repeated["counts"], repeated["items"]) == ({"erased": 1}, 0)
    for one in (checked, repeated):
        town.post(f"/imports/{one['id']}/apply", {}, 202)
        town.settle()
    assert town.local.get(f"/customers/external:{MARK}").status_code == 404


def _check_restored(environment: dict[str, str], home: Path, backup: Path) -> None:
    """An older backup that is put back does not bring them back: the ledger is not part of what is overwritten."""
    ledger = (home / "ledger" / "erasures").read_bytes()
    shutil.rmtree(home)
    shutil.copytree(backup, home)
    (home / "ledger").mkdir(exist_ok=True)
    (home / "ledger" / "erasures").write_bytes(ledger)
    [receipt] = _night(environment, "apply-ledger")
    assert {one["found"] for one in receipt["places"]} == {0}
    assert _night(environment, "overwrite") is True
    assert _with_marker(home) == []
    assert _night(environment, "apply-ledger") == []


def _small_town(town: Living) -> None:
    """Two people, both on a list."""
    mapping = {"kind": "customers", "row": {"external_id": "id", "email": "email"}}
    town.bring_in(csv_of("id,email", "gone,gone@example.com", "stays,stays@example.com"), mapping)
    town.post("/groups", {"key": "testers", "name": "Testers", "kind": "known"}, 201)
    _list(town, "gone@example.com stays@example.com")


def _work(environment: Mapping[str, str], *mode: str) -> subprocess.CompletedProcess[str]:
    return muster(environment, *mode, command="tests.integration.customers.erasing_process")


def test_erasure_goes_on_after_kill_at_every_step(environment: dict[str, str], home: Path) -> None:
    """Each process dies one call later than the one before; what was removed is told whole all the same."""
    with living(environment) as town:
        _small_town(town)
    kills = 0
    while (ended := _work(environment, str(kills + 1))).returncode != 0:
        assert ended.returncode == -signal.SIGKILL, ended.stderr
        kills += 1
        assert kills < 30
    assert kills > 4
    done = json.loads(ended.stdout)
    assert done["state"] == "done"
    _check_small(environment, done)


def _check_small(environment: dict[str, str], done: Document) -> None:
    removed = {one["place"]: (one["removed"], one["found"]) for one in done["receipt"]["places"]}
    assert removed["warehouse"] == ({"emails": 1, "event_ids": 1, "identities": 1, "profiles": 1, "sightings": 1}, 0)
    assert (removed["lists"], removed["imports"][0]["uploads"]) == (({"entries": 1}, 0), 2)
    with living(environment) as town:
        town.settle()
        group = town.get("/groups/testers")
        assert (group["size"], group["entries"], group["pending"]) == (1, 1, 0)
        assert town.get("/customers/external:stays")["external_id"] == "stays"
        assert town.get("/erasures")["items"][0]["state"] == "done"


def test_place_that_fails_is_shown_and_tried_again(environment: dict[str, str]) -> None:
    with living(environment) as town:
        _small_town(town)
    failed = json.loads(_work(environment, "fail", "lists").stdout)
    assert (failed["state"], failed["receipt"], failed["places"]["lists"]["error"]) == ("running", None, "OSError")
    assert {key for key, told in failed["places"].items() if told["state"] == "erased"} == set(failed["places"]) - {
        "lists"
    }
    assert datetime.fromisoformat(failed["retry_at"]) > datetime.now(UTC)
    done = json.loads(_work(environment, "run").stdout)
    assert (done["state"], done["places"]["lists"]["tries"], done["retry_at"]) == ("done", 2, None)
    _check_small(environment, done)


def test_order_whose_process_died_is_worked_off_by_the_next_server(environment: dict[str, str]) -> None:
    """Never lost: an erasure order. Its grace ends while nobody serves."""
    with living(environment) as town:
        _small_town(town)
    assert _work(environment, "3").returncode == -signal.SIGKILL
    with living(environment) as town:
        wait_until(lambda: town.get("/erasures")["items"][0]["state"] == "done")
        assert town.get("/erasures")["items"][0]["receipt"]["customers"] == 1
