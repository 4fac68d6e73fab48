"""The controls of a row, as data: what a template needs to draw them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Option:
    value: str
    label: str


@dataclass(frozen=True)
class Select:
    """`lead`: what one reads first in the row."""

    name: str
    label: str
    value: str
    options: Sequence[Option]
    lead: bool = False
    kind: str = "select"


@dataclass(frozen=True)
class Field:
    """One line to type in. `input`: text, number or day; `unit`: stands behind it; `source`: where suggestions are."""

    name: str
    label: str
    value: str
    input: str = "text"
    unit: str = ""
    source: str = ""
    wrong: str = ""
    kind: str = "field"


@dataclass(frozen=True)
class Chip:
    name: str
    value: str
    label: str


@dataclass(frozen=True)
class Chips:
    """Values, each with a button that drops it, and where one more is added: chosen from `options`, or typed."""

    path: str
    label: str
    chips: Sequence[Chip]
    options: Sequence[Option] = ()
    source: str = ""
    wrong: str = ""
    kind: str = "chips"


@dataclass(frozen=True)
class Hidden:
    name: str
    value: str
    kind: str = "hidden"


@dataclass(frozen=True)
class Word:
    text: str
    kind: str = "word"


@dataclass(frozen=True)
class Button:
    """A small button inside a row: `command` as `tree.change` reads it."""

    command: str
    label: str
    icon: str
    kind: str = "button"


Control = Select | Field | Chips | Hidden | Word | Button
Line = Sequence[Control]


@dataclass(frozen=True)
class Shown:
    """A row or a branch. `number`: 2.1; `lines`: the controls of a row; `nodes`: what a branch is of.

    `alone`: how many it selects by itself, as text; empty where it is not known. `wrong`: what is missing or refused.
    """

    path: str
    number: str
    place: int
    last: bool
    lines: Sequence[Line] = ()
    match: Select | None = None
    nodes: Sequence[Shown] = ()
    joined: str = ""
    alone: str = ""
    wrong: Sequence[str] = field(default_factory=tuple)

    @property
    def is_branch(self) -> bool:
        return self.match is not None


def options(labels: Mapping[str, str]) -> list[Option]:
    return [Option(value, label) for value, label in labels.items()]
