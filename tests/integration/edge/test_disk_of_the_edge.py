"""A full disk: nothing is answered that is not stored, nothing that was is lost, and it goes on when there is room."""

from __future__ import annotations

import json
import random
import resource
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import httpx
import pytest

from tests.integration.edge.conftest import Edge, running_edge
from tests.integration.edge.decided import SERVER, decide, publish
from tests.integration.edge.served import asked, served
from tests.integration.processes import wait_until

_BYTES = 24 * 1024 * 1024
_INGESTS = "msk_ingests"
_NOT_DRAINED = "the spool could not be drained"
_UNLIMITED = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
# So that a few of them are more than any room that is left.
_PADDING = "x" * 50_000


@dataclass
class Disk:
    """`fill` leaves no room for the edge; `clear` gives it back."""

    folder: Path
    fill: Callable[[Edge], None]
    clear: Callable[[Edge], None]


@pytest.fixture(params=["full", "limited"])
def disk(request: pytest.FixtureRequest) -> Iterator[Disk]:
    with tempfile.TemporaryDirectory(prefix="mst-") as name, ExitStack() as stack:
        folder = Path(name)
        if request.param == "limited":
            yield Disk(folder, lambda edge: _limit(edge, 16_384), lambda edge: _limit(edge, resource.RLIM_INFINITY))
            return
        command = ["mount", "-t", "tmpfs", "-o", f"size={_BYTES},mode=700", "tmpfs", name]
        if shutil.which("mount") is None or subprocess.run(command, capture_output=True, check=False).returncode != 0:
            pytest.skip("this user may not mount a small disk")
        stack.callback(subprocess.run, ["umount", "-l", name], capture_output=True, check=True)
        ballast = folder / "ballast"
        ballast.touch()
        yield Disk(folder, lambda _: _fill(ballast), lambda _: ballast.unlink())


def _limit(edge: Edge, largest_bytes: int) -> None:
    for process in edge.supervisor.pids:
        resource.prlimit(process, resource.RLIMIT_FSIZE, (largest_bytes, resource.RLIM_INFINITY))


def _fill(ballast: Path) -> None:
    with ballast.open("wb", buffering=0) as file:
        for size in (1024 * 1024, 4096):
            try:
                while True:
                    file.write(bytes(size))
            except OSError:
                continue


def _send(edge: Edge, number: int) -> httpx.Response:
    item = {"type": "track", "event": "E", "userId": "u1", "messageId": f"m{number}", "properties": {"x": _PADDING}}
    return edge.send({"batch": [item]}, key=_INGESTS)


def _stored(edge: Edge) -> list[str]:
    return [json.loads(row.entry.body)["batch"][0]["messageId"] for row in edge.rows()]


def test_what_finds_no_room_is_answered_503_and_is_not_there(disk: Disk) -> None:
    """Section 8: nothing acknowledged; decisions are unaffected."""
    with running_edge(disk.folder) as edge:
        publish(edge)
        groups = ["loyal", "payers", "staff", "hidden", "careless"]
        answers = {number: _send(edge, number) for number in range(5)}
        disk.fill(edge)
        # In the log there may be room for some more.
        wait_until(lambda: answers.setdefault(len(answers), _send(edge, len(answers))).status_code == 503)
        refused = _send(edge, 1_000)
        said = (refused.status_code, refused.json()["code"], refused.headers["retry-after"])
        assert said == (503, "storage_failed", "5")
        assert decide(edge, {"customer": {"id": "ann"}}, SERVER).json()["groups"] == groups
        taken = [f"m{number}" for number, answer in answers.items() if answer.status_code == 200]
        assert _stored(edge) == taken
        disk.clear(edge)
        again = _send(edge, 1_000)
        assert again.status_code == 200
        assert _stored(edge) == [*taken, "m1000"]


def test_control_without_room_drains_when_there_is_some(environment: dict[str, str], home: Path) -> None:
    """C-32: a cycle that finds no room moves nothing; what was answered meanwhile is there once afterwards."""
    positions: list[str] = []
    # Each time it says so.
    with pytest.raises(AssertionError, match=_NOT_DRAINED):
        _drain_without_room(environment, home, positions)
    found = asked(home, "SELECT CAST(CAST(props AS JSON)->>'$.n' AS INT) FROM all_events ORDER BY 1")
    assert [number for (number,) in found] == list(range(len(positions)))
    assert asked(home, "SELECT count(*) FROM rejects") == [(0,)]


def test_facts_that_find_no_room_are_derived_when_there_is_some(environment: dict[str, str], home: Path) -> None:
    """ADR 27: they are derived after what they rest on was stored; the drain goes on whatever becomes of them."""
    with pytest.raises(AssertionError, match=_NOT_DRAINED):
        _derive_without_room(environment, home)
    assert asked(home, "SELECT count(*) FROM app_facts") == [(2,)]


def _derive_without_room(environment: dict[str, str], home: Path) -> None:
    with served(environment) as installation:
        installation.living.post("/apps", {"key": "notes"}, 201)
        key, control = installation.key(), installation.living.server.process.pid
        for number in range(2):
            # The log is longer by it than what is left below.
            padding = random.Random(number).randbytes(15_000).hex()
            item = {"type": "track", "event": "E", "userId": f"u{number}", "properties": {"x": padding}}
            answer = installation.send(key, item)
            wait_until(partial(installation.is_drained, answer.headers["x-muster-position"]))
            if not number:
                resource.prlimit(control, resource.RLIMIT_FSIZE, (16_384, resource.RLIM_INFINITY))
                # Once nothing has come for a second they are derived.
                wait_until(lambda: installation.living.server.has_said(_NOT_DRAINED))
                resource.prlimit(control, resource.RLIMIT_FSIZE, _UNLIMITED)
        # Whoever asks sees what is derived; a server that ends leaves that to the next.
        installation.living.get("/customers/external:u1")


def _drain_without_room(environment: dict[str, str], home: Path, positions: list[str]) -> None:
    letters = random.Random(7)
    with served(environment) as installation:
        installation.living.post("/apps", {"key": "notes"}, 201)
        key, control = installation.key(), installation.living.server.process.pid
        # The control database and its log stay below.
        largest = max(one.stat().st_size for one in (home / "warehouse").iterdir()) + 2 * 1024 * 1024
        resource.prlimit(control, resource.RLIMIT_FSIZE, (largest, resource.RLIM_INFINITY))
        # What does not compress makes the disk full soon.
        while not installation.living.server.has_said(_NOT_DRAINED):
            assert len(positions) < 1_000
            number = len(positions)
            item = {"type": "track", "event": "E", "userId": f"u{number}", "messageId": f"m{number}"}
            padding = letters.randbytes(15_000).hex()
            answer = installation.send(key, {**item, "properties": {"n": number, "x": padding}})
            assert answer.status_code == 200
            positions.append(answer.headers["x-muster-position"])
        resource.prlimit(control, resource.RLIMIT_FSIZE, _UNLIMITED)
        wait_until(lambda: installation.is_drained(positions[-1]))
        assert installation.living.get(f"/customers/external:u{number}")["external_id"] == f"u{number}"
