"""Keys of apps: made, shown once, listed, revoked (edge spec, section 2)."""

from __future__ import annotations

import re

import pytest

from muster.catalog import hooks
from muster.catalog.actions import create_app, create_key, edit_app, revoke_key
from muster.catalog.errors import CatalogError, WordUnknown
from muster.catalog.queries import FIRST_KEY_SOURCE, app_keys, published_keys
from muster.kernel.errors import MusterError
from muster.online.port import PublishedKey, key_digest
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
        key_digest(text): PublishedKey(1, FIRST_KEY_SOURCE + 1, "publishable", both, origins),
        key_digest(other): PublishedKey(1, FIRST_KEY_SOURCE + 2, "server", ("decide",), origins),
    }
    revoke_key(LOCAL, "notes", first.id)
    assert list(published_keys()) == [key_digest(other)]
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
    assert told == [1, 0]


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
