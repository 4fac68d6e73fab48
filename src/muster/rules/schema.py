"""The JSON Schema (2020-12) of definitions, for editors and clients; it knows no attributes, events, apps or groups.

Everything `decode` accepts is valid under it; what only a vocabulary can tell, and limits over the whole document
(200 conditions, 64 KiB), it cannot say.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from muster.rules.decode_events import LONGEST_PATH, LONGEST_WHERE, STEP_COUNTS
from muster.rules.decode_nodes import LONGEST_NODES, LONGEST_SALT
from muster.rules.measures import MEASURE_OPERATORS, MEASURES, PROPERTY_MEASURES, measure_type
from muster.rules.nodes import MeasureKind
from muster.rules.operators import OPERATORS, RANK_OPERATORS, Operator, Shape
from muster.rules.values import LONGEST_LIST
from muster.rules.vocabulary import Type

Schema = dict[str, Any]

SCHEMA_ID = "/api/v1/schemas/definition.json"

_TEXT: Schema = {"type": "string"}
_MOMENT: Schema = {"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}([Tt ].+)?$"}
_DURATION: Schema = {"type": "string", "pattern": r"^P(?=.)(\d+W)?(\d+D)?(T(?=.)(\d+H)?(\d+M)?(\d+S)?)?$"}
_SCALARS: dict[Type, Schema] = {
    Type.TEXT: _TEXT,
    Type.CATEGORY: _TEXT,
    Type.LIST: _TEXT,
    Type.VERSION: _TEXT,
    Type.NUMBER: {"type": "number"},
    Type.MONEY: {"type": "number"},
    Type.BOOLEAN: {"type": "boolean"},
    Type.DATE: _MOMENT,
    Type.TIMESTAMP: _MOMENT,
}
_FIXED_SHAPES: dict[Shape, Schema] = {
    Shape.DURATION: {"$ref": "#/$defs/duration"},
    Shape.DAYS: {"$ref": "#/$defs/duration"},
    Shape.PERCENT: {"type": "number", "exclusiveMinimum": 0, "maximum": 100},
    Shape.COUNT: {"type": "integer", "minimum": 1},
}


def definition_schema() -> Schema:
    """The schema; a new dictionary each time."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": SCHEMA_ID,
        "title": "Definition of a customer group, version 1",
        **_object({"version": {"const": 1}, "app": _APP, "match": _NODE}, required=("version", "match")),
        "$defs": {
            "node": {"oneOf": [*_branches(), *_leaves()]},
            "attribute_condition": _attribute(),
            "filter": _filter(),
            "where": {"type": "array", "items": {"$ref": "#/$defs/filter"}, "minItems": 1, "maxItems": LONGEST_WHERE},
            "window": _window(),
            "duration": _DURATION,
            "moment": _MOMENT,
        },
    }


_APP: Schema = {"type": ["string", "null"]}
_NODE: Schema = {"$ref": "#/$defs/node"}
_WHERE: Schema = {"$ref": "#/$defs/where"}
_WINDOW: Schema = {"$ref": "#/$defs/window"}
_PATH: Schema = {"type": "string", "minLength": 1, "maxLength": LONGEST_PATH}


def _object(properties: Mapping[str, Schema], required: Iterable[str]) -> Schema:
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(required),
        "additionalProperties": False,
    }


def _branches() -> list[Schema]:
    nodes = {"type": "array", "items": _NODE, "minItems": 1, "maxItems": LONGEST_NODES}
    return [_object({kind: nodes}, required=(kind,)) for kind in ("all", "any", "none")]


def _leaves() -> list[Schema]:
    devices = {
        "type": "array",
        "items": {"$ref": "#/$defs/attribute_condition"},
        "minItems": 1,
        "maxItems": LONGEST_NODES,
    }
    sample = {
        "percent": {"type": "number", "minimum": 0, "maximum": 100},
        "salt": {"type": "string", "minLength": 1, "maxLength": LONGEST_SALT},
    }
    return [
        {"$ref": "#/$defs/attribute_condition"},
        _event(),
        _sequence(),
        _object({"group": _TEXT}, required=("group",)),
        _object({"sample": _object(sample, required=sample)}, required=("sample",)),
        _object({"device": _object({"all": devices}, required=("all",))}, required=("device",)),
        _object({"everyone": {"const": True}}, required=("everyone",)),
    ]


