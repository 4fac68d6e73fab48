"""A whole installation that tells real receivers of what happens; nothing is lost when it is killed."""

from __future__ import annotations

import json
import time

import pytest
from standardwebhooks import Webhook

from tests.integration.living import Document, Living, living
from tests.integration.processes import serving, wait_until
from tests.integration.webhooks.conftest import arrive, customer, fill, killed_later, made, move
from tests.integration.webhooks.receivers import Heard, Receiver, after, hang, receiver, reset, status


def _told(heard: Heard, secret: str) -> tuple[str, Document]:
    """Event and data of a delivery that is signed."""
    body = Webhook(secret).verify(heard.body, heard.headers)
    return body["type"], body["data"]


def _wait_for(one: Receiver, count: int) -> None:
    wait_until(lambda: len(one.heard) >= count)


def _deliveries(town: Living, webhook: Document, **parameters: str) -> list[Document]:
    return list(town.get(f"/webhooks/{webhook['id']}/deliveries", **parameters)["items"])


def test_test_event_arrives_signed(opened: dict[str, str]) -> None:
    """Standard Webhooks 1.0, from end to end."""
    with receiver() as one, living(opened) as town:
        webhook = made(town, one.address)
        sent = town.post(f"/webhooks/{webhook['id']}/test", status=202)
        _wait_for(one, 1)
        [heard] = one.heard
        assert (heard.id, _told(heard, webhook["secret"])) == (sent["id"], ("webhook.test", {"webhook": webhook["id"]}))
        address = f"/webhooks/{webhook['id']}/deliveries/{sent['id']}"
        wait_until(lambda: town.get(address)["state"] == "sent")
        shown = town.get(address)
        assert (shown["status"], shown["tries"], shown["body"]) == (200, 1, heard.body.decode())


def test_receivers_are_told_who_joined_and_left_a_group(opened: dict[str, str]) -> None:
    """G-17"""
    with receiver() as all_of_it, receiver() as joined_only, receiver() as other_group, living(opened) as town:
        everything = made(town, all_of_it.address)
        fill(town)
        _wait_for(all_of_it, 1)
        group = town.get("/groups/north")["id"]
        joins = made(town, joined_only.address, events=["group.member_joined"], subjects=["north"])
        town.post("/groups", {"name": "Others", "key": "others", "kind": "known"}, 201)
        made(town, other_group.address, subjects=["others"])
        assert joins["subjects"] == [group]
        arrive(town, "u31", "u32")
        move(town, "u1,u1@example.com,DE", "u31,u31@example.com,NO", "u32,u32@example.com,NO")
        _wait_for(all_of_it, 3)
        _wait_for(joined_only, 1)

        common = {"group": {"id": group, "key": "north"}, "more": False}
        new = [customer(town, "u31"), customer(town, "u32")]
        first, *both = (_told(heard, everything["secret"]) for heard in all_of_it.heard)
        # They are sent at the same time: whichever arrives first.
        joined, left = sorted(both, key=lambda told: told[0])
        assert (first[0], first[1]["count"], first[1]["cause"], first[1]["sequence"]) == (
            "group.member_joined",
            30,
            "definition",
            1,
        )
        sequence = joined[1].pop("sequence")
        assert joined == ("group.member_joined", {**common, "cause": "data", "count": 2, "customers": new})
        assert (left[1].pop("sequence"), sequence > 1) == (sequence, True)
        assert left == (
            "group.member_left",
            {**common, "cause": "data", "count": 1, "customers": [customer(town, "u1")]},
        )
        # Another delivery of the same event, with an id of its own.
        [same] = joined_only.heard
        assert _told(same, joins["secret"])[1]["customers"] == new
        assert len({*all_of_it.ids, same.id}) == 4
        assert (len(all_of_it.heard), len(joined_only.heard), other_group.heard) == (3, 1, [])


