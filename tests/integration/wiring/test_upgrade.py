"""A data directory of the release before is taken over: after a backup, with the same members, and it goes on."""

from __future__ import annotations

import io
import json
import sqlite3
import tarfile
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
import zstandard
from scripts.make_release_data import PEOPLE

from muster.warehouse.duckdb import schema
from muster.warehouse.duckdb.connection import stored_version
from muster.warehouse.duckdb.migrations import MIGRATIONS, SCHEMA_VERSION
from muster.warehouse.errors import WarehouseTooNewError
from muster.wiring.operation.archive import read_manifest
from tests.integration.living import Document, csv_of, living
from tests.integration.processes import muster

RELEASES = sorted((Path(__file__).parents[2] / "data" / "releases").glob("*.tar.zst"))
_CUSTOMERS = {"kind": "customers", "row": {"external_id": "id", "traits": {"country": "country"}}}
_EVENTS = {"kind": "events", "app": "notes", "row": {"external_id": "id", "event": "event", "happened_at": "at"}}


def _unpacked(release: Path, home: Path) -> Document:
    """Fills the home; answers what the release told."""
    plain = zstandard.ZstdDecompressor().stream_reader(io.BytesIO(release.read_bytes())).read()
    with tarfile.open(fileobj=io.BytesIO(plain)) as tar:
        told = tar.extractfile("told.json")
        assert told is not None
        document: Document = json.loads(told.read())
        for member in tar.getmembers():
            if member.name.startswith("home/"):
                member.name = member.name.removeprefix("home/")
                tar.extract(member, home, filter="data")
    home.chmod(0o700)
    return document


@pytest.fixture(params=RELEASES, ids=lambda path: path.name.removesuffix(".tar.zst"))
def release(request: pytest.FixtureRequest) -> Path:
    path: Path = request.param
    assert path.stat().st_size < 300_000
    return path


