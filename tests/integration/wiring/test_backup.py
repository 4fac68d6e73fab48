"""Backup and restore: of a living installation, under load, and killed at any step (customers spec, section 11)."""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import zstandard
from pyroaring import BitMap

from muster.wiring.operation.archive import extract_archive
from tests.conftest import environment_of
from tests.integration.living import Document, Living, csv_of, living
from tests.integration.processes import kill, muster

_CUSTOMERS = {"kind": "customers", "row": {"external_id": "id", "email": "email", "traits": {"country": "country"}}}
_EVENTS = {"kind": "events", "app": "notes", "row": {"external_id": "id", "event": "event", "happened_at": "at"}}
# Filled in anew by the refresh after a restore.
_OF_THE_REFRESH = {"refreshed_at"}


@pytest.fixture
def elsewhere() -> Iterator[dict[str, str]]:
    """Another, empty home."""
    path = Path(tempfile.mkdtemp(prefix="mst-"))
    yield environment_of(path)
    shutil.rmtree(path, ignore_errors=True)


def _whole(match: object) -> Document:
    return {"version": 1, "match": match}


def _of(country: str) -> Document:
    return _whole({"attribute": "country", "op": "is", "value": country})


def _rows(first: int, last: int) -> bytes:
    people = (f"u{n},u{n}@example.com,{'NO' if n % 3 == 0 else 'SE'}" for n in range(first, last + 1))
    return csv_of("id,email,country", *people)


def _visits(first: int, last: int) -> bytes:
    return csv_of("id,event,at", *(f"u{n},app_opened,2026-01-01T00:00:00Z" for n in range(first, last + 1)))


def _settle_town(town: Living, people: int = 90) -> None:
    """A third of them in Norway; all use the app."""
    town.post("/apps", {"key": "notes", "name": {"en": "Notes"}}, 201)
    town.bring_in(_rows(1, people), _CUSTOMERS)
    town.bring_in(_visits(1, people), _EVENTS)
    town.post("/groups", {"key": "edited", "name": "Edited", "definition": _of("NO")}, 201)
    town.post("/groups", {"key": "follower", "name": "F", "definition": _whole({"group": "edited"})}, 201)


def _listed(town: Living, group: str, *addresses: str) -> None:
    town.post("/groups", {"key": group, "name": group, "kind": "known"}, 201)
    begun = town.local.post(f"/groups/{group}/imports", data={"text": " ".join(addresses)}).json()
    town.finish(begun["job"]["id"])
    town.finish(town.post(f"/imports/{begun['id']}/apply", {}, 202)["job"]["id"])
    town.settle()


def _back_up(town: Living) -> Path:
    job = town.finish(town.post("/backups", status=202)["job"]["id"])
    assert job["state"] == "done", job
    return Path(job["result"]["path"])


def _told(town: Living) -> Document:
    """Everything the API says of groups, people, lists, history, imports and catalog."""
    groups = town.get("/groups", limit=200)["items"]
    found: Document = {"groups": [{k: v for k, v in one.items() if k not in _OF_THE_REFRESH} for one in groups]}
    for one in groups:
        key = one["key"]
        found[key] = {
            "members": _members(town, key),
            "versions": town.get(f"/groups/{key}/versions")["items"],
            "changes": town.get(f"/groups/{key}/changes")["items"],
            "sizes": town.get(f"/groups/{key}/sizes")["items"],
            "export": town.local.get(f"/groups/{key}/export").text,
        }
    found["imports"] = town.get("/imports", limit=200)["items"]
    found["rows"] = [town.verdicts(one["id"]) for one in found["imports"]]
    for path in ("/apps", "/attributes", "/apps/notes/events", "/tokens", "/rates"):
        found[path] = town.get(path)["items"]
    found["people"] = [town.get(f"/customers/external:u{n}") for n in (1, 2, 3)]
    return found


def _members(town: Living, group: str) -> list[str]:
    found: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = town.get(f"/groups/{group}/members", limit=1000, **cursor)
        found += page["items"]
        if not page["next_cursor"]:
            return found
        cursor = {"cursor": page["next_cursor"]}


