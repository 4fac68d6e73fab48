"""The rows of the builder as nested data, and what its buttons do to them (D-19).

    branch = {"match": "all" | "any" | "none", "nodes": [branch | row, ...]}
    row    = {"kind": ..., "attribute" | "event" | "op" | "value" | ...: text, "where" | "steps" | "conditions": [...]}

Every field of the form is named by its path: `in.nodes.0.value`, `out.nodes.1.where.0.op`. A path leads from the root
`{"in": branch, "out": branch}`; numbers are places in lists.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from copy import deepcopy
from typing import Any

from muster.kernel.digits import whole

Tree = dict[str, Any]

DEEPEST_PATH = 40
# Lists of branches and rows, and of texts; whatever else a row has is a text.
_ROWS = frozenset({"nodes", "where", "steps", "conditions"})
_TEXTS = frozenset({"values", "adds"})
_LISTS = _ROWS | _TEXTS


def empty_tree() -> Tree:
    """One row to fill in, nobody excluded."""
    return {"in": {"match": "all", "nodes": [new_row("attribute")]}, "out": {"match": "any", "nodes": []}}


def new_row(kind: str) -> Tree:
    if kind == "group_of":
        return {"match": "any", "nodes": [new_row("attribute")]}
    if kind == "sequence":
        return {"kind": kind, "steps": [{}, {}]}
    if kind == "device":
        return {"kind": kind, "conditions": [{}]}
    return {"kind": kind}


def read_tree(fields: Iterable[tuple[str, str]]) -> Tree:
    """The tree of posted fields; fields that are not of it, and paths nobody's form has, are left out."""
    root: dict[str, Any] = {"in": {}, "out": {}}
    for name, text in fields:
        path = name.split(".")
        if path[0] in root and 1 < len(path) <= DEEPEST_PATH:
            _put(root, path, text)
    tree: Tree = {side: _settled(root[side]) for side in ("in", "out")}
    for side, match in (("in", "all"), ("out", "any")):
        branch = tree[side]
        tree[side] = {"match": branch.get("match", match), "nodes": branch.get("nodes", [])}
    return tree


def _put(place: dict[str, Any], path: list[str], text: str) -> None:
    for step in path[:-1]:
        following = place.setdefault(step, {})
        if not isinstance(following, dict):
            return
        place = following
    if not isinstance(place.get(path[-1]), dict):
        place[path[-1]] = text


def _settled(raw: Mapping[str, Any]) -> Tree:
    """Numbered fields become lists in the order of their numbers; what is no text where one belongs is left out."""
    found: Tree = {}
    for name, value in raw.items():
        if name not in _LISTS:
            if isinstance(value, str):
                found[name] = value
        elif isinstance(value, dict):
            listed = _in_order(value)
            rows = [_settled(one) for one in listed if isinstance(one, dict)]
            found[name] = rows if name in _ROWS else [one for one in listed if isinstance(one, str)]
    return found


def _in_order(numbered: Mapping[str, Any]) -> list[Any]:
    places = [(place, key) for key in numbered if (place := whole(key)) is not None]
    return [numbered[key] for _, key in sorted(places)]


def written(tree: Tree) -> list[tuple[str, str]]:
    """The fields that `read_tree` reads as this tree."""
    return [(".".join(path), text) for path, text in _leaves(tree, ())]


def _leaves(value: Any, path: tuple[str, ...]) -> Iterable[tuple[tuple[str, ...], str]]:
    if isinstance(value, Mapping):
        for name, one in value.items():
            yield from _leaves(one, (*path, name))
    elif isinstance(value, list):
        for place, one in enumerate(value):
            yield from _leaves(one, (*path, str(place)))
    else:
        yield path, str(value)


def change(tree: Tree, command: str) -> Tree:
    """What a button asks for: `add:PATH:KIND`, `drop:PATH`, `copy:PATH`, `up:PATH`, `down:PATH`, `more:PATH`.

    `more` adds an empty item to a list inside a row. A command of another time, whose path is gone, changes nothing.
    """
    verb, _, rest = command.partition(":")
    path, _, kind = rest.partition(":")
    changed = deepcopy(tree)
    place, last = _place(changed, path)
    if place is None or verb not in _VERBS:
        return tree
    _VERBS[verb](place, last, kind)
    return changed


def _place(tree: Tree, path: str) -> tuple[Any, Any]:
    """What holds the end of a path, and under which name or number."""
    place: Any = tree
    *steps, last = path.split(".")
    for step in steps:
        place = _step(place, step)
    if isinstance(place, list):
        number = whole(last)
        return (place, number) if number is not None and number < len(place) else (None, "")
    return (place, last) if isinstance(place, dict) else (None, "")


def _step(place: Any, step: str) -> Any:
    if isinstance(place, list):
        number = whole(step)
        return place[number] if number is not None and number < len(place) else None
    return place.get(step) if isinstance(place, dict) else None


def _add(place: Any, last: Any, kind: str) -> None:
    branch = place[last] if isinstance(place, list) else place.get(last)
    if isinstance(branch, dict) and "match" in branch:
        branch.setdefault("nodes", []).append(new_row(kind or "attribute"))


def _more(place: Any, last: Any, _kind: str) -> None:
    if isinstance(place, dict) and last in _LISTS:
        place.setdefault(last, []).append({})


def _drop(place: Any, last: Any, _kind: str) -> None:
    if isinstance(place, list):
        del place[last]


def _copy(place: Any, last: Any, _kind: str) -> None:
    if isinstance(place, list):
        place.insert(last + 1, deepcopy(place[last]))


def _move(step: int) -> Callable[[Any, Any, str], None]:
    def move(place: Any, last: Any, _kind: str) -> None:
        if isinstance(place, list) and 0 <= last + step < len(place):
            place.insert(last + step, place.pop(last))

    return move


_VERBS: dict[str, Callable[[Any, Any, str], None]] = {
    "add": _add,
    "more": _more,
    "drop": _drop,
    "copy": _copy,
    "up": _move(-1),
    "down": _move(1),
}
