"""A full disk: what was asked ends with `disk_full`, nothing is lost, and it goes on when there is room."""

from __future__ import annotations

import random
import resource
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.integration.living import Document, Living, csv_of, living, problem

_CUSTOMERS = {"kind": "customers", "row": {"external_id": "id", "traits": {"country": "country", "note": "note"}}}
_EVENTS = {"kind": "events", "app": "notes", "row": {"external_id": "id", "event": "event", "happened_at": "at"}}
_BYTES = 120 * 1024 * 1024


@dataclass
class Disk:
    """`fill` leaves no room for the process; `clear` gives it back."""

    fill: Callable[[Living], None]
    clear: Callable[[Living], None]


def _mounted(home: Path) -> Disk | None:
    command = ["mount", "-t", "tmpfs", "-o", f"size={_BYTES},mode=700", "tmpfs", str(home)]
    if shutil.which("mount") is None or subprocess.run(command, capture_output=True, check=False).returncode != 0:
        return None
    # There from the beginning: a disk that is full by itself for a moment has no room for a new file.
    ballast = home / "ballast"
    ballast.touch()

    def fill(_: Living) -> None:
        with ballast.open("r+b", buffering=0) as file:
            try:
                while True:
                    file.write(bytes(64 * 1024))
            except OSError:
                return

    return Disk(fill, lambda _: ballast.unlink())


def _limited() -> Disk:
    """No file of the server may become larger than this; the control database and its log never are."""

    def fill(town: Living) -> None:
        largest = 5 * 1024 * 1024
        resource.prlimit(town.server.process.pid, resource.RLIMIT_FSIZE, (largest, resource.RLIM_INFINITY))

    def clear(town: Living) -> None:
        unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
        resource.prlimit(town.server.process.pid, resource.RLIMIT_FSIZE, unlimited)

    return Disk(fill, clear)


@pytest.fixture(params=["full", "limited"])
def disk(request: pytest.FixtureRequest, home: Path) -> Iterator[Disk]:
    if request.param == "limited":
        yield _limited()
        return
    found = _mounted(home)
    if found is None:
        pytest.skip("this user may not mount a small disk")
    yield found
    subprocess.run(["umount", "-l", str(home)], capture_output=True, check=True)


def _people(first: int, last: int) -> bytes:
    # A note of a kilobyte that does not compress makes the disk full soon.
    letters = random.Random(first)
    return csv_of("id,country,note", *(f"u{n},NO,{letters.randbytes(400).hex()}" for n in range(first, last + 1)))


def _town(town: Living) -> None:
    town.post("/apps", {"key": "notes", "name": {"en": "Notes"}}, 201)
    town.bring_in(_people(1, 3_000), _CUSTOMERS)
    town.bring_in(csv_of("id,event,at", *(f"u{n},app_opened,2026-01-01" for n in range(1, 3_001))), _EVENTS)
    definition = {"version": 1, "app": "notes", "match": {"attribute": "country", "op": "is", "value": "NO"}}
    town.post("/groups", {"key": "norway", "name": "Norway", "definition": definition}, 201)


def _size(town: Living) -> int:
    return int(town.get("/groups/norway")["size"])


def test_import_goes_on_when_there_is_room(environment: dict[str, str], disk: Disk) -> None:
    with living(environment) as town:
        _town(town)
        checked = town.dry_run(_people(3_001, 15_000), _CUSTOMERS)
        disk.fill(town)
        applying = _attempt(town, f"/imports/{checked['id']}/apply")
        # What was there is still told, also by a warehouse that had to be opened anew.
        assert (_size(town), town.get("/customers/external:u1")["attributes"]["country"]) == (3_000, "NO")
        disk.clear(town)
        _finish(town, checked, applying)
        town.settle()
        shown = town.get(f"/imports/{checked['id']}")
        assert (shown["state"], shown["applied"]) == ("done", 12_000)
        assert town.get("/customers/external:u15000")["attributes"]["country"] == "NO"
        visits = csv_of("id,event,at", *(f"u{n},app_opened,2026-01-01" for n in range(3_001, 15_001)))
        town.bring_in(visits, _EVENTS)
        assert _size(town) == 15_000
    with living(environment) as town:
        assert (_size(town), town.get("/doctor")["failed"]) == (15_000, False)


def _attempt(town: Living, path: str) -> Document | None:
    """The failed job; None if there was not even room to note that it was asked."""
    answer = town.local.post(path, json={})
    if answer.status_code == 507:
        assert problem(answer) == (507, "disk_full")
        return None
    assert answer.status_code == 202, answer.text
    return answer.json()


def _finish(town: Living, checked: Document, applying: Document | None) -> None:
    if applying is None:
        applying = town.post(f"/imports/{checked['id']}/apply", {}, 202)
    job = town.finish(applying["job"]["id"])
    while job["state"] == "failed":
        assert job["error"]["code"] == "disk_full"
        town.post(f"/jobs/{job['id']}/retry")
        job = town.finish(job["id"])
    assert job["state"] == "done"


@pytest.mark.parametrize("disk", ["full"], indirect=True)
def test_refused_import_is_refused_whole(environment: dict[str, str], disk: Disk, home: Path) -> None:
    """Not on the limited one: there waitress has no room for the request itself, and hangs up."""
    with living(environment) as town:
        _town(town)
        disk.fill(town)
        answer = town.upload(_people(3_001, 40_000), _CUSTOMERS)
        assert problem(answer) == (507, "disk_full")
        lying = {path.name for path in (home / "imports").iterdir()}
        disk.clear(town)
        assert lying == {one["id"] for one in town.get("/imports")["items"]}
        town.bring_in(_people(3_001, 3_100), _CUSTOMERS)


def test_backup_takes_no_room_that_is_not_there(environment: dict[str, str], disk: Disk, home: Path) -> None:
    with living(environment) as town:
        _town(town)
        disk.fill(town)
        begun = _attempt(town, "/backups")
        if begun is not None:
            job = town.finish(begun["job"]["id"])
            assert job["state"] in ("done", "failed")
            assert job["error"] is None or job["error"]["code"] == "disk_full"
        disk.clear(town)
        town.settle()
        job = town.finish(town.post("/backups", status=202)["job"]["id"])
        assert job["state"] == "done" or job["error"]["code"] == "disk_full"
        assert [path for path in (home / "backups").iterdir() if path.name.endswith(".unfinished")] == []


def test_refresh_and_edit_leave_the_members_that_were(environment: dict[str, str], disk: Disk) -> None:
    with living(environment) as town:
        _town(town)
        disk.fill(town)
        for _ in range(3):
            answer = town.local.post("/groups/norway/refresh")
            assert answer.status_code == 200 or problem(answer) == (507, "disk_full")
        assert _size(town) == 3_000
        disk.clear(town)
        assert town.post("/groups/norway/refresh")["size"] == 3_000
        assert len(town.get("/groups/norway/changes")["items"]) == 1
