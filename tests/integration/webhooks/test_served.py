"""A whole installation that tells real receivers of what happens; nothing is lost when it is killed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from standardwebhooks import Webhook

from tests.integration.living import Document, Living, living
from tests.integration.processes import wait_until
from tests.integration.webhooks.receivers import receiver

_PEOPLE = {"kind": "customers", "columns": {"id": "external_id", "country": "country"}}
_GERMANS = {"version": 1, "app": None, "match": {"attribute": "country", "op": "is", "value": "DE"}}


@pytest.fixture
def opened(environment: dict[str, str]) -> dict[str, str]:
    return {**environment, "MUSTER_WEBHOOK_ALLOW_PRIVATE": "127.0.0.0/8"}


def _made(installation: Living, url: str, **fields: Any) -> Document:
    wanted = {"url": url, "events": ["group.member_joined", "group.member_left"], **fields}
    return installation.post("/webhooks", wanted, 201)


def test_test_event_arrives_signed(opened: dict[str, str]) -> None:
    with receiver() as one, living(opened) as installation:
        made = _made(installation, one.address)
        sent = installation.post(f"/webhooks/{made['id']}/test", status=202)
        wait_until(lambda: one.heard)
        [heard] = one.heard
        body = Webhook(made["secret"]).verify(heard.body, heard.headers)
        assert (heard.id, body["type"], body["data"]) == (sent["id"], "webhook.test", {"webhook": made["id"]})
        address = f"/webhooks/{made['id']}/deliveries/{sent['id']}"
        wait_until(lambda: installation.get(address)["state"] == "sent")
        shown = installation.get(address)
        assert (shown["status"], shown["tries"], json.loads(shown["body"])) == (200, 1, body)
