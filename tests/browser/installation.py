"""One installation with the sample and a state of every kind; made once, copied for every process of the tests."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.browser.addresses import Found, follow
from tests.browser.states import prepare
from tests.conftest import environment_of
from tests.integration.living import Living, living
from tests.integration.pages import Browser
from tests.integration.processes import muster

PERSONS = ("owner", "viewer", "nobody")


@dataclass(frozen=True)
class Sample:
    """What everybody finds there: the owner, a viewer who logs in with two factors, and who is not logged in.

    `cookies`: of the first two, logged in.
    """

    home: Path
    found: dict[str, Found]
    cookies: dict[str, list[dict[str, str]]]

    @property
    def reached(self) -> set[str]:
        return {name for found in self.found.values() for name in found.reached}

    @property
    def html(self) -> dict[str, str]:
        """Every page once, as the owner sees it if the owner does."""
        return {path: text for person in reversed(PERSONS) for path, text in self.found[person].html.items()}


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
            told.write_text(json.dumps(_make(shared / "home")), encoding="utf-8")
    kept = json.loads(told.read_text(encoding="utf-8"))
    found = {
        person: Found(**{**each, "files": set(each["files"]), "changes": set(each["changes"])})
        for person, each in kept["found"].items()
    }
    return Sample(shared / "home", found, kept["cookies"])


def _make(target: Path) -> dict[str, Any]:
    """What `Sample` holds, as JSON."""
    with short_folder() as folder:
        home = folder / "home"
        environment = environment_for(home)
        if loaded := os.environ.get("MUSTER_SAMPLE_HOME"):
            shutil.copytree(loaded, home, ignore=_no_sockets)
        else:
            done = muster(environment, "demo", "load", seconds=300)
            assert done.returncode == 0, done.stderr
        with living(environment) as installation, ExitStack() as stack:
            base = installation.server.address
            clients = {person: stack.enter_context(httpx.Client(base_url=base, timeout=60)) for person in PERSONS}
            owner = Browser(clients["owner"])
            owner.set_up(installation.server.setup_token)
            starts = prepare(installation, owner, clients["viewer"])
            found = {person: follow(clients[person], starts[person]) for person in PERSONS}
        shutil.copytree(home, target, ignore=_no_sockets)
    return {
        "found": {
            person: {**asdict(each), "files": sorted(each.files), "changes": sorted(each.changes)}
            for person, each in found.items()
        },
        "cookies": {
            person: [
                {"name": one.name, "value": one.value, "domain": "127.0.0.1", "path": "/"} for one in client.cookies.jar
            ]
            for person, client in clients.items()
        },
    }


def _no_sockets(folder: str, names: list[str]) -> list[str]:
    return [name for name in names if (Path(folder) / name).is_socket()]


@contextmanager
def served(sample: Sample, **settings: str) -> Iterator[Living]:
    """A copy of the sample that serves; what happens to it concerns nobody else. `settings`: of its environment."""
    with short_folder() as folder:
        shutil.copytree(sample.home, folder / "home")
        with living({**environment_for(folder / "home"), **settings}) as installation:
            yield installation
