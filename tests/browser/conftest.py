"""What tests in a real browser share: one browser and one installation for each process that runs them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.browser.chromium import Watched, chromium, open_context
from tests.browser.installation import Sample, served, the_sample
from tests.integration.living import Living

Open = Callable[..., Watched]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker("browser")


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Sample:
    base = tmp_path_factory.getbasetemp()
    return the_sample(base.parent if "PYTEST_XDIST_WORKER" in os.environ else base)


# For the folder only, not longer: while Playwright's loop lives, Django refuses its database in this thread.
@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    with chromium() as opened:
        yield opened


@pytest.fixture(scope="package")
def installation(sample: Sample) -> Iterator[Living]:
    with served(sample) as serving:
        yield serving


@pytest.fixture
def inside(browser: Browser, installation: Living, sample: Sample) -> Iterator[Open]:
    """Opens a browser in a language, the owner logged in; complaints of its console fail the test."""
    yield from _opening(browser, installation.server.address, _session(sample, "owner"))


@pytest.fixture
def viewing(browser: Browser, installation: Living, sample: Sample) -> Iterator[Open]:
    """The same, of a colleague who may only look."""
    yield from _opening(browser, installation.server.address, _session(sample, "viewer"))


@pytest.fixture
def outside(browser: Browser, installation: Living) -> Iterator[Open]:
    """The same, of somebody who is not logged in."""
    yield from _opening(browser, installation.server.address, None)


def _session(sample: Sample, person: str) -> Any:
    return {"cookies": sample.cookies[person], "origins": []}


def _opening(browser: Browser, base: str, session: Any) -> Iterator[Open]:
    opened: list[Watched] = []

    def opening(language: str = "en", **options: Any) -> Watched:
        opened.append(Watched(open_context(browser, base, language, storage_state=session, **options)))
        return opened[-1]

    yield opening
    for watched in opened:
        watched.context.close()
    assert [text for watched in opened for text in watched.complaints] == []
