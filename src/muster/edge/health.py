"""Whether this process runs, and whether it should be sent requests (E-42)."""

from __future__ import annotations

from muster.edge.answers import Answer, json_answer
from muster.edge.published import Published
from muster.edge.storing import Storing


def alive() -> Answer:
    return json_answer({"status": "ok"})


def ready(published: Published, storing: Storing, *, stopping: bool) -> Answer:
    """503 with each check while one of them fails."""
    checks = {"keys": published.is_there, "spool": not storing.is_full, "running": not stopping}
    well = all(checks.values())
    # Without it what happens is still taken: a balancer must not turn that away, too.
    told = {name: "ok" if good else "failed" for name, good in checks.items()}
    told["online"] = "ok" if published.can_decide else "warning"
    return json_answer({"status": "ok" if well else "failed", "checks": told}, 200 if well else 503)
