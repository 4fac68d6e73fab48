"""Settings > Webhooks: making one, what was sent, sending it again, exchanging the secret. Alice owns, Bob looks."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from muster.kernel.clock import system_clock
from muster.team.models import Member
from muster.webhooks.models import Delivery, Webhook
from tests.integration.groups.rows import stored_group
from tests.integration.personas import open_store
from tests.integration.team.forms import send, text_of
from tests.integration.webhooks.rows import JOINED, answered, happened, note, stored_webhook

pytestmark = pytest.mark.django_db

_LIST = "/settings/webhooks/"
_NEW = "/settings/webhooks/new/"
_URL = "https://crm.example.com/hook"


def _page(webhook: Webhook, rest: str = "") -> str:
    return f"{_LIST}{webhook.id}/{rest}"


def test_pages_are_for_who_has_the_permission(
    as_alice: Client, as_bob: Client, as_charlie: Client, bob: Member
) -> None:
    webhook = stored_webhook()
    [row] = happened()
    reading = [_LIST, _page(webhook), _page(webhook, f"deliveries/{row.id}/")]
    writing = [_NEW, _page(webhook, "edit/"), _page(webhook, "manage/")]
    assert [as_alice.get(address).status_code for address in reading + writing] == [200] * 6
    assert [as_bob.get(address).status_code for address in reading + writing] == [403] * 6
    assert [as_charlie.get(address).status_code for address in reading + writing] == [302] * 6
    assert f'href="{_LIST}"' not in text_of(as_bob.get("/profile/"))
    Member.objects.filter(pk=bob.pk).update(granted=["webhooks:read"])
    assert [as_bob.get(address).status_code for address in reading] == [200] * 3
    assert [as_bob.get(address).status_code for address in writing] == [403] * 3
    for address in reading:
        page = text_of(as_bob.get(address))
        # D-42: what is refused is seen, and why.
        assert ("Needs permission webhooks:write" in page, 'aria-disabled="true"' in page) == (True, True)
    assert "cus_1" not in text_of(as_bob.get(reading[2]))
    assert "cus_1" in text_of(as_alice.get(reading[2]))
    for address, fields in ((reading[1], {"do": "test"}), (reading[2], {})):
        assert send(as_bob, address, fields, seen="/profile/").status_code == 403


def test_webhook_is_made_and_its_secret_shown_once(as_alice: Client) -> None:
    stored_group(1, system_clock())
    assert "There is none yet" in text_of(as_alice.get(_LIST))
    fields = {"url": _URL, "description": "CRM", "events": [JOINED], "subjects": ["grp_01"]}
    made = send(as_alice, _NEW, fields)
    [secret] = re.findall(r'value="(whsec_[^"]+)"', text_of(made))
    row = Webhook.objects.get()
    assert (made.status_code, row.url, row.events, row.subjects) == (200, _URL, [JOINED], ["grp_01"])
    assert made.headers["Cache-Control"] == "no-store"
    listed, page = text_of(as_alice.get(_LIST)), text_of(as_alice.get(_page(row)))
    assert ("crm.example.com" in listed, "Customers joined a group" in listed, "/hook" in listed) == (True, True, False)
    assert (secret in listed + page, "G01" in page, _URL in page) == (False, True, True)


@pytest.mark.parametrize(
    ("fields", "at"),
    [
        ({"url": "http://crm.example.com/", "events": [JOINED]}, "id_url_error"),
        ({"url": "", "events": [JOINED]}, "id_url_error"),
        ({"url": "https://127.0.0.1/", "events": [JOINED]}, "id_url_error"),
        ({"url": _URL}, "events_error"),
        ({"url": _URL, "events": ["group.eaten"]}, "events_error"),
        ({"url": _URL, "events": [JOINED], "subjects": ["grp_none"]}, "subjects_error"),
        ({"url": _URL, "events": [JOINED], "description": "x" * 201}, "id_description_error"),
    ],
)
def test_webhook_that_cannot_be_made_says_why_and_keeps_what_was_typed(
    as_alice: Client, fields: dict[str, Any], at: str
) -> None:
    """D-39"""
    refused = send(as_alice, _NEW, fields)
    page = text_of(refused)
    assert (refused.status_code, f'id="{at}"' in page, Webhook.objects.count()) == (422, True, 0)
    assert f'value="{fields["url"]}"' in page or not fields["url"]


def test_edit_keeps_what_somebody_else_saved(as_alice: Client) -> None:
    """D-40"""
    stored_group(1, system_clock())
    webhook = stored_webhook(subjects=["g01"])
    page = text_of(as_alice.get(_page(webhook, "edit/")))
    assert ('value="grp_01" id="id_subjects_0" checked' in page, f'value="{_URL}"' in page) == (True, True)
    fields = {"url": _URL, "description": "new", "events": [JOINED], "revision": "1"}
    assert send(as_alice, _page(webhook, "edit/"), fields).status_code == 302
    late = send(as_alice, _page(webhook, "edit/"), {**fields, "description": "late"})
    webhook.refresh_from_db()
    assert (late.status_code, "revision_conflict" in text_of(late)) == (422, True)
    assert (webhook.description, webhook.subjects) == ("new", [])


def test_group_that_is_gone_stays_chosen_until_it_is_taken_out(as_alice: Client) -> None:
    group = stored_group(1, system_clock())
    webhook = stored_webhook(subjects=["g01"])
    group.delete()
    page = text_of(as_alice.get(_page(webhook, "edit/")))
    assert 'value="grp_01" id="id_subjects_0" checked' in page


def test_test_event_and_replay_are_buttons(as_alice: Client) -> None:
    webhook = stored_webhook()
    assert send(as_alice, _page(webhook), {"do": "test"}).status_code == 302
    row = Delivery.objects.get()
    note(answered(503, answer="<b>busy</b>"), row)
    page = text_of(as_alice.get(_page(webhook)))
    assert ("Test event" in page, "Failed" in page, "Failing" in page) == (True, True, True)
    delivery = _page(webhook, f"deliveries/{row.id}/")
    shown = text_of(as_alice.get(delivery))
    assert ("&lt;b&gt;busy&lt;/b&gt;" in shown, "The receiver did not accept it." in shown) == (True, True)
    assert send(as_alice, delivery, {}).status_code == 302
    row.refresh_from_db()
    assert (row.state, row.tries) == ("waiting", 0)
    note(answered(500), row)
    assert send(as_alice, _page(webhook), {"do": "replay", "since": "2020-01-01T00:00"}).status_code == 302
    row.refresh_from_db()
    assert row.state == "waiting"
    refused = send(as_alice, _page(webhook), {"do": "replay", "since": "yesterday"})
    assert (refused.status_code, 'id="id_since_error"' in text_of(refused)) == (422, True)


def test_deliveries_are_filtered_and_turned_page_by_page(as_alice: Client, alice: Member) -> None:
    """D-29"""
    webhook = stored_webhook()
    rows = happened(times=60)
    note(answered(200), rows[0])
    first = text_of(as_alice.get(_page(webhook)))
    [older] = re.findall(r'rel="next" href="(\?[^"]+)"', first)
    second = text_of(as_alice.get(_page(webhook) + older))
    [newer] = re.findall(r'rel="prev" href="(\?[^"]+)"', second)

    def listed(page: str) -> list[str]:
        return re.findall(r"deliveries/(whd_\w+)/", page)

    ids = [row.id for row in reversed(rows)]
    assert (listed(first), listed(second)) == (ids[:25], ids[25:50])
    assert listed(text_of(as_alice.get(_page(webhook) + newer))) == ids[:25]
    assert listed(text_of(as_alice.get(_page(webhook) + "?state=sent"))) == [rows[0].id]
    strange = text_of(as_alice.get(_page(webhook) + "?state=eaten&color=red"))
    assert ("This page does not know: color." in strange, len(listed(strange))) == (True, 25)


def test_manage_switches_off_and_on(as_alice: Client) -> None:
    webhook = stored_webhook()
    happened()
    assert send(as_alice, _page(webhook, "manage/"), {"do": "off"}).status_code == 302
    webhook.refresh_from_db()
    assert (webhook.active, Delivery.objects.get().state) == (False, "given_up")
    refused = send(as_alice, _page(webhook), {"do": "test"})
    assert (refused.status_code, "webhook_inactive" in text_of(refused)) == (422, True)
    assert send(as_alice, _page(webhook, "manage/"), {"do": "on"}).status_code == 302
    webhook.refresh_from_db()
    assert webhook.active is True


def test_manage_exchanges_the_secret(as_alice: Client) -> None:
    webhook = stored_webhook()
    shown = text_of(send(as_alice, _page(webhook, "manage/"), {"do": "rotate"}))
    assert ("whsec_" in shown, "Until this time" in shown) == (True, True)
    refused = send(as_alice, _page(webhook, "manage/"), {"do": "rotate"})
    assert (refused.status_code, "rotation_under_way" in text_of(refused)) == (422, True)
    leaked = text_of(send(as_alice, _page(webhook, "manage/"), {"do": "rotate", "at_once": "on"}))
    webhook.refresh_from_db()
    assert ("whsec_" in leaked, "Until this time" in leaked, webhook.secret_before) == (True, False, "")


def test_manage_deletes_what_is_typed(as_alice: Client) -> None:
    """D-37"""
    webhook = stored_webhook()
    refused = send(as_alice, _page(webhook, "manage/"), {"do": "delete", "typed": "crm"})
    assert (refused.status_code, "confirm_mismatch" in text_of(refused), Webhook.objects.count()) == (422, True, 1)
    assert send(as_alice, _page(webhook, "manage/"), {"do": "delete", "typed": "crm.example.com"}).status_code == 302
    assert (Webhook.objects.count(), send(as_alice, _LIST, {}, seen="/profile/").status_code) == (0, 405)


def test_webhook_that_muster_switched_off_is_the_first_thing_the_overview_says(
    as_alice: Client, tmp_path: Path
) -> None:
    webhook = stored_webhook()
    [row] = happened()
    note(answered(410), row)
    with open_store(tmp_path):
        page = text_of(as_alice.get("/"))
    assert f'href="{_page(webhook)}"' in page
    assert "was switched off; it is sent nothing." in page
    assert "the receiver answered that it is gone (410)" in text_of(as_alice.get(_page(webhook)))
    assert "the receiver answered that it is gone (410)" in text_of(as_alice.get(_LIST))


@pytest.mark.parametrize(("language", "heading"), [("de", "Neuer Webhook"), ("fr", "Nouveau webhook")])
def test_pages_are_in_the_readers_language(as_alice: Client, alice: Member, language: str, heading: str) -> None:
    Member.objects.filter(pk=alice.pk).update(language=language)
    assert heading in text_of(as_alice.get(_NEW))


@pytest.mark.parametrize("count", [1, 3])
def test_lists_ask_as_much_for_three_as_for_one(
    as_alice: Client, count: int, django_assert_num_queries: Callable[..., Any]
) -> None:
    """Dashboard spec, section 10."""
    webhooks = [stored_webhook(f"https://{n}.example.com/") for n in range(count)]
    rows = happened(times=count)
    note(answered(500), *rows)
    as_alice.get(_LIST)
    with django_assert_num_queries(3):
        assert as_alice.get(_LIST).status_code == 200
    with django_assert_num_queries(6):
        assert as_alice.get(_page(webhooks[0])).status_code == 200
    [*_, row] = [row for row in rows if row.webhook_id == webhooks[0].pk]
    delivery = _page(webhooks[0], f"deliveries/{row.pk}/")
    with django_assert_num_queries(5):
        assert as_alice.get(delivery).status_code == 200
