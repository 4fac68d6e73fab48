"""The controls of one condition, by its kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _

from muster.groups.pages.builder import labels
from muster.groups.pages.builder.controls import (
    Button,
    Chip,
    Chips,
    Control,
    Field,
    Hidden,
    Line,
    Option,
    Select,
    Word,
    options,
)
from muster.groups.pages.builder.settle import CATEGORY, KINDS, attributes_of
from muster.groups.pages.builder.tree import Tree
from muster.rules.describe.words import Words
from muster.rules.measures import MEASURE_OPERATORS, PROPERTY_MEASURES
from muster.rules.operators import OPERATORS, RANK_OPERATORS, Shape
from muster.rules.vocabulary import Scope, Type, Vocabulary

_SHAPES = {key: one.shape for operators in OPERATORS.values() for key, one in operators.items()}


@dataclass(frozen=True)
class Clauses:
    """`of_app`: whether the customers are those of one app. `groups`: names of groups by id.

    `labels_of`: values that data holds of an open category, None if too many.
    """

    known: Vocabulary
    words: Words
    currency: str
    of_app: bool
    groups: Mapping[str, str]
    apps: Mapping[str, str]
    labels_of: Callable[[str], Sequence[str] | None]

    def lines(self, row: Tree, path: str, wrong: set[str]) -> list[Line]:
        """The controls of a row in lines, each of which stays together where there is room."""
        kind = row["kind"]
        if kind.startswith(CATEGORY):
            return self._attribute(row, path, wrong)
        return _LINES[kind](self, row, path, wrong)

    def _kind(self, row: Tree, path: str) -> Select:
        categories = [
            Option(CATEGORY + key, label)
            for key, label in labels.category_labels().items()
            if attributes_of(self.known, key)
        ]
        others = [Option(key, label) for key, label in labels.kind_labels().items() if key in KINDS]
        return Select(f"{path}.kind", _("Kind of condition"), row["kind"], [*categories, *others])

    def _attribute(self, row: Tree, path: str, wrong: set[str]) -> list[Line]:
        attribute = self.known.attributes[row["attribute"]]
        choices = [Option(one.key, self._name(one.key)) for one in attributes_of(self.known, attribute.category)]
        first: list[Control] = [
            self._kind(row, path),
            Select(f"{path}.attribute", _("Attribute"), attribute.key, choices, lead=True),
        ]
        rest = [*self._attribute_compared(row, path, wrong), *self._app(row, path, attribute.scope)]
        return [[*first, *chain.from_iterable(rest)]]

    def _name(self, attribute: str) -> str:
        return self.words.names.attribute(attribute)

    def _attribute_compared(self, row: Tree, path: str, wrong: set[str]) -> list[Line]:
        attribute = self.known.attributes[row["attribute"]]
        operators = [
            key for key in OPERATORS[attribute.type] if not (attribute.scope is Scope.DEVICE and key in RANK_OPERATORS)
        ]
        about = attribute.key
        values: Sequence[str] | None = attribute.values or None
        if values is None and attribute.type is Type.CATEGORY:
            values = self.labels_of(about)
        return self._compared(
            row, path, wrong, _offered(labels.operator_labels(attribute.type), operators), attribute.type, values
        )

    def _app(self, row: Tree, path: str, scope: Scope) -> list[Line]:
        """In which app: asked where the row names one, or where there are several to name."""
        if scope is not Scope.APP or (len(self.apps) < 2 and not row.get("app")):
            return []
        choices = [Option("", _("in this app") if self.of_app else _("in any app")), *options(self.apps)]
        return [[Select(f"{path}.app", _("App"), row.get("app", ""), choices)]]

    def _compared(
        self,
        row: Tree,
        path: str,
        wrong: set[str],
        operators: list[Option],
        type: Type,
        values: Sequence[str] | None = None,
        source: str = "",
    ) -> list[Line]:
        head: list[Control] = [
            Hidden(f"{path}.about", row["about"]),
            Hidden(f"{path}.type", row["type"]),
            Select(f"{path}.op", _("Comparison"), row["op"], operators),
        ]
        shape = _SHAPES[row["op"]]
        if shape is Shape.LIST:
            return [head, [self._chips(row, path, wrong, values, source)]]
        return [[*head, *self._value(row, path, wrong, type, shape, values, source)]]

    def _chips(self, row: Tree, path: str, wrong: set[str], values: Sequence[str] | None, source: str) -> Chips:
        about = row["about"]
        chips = [
            Chip(f"{path}.values.{place}", one, self._label(about, one)) for place, one in enumerate(row["values"])
        ]
        free = [Option(one, self._label(about, one)) for one in values or () if one not in row["values"]]
        return Chips(
            path,
            _("Values"),
            chips,
            sorted(free, key=_by_label) if about == "country" else free,
            source,
            "add" if "add" in wrong else "",
        )

    def _label(self, about: str, value: str) -> str:
        if about == "country":
            return self.words.formats.country(value)
        return self.words.names.value(about, value) or value

    def _value(
        self, row: Tree, path: str, wrong: set[str], type: Type, shape: Shape, values: Sequence[str] | None, source: str
    ) -> list[Control]:
        match shape:
            case Shape.NOTHING:
                return []
            case Shape.PAIR:
                ends = [self._one(row, path, end, wrong, type, source) for end in ("low", "high")]
                return [ends[0], Word(_("and")), ends[1]]
            case Shape.DURATION:
                return self._length(row, path, "length", "unit", wrong)
            case Shape.DAYS:
                return [self._number(row, path, "length", wrong, _("days"))]
            case Shape.PERCENT:
                return [self._number(row, path, "value", wrong, "%")]
            case Shape.COUNT:
                return [self._number(row, path, "value", wrong, _("customers"))]
        if type is Type.BOOLEAN:
            truth = [Option("true", _("yes")), Option("false", _("no"))]
            return [Select(f"{path}.value", _("Value"), row["value"] or "true", truth, lead=True)]
        if values:
            choices = [Option(one, self._label(row["about"], one)) for one in values]
            if row["value"] and row["value"] not in values:
                choices.append(Option(row["value"], self._label(row["about"], row["value"])))
            empty = [] if row["value"] else [Option("", _("Choose…"))]
            return [Select(f"{path}.value", _("Value"), row["value"], [*empty, *choices], lead=True)]
        return [self._one(row, path, "value", wrong, type, source)]

    def _one(self, row: Tree, path: str, name: str, wrong: set[str], type: Type, source: str = "") -> Field:
        value = row.get(name, "")
        kind, unit = "text", ""
        if type in (Type.NUMBER, Type.MONEY):
            kind, unit = "number", self.currency if type is Type.MONEY else ""
        elif type in (Type.DATE, Type.TIMESTAMP) and "T" not in value:
            kind = "day"
        return Field(f"{path}.{name}", _("Value"), value, kind, unit, source, name if name in wrong else "")

    def _number(self, row: Tree, path: str, name: str, wrong: set[str], unit: str) -> Field:
        label = _("Number of %(unit)s") % {"unit": unit}
        return Field(f"{path}.{name}", label, row.get(name, ""), "number", unit, "", name if name in wrong else "")

    def _length(self, row: Tree, path: str, name: str, unit: str, wrong: set[str]) -> list[Control]:
        units = labels.unit_labels()
        if row.get(unit) == "S":
            units["S"] = _("seconds")
        return [
            Field(f"{path}.{name}", _("Length"), row.get(name, ""), "number", wrong=name if name in wrong else ""),
            Select(f"{path}.{unit}", _("Unit"), row.get(unit, "D"), options(units)),
        ]

    def _event(self, row: Tree, path: str, wrong: set[str]) -> list[Line]:
        first: list[Control] = [self._kind(row, path), self._event_of(row, path)]
        measures = options(labels.measure_labels())
        measured: list[Control] = [Select(f"{path}.measure", _("Measure"), row["measure"], measures)]
        if row["measure"] in PROPERTY_MEASURES:
            measured.append(self._property(row, path, "property", row["event"]))
        names = labels.operator_labels(Type.TIMESTAMP) if row["type"] == "timestamp" else labels.count_labels()
        compared = self._compared(
            row, path, wrong, _offered(names | _set_labels(), MEASURE_OPERATORS[row["measure"]]), Type(row["type"])
        )
        if row["measure"] == "count" and _SHAPES[row["op"]] is Shape.ONE:
            compared = [[replace(one, unit=_("times")) if isinstance(one, Field) else one for one in compared[0]]]
        return [
            [*first, *measured, *chain.from_iterable(compared)],
            [
                self._period_kind(row, path),
                *self._ends(row, path, wrong),
                *chain.from_iterable(self._app(row, path, Scope.APP)),
            ],
            *self._where(row, path),
        ]

    def _event_of(self, row: Tree, path: str) -> Select:
        events = [Option(one, one) for one in self.known.events]
        return Select(f"{path}.event", _("Event"), row["event"], events, lead=True)

    def _property(self, row: Tree, path: str, name: str, event: str) -> Control:
        known = self.known.events[event].properties if event in self.known.events else {}
        value = row.get(name, "")
        if not known:
            return Field(f"{path}.{name}", _("Property"), value)
        choices = [Option(one, one) for one in known]
        if value and value not in known:
            choices.append(Option(value, value))
        return Select(
            f"{path}.{name}", _("Property"), value, [*([] if value else [Option("", _("Choose…"))]), *choices]
        )

    def _period_kind(self, row: Tree, path: str) -> Select:
        return Select(f"{path}.period", _("Period"), row["period"], options(labels.period_labels()))

    def _ends(self, row: Tree, path: str, wrong: set[str]) -> list[Control]:
        if row["period"] == "last":
            return self._length(row, path, "length", "unit", wrong)
        if row["period"] == "between":
            first = self._one(row, path, "from", wrong, Type.DATE)
            return [first, Word(_("and before")), self._one(row, path, "to", wrong, Type.DATE)]
        return []

    def _where(self, row: Tree, path: str) -> list[Line]:
        lines: list[Line] = []
        for place, one in enumerate(row["where"]):
            here = f"{path}.where.{place}"
            type = Type(one["type"])
            keys = [key for key in OPERATORS[type] if key not in RANK_OPERATORS]
            source = _source(row["event"], one["property"]) if type in (Type.TEXT, Type.CATEGORY) else ""
            compared = self._compared(
                one, here, set(), _offered(labels.operator_labels(type), keys), type, source=source
            )
            begun: list[Control] = [Word(_("where")), self._property(one, here, "property", row["event"])]
            drop = Button(f"drop:{here}", _("Remove this part"), "x")
            lines += [
                [*begun, *compared[0], *([] if compared[1:] else [drop])],
                *([*part, drop] for part in compared[1:]),
            ]
        return [*lines, [Button(f"more:{path}.where", _("where …"), "plus")]]

    def _sequence(self, row: Tree, path: str, wrong: set[str]) -> list[Line]:
        lines: list[Line] = [[self._kind(row, path)]]
        for place, step in enumerate(row["steps"]):
            here = f"{path}.steps.{place}"
            line: list[Control] = [Word(f"{place + 1}."), self._event_of(step, here)]
            if place:
                units = options(labels.unit_labels())
                line += [
                    Word(_("at most")),
                    Field(f"{here}.within", _("Length"), step["within"], "number"),
                    Select(f"{here}.unit", _("Unit"), step["unit"], units),
                    Word(_("after the step before")),
                ]
            if len(row["steps"]) > 2:
                line.append(Button(f"drop:{here}", _("Remove this step"), "x"))
            lines += [line, *self._where(step, here)]
        if len(row["steps"]) < 5:
            lines.append([Button(f"more:{path}.steps", _("Step"), "plus")])
        return [*lines, [self._period_kind(row, path), *self._ends(row, path, wrong)], *self._app(row, path, Scope.APP)]

    def _device(self, row: Tree, path: str, _wrong: set[str]) -> list[Line]:
        lines: list[Line] = [[self._kind(row, path)]]
        for place, one in enumerate(row["conditions"]):
            here = f"{path}.conditions.{place}"
            attribute = self.known.attributes[one["attribute"]]
            choices = [Option(item.key, self._name(item.key)) for item in attributes_of(self.known, "device")]
            compared = self._attribute_compared(one, here, set())
            chosen = Select(f"{here}.attribute", _("Attribute"), attribute.key, choices, lead=True)
            drop = [Button(f"drop:{here}", _("Remove this part"), "x")] if len(row["conditions"]) > 1 else []
            lines += [[chosen, *compared[0], *drop], *compared[1:]]
        return [*lines, [Button(f"more:{path}.conditions", _("and the same device …"), "plus")]]

    def _group(self, row: Tree, path: str, _wrong: set[str]) -> list[Line]:
        empty = [] if row["group"] else [Option("", _("Choose…"))]
        choices = [*empty, *options(self.groups)]
        if row["group"] and row["group"] not in self.groups:
            choices.append(Option(row["group"], row["group"]))
        return [[self._kind(row, path), Select(f"{path}.group", _("Group"), row["group"], choices, lead=True)]]

    def _sample(self, row: Tree, path: str, wrong: set[str]) -> list[Line]:
        percent = Field(
            f"{path}.percent", _("Share"), row["percent"], "number", "%", "", "x" if "percent" in wrong else ""
        )
        salt = Field(
            f"{path}.salt", _("Name of the sample"), row["salt"], "text", "", "", "x" if "salt" in wrong else ""
        )
        return [[self._kind(row, path), percent], [Word(_("drawn as")), salt]]

    def _everyone(self, row: Tree, path: str, _wrong: set[str]) -> list[Line]:
        return [[self._kind(row, path)]]


def _offered(names: Mapping[str, str], keys: Sequence[str] | Mapping[str, object]) -> list[Option]:
    """In the order of their names: what is asked most often stands first."""
    return [Option(key, label) for key, label in names.items() if key in keys]


def _set_labels() -> dict[str, str]:
    known = labels.operator_labels(Type.NUMBER)
    return {key: known[key] for key in ("is_set", "is_not_set")}


def _source(event: str, path: str) -> str:
    return reverse("groups:values") + "?" + urlencode({"event": event, "property": path})


def _by_label(option: Option) -> str:
    return option.label


_LINES: dict[str, Callable[[Clauses, Tree, str, set[str]], list[Line]]] = {
    "event": Clauses._event,
    "sequence": Clauses._sequence,
    "device": Clauses._device,
    "group": Clauses._group,
    "sample": Clauses._sample,
    "everyone": Clauses._everyone,
}
