"""Makes a row consistent after a choice in it: what was typed is kept wherever the types allow it (G-13)."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from muster.groups.pages.builder.tree import Tree
from muster.rules.measures import MEASURE_OPERATORS, MEASURES, PROPERTY_MEASURES, measure_type
from muster.rules.nodes import MeasureKind
from muster.rules.operators import OPERATORS, RANK_OPERATORS, Operator, Shape
from muster.rules.vocabulary import Attribute, Scope, Type, Vocabulary
from muster.web.formats import BabelFormats

CATEGORY = "attribute/"
"""A row on an attribute has the kind `attribute/CATEGORY`: one first chooses where to look."""
KINDS = ("event", "sequence", "device", "group", "sample", "everyone")
NUMERIC = (Type.NUMBER, Type.MONEY)
_FIRST_CATEGORY, _FIRST_ATTRIBUTE = "demographic", "age_group"
_USUAL = {
    Type.TEXT: "is",
    Type.CATEGORY: "in",
    Type.NUMBER: "gte",
    Type.MONEY: "gt",
    Type.BOOLEAN: "is",
    Type.DATE: "in_last",
    Type.TIMESTAMP: "in_last",
    Type.VERSION: "gte",
    Type.LIST: "has_any",
}
_SEPARATORS = re.compile(r"[\n\r\t;,]+")
_VALUES = ("value", "low", "high")


@dataclass(frozen=True)
class Settler:
    """`typed`: how the numbers of the form were written; `shown`: how its reader writes them."""

    words: Vocabulary
    typed: BabelFormats
    shown: BabelFormats

    def tree(self, tree: Tree) -> Tree:
        return {side: self._node(tree[side]) for side in ("in", "out")}

    def _node(self, node: Tree) -> Tree:
        if "match" in node:
            match = node["match"] if node["match"] in ("all", "any", "none") else "all"
            return {"match": match, "nodes": [self._node(one) for one in node.get("nodes", [])]}
        kind = str(node.get("kind", "attribute"))
        if kind not in KINDS:
            return self._attribute(node, kind)
        return _SETTLE[kind](self, node)

    def _attribute(self, row: Tree, kind: str) -> Tree:
        category = kind.partition("/")[2]
        keys = [one.key for one in attributes_of(self.words, category or _FIRST_CATEGORY)]
        asked = self.words.attributes.get(str(row.get("attribute")))
        fits = asked is not None and (not category or asked.key in keys)
        attribute = asked if asked and fits else self.words.attributes[keys[0] if keys else _FIRST_ATTRIBUTE]
        key = attribute.key
        operators = dict(OPERATORS[attribute.type])
        if attribute.scope is Scope.DEVICE:
            operators = {name: one for name, one in operators.items() if name not in RANK_OPERATORS}
        compared = self._compared({**row, "attribute": key}, attribute.type, operators, key)
        # `app` is asked for where a customer has one value per app.
        app = row.get("app", "") if attribute.scope is Scope.APP else ""
        return {"kind": CATEGORY + attribute.category, "attribute": key, "app": app, **compared}

    def _event(self, row: Tree) -> Tree:
        event = self._event_key(row)
        measure: MeasureKind = next((one for one in MEASURES if one == row.get("measure")), "count")
        kept = {"kind": "event", "event": event, "measure": measure, "app": row.get("app", "")}
        if measure in PROPERTY_MEASURES:
            kept["property"] = row.get("property", "")
        row = {"op": "gte", "value": "1", **row} if measure == "count" else row
        compared = self._compared(row, measure_type(measure), dict(MEASURE_OPERATORS[measure]), measure)
        return kept | compared | self._period(row) | {"where": self._where(row, event)}

    def _sequence(self, row: Tree) -> Tree:
        steps = [
            {
                "event": (event := self._event_key(step)),
                "where": self._where(step, event),
                **({"within": step.get("within", ""), "unit": step.get("unit", "D")} if place else {}),
            }
            for place, step in enumerate(row.get("steps", []))
        ]
        return {"kind": "sequence", "steps": steps, "app": row.get("app", "")} | self._period(row)

    def _device(self, row: Tree) -> Tree:
        conditions = [self._attribute(one, CATEGORY + "device") for one in row.get("conditions", [])]
        return {"kind": "device", "conditions": conditions}

    def _group(self, row: Tree) -> Tree:
        return {"kind": "group", "group": row.get("group", "")}

    def _sample(self, row: Tree) -> Tree:
        return {"kind": "sample", "percent": self._number(row.get("percent", "")), "salt": row.get("salt", "")}

    def _everyone(self, _row: Tree) -> Tree:
        return {"kind": "everyone"}

    def _event_key(self, row: Tree) -> str:
        event = str(row.get("event", ""))
        if event in self.words.events:
            return event
        return "order_completed" if "order_completed" in self.words.events else next(iter(self.words.events), "")

    def _where(self, row: Tree, event: str) -> list[Tree]:
        known = self.words.events[event].properties if event in self.words.events else {}
        settled = []
        for one in row.get("where", []):
            path = str(one.get("property") or next(iter(known), ""))
            type = known.get(path) or _type_of(one)
            operators = {key: op for key, op in OPERATORS[type].items() if key not in RANK_OPERATORS}
            settled.append({"property": path, **self._compared(one, type, operators, path)})
        return settled

    def _period(self, row: Tree) -> Tree:
        period = row.get("period", "")
        if period == "last":
            return {"period": period, "length": row.get("length") or "30", "unit": row.get("unit") or "D"}
        if period == "between":
            return {"period": period, "from": row.get("from", ""), "to": row.get("to", "")}
        return {"period": ""}

    def _compared(self, row: Tree, type: Type, operators: dict[str, Operator], about: str) -> Tree:
        """Operator and values. `about`: what is compared; a value of something else is not kept."""
        if row.get("about", about) != about:
            # Another thing of the same type may well be compared alike; "18 to 24" says nothing about money.
            row = {name: row[name] for name in ("op", *_VALUES) if name in row} if type == row.get("type") else {}
        op = str(row.get("op"))
        if op not in operators:
            op = _USUAL[type] if _USUAL[type] in operators else next(iter(operators))
        row = self._rewritten(row, type)
        return {"op": op, "about": about, "type": str(type), **_shaped(row, operators[op].shape)}

    def _rewritten(self, row: Tree, type: Type) -> Tree:
        """Numbers typed in another language, written as the reader writes them."""
        if type not in NUMERIC:
            return row
        changed = {name: self._number(row[name]) for name in _VALUES if name in row}
        return {**row, **changed, "values": [self._number(one) for one in row.get("values", [])]}

    def _number(self, text: str) -> str:
        if self.typed.locale == self.shown.locale:
            return text
        number = self.typed.read_number(text)
        return text if number is None else self.shown.number(number)


def _type_of(row: Tree) -> Type:
    """Of a property nobody has seen yet: as it was compared before, else text."""
    return Type(row["type"]) if row.get("type") in set(Type) else Type.TEXT


def attributes_of(words: Vocabulary, category: str) -> list[Attribute]:
    return [one for one in words.attributes.values() if one.category == category]


def _shaped(row: Tree, shape: Shape) -> Tree:
    value, values = row.get("value", ""), _with_added(row)
    first = value or (values[0] if values else "") or row.get("low", "")
    match shape:
        case Shape.NOTHING:
            return {}
        case Shape.LIST:
            return {"values": values or ([first] if first else [])}
        case Shape.PAIR:
            return {"low": row.get("low") or first, "high": row.get("high", "")}
        case Shape.DURATION:
            return {"length": row.get("length") or "30", "unit": row.get("unit") or "D"}
        case Shape.DAYS:
            return {"length": row.get("length") or "30"}
        case _:
            return {"value": first}


def _with_added(row: Tree) -> list[str]:
    """The values, and those of `adds` and `add`, each of which may be a pasted list; each once."""
    values = [one for one in row.get("values", []) if isinstance(one, str) and one]
    told = [one for one in [*row.get("adds", []), row.get("add", "")] if isinstance(one, str)]
    # A comma is part of some names of things, but nobody's list of one is written on several lines.
    added = [part.strip() for one in told for part in _SEPARATORS.split(one)]
    return list(dict.fromkeys([*values, *(one for one in added if one)]))


_SETTLE: dict[str, Callable[[Settler, Tree], Tree]] = {
    "event": Settler._event,
    "sequence": Settler._sequence,
    "device": Settler._device,
    "group": Settler._group,
    "sample": Settler._sample,
    "everyone": Settler._everyone,
}
