"""How long backups, and what restores moved aside, are kept."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from muster.wiring.configuration import Configuration, read_configuration
from muster.wiring.operation.backup import age_out, backups
from muster.wiring.operation.layout import stamp

NOW = datetime(2026, 3, 1, 3, 30, tzinfo=UTC)


def _named(prefix: str, days: float, suffix: str = ".tar.zst") -> str:
    return f"{prefix}-{stamp(NOW - timedelta(days=days))}{suffix}"


def test_what_is_older_than_35_days_goes(tmp_path: Path) -> None:
    """C-45: also the last one, because whoever was erased is in it; what Muster did not make stays."""
    configuration = Configuration(home=tmp_path)
    configuration.backup_directory.mkdir()
    old = [_named("muster", 36), _named("before-0.2.0", 35.1)]
    young = [_named("muster", 34.9), _named("muster", 0), _named("before-0.2.0rc1", 1)]
    foreign = ["muster.tar.zst", "muster-20260101.tar.zst", "notes.txt", _named("mine", 100)]
    for name in (*old, *young, *foreign):
        (configuration.backup_directory / name).write_bytes(b"12345")
    asides = [_named("before-restore", 36, ""), _named("before-restore", 1, ""), "before-restore-mine"]
    for name in asides:
        (tmp_path / name).mkdir()
        (tmp_path / name / "control.sqlite3").write_bytes(b"")
    assert age_out(configuration, NOW) == sorted([*old, asides[0]])
    assert {path.name for path in configuration.backup_directory.iterdir()} == {*young, *foreign}
    assert {path.name for path in tmp_path.iterdir()} == {"backups", *asides[1:]}
    assert age_out(configuration, NOW) == []
    listed = [(one.name, one.made, one.bytes) for one in backups(configuration.backup_directory)]
    assert listed == [
        (young[1], "asked", 5),
        (young[2], "upgrade", 5),
        (young[0], "asked", 5),
    ]


def test_days_and_nights_are_settings() -> None:
    read = read_configuration({"MUSTER_BACKUP_DAYS": "7", "MUSTER_NIGHTLY_BACKUP": "1"})
    assert (read.backup_days, read.nightly_backup) == (7, True)
    usual = read_configuration({})
    assert (usual.backup_days, usual.nightly_backup) == (35, False)
