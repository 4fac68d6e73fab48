"""Lighthouse's verdict on pages, as a member who is logged in sees them; its browser is Debian's chromium."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import playwright

ROOT = Path(__file__).parents[1]
COMMAND = ROOT / "node_modules" / "lighthouse" / "cli" / "index.js"
# It wants a newer Node than distributions have; Playwright brings one.
NODE = Path(playwright.__file__).parent / "driver" / "node"
CHROMIUM = "/usr/bin/chromium"
# It asks itself to be run again where the browser has lost the beginning of its trace (NO_NAVSTART).
ATTEMPTS = 3
DESKTOP, MOBILE = "desktop", "mobile"
# Least scores in percent.
PERFORMANCE = {MOBILE: 95, DESKTOP: 98}
PERFORMANCE_WITH_CHART = 90


def bench_lighthouse(address: str, session: str, report: Callable[..., None]) -> None:
    """Scores: the limit over the measured one, so that smaller is better as everywhere. Gates are 100."""
    pages = {"groups": "/groups/", "segment": _segment(), "builder": "/groups/new/segment/", "login": "/login"}
    for name, path in pages.items():
        for form in (MOBILE, DESKTOP):
            found = _run(address + path, "" if name == "login" else session, form)
            least = PERFORMANCE_WITH_CHART if (name, form) == ("segment", MOBILE) else PERFORMANCE[form]
            for category, limit in (("performance", least), ("accessibility", 100), ("best-practices", 100)):
                score = round(100 * (found["categories"][category]["score"] or 0.001))
                report(f"lighthouse-{name}-{form}-{category}", limit / score, 1.0, f"{score} of at least {limit}")
            shift = found["audits"]["cumulative-layout-shift"]["numericValue"]
            report(f"lighthouse-{name}-{form}-shift", shift, 0.0, _shifted(found) or "layout shift")
            if failed := _failed(found):
                print(f"  {name}, {form}: {failed}", flush=True)


def _segment() -> str:
    from muster.groups.models import Group

    return f"/groups/{Group.objects.filter(kind='segment').order_by('-size').values_list('key', flat=True)[0]}/"


def _run(address: str, session: str, form: str) -> dict[str, Any]:
    options = [
        "--quiet",
        "--output=json",
        "--no-enable-error-reporting",
        "--only-categories=performance,accessibility,best-practices",
        "--chrome-flags=--headless=new --no-sandbox --disable-gpu",
        *(["--preset=desktop"] if form == DESKTOP else []),
        *(["--extra-headers=" + json.dumps({"Cookie": f"sessionid={session}"})] if session else []),
    ]
    for _ in range(ATTEMPTS):
        ended = subprocess.run(
            [str(NODE), str(COMMAND), address, *options],
            env={**os.environ, "CHROME_PATH": CHROMIUM},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        if not ended.returncode:
            break
    else:
        raise SystemExit(f"Lighthouse ended with {ended.returncode}: {ended.stderr[-1500:]}")
    found: dict[str, Any] = json.loads(ended.stdout)
    if found["finalDisplayedUrl"] != address:
        raise SystemExit(f"{address} led to {found['finalDisplayedUrl']}")
    return found


def _failed(found: dict[str, Any]) -> str:
    """What of accessibility and best practices was not right, by Lighthouse's names."""
    named = (
        one["id"]
        for category in ("accessibility", "best-practices")
        for one in found["categories"][category]["auditRefs"]
        if one["weight"]
    )
    return ", ".join(name for name in named if found["audits"][name]["score"] not in (None, 1))


def _shifted(found: dict[str, Any]) -> str:
    """What moved while the page was laid out."""
    moved = (found["audits"].get("layout-shifts", {}).get("details") or {}).get("items", [])
    return ", ".join(one["node"]["selector"] for one in moved if one.get("node"))
