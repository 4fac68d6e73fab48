"""The pages of an app's keys: made, shown once, used, replaced, revoked; by persona, within their bounds."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from muster.audit.models import AuditEntry
from muster.catalog import hooks
from muster.catalog.actions import create_app, edit_app
from muster.catalog.actions.keys import create_key, create_token_key, revoke_key
from muster.catalog.models import AppKey, TokenKey
from muster.catalog.queries import app_keys
from muster.kernel.clock import system_clock
from muster.team.policies import LOCAL
from muster.warehouse.duckdb.warehouse import DuckDBWarehouse
from muster.web import shown_once
from tests.integration.customers.test_incoming_page import tables
from tests.integration.personas import Sender, open_store

PAGE = "/apps/notes/keys/"
_SERVER = {"kind": "server", "name": "Till", "scopes": ["ingest", "decide"]}
_SECRET = re.compile(r"msk_[0-9a-z]{52}")
RAW = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"


@pytest.fixture(autouse=True)
def store(db: None, tmp_path: Path) -> Iterator[DuckDBWarehouse]:
    with open_store(tmp_path) as warehouse:
        create_app(LOCAL, key="notes", name={"en": "Notes"})
        yield warehouse


@pytest.fixture
def alice_sends(as_alice: Client) -> Sender:
    return Sender(as_alice, PAGE + "new")


def _page(client: Client, address: str = PAGE, status: int = 200) -> str:
    answer = client.get(address)
    assert answer.status_code == status
    return answer.content.decode()


def test_app_without_keys_says_what_they_are_for_and_how_to_begin(as_alice: Client) -> None:
    hooks.provide_edge_address("https://edge.example")
    try:
        page = unescape(_page(as_alice))
    finally:
        hooks.provide_edge_address("http://127.0.0.1:8081")
    assert "There is none yet, so nothing it sends is taken" in page
    assert "curl 'https://edge.example/v1/track?verdicts=1' \\\n  -u 'mpk_…:'" in page
    assert "curl 'https://edge.example/ofrep/v1/evaluate/flags'" in page
    assert f'href="{PAGE}new"' in page


def test_secret_of_a_server_key_is_shown_once_after_a_redirect(
    as_alice: Client, alice_sends: Sender, caplog: pytest.LogCaptureFixture
) -> None:
    """In no address, no log, no table."""
    caplog.set_level(logging.DEBUG)
    made = alice_sends.post(PAGE + "new", _SERVER)
    [row] = AppKey.objects.all()
    assert (made.status_code, made["Location"]) == (302, f"{PAGE}{row.id}/")
    assert made.content == b""
    first = as_alice.get(made["Location"])
    [secret] = set(_SECRET.findall(first.content.decode()))
    assert (row.name, row.text, row.beginning) == ("Till", "", secret[:8])
    assert first["Cache-Control"] == "no-store"
    again = _page(as_alice, made["Location"])
    assert (secret in again, secret[:8] in again) == (False, True)
    assert "The key itself was shown once" in again
    assert secret not in caplog.text
    kept = [str(vars(one)) for one in (*AuditEntry.objects.all(), *AppKey.objects.all())]
    assert [one for one in kept if secret in one] == []
    assert secret not in str(dict(as_alice.session))


def test_secret_is_shown_to_the_session_that_made_it(as_alice: Client, as_bob: Client, alice_sends: Sender) -> None:
    address = alice_sends.post(PAGE + "new", _SERVER)["Location"]
    assert _SECRET.findall(_page(as_bob, address)) == []
    assert _SECRET.findall(_page(as_alice, address)) != []


def test_secret_that_nobody_looks_at_is_forgotten(
    as_alice: Client, alice_sends: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shown_once, "_KEPT_SECONDS", 0.0)
    address = alice_sends.post(PAGE + "new", _SERVER)["Location"]
    assert _SECRET.findall(_page(as_alice, address)) == []


def test_form_sent_twice_makes_one_key(as_alice: Client, alice_sends: Sender) -> None:
    """And keeps no secret for it."""
    first, second = (alice_sends.post(PAGE + "new", _SERVER) for _ in range(2))
    assert first["Location"] == second["Location"]
    assert AppKey.objects.count() == 1


def test_publishable_key_is_there_to_be_read(as_alice: Client, alice_sends: Sender) -> None:
    sent = {"kind": "publishable", "name": "", "scopes": ["ingest"]}
    address = alice_sends.post(PAGE + "new", sent)["Location"]
    [key] = app_keys("notes")
    for _ in range(2):
        page = unescape(_page(as_alice, address))
        assert f'value="{key.key}"' in page
        assert f"-u '{key.key}:'" in page
        # It may not ask.
        assert "/ofrep/" not in page
    [[row]] = [table for table in tables(_page(as_alice)) if table]
    assert row[0] == f"Publishable key {key.id} {key.key[:8]}…"


@pytest.mark.parametrize(
    ("fields", "code", "field"),
    [
        ({"kind": "server", "scopes": []}, "value_not_allowed", "scopes"),
        ({"kind": "server", "scopes": ["ingest"], "name": "x" * 121}, "value_not_allowed", "id_name"),
        ({"kind": "secret", "scopes": ["ingest"]}, "", "kind"),
    ],
)
def test_form_says_what_is_wrong_at_the_field(
    alice_sends: Sender, fields: dict[str, Any], code: str, field: str
) -> None:
    refused = alice_sends.post(PAGE + "new", fields)
    text = refused.content.decode()
    assert (refused.status_code, f'href="#{field}"' in text, code in text) == (422, True, True)
    assert AppKey.objects.count() == 0


def test_eleventh_key_is_refused(as_alice: Client, alice_sends: Sender) -> None:
    made = [create_key(LOCAL, "notes", kind="server")[0] for _ in range(10)]
    refused = alice_sends.post(PAGE + "new", _SERVER)
    assert (refused.status_code, "key_limit" in refused.content.decode()) == (422, True)
    refused = alice_sends.post(f"{PAGE}{made[0].id}/", {"do": "replace"})
    assert (refused.status_code, "key_limit" in refused.content.decode()) == (422, True)


def test_list_tells_who_made_a_key_and_when_it_was_used(
    as_alice: Client, alice_sends: Sender, store: DuckDBWarehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice_sends.post(PAGE + "new", _SERVER)
    unused, _ = create_key(LOCAL, "notes", kind="publishable")
    [used] = [one for one in app_keys("notes") if one.id != unused.id]
    now = system_clock()
    use = hooks.KeyUse(1_234, now - timedelta(hours=3))
    monkeypatch.setattr(hooks, "key_uses", [lambda asked: {one: use for one in asked if one == used.source}])
    [rows] = tables(_page(as_alice))
    assert [(row[0], row[1].rpartition(" ago ")[2], *row[2:]) for row in rows] == [
        (f"Till {used.id} Server key · {used.beginning}…", "alice@example.com", "3 hours ago", "In force"),
        (f"Publishable key {unused.id} {unused.beginning}…", "command line", "none in 30 days", "In force"),
    ]
    assert "<dd>1,234</dd>" in _page(as_alice, f"{PAGE}{used.id}/")


def test_key_is_replaced_then_revoked(as_alice: Client, alice_sends: Sender) -> None:
    old, _ = create_key(LOCAL, "notes", kind="server", scopes=["decide"], name="Web shop")
    address = f"{PAGE}{old.id}/"
    replaced = alice_sends.post(address, {"do": "replace"})
    [new] = [one for one in app_keys("notes") if one.id != old.id]
    assert replaced["Location"] == f"{PAGE}{new.id}/"
    assert (new.name, new.kind, new.scopes, new.state) == ("Web shop", "server", ["decide"], "active")
    assert len(set(_SECRET.findall(_page(as_alice, replaced["Location"])))) == 1
    assert f'href="{address}"' in _page(as_alice, replaced["Location"])
    assert f'href="{PAGE}{new.id}/"' in _page(as_alice, address)
    assert "replaced, to be revoked" in _page(as_alice)
    revoke_key(LOCAL, "notes", new.id)
    assert "replaced, to be revoked" not in _page(as_alice)
    AppKey.objects.filter(id=new.id).update(revoked_at=None)
    unsure = alice_sends.post(address, {"do": "revoke"})
    assert (unsure.status_code, "confirmation_needed" in unsure.content.decode()) == (422, True)
    for _ in range(2):
        assert alice_sends.post(address, {"do": "revoke", "sure": "on"})["Location"] == PAGE
    assert [one.state for one in app_keys("notes")] == ["revoked", "active"]
    page = _page(as_alice, address)
    assert ('value="revoke"' in page, 'value="replace"' in page, "curl" in page) == (False, False, False)
    assert re.findall(r'class="two">(App key \w+)<', page) == ["App key revoked", "App key made"]
    late = alice_sends.post(address, {"do": "replace", "another": "sheet"})
    assert (late.status_code, "state_not_allowed" in late.content.decode()) == (422, True)
    assert alice_sends.post(address, {"do": "sing"}).status_code == 422


def test_key_for_tokens_is_made_shown_once_and_revoked(as_alice: Client, alice_sends: Sender) -> None:
    made = alice_sends.post(PAGE + "tokens/new", {"algorithm": "HS256", "id": "shop.1", "public_key": ""})
    assert made["Location"] == f"{PAGE}tokens/shop.1/"
    secret = TokenKey.objects.get().material
    assert secret in _page(as_alice, made["Location"])
    page = _page(as_alice, made["Location"])
    assert (secret in page, "Key for customer tokens made" in page) == (False, True)
    refused = alice_sends.post(made["Location"], {"do": "revoke"})
    assert (refused.status_code, "confirmation_needed" in refused.content.decode()) == (422, True)
    assert alice_sends.post(made["Location"], {"do": "revoke", "sure": "on"})["Location"] == PAGE
    assert "Revoked" in _page(as_alice, made["Location"])


def test_public_key_for_tokens_is_taken_and_shown(as_alice: Client, alice_sends: Sender) -> None:
    sent = {"algorithm": "EdDSA", "id": "", "public_key": RAW}
    page = _page(as_alice, alice_sends.post(PAGE + "tokens/new", sent)["Location"])
    assert (RAW in page, "shown this once" in page) == (True, False)
    for fields, field in (
        ({"algorithm": "EdDSA", "id": "", "public_key": ""}, "id_public_key"),
        ({"algorithm": "EdDSA", "id": "a b", "public_key": RAW}, "id_id"),
        ({"algorithm": "HS256", "id": "", "public_key": RAW}, "id_public_key"),
    ):
        refused = alice_sends.post(PAGE + "tokens/new", fields)
        assert (refused.status_code, f'href="#{field}"' in refused.content.decode()) == (422, True)


def test_deeds_of_another_apps_key_of_the_same_id_are_not_told(as_alice: Client) -> None:
    create_app(LOCAL, key="other")
    create_token_key(LOCAL, "notes", algorithm="EdDSA", id="server", public_key=RAW)
    create_token_key(LOCAL, "other", algorithm="EdDSA", id="server", public_key=RAW)
    assert len(tables(_page(as_alice, f"{PAGE}tokens/server/"))[0]) == 1


def test_keys_of_an_archived_app_open_nothing_and_the_page_says_so(as_alice: Client) -> None:
    edit_app(LOCAL, "notes", revision=None, state="archived")
    assert "none of its keys opens anything" in _page(as_alice)


def test_old_keys_without_a_beginning_are_told_by_their_id(as_alice: Client) -> None:
    made, _ = create_key(LOCAL, "notes", kind="server")
    AppKey.objects.update(beginning="")
    assert tables(_page(as_alice))[0][0][0] == f"Server key {made.id} {made.id}"


def test_most_of_many_revoked_keys_are_not_listed(as_alice: Client) -> None:
    for _ in range(27):
        revoke_key(LOCAL, "notes", create_key(LOCAL, "notes", kind="server")[0].id)
    create_key(LOCAL, "notes", kind="server")
    page = _page(as_alice)
    [rows] = tables(page)
    assert (len(rows), rows[0][3], rows[1][3].split()[0]) == (26, "In force", "Revoked")
    assert "2 more that were revoked are not shown." in page


def test_viewer_sees_keys_and_no_secret_and_changes_nothing(as_bob: Client, as_alice: Client) -> None:
    """D-42: the buttons stand there with the sentence that the API would answer."""
    key, _ = create_key(LOCAL, "notes", kind="publishable")
    create_token_key(LOCAL, "notes", algorithm="HS256", id="one")
    token = Sender(as_bob, "/")
    for address in (PAGE, f"{PAGE}{key.id}/", f"{PAGE}tokens/one/"):
        page = _page(as_bob, address)
        assert "Needs permission catalog:write; an owner can grant it." in page
        assert 'aria-disabled="true" aria-describedby="refusal"' in page
        assert "Who did what" not in page
    for address, fields in (
        (PAGE + "new", _SERVER),
        (PAGE + "tokens/new", {"algorithm": "HS256"}),
        (f"{PAGE}{key.id}/", {"do": "revoke", "sure": "on"}),
        (f"{PAGE}{key.id}/", {"do": "replace"}),
        (f"{PAGE}tokens/one/", {"do": "revoke", "sure": "on"}),
    ):
        assert token.post(address, fields).status_code == 403
    assert [one.state for one in app_keys("notes")] == ["active"]
    _page(as_bob, PAGE + "new", 403)


def test_outsider_is_sent_to_the_door(as_charlie: Client) -> None:
    for address in (PAGE, PAGE + "new", PAGE + "key_1/", PAGE + "tokens/new", PAGE + "tokens/a/"):
        answer = as_charlie.get(address)
        assert (answer.status_code, answer["Location"]) == (302, f"/login?next={address}")


def test_forms_need_their_token(as_alice: Client) -> None:
    key, _ = create_key(LOCAL, "notes", kind="server")
    for address in (PAGE + "new", f"{PAGE}{key.id}/", PAGE + "tokens/new"):
        assert as_alice.post(address, {**_SERVER, "do": "revoke", "sure": "on"}).status_code == 403
    assert [one.state for one in app_keys("notes")] == ["active"]


def test_what_is_not_there_is_not_found(as_alice: Client) -> None:
    create_app(LOCAL, key="other")
    key, _ = create_key(LOCAL, "other", kind="server")
    for address in ("/apps/none/keys/", "/apps/none/keys/new", f"{PAGE}{key.id}/", f"{PAGE}tokens/none/"):
        _page(as_alice, address, 404)


@pytest.mark.parametrize("count", [1, 3])
def test_pages_ask_as_little_for_three_keys_as_for_one(
    as_alice: Client, count: int, django_assert_num_queries: Callable[..., Any]
) -> None:
    """D-28: session, member, app, floor, keys, keys for tokens, deeds."""
    for number in range(count):
        key, _ = create_key(LOCAL, "notes", kind="server")
        create_token_key(LOCAL, "notes", algorithm="HS256", id=str(number))
    assert _page(as_alice).count("In force") == 2 * count
    with django_assert_num_queries(7):
        _page(as_alice)
    with django_assert_num_queries(7):
        _page(as_alice, f"{PAGE}{key.id}/")


@pytest.mark.parametrize("language", ["en", "de", "fr"])
def test_pages_have_nothing_inline(as_alice: Client, language: str) -> None:
    key, _ = create_key(LOCAL, "notes", kind="server")
    for address in (PAGE, PAGE + "new", f"{PAGE}{key.id}/", PAGE + "tokens/new"):
        page = as_alice.get(address, headers={"Accept-Language": language}).content.decode()
        assert (page.count("<h1>"), " style=" in page, "<script>" in page) == (1, False, False)
