"""A browser without scripts, as far as pages need one: it keeps cookies and sends the token of the form it saw."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import httpx

_OWNER = {
    "email": "alice@example.com",
    "password": "correct horse battery",
    "organisation": "Example",
    "language": "en",
    "time_zone": "UTC",
    "currency": "EUR",
}
_TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')


class Browser:
    """Redirects are not followed: tests look at them."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client
        self._token = ""

    def set_up(self, token: str | None) -> None:
        """The owner, through the one-time link."""
        assert token is not None
        self._token = _TOKEN.findall(self._client.get("/setup", params={"token": token}).text)[0]
        done = self.post("/setup", {**_OWNER, "token": token})
        assert done.status_code == 302, done.text
        # Logging in changes the token.
        self._token = _TOKEN.findall(self.get("/").text)[0]

    def log_in(self, email: str, password: str) -> None:
        self._token = _TOKEN.findall(self.get("/login").text)[0]
        done = self.post("/login", {"email": email, "password": password})
        assert done.status_code == 302, done.text
        self._token = _TOKEN.findall(self.get("/").text)[0]

    def get(
        self, address: str, *, params: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
    ) -> httpx.Response:
        return self._client.get(address, params=params, headers=headers)

    def post(
        self, address: str, fields: Mapping[str, str], files: Any = None, headers: Mapping[str, str] | None = None
    ) -> httpx.Response:
        sent = {**fields, "csrfmiddlewaretoken": self._token}
        told = {"Referer": str(self._client.base_url), **(headers or {})}
        return self._client.post(address, data=sent, files=files, headers=told)

    @property
    def token(self) -> str:
        return self._token

    def raw(self, address: str, body: bytes) -> httpx.Response:
        """A form as bytes, which browsers would not send."""
        told = {"Referer": str(self._client.base_url), "Content-Type": "application/x-www-form-urlencoded"}
        return self._client.post(address, content=body, headers=told)
