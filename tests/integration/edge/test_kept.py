"""What was accepted outlives backups and restores, and does not outlive an erasure (C-45, C-46, ADR 17)."""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from muster.spool.entries import ITEMS, Entry
from muster.spool.slots import take_slot
from muster.spool.writer import SpoolWriter
from tests.conftest import environment_of
from tests.integration.edge.served import asked, served
from tests.integration.processes import muster, wait_until

MARK = "zanzibar-4711"


@pytest.fixture
def elsewhere() -> Iterator[Path]:
    path = Path(tempfile.mkdtemp(prefix="mst-"))
    yield path
    shutil.rmtree(path, ignore_errors=True)


def _accept(home: Path, *names: str) -> None:
    """As an edge process does, without anybody who drains it."""
    writer: SpoolWriter[None] = SpoolWriter(take_slot(home / "spool"), lambda _: None, first_seq=1_000)
    for name in names:
        message = {"type": "track", "userId": name, "event": "Level Up", "messageId": f"m-{name}"}
        body = json.dumps({"batch": [message]}).encode()
        writer.append(Entry(ITEMS, None, time.time_ns() // 1_000, 1, 2**31 + 1, 2, None, 1, body), None)
    writer.close()


def test_what_waits_is_in_the_backup_and_drained_once_where_it_is_put_back(
    environment: dict[str, str], home: Path, elsewhere: Path
) -> None:
    with served(environment) as installation:
        installation.living.post("/apps", {"key": "notes"}, 201)
        answer = installation.send(installation.key(), {"type": "track", "userId": "u1", "event": "Level Up"})
        installation.wait_for(answer.headers["x-muster-position"])
    _accept(home, "u2", "u3")
    made = muster(environment, "backup", "--json")
    assert made.returncode == 0, made.stderr
    file = json.loads(made.stdout)["path"]
    put_back = muster(environment_of(elsewhere), "restore", str(file))
    assert put_back.returncode == 0, put_back.stderr
    for place in (elsewhere, home):
        with served(environment_of(place)) as installation:
            wait_until(lambda one=installation: one.living.local.get("/customers/external:u3").status_code == 200)
        visits = asked(place, "SELECT text, count(*) FROM all_events JOIN identities USING (customer_key) GROUP BY 1")
        assert sorted(visits) == [("u1", 1), ("u2", 1), ("u3", 1)]


def test_nothing_is_put_back_while_somebody_accepts(environment: dict[str, str], home: Path) -> None:
    with served(environment):
        pass
    made = muster(environment, "backup", "--json")
    file = json.loads(made.stdout)["path"]
    slot = take_slot(home / "spool")
    try:
        refused = muster(environment, "restore", str(file), "--replace")
    finally:
        slot.release()
    assert (refused.returncode != 0, "installation_in_use" in refused.stderr) == (True, True)
    assert muster(environment, "restore", str(file), "--replace").returncode == 0


def test_nothing_of_who_was_erased_is_left_in_the_spool(environment: dict[str, str], home: Path) -> None:
    with served(environment) as installation:
        installation.living.post("/apps", {"key": "notes"}, 201)
        key = installation.key()
        answer = installation.send(key, {"type": "track", "userId": MARK, "event": "Level Up"})
        installation.wait_for(answer.headers["x-muster-position"])
        shown = installation.living.get(f"/customers/external:{MARK}")
        ordered = installation.living.post(f"/customers/{shown['id']}/erase", {"confirm": shown["id"]}, 202)
        wait_until(lambda: installation.living.get(f"/erasures/{ordered['id']}")["state"] == "done")
        wait_until(lambda: not _lying(home))


def _lying(home: Path) -> list[str]:
    return [one.name for one in (home / "spool").iterdir() if MARK.encode() in one.read_bytes()]
