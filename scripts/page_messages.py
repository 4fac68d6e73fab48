"""Brings the catalogues of pages and forms up to date with the texts in templates and Python files.

`web/locale` holds those of every room with pages: one catalogue per language for one house.
"""

from __future__ import annotations

import ast
import io
import os
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

SOURCE = Path(__file__).parents[1] / "src" / "muster"
LOCALE = SOURCE / "web" / "locale"
LANGUAGES = ("de", "fr")
# Rooms whose texts Django translates; the descriptions of `rules` have their own catalogue and marks.
ROOMS = ("web", "audit", "team", "webhooks", "catalog", "customers", "groups", "wiring")
# Rooms whose errors pages show. What `wiring` refuses as it starts, backs up and restores is read in a terminal.
REFUSING_ROOMS = (
    *("kernel", "rules", "warehouse", "engine", "web", "audit", "team", "webhooks", "catalog", "customers"),
    "groups",
)
_KEYWORDS: dict[str, Any] = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "ngettext": (1, 2),
    "pgettext": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
    # What Django's own preparation of templates writes.
    "gettext_noop": None,
}

Message = tuple[str | None, str | tuple[str, ...]]


def messages_of_source() -> list[Message]:
    """(context, text or singular and plural), in the order of files and lines, each once; then those of errors."""
    found: dict[Message, None] = {}
    for room in ROOMS:
        for file in sorted((SOURCE / room).rglob("*")):
            if file.suffix not in (".py", ".html") or "migrations" in file.parts:
                continue
            text = file.read_text(encoding="utf-8")
            python = _told_of_template(text) if file.suffix == ".html" else text
            for _, message, _, context in extract("python", io.BytesIO(python.encode()), keywords=_KEYWORDS):
                found[(context, message if isinstance(message, str) else tuple(message))] = None
    found.update(dict.fromkeys(_messages_of_errors()))
    return list(found)


def formatted_errors() -> list[str]:
    """Errors that are made with an f-string, which no catalogue can translate."""
    errors = _error_classes()
    return [
        ast.unparse(node)
        for tree in _trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and _name(node.func) in errors
        if any(isinstance(one, ast.JoinedStr) for one in node.args)
    ]


def _messages_of_errors() -> Iterator[Message]:
    """What is `worded`, each `word` with its context, and every plain text that an error is made with."""
    errors = _error_classes()
    for tree in _trees():
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call):
                continue
            texts = [one.value for one in node.args if isinstance(one, ast.Constant) and isinstance(one.value, str)]
            match _name(node.func), node.args, texts:
                case "word", [_, _], [context, text]:
                    yield context, text
                case "worded", [ast.Constant(), *_], [text]:
                    yield None, text
                # `ScopeMissing("groups:write")` makes its own sentence.
                case name, [ast.Constant(), *_], [text, *_] if name in errors and " " in text:
                    yield None, text


def _error_classes() -> set[str]:
    """The names of the family of MusterError."""
    bases = {
        node.name: {_name(base) for base in node.bases}
        for tree in _trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
    }
    family = {"MusterError"}
    while grown := {name for name, above in bases.items() if above & family} - family:
        family |= grown
    return family


@cache
def _trees() -> list[ast.Module]:
    files = [file for room in REFUSING_ROOMS for file in sorted((SOURCE / room).rglob("*.py"))]
    return [ast.parse(file.read_text(encoding="utf-8")) for file in files if "migrations" not in file.parts]


def _name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def _told_of_template(text: str) -> str:
    """Its calls of gettext as Python; how far a tag is indented says nothing to Python."""
    return "\n".join(line.lstrip() for line in templatize(text).splitlines())


def update(language: str) -> int:
    """Writes the catalogue anew, keeping what is translated; answers how many texts are not."""
    path = LOCALE / language / "LC_MESSAGES" / "django.po"
    old = read_catalogue(path) if path.exists() else Catalog(locale=language)
    new = Catalog(locale=language, project="Muster", charset="utf-8", fuzzy=False)
    missing = 0
    for context, text in messages_of_source():
        known = old.get(text[0] if isinstance(text, tuple) else text, context)
        translated = known.string if known else ""
        missing += not (all(translated) if isinstance(translated, tuple) else translated)
        new.add(text, translated, context=context)
    path.parent.mkdir(parents=True, exist_ok=True)
    body = io.BytesIO()
    write_po(body, new, width=120, omit_header=True)
    path.write_bytes(_header(new).encode() + body.getvalue())
    return missing


def _header(catalogue: Catalog) -> str:
    """Without dates and names: two equal catalogues are the same file."""
    fields = (
        f"Language: {catalogue.locale}",
        "MIME-Version: 1.0",
        "Content-Type: text/plain; charset=utf-8",
        "Content-Transfer-Encoding: 8bit",
        f"Plural-Forms: {catalogue.plural_forms}",
    )
    return 'msgid ""\nmsgstr ""\n' + "".join(f'"{field}\\n"\n' for field in fields) + "\n"


def read_catalogue(path: Path) -> Catalog:
    with path.open("rb") as file:
        return read_po(file)


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "muster.wiring.settings")
    for each in LANGUAGES:
        print(each, update(each), "texts to translate", file=sys.stderr)
