"""Keys of apps: made, shown once, listed, revoked (edge spec, section 2)."""

from __future__ import annotations

import re

import pytest

from muster.catalog import hooks
from muster.catalog.actions import create_app, edit_app
from muster.catalog.actions.keys import create_key, create_token_key, revoke_key, revoke_token_key
from muster.catalog.errors import CatalogError, KeyTaken, WordUnknown
from muster.catalog.queries import FIRST_KEY_SOURCE, app_keys, published_keys, token_keys
from muster.kernel.errors import MusterError
from muster.online.port import PublishedKey, TokenKey, app_digest, key_digest
from muster.team.policies import LOCAL

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def notes(db: None) -> None:
    create_app(LOCAL, key="notes")


def test_publishable_key_can_be_read_again() -> None:
    made, text = create_key(LOCAL, "notes", kind="publishable")
    assert re.fullmatch("mpk_[0-9a-z]{26}", text)
    assert app_keys("notes") == [made]
    assert made.key == text


def test_server_key_is_kept_as_a_digest_only() -> None:
    made, text = create_key(LOCAL, "notes", kind="server", scopes=["ingest"])
    assert re.fullmatch("msk_[0-9a-z]{52}", text)
    assert (made.key, made.scopes, made.state) == ("", ["ingest"], "active")


def test_what_is_published_is_what_is_in_force() -> None:
    """E-32: by digest; sources of keys are none of imports."""
    first, text = create_key(LOCAL, "notes", kind="publishable")
    _, other = create_key(LOCAL, "notes", kind="server", scopes=["decide"])
    edit_app(LOCAL, "notes", revision=None, allowed_origins=["https://a.example"])
    both = ("ingest", "decide")
    origins = ("https://a.example",)
    assert published_keys() == {
        app_digest("notes"): PublishedKey(1, FIRST_KEY_SOURCE, "app", (), origins, "notes"),
        key_digest(text): PublishedKey(1, FIRST_KEY_SOURCE + 1, "publishable", both, origins, "notes"),
        key_digest(other): PublishedKey(1, FIRST_KEY_SOURCE + 2, "server", ("decide",), origins, "notes"),
    }
    revoke_key(LOCAL, "notes", first.id)
    assert list(published_keys()) == [app_digest("notes"), key_digest(other)]
    edit_app(LOCAL, "notes", revision=None, state="archived")
    assert published_keys() == {}


def test_everybody_who_must_is_told(django_capture_on_commit_callbacks) -> None:
    """E-35: when the change is committed, before the call returns."""
    told: list[int] = []
    hooks.keys_changed.append(lambda: told.append(len(published_keys())))
    try:
        with django_capture_on_commit_callbacks(execute=True):
            made, _ = create_key(LOCAL, "notes", kind="publishable")
        with django_capture_on_commit_callbacks(execute=True):
            revoke_key(LOCAL, "notes", made.id)
    finally:
        hooks.keys_changed.pop()
    assert told == [2, 1]


def test_revoking_again_changes_nothing() -> None:
    made, _ = create_key(LOCAL, "notes", kind="publishable")
    assert [revoke_key(LOCAL, "notes", made.id).state for _ in range(2)] == ["revoked", "revoked"]
    with pytest.raises(WordUnknown) as refused:
        revoke_key(LOCAL, "notes", "key_nobody")
    assert refused.value.code == "key_unknown"


def test_app_has_ten_keys_at_most() -> None:
    made = [create_key(LOCAL, "notes", kind="publishable")[0] for _ in range(10)]
    with pytest.raises(MusterError) as refused:
        create_key(LOCAL, "notes", kind="server")
    assert refused.value.code == "key_limit"
    revoke_key(LOCAL, "notes", made[0].id)
    create_key(LOCAL, "notes", kind="server")


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"kind": "secret"}, "/kind"),
        ({"kind": "server", "scopes": ["everything"]}, "/scopes"),
        ({"kind": "server", "scopes": []}, "/scopes"),
    ],
)
def test_strange_keys_are_refused(fields: dict, pointer: str) -> None:
    with pytest.raises(CatalogError) as refused:
        create_key(LOCAL, "notes", **fields)
    assert refused.value.pointer == pointer


