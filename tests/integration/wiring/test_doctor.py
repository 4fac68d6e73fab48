"""`muster doctor`: what is wrong is said with place and remedy, by a server or without one."""

from __future__ import annotations

import json
import shutil
import sqlite3
from pathlib import Path

from muster.online.writer import OnlineWriter
from tests.conftest import environment_of
from tests.integration.living import Document, living
from tests.integration.processes import kill, muster, wait_until

_ALL = [
    "versions", "home", "permissions", "disk", "owner", "control_database", "migrations", "warehouse", "membership",
    "lists", "jobs", "webhooks", "online", "unfinished", "backup",
]  # fmt: skip  # a table, read by rows


def _examined(environment: dict[str, str]) -> tuple[int, dict[str, str], list[Document]]:
    ended = muster(environment, "doctor", "--json")
    assert ended.stderr == ""
    checks = json.loads(ended.stdout)["checks"]
    return ended.returncode, {one["key"]: one["state"] for one in checks}, checks


def _wrong(environment: dict[str, str]) -> tuple[int, dict[str, str]]:
    code, states, checks = _examined(environment)
    assert [one["key"] for one in checks if one["state"] != "ok" and not one["remedy"]] == []
    return code, {key: state for key, state in states.items() if state != "ok"}


def _begin(environment: dict[str, str]) -> None:
    for command in (("groups", "create", "testers", "--known"), ("backup",)):
        assert muster(environment, *command).returncode == 0


def test_healthy_installation_is_all_ok(environment: dict[str, str], home: Path) -> None:
    _begin(environment)
    code, states, _ = _examined(environment)
    assert (code, states) == (0, dict.fromkeys(_ALL, "ok"))
    with living(environment) as town:
        code, states, checks = _examined(environment)
        assert (code, states) == (0, dict.fromkeys(_ALL, "ok"))
        owner = next(one for one in checks if one["key"] == "owner")
        assert owner["message"] == f"Process {town.server.process.pid} owns it and answers."
        assert town.with_scopes("groups:read").get("/doctor").status_code == 403
    text = muster(environment, "doctor").stdout.splitlines()
    assert [line.split()[0] for line in text] == ["ok"] * len(_ALL)


def test_home_that_is_not_there_is_not_made(empty_home: Path) -> None:
    absent = environment_of(empty_home / "absent")
    assert _wrong(absent) == (1, {"home": "failed"})
    assert list(empty_home.iterdir()) == []
    assert _wrong(environment_of(empty_home)) == (0, {"home": "warning"})


def test_damage_is_found_where_it_is(environment: dict[str, str], home: Path) -> None:
    _begin(environment)
    assert muster(environment, "groups", "create", "others", "--known").returncode == 0
    [first, second] = sorted((home / "membership").iterdir())
    first.write_bytes(b"damaged")
    second.unlink()
    (home / "secret.key").chmod(0o644)
    (home / "membership" / "grp_x.1.unfinished").write_bytes(b"")
    assert _wrong(environment) == (1, {"permissions": "failed", "membership": "failed", "unfinished": "warning"})
    message = next(one["message"] for one in _examined(environment)[2] if one["key"] == "membership")
    assert message.startswith("2 of 2 files are missing or damaged: ")
    (home / "secret.key").chmod(0o600)
    (home / "warehouse" / "warehouse.duckdb").write_bytes(b"not a database" * 1000)
    content = bytearray((home / "control.sqlite3").read_bytes())
    content[8192:] = bytes(len(content) - 8192)
    (home / "control.sqlite3").write_bytes(content)
    code, states = _wrong(environment)
    assert (code, states["warehouse"], states["control_database"]) == (1, "failed", "failed")


def test_installation_of_another_version_is_named(environment: dict[str, str], home: Path) -> None:
    _begin(environment)
    with sqlite3.connect(home / "control.sqlite3") as database:
        newest = "SELECT id FROM django_migrations WHERE app = 'groups' ORDER BY name DESC LIMIT 1"
        database.execute(f"DELETE FROM django_migrations WHERE id = ({newest})")
    database.close()
    assert _wrong(environment) == (0, {"migrations": "warning"})
    (home / "version.json").write_text('{"muster": "99.0.0"}', encoding="utf-8")
    assert _wrong(environment) == (1, {"home": "failed"})
    refused = muster(environment, "jobs", "list")
    assert (refused.returncode, refused.stderr.partition(":")[0]) == (1, "error [installation_too_new]")


def test_killed_server_leaves_nothing_to_worry_about(environment: dict[str, str], home: Path) -> None:
    _begin(environment)
    with living(environment) as town:
        kill(town.server.process)
        town.server.process.returncode = 0
    assert _wrong(environment) == (0, {})


def test_store_of_the_edge_is_looked_at(environment: dict[str, str], home: Path) -> None:
    """E-38, E-42: it can always be made again, so nothing of it fails."""
    _begin(environment)
    (home / "online" / "data.mdb").write_bytes(b"no store" * 1_000)
    assert _wrong(environment) == (0, {"online": "warning"})
    shutil.rmtree(home / "online")
    assert _wrong(environment) == (0, {"online": "warning"})
    online = OnlineWriter(home / "online")
    online.close()
    assert _wrong(environment) == (0, {"online": "warning"})
    messages = [one["message"] for one in _examined(environment)[2] if one["key"] == "online"]
    assert messages == ["Nobody is in it yet: the edge decides nothing."]
    with living(environment):
        wait_until(lambda: _wrong(environment) == (0, {}))
    assert _wrong(environment) == (0, {})