def test_restored_installation_tells_what_the_backup_did(
    environment: dict[str, str], elsewhere: dict[str, str], home: Path
) -> None:
    with living(environment) as town:
        _settle_town(town)
        _listed(town, "testers", *(f"u{n}@example.com" for n in range(1, 40)), "nobody@example.com")
        headers = {"If-Match": '"1"'}
        edited = town.local.patch("/groups/edited", json={"definition": _of("SE")}, headers=headers)
        assert edited.status_code == 200
        town.with_scopes("groups:read")
        path = _back_up(town)
        before = _told(town)
        backups = town.get("/backups")["items"]
        assert [(one["name"], one["made"], one["bytes"]) for one in backups] == [
            (path.name, "asked", path.stat().st_size)
        ]
        # What comes after the backup is not in it.
        town.bring_in(_rows(91, 120), _CUSTOMERS)
        kill(town.server.process)
        town.server.process.returncode = 0
    assert len(before["testers"]["members"]) == 39
    assert oct(path.stat().st_mode & 0o777) == "0o600"
    moved = Path(elsewhere["MUSTER_HOME"]).with_suffix(".zst")
    shutil.move(path, moved)
    shutil.rmtree(home)
    restored = muster(elsewhere, "restore", str(moved))
    moved.unlink()
    assert (restored.returncode, restored.stderr) == (0, "")
    with living(elsewhere) as town:
        assert _told(town) == before
        town.settle()
        assert _told(town) == before
        # The key came along: it is the same installation to its team's browsers and its ledger.
        town.bring_in(_rows(91, 120), _CUSTOMERS)
        town.bring_in(_visits(91, 120), _EVENTS)
        assert len(_members(town, "edited")) == 80


@pytest.mark.scale
def test_backup_of_a_running_import_is_of_one_instant(environment: dict[str, str], elsewhere: dict[str, str]) -> None:
    """The drill: edits and imports go on while backups are made; each, restored, agrees with itself."""
    archives = []
    with living(environment) as town:
        _settle_town(town)
        ended = threading.Event()
        works = [threading.Thread(target=work, args=(town, ended)) for work in (_go_on_importing, _go_on_editing)]
        for work in works:
            work.start()
        for _ in range(3):
            time.sleep(1)
            archives.append(_back_up(town))
        ended.set()
        for work in works:
            work.join(60)
    for archive in archives:
        _check_restored(archive, elsewhere)


def _go_on_importing(town: Living, ended: threading.Event) -> None:
    first = 1_001
    with httpx.Client(transport=httpx.HTTPTransport(uds=str(town.home / "control.sock"))) as client:
        other = Living(town.home, town.environment, town.server, client)
        client.base_url, client.timeout = "http://localhost/api/v1", 60  # type: ignore[assignment]  # as httpx takes it
        while not ended.is_set():
            begun = other.upload(_rows(first, first + 49), _CUSTOMERS, f"{first}.csv").json()
            other.finish(begun["job"]["id"])
            other.finish(other.post(f"/imports/{begun['id']}/apply", {}, 202)["job"]["id"])
            first += 50


def _go_on_editing(town: Living, ended: threading.Event) -> None:
    revision = 1
    with httpx.Client(
        transport=httpx.HTTPTransport(uds=str(town.home / "control.sock")),
        base_url="http://localhost/api/v1",
        timeout=60,
    ) as client:
        while not ended.is_set():
            definition = _of("SE" if revision % 2 else "NO")
            headers = {"If-Match": f'"{revision}"'}
            answer = client.patch("/groups/edited", json={"definition": definition}, headers=headers)
            assert answer.status_code == 200, answer.text
            revision += 1


