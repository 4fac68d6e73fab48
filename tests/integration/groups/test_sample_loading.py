"""The sample is loaded by a job, from the page after set-up or the command, and a crash only interrupts it (D-15)."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest

from tests.integration.living import Living, living, problem
from tests.integration.pages import Browser
from tests.integration.processes import kill, muster, wait_until

_CHOICES = ("Look around with demo data", "Start empty")
_WHOLE = {"groups": 10, "imports": 7, "apps": 2}


def _loading(installation: Living) -> list[dict[str, Any]]:
    return [job for job in installation.get("/jobs")["items"] if job["kind"] == "groups.load-sample"]


def _after_setup(client: httpx.Client, token: str | None) -> Browser:
    browser = Browser(client)
    browser.set_up(token)
    page = browser.get("/setup/begin/")
    assert page.status_code == 200
    assert [choice for choice in _CHOICES if f">{choice}</button>" in page.text] == list(_CHOICES)
    return browser


@pytest.mark.scale
def test_demo_data_is_chosen_after_setup_and_survives_a_crash(environment: dict[str, str]) -> None:
    with living(environment) as first, httpx.Client(base_url=first.server.address, timeout=60) as client:
        browser = _after_setup(client, first.server.setup_token)
        chosen = browser.post("/setup/begin/", {"do": "demo"})
        assert (chosen.status_code, chosen.headers["Location"]) == (302, "/")
        wait_until(lambda: any(len(one["text"]) > 0 and one["done"] >= 4 for one in _loading(first)))
        page = browser.get("/").text
        assert (
            "Loading the demo data" in page,
            re.search(r'<progress value="\d+" max="17"', page) is not None,
            'hx-trigger="every 2s, retry"' in page,
        ) == (True, True, True)
        # Where it is chosen again, it goes on.
        assert browser.get("/setup/begin/").headers["Location"] == "/"
        assert "is being loaded" in browser.get("/settings/demo/").text
        refused = first.local.post("/demo/remove", json={"confirm": "AdventureWorks"})
        assert problem(refused) == (422, "state_not_allowed")
        kill(first.server.process)
        first.server.process.returncode = 0
    with living(environment) as second:
        [job] = _loading(second)
        assert second.finish(job["id"])["result"] == _WHOLE
        second.settle()
        assert second.post("/demo/load", {}) == {"job": None}
        found = second.get("/demo")
        assert {kind: len(found[kind]) for kind in _WHOLE} == _WHOLE
        files = [one["file_name"] for one in second.get("/imports")["items"]]
        assert (len(files), len(set(files))) == (7, 7)
        assert [second.get(f"/groups/{key}")["size"] for key in ("beta-testers", "staff")] == [240, 36]
        told = muster(environment, "demo", "load")
        assert (told.returncode, len(told.stdout.splitlines())) == (0, 10)


def test_whoever_starts_empty_is_led_from_the_overview(environment: dict[str, str]) -> None:
    with living(environment) as empty, httpx.Client(base_url=empty.server.address, timeout=60) as client:
        browser = _after_setup(client, empty.server.setup_token)
        chosen = browser.post("/setup/begin/", {"do": "empty"})
        assert (chosen.status_code, chosen.headers["Location"], _loading(empty)) == (302, "/", [])
        assert "First steps" in browser.get("/").text
        assert ">Load the demo data</button>" in browser.get("/settings/demo/").text


def test_sample_is_refused_where_an_app_has_its_key(environment: dict[str, str]) -> None:
    with living(environment) as town, httpx.Client(base_url=town.server.address, timeout=60) as client:
        browser = Browser(client)
        browser.set_up(town.server.setup_token)
        town.post("/apps", {"key": "adventure-rides", "name": {"en": "Mine"}}, 201)
        assert problem(town.local.post("/demo/load", json={})) == (409, "key_taken")
        reason = "The demo data has an app `adventure-rides`, and so have you."
        for address in ("/setup/begin/", "/settings/demo/"):
            page = browser.get(address).text
            assert (reason in page, 'aria-describedby="no-load"' in page) == (True, True)
        assert browser.post("/setup/begin/", {"do": "demo"}).status_code == 422


def test_loading_wants_every_scope(environment: dict[str, str]) -> None:
    with living(environment) as town:
        scarce = town.with_scopes("groups:read", "groups:write", "catalog:write")
        assert problem(scarce.post("/demo/load", json={})) == (403, "scope_missing")
