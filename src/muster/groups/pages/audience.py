"""The panel beside the builder: whom the definition would select, as far as the asker may know it (D-20, D-23)."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from django.utils.translation import gettext as _

from muster.engine.explain import Explanation
from muster.groups.pages.builder.controls import Shown
from muster.groups.pages.builder.form import BuilderForm, Read
from muster.groups.pages.builder.rows import name_of
from muster.groups.pages.why import Line, lines_of
from muster.groups.policies import Told
from muster.groups.queries.people import why_unsaved
from muster.groups.queries.previews import PreviewView, preview_definition
from muster.groups.queries.turns import Turn
from muster.kernel.errors import MusterError
from muster.rules.describe.words import Words
from muster.web.charts import coordinate
from muster.web.wording import said

_ROUND = 188.5
"""Length of the ring's circle, in units of its drawing."""


@dataclass(frozen=True)
class Step:
    """A line of "how it adds up": `kept` from 0, or `cut` off; places and widths in percent of all available."""

    label: str
    size: Told
    x: str = "0"
    width: str = "0"
    cut: bool = False


@dataclass(frozen=True)
class Tested:
    """One person against the unsaved definition; `problem` where nobody is called so."""

    customer: str = ""
    explanation: Explanation | None = None
    lines: list[Line] = field(default_factory=list)
    problem: str = ""


@dataclass(frozen=True)
class Previewed:
    """`view` is None where no row is complete; `problem` says what went wrong otherwise."""

    view: PreviewView | None = None
    problem: str = ""


@dataclass(frozen=True)
class Audience:
    """What the panel shows; without `preview` nothing but the problem."""

    preview: PreviewView | None = None
    ring: str = ""
    steps: list[Step] = field(default_factory=list)
    overlap: Told | None = None
    overlap_share: float | None = None
    tested: Tested | None = None
    problem: str = ""


def previewed(form: BuilderForm, read: Read, turn: Turn, *, edited: str, may_list: bool) -> Previewed:
    """Nothing once the turn is overtaken."""
    if read.definition is None:
        return Previewed()
    try:
        view = preview_definition(
            read.definition,
            may_list=may_list,
            edited=edited or None,
            compared=[form.compared] if form.compared else [],
            turn=turn,
            every_node=True,
        )
    except MusterError as error:
        return Previewed() if turn.overtaken else Previewed(problem=said(error.message))
    return Previewed(view)


def alone_of(found: Previewed, read: Read, words: Words) -> dict[str, str]:
    """By path what each row selects by itself; a Small whole has no figures of its rows (D-23)."""
    if found.view is None or found.view.size.small:
        return {}
    texts: dict[str, str] = {}
    for pointer, size in found.view.alone.items():
        path = read.written.path_at(pointer)
        texts.setdefault(path, _("Small") if size.small else words.formats.number(Decimal(size.size or 0)))
    return texts


def audience_of(
    found: Previewed, form: BuilderForm, read: Read, sides: tuple[Shown, Shown], words: Words, *, may_list: bool
) -> Audience:
    view = found.view
    if view is None:
        return Audience(problem=found.problem)
    overlap = next(iter(view.overlap.values()), None)
    shared = overlap.size / view.size.size if overlap and overlap.size is not None and view.size.size else None
    return Audience(
        preview=view,
        ring=coordinate(_ROUND * (view.share or 0)),
        steps=_steps(view, read, sides),
        overlap=overlap,
        overlap_share=shared,
        tested=_tested(form.tested, read, words) if may_list and form.tested else None,
    )


def _steps(found: PreviewView, read: Read, sides: tuple[Shown, Shown]) -> list[Step]:
    available = found.available_customers
    if found.size.small or not available.size:
        return []
    names = {one.path: f"{one.number} {name_of(one)}" for side in sides for one in side.nodes}
    steps = [Step(_("Available"), available, width="100")]
    before = available
    for one in found.waterfall:
        path = read.written.path_at(one.pointer)
        if path == "out":
            cut = _difference(before, one.after)
            steps.append(Step(_("Exclude"), cut, *_bar(one.after, cut, available.size), cut=True))
        else:
            label = names.get(path) or name_of(sides[0])
            steps.append(Step(label, one.after, *_bar(None, one.after, available.size)))
        before = one.after
    return steps


def _difference(before: Told, after: Told) -> Told:
    if before.size is None or after.size is None:
        return Told(None, small=True)
    return Told(before.size - after.size)


def _bar(start: Told | None, length: Told, whole: int) -> tuple[str, str]:
    """Where a bar begins and how long it is; nothing where either is not told."""
    if length.size is None or (start is not None and start.size is None):
        return "0", "0"
    begin = start.size or 0 if start is not None else 0
    return coordinate(100 * begin / whole), coordinate(100 * length.size / whole)


def _tested(person: str, read: Read, words: Words) -> Tested:
    assert read.definition is not None
    try:
        customer, found = why_unsaved(read.definition, person)
    except MusterError as error:
        return Tested(problem=said(error.message))
    return Tested(customer, found, lines_of(found.tree, words))
