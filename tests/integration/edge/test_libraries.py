"""Unmodified tracking libraries, as their users call them, against a whole installation (edge spec, section 12)."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.edge.served import Served, served
from tests.integration.edge.swallowing import PASS, SWALLOW, misbehaving
from tests.integration.processes import wait_until

# Unmodified, with requirements of their own: `make .libraries/.complete` installs them.
_ROOT = Path(__file__).parents[3]
_PYTHON = _ROOT / ".libraries/bin/python"
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


# The same in JavaScript, which counts months from 0. RudderStack's has no promise for the end: it flushes when told to.
_SEGMENT_NODE = """
const { Analytics } = require('@segment/analytics-node')
const [key, host, user] = process.argv.slice(1)
const analytics = new Analytics({ writeKey: key, host, maxRetries: 10, flushInterval: 100 })
analytics.on('error', (error) => { console.error(error); process.exit(1) })
const userId = user, anonymousId = `visitor-${user}`
analytics.track({ userId, event: 'Order Completed', timestamp: new Date(Date.UTC(2026, 2, 1)),
  properties: { order_id: `o-${user}`, revenue: 14.99, currency: 'EUR' } })
analytics.identify({ userId, traits: { email: `${user}@example.com`, birthday: '1990-01-01', plan: 'pro' } })
analytics.page({ userId, category: 'Docs', name: 'Home', properties: { url: 'https://example.com/' } })
analytics.screen({ userId, name: 'Main' })
analytics.group({ userId, groupId: 'g1', traits: { seats: 5 } })
analytics.alias({ userId, previousId: anonymousId })
analytics.closeAndFlush({ timeout: 60000 }).then(() => process.exit(0))
"""
_RUDDERSTACK_NODE = """
const RudderAnalytics = require('@rudderstack/rudder-sdk-node')
const [key, host, user] = process.argv.slice(1)
const analytics = new RudderAnalytics(key, { dataPlaneUrl: host, flushAt: 20, maxInternalQueueSize: 20000 })
const userId = user, anonymousId = `visitor-${user}`
analytics.track({ userId, event: 'Order Completed', originalTimestamp: new Date(Date.UTC(2026, 2, 1)),
  timestamp: new Date(Date.UTC(2026, 2, 1)), properties: { order_id: `o-${user}`, revenue: 14.99, currency: 'EUR' } })
analytics.identify({ userId, traits: { email: `${user}@example.com`, birthday: '1990-01-01', plan: 'pro' } })
analytics.page({ userId, category: 'Docs', name: 'Home', properties: { url: 'https://example.com/' } })
analytics.screen({ userId, name: 'Main' })
analytics.group({ userId, groupId: 'g1', traits: { seats: 5 } })
analytics.alias({ userId, previousId: anonymousId })
analytics.flush().then(() => process.exit(0), (error) => { console.error(error); process.exit(1) })
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
    _check_known(installation, name)


@pytest.mark.parametrize(("user", "program"), [("sgn", _SEGMENT_NODE), ("rdn", _RUDDERSTACK_NODE)])
def test_library_of_node_is_understood(installation: Served, user: str, program: str) -> None:
    """Six calls and a flush; then the profile says what they meant."""
    address = str(installation.edge.base_url).rstrip("/")
    ended = _node(program, installation.key(), address, user)
    assert (ended.returncode, ended.stderr) == (0, "")
    _check_known(installation, user)


@pytest.mark.parametrize(("user", "program"), [("sgr", _SEGMENT_NODE), ("rdr", _RUDDERSTACK_NODE)])
def test_what_a_library_of_node_sends_again_counts_once(installation: Served, user: str, program: str) -> None:
    """A lost answer, an error of the server, too many requests: it sends the same again, and nothing is missing."""
    with misbehaving(str(installation.edge.base_url), [SWALLOW, "500", "429"]) as proxy:
        ended = _node(program, installation.key(), proxy.address, user)
    # Some say on the way what they try again.
    assert ended.returncode == 0, ended.stderr
    assert proxy.seen[:4] == [SWALLOW, "500", "429", PASS]
    _check_known(installation, user)


@pytest.mark.parametrize(("user", "library"), [("sgp", _SEGMENT), ("rdp", _RUDDERSTACK)])
def test_what_a_library_of_python_sends_again_counts_once(
    installation: Served, tmp_path: Path, user: str, library: str
) -> None:
    program = tmp_path / "program.py"
    program.write_text(f"{library}{_CALLS}", encoding="utf-8")
    with misbehaving(str(installation.edge.base_url), [SWALLOW, "500", "429"]) as proxy:
        ended = subprocess.run(
            [str(_PYTHON), str(program), installation.key(), proxy.address, user],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    # Some say on the way what they try again.
    assert ended.returncode == 0, ended.stderr
    assert proxy.seen[:4] == [SWALLOW, "500", "429", PASS]
    _check_known(installation, user)


def _node(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["node", "-e", program, *arguments],
        cwd=_ROOT,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


def _check_known(installation: Served, name: str) -> None:
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
