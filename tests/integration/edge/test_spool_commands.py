"""`muster spool`: what waits while nobody drains it, and what a damaged file gives back (E-19, E-44)."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from muster.spool.slots import slot_path
from tests.integration.edge.served import asked, served
from tests.integration.living import Living, problem
from tests.integration.processes import muster, wait_until
from tests.unit.spool.test_spool import entry, writing

BODY = b'{"type":"identify","userId":"u%d","messageId":"m%d"}'


def spooled(home: Path, *numbers: int, padding: int = 0) -> None:
    """As an edge process that ended leaves them behind."""
    with writing(home / "spool") as (writer, settlements):
        for number in numbers:
            told = entry(1_795_286_695_000_000 + number, BODY % (number, number) + b" " * padding)
            writer.append(told._replace(call="identify"), number)
        settlements.places(len(numbers))


def test_status_and_tail_tell_what_waits(environment: dict[str, str], home: Path) -> None:
    """Without a server nothing is drained: the command opens the installation itself."""
    made = muster(environment, "catalog", "apps", "create", "--set", "key=notes")
    assert made.returncode == 0, made.stderr
    spooled(home, 1, 2, 3)
    told = muster(environment, "spool", "status").stdout.splitlines()
    assert [line.split()[:6] for line in told] == [
        ["SLOT", "HELD", "READABLE", "DRAINED", "REQUESTS", "ITEMS"],
        ["1", "no", "yes", "3", "3", told[1].split()[5]],
    ]
    told = muster(environment, "spool", "tail", "--limit", "2").stdout.splitlines()
    assert [line.split()[:2] for line in told] == [
        ["POSITION", "RECEIVED_AT"],
        ["1.3", "2026-11-21T18:44:55.000Z"],
        ["1.2", "2026-11-21T18:44:55.000Z"],
    ]


def test_what_is_drained_waits_no_more(environment: dict[str, str]) -> None:
    with served(environment) as installation:
        here = installation.living
        here.post("/apps", {"key": "notes"}, 201)
        sent = installation.send(installation.key(), {"type": "identify", "userId": "u1"})
        installation.wait_for(sent.headers["x-muster-position"])
        code, told = here.command("spool", "status")
        assert (code, told["requests"], told["items"], told["oldest_at"]) == (0, 0, 0, None)
        [slot] = told["slots"]
        assert (slot["slot"], slot["held"], slot["readable"], slot["drained"]) == (1, True, True, 1)
        assert here.command("spool", "recover") == (0, {"files": []})
        reader = here.with_scopes("customers:read", "customers:write")
        assert problem(reader.get("/spool")) == (403, "scope_missing")
        assert problem(reader.get("/spool/requests")) == (403, "scope_missing")
        assert problem(reader.post("/spool/recover", json={})) == (403, "scope_missing")
        admin = here.with_scopes("team:admin")
        assert [one["body"] for one in admin.get("/spool/requests").json()["items"]] in ([], [None])


def damaged(home: Path) -> None:
    """Sixty requests, one of them on the page that is lost."""
    spooled(home, *range(1, 61), padding=3_000)
    with slot_path(home / "spool", 1).open("r+b") as file:
        file.seek(29 * 4_096)
        file.write(b"\xff" * 4_096)


def wait_until_empty(here: Living) -> None:
    wait_until(lambda: not (here.get("/spool")["requests"] or here.get("/spool")["set_aside"]))


def serve_until_empty(environment: dict[str, str]) -> None:
    with served(environment) as installation:
        installation.living.post("/apps", {"key": "notes"}, 201)
        installation.living.command("spool", "recover")
        wait_until_empty(installation.living)


def warned(environment: dict[str, str]) -> list[str]:
    checks = json.loads(muster(environment, "doctor", "--json").stdout)["checks"]
    return [one["message"] for one in checks if one["key"] == "spool"]


def check_known(home: Path) -> None:
    known = [name for (name,) in asked(home, "SELECT text FROM identities")]
    assert (len(known), len(set(known))) == (59, 59)
    assert set(known) < {f"u{number}" for number in range(1, 61)}
    assert asked(home, "SELECT (SELECT count(*) FROM event_ids), (SELECT count(*) FROM rejects)") == [(59, 0)]


def test_what_an_edge_process_sets_aside_comes_back_by_itself(environment: dict[str, str], home: Path) -> None:
    """E-19: and the server says so."""
    damaged(home)
    with pytest.raises(AssertionError, match="was damaged: 59 requests of it were recovered; what"):
        serve_until_empty(environment)
    check_known(home)


def test_damaged_file_is_recovered_without_a_server(environment: dict[str, str], home: Path) -> None:
    """Nothing is lost or doubled when it is asked for again; what cannot be read is kept and named."""
    made = muster(environment, "catalog", "apps", "create", "--set", "key=notes")
    assert made.returncode == 0, made.stderr
    assert warned(environment) == []
    damaged(home)
    told = json.loads(muster(environment, "spool", "recover", "--json").stdout)
    [found] = told["files"]
    assert (found["requests"], found["slot"]) == (59, 64)
    assert json.loads(muster(environment, "spool", "recover", "--json").stdout) == {"files": []}
    assert warned(environment) == ["Of 1 damaged files not everything could be read: " + found["kept"] + "."]
    with served(environment) as installation:
        wait_until_empty(installation.living)
        assert installation.living.get("/spool")["unreadable"] == [found["kept"]]
    check_known(home)
