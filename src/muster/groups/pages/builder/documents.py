"""The rows of the builder as a definition's JSON, and back. What is not filled in yet is named and left out (D-21)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.utils.translation import gettext as _

from muster.groups.pages.builder.settle import CATEGORY, NUMERIC
from muster.groups.pages.builder.tree import Tree
from muster.kernel.durations import parse_duration
from muster.rules.codec import encode
from muster.rules.decode_events import infer_type
from muster.rules.nodes import Definition
from muster.rules.numbers import json_number, parse_number
from muster.rules.operators import OPERATORS, Shape
from muster.rules.vocabulary import Type, Vocabulary
from muster.web.formats import BabelFormats

_MISSING = object()
_UNITS = {"D": "P{}D", "H": "PT{}H", "M": "PT{}M", "S": "PT{}S"}
_COMPARISON = {key: one.shape for operators in OPERATORS.values() for key, one in operators.items()}


@dataclass(frozen=True)
class Blank:
    """Something of a row that is missing or cannot be read: `path` of the row, `field` below it, a sentence."""

    path: str
    field: str
    message: str


@dataclass
class Written:
    """`match` is None where nothing is complete; `places`: path of the row behind each JSON object, by its `id`."""

    match: dict[str, Any] | None = None
    blanks: list[Blank] = field(default_factory=list)
    places: list[tuple[dict[str, Any], str]] = field(default_factory=list)

    def path_at(self, pointer: str) -> str:
        """The row that stands at a JSON Pointer into the definition or above it."""
        place: Any = {"match": self.match}
        found = "in"
        for step in pointer.split("/")[1:]:
            try:
                place = place[int(step)] if isinstance(place, list) else place[step]
            except (KeyError, IndexError, ValueError, TypeError):
                break
            found = next((path for one, path in self.places if one is place), found)
        return found


def write_match(tree: Tree, formats: BabelFormats, left_out: frozenset[str] = frozenset()) -> Written:
    """The tree as `match` of a definition: what is included, and none of what is excluded at its end (D-23).

    `left_out`: paths of rows that are taken as if they were not there.
    """
    writer = _Writer(formats, left_out)
    written = writer.written
    included = writer.branch(tree["in"], "in")
    excluded = writer.branch(tree["out"], "out", required=False)
    if included is None:
        return written
    [(kind, nodes)] = included.items()
    if excluded is None:
        written.match = nodes[0] if len(nodes) == 1 else included
    else:
        without = {"none": excluded[tree["out"]["match"]]}
        written.match = {"all": [*(nodes if kind == "all" or len(nodes) == 1 else [included]), without]}
        written.places.append((without, "out"))
    written.places.append((written.match, "in"))
    return written


class _Writer:
    def __init__(self, formats: BabelFormats, left_out: frozenset[str]) -> None:
        self.written = Written()
        self._formats = formats
        self._left_out = left_out

    def branch(self, branch: Tree, path: str, *, required: bool = True) -> dict[str, Any] | None:
        nodes = [self._node(one, f"{path}.nodes.{place}") for place, one in enumerate(branch["nodes"])]
        complete = [one for one in nodes if one is not None]
        if not branch["nodes"] and required:
            self._blank(path, "", _("Add a condition. To include everybody, choose “Everyone”."))
        if not complete:
            return None
        document = {branch["match"]: complete}
        if path not in ("in", "out"):
            self.written.places.append((document, path))
        return document

    def _node(self, node: Tree, path: str) -> dict[str, Any] | None:
        if path in self._left_out:
            return None
        if "match" in node:
            return self.branch(node, path)
        before = len(self.written.blanks)
        document = self._row(node, path)
        if len(self.written.blanks) > before:
            return None
        self.written.places.append((document, path))
        return document

    def _row(self, row: Tree, path: str) -> dict[str, Any]:
        match row["kind"]:
            case "event":
                return self._event(row, path)
            case "sequence":
                steps = [self._step(one, f"{path}.steps.{place}") for place, one in enumerate(row["steps"])]
                return {"sequence": steps} | self._period(row, path) | _app(row)
            case "device":
                listed = enumerate(row["conditions"])
                return {"device": {"all": [self._row(one, f"{path}.conditions.{place}") for place, one in listed]}}
            case "group":
                if not row["group"]:
                    self._blank(path, "group", _("Choose a group."))
                return {"group": row["group"]}
            case "sample":
                percent = self._number(row["percent"], path, "percent")
                if not row["salt"]:
                    self._blank(path, "salt", _("Give the sample a name: the same name draws the same people."))
                return {"sample": {"percent": percent, "salt": row["salt"]}}
            case "everyone":
                return {"everyone": True}
            case _:
                return {"attribute": row["attribute"]} | _app(row) | self._compared(row, path)

    def _event(self, row: Tree, path: str) -> dict[str, Any]:
        document: dict[str, Any] = {"event": row["event"]} | _app(row)
        if "property" in row:
            if not row["property"]:
                self._blank(path, "property", _("Choose a property."))
            document["measure"] = {row["measure"]: row["property"]}
        elif row["measure"] != "count":
            document["measure"] = row["measure"]
        document |= self._compared(row, path) | self._period(row, path) | self._where(row, path)
        return document

    def _step(self, step: Tree, path: str) -> dict[str, Any]:
        within = {"within": self._length(step["within"], step["unit"], path, "within")} if step.get("within") else {}
        return {"event": step["event"]} | self._where(step, path) | within

    def _where(self, row: Tree, path: str) -> dict[str, Any]:
        filters = [
            {"property": one["property"]} | self._compared(one, f"{path}.where.{place}")
            for place, one in enumerate(row["where"])
        ]
        return {"where": filters} if filters else {}

    def _period(self, row: Tree, path: str) -> dict[str, Any]:
        if row["period"] == "last":
            return {"when": {"last": self._length(row["length"], row["unit"], path, "length")}}
        ends = {name: row[name] for name in ("from", "to") if row.get(name)}
        if row["period"] == "between" and not ends:
            self._blank(path, "from", _("Choose a day."))
        return {"when": ends} if ends else {}

    def _compared(self, row: Tree, path: str) -> dict[str, Any]:
        value = self._value(row, Type(row["type"]), path)
        return {"op": row["op"]} if value is _MISSING else {"op": row["op"], "value": value}

    def _value(self, row: Tree, type: Type, path: str) -> Any:
        match _COMPARISON[row["op"]]:
            case Shape.NOTHING:
                return _MISSING
            case Shape.LIST:
                if not row["values"]:
                    self._blank(path, "add", _("Choose at least one value."))
                return [self._one(one, type, path, "add") for one in row["values"]]
            case Shape.PAIR:
                return [self._one(row[end], type, path, end) for end in ("low", "high")]
            case Shape.DURATION:
                return self._length(row["length"], row["unit"], path, "length")
            case Shape.DAYS:
                return self._length(row["length"], "D", path, "length")
            case Shape.PERCENT | Shape.COUNT:
                return self._number(row["value"], path, "value")
            case Shape.ONE:
                return self._one(row["value"], type, path, "value")

    def _one(self, text: str, type: Type, path: str, field: str) -> Any:
        if type in NUMERIC:
            return self._number(text, path, field)
        if type is Type.BOOLEAN:
            return text != "false"
        if not text and type not in (Type.TEXT, Type.CATEGORY):
            self._blank(path, field, _("Choose a day.") if type in (Type.DATE, Type.TIMESTAMP) else _("Write a value."))
        elif not text:
            self._blank(path, field, _("Write a value."))
        return text

    def _number(self, text: str, path: str, field: str) -> int | float:
        if not text.strip():
            self._blank(path, field, _("Write a number."))
            return 0
        number = self._formats.read_number(text)
        try:
            if number is None:
                raise ValueError(text)
            return json_number(parse_number(number))
        except ValueError:
            self._blank(
                path,
                field,
                _("“%(text)s” is not a number as you write it: %(example)s.")
                % {"text": text, "example": self._formats.number(1234)},
            )
            return 0

    def _length(self, text: str, unit: str, path: str, field: str) -> str:
        number = text.strip()
        written = _UNITS.get(unit, "P{}D").format(number.lstrip("0") or "0")
        try:
            if not (number.isascii() and number.isdecimal()):
                raise ValueError(number)
            parse_duration(written)
        except ValueError:
            self._blank(path, field, _("Write a whole number from 1, at most 100 years."))
        return written

    def _blank(self, path: str, field: str, message: str) -> None:
        self.written.blanks.append(Blank(path, field, message))


def _app(row: Tree) -> dict[str, str]:
    return {"app": row["app"]} if row.get("app") else {}


def tree_of(definition: Definition, words: Vocabulary, formats: BabelFormats) -> Tree:
    """The rows that say a definition; `write_match` of them means the same."""
    match = encode(definition)["match"]
    reader = _Reader(words, formats)
    included, excluded = _parted(match)
    return {
        "in": reader.branch(included),
        "out": {"match": "any", "nodes": [reader.node(one) for one in excluded]},
    }


def _parted(match: dict[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """What is included and what is excluded: a `none` at the root, or as the last of a root `all` (D-23)."""
    nodes = match.get("all")
    if nodes and len(nodes) > 1 and "none" in nodes[-1] and not any("none" in one for one in nodes[:-1]):
        rest = nodes[:-1]
        return (rest[0] if len(rest) == 1 and "any" in rest[0] else {"all": rest}), nodes[-1]["none"]
    return match, []


class _Reader:
    def __init__(self, words: Vocabulary, formats: BabelFormats) -> None:
        self._words = words
        self._formats = formats

    def branch(self, node: dict[str, Any]) -> Tree:
        """A root: one condition alone is all of one."""
        kind = next((name for name in ("all", "any") if name in node), None)
        if kind is None:
            return {"match": "all", "nodes": [self.node(node)]}
        return {"match": kind, "nodes": [self.node(one) for one in node[kind]]}

    def node(self, node: dict[str, Any]) -> Tree:
        kind = next((name for name in ("all", "any", "none") if name in node), None)
        if kind is not None:
            return {"match": kind, "nodes": [self.node(one) for one in node[kind]]}
        row: Tree = {"app": node.get("app", "")}
        if "attribute" in node:
            return self._attribute(node)
        if "event" in node:
            return {"kind": "event"} | row | self._event(node) | _period_of(node)
        if "sequence" in node:
            return {"kind": "sequence", "steps": [self._step(one) for one in node["sequence"]]} | row | _period_of(node)
        if "device" in node:
            return {"kind": "device", "conditions": [self._attribute(one) for one in node["device"]["all"]]}
        if "sample" in node:
            return {"kind": "sample", "percent": self._text(node["sample"]["percent"]), "salt": node["sample"]["salt"]}
        return {"kind": "group", "group": node["group"]} if "group" in node else {"kind": "everyone"}

    def _attribute(self, node: dict[str, Any]) -> Tree:
        known = self._words.attributes[node["attribute"]]
        row = {"kind": CATEGORY + known.category, "attribute": known.key, "app": node.get("app", "")}
        return row | self._comparison(node, known.key)

    def _event(self, node: dict[str, Any]) -> Tree:
        measure = node.get("measure", "count")
        row: Tree = {"event": node["event"], "measure": measure}
        if isinstance(measure, dict):
            [(row["measure"], row["property"])] = measure.items()
        compared = {"op": "gte", "value": 1, **node} if measure == "count" else node
        return row | self._comparison(compared, row["measure"]) | {"where": self._where(node)}

    def _step(self, node: dict[str, Any]) -> Tree:
        row: Tree = {"event": node["event"], "where": self._where(node)}
        if "within" in node:
            row["within"], row["unit"] = _length_of(node["within"])
        return row

    def _where(self, node: dict[str, Any]) -> list[Tree]:
        return [
            {"property": one["property"], "type": str(infer_type(one["op"], one.get("value")))}
            | self._comparison(one, one["property"])
            for one in node.get("where", [])
        ]

    def _comparison(self, node: dict[str, Any], about: str) -> Tree:
        row: Tree = {"op": node["op"], "about": about}
        value: Any = node.get("value")
        match _COMPARISON[node["op"]]:
            case Shape.LIST:
                row["values"] = [self._text(one) for one in value]
            case Shape.PAIR:
                row["low"], row["high"] = (self._text(one) for one in value)
            case Shape.DURATION | Shape.DAYS:
                row["length"], row["unit"] = _length_of(value)
            case Shape.NOTHING:
                pass
            case _:
                row["value"] = self._text(value)
        return row

    def _text(self, value: Any) -> str:
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, int | float):
            return self._formats.number(parse_number(value))
        return str(value)


def _period_of(node: dict[str, Any]) -> Tree:
    when = node.get("when")
    if not when:
        return {"period": ""}
    if "last" in when:
        length, unit = _length_of(when["last"])
        return {"period": "last", "length": length, "unit": unit}
    return {"period": "between", "from": when.get("from", ""), "to": when.get("to", "")}


def _length_of(text: str) -> tuple[str, str]:
    """A duration as a number of the largest unit that says it exactly; seconds become minutes' fractions nowhere."""
    length = parse_duration(text)
    for unit, size in (("D", timedelta(days=1)), ("H", timedelta(hours=1)), ("M", timedelta(minutes=1))):
        if length % size == timedelta():
            return str(length // size), unit
    return str(int(length.total_seconds())), "S"


def pointers(match: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every node of a definition's JSON with its JSON Pointer."""

    def walk(node: dict[str, Any], pointer: str) -> Iterator[tuple[str, dict[str, Any]]]:
        yield pointer, node
        for kind in ("all", "any", "none"):
            for place, child in enumerate(node.get(kind, [])):
                yield from walk(child, f"{pointer}/{kind}/{place}")

    return walk(match, "/match")
