"""The tree of the builder as a page shows it: rows with numbers, controls, sizes and what is wrong with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from muster.groups.pages.builder.clauses import Clauses
from muster.groups.pages.builder.controls import Line, Select, Shown, options
from muster.groups.pages.builder.documents import Blank
from muster.groups.pages.builder.labels import joined_by, match_labels
from muster.groups.pages.builder.tree import Tree


@dataclass(frozen=True)
class Rows:
    """`alone`: what each row selects by itself, as text, by path; `blanks`: what is missing, wherever it is."""

    clauses: Clauses
    alone: Mapping[str, str] = field(default_factory=dict)
    blanks: Sequence[Blank] = ()

    def shown(self, tree: Tree) -> tuple[Shown, Shown]:
        """What is included and what is excluded; numbers go on from one to the other, as sentences name them."""
        numbers = count(1)
        return (
            self._branch(tree["in"], "in", "", 0, True, numbers),
            self._branch(tree["out"], "out", "", 0, True, numbers),
        )

    def _branch(self, node: Tree, path: str, number: str, place: int, last: bool, numbers: count[int]) -> Shown:
        nested = path not in ("in", "out")
        inner = count(1) if nested else numbers
        nodes = node["nodes"]
        shown = [
            self._node(one, f"{path}.nodes.{index}", number, index, index == len(nodes) - 1, inner)
            for index, one in enumerate(nodes)
        ]
        labels = match_labels(nested=nested)
        match = Select(f"{path}.match", _("Match"), node["match"], options(labels), lead=True)
        return Shown(
            path,
            number,
            place,
            last,
            match=match,
            nodes=shown,
            joined=joined_by(node["match"]),
            alone=self.alone.get(path, ""),
            wrong=self._wrong(path),
        )

    def _node(self, node: Tree, path: str, above: str, place: int, last: bool, numbers: count[int]) -> Shown:
        own = next(numbers)
        number = f"{above}.{own}" if above else str(own)
        if "match" in node:
            return self._branch(node, path, number, place, last, numbers)
        lines: Sequence[Line] = self.clauses.lines(node, path, {one.field for one in self.blanks if one.path == path})
        return Shown(path, number, place, last, lines, alone=self.alone.get(path, ""), wrong=self._wrong(path))

    def _wrong(self, path: str) -> list[str]:
        """Of the row itself and of what is inside it, but not of the rows of a branch."""
        return list(
            dict.fromkeys(
                one.message
                for one in self.blanks
                if one.path == path or (one.path.startswith(f"{path}.") and ".nodes." not in one.path[len(path) :])
            )
        )


def name_of(shown: Shown) -> str:
    """What a row is called where its figure stands without it."""
    if shown.is_branch:
        assert shown.match is not None
        chosen = next((one.label for one in shown.match.options if one.value == shown.match.value), "")
        return pgettext("conditions", "%(match)s of") % {"match": chosen}
    for line in shown.lines:
        for one in line:
            if isinstance(one, Select) and one.lead:
                return next((item.label for item in one.options if item.value == one.value), one.value)
    return ""
