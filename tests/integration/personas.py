"""People in front of pages: the owner, a team member who may only look, and a store that is open in this process."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from django.test import Client

from muster.customers.hooks import provide_ledger, provide_warehouse
from muster.warehouse.duckdb.warehouse import DuckDBWarehouse
from muster.warehouse.ledger import ErasureLedger
from tests.integration.living import Living
from tests.integration.pages import Browser
from tests.integration.processes import muster

_PASSWORD = "correct horse battery"
_TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')


@contextmanager
def owner_of(living: Living) -> Iterator[Browser]:
    with httpx.Client(base_url=living.server.address, timeout=60) as client:
        browser = Browser(client)
        browser.set_up(living.server.setup_token)
        yield browser


@contextmanager
def viewer_of(living: Living) -> Iterator[Browser]:
    """After the owner has set the installation up."""
    made = muster(living.environment, "bob@example.com", _PASSWORD, command="tests.integration.viewer_process")
    assert made.returncode == 0, made.stderr
    with httpx.Client(base_url=living.server.address, timeout=60) as client:
        token = _TOKEN.findall(client.get("/login").text)[0]
        sent = {"email": "bob@example.com", "password": _PASSWORD, "csrfmiddlewaretoken": token}
        done = client.post("/login", data=sent, headers={"Referer": living.server.address})
        assert done.status_code == 302, done.text
        browser = Browser(client)
        browser._token = _TOKEN.findall(client.get("/").text)[0]
        yield browser


@contextmanager
def open_store(directory: Path) -> Iterator[DuckDBWarehouse]:
    """An empty warehouse that the pages of this process read and write."""
    (directory / "warehouse").mkdir()
    with DuckDBWarehouse(directory / "warehouse") as warehouse:
        provide_warehouse(warehouse)
        provide_ledger(ErasureLedger(directory / "ledger", "key"))
        try:
            yield warehouse
        finally:
            provide_warehouse(None)
            provide_ledger(None)


class Sender:
    """Sends forms of pages in this process with the token a page gave."""

    def __init__(self, client: Client, page: str) -> None:
        self._client = client
        self._token = _TOKEN.findall(client.get(page).content.decode())[0]

    def post(self, address: str, fields: Mapping[str, Any]) -> Any:
        return self._client.post(address, {**fields, "csrfmiddlewaretoken": self._token})