def test_small_group_is_told_without_its_members(opened: dict[str, str]) -> None:
    """G-21"""
    with receiver() as one, living(opened) as town:
        webhook = made(town, one.address)
        fill(town, 24)
        _wait_for(one, 1)
        event, data = _told(one.heard[0], webhook["secret"])
        assert (event, data["small"], data["customers"], "count" in data) == ("group.member_joined", True, [], False)


def test_thousands_are_told_in_parts_and_more_by_their_number(opened: dict[str, str]) -> None:
    """At most 20 KB a body, 1,000 customers; beyond 10,000 the address of the members."""
    with receiver() as one, living(opened) as town:
        webhook = made(town, one.address)
        fill(town, 2_500)
        _wait_for(one, 3)
        told = [_told(heard, webhook["secret"])[1] for heard in one.heard]
        # They are sent at the same time: whichever arrives first.
        assert sorted((len(data["customers"]), data["more"], data["count"]) for data in told) == [
            (500, False, 2_500),
            (1_000, True, 2_500),
            (1_000, True, 2_500),
        ]
        assert len({one for data in told for one in data["customers"]}) == 2_500
        assert max(len(heard.body) for heard in one.heard) < 20_000
        arrive(town, *(f"v{n}" for n in range(10_001)))
        move(town, *(f"v{n},v{n}@example.com,NO" for n in range(10_001)))
        _wait_for(one, 4)
        _, huge = _told(one.heard[3], webhook["secret"])
        assert (huge["count"], huge["customers"], huge["members"]) == (
            10_001,
            [],
            f"/api/v1/groups/{huge['group']['id']}/members",
        )
        assert town.local.get(huge["members"].removeprefix("/api/v1")).status_code == 200


def test_kill_between_event_and_request_loses_nothing(opened: dict[str, str]) -> None:
    """At least once, with the id it had: kill -9 while all requests hang, and while changes are kept back."""
    with receiver(hang) as one:
        with killed_later(opened) as town:
            webhook = made(town, one.address)
            fill(town)
            _wait_for(one, 1)
            for n in range(1, 4):
                move(town, f"u{n},u{n}@example.com,DE")
        before = list(one.ids)
        one.answers[:] = [status(200)]
        heard = len(one.heard)

        def named() -> list[str]:
            told = (_told(again, webhook["secret"])[1] for again in one.heard[heard:])
            return [name for data in told for name in data["customers"]]

        with living(opened) as town:
            # Thirty joined, three left, told once each however they were put together.
            wait_until(lambda: len(named()) >= 33)
            wait_until(lambda: {told["state"] for told in _deliveries(town, webhook)} == {"sent"})
            listed = _deliveries(town, webhook)
        again = one.heard[heard:]
        assert sorted(told.id for told in again) == sorted(told["id"] for told in listed)
        assert set(before) <= {told.id for told in again}
        assert len(named()) == 33


def test_kill_after_the_request_sends_it_again_under_its_id(opened: dict[str, str]) -> None:
    """What was answered and not written down: the receiver knows it by its id."""
    with receiver(after(0.3, status(200))) as one:
        with killed_later(opened) as town:
            webhook = made(town, one.address)
            sent = town.post(f"/webhooks/{webhook['id']}/test", status=202)
            _wait_for(one, 1)
        with living(opened) as town:
            wait_until(lambda: _deliveries(town, webhook)[0]["state"] == "sent")
        assert one.ids == [sent["id"]] * 2
        assert one.heard[0].body == one.heard[1].body


def test_order_to_end_breaks_requests_off_and_sends_them_later(opened: dict[str, str]) -> None:
    with receiver(hang) as one:
        with living(opened) as town:
            webhook = made(town, one.address)
            town.post(f"/webhooks/{webhook['id']}/test", status=202)
            _wait_for(one, 1)
            began = time.monotonic()
        assert time.monotonic() - began < 10
        one.answers[:] = [status(200)]
        with living(opened) as town:
            wait_until(lambda: _deliveries(town, webhook)[0]["state"] == "sent")
        assert len(set(one.ids)) == 1


