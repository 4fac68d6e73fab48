"""Which Muster wrote an installation last, in a file that even an older one can read before it opens anything."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

from muster.kernel.errors import MusterError
from muster.kernel.versions import is_version, version_key
from muster.wiring.operation.layout import STAMP, write_durably


@dataclass(frozen=True)
class Stamp:
    """`backup`: the one that was made before the upgrade that is under way; empty otherwise."""

    muster: str
    backup: str = ""


def this_version() -> str:
    return version("muster-groups")


def is_newer(found: str) -> bool:
    """Whether a version is newer than this one; what cannot be read as a version is not."""
    own = this_version()
    return is_version(found) and is_version(own) and version_key(found) > version_key(own)


def stamp_of(home: Path) -> Stamp | None:
    """None: nobody yet, or a Muster that did not stamp (0.1.0)."""
    try:
        document = json.loads((home / STAMP).read_text(encoding="utf-8"))
        return Stamp(str(document["muster"]), str(document.get("backup", "")))
    except (FileNotFoundError, ValueError, KeyError, TypeError, AttributeError):
        return None


def check_not_newer(home: Path) -> None:
    """`installation_too_new`: what a newer Muster wrote is not opened by an older one (a downgrade)."""
    found = stamp_of(home)
    if found is not None and is_newer(found.muster):
        message = (
            f"Muster {found.muster} has written this installation; this is {this_version()}. Start that version or a"
            " newer one, or restore the backup that was made before the upgrade (`muster restore --replace`)."
        )
        raise MusterError(message, code="installation_too_new")


def put_stamp(home: Path, backup: str = "") -> None:
    """Notes that this Muster has written the installation, or is about to."""
    wanted = Stamp(this_version(), backup)
    if stamp_of(home) != wanted:
        write_durably(home / STAMP, json.dumps(asdict(wanted)) + "\n")
