"""One installation with the sample and a state of every kind; made once, copied for every process of the tests."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.browser.addresses import Found, follow
from tests.conftest import environment_of
from tests.integration.living import Living, csv_of, living
from tests.integration.pages import Browser
from tests.integration.processes import muster

EMAIL, PASSWORD = "alice@example.com", "correct horse battery"
# Of customers of the sample, as the file of the sample has them.
ADDRESSES = ("jon24@adventure-works.com", "eugene10@adventure-works.com", "ruben35@adventure-works.com")
MEMBER = ADDRESSES[0]
_LISTED = "\n".join((*ADDRESSES, ADDRESSES[0], "somebody@else.example", "max@@example"))
_NOBODY = {"version": 1, "app": "adventure-shop", "match": {"attribute": "annual_income", "op": "gt", "value": 9e8}}
_RICH = {"version": 1, "app": "adventure-shop", "match": {"attribute": "annual_income", "op": "gt", "value": 90_000}}


@dataclass(frozen=True)
class Sample:
    """`inside`: as the owner; `outside`: as somebody who is not logged in."""

    home: Path
    inside: Found
    outside: Found


def environment_for(home: Path) -> dict[str, str]:
    # As people run it: templates without the traces that coverage needs.
    return {**environment_of(home), "DJANGO_SETTINGS_MODULE": "muster.wiring.settings"}


@contextmanager
def short_folder() -> Iterator[Path]:
    """The path of the socket inside must stay short."""
    path = Path(tempfile.mkdtemp(prefix="mst-"))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


def the_sample(shared: Path) -> Sample:
    """The same for all processes of a test run: the first makes it, the others wait."""
    told = shared / "sample.json"
    with (shared / "sample.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not told.exists():
            inside, outside = _make(shared / "home")
            told.write_text(json.dumps({"inside": _plain(inside), "outside": _plain(outside)}), encoding="utf-8")
    kept = json.loads(told.read_text(encoding="utf-8"))
    return Sample(shared / "home", _found(kept["inside"]), _found(kept["outside"]))


def _plain(found: Found) -> Mapping[str, Any]:
    return {**asdict(found), "files": sorted(found.files), "changes": sorted(found.changes)}


def _found(kept: Mapping[str, Any]) -> Found:
    return Found(**{**kept, "files": set(kept["files"]), "changes": set(kept["changes"])})


def _make(target: Path) -> tuple[Found, Found]:
    with short_folder() as folder:
        home = folder / "home"
        environment = environment_for(home)
        if loaded := os.environ.get("MUSTER_SAMPLE_HOME"):
            shutil.copytree(loaded, home, ignore=_no_sockets)
        else:
            done = muster(environment, "demo", "load", seconds=300)
            assert done.returncode == 0, done.stderr
        with (
            living(environment) as installation,
            httpx.Client(base_url=installation.server.address, timeout=60) as inside,
            httpx.Client(base_url=installation.server.address, timeout=60) as outside,
        ):
            owner = Browser(inside)
            owner.set_up(installation.server.setup_token)
            starts = _prepare(installation, owner)
            found = follow(inside, ["/", *starts]), follow(outside, ["/login"])
        shutil.copytree(home, target, ignore=_no_sockets)
    return found


def _no_sockets(folder: str, names: list[str]) -> list[str]:
    return [name for name in names if (Path(folder) / name).is_socket()]


def _prepare(installation: Living, owner: Browser) -> list[str]:
    """What the sample lacks: lists, their imports at every step, and groups in states of every kind."""
    installation.post("/groups", {"name": "Beta testers", "key": "testers", "kind": "known"}, 201)
    applied = _import(installation, owner, text=_LISTED)
    owner.post(f"{applied}apply/", {"leave_out": "on"})
    installation.settle()
    judged = _import(installation, owner, text=_LISTED)
    # Its header leaves open which column is meant.
    file = csv_of("Name,Address,Ref", *(f"Ann,{address},{n}" for n, address in enumerate(ADDRESSES)))
    columns = _import(installation, owner, file=file)
    for key, name, definition in (("nobody", "Nobody", _NOBODY), ("rich", "Well paid", _RICH)):
        installation.post("/groups", {"name": name, "key": key, "definition": definition}, 201)
    installation.settle()
    installation.post("/groups/rich/archive")
    first = next(one for one in installation.get("/groups")["items"] if one["kind"] == "segment" and not one["tags"])
    return [
        "/groups/?state=archived", "/groups/testers/", "/groups/nobody/", "/groups/rich/", "/groups/rich/manage/",
        judged, f"{judged}?verdict=invalid", f"{applied}apply/", columns, f"{columns}columns/",
        f"/groups/{first['key']}/compare/?with=testers", f"/groups/{first['key']}/edit/",
        f"/why?group={first['id']}&customer={MEMBER}", f"/why?group=testers&customer={MEMBER}",
    ]  # fmt: skip


def _import(installation: Living, owner: Browser, *, text: str = "", file: bytes | None = None) -> str:
    """The address of an import that is judged."""
    fields = {"mode": "add", "ids": "email", "text": text}
    files = {"file": ("testers.csv", file)} if file is not None else None
    begun = owner.post("/groups/testers/import/", fields, files=files)
    assert begun.status_code == 302, begun.text
    installation.settle()
    return str(begun.headers["Location"]).removesuffix("columns/")


@contextmanager
def served(sample: Sample) -> Iterator[Living]:
    """A copy of the sample that serves; what happens to it concerns nobody else."""
    with short_folder() as folder:
        shutil.copytree(sample.home, folder / "home")
        with living(environment_for(folder / "home")) as installation:
            yield installation