def test_what_fails_is_tried_again_after_five_seconds(opened: dict[str, str]) -> None:
    with receiver(status(500, "broken"), reset, status(200)) as one, living(opened) as town:
        webhook = made(town, one.address)
        sent = town.post(f"/webhooks/{webhook['id']}/test", status=202)
        _wait_for(one, 2)
        waited = one.heard[1].at - one.heard[0].at
        assert 5 <= waited < 8
        wait_until(lambda: _deliveries(town, webhook)[0]["tries"] == 2)
        [attempt, first] = town.get(f"/webhooks/{webhook['id']}/deliveries/{sent['id']}/attempts")["items"]
        assert (first["status"], first["error"], first["answer"]) == (500, "not_accepted", "broken")
        assert (attempt["status"], attempt["error"]) == (None, "connection_lost")
        [shown] = _deliveries(town, webhook)
        assert (shown["state"], shown["error"]) == ("failed", "connection_lost")
        # Five minutes are too long: somebody sends it again.
        town.post(f"/webhooks/{webhook['id']}/deliveries/{sent['id']}/replay", status=202)
        wait_until(lambda: _deliveries(town, webhook)[0]["state"] == "sent")
        assert set(one.ids) == {sent["id"]}
        assert town.get(f"/webhooks/{webhook['id']}")["failing_since"] is None


def test_gone_switches_off_and_everything_can_be_replayed(opened: dict[str, str]) -> None:
    """410"""
    with receiver(status(410)) as one, living(opened) as town:
        webhook = made(town, one.address)
        address = f"/webhooks/{webhook['id']}"
        town.post(f"{address}/test", status=202)
        wait_until(lambda: not town.get(address)["active"])
        assert town.get(address)["disabled"] == "gone"
        fill(town)
        [shown] = _deliveries(town, webhook)
        assert (shown["state"], shown["reason"], len(one.heard)) == ("given_up", "gone", 1)
        assert town.local.post(f"{address}/test").json()["code"] == "webhook_inactive"
        checks = {check["key"]: check for check in town.get("/doctor")["checks"] if check["state"] == "warning"}
        assert (checks["webhooks"]["place"], "410" in checks["webhooks"]["message"]) == (one.address, True)
        deeds = town.get("/audit", thing_id=webhook["id"])["items"]
        assert [(deed["action"], deed["actor_label"]) for deed in deeds[:1]] == [("webhook.disabled", "Muster")]

        one.answers[:] = [status(200)]
        headers = {"If-Match": f'"{town.get(address)["revision"]}"'}
        on = town.local.patch(address, json={"active": True}, headers=headers)
        assert (on.status_code, on.json()["disabled"]) == (200, "")
        again = town.post(f"{address}/replay", {"since": "2020-01-01T00:00:00Z"}, 202)
        assert again == {"deliveries": 1}
        wait_until(lambda: _deliveries(town, webhook)[0]["state"] == "sent")
        assert len(set(one.ids)) == 1


def test_wait_that_is_asked_for_is_kept(opened: dict[str, str]) -> None:
    """429 with Retry-After holds everything back that goes there."""
    with receiver(status(429, Retry_After="7"), status(200)) as one, living(opened) as town:
        webhook = made(town, one.address)
        town.post(f"/webhooks/{webhook['id']}/test", status=202)
        _wait_for(one, 1)
        wait_until(lambda: town.get(f"/webhooks/{webhook['id']}")["held_until"])
        town.post(f"/webhooks/{webhook['id']}/test", status=202)
        _wait_for(one, 3)
        assert min(heard.at for heard in one.heard[1:]) - one.heard[0].at >= 7


def test_host_is_asked_four_things_at_once(opened: dict[str, str]) -> None:
    with receiver(after(0.1, status(200))) as one, receiver(status(200)) as quick, living(opened) as town:
        webhooks = [made(town, f"{one.address}/{n}") for n in range(2)]
        other = made(town, quick.address.replace("127.0.0.1", "127.0.0.2"))
        del other
        for webhook in webhooks:
            for _ in range(10):
                town.post(f"/webhooks/{webhook['id']}/test", status=202)
        _wait_for(one, 20)
        assert one.most_at_once == 4


