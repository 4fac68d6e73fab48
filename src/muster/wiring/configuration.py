"""The installation's settings as one typed object; a wrong value refuses to start and says which variable it was.

Every value has a default: nothing needs setting to begin. `MUSTER_X_FILE` reads the value of `MUSTER_X` from a file.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from muster.kernel.errors import MusterError


@dataclass(frozen=True)
class Configuration:
    """Where things are and how much of the machine may be used."""

    home: Path
    host: str = "127.0.0.1"
    # 0: any free one.
    port: int = 8400
    warehouse_threads: int = 2
    warehouse_memory: str = "1GiB"
    hosts: tuple[str, ...] = ("localhost", "127.0.0.1", "[::1]")
    import_megabytes: int = 8_192
    backup_days: int = 35
    nightly_backup: bool = False
    debug: bool = False

    @property
    def control_database(self) -> Path:
        return self.home / "control.sqlite3"

    @property
    def warehouse_directory(self) -> Path:
        return self.home / "warehouse"

    @property
    def membership_directory(self) -> Path:
        return self.home / "membership"

    @property
    def list_directory(self) -> Path:
        """The lists of known user groups, a file a version."""
        return self.home / "lists"

    @property
    def past_directory(self) -> Path:
        """Warehouses of past instants while they are asked; nothing in it outlives its question."""
        return self.home / "past"

    @property
    def import_directory(self) -> Path:
        return self.home / "imports"

    @property
    def export_directory(self) -> Path:
        """What is handed over to customers, until its link ends."""
        return self.home / "exports"

    @property
    def ledger(self) -> Path:
        """Who was erased when, in keyed hashes. A backup that is put back leaves it as it is (ADR 0015)."""
        return self.home / "ledger" / "erasures"

    @property
    def backup_directory(self) -> Path:
        return self.home / "backups"

    @property
    def socket(self) -> Path:
        return self.home / "control.sock"

    @property
    def lock(self) -> Path:
        return self.home / "owner.lock"

    @property
    def secret_key_file(self) -> Path:
        return self.home / "secret.key"


def read_configuration(environment: Mapping[str, str] | None = None) -> Configuration:
    """The configuration of `MUSTER_*` variables; `configuration_invalid` names the one that is wrong."""
    variables = os.environ if environment is None else environment
    home = Path(_text(variables, "MUSTER_HOME", "var")).expanduser().absolute()
    hosts = _text(variables, "MUSTER_HOSTS", "")
    return Configuration(
        home=home,
        host=_text(variables, "MUSTER_HOST", Configuration.host),
        port=_number(variables, "MUSTER_PORT", Configuration.port, 0, 65_535),
        warehouse_threads=_number(variables, "MUSTER_WAREHOUSE_THREADS", min(os.cpu_count() or 2, 8), 1, 256),
        warehouse_memory=_text(variables, "MUSTER_WAREHOUSE_MEMORY", Configuration.warehouse_memory),
        hosts=Configuration.hosts + tuple(host for host in hosts.split(",") if host),
        import_megabytes=_number(variables, "MUSTER_IMPORT_MEGABYTES", Configuration.import_megabytes, 1, 1_000_000),
        backup_days=_number(variables, "MUSTER_BACKUP_DAYS", Configuration.backup_days, 1, 3_650),
        nightly_backup=_text(variables, "MUSTER_NIGHTLY_BACKUP", "0") == "1",
        debug=_text(variables, "MUSTER_DEBUG", "0") == "1",
    )


def _text(variables: Mapping[str, str], name: str, default: str) -> str:
    if file := variables.get(f"{name}_FILE"):
        try:
            return Path(file).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise _invalid(f"{name}_FILE", file, "must be a readable file") from error
    return variables.get(name, default)


def _number(variables: Mapping[str, str], name: str, default: int, low: int, high: int) -> int:
    text = _text(variables, name, str(default))
    if not text.isdecimal() or not low <= int(text) <= high:
        raise _invalid(name, text, f"must be a whole number from {low} to {high}")
    return int(text)


def _invalid(name: str, text: str, remedy: str) -> MusterError:
    return MusterError(f"{name}={text!r} {remedy}.", code="configuration_invalid")