def test_release_before_is_taken_over(environment: dict[str, str], home: Path, release: Path) -> None:
    told = _unpacked(release, home)
    with living(environment) as town:
        # Before anything was changed, a backup of it as it was.
        [backup] = town.get("/backups")["items"]
        assert (backup["made"], backup["name"].startswith("before-")) == ("upgrade", True)
        manifest = read_manifest(home / "backups" / backup["name"])
        assert (manifest.warehouse_schema, manifest.control_schema["groups"]) == (1, "0001_initial")
        # The same people are in the same groups.
        assert {one["key"]: one["size"] for one in town.get("/groups")["items"]} == told["groups"]
        members = {key: town.get(f"/groups/{key}/members", limit=1000)["items"] for key in told["groups"]}
        assert {key: ids[:100] for key, ids in members.items()} == told["members"]
        assert {one["state"] for one in town.get("/imports")["items"]} == {"done"}
        person = town.get("/customers/external:u10")
        assert [person[key] for key in ("id", "attributes")] == [told["customer"][key] for key in ("id", "attributes")]
        # History begins with who was there when the release before looked last.
        [first] = town.get("/groups/norway/changes")["items"]
        assert (first["cause"], first["size"], first["joined"]) == ("full", PEOPLE // 3, {"size": PEOPLE // 3})
        rows = [f"n{n},NO" for n in range(30)]
        town.bring_in(csv_of("id,country", *rows), _CUSTOMERS)
        town.bring_in(csv_of("id,event,at", *(f"n{n},app_opened,2026-02-01" for n in range(30))), _EVENTS)
        assert town.get("/groups/norway")["size"] == PEOPLE // 3 + 30
        newest = town.get("/groups/norway/changes")["items"][0]
        assert (newest["cause"], newest["size"], newest["joined"]) == ("data", PEOPLE // 3 + 30, {"size": 30})
        then = town.get("/groups/norway/members", limit=1000, as_of=first["at"])
        now = town.get("/groups/norway/members", limit=1000, as_of=newest["at"])
        assert (then["items"], len(now["items"])) == (members["norway"], PEOPLE // 3 + 30)
    # All is of this version now: no second backup, and nothing to complain about but that nobody asked for one.
    assert muster(environment, "backup").returncode == 0
    examined = json.loads(muster(environment, "doctor", "--json").stdout)
    assert {one["key"] for one in examined["checks"] if one["state"] != "ok"} == set()
    made = [one["made"] for one in json.loads(muster(environment, "backups", "--json").stdout)["items"]]
    assert sorted(made) == ["asked", "upgrade"]


def test_backup_of_before_the_upgrade_can_be_put_back(environment: dict[str, str], home: Path, release: Path) -> None:
    told = _unpacked(release, home)
    assert muster(environment, "groups", "list").returncode == 0
    [backup] = (home / "backups").iterdir()
    (home / "control.sqlite3").write_bytes(b"destroyed")
    ended = muster(environment, "restore", str(backup), "--replace", "--json")
    assert (ended.returncode, ended.stderr) == (0, "")
    listed = json.loads(muster(environment, "groups", "list", "--json").stdout)["items"]
    assert {one["key"]: one["size"] for one in listed} == told["groups"]
    # What was just put back is its own backup.
    assert list((home / "backups").iterdir()) == [backup]


def test_upgrade_cut_off_keeps_its_first_backup(environment: dict[str, str], home: Path, release: Path) -> None:
    """However often it is tried again: the disk does not fill, and the oldest state is the one that is kept."""
    _unpacked(release, home)
    # The warehouse cannot be opened after the control database was brought up to date.
    warehouse = home / "warehouse" / "warehouse.duckdb"
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("CREATE VIEW rate_entries AS SELECT 1 AS x")
    for _ in range(2):
        assert muster(environment, "groups", "list").returncode == 1
    [backup] = (home / "backups").iterdir()
    assert read_manifest(backup).control_schema["groups"] == "0001_initial"
    with duckdb.connect(str(warehouse)) as connection:
        connection.execute("DROP VIEW rate_entries")
    assert muster(environment, "groups", "list").returncode == 0
    assert list((home / "backups").iterdir()) == [backup]


def test_new_installation_makes_no_backup(environment: dict[str, str], home: Path) -> None:
    assert muster(environment, "groups", "list").returncode == 0
    assert sorted(path.name for path in home.iterdir() if path.name == "backups") == []
    assert json.loads((home / "version.json").read_text(encoding="utf-8"))["backup"] == ""


def test_older_muster_leaves_a_newer_warehouse_alone(environment: dict[str, str], home: Path) -> None:
    assert muster(environment, "groups", "list").returncode == 0
    with duckdb.connect(str(home / "warehouse" / "warehouse.duckdb")) as connection:
        schema.set_meta(connection, "schema_version", str(SCHEMA_VERSION + 1))
    refused = muster(environment, "groups", "list")
    assert (refused.returncode, refused.stderr.partition(":")[0]) == (1, "error [warehouse_too_new]")
    with sqlite3.connect(home / "control.sqlite3") as database:
        assert database.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    database.close()


@pytest.fixture
def old_warehouse(tmp_path: Path) -> Callable[[], duckdb.DuckDBPyConnection]:
    """A file of schema version 1 with a rate in it."""
    with duckdb.connect(str(tmp_path / "warehouse.duckdb")) as connection:
        schema.prepare(connection)
        connection.execute("DROP TABLE rate_entries")
        connection.execute("INSERT INTO rates VALUES (DATE '2026-01-02', 'NOK', 11, 100)")
        schema.set_meta(connection, "schema_version", "1")
    return lambda: duckdb.connect(str(tmp_path / "warehouse.duckdb"))


def test_migrations_follow_each_other() -> None:
    assert list(MIGRATIONS) == list(range(2, SCHEMA_VERSION + 1))


def test_old_rates_stand_as_entered_by_hand(
    old_warehouse: Callable[[], duckdb.DuckDBPyConnection], tmp_path: Path
) -> None:
    assert stored_version(tmp_path) == 1
    with old_warehouse() as connection:
        schema.prepare(connection)
        asked = "SELECT currency, numerator, denominator, source, number FROM rate_entries"
        rows = connection.execute(asked).fetchall()
    assert (rows, stored_version(tmp_path)) == ([("NOK", 11, 100, 0, 1)], SCHEMA_VERSION)


def test_old_rejects_are_numbered_by_arrival_and_cannot_be_replayed(
    old_warehouse: Callable[[], duckdb.DuckDBPyConnection],
) -> None:
    """Nobody knows any more what was said of their requests; what is refused next goes on counting."""
    with old_warehouse() as connection:
        connection.execute("ALTER TABLE rejects DROP COLUMN number; ALTER TABLE rejects DROP COLUMN place")
        connection.execute("ALTER TABLE rejects DROP COLUMN nth; DROP TABLE reject_requests")
        connection.execute(
            "INSERT INTO rejects BY NAME SELECT 'event_missing' AS code, moment AS received_at, item FROM (VALUES"
            " (TIMESTAMP '2026-01-02', 'later'), (TIMESTAMP '2026-01-01', 'first'), (TIMESTAMP '2026-01-02', 'last'))"
            " v(moment, item)"
        )
        schema.prepare(connection)
        rows = connection.execute("SELECT number, item, place FROM rejects ORDER BY number").fetchall()
        assert rows == [(1, "first", None), (2, "later", None), (3, "last", None)]
        assert schema.get_meta(connection, "last_reject") == "3"


def test_migration_that_fails_changes_nothing(
    old_warehouse: Callable[[], duckdb.DuckDBPyConnection], tmp_path: Path
) -> None:
    with old_warehouse() as connection:
        connection.execute("ALTER TABLE rates RENAME COLUMN numerator TO n")
        with pytest.raises(duckdb.Error):
            schema.prepare(connection)
    with old_warehouse() as connection:
        tables = connection.execute("SELECT 1 FROM duckdb_tables() WHERE table_name = 'rate_entries'").fetchall()
    assert (tables, stored_version(tmp_path)) == ([], 1)


def test_new_file_is_like_a_migrated_one(old_warehouse: Callable[[], duckdb.DuckDBPyConnection]) -> None:
    """Every relation and column: what `schema` creates, `migrations` arrive at."""
    columns = "SELECT table_name, column_name, data_type FROM duckdb_columns() WHERE NOT internal ORDER BY ALL"
    with old_warehouse() as connection:
        schema.prepare(connection)
        migrated = connection.execute(columns).fetchall()
    with duckdb.connect() as connection:
        schema.prepare(connection)
        assert connection.execute(columns).fetchall() == migrated


def test_newer_version_is_refused(old_warehouse: Callable[[], duckdb.DuckDBPyConnection]) -> None:
    with old_warehouse() as connection:
        schema.set_meta(connection, "schema_version", "99")
        with pytest.raises(WarehouseTooNewError):
            schema.prepare(connection)
