"""C-32: a crash anywhere repeats and skips nothing."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from muster.warehouse.duckdb.warehouse import DuckDBWarehouse
from tests.integration.processes import kill, started
from tests.integration.warehouse.appending_child import BATCHES, append_all
from tests.spec.customers.told import CATALOG


def _run_and_kill(directory: Path, seconds: float) -> bool:
    """Whether the child was done before it was killed."""
    reading, writing = os.pipe()
    with os.fdopen(reading) as output, os.fdopen(writing, "w") as said, Path(os.devnull).open() as nothing:
        files = (nothing.fileno(), said.fileno(), sys.stderr.fileno())
        child = started(os.environ, [str(directory)], "tests.integration.warehouse.appending_child", files)
        said.close()
        assert output.readline() == "open\n"
        with suppress(subprocess.TimeoutExpired):
            return child.wait(seconds) == 0
        kill(child)
    return False


def _everything(directory: Path):
    with DuckDBWarehouse(directory) as warehouse:
        warehouse.use_catalog(CATALOG)
        people = warehouse.people(range(1, warehouse.highest_key() + 1))
        return people, warehouse.cursors(), warehouse.highest_key()


def test_killed_appends_end_as_if_never_interrupted(tmp_path):
    append_all(tmp_path / "calm")
    chance = random.Random(7)
    kills = 0
    while not _run_and_kill(tmp_path / "killed", chance.uniform(0.1, 2.0)):
        kills += 1
        assert kills < 60
    assert kills > 0
    calm, killed = _everything(tmp_path / "calm"), _everything(tmp_path / "killed")
    assert killed[1] == {"spool": BATCHES}
    assert killed == calm
