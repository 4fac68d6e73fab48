"""Copies what pages use from npm's packages into the package: a sprite of the icons that are named, and htmx."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).parents[1]
SOURCE = ROOT / "src" / "muster"
ICONS = ROOT / "node_modules" / "@tabler" / "icons"
HTMX = ROOT / "node_modules" / "htmx.org"
VENDOR = SOURCE / "web" / "static" / "vendor"
_IN_TEMPLATES = re.compile(r"""\{% icon "([a-z0-9-]+)" %\}""")
_IN_MENUS = re.compile(r"""\bicon="([a-z0-9-]+)\"""")
_SVG = "{http://www.w3.org/2000/svg}"


def used_icons(source: Path = SOURCE) -> list[str]:
    """The names in `{% icon "name" %}` of templates and `icon="name"` of Python files."""
    names: set[str] = set()
    for template in source.glob("**/templates/**/*.html"):
        names.update(_IN_TEMPLATES.findall(template.read_text(encoding="utf-8")))
    for module in source.glob("**/*.py"):
        names.update(_IN_MENUS.findall(module.read_text(encoding="utf-8")))
    return sorted(names)


def build_sprite(names: list[str], icons: Path = ICONS) -> str:
    """One SVG with a symbol for each icon; FileNotFoundError names one that Tabler does not have."""
    symbols = [_symbol(name, icons / "icons" / "outline" / f"{name}.svg") for name in names]
    return "\n".join(['<svg xmlns="http://www.w3.org/2000/svg">', *symbols, "</svg>"]) + "\n"


def _symbol(name: str, file: Path) -> str:
    icon = ElementTree.fromstring(file.read_text(encoding="utf-8"))
    # The first path of every icon is an invisible square.
    paths = [path for path in icon.iter(f"{_SVG}path") if path.get("stroke") != "none"]
    attributes = (" ".join(f'{key}="{value}"' for key, value in path.items()) for path in paths)
    drawn = "".join(f"<path {text}/>" for text in attributes)
    return f'<symbol id="{name}" viewBox="0 0 24 24">{drawn}</symbol>'


def build_htmx(source: Path = SOURCE) -> str:
    """htmx and its rules of security in one file: nothing may come between the two."""
    htmx = (HTMX / "dist" / "htmx.min.js").read_text(encoding="utf-8")
    return f"{htmx}\n{(source / 'web' / 'static' / 'js' / 'csp.js').read_text(encoding='utf-8')}"


def main() -> None:
    VENDOR.mkdir(parents=True, exist_ok=True)
    (VENDOR / "icons.svg").write_text(build_sprite(used_icons()), encoding="utf-8")
    (VENDOR / "icons.LICENSE").write_bytes((ICONS / "LICENSE").read_bytes())
    (VENDOR / "htmx.js").write_text(build_htmx(), encoding="utf-8")
    (VENDOR / "htmx.LICENSE").write_bytes((HTMX / "LICENSE").read_bytes())
    print(f"{len(used_icons())} icons", file=sys.stderr)


if __name__ == "__main__":
    main()
