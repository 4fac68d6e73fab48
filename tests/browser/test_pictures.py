"""The pictures of the manual, taken of the sample (dashboard.md, section 12).

`make pictures` writes them where the manual has them. Otherwise one of each is only taken, and the manual must have all
of them and no others.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.chromium import ROOT
from tests.browser.conftest import Open
from tests.browser.installation import Sample

Size = dict[str, int]
IMAGES = ROOT / "docs" / "images"
_LOYAL = "loyal-adventure-shop"
_WIDE, _NARROW = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
# What is added to a name, and how the picture is taken then.
PLAIN = {"": ("en", "light", _WIDE)}
MANY = {
    **PLAIN,
    "-dark": ("en", "dark", _WIDE),
    "-de": ("de", "light", _WIDE),
    "-fr": ("fr", "light", _WIDE),
    "-390": ("en", "light", _NARROW),
}


def _there(address: str) -> Callable[[Page], None]:
    def go(tab: Page) -> None:
        tab.goto(address)

    return go


def _small(tab: Page) -> None:
    tab.goto("/groups/few/edit/")
    expect(tab.locator("#audience")).to_contain_text("Small")


def _somebody(tab: Page) -> str:
    """Who is in the segment."""
    tab.goto(f"/groups/{_LOYAL}/members/")
    return tab.get_by_role("main").get_by_text(re.compile("^cus_")).first.inner_text()


def _person_tested(tab: Page) -> None:
    person = _somebody(tab)
    tab.goto(f"/groups/{_LOYAL}/edit/")
    tab.get_by_label("Test a person").fill(person)
    tab.get_by_role("button", name="Why?").click()
    expect(tab.locator("#audience .why")).to_be_visible()
    tab.locator("#audience .why").scroll_into_view_if_needed()


def _person_explained(tab: Page) -> None:
    tab.goto(f"/why?group={_LOYAL}&customer={_somebody(tab)}")


PICTURES = {
    "overview": (_there("/"), MANY),
    "groups": (_there("/groups/"), MANY),
    "builder": (_there(f"/groups/{_LOYAL}/edit/"), MANY),
    "builder-small": (_small, PLAIN),
    "test-a-person": (_person_tested, PLAIN),
    "segment": (_there(f"/groups/{_LOYAL}/"), MANY),
    "compare": (_there(f"/groups/{_LOYAL}/compare/?with=top-spenders-adventure-shop"), PLAIN),
    "customer-why": (_person_explained, PLAIN),
    "jobs": (_there("/jobs/"), PLAIN),
}
NAMES = [name + suffix for name, (_, variants) in PICTURES.items() for suffix in variants]
DRY_RUN = "import-dry-run"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    told = os.environ.get("MUSTER_PICTURES")
    return Path(told) if told else tmp_path_factory.mktemp("pictures")


@pytest.mark.parametrize("name", PICTURES)
def test_picture_is_taken(inside: Open, folder: Path, name: str) -> None:
    go, variants = PICTURES[name]
    for suffix, (language, scheme, size) in _wanted(variants).items():
        _take(inside, folder / f"{name}{suffix}.png", go, language, scheme, size)


def test_picture_of_a_dry_run_is_taken(inside: Open, sample: Sample, folder: Path) -> None:
    [judged] = [one for one in sample.found["owner"].pages["groups:import"] if "verdict" not in one][:1]
    for suffix, (language, scheme, size) in _wanted(MANY).items():
        _take(inside, folder / f"{DRY_RUN}{suffix}.png", _there(judged), language, scheme, size)


Variants = dict[str, tuple[str, str, Size]]


def _wanted(variants: Variants) -> Variants:
    return variants if os.environ.get("MUSTER_PICTURES") else PLAIN


def test_manual_has_every_picture() -> None:
    wanted = {*NAMES, *(DRY_RUN + suffix for suffix in MANY)}
    assert {file.stem for file in IMAGES.glob("*.png")} == wanted


def _take(
    opened: Open, file: Path, go: Callable[[Page], None], language: str, scheme: str, size: dict[str, int]
) -> None:
    tab = opened(language, color_scheme=scheme, viewport=size).tab()
    go(tab)
    tab.screenshot(path=file, animations="disabled")
    assert file.stat().st_size > 5_000
