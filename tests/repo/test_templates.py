"""Templates: nothing inline, only our own tags for values, every icon is there (house style 13, D-47)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from scripts.vendor_static import ICONS, VENDOR, build_sprite, used_icons

SOURCE = Path(__file__).parents[2] / "src" / "muster"
TEMPLATES = sorted(SOURCE.glob("**/templates/**/*.html"))
# Ways around the content security policy, and Django's own filters of numbers, days and sizes.
REFUSED = {
    "an inline handler": re.compile(r"\son[a-z]+\s*="),
    "an inline style": re.compile(r"\sstyle\s*=|<style"),
    "an inline script": re.compile(r"<script(?![^>]*\ssrc=)"),
    "something from elsewhere": re.compile(r"(src|href)\s*=\s*[\"'](https?:)?//"),
    "text without escaping": re.compile(r"\|\s*safe\b|autoescape off"),
    # htmx is young: only what was tried under our policy, and nothing that is a script in disguise (D-2).
    "an attribute of htmx that is not used here": re.compile(
        r"\shx-(?!(get|post|target|swap|trigger|sync|include|push-url|replace-url|indicator|disable|headers:inherited)[\s=]"
        r"|status:[0-9x]{3}=)|hx-trigger=\"[^\"]*\\[|[\"']js:"
    ),
    "a filter of Django for values": re.compile(
        r"\|\s*(date|time|timesince|timeuntil|floatformat|filesizeformat|intcomma|naturaltime|pluralize)\b"
    ),
}


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.relative_to(SOURCE).as_posix())
def test_template_holds_nothing_that_is_refused(template: Path) -> None:
    text = template.read_text(encoding="utf-8")
    assert [name for name, pattern in REFUSED.items() if pattern.search(text)] == []


def test_sprite_holds_every_icon() -> None:
    assert ICONS.exists(), "run `make setup`, which gets the icons"
    assert (VENDOR / "icons.svg").read_text(encoding="utf-8") == build_sprite(used_icons())
