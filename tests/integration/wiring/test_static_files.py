"""Static files of a real server, without any step before: names by content, kept for ever, compressed."""

from __future__ import annotations

import re
from pathlib import Path

import httpx
import pytest
from django.test import Client

from tests.conftest import environment_of
from tests.integration.processes import serving

_ASSET = re.compile(r'(?:href|src)="(/static/[^"#]+)')
FOREVER = "max-age=315360000, public, immutable"


def _assets(address: str) -> set[str]:
    return set(_ASSET.findall(httpx.get(f"{address}/setup").text))


def _plain(asset: str) -> str:
    return re.sub(r"\.[0-9a-f]{12}\.", ".", asset)


def test_server_names_files_by_content_and_compressed_them_beforehand(environment: dict[str, str]) -> None:
    """D-7"""
    with serving(environment) as server, httpx.Client(base_url=server.address) as browser:
        assets = _assets(server.address)
        assert {"/static/muster.css", "/static/vendor/htmx.js"} <= {_plain(asset) for asset in assets}
        for asset in assets:
            plain = browser.get(asset, headers={"Accept-Encoding": "identity"})
            assert (plain.status_code, plain.headers["Cache-Control"]) == (200, FOREVER)
            assert plain.headers["X-Content-Type-Options"] == "nosniff"
            assert plain.headers["Content-Security-Policy"].startswith("default-src 'none'")
            # Tiny files do not gain by it.
            for encoding in ("br", "gzip") if len(plain.content) > 1000 else ():
                packed = browser.get(asset, headers={"Accept-Encoding": encoding})
                assert (packed.headers["Content-Encoding"], packed.content) == (encoding, plain.content)
                assert int(packed.headers["Content-Length"]) < len(plain.content)
        assert {browser.get(_plain(asset)).status_code for asset in assets} == {404}


def test_server_collects_anew_only_what_has_changed(environment: dict[str, str], home: Path) -> None:
    stamp = home / "static" / "collected.txt"
    with serving(environment) as server:
        before = _assets(server.address)
    collected = stamp.stat().st_mtime_ns
    left_behind = home / "static" / "old.0123456789ab.css"
    left_behind.write_text("")
    with serving(environment):
        assert (stamp.stat().st_mtime_ns, left_behind.exists()) == (collected, True)
    stamp.write_text("of another Muster")
    with serving(environment) as server:
        assert (_assets(server.address), left_behind.exists()) == (before, False)


def test_server_shows_whoever_changes_files_their_sources(empty_home: Path) -> None:
    with serving({**environment_of(empty_home), "MUSTER_DEBUG": "1"}) as server:
        assets = _assets(server.address)
        assert "/static/muster.css" in assets
        assert {httpx.get(f"{server.address}{asset}").headers["Cache-Control"] for asset in assets} == {
            "max-age=0, public"
        }
    assert not (empty_home / "static").exists()


@pytest.mark.parametrize(("accepted", "encoding"), [("gzip, br", "gzip"), ("identity", None)])
def test_pages_are_compressed_for_who_reads_that(as_alice: Client, accepted: str, encoding: str | None) -> None:
    answer = as_alice.get("/settings/team/", headers={"Accept-Encoding": accepted})
    assert (answer.status_code, answer.headers.get("Content-Encoding")) == (200, encoding)


def test_answers_to_programs_are_left_as_they_are(as_alice: Client) -> None:
    answer = as_alice.get("/api/v1/openapi.json", headers={"Accept-Encoding": "gzip"})
    assert (answer.status_code, answer.headers.get("Content-Encoding")) == (200, None)
