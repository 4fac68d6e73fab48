"""D-49: on no page is anything left in English, and texts that grow by two fifths have room."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, suppress
from pathlib import Path

import pytest
from babel import Locale
from playwright.sync_api import Browser, Page

from muster.web.persons import COMMAND_LINE, DEMO_DATA
from tests.browser.chromium import Watched, open_context
from tests.browser.installation import PERSONS, Sample, served
from tests.browser.pseudo import INSTEAD_OF, LETTERS, write_catalogues
from tests.integration.living import Living

# Every text that is seen or spoken, but what is written as code and what formats write.
_TEXTS = """letters => {
  const said = [], own = new RegExp('[' + letters + ']'), word = /[A-Za-z]{2}/;
  const note = text => { text = text.trim(); if (word.test(text) && !own.test(text)) said.push(text); };
  const walker = document.createTreeWalker(document, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT);
  const quiet = 'script,style,code,pre,kbd,time,bdi,.mono,textarea,[lang]:not(html)';
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.nodeType === 3 ? node.parentElement : node;
    if (element.closest(quiet) || (element.value && element.value === element.textContent)) continue;
    if (node.nodeType === 3) note(node.data);
    else for (const name of ['title', 'aria-label', 'placeholder', 'alt', 'aria-description'])
      if (node.hasAttribute(name)) note(node.getAttribute(name));
  }
  return [...new Set(said)];
}"""

_UNITS = {
    "Sekunden",
    "Sek.",
    "Minute",
    "Minuten",
    "Min.",
    "Stunde",
    "Stunden",
    "Tag",
    "Tage",
    "Byte",
    "kB",
    "MB",
    "Mbyte",
    "B",
}
# Names that are the same everywhere.
_OWN = {"Muster", "English", "Deutsch", "Français", "JSON", "YAML", "CSV", "2026-01-31 (ISO 8601)", "UTC"}
# The host of a webhook stands without the rest of its address.
_OWN |= {"localhost"}
_ID = re.compile(r"[a-z]{3}_[0-9a-z]+")
_FIGURES = re.compile(r"[-+−<>~]?\d[\d.,:\s\u00a0\u202f%]*")


@pytest.fixture(scope="module")
def elsewhere(sample: Sample, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Living]:
    folder = tmp_path_factory.mktemp("catalogues")
    write_catalogues(folder)
    settings = {"DJANGO_SETTINGS_MODULE": "tests.browser.pseudo_settings", "MUSTER_PSEUDO": str(folder)}
    with served(sample, **settings) as serving:
        yield serving


@pytest.mark.parametrize("person", PERSONS)
def test_no_page_has_english_left(sample: Sample, browser: Browser, elsewhere: Living, person: str) -> None:
    session = {"cookies": sample.cookies.get(person, []), "origins": []}
    context = open_context(browser, elsewhere.server.address, INSTEAD_OF, storage_state=session)
    tab = Watched(context).tab()
    data = Data(sample.home / "control.sqlite3")
    addresses = sorted(pages[0] for pages in sample.found[person].pages.values())
    found = [f"{address}: {text}" for address in addresses for text in _left(tab, address) if not data.explains(text)]
    context.close()
    assert not found, "\n".join(found)


def _left(tab: Page, address: str) -> list[str]:
    """Texts without a letter of the pseudo-locale, and whether the page is wider than its window."""
    found = []
    for width in (1440, 390):
        tab.set_viewport_size({"width": width, "height": 900})
        tab.goto(address)
        wide = tab.evaluate("document.documentElement.scrollWidth")
        found += [f"\N{WARNING SIGN} {wide} px wide of {width}"] if wide > width else []
    return found + [str(text) for text in tab.evaluate(_TEXTS, LETTERS)]


class Data:
    """What people called things, which no language changes, and what the formats of the language write."""

    def __init__(self, database: Path) -> None:
        locale = Locale.parse(INSTEAD_OF)
        self._known = {*locale.territories.values(), *locale.languages.values(), *_UNITS, *_OWN}
        with closing(sqlite3.connect(database)) as opened:
            tables = [name for (name,) in opened.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            for table in tables:
                for row in opened.execute(f'SELECT * FROM "{table}"'):
                    for cell in row:
                        self._known.update(_texts(cell))
        # As it is kept, not as it is told.
        self._known -= {COMMAND_LINE, DEMO_DATA}

    def explains(self, text: str) -> bool:
        parts = re.split(r" [·–] ", text)
        return all(self._is_known(part) or all(map(self._is_known, part.split(", "))) for part in parts)

    def _is_known(self, text: str) -> bool:
        without = _FIGURES.sub("", text).strip()
        return text in self._known or without in self._known or not without or _ID.fullmatch(text) is not None


def _texts(cell: object) -> Iterator[str]:
    """A cell, and the texts inside it where it is JSON; names of fields are ours and are to be translated."""
    if isinstance(cell, str):
        yield cell
        if cell[:1] in "[{":
            with suppress(ValueError):
                yield from _texts(json.loads(cell))
    elif isinstance(cell, Mapping | list):
        for one in cell.values() if isinstance(cell, Mapping) else cell:
            yield from _texts(one)
