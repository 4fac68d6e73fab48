"""Webhooks over REST: who may have what sent where, and what was sent. Alice owns, Bob looks, a token may a part."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client

from muster.audit.queries import newest_deeds
from muster.kernel.clock import clock_of, system_clock
from muster.team.actions.tokens import create_token
from muster.team.models import Member
from muster.team.policies import LOCAL, member_principal
from muster.webhooks.models import Delivery, Webhook
from tests.integration.groups.rows import stored_group
from tests.integration.webhooks.rows import JOINED, answered, happened, note, stored_webhook

pytestmark = pytest.mark.django_db

_URL = "https://crm.example.com/hook"


def _post(client: Client, path: str, document: Any = None, **headers: str) -> Any:
    return client.post(f"/api/v1{path}", document or {}, content_type="application/json", headers=headers)


def _patch(client: Client, path: str, document: Any, revision: int) -> Any:
    headers = {"If-Match": f'"{revision}"'}
    return client.patch(f"/api/v1{path}", document, content_type="application/json", headers=headers)


def _with_scopes(*scopes: str) -> Client:
    _, secret = create_token(LOCAL, "ci", list(scopes))
    return Client(headers={"Authorization": f"Bearer {secret}"})


def test_webhook_is_made_with_a_secret_that_is_shown_once(as_local: Client) -> None:
    stored_group(1, system_clock())
    wanted = {"url": "https://CRM.example.com", "events": [JOINED, JOINED], "subjects": ["g01"], "description": " CRM "}
    made = _post(as_local, "/webhooks", wanted, **{"Idempotency-Key": "once"})
    assert made.status_code == 201
    document = made.json()
    secret = document.pop("secret")
    assert (secret[:6], len(secret)) == ("whsec_", 50)
    assert {name: document[name] for name in ("url", "events", "subjects", "description", "active", "revision")} == {
        "url": "https://crm.example.com/",
        "events": [JOINED],
        "subjects": ["grp_01"],
        "description": "CRM",
        "active": True,
        "revision": 1,
    }
    assert as_local.get(f"/api/v1/webhooks/{document['id']}").json() == document
    assert as_local.get("/api/v1/webhooks").json() == {"items": [document], "next_cursor": None}
    again = _post(as_local, "/webhooks", wanted, **{"Idempotency-Key": "once"})
    assert (again.json()["code"], Webhook.objects.count()) == ("idempotency_secret_shown", 1)
    row = Webhook.objects.get()
    assert secret not in " ".join(str(value) for value in vars(row).values())
    [deed] = newest_deeds(1)
    assert (deed.action, deed.thing_id, secret in str(deed.details)) == ("webhook.created", row.id, False)


@pytest.mark.parametrize(
    ("changes", "code", "pointer"),
    [
        ({"url": "http://crm.example.com/"}, "webhook_address_refused", "/url"),
        ({"url": ""}, "webhook_address_refused", "/url"),
        ({"events": []}, "value_not_allowed", "/events"),
        ({"events": [JOINED, "group.eaten"]}, "value_not_allowed", "/events/1"),
        ({"subjects": ["g01", "nobody"]}, "value_not_allowed", "/subjects/1"),
        ({"description": "x" * 201}, "value_not_allowed", "/description"),
        ({"description": "two\nlines"}, "value_not_allowed", "/description"),
        ({"secret": "mine"}, "field_unknown", "/secret"),
    ],
)
def test_webhook_that_cannot_be_made_says_why(as_local: Client, changes: Any, code: str, pointer: str) -> None:
    stored_group(1, system_clock())
    refused = _post(as_local, "/webhooks", {"url": _URL, "events": [JOINED], **changes})
    assert refused.status_code == 422
    assert [(error["code"], error["pointer"]) for error in refused.json()["errors"]] == [(code, pointer)]


def test_there_are_fifty_webhooks_at_most(as_local: Client) -> None:
    for _ in range(50):
        stored_webhook()
    refused = _post(as_local, "/webhooks", {"url": _URL, "events": [JOINED]})
    assert (refused.status_code, refused.json()["code"]) == (409, "webhook_limit")


def test_whoever_has_members_told_must_be_able_to_list_them(alice: Member) -> None:
    """Nobody hands on what they have not."""
    writes = _with_scopes("webhooks:read", "webhooks:write")
    refused = _post(writes, "/webhooks", {"url": _URL, "events": [JOINED]})
    assert (refused.status_code, refused.json()["scope"]) == (403, "members:read")
    both = _with_scopes("webhooks:read", "webhooks:write", "members:read")
    made = _post(both, "/webhooks", {"url": _URL, "events": [JOINED]}).json()
    path = f"/webhooks/{made['id']}"
    assert _patch(writes, path, {"url": "https://elsewhere.example/"}, 1).status_code == 403
    # To end it is always allowed; to begin it again is not.
    assert _patch(writes, path, {"active": False}, 1).status_code == 200
    assert _patch(writes, path, {"active": True}, 2).status_code == 403


def test_bodies_are_read_by_whoever_may_list_members(alice: Member) -> None:
    webhook = stored_webhook()
    [row] = happened("cus_1")
    path = f"/api/v1/webhooks/{webhook.id}/deliveries/{row.id}"
    assert _with_scopes("webhooks:read").get(path).json()["body"] == ""
    assert _with_scopes("webhooks:read", "members:read").get(path).json()["body"] == row.body


def test_viewer_reads_nothing_and_changes_nothing(as_bob: Client) -> None:
    webhook = stored_webhook()
    [row] = happened()
    path = f"/api/v1/webhooks/{webhook.id}"
    for address in (
        "/api/v1/webhooks",
        path,
        f"{path}/deliveries",
        f"{path}/deliveries/{row.id}",
        "/api/v1/webhooks/events",
    ):
        answer = as_bob.get(address)
        assert (answer.status_code, answer.json()["scope"]) == (403, "webhooks:read")


def test_token_that_may_only_read_changes_nothing(alice: Member) -> None:
    webhook = stored_webhook()
    [row] = happened()
    reads = _with_scopes("webhooks:read")
    path = f"/webhooks/{webhook.id}"
    answers = [
        _post(reads, "/webhooks", {"url": _URL, "events": [JOINED]}),
        _patch(reads, path, {"active": False}, 1),
        reads.delete(f"/api/v1{path}"),
        _post(reads, f"{path}/rotate"),
        _post(reads, f"{path}/test"),
        _post(reads, f"{path}/replay", {"since": "2020-01-01T00:00:00Z"}),
        _post(reads, f"{path}/deliveries/{row.id}/replay"),
    ]
    assert [(answer.status_code, answer.json()["scope"]) for answer in answers] == [(403, "webhooks:write")] * 7


def test_edit_compares_the_revision(as_local: Client) -> None:
    webhook = stored_webhook()
    path = f"/webhooks/{webhook.id}"
    assert _patch(as_local, path, {"description": "first"}, 1).json()["revision"] == 2
    late = _patch(as_local, path, {"description": "second"}, 1)
    assert (late.status_code, late.json()["code"]) == (409, "revision_conflict")
    assert as_local.patch(f"/api/v1{path}", {}, content_type="application/json").status_code == 428


def test_group_that_was_chosen_stays_chosen_when_it_is_gone(as_local: Client) -> None:
    """Nothing chosen would mean all of them."""
    group = stored_group(1, system_clock())
    webhook = stored_webhook(subjects=["g01"])
    group.delete()
    changed = _patch(as_local, f"/webhooks/{webhook.id}", {"subjects": ["grp_01"], "description": "x"}, 1)
    assert changed.json()["subjects"] == ["grp_01"]


def test_what_is_not_there_is_not_found(as_local: Client) -> None:
    webhook = stored_webhook()
    answers = [
        as_local.get("/api/v1/webhooks/whk_none"),
        as_local.get("/api/v1/webhooks/whk_none/deliveries"),
        as_local.get(f"/api/v1/webhooks/{webhook.id}/deliveries/whd_none"),
        as_local.get(f"/api/v1/webhooks/{webhook.id}/deliveries/whd_none/attempts"),
        _post(as_local, "/webhooks/whk_none/test"),
        _post(as_local, f"/webhooks/{webhook.id}/deliveries/whd_none/replay"),
        as_local.delete("/api/v1/webhooks/whk_none"),
    ]
    unknown, delivery = (404, "webhook_unknown"), (404, "delivery_unknown")
    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [
        unknown,
        unknown,
        delivery,
        delivery,
        unknown,
        delivery,
        unknown,
    ]


def test_deliveries_are_listed_page_by_page(as_local: Client) -> None:
    webhook = stored_webhook()
    rows = happened(times=5)
    note(answered(500), rows[0])
    note(answered(200), *rows[1:3])
    path = f"/api/v1/webhooks/{webhook.id}/deliveries"
    first = as_local.get(path, {"limit": 3}).json()
    second = as_local.get(path, {"limit": 3, "cursor": first["next_cursor"]}).json()
    listed = [one["id"] for page in (first, second) for one in page["items"]]
    assert (listed, second["next_cursor"]) == ([row.id for row in reversed(rows)], None)
    assert [one["id"] for one in as_local.get(path, {"state": "failed"}).json()["items"]] == [rows[0].id]
    assert as_local.get(path, {"state": "eaten"}).status_code == 422
    assert as_local.get(path, {"cursor": "WzFd"}).json()["code"] == "cursor_invalid"


def test_attempts_are_listed_page_by_page(as_local: Client) -> None:
    webhook = stored_webhook()
    [row] = happened()
    for status in (500, 502, 503):
        note(answered(status, answer=f"no {status}"), row)
    path = f"/api/v1/webhooks/{webhook.id}/deliveries/{row.id}/attempts"
    first = as_local.get(path, {"limit": 2}).json()
    second = as_local.get(path, {"limit": 2, "cursor": first["next_cursor"]}).json()
    assert [one["answer"] for page in (first, second) for one in page["items"]] == ["no 503", "no 502", "no 500"]
    assert as_local.get(path, {"cursor": "InRleHQi"}).json()["code"] == "cursor_invalid"


def test_replay_sends_under_the_same_id_and_counts_anew(as_local: Client) -> None:
    webhook = stored_webhook()
    [row] = happened()
    note(answered(500), row)
    path = f"/webhooks/{webhook.id}"
    again = _post(as_local, f"{path}/deliveries/{row.id}/replay")
    assert (again.status_code, again.json()["id"], again.json()["state"], again.json()["tries"]) == (
        202,
        row.id,
        "waiting",
        0,
    )
    note(answered(200), row)
    assert _post(as_local, f"{path}/deliveries/{row.id}/replay").json()["state"] == "waiting"


def test_replay_of_what_failed_since_an_instant(as_local: Client) -> None:
    webhook = stored_webhook()
    then = system_clock() - timedelta(days=2)
    with clock_of(lambda: then):
        [old] = happened()
        note(answered(410), old)
    Webhook.objects.update(active=True, disabled="")
    failed, sent = happened(times=2)
    note(answered(500), failed)
    note(answered(200), sent)
    since = (then + timedelta(days=1)).isoformat()
    assert _post(as_local, f"/webhooks/{webhook.id}/replay", {"since": since}).json() == {"deliveries": 1}
    states = dict(Delivery.objects.values_list("pk", "state"))
    assert states == {old.id: "given_up", failed.id: "waiting", sent.id: "sent"}
    # Without an offset it is UTC.
    told = _post(as_local, f"/webhooks/{webhook.id}/replay", {"since": "2020-01-01T00:00:00"})
    assert told.json() == {"deliveries": 1}


def test_nothing_is_sent_by_a_webhook_that_is_off(as_local: Client) -> None:
    webhook = stored_webhook()
    [row] = happened()
    path = f"/webhooks/{webhook.id}"
    _patch(as_local, path, {"active": False}, 1)
    row.refresh_from_db()
    assert (row.state, row.reason, row.next_at, happened()) == ("given_up", "disabled", None, [])
    for address in (f"{path}/test", f"{path}/deliveries/{row.id}/replay"):
        assert _post(as_local, address).json()["code"] == "webhook_inactive"
    assert _post(as_local, f"{path}/replay", {"since": "2020-01-01T00:00:00Z"}).json()["code"] == "webhook_inactive"
    assert _patch(as_local, path, {"active": True}, 2).json()["active"] is True
    assert _post(as_local, f"{path}/replay", {"since": "2020-01-01T00:00:00Z"}).json() == {"deliveries": 1}


def test_deleted_webhook_takes_its_deliveries_along(as_local: Client) -> None:
    webhook = stored_webhook()
    [row] = happened()
    note(answered(500), row)
    assert as_local.delete(f"/api/v1/webhooks/{webhook.id}").status_code == 204
    assert (Webhook.objects.count(), Delivery.objects.count()) == (0, 0)
    # What was under way is answered to nobody.
    note(answered(200), row)


def test_everything_that_is_done_is_in_the_trail(alice: Member, as_local: Client) -> None:
    webhook = stored_webhook()
    [row] = happened()
    path = f"/webhooks/{webhook.id}"
    _post(as_local, f"{path}/test")
    _patch(as_local, path, {"description": "x"}, 1)
    _post(as_local, f"{path}/rotate")
    _post(as_local, f"{path}/deliveries/{row.id}/replay")
    as_local.delete(f"/api/v1{path}")
    assert member_principal(alice)
    assert [deed.action for deed in newest_deeds(6)] == [
        "webhook.deleted",
        "webhook.replayed",
        "webhook.rotated",
        "webhook.edited",
        "webhook.tested",
        "webhook.created",
    ]


def test_events_say_what_they_want(as_local: Client) -> None:
    assert as_local.get("/api/v1/webhooks/events").json()["items"] == [
        {"key": "group.member_joined", "label": "Customers joined a group", "scope": "members:read"},
        {"key": "group.member_left", "label": "Customers left a group", "scope": "members:read"},
        {"key": "group.archived", "label": "A group was archived", "scope": "groups:read"},
        {"key": "group.restored", "label": "A group was restored", "scope": "groups:read"},
        {"key": "group.deleted", "label": "A group was deleted", "scope": "groups:read"},
    ]
