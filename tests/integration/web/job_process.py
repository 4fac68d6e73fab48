"""A process with two jobs for tests: `start <kind>` starts one and runs it, `run` runs whatever was left behind."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import django

STEPS = 40


def main() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "muster.wiring.settings"
    django.setup()
    from muster.web.actions import start_job
    from muster.web.hooks import RunningJob, register_job
    from muster.web.queries import jobs_page
    from muster.wiring.configuration import read_configuration
    from muster.wiring.installation import open_installation

    def count(job: RunningJob) -> dict[str, Any]:
        """Writes one line a step and goes on behind the last one."""
        file = Path(job.parameters["file"])
        done = len(file.read_text().splitlines()) if file.exists() else 0
        for step in range(done, STEPS):
            job.check()
            with file.open("a") as lines:
                lines.write(f"{step}\n")
            job.progress(step + 1, STEPS)
            time.sleep(0.02)
        return {"steps": STEPS}

    def kill(job: RunningJob) -> dict[str, Any]:
        os.kill(os.getpid(), signal.SIGKILL)
        return {}

    register_job("test.count", count, unit="steps")
    register_job("test.kill", kill)
    mode, *rest = sys.argv[1:]
    configuration = read_configuration()
    with open_installation(configuration, takes_all_jobs=mode == "run") as installation:
        if mode == "start":
            start_job(rest[0], {"file": str(configuration.home / "lines")})
        installation.jobs.drain()
        shown = [
            (job.kind, job.state, job.attempts, job.done, job.result, job.error)
            for job in jobs_page(None, None, 9)
            # Beside these a server does its daily ones.
            if job.kind.startswith("test.")
        ]
    sys.stdout.write(json.dumps(shown))


if __name__ == "__main__":
    main()
