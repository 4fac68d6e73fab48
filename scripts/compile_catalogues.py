"""Compiles every translation catalogue below `src` whose `.mo` is missing or older than its `.po`."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

SOURCE = Path(__file__).parents[1] / "src"


def compile_catalogues(source: Path = SOURCE) -> list[Path]:
    """The compiled files written. Safe while other processes do the same: each file appears whole or not at all."""
    written = []
    for catalogue in sorted(source.glob("**/locale/*/LC_MESSAGES/*.po")):
        compiled = catalogue.with_suffix(".mo")
        if compiled.exists() and compiled.stat().st_mtime_ns >= catalogue.stat().st_mtime_ns:
            continue
        with catalogue.open("rb") as text, tempfile.NamedTemporaryFile(dir=catalogue.parent, delete=False) as target:
            write_mo(target, read_po(text, domain=catalogue.stem))
        os.replace(target.name, compiled)
        written.append(compiled)
    return written


if __name__ == "__main__":
    for path in compile_catalogues():
        print(path)
