"""Paused, cancelled, undone, and killed meanwhile: whatever is asked happens once and whole (C-37)."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from tests.integration.living import Document, Living, csv_of, living, problem
from tests.integration.processes import kill, muster

PEOPLE = {"kind": "customers", "row": {"external_id": "id", "traits": {"city": "city", "brought": "city"}}}
EARLIER = csv_of("id,city", *(f"u{number},Bonn" for number in range(1, 1_001)))
COUNT = 250_000
CONTENT = csv_of("id,city", *(f"u{number},Oslo" for number in range(1, COUNT + 1)))
CITY = {"kind": "customers", "row": {"external_id": "id", "traits": {"city": "city"}}}


def _killed(installation: Living) -> None:
    kill(installation.server.process)
    installation.server.process.returncode = 0


def _checked(installation: Living) -> Document:
    """Beside 1,000 people of an earlier import, a file of many chunks that names them too."""
    installation.bring_in(EARLIER, CITY)
    begun = installation.upload(CONTENT, PEOPLE).json()
    installation.finish(begun["job"]["id"], 180)
    return installation.get(f"/imports/{begun['id']}")


def _once(installation: Living, import_id: str, state: str) -> Document:
    deadline = time.monotonic() + 180
    while (shown := installation.get(f"/imports/{import_id}"))["state"] != state:
        assert time.monotonic() < deadline, shown
        time.sleep(0.02)
    installation.settle(180)
    return installation.get(f"/imports/{import_id}")


def _begun(installation: Living, import_id: str) -> None:
    deadline = time.monotonic() + 120
    while not installation.get(f"/imports/{import_id}")["applied"]:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def _is_complete(installation: Living, import_id: str) -> None:
    shown = installation.get(f"/imports/{import_id}")
    assert (shown["state"], shown["applied"]) == ("done", COUNT)
    assert [_city(installation, f"u{number}") for number in (1, 1_000, COUNT)] == ["Oslo"] * 3


def _never_was(installation: Living, import_id: str) -> None:
    shown = installation.get(f"/imports/{import_id}")
    assert (shown["state"], shown["applied"]) == ("undone", 0)
    assert [_city(installation, f"u{number}") for number in (1, 1_000)] == ["Bonn", "Bonn"]
    assert problem(installation.local.get("/customers/external:u1001")) == (404, "customer_unknown")
    attributes = {one["key"] for one in installation.get("/attributes", limit=1000)["items"]}
    assert ("city" in attributes, "brought" in attributes) == (True, False)
    with closing(sqlite3.connect(installation.home / "control.sqlite3")) as database:
        query = "SELECT action FROM audit_auditentry WHERE action LIKE '%.withdrawn'"
        assert database.execute(query).fetchall() == [("attribute.withdrawn",)]


def _city(installation: Living, external_id: str) -> object:
    return installation.get(f"/customers/external:{external_id}")["attributes"]["city"]


def test_paused_import_stops_and_goes_on(environment: dict[str, str]) -> None:
    with living(environment) as installation:
        checked = _checked(installation)
        installation.post(f"/imports/{checked['id']}/apply", {}, 202)
        _begun(installation, checked["id"])
        paused = installation.post(f"/imports/{checked['id']}/pause")
        assert paused["state"] == "resumable"
        installation.settle()
        stopped = installation.get(f"/imports/{checked['id']}")
        assert (stopped["state"], 0 < stopped["applied"] < COUNT) == ("resumable", True)
        installation.post(f"/imports/{checked['id']}/apply", {}, 202)
        _once(installation, checked["id"], "done")
        _is_complete(installation, checked["id"])


def test_import_that_is_killed_while_it_pauses_stays_paused(environment: dict[str, str]) -> None:
    with living(environment) as first:
        checked = _checked(first)
        first.post(f"/imports/{checked['id']}/apply", {}, 202)
        _begun(first, checked["id"])
        first.post(f"/imports/{checked['id']}/pause")
        _killed(first)
    with living(environment) as second:
        second.settle()
        assert second.get(f"/imports/{checked['id']}")["state"] == "resumable"
        # Asked to go on before it has stopped: it goes on all the same.
        second.post(f"/imports/{checked['id']}/apply", {}, 202)
        second.post(f"/imports/{checked['id']}/pause")
        second.post(f"/imports/{checked['id']}/apply", {}, 202)
        _once(second, checked["id"], "done")
        _is_complete(second, checked["id"])


@pytest.mark.parametrize("after_seconds", [0.0, 1.0])
def test_import_cancelled_under_way_never_was(environment: dict[str, str], after_seconds: float) -> None:
    with living(environment) as first:
        checked = _checked(first)
        first.post(f"/imports/{checked['id']}/apply", {}, 202)
        _begun(first, checked["id"])
        assert first.post(f"/imports/{checked['id']}/cancel", None, 202)["state"] == "undoing"
        time.sleep(after_seconds)
        _killed(first)
    with living(environment) as second:
        _once(second, checked["id"], "undone")
        _never_was(second, checked["id"])


@pytest.mark.parametrize("after_seconds", [0.0, 0.5, 2.0])
def test_undoing_goes_on_where_it_was_killed(environment: dict[str, str], after_seconds: float) -> None:
    with living(environment) as first:
        checked = _checked(first)
        first.post(f"/imports/{checked['id']}/apply", {}, 202)
        _once(first, checked["id"], "done")
        first.post(f"/imports/{checked['id']}/undo", None, 202)
        time.sleep(after_seconds)
        _killed(first)
    with living(environment) as second:
        _once(second, checked["id"], "undone")
        _never_was(second, checked["id"])
        again = second.upload(CONTENT, PEOPLE).json()
        second.finish(again["job"]["id"], 180)
        counts = second.get(f"/imports/{again['id']}")["counts"]
        assert counts == {"updated": 1_000, "new": COUNT - 1_000}


def test_command_line_takes_files_in_and_out(environment: dict[str, str], tmp_path: Path) -> None:
    file, mapping, other = (tmp_path / name for name in ("people.csv", "mapping.yaml", "other.yaml"))
    file.write_bytes(EARLIER)
    mapping.write_text("kind: customers\nrow: {external_id: id, traits: {city: city}}\n")
    other.write_text("kind: customers\nrow: {external_id: id, traits: {town: city}}\n")
    with living(environment) as installation:
        first, second = (installation.dry_run(EARLIER, CITY)["id"] for _ in range(2))
        asked = [
            ("pause", first),
            ("apply", first, "--file", str(file), "--mapping", str(mapping)),
            ("rows", first, "--verdict", "new", "--limit", "2"),
            ("apply", second, "--mapping", str(other)),
        ]
        said = [muster(environment, "customers", "imports", *one) for one in asked]
        assert [(one.returncode, one.stderr.partition(":")[0]) for one in said] == [
            (1, "error [import_state]"),
            (0, ""),
            (0, ""),
            (1, "error [mapping_changed]"),
        ]
        listed = muster(environment, "customers", "imports", "list", "--limit", "1").stdout
        assert (second in listed, "expired" in listed, first in listed) == (True, True, False)
    # Without a server the command itself works on what it asked for.
    undone = muster(environment, "customers", "imports", "undo", first)
    assert (undone.returncode, undone.stderr, "undone" in undone.stdout) == (0, "", True)
    assert "undone" in muster(environment, "customers", "imports", "show", first).stdout


def test_command_line_puts_and_lists_rates(environment: dict[str, str]) -> None:
    with living(environment):
        fields = ("--set", "day=2026-01-02", "--set", "currency=USD", "--set", "rate=1.25")
        assert muster(environment, "catalog", "rates", "create", *fields).returncode == 0
        listed = muster(environment, "catalog", "rates", "list").stdout.split()
        assert listed[-4:] == ["2026-01-02", "USD", "0.8", "1.25"]
