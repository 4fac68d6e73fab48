"""Every page in every language, light and dark, wide and narrow: readable by everybody, and silent in the console."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from playwright.sync_api import Page

from tests.browser.addresses import names
from tests.browser.axe import Axe
from tests.browser.chromium import ROOT
from tests.browser.conftest import Open
from tests.browser.installation import Sample

LANGUAGES = ("en", "de", "fr")
WIDE, NARROW, NARROWEST = 1440, 390, 320
# Small turns of the screen rather than new pages: the style sheet alone decides how a page looks.
LOOKS = (("light", WIDE), ("dark", WIDE), ("dark", NARROW), ("light", NARROW))
# Tests of a language side by side, so that all processors have work.
PARTS = 6

# Addresses that no link leads to, with the reason.
UNREACHED: dict[str, str] = {
    "groups:values": "answers fragments of the builder",
    "team:setup": "only a one-time link leads there: test_pages_around.py",
    "web:change_job": "takes a POST, while a job runs",
}


def test_every_address_is_reached(sample: Sample) -> None:
    """A new page is found by its link; what nothing links to must say here why."""
    assert sample.inside.broken + sample.outside.broken == []
    reached = sample.inside.reached | sample.outside.reached
    assert sorted(set(names()) - reached - set(UNREACHED)) == []
    assert sorted(set(UNREACHED) & reached) == []


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("language", LANGUAGES)
def test_page_is_accessible(sample: Sample, inside: Open, language: str, part: int) -> None:
    """D-50: WCAG 2.2 AA by axe-core, no sideways scroll, one heading, its language; D-4: no message."""
    tab = inside(language).tab()
    addresses = sorted(sample.inside.html)[part::PARTS]
    assert [told for address in addresses for told in _judge(tab, address, language)] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_page_outside_is_accessible(sample: Sample, outside: Open, language: str) -> None:
    tab = outside(language).tab()
    assert [told for address in sorted(sample.outside.html) for told in _judge(tab, address, language)] == []


def _judge(tab: Page, address: str, language: str) -> list[str]:
    """What is wrong with a page, in words."""
    tab.set_viewport_size({"width": WIDE, "height": 900})
    answer = tab.goto(address)
    assert answer is not None
    found = [] if answer.ok else [f"answers {answer.status}"]
    axe = Axe(tab)
    axe.load()
    for scheme, width in LOOKS:
        tab.emulate_media(color_scheme=scheme)
        tab.set_viewport_size({"width": width, "height": 900})
        found += [f"{scheme} {width}: {told}" for told in axe.check()]
        found += _sideways(tab, width)
    tab.set_viewport_size({"width": NARROWEST, "height": 900})
    found += _sideways(tab, NARROWEST)
    if (lang := tab.locator("html").get_attribute("lang")) != language:
        found.append(f"its language is {lang}")
    if (count := tab.locator("h1").count()) != 1:
        found.append(f"{count} headings of the first level")
    return [f"{address} ({language}): {told}" for told in found]


def _sideways(tab: Page, width: int) -> list[str]:
    wide = tab.evaluate("document.documentElement.scrollWidth")
    return [f"{width}: {wide} px wide"] if wide > width else []


def test_html_is_valid(sample: Sample, tmp_path: Path) -> None:
    """html-validate, one process for all pages."""
    pages = {**sample.outside.html, **sample.inside.html}
    names_of_files = {f"{number}.html": address for number, address in enumerate(sorted(pages))}
    for name, address in names_of_files.items():
        (tmp_path / name).write_text(pages[address], encoding="utf-8")
    tool = ROOT / "node_modules" / ".bin" / "html-validate"
    assert tool.exists(), "run `make setup`, which gets html-validate"
    config = Path(__file__).with_name("html-validate.json")
    ended = subprocess.run(
        [tool, "--config", config, "--formatter", "json", *sorted(names_of_files)],
        cwd=tmp_path, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ended.stdout.startswith("["), ended.stderr
    assert [
        f"{names_of_files[Path(file['filePath']).name]}:{one['line']}: {one['ruleId']}: {one['message']}"
        for file in json.loads(ended.stdout)
        for one in file["messages"]
    ] == []
