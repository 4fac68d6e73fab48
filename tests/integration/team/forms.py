"""Pages and their forms, as tests of the team send them: with the token of the page, as browsers do."""

from __future__ import annotations

import re
from typing import Any

from django.test import Client

_TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')


def send(client: Client, address: str, fields: dict[str, Any], *, seen: str = "", **headers: str) -> Any:
    """POSTs to an address what the form of a page (`seen`, else the address itself) would send."""
    page = client.get(seen or address)
    # Any form of the page holds it.
    token = _TOKEN.findall(page.content.decode())[0]
    return client.post(address, {**fields, "csrfmiddlewaretoken": token}, headers=headers or None)


def text_of(answer: Any) -> str:
    text: str = answer.content.decode()
    return text