def _attribute() -> Schema:
    found = [(type, operator) for type, operators in OPERATORS.items() for operator in operators.values()]
    schema = _object({"attribute": _TEXT, "op": {}, "value": {}, "app": _APP}, required=("attribute", "op"))
    return schema | {"oneOf": _comparisons(found)}


def _filter() -> Schema:
    found = [
        (type, operator)
        for type, operators in OPERATORS.items()
        for operator in operators.values()
        if operator.key not in RANK_OPERATORS
    ]
    schema = _object({"property": _PATH, "op": {}, "value": {}}, required=("property", "op"))
    return schema | {"oneOf": _comparisons(found)}


def _event() -> Schema:
    fields = {"event": _TEXT, "where": _WHERE, "app": _APP, "when": _WINDOW, "measure": {}, "op": {}, "value": {}}
    by_measure = [_measured(kind) for kind in MEASURES]
    return _object(fields, required=("event",)) | {"oneOf": by_measure}


def _measured(kind: MeasureKind) -> Schema:
    """What stands beside one measure; the operator `gte` and the value 1 may be left out where they are allowed."""
    if kind in PROPERTY_MEASURES:
        measure: Schema = {"type": "object", "properties": {kind: _PATH}, "required": [kind], "maxProperties": 1}
    else:
        measure = {"const": kind}
    type = measure_type(kind)
    operators = MEASURE_OPERATORS[kind].values()
    comparisons = [_comparison(operator.key, [_value(type, operator.shape)]) for operator in operators]
    if type is Type.NUMBER:
        for operator, branch in zip(operators, comparisons, strict=True):
            if operator.shape is Shape.ONE:
                branch["required"] = ["op"]
        comparisons.append({"properties": {"op": False, "value": _SCALARS[Type.NUMBER]}})
    required = [] if kind == "count" else ["measure"]
    return {"properties": {"measure": measure}, "required": required, "oneOf": comparisons}


def _sequence() -> Schema:
    first = _object({"event": _TEXT, "where": _WHERE}, required=("event",))
    later = _object({"event": _TEXT, "where": _WHERE, "within": {"$ref": "#/$defs/duration"}}, required=("event",))
    least, most = STEP_COUNTS
    steps = {"type": "array", "prefixItems": [first], "items": later, "minItems": least, "maxItems": most}
    return _object({"sequence": steps, "when": _WINDOW, "app": _APP}, required=("sequence",))


def _window() -> Schema:
    moment = {"$ref": "#/$defs/moment"}
    return {
        "oneOf": [
            _object({"last": {"$ref": "#/$defs/duration"}}, required=("last",)),
            _object({"from": moment, "to": moment}, required=()) | {"minProperties": 1},
        ]
    }


def _comparisons(found: Iterable[tuple[Type, Operator]]) -> list[Schema]:
    """One branch per operator: its name and the values any of the given types lets it have."""
    values: dict[str, list[Schema]] = {}
    for type, operator in found:
        schemas = values.setdefault(operator.key, [])
        value = _value(type, operator.shape)
        if value not in schemas:
            schemas.append(value)
    return [_comparison(key, schemas) for key, schemas in values.items()]


def _comparison(key: str, values: list[Schema]) -> Schema:
    if values == [_NOTHING]:
        return {"properties": {"op": {"const": key}, "value": False}, "required": ["op"]}
    return {"properties": {"op": {"const": key}, "value": {"anyOf": values}}, "required": ["op", "value"]}


_NOTHING: Schema = {}


def _value(type: Type, shape: Shape) -> Schema:
    if shape is Shape.NOTHING:
        return _NOTHING
    if shape is Shape.ONE:
        return _SCALARS[type]
    if shape is Shape.LIST:
        return {"type": "array", "items": _SCALARS[type], "minItems": 1, "maxItems": LONGEST_LIST}
    if shape is Shape.PAIR:
        return {"type": "array", "items": _SCALARS[type], "minItems": 2, "maxItems": 2}
    return _FIXED_SHAPES[shape]
