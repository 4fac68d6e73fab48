"""Every error code and every setting is in the manual."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
_CODE = re.compile(r'\bcode\s*=\s*"([a-z_]+)"')
_CONSTANT = re.compile(r'^[A-Z_]+ = "([a-z_]+)"', re.MULTILINE)
_SETTING = re.compile(r'"(MUSTER_[A-Z_]+)"')
# Roots of the rooms' trees of errors, which are never raised themselves.
_ROOTS = {"muster_error", "team_error", "web_error", "warehouse_error"}


def test_every_error_code_is_documented() -> None:
    sources = [path.read_text(encoding="utf-8") for path in (ROOT / "src" / "muster").rglob("*.py")]
    rules = (ROOT / "src" / "muster" / "rules" / "errors.py").read_text(encoding="utf-8")
    codes = {code for source in sources for code in _CODE.findall(source)} | set(_CONSTANT.findall(rules))
    documented = set(
        re.findall(r"`([a-z_]+)`", (ROOT / "docs" / "reference" / "errors.md").read_text(encoding="utf-8"))
    )
    assert codes - _ROOTS - documented == set()


def test_every_setting_is_documented() -> None:
    source = (ROOT / "src" / "muster" / "wiring" / "configuration.py").read_text(encoding="utf-8")
    documented = (ROOT / "docs" / "reference" / "settings.md").read_text(encoding="utf-8")
    assert {name for name in _SETTING.findall(source) if f"`{name}`" not in documented} == set()
