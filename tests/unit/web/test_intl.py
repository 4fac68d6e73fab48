"""Our formats beside those of Node's `Intl`, which reads the same CLDR as browsers do (dashboard spec, section 12)."""

from __future__ import annotations

import json
import shutil
import subprocess
import unicodedata
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from functools import cache
from typing import Any

import pytest

from muster.web.formats import BabelFormats, formats_for

LANGUAGES = ("en", "de", "fr")
NUMBERS = ["0", "1", "-1", "7.5", "0.125", "999", "1000", "9999", "10500", "-1234.5", "1284310", "1234567890"]
AMOUNTS = [
    (amount, currency)
    for amount in ("0", "0.99", "10.50", "-3", "1234.56", "1284310")
    for currency in ("EUR", "USD", "GBP", "JPY", "CHF")
]
PERCENTS = ["0", "0.25", "12.5", "50", "99.9", "100", "1234.5"]
DAYS = ["1970-01-01", "2024-02-29", "2026-03-01", "2026-05-05", "2026-08-08", "2026-09-09", "2026-11-21"]
LISTS = [["a"], ["a", "b"], ["a", "b", "c"], ["a", "b", "c", "d"]]

_SCRIPT = """
const table = JSON.parse(require("node:fs").readFileSync(0, "utf8"));
const digits = { maximumFractionDigits: 20 };
const told = {
  number: (language, [text]) => new Intl.NumberFormat(language, digits).format(text),
  money: (language, [text, currency]) =>
    new Intl.NumberFormat(language, { style: "currency", currency }).format(text),
  percent: (language, [text]) => new Intl.NumberFormat(language, { style: "percent", ...digits }).format(text + "E-2"),
  day: (language, [text]) =>
    new Intl.DateTimeFormat(language, { dateStyle: "medium", timeZone: "UTC" }).format(new Date(text)),
  and: (language, items) => new Intl.ListFormat(language, { type: "conjunction" }).format(items),
  or: (language, items) => new Intl.ListFormat(language, { type: "disjunction" }).format(items),
};
console.log(JSON.stringify(table.map(([kind, language, values]) => told[kind](language, values))));
"""

OURS: dict[str, Callable[[BabelFormats, list[str]], str]] = {
    "number": lambda formats, values: formats.number(Decimal(values[0])),
    "money": lambda formats, values: formats.money(Decimal(values[0]), values[1]),
    "percent": lambda formats, values: formats.percent(Decimal(values[0])),
    "day": lambda formats, values: formats.day(date.fromisoformat(values[0])),
    "and": lambda formats, values: formats.list_and(values),
    "or": lambda formats, values: formats.list_or(values),
}
VALUES: dict[str, list[list[str]]] = {
    "number": [[one] for one in NUMBERS],
    "money": [list(one) for one in AMOUNTS],
    "percent": [[one] for one in PERCENTS],
    "day": [[one] for one in DAYS],
    "and": LISTS,
    "or": LISTS,
}
# What the two write in different ways: (kind, language, values) -> (ours, theirs).
DIFFERENT: dict[tuple[str, str, tuple[str, ...]], tuple[str, str]] = {
    # Intl rounds to the digits a currency has; we never show another amount than the one there is.
    ("money", "en", ("0.99", "JPY")): ("¥0.99", "¥1"),
    ("money", "en", ("10.50", "JPY")): ("¥10.5", "¥11"),
    ("money", "en", ("1234.56", "JPY")): ("¥1,234.56", "¥1,235"),
    ("money", "de", ("0.99", "JPY")): ("0,99 ¥", "1 ¥"),
    ("money", "de", ("10.50", "JPY")): ("10,5 ¥", "11 ¥"),
    ("money", "de", ("1234.56", "JPY")): ("1.234,56 ¥", "1.235 ¥"),
    ("money", "fr", ("0.99", "JPY")): ("0,99 JPY", "1 JPY"),
    ("money", "fr", ("10.50", "JPY")): ("10,5 JPY", "11 JPY"),
    ("money", "fr", ("1234.56", "JPY")): ("1 234,56 JPY", "1 235 JPY"),
}

needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="compares with Node's Intl")


@cache
def _theirs() -> dict[tuple[str, str, tuple[str, ...]], str]:
    table = [[kind, language, values] for kind in VALUES for language in LANGUAGES for values in VALUES[kind]]
    done = subprocess.run(["node", "-e", _SCRIPT], input=json.dumps(table), capture_output=True, text=True, check=True)
    told: list[Any] = json.loads(done.stdout)
    return {(kind, language, tuple(values)): text for (kind, language, values), text in zip(table, told, strict=True)}


def _one_space(text: str) -> str:
    """Which no-break space stands in a number, and which hyphen before it, changes between versions of CLDR."""
    return "".join(" " if unicodedata.category(letter) == "Zs" else letter for letter in text).replace("\u2212", "-")


@needs_node
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", VALUES)
def test_values_are_written_as_intl_writes_them(kind: str, language: str) -> None:
    formats = formats_for(language, "UTC", "EUR")
    differences = {
        (kind, language, tuple(values)): (ours, theirs)
        for values in VALUES[kind]
        if (ours := _one_space(OURS[kind](formats, values)))
        != (theirs := _one_space(_theirs()[kind, language, tuple(values)]))
    }
    assert differences == {key: pair for key, pair in DIFFERENT.items() if key[:2] == (kind, language)}