def test_private_address_is_not_sent_to_unless_it_is_opened(environment: dict[str, str]) -> None:
    """N-18"""
    with living(environment) as town, receiver() as one:
        wanted = {"url": one.address, "events": ["group.member_joined"]}
        refused = town.local.post("/webhooks", json=wanted)
        assert (refused.status_code, refused.json()["code"]) == (422, "webhook_address_refused")
        # A name is judged by where it leads when something is sent.
        webhook = made(town, "https://localhost/hook")
        town.post(f"/webhooks/{webhook['id']}/test", status=202)
        wait_until(lambda: _deliveries(town, webhook)[0]["tries"])
        assert (_deliveries(town, webhook)[0]["error"], one.heard) == ("address_refused", [])


def test_secret_is_exchanged_while_deliveries_go_on(opened: dict[str, str]) -> None:
    """Two secrets for 24 hours."""
    with receiver() as one, living(opened) as town:
        webhook = made(town, one.address)
        address = f"/webhooks/{webhook['id']}"
        changed = town.post(f"{address}/rotate", {})
        again = town.local.post(f"{address}/rotate", json={})
        assert (again.status_code, again.json()["code"]) == (409, "rotation_under_way")
        town.post(f"{address}/test", status=202)
        _wait_for(one, 1)
        for secret in (webhook["secret"], changed["secret"]):
            assert _told(one.heard[0], secret)[0] == "webhook.test"
        leaked = town.post(f"{address}/rotate", {"at_once": True})
        town.post(f"{address}/test", status=202)
        _wait_for(one, 2)
        assert len(one.heard[1].headers["webhook-signature"].split()) == 1
        assert _told(one.heard[1], leaked["secret"])[0] == "webhook.test"


def test_wrong_networks_refuse_to_start(environment: dict[str, str]) -> None:
    wrong = {**environment, "MUSTER_WEBHOOK_ALLOW_PRIVATE": "10.0.0.0/8,office"}
    with pytest.raises(AssertionError, match="MUSTER_WEBHOOK_ALLOW_PRIVATE"), serving(wrong):
        pass


def test_erasure_takes_people_out_of_what_was_told_and_what_is_to_be(opened: dict[str, str]) -> None:
    """C-45: webhook bodies are deleted."""
    with receiver(status(200)) as one, living(opened) as town:
        webhook = made(town, one.address)
        fill(town)
        _wait_for(one, 1)
        wait_until(lambda: _deliveries(town, webhook)[0]["state"] == "sent")
        forgotten, other = customer(town, "u7"), customer(town, "u8")
        one.answers[:] = [status(500, f"cannot find {forgotten}")]
        move(town, "u7,u7@example.com,DE", "u8,u8@example.com,DE")
        _wait_for(one, 2)
        wait_until(lambda: _deliveries(town, webhook)[0]["state"] == "failed")
        exported = town.post(f"/customers/{forgotten}/export", status=202)
        town.settle()
        assert exported

        order = town.post(f"/customers/{forgotten}/erase", {"confirm": forgotten}, 202)
        town.settle()
        done = town.get(f"/erasures/{order['id']}")
        assert (done["state"], done["places"]["webhooks"]["state"]) == ("done", "erased")
        waiting, sent = (
            town.get(f"/webhooks/{webhook['id']}/deliveries/{told['id']}") for told in _deliveries(town, webhook)
        )
        data = json.loads(waiting["body"])["data"]
        assert (data["customers"], data["count"], sent["body"], sent["kept"]) == ([other], 1, "", False)
        database = (town.home / "control.sqlite3").read_bytes() + (town.home / "control.sqlite3-wal").read_bytes()
        assert f'"{forgotten}"'.encode() not in database
        replay = f"/webhooks/{webhook['id']}/deliveries/{sent['id']}/replay"
        assert town.local.post(replay).json()["code"] == "delivery_gone"
