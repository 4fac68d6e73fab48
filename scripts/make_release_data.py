"""Makes the data directory of a release, small, for the test that the next one can take it over.

    python -m scripts.make_release_data SOURCE_TREE TARGET.tar.zst

SOURCE_TREE is a checkout of the release (`git worktree add --detach ../old 9a0f2b8`); its own command line does all of
it. The answers it gives are packed too, as `told.json`: what the next release must still tell.
"""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path
from typing import Any

import yaml
import zstandard

PEOPLE = 120
_CUSTOMERS = {"kind": "customers", "row": {"external_id": "id", "email": "email", "traits": {"country": "country"}}}
_EVENTS = {
    "kind": "events",
    "app": "notes",
    "row": {"external_id": "id", "anonymous_id": "visitor", "event": "event", "happened_at": "at"},
}
_GROUPS = {
    "everybody": {"everyone": True},
    "norway": {"attribute": "country", "op": "is", "value": "NO"},
    "follower": {"group": "norway"},
}


def customers() -> str:
    """A third of them in Norway."""
    rows = (f"u{n},u{n}@example.com,{'NO' if n % 3 == 0 else 'SE'}" for n in range(1, PEOPLE + 1))
    return "\n".join(["id,email,country", *rows]) + "\n"


def events() -> str:
    """Everybody uses the app; every tenth was a visitor first, whom the second visit merges with the customer."""
    visits = [f"u{n},,app_opened,2026-01-01T00:00:00Z" for n in range(1, PEOPLE + 1)]
    for n in range(10, PEOPLE + 1, 10):
        visits += [f",v{n},app_opened,2025-12-01T00:00:00Z", f"u{n},v{n},app_opened,2026-01-02T00:00:00Z"]
    return "\n".join(["id,visitor,event,at", *visits]) + "\n"


class Release:
    """The command line of a source tree, on a home."""

    def __init__(self, tree: Path, home: Path) -> None:
        self._environment = {
            **os.environ,
            "PYTHONPATH": str(tree / "src"),
            "MUSTER_HOME": str(home),
            "MUSTER_WAREHOUSE_THREADS": "1",
        }

    def __call__(self, *arguments: str, stdin: Any = None) -> Any:
        command = [sys.executable, "-m", "muster.wiring.main", *arguments, "--json"]
        said = json.dumps(stdin) if stdin is not None else None
        ended = subprocess.run(command, env=self._environment, input=said, capture_output=True, text=True, check=False)
        if ended.returncode:
            raise SystemExit(f"{arguments}: {ended.stderr}")
        return json.loads(ended.stdout)

    def bring_in(self, folder: Path, name: str, content: str, mapping: dict[str, Any]) -> None:
        file, described = folder / f"{name}.csv", folder / f"{name}.yaml"
        file.write_text(content, encoding="utf-8")
        described.write_text(yaml.safe_dump(mapping), encoding="utf-8")
        self("customers", "import", str(file), "--kind", mapping["kind"], "--mapping", str(described))


def make(tree: Path, target: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        muster = Release(tree, home)
        muster("catalog", "apps", "create", "--set", "key=notes")
        muster.bring_in(Path(folder), "customers", customers(), _CUSTOMERS)
        muster.bring_in(Path(folder), "events", events(), _EVENTS)
        for key, match in _GROUPS.items():
            definition = {"version": 1, "app": "notes", "match": match}
            muster("groups", "create", key, "--definition", "-", stdin=definition)
        told = {
            "groups": {one["key"]: one["size"] for one in muster("groups", "list")["items"]},
            "members": {key: muster("groups", "members", key)["items"] for key in _GROUPS},
            "customer": muster("customers", "show", "external:u10"),
        }
        _pack(home, told, target)


def _pack(home: Path, told: dict[str, Any], target: Path) -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        text = json.dumps(told, indent=1).encode()
        info = tarfile.TarInfo("told.json")
        info.size = len(text)
        tar.addfile(info, io.BytesIO(text))
        for path in sorted(home.rglob("*")):
            if path.is_file() and path.name not in ("owner.lock",):
                tar.add(path, f"home/{path.relative_to(home).as_posix()}")
    target.write_bytes(zstandard.ZstdCompressor(level=19).compress(packed.getvalue()))
    print(f"{target}: {target.stat().st_size:,} bytes; {told['groups']}")


if __name__ == "__main__":
    make(Path(sys.argv[1]), Path(sys.argv[2]))
