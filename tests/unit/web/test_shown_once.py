"""A secret between a form and the page after it: once, for one session, for a while, and never many."""

from __future__ import annotations

import pytest
from django.contrib.sessions.backends.base import SessionBase
from django.http import HttpRequest

from muster.web import shown_once
from muster.web.shown_once import keep_secret, take_secret


class _Session(SessionBase):
    """One that has a key and nothing else."""

    def __init__(self, key: str) -> None:
        super().__init__(session_key=key)


def _request(session: str) -> HttpRequest:
    request = HttpRequest()
    request.session = _Session(session * 8)
    return request


@pytest.fixture(autouse=True)
def _nothing_kept() -> None:
    shown_once._kept.clear()


def test_secret_is_taken_once_by_the_session_that_has_it() -> None:
    keep_secret(_request("a"), "key:1", "s3cret")
    assert take_secret(_request("b"), "key:1") == ""
    assert take_secret(_request("a"), "key:2") == ""
    assert [take_secret(_request("a"), "key:1") for _ in range(2)] == ["s3cret", ""]


def test_secret_is_forgotten_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shown_once, "_KEPT_SECONDS", -1.0)
    keep_secret(_request("a"), "key:1", "s3cret")
    assert take_secret(_request("a"), "key:1") == ""
    keep_secret(_request("a"), "key:1", "s3cret")
    keep_secret(_request("a"), "key:2", "s3cret")
    assert len(shown_once._kept) == 1


def test_oldest_give_way_to_the_newest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shown_once, "_MOST", 2)
    for number in range(3):
        keep_secret(_request("a"), f"key:{number}", str(number))
    assert [take_secret(_request("a"), f"key:{number}") for number in range(3)] == ["", "1", "2"]