def _check_restored(archive: Path, environment: dict[str, str]) -> None:
    ended = muster(environment, "restore", str(archive), "--replace", "--json")
    assert (ended.returncode, ended.stderr) == (0, "")
    assert json.loads(ended.stdout)["missing"] == []
    rows, bitmaps = _inside(archive)
    # Before anything goes on: what is told is what the backup's own rows and files say.
    told = json.loads(muster(environment, "groups", "list", "--json").stdout)["items"]
    assert {one["key"]: (one["revision"], one["size"]) for one in told} == {
        key: (revision, size) for key, revision, size, _ in rows
    }
    assert {key: len(bitmaps[key]) for key, _, _, _ in rows} == {key: size for key, _, size, _ in rows}
    assert bitmaps["edited"] == bitmaps["follower"]
    with living(environment) as town:
        town.settle()
        imports = [one for one in town.get("/imports", limit=200)["items"] if one["kind"] == "customers"]
        states = {one["state"] for one in imports}
        # An import under way went on by itself; one that was only judged waits for whoever applies it.
        assert states <= {"done", "checked"}
        # Who came in with which import: everybody of those that are done, nobody of others, known or not.
        firsts = {
            int(one["file_name"].removesuffix(".csv")): one["state"]
            for one in imports
            if one["file_name"] != "file.csv"
        }
        for first in (*firsts, max(firsts, default=951) + 50):
            found = [town.local.get(f"/customers/external:u{n}").status_code for n in (first, first + 49)]
            assert found == ([200, 200] if firsts.get(first) == "done" else [404, 404])
        _check_history(town)
        for one in imports:
            assert len(town.verdicts(one["id"])) == one["rows"]


def _check_history(town: Living) -> None:
    """Who joined less who left is who is there."""
    for key in ("edited", "follower"):
        inside: set[str] = set()
        for change in reversed(town.get(f"/groups/{key}/changes", limit=500)["items"]):
            detail = town.get(f"/groups/{key}/changes/{change['id']}")
            assert detail["complete"] is True
            inside = inside - set(detail["left_ids"]) | set(detail["joined_ids"])
        assert inside == set(_members(town, key))


def _inside(archive: Path) -> tuple[list[tuple[str, int, int, int]], dict[str, BitMap]]:
    """Rows and memberships as they stand in the file, read without Muster."""
    plain = zstandard.ZstdDecompressor().stream_reader(io.BytesIO(archive.read_bytes())).read()
    with tempfile.TemporaryDirectory() as folder, tarfile.open(fileobj=io.BytesIO(plain)) as tar:
        tar.extractall(folder, filter="data")
        with sqlite3.connect(Path(folder) / "control.sqlite3") as database:
            rows = database.execute("SELECT key, revision, size, generation, id FROM groups_group").fetchall()
        database.close()
        bitmaps = {
            key: BitMap.deserialize((Path(folder) / "membership" / f"{identifier}.{generation}.roaring").read_bytes())
            for key, _, _, generation, identifier in rows
        }
    return [row[:4] for row in rows], bitmaps


