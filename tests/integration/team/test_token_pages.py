"""API tokens in the browser: made with no more than one may oneself, shown once, revoked for good."""

from __future__ import annotations

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from muster.team.actions.tokens import create_token
from muster.team.models import ApiToken, Member
from muster.team.policies import LOCAL
from tests.integration.team.forms import send, text_of
from tests.naughty import naughty_from

pytestmark = pytest.mark.django_db

_NEW = "/settings/tokens/new/"


def test_token_is_shown_once_and_opens_the_api(as_alice: Client) -> None:
    assert "There is none yet" in text_of(as_alice.get("/settings/tokens/"))
    made = send(as_alice, _NEW, {"name": "ci", "scopes": ["groups:read", "jobs:read"]})
    [secret] = re.findall(r'value="(mst_[^"]+)"', text_of(made))
    assert made.headers["Cache-Control"] == "no-store"
    ci = Client(headers={"Authorization": f"Bearer {secret}"})
    assert ci.get("/api/v1/me").json()["scopes"] == ["groups:read", "jobs:read"]
    page = text_of(as_alice.get("/settings/tokens/"))
    assert (secret in page, "now" in page or "second" in page, "never" in page) == (False, True, False)

    token = ApiToken.objects.get()
    revoked = send(as_alice, f"/settings/tokens/{token.id}/revoke", {}, seen="/settings/tokens/")
    assert (revoked.status_code, ci.get("/api/v1/me").status_code) == (302, 401)
    assert f"{token.id}/revoke" not in text_of(as_alice.get("/settings/tokens/"))


@pytest.mark.parametrize(
    ("fields", "at"),
    [
        ({"name": "", "scopes": ["groups:read"]}, "id_name_error"),
        ({"name": "ci"}, "scopes_error"),
        ({"name": "ci", "scopes": ["groups:steal"]}, "scopes_error"),
        ({"name": "x" * 101, "scopes": ["groups:read"]}, "id_name_error"),
    ],
)
def test_token_that_cannot_be_made_says_why_and_keeps_what_was_typed(
    as_alice: Client, fields: dict[str, object], at: str
) -> None:
    refused = send(as_alice, _NEW, fields)
    page = text_of(refused)
    assert (refused.status_code, f'id="{at}"' in page, ApiToken.objects.count()) == (422, True, 0)
    assert ('value="groups:read" id="id_scopes_0" checked' in page) == ("groups:read" in fields.get("scopes", []))  # type: ignore[operator]  # a list


def test_nobody_gives_a_token_more_than_they_have(as_bob: Client, bob: Member) -> None:
    Member.objects.filter(pk=bob.pk).update(granted=["team:admin"])
    page = text_of(as_bob.get(_NEW))
    offered = re.findall(r'name="scopes" value="([^"]+)"', page)
    assert offered == ["groups:read", "customers:read", "catalog:read", "jobs:read", "team:admin"]
    refused = send(as_bob, _NEW, {"name": "more", "scopes": ["groups:write"]})
    assert (refused.status_code, ApiToken.objects.count()) == (422, 0)


@pytest.mark.untraced
def test_every_naughty_name_is_kept_or_refused(as_alice: Client) -> None:
    as_alice.get(_NEW)
    token = as_alice.cookies["csrftoken"].value
    texts = naughty_from(1)
    for naughty in texts:
        made = as_alice.post(_NEW, {"name": naughty, "scopes": ["groups:read"], "csrfmiddlewaretoken": token})
        assert made.status_code in (200, 422), naughty
    page = text_of(as_alice.get("/settings/tokens/"))
    assert "<script>alert" not in page
    assert len(texts) * 0.9 < ApiToken.objects.count() < len(texts)


def test_list_asks_as_much_for_three_as_for_one(as_alice: Client) -> None:
    for count in (1, 3):
        while ApiToken.objects.count() < count:
            create_token(LOCAL, "ci", ["groups:read"])
        with CaptureQueriesContext(connection) as asked:
            as_alice.get("/settings/tokens/")
        assert len(asked) == 3
