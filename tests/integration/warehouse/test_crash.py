"""C-32: a crash anywhere repeats and skips nothing."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

from muster.warehouse.duckdb.warehouse import DuckDBWarehouse
from tests.integration.warehouse.appending_child import BATCHES, append_all
from tests.spec.customers.told import CATALOG

ROOT = Path(__file__).parents[3]


def _run_and_kill(directory: Path, seconds: float) -> bool:
    """Whether the child was done before it was killed."""
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.integration.warehouse.appending_child", str(directory)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)])},
        stdout=subprocess.PIPE,
    )
    with child:
        assert child.stdout is not None
        child.stdout.readline()
        deadline = time.monotonic() + seconds
        while child.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)
        done = child.poll() == 0
        if child.poll() is None:
            os.kill(child.pid, signal.SIGKILL)
    return done


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
