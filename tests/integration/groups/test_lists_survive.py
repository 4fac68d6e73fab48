"""Lists when the server is killed in the middle of a step: what was asked happens once and whole (G-25)."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.integration.living import Document, Living, living
from tests.integration.processes import kill

ENTRIES = 60_000
FILE = "email\n" + "".join(f"person{number}@example.com\n" for number in range(ENTRIES))


def _begin(installation: Living) -> Document:
    answer = installation.local.post("/groups/testers/imports", files={"file": ("list.csv", FILE.encode())})
    assert answer.status_code == 202, answer.text
    return dict(answer.json())


def _killed(installation: Living) -> None:
    kill(installation.server.process)
    installation.server.process.returncode = 0


def _once(installation: Living, import_id: str, state: str) -> Document:
    deadline = time.monotonic() + 120
    while (shown := installation.get(f"/imports/{import_id}"))["state"] != state:
        assert time.monotonic() < deadline, shown
        time.sleep(0.02)
    installation.settle(120)
    return shown


def _entries(installation: Living) -> tuple[int, int]:
    """As the group tells them, and as its export has them."""
    lines = installation.local.get("/groups/testers/export").text.splitlines()
    return installation.get("/groups/testers")["entries"], len(lines) - 1


@pytest.mark.parametrize("after_seconds", [0.0, 0.2])
def test_every_step_of_an_import_of_members_is_finished_after_a_kill(
    environment: dict[str, str], home: Path, after_seconds: float
) -> None:
    """The dry run, the application and the undo, each interrupted, each complete when the server is back."""
    with living(environment) as first:
        first.post("/groups", {"key": "testers", "name": "Testers", "kind": "known"}, 201)
        begun = _begin(first)
        time.sleep(after_seconds)
        _killed(first)
    with living(environment) as second:
        checked = _once(second, begun["id"], "checked")
        assert (checked["counts"], _entries(second)) == ({"pending": ENTRIES}, (0, 0))
        second.post(f"/imports/{begun['id']}/apply", {}, 202)
        time.sleep(after_seconds)
        _killed(second)
    with living(environment) as third:
        _once(third, begun["id"], "done")
        assert _entries(third) == (ENTRIES, ENTRIES)
        third.post(f"/imports/{begun['id']}/undo", None, 202)
        time.sleep(after_seconds)
        _killed(third)
    with living(environment) as fourth:
        _once(fourth, begun["id"], "undone")
        assert _entries(fourth) == (0, 0)
        assert [one["cause"] for one in fourth.get("/groups/testers/changes")["items"]] == ["list"]
        # Nothing is left of what was not finished; both versions stay for 30 days.
        assert sorted(path.suffix for path in (home / "lists").iterdir()) == [".parquet"]
