"""What the builder's form holds: name, population, tags, and the rows; as posted, as drafted, as saved."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from muster.groups.pages.builder.documents import Written, tree_of, write_match
from muster.groups.pages.builder.settle import Settler
from muster.groups.pages.builder.tree import Tree, change, empty_tree, read_tree
from muster.rules.codec import decode
from muster.rules.errors import DefinitionInvalid
from muster.rules.nodes import Definition
from muster.rules.vocabulary import Vocabulary
from muster.web.formats import BabelFormats
from muster.web.wording import said

VIEWS = ("sentence", "expression", "json")
_TEXTS = ("name", "app", "view", "language", "person", "tested", "compared", "json", "revision", "editor")
_ROUNDS = 20


@dataclass(frozen=True)
class BuilderForm:
    """`language`: in which numbers are written; `person`, `tested`: who is to be tested, and who is.

    `revision`: of the segment when its editing began, empty for a new one; `editor`: one open page.
    """

    tree: Tree
    name: str = ""
    app: str = ""
    tags: tuple[str, ...] = ()
    view: str = "sentence"
    language: str = "en"
    person: str = ""
    tested: str = ""
    compared: str = ""
    json: str = ""
    revision: str = ""
    editor: str = ""

    def kept(self) -> dict[str, Any]:
        """What of it a draft holds: no names of people."""
        return {
            "name": self.name,
            "app": self.app,
            "tags": list(self.tags),
            "language": self.language,
            "revision": self.revision,
            "tree": self.tree,
        }


def posted(fields: Iterable[tuple[str, str]]) -> BuilderForm:
    """The form as a browser sends it."""
    listed = list(fields)
    texts = {name: text for name, text in listed if name in _TEXTS}
    tags = [text.strip() for name, text in listed if name.split(".")[0] in ("tag", "add_tag") and text.strip()]
    view = texts.pop("view", "")
    return BuilderForm(
        tree=read_tree(listed), tags=tuple(dict.fromkeys(tags)), view=view if view in VIEWS else VIEWS[0], **texts
    )


def drafted(fields: Mapping[str, Any]) -> BuilderForm:
    """The form as its draft was kept."""
    return BuilderForm(
        tree=fields["tree"],
        name=fields["name"],
        app=fields["app"],
        tags=tuple(fields["tags"]),
        language=fields["language"],
        revision=fields["revision"],
    )


def blank_form(app: str, language: str) -> BuilderForm:
    return BuilderForm(tree=empty_tree(), app=app, language=language)


def form_of(
    name: str, tags: Iterable[str], definition: Definition, words: Vocabulary, formats: BabelFormats
) -> BuilderForm:
    """The form that says a definition."""
    return BuilderForm(
        tree=tree_of(definition, words, formats),
        name=name,
        app=definition.app or "",
        tags=tuple(tags),
        language=formats.locale.language,
    )


def settled(
    form: BuilderForm, command: str, words: Vocabulary, typed: BabelFormats, shown: BabelFormats
) -> BuilderForm:
    """After a button, with every row consistent, numbers as the reader writes them."""
    tree = Settler(words, typed, shown).tree(change(form.tree, command))
    return replace(form, tree=tree, language=shown.locale.language, app=form.app if form.app in words.apps else "")


@dataclass(frozen=True)
class Read:
    """What a form says: `definition` is that of the rows that are complete and right, None if none is.

    `errors`: by path of the row what the rules refuse, beside what `written` found missing.
    """

    written: Written
    definition: Definition | None
    errors: Mapping[str, list[str]] = field(default_factory=dict)

    @property
    def complete(self) -> bool:
        return self.definition is not None and not self.written.blanks and not self.errors


def read(form: BuilderForm, words: Vocabulary, formats: BabelFormats) -> Read:
    """Rows that the rules refuse are left out one after the other, so that the rest can be previewed (D-21)."""
    errors: dict[str, list[str]] = {}
    for _ in range(_ROUNDS):
        written = write_match(form.tree, formats, frozenset(errors))
        if written.match is None:
            break
        try:
            definition = decode({"version": 1, "app": form.app or None, "match": written.match}, words)
        except DefinitionInvalid as error:
            for problem in error.problems:
                errors.setdefault(written.path_at(problem.pointer), []).append(said(problem.message))
        else:
            return Read(written, definition, errors)
        if "in" in errors or "out" in errors:
            # It is the whole that is wrong: there is no rest.
            break
    return Read(written, None, errors)