PEM = """-----BEGIN PUBLIC KEY-----
MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=
-----END PUBLIC KEY-----"""
RAW = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
OTHER_PEM = """-----BEGIN PUBLIC KEY-----
MCowBQYDK2VuAyEAhSDwCYkwp1R0i33ctD73Wg2/Og0mOBr066SpjqqbTmo=
-----END PUBLIC KEY-----"""


def test_secret_of_tokens_is_made_and_shown_once() -> None:
    """E-6: 32 random bytes."""
    made, secret = create_token_key(LOCAL, "notes", algorithm="HS256")
    assert re.fullmatch("tok_[0-9a-z]{16}", made.id)
    assert re.fullmatch("[A-Za-z0-9_-]{43}", secret)
    assert (made.algorithm, made.public_key, made.state) == ("HS256", "", "active")
    assert token_keys("notes") == [made]
    assert published_keys()[app_digest("notes")].token_keys == (TokenKey(made.id, "HS256", secret),)


@pytest.mark.parametrize("given", [PEM, RAW, f" {RAW} "])
def test_public_key_is_read_in_both_forms(given: str) -> None:
    made, secret = create_token_key(LOCAL, "notes", algorithm="EdDSA", id="server.1", public_key=given)
    assert (made.id, made.public_key, secret) == ("server.1", RAW, "")
    assert published_keys()[app_digest("notes")].token_keys == (TokenKey("server.1", "EdDSA", RAW),)


def test_revoked_key_of_tokens_is_forgotten() -> None:
    """E-35: and its id is not used again."""
    create_token_key(LOCAL, "notes", algorithm="EdDSA", id="a", public_key=RAW)
    assert [revoke_token_key(LOCAL, "notes", "a").state for _ in range(2)] == ["revoked", "revoked"]
    assert published_keys()[app_digest("notes")].token_keys == ()
    assert token_keys("notes")[0].public_key == ""
    with pytest.raises(KeyTaken):
        create_token_key(LOCAL, "notes", algorithm="EdDSA", id="a", public_key=RAW)
    with pytest.raises(WordUnknown) as refused:
        revoke_token_key(LOCAL, "notes", "b")
    assert refused.value.code == "key_unknown"


def test_app_has_three_keys_of_tokens_at_most() -> None:
    made = [create_token_key(LOCAL, "notes", algorithm="HS256")[0] for _ in range(3)]
    with pytest.raises(MusterError) as refused:
        create_token_key(LOCAL, "notes", algorithm="HS256")
    assert refused.value.code == "key_limit"
    revoke_token_key(LOCAL, "notes", made[0].id)
    create_token_key(LOCAL, "notes", algorithm="HS256")


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"algorithm": "RS256"}, "/algorithm"),
        ({"algorithm": "none"}, "/algorithm"),
        ({"algorithm": "HS256", "id": "a b"}, "/id"),
        ({"algorithm": "HS256", "id": ""}, "/id"),
        ({"algorithm": "HS256", "secret": "c2hvcnQ"}, "/secret"),
        ({"algorithm": "HS256", "secret": "a"}, "/secret"),
        ({"algorithm": "HS256", "public_key": RAW}, "/public_key"),
        ({"algorithm": "EdDSA"}, "/public_key"),
        ({"algorithm": "EdDSA", "secret": RAW}, "/secret"),
        ({"algorithm": "EdDSA", "public_key": RAW[:-2]}, "/public_key"),
        ({"algorithm": "EdDSA", "public_key": PEM[:-30]}, "/public_key"),
        ({"algorithm": "EdDSA", "public_key": OTHER_PEM}, "/public_key"),
    ],
)
def test_strange_keys_of_tokens_are_refused(fields: dict, pointer: str) -> None:
    with pytest.raises(CatalogError) as refused:
        create_token_key(LOCAL, "notes", **fields)
    assert refused.value.pointer == pointer
