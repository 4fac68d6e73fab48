"""Settings > System: versions, stores, queues, disk and backups, for whoever administers the installation."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.metadata import version

import pytest

from tests.integration.living import Living, living
from tests.integration.pages import Browser
from tests.integration.personas import owner_of, viewer_of

_PAGE = "/settings/system/"


@pytest.fixture(scope="module")
def town(module_environment: dict[str, str]) -> Iterator[Living]:
    with living(module_environment) as found:
        yield found


@pytest.fixture(scope="module")
def owner(town: Living) -> Iterator[Browser]:
    with owner_of(town) as browser:
        yield browser


def _told(page: str, heading: str) -> str:
    """The text of one box."""
    box = page.split(f'aria-labelledby="{heading}"')[1].split("</section>", maxsplit=1)[0]
    return " ".join(re.sub(r"<[^>]+>", " ", box).split())


def test_page_tells_what_the_installation_is(town: Living, owner: Browser) -> None:
    page = owner.get(_PAGE)
    assert page.status_code == 200
    assert _told(page.text, "versions").split("Python")[0].endswith(f"Muster {version('muster-groups')} ")
    assert re.search(r"Control database \S*control.sqlite3 [1-3] \d", _told(page.text, "stores")) is not None
    assert _told(page.text, "disk").endswith("are free.")
    assert "Running 0 Waiting 0 Paused 0 Failed 0" in _told(page.text, "queues")
    assert "There is none yet" in _told(page.text, "backups")
    assert 'aria-labelledby="checks"' not in page.text


def test_backup_is_made_from_the_page(town: Living, owner: Browser) -> None:
    begun = owner.post(f"{_PAGE}back-up", {})
    assert begun.status_code == 302
    town.finish(begun.headers["Location"].split("/")[2])
    [backup] = town.get("/backups")["items"]
    told = _told(owner.get(_PAGE).text, "backups")
    assert (backup["name"] in told, "asked for" in told) == (True, True)


def test_checks_are_those_of_doctor(town: Living, owner: Browser) -> None:
    told = _told(owner.get(f"{_PAGE}?checks=1").text, "checks")
    checks = town.get("/doctor")["checks"]
    assert [one["key"] for one in checks if one["key"] not in told] == []
    assert told.count("Fine") == sum(one["state"] == "ok" for one in checks)
    assert "This page does not know: chekcs." in owner.get(f"{_PAGE}?chekcs=1").text


def test_whoever_does_not_administer_has_no_such_page(town: Living, owner: Browser) -> None:
    with viewer_of(town) as viewer:
        page = viewer.get(_PAGE)
        assert (page.status_code, "team:admin" in page.text) == (403, True)
        assert f'href="{_PAGE}"' not in viewer.get("/").text
        assert viewer.post(f"{_PAGE}back-up", {}).status_code == 403
    assert f'href="{_PAGE}"' in owner.get("/").text
