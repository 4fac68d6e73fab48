"""What every test needs before it starts, and the people who appear in them."""

from __future__ import annotations

import gc
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.test import Client
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings
from scripts.compile_catalogues import compile_catalogues

from muster.team.actions.members import create_member
from muster.team.actions.setup import create_owner
from muster.team.hooks import Organisation
from muster.team.models import Member
from muster.team.policies import LOCAL
from tests.integration.processes import serving

# A source tree has catalogues as text only; the build compiles them, and so does a test run.
compile_catalogues()

# How long an example takes says how busy the machine is, not whether the property holds.
hypothesis_settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothesis_settings.load_profile("busy")

PASSWORD = "correct horse battery"


def pytest_collection_finish() -> None:
    """What was loaded by now stays to the end: garbage is only among what tests make."""
    gc.collect()
    gc.freeze()


def pytest_unconfigure() -> None:
    """DuckDB complains of what is not taken apart at the end."""
    gc.unfreeze()


@pytest.fixture(scope="session")
def begun() -> Iterator[Path]:
    """What the first start makes of an empty folder: it takes seconds, and hundreds of tests need it."""
    with tempfile.TemporaryDirectory(prefix="mst-") as folder:
        with serving(environment_of(Path(folder))):
            pass
        yield Path(folder)


@pytest.fixture
def home(begun: Path) -> Iterator[Path]:
    """An installation without anything in it, for other processes."""
    with copied(begun) as path:
        yield path


@pytest.fixture
def empty_home() -> Iterator[Path]:
    """A folder in which Muster was never started."""
    with _short_folder() as path:
        yield path


@contextmanager
def _short_folder() -> Iterator[Path]:
    """Short, because the path of an installation's socket must be."""
    path = Path(tempfile.mkdtemp(prefix="mst-"))
    yield path
    shutil.rmtree(path, ignore_errors=True)


@contextmanager
def copied(home: Path) -> Iterator[Path]:
    """Another installation that begins as this one is, whose server has ended."""
    with _short_folder() as path:
        yield Path(shutil.copytree(home, path, dirs_exist_ok=True))


@pytest.fixture
def environment(home: Path) -> dict[str, str]:
    return environment_of(home)


@pytest.fixture(scope="module")
def module_environment(begun: Path) -> Iterator[dict[str, str]]:
    """An installation that the tests of a module share."""
    with copied(begun) as path:
        yield environment_of(path)


def environment_of(home: Path) -> dict[str, str]:
    """Of a process that runs this source tree on that installation, on any free port."""
    root = Path(__file__).parents[1]
    paths = [str(root / "src"), str(root)]
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith(("MUSTER_", "DJANGO_"))},
        "PYTHONPATH": os.pathsep.join(paths),
        "DJANGO_SETTINGS_MODULE": "tests.process_settings",
        "MUSTER_HOME": str(home),
        "MUSTER_PORT": "0",
        # Tests of the edge begin it; for others it would be a process more that nobody asks.
        "MUSTER_EDGE_PROCESSES": "0",
        "MUSTER_METRICS": "",
        "MUSTER_EDGE_PORT": "0",
        "MUSTER_WAREHOUSE_MEMORY": "256MiB",
        "MUSTER_WAREHOUSE_THREADS": "1",
    }


@pytest.fixture
def alice(db: None) -> Member:
    """The owner."""
    return create_owner("alice@example.com", PASSWORD, Organisation("Example", "en", "UTC", "EUR"))


@pytest.fixture
def bob(alice: Member) -> Member:
    """A team member who may only look."""
    return create_member(LOCAL, "bob@example.com", PASSWORD, "viewer")


@pytest.fixture
def as_alice(alice: Member) -> Client:
    """Alice's browser. CSRF is checked, as it is in reality."""
    return _logged_in(alice)


@pytest.fixture
def as_bob(bob: Member) -> Client:
    return _logged_in(bob)


@pytest.fixture
def as_charlie(db: None) -> Client:
    """An outsider: somebody without an account."""
    return Client(enforce_csrf_checks=True)


@pytest.fixture
def as_local(db: None) -> Client:
    """Whoever may open the installation's own socket."""
    return Client(enforce_csrf_checks=True, **{"muster.local": True})  # type: ignore[arg-type]  # goes into the environ


def _logged_in(member: Member) -> Client:
    client = Client(enforce_csrf_checks=True)
    client.force_login(member)
    return client
