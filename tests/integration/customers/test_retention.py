"""The night lets go of what is too old (C-48)."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.integration.customers.test_erasure import _night
from tests.integration.living import csv_of, living

NOW = datetime.now(UTC)
EVENTS = {
    "kind": "events",
    "app": "notes",
    "row": {"external_id": "id", "anonymous_id": "visitor", "event": "event", "happened_at": "at"},
}


def test_visitors_unseen_for_long_go_and_customers_stay(environment: dict[str, str], home: Path) -> None:
    """Old events stay until they were also received long ago; an ended export goes with its file."""
    old, new = (NOW - timedelta(days=days) for days in (900, 1))
    rows = [
        f"known,,app_opened,{old.isoformat()}",
        f",v-old,app_opened,{old.isoformat()}",
        f",v-new,app_opened,{new.isoformat()}",
    ]
    with living(environment) as town:
        town.post("/apps", {"key": "notes", "name": {"en": "Notes"}}, 201)
        town.bring_in(csv_of("id,visitor,event,at", *rows), EVENTS)
        begun = town.post("/customers/external:known/export", None, 202)
        town.finish(begun["job"]["id"])
    stray = home / "exports" / "exp_gone.zip"
    stray.write_bytes(b"of a process that died")
    gone = _night(environment, "keep-times")
    assert gone == {
        "all_events": 0,
        "touches": 0,
        "rejects": 0,
        "repetitions": 0,
        "visitors": 1,
        "exports": 1,
        "verdict_counts": 0,
        "samples": 0,
        "ledger": 0,
    }
    assert (stray.exists(), os.listdir(home / "exports")) == (False, [f"{begun['id']}.zip"])
    with living(environment) as town:
        assert [town.local.get(f"/customers/cus_{key}").status_code for key in (1, 2, 3)] == [200, 404, 200]
        [retired] = town.get("/erasures")["items"]
        assert (retired["requested_by"], retired["state"], retired["customer_count"]) == ("retention", "done", 1)
        # They did not ask for it: the ledger knows nobody, and the same visitor may be told of again.
        assert (home / "ledger" / "erasures").exists() is False
        # The erased visitor's upload went with them.
        assert town.dry_run(csv_of("id,visitor,event,at", rows[1]), EVENTS)["counts"] == {"new": 1}


def test_minors_go_only_where_the_publisher_says_so(environment: dict[str, str], home: Path) -> None:
    """C-15: they are in no group either way; erased, they do not come back with the same file."""
    born = NOW.replace(day=1)
    people = [f"child,{born.year - 10}-01-01", f"adult,{born.year - 40}-01-01", "ageless,"]
    mapping = {"kind": "customers", "row": {"external_id": "id", "traits": {"birthday": "born"}}}
    with living(environment) as town:
        town.bring_in(csv_of("id,born", *people), mapping)
        assert town.get("/privacy")["under_age_data"] == "keep"
    assert "minors" not in _night(environment, "keep-times")
    with living(environment) as town:
        assert town.local.patch("/privacy", json={"under_age_data": "discard"}).status_code == 200
        assert town.local.patch("/privacy", json={"under_age_data": "sell"}).status_code == 422
    assert [_night(environment, "keep-times")["minors"] for _ in range(2)] == [1, 0]
    with living(environment) as town:
        assert [town.local.get(f"/customers/cus_{key}").status_code for key in (1, 2, 3)] == [404, 200, 200]
        [erasure] = town.get("/erasures")["items"]
        assert (erasure["requested_by"], erasure["state"], erasure["customer_count"]) == ("minimum age", "done", 1)
