"""Jobs outlive the process that runs them (architecture.md, Jobs)."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from tests.integration.processes import kill, line_count, muster, started, wait_until

_PROCESS = "tests.integration.web.job_process"


def _run(environment: dict[str, str], *arguments: str) -> tuple[int, Any]:
    ended = muster(environment, *arguments, command=_PROCESS)
    return ended.returncode, json.loads(ended.stdout) if ended.returncode == 0 else None


def test_job_of_a_killed_process_is_finished_by_the_next_one(environment: dict[str, str], home: Path) -> None:
    with Path(os.devnull).open("r+") as nothing:
        files = (nothing.fileno(), nothing.fileno(), 2)
        process = started(environment, ["start", "test.count"], _PROCESS, files)
    wait_until(lambda: line_count(home / "lines") >= 10)
    kill(process)
    assert line_count(home / "lines") < 40

    code, jobs = _run(environment, "run")

    assert (code, jobs) == (0, [["test.count", "done", 2, 40, {"steps": 40}, None]])
    # Nothing lost, nothing done twice.
    assert (home / "lines").read_text().split() == [str(step) for step in range(40)]


def test_job_that_kills_its_process_is_set_aside_after_three_tries(environment: dict[str, str]) -> None:
    assert _run(environment, "start", "test.kill") == (-9, None)
    assert _run(environment, "run") == (-9, None)
    assert _run(environment, "run") == (-9, None)

    code, jobs = _run(environment, "run")

    sentence = "Muster ended 3 times while this job ran."
    assert (code, jobs) == (0, [["test.kill", "failed", 3, 0, None, ["job_kills_process", sentence]]])
