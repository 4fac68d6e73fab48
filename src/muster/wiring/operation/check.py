"""One finding of `muster doctor`, and what can be looked at before anything of the installation is read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from muster.wiring.operation.layout import CONTROL, SECRET_KEY
from muster.wiring.operation.restore import journal_of
from muster.wiring.operation.stamp import is_newer, stamp_of, this_version

State = Literal["ok", "warning", "failed"]


@dataclass(frozen=True)
class Check:
    """`remedy` is empty where there is nothing to do."""

    key: str
    state: State
    place: str
    message: str
    remedy: str = ""


def examined(checks: Sequence[Check]) -> dict[str, Any]:
    """As both doors answer it."""
    return {"failed": any(check.state == "failed" for check in checks), "checks": [asdict(check) for check in checks]}


def check_home(home: Path) -> Iterator[Check]:
    """If one of these failed, nothing else of the installation should be opened."""
    if not home.is_dir():
        remedy = "Set MUSTER_HOME to where the installation is, or run `muster serve` to begin one there."
        yield Check("home", "failed", str(home), "There is no such folder.", remedy)
        return
    try:
        probe = home / ".doctor"
        probe.write_bytes(b"")
        probe.unlink()
        if (home / SECRET_KEY).exists():
            (home / SECRET_KEY).read_bytes()
    except OSError as error:
        remedy = "Give the folder to the user that runs Muster, or make room."
        yield Check("home", "failed", str(home), f"It cannot be used: {error.strerror}.", remedy)
        return
    if (journal := journal_of(home)) is not None:
        message = f"A restore stopped before its end (phase {journal.phase})."
        yield Check("restore", "failed", str(home), message, "`muster serve` finishes it.")
    stamp = stamp_of(home)
    if stamp is not None and is_newer(stamp.muster):
        message = f"Muster {stamp.muster} has written it; this is {this_version()}."
        yield Check("home", "failed", str(home), message, "Start that version or a newer one.")
    elif not (home / CONTROL).exists():
        yield Check("home", "warning", str(home), "Nothing is installed here yet.", "`muster serve` begins.")
    else:
        yield Check("home", "ok", str(home), f"Written last by Muster {stamp.muster if stamp else '0.1.0 or before'}.")