def _dying(environment: dict[str, str], at: int, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tests.integration.dying_child", str(at), *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)


def _changes(ended: subprocess.CompletedProcess[str]) -> int:
    assert ended.returncode == 0, ended.stderr
    return int(ended.stderr.rpartition("changes=")[2])


def _group_keys(environment: dict[str, str]) -> list[str]:
    listed = muster(environment, "groups", "list", "--json")
    assert (listed.returncode, listed.stderr) == (0, ""), listed.stderr
    return [one["key"] for one in json.loads(listed.stdout)["items"]]


def _with_group(environment: dict[str, str], key: str) -> None:
    made = muster(environment, "groups", "create", key, "--known")
    assert made.returncode == 0, made.stderr


@pytest.mark.scale
def test_restore_killed_at_any_step_leaves_the_old_or_the_new(
    environment: dict[str, str], elsewhere: dict[str, str], home: Path
) -> None:
    other = Path(elsewhere["MUSTER_HOME"])
    _with_group(environment, "new")
    archive = other.with_suffix(".zst")
    assert muster(environment, "backup", str(archive)).returncode == 0
    _with_group(elsewhere, "old")
    (other / "ledger").mkdir(exist_ok=True)
    (other / "ledger" / "erased").write_text("of the old one\n", encoding="ascii")
    original = other.with_suffix(".old")
    shutil.copytree(other, original, ignore=shutil.ignore_patterns("*.sock"))
    try:
        steps = _changes(_dying(elsewhere, 0, "restore", str(archive), "--replace"))
        seen = []
        for at in _some_of(steps):
            shutil.rmtree(other)
            shutil.copytree(original, other)
            killed = _dying(elsewhere, at, "restore", str(archive), "--replace")
            assert killed.returncode == -signal.SIGKILL
            seen.append(_group_keys(elsewhere))
            assert (other / "ledger" / "erased").read_text(encoding="ascii") == "of the old one\n"
            assert list(other.glob("restor*")) == []
        # First the old one, from some step on the new one, never anything else.
        switched = seen.index(["new"])
        assert seen == [["old"]] * switched + [["new"]] * (len(seen) - switched)
        assert 0 < switched < len(seen) - 1
        again = muster(elsewhere, "restore", str(archive), "--replace")
        assert (again.returncode, again.stderr, _group_keys(elsewhere)) == (0, "", ["new"])
        assert list(other.glob("restor*")) == []
    finally:
        shutil.rmtree(original)
        archive.unlink()


def _some_of(steps: int, most: int = 8) -> list[int]:
    every = max(1, steps // most)
    return sorted({*range(1, steps + 1, every), steps})


@pytest.mark.scale
def test_backup_killed_at_any_step_leaves_only_whole_ones(environment: dict[str, str], home: Path) -> None:
    _with_group(environment, "group")
    steps = _changes(_dying(environment, 0, "backup"))
    for at in _some_of(steps):
        assert _dying(environment, at, "backup").returncode == -signal.SIGKILL
        for path in (home / "backups").glob("*.zst"):
            extract_archive(path, None)
    # Whoever opens the installation next tidies up.
    listed = json.loads(muster(environment, "backups", "--json").stdout)["items"]
    assert sorted(path.name for path in (home / "backups").iterdir()) == sorted(one["name"] for one in listed)


def test_restore_refuses_what_it_should(environment: dict[str, str], elsewhere: dict[str, str], home: Path) -> None:
    _with_group(environment, "group")
    archive = Path(elsewhere["MUSTER_HOME"]) / "backup"
    assert muster(environment, "backup", str(archive)).returncode == 0
    assert _refusal(environment, "backup", str(archive)) == "error [value_not_allowed]"
    assert _refusal(environment, "restore", str(archive)) == "error [home_not_empty]"
    with living(environment):
        assert _refusal(environment, "restore", str(archive), "--replace") == "error [installation_in_use]"
    before = sorted(os.listdir(home))
    whole = archive.read_bytes()
    archive.write_bytes(whole[: len(whole) // 2])
    assert _refusal(environment, "restore", str(archive), "--replace") == "error [backup_damaged]"
    assert (sorted(os.listdir(home)), _group_keys(environment)) == (before, ["group"])


def _refusal(environment: dict[str, str], *arguments: str) -> str:
    ended = muster(environment, *arguments)
    assert ended.returncode == 1
    return ended.stderr.partition(":")[0]


def test_erased_stay_erased(environment: dict[str, str], home: Path) -> None:
    """C-45: an older backup does not bring anybody back; before anybody is let in they are erased again."""
    with living(environment) as town:
        _settle_town(town)
        path = _back_up(town)
        begun = town.post(
            "/erasures", {"customers": ["external:u3"], "confirm": town.get("/customers/external:u3")["id"]}, 202
        )
        town.finish(begun["job"]["id"])
        town.settle()
        assert town.local.get("/customers/external:u3").status_code == 404
    restored = muster(environment, "restore", str(path), "--replace")
    assert (restored.returncode, restored.stderr) == (0, "")
    shown = muster(environment, "customers", "show", "external:u3")
    assert (shown.returncode, shown.stderr.partition(":")[0]) == (3, "error [customer_unknown]")
    with living(environment) as town:
        assert town.get("/erasures")["items"][0]["state"] == "done"
        town.settle()
        assert town.get("/groups/edited")["size"] == 29


def test_backups_need_the_scope_of_administrators(environment: dict[str, str]) -> None:
    with living(environment) as town:
        reader: Any = town.with_scopes("groups:read", "groups:write", "customers:write", "jobs:read")
        refused = [reader.get("/backups").status_code, reader.post("/backups").status_code]
        allowed = town.with_scopes("team:admin").post("/backups").status_code
        assert (refused, allowed) == ([403, 403], 202)
        town.settle()
        assert len(town.get("/backups")["items"]) == 1
