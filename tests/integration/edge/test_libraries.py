"""Unmodified tracking libraries, as their users call them, against a whole installation (edge spec, section 12)."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.edge.served import Served, served
from tests.integration.processes import wait_until

# Unmodified, with requirements of their own: `make .libraries/.complete` installs them.
_PYTHON = Path(__file__).parents[3] / ".libraries/bin/python"
_SEGMENT = """
import sys
import segment.analytics as analytics
analytics.write_key, analytics.host = sys.argv[1:3]
"""
_RUDDERSTACK = """
import sys
import rudderstack.analytics as analytics
analytics.write_key, analytics.dataPlaneUrl = sys.argv[1:3]
"""
_CALLS = """
from datetime import datetime, timezone
user = sys.argv[3]
analytics.on_error = lambda error, items: sys.exit(f"{error}")
analytics.track(user, "Order Completed", {"order_id": f"o-{user}", "revenue": 14.99, "currency": "EUR"},
    timestamp=datetime(2026, 3, 1, tzinfo=timezone.utc))
analytics.identify(user, {"email": f"{user}@example.com", "birthday": "1990-01-01", "plan": "pro"})
analytics.page(user, "Docs", "Home", {"url": "https://example.com/"})
analytics.screen(user, "Main")
analytics.group(user, "g1", {"seats": 5})
analytics.alias(f"visitor-{user}", user)
analytics.flush()
analytics.shutdown()
"""


@pytest.fixture(scope="module")
def installation(module_environment: dict[str, str]) -> Iterator[Served]:
    with served(module_environment) as running:
        running.living.post("/apps", {"key": "notes"}, 201)
        yield running


@pytest.mark.parametrize(("user", "library"), [("seg", _SEGMENT), ("rud", _RUDDERSTACK)])
@pytest.mark.parametrize("packed", [False, True])
def test_library_of_python_is_understood(
    installation: Served, tmp_path: Path, user: str, library: str, packed: bool
) -> None:
    """Six calls and a flush; then the profile says what they meant."""
    name = f"{user}{packed:d}"
    program = tmp_path / "program.py"
    program.write_text(f"{library}analytics.gzip = {packed}\n{_CALLS}", encoding="utf-8")
    address = str(installation.edge.base_url).rstrip("/")
    ended = subprocess.run(
        [str(_PYTHON), str(program), installation.key(), address, name],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    wait_until(lambda: _shown(installation, name).get("attributes", {}).get("account_id") == "g1")
    shown = _shown(installation, name)
    attributes = shown["attributes"]
    assert (attributes["plan"], attributes["purchase_count"], attributes["first_purchase_at"]) == (
        "pro",
        1,
        "2026-03-01T00:00:00Z",
    )
    # A server's word verifies an address (C-10).
    assert [(one["address"], one["verified"]) for one in shown["emails"]] == [(f"{name}@example.com", True)]
    assert (shown["birthday"], shown["anonymous_ids"]) == ("1990-01-01", [{"app": "notes", "id": f"visitor-{name}"}])


def _shown(installation: Served, user: str) -> dict:
    answer = installation.living.local.get(f"/customers/external:{user}")
    return dict(answer.json()) if answer.status_code == 200 else {}
