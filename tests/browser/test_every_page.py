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

WIDE, NARROW, NARROWEST = 1440, 390, 320
SCHEMES = ("light", "dark")
# Colours do not depend on the language.
LOOKS = (("en", "light"), ("en", "dark"), ("de", "light"), ("fr", "light"))
# Tests of a language side by side, so that all processors have work.
PARTS = 4

# Addresses that no link leads to, with the reason.
UNREACHED: dict[str, str] = {
    "account_login": "another name of team:login",
    "customers:import_apply": "no import of customers is judged there: tests/integration/customers",
    "customers:import_move": "takes a POST, while an import goes on: tests/integration/customers",
    "customers:import_rows": "no import of customers is judged there: tests/integration/customers",
    "customers:withdraw_erasure": "takes a POST, before an erasure begins: tests/integration/customers",
    "groups:begin": "right after set-up: tests/integration/groups/test_sample_loading.py",
    "groups:values": "answers fragments of the builder",
    "mfa_authenticate": "between password and code: test_pages_around.py",
    "mfa_edit_webauthn": "another name of a page of team",
    "mfa_index": "another name of team:profile",
    "mfa_list_webauthn": "another name of team:profile",
    "mfa_login_webauthn": "a passkey answers there: tests/integration/team",
    "mfa_reauthenticate_webauthn": "a passkey answers there: tests/integration/team",
    "mfa_remove_webauthn": "another name of a page of team",
    "openid_connect_callback": "a provider leads there: tests/integration/team",
    "openid_connect_login": "leads to a provider: tests/integration/team",
    "socialaccount_login_cancelled": "a provider leads there: tests/integration/team",
    "team:close_session": "takes a POST, where there are two sessions: tests/integration/team",
    "team:setup": "only a one-time link leads there: test_pages_around.py",
    "web:change_job": "takes a POST, while a job runs",
    "web:undo": "takes a POST, after a change",
}


def test_every_address_is_reached(sample: Sample) -> None:
    """A new page is found by its link; what nothing links to must say here why."""
    broken = [told for found in sample.found.values() for told in found.broken]
    assert broken == []
    assert sorted(set(names()) - sample.reached - set(UNREACHED)) == []
    assert sorted(set(UNREACHED) & sample.reached) == []


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize(("language", "scheme"), LOOKS)
def test_page_is_accessible(sample: Sample, inside: Open, language: str, scheme: str, part: int) -> None:
    """D-50: WCAG 2.2 AA by axe-core, no sideways scroll, one heading, its language; D-4: no message."""
    _judge_all(inside, sorted(sample.found["owner"].html)[part::PARTS], language, scheme)


@pytest.mark.parametrize(("language", "scheme"), LOOKS)
def test_page_outside_is_accessible(sample: Sample, outside: Open, language: str, scheme: str) -> None:
    _judge_all(outside, sorted(sample.found["nobody"].html), language, scheme)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_page_is_accessible_to_a_viewer(sample: Sample, viewing: Open, scheme: str) -> None:
    """D-42: what is refused is seen and said. One page of each address, and whatever only the viewer has."""
    pages = sample.found["viewer"].pages
    _judge_all(viewing, sorted(addresses[0] for addresses in pages.values()), "en", scheme)


def _judge_all(opened: Open, addresses: list[str], language: str, scheme: str) -> None:
    tab = opened(language, color_scheme=scheme).tab()
    found = [told for address in addresses for told in _judge(tab, address, language, scheme)]
    assert not found, "\n".join(found)


def _judge(tab: Page, address: str, language: str, scheme: str) -> list[str]:
    """What is wrong with a page, in words. In dark it is laid out as in light: only colours are judged again."""
    tab.set_viewport_size({"width": WIDE, "height": 900})
    answer = tab.goto(address)
    assert answer is not None
    found = [] if answer.ok else [f"answers {answer.status}"]
    if not tab.url.endswith(address):
        found.append(f"leads to {tab.url}")
    axe = Axe(tab)
    axe.load()
    for width in (WIDE, NARROW):
        tab.set_viewport_size({"width": width, "height": 900})
        found += [f"{width}: {told}" for told in axe.check(colours_only=scheme == "dark")]
        found += _sideways(tab, width)
    if scheme == "light":
        tab.set_viewport_size({"width": NARROWEST, "height": 900})
        found += _sideways(tab, NARROWEST)
    if (lang := tab.locator("html").get_attribute("lang")) != language:
        found.append(f"its language is {lang}")
    if (count := tab.locator("h1").count()) != 1:
        found.append(f"{count} headings of the first level")
    return [f"{address}: {told}" for told in found]


def _sideways(tab: Page, width: int) -> list[str]:
    wide = tab.evaluate("document.documentElement.scrollWidth")
    return [f"{width}: {wide} px wide"] if wide > width else []


def test_html_is_valid(sample: Sample, tmp_path: Path) -> None:
    """html-validate, one process for all pages."""
    pages = sample.html
    names_of_files = {f"{number}.html": address for number, address in enumerate(sorted(pages))}
    for name, address in names_of_files.items():
        (tmp_path / name).write_text(pages[address], encoding="utf-8")
    tool = ROOT / "node_modules" / ".bin" / "html-validate"
    assert tool.exists(), "run `make setup`, which gets html-validate"
    config = Path(__file__).with_name("html-validate.json")
    told = tmp_path / "told.json"
    # Into a file: the tool ends before a pipe has taken all it says.
    with told.open("w") as answers:
        arguments = ["--config", config, "--formatter", "json", *sorted(names_of_files)]
        subprocess.run([tool, *arguments], cwd=tmp_path, stdout=answers, check=False)
    found = [
        f"{names_of_files[Path(file['filePath']).name]}:{one['line']}: {one['ruleId']}: {one['message']}"
        for file in json.loads(told.read_text(encoding="utf-8"))
        for one in file["messages"]
        # A form whose change is refused keeps its button, with the reason, but sends nothing (D-42).
        if one["ruleId"] != "wcag/h32"
        or 'aria-disabled="true"' not in pages[names_of_files[Path(file["filePath"]).name]]
    ]
    assert not found, "\n".join(found)
