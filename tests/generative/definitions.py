"""Hypothesis strategies for valid definitions, built backwards from the tables that validation reads.

Values come from small pools, so that the data of a test can hit them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from muster.kernel.versions import version_key
from muster.rules.decode_events import infer_type
from muster.rules.decode_nodes import MOST_CONDITIONS
from muster.rules.encoding import encode_value
from muster.rules.measures import MEASURE_OPERATORS, MEASURES, NUMBER_MEASURES, PROPERTY_MEASURES, measure_type
from muster.rules.nodes import (
    All,
    AnyOf,
    AttributeCondition,
    Definition,
    DeviceCondition,
    EventCondition,
    Everyone,
    GroupCondition,
    Measure,
    MeasureKind,
    Node,
    NoneOf,
    PropertyFilter,
    SampleCondition,
    SequenceCondition,
    Step,
    Value,
    Window,
)
from muster.rules.numbers import parse_number
from muster.rules.operators import OPERATORS, RANK_OPERATORS, Operator, Shape
from muster.rules.vocabulary import Attribute, Scope, Type, Vocabulary
from muster.rules.walk import conditions


@dataclass(frozen=True)
class Pools:
    """What values are drawn from. `texts_of` takes precedence for an attribute key or property path; closed categories
    use their own labels. `paths` are properties that no vocabulary knows."""

    texts: tuple[str, ...] = ("a", "b", "Ä")
    texts_of: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    numbers: tuple[Decimal, ...] = tuple(map(Decimal, ("-1", "0", "0.5", "1", "2", "3", "10")))
    versions: tuple[str, ...] = ("1.0", "1.0.0", "1.2.3-beta", "2.0", "10.0.19041.1")
    days: tuple[date, ...] = (date(2026, 1, 1), date(2026, 2, 28), date(2026, 3, 1))
    instants: tuple[datetime, ...] = (
        datetime(2026, 1, 1, tzinfo=UTC),
        datetime(2026, 2, 28, 23, 30, tzinfo=UTC),
        datetime(2026, 3, 1, 12, 0, 0, 500_000, tzinfo=UTC),
    )
    durations: tuple[timedelta, ...] = (timedelta(hours=12), timedelta(days=1), timedelta(days=30), timedelta(days=400))
    anniversaries: tuple[timedelta, ...] = (timedelta(days=1), timedelta(days=7), timedelta(days=366))
    percents: tuple[Decimal, ...] = tuple(map(Decimal, ("0.5", "10", "50", "100")))
    counts: tuple[int, ...] = (1, 2, 5)
    basis_points: tuple[int, ...] = (0, 1, 1_250, 5_000, 10_000)
    salts: tuple[str, ...] = ("salt", "other salt")
    paths: tuple[str, ...] = ("unseen", "deep.unseen")


def definitions(
    vocabulary: Vocabulary, max_depth: int = 4, pools: Pools | None = None, max_children: int = 4
) -> st.SearchStrategy[Definition]:
    """Valid definitions of every kind of node, operator and type the vocabulary offers."""
    apps: list[str | None] = [None, *vocabulary.apps]
    chosen = pools or Pools()
    return st.sampled_from(apps).flatmap(
        lambda app: nodes(vocabulary, app, max_depth, chosen, max_children).map(lambda match: Definition(match, app))
    )


def nodes(
    vocabulary: Vocabulary,
    app: str | None = None,
    max_depth: int = 4,
    pools: Pools | None = None,
    max_children: int = 4,
) -> st.SearchStrategy[Node]:
    """Valid trees of a definition whose app is `app`."""
    leaf = leaves(vocabulary, app, pools or Pools())
    node = leaf
    for _ in range(max_depth - 1):
        children = st.lists(node, min_size=1, max_size=max_children).map(tuple)
        node = st.one_of(leaf, children.map(All), children.map(AnyOf), children.map(NoneOf))
    return node.filter(lambda tree: _count(tree) <= MOST_CONDITIONS)


def _count(node: Node) -> int:
    return sum(_weight(leaf) for _, leaf in conditions(node))


def _weight(leaf: Node) -> int:
    if isinstance(leaf, DeviceCondition):
        return len(leaf.conditions)
    if isinstance(leaf, EventCondition):
        return 1 + len(leaf.where)
    if isinstance(leaf, SequenceCondition):
        return 1 + sum(len(step.where) for step in leaf.steps)
    return 1


def leaves(vocabulary: Vocabulary, app: str | None = None, pools: Pools | None = None) -> st.SearchStrategy[Any]:
    """Valid conditions without all, any, none."""
    draw = _Leaves(vocabulary, app, pools or Pools())
    kinds = [st.just(Everyone()), draw.samples()]
    if vocabulary.attributes:
        kinds.append(draw.attributes(vocabulary.attributes.values()))
    devices = [attribute for attribute in vocabulary.attributes.values() if attribute.scope is Scope.DEVICE]
    if devices:
        on_one_device = st.lists(draw.attributes(devices), min_size=1, max_size=3).map(tuple)
        kinds.append(on_one_device.map(DeviceCondition))
    if vocabulary.events:
        kinds += [draw.events(), draw.sequences()]
    if vocabulary.groups:
        kinds.append(st.sampled_from(sorted(set(vocabulary.groups.values()))).map(GroupCondition))
    return st.one_of(kinds)


def values(type: Type, operator: Operator, pools: Pools, texts: tuple[str, ...]) -> st.SearchStrategy[Value]:
    """Values beside an operator, in the form that `decode` gives them."""
    match operator.shape:
        case Shape.NOTHING:
            return st.none()
        case Shape.DURATION:
            return st.sampled_from(pools.durations)
        case Shape.DAYS:
            return st.sampled_from(pools.anniversaries)
        case Shape.PERCENT:
            return st.sampled_from(pools.percents).map(parse_number)
        case Shape.COUNT:
            return st.sampled_from(pools.counts)
        case Shape.LIST:
            scalars = _scalars(type, operator, pools, texts)
            return st.lists(scalars, min_size=1, max_size=4).map(lambda drawn: _sorted(type, set(drawn)))
        case Shape.PAIR:
            pairs = [st.tuples(scalars, scalars) for scalars in _comparable(type, operator, pools, texts)]
            return st.one_of(pairs).map(lambda pair: tuple(sorted(pair, key=lambda value: _rank(type, value))))
    return _scalars(type, operator, pools, texts)


def _comparable(type: Type, operator: Operator, pools: Pools, texts: tuple[str, ...]) -> list[st.SearchStrategy[Any]]:
    """Scalars that can stand in one pair: two days or two instants."""
    if type is Type.TIMESTAMP:
        return [st.sampled_from(pools.days), st.sampled_from(pools.instants)]
    return [_scalars(type, operator, pools, texts)]


def _scalars(type: Type, operator: Operator, pools: Pools, texts: tuple[str, ...]) -> st.SearchStrategy[Any]:
    if type in (Type.NUMBER, Type.MONEY):
        return st.sampled_from(pools.numbers).map(parse_number)
    if type is Type.BOOLEAN:
        return st.booleans()
    if type is Type.VERSION:
        return st.sampled_from(pools.versions)
    if type is Type.DATE or operator.key in ("on", "not_on"):
        return st.sampled_from(pools.days)
    if type is Type.TIMESTAMP:
        return st.sampled_from(pools.days + pools.instants)
    if operator.shape is Shape.ONE and operator.key not in ("is", "is_not"):
        return st.sampled_from([text for text in texts if text] or ["a"])  # part of a text: never the empty text
    return st.sampled_from(texts)


def _sorted(type: Type, drawn: set[Any]) -> tuple[Any, ...]:
    return tuple(sorted(drawn, key=lambda value: _rank(type, value)))


def _rank(type: Type, value: Any) -> Any:
    return (version_key(value), value) if type is Type.VERSION else value


@dataclass(frozen=True)
class _Leaves:
    vocabulary: Vocabulary
    app: str | None
    pools: Pools

    def _apps(self) -> st.SearchStrategy[str | None]:
        apps: list[str | None] = [None, *self.vocabulary.apps]
        return st.sampled_from(apps)

    def attributes(self, among: Iterable[Attribute]) -> st.SearchStrategy[AttributeCondition]:
        return st.sampled_from(list(among)).flatmap(self._of_attribute)

    def _of_attribute(self, attribute: Attribute) -> st.SearchStrategy[AttributeCondition]:
        apps = self._apps() if attribute.scope is Scope.APP else st.none()
        return apps.flatmap(lambda app: self._of_attribute_in(attribute, app))

    def _of_attribute_in(self, attribute: Attribute, app: str | None) -> st.SearchStrategy[AttributeCondition]:
        one_value = attribute.scope is Scope.CUSTOMER or (
            attribute.scope is Scope.APP and not (app is None and self.app is None)
        )
        operators = [
            operator for key, operator in OPERATORS[attribute.type].items() if one_value or key not in RANK_OPERATORS
        ]
        texts = attribute.values or self._texts(attribute.key)
        return st.sampled_from(operators).flatmap(
            lambda operator: st.builds(
                AttributeCondition,
                attribute=st.just(attribute.key),
                op=st.just(operator.key),
                value=values(attribute.type, operator, self.pools, texts),
                app=st.just(app),
            )
        )

    def _texts(self, name: str) -> tuple[str, ...]:
        return self.pools.texts_of.get(name, self.pools.texts)

    def samples(self) -> st.SearchStrategy[SampleCondition]:
        return st.builds(SampleCondition, st.sampled_from(self.pools.basis_points), st.sampled_from(self.pools.salts))

    def events(self) -> st.SearchStrategy[EventCondition]:
        return st.tuples(st.sampled_from(sorted(self.vocabulary.events)), st.sampled_from(MEASURES)).flatmap(
            lambda drawn: self._of_event(*drawn)
        )

    def _of_event(self, event: str, kind: MeasureKind) -> st.SearchStrategy[EventCondition]:
        operators = list(MEASURE_OPERATORS[kind].values())
        return st.sampled_from(operators).flatmap(
            lambda operator: st.builds(
                EventCondition,
                event=st.just(event),
                where=self._where(event),
                app=self._apps(),
                when=self._windows(),
                measure=st.builds(Measure, st.just(kind), self._measured_path(event, kind)),
                op=st.just(operator.key),
                value=values(measure_type(kind), operator, self.pools, ()),
            )
        )

    def _measured_path(self, event: str, kind: MeasureKind) -> st.SearchStrategy[str | None]:
        if kind not in PROPERTY_MEASURES:
            return st.none()
        known = self.vocabulary.events[event].properties
        fit = [path for path, type in known.items() if kind not in NUMBER_MEASURES or type in (Type.NUMBER, Type.MONEY)]
        return st.sampled_from([*fit, *self.pools.paths])

    def _windows(self) -> st.SearchStrategy[Window | None]:
        def between(moments: tuple[Any, ...]) -> st.SearchStrategy[Window]:
            pairs = [(early, late) for early in (None, *moments) for late in (None, *moments)]
            fit = [pair for pair in pairs if pair != (None, None) and (None in pair or pair[0] < pair[1])]
            return st.sampled_from(fit).map(lambda pair: Window(start=pair[0], end=pair[1]))

        last = st.sampled_from(self.pools.durations).map(lambda length: Window(last=length))
        return st.one_of(st.none(), last, between(self.pools.days), between(self.pools.instants))

    def _where(self, event: str) -> st.SearchStrategy[tuple[PropertyFilter, ...]]:
        return st.lists(self._filters(event), max_size=2).map(tuple)

    def _filters(self, event: str) -> st.SearchStrategy[PropertyFilter]:
        known = self.vocabulary.events[event].properties
        unseen = st.tuples(st.sampled_from(self.pools.paths), st.sampled_from(sorted(_INFERRED)))
        if not known:
            return unseen.flatmap(lambda drawn: self._of_property(*drawn).filter(_is_inferred))
        return st.one_of(
            st.sampled_from(sorted(known.items())).flatmap(lambda drawn: self._of_property(*drawn)),
            unseen.flatmap(lambda drawn: self._of_property(*drawn).filter(_is_inferred)),
        )

    def _of_property(self, path: str, type: Type) -> st.SearchStrategy[PropertyFilter]:
        operators = [operator for key, operator in OPERATORS[type].items() if key not in RANK_OPERATORS]
        return st.sampled_from(operators).flatmap(
            lambda operator: st.builds(
                PropertyFilter,
                property=st.just(path),
                op=st.just(operator.key),
                value=values(type, operator, self.pools, self._texts(path)),
                type=st.just(type),
            )
        )

    def sequences(self) -> st.SearchStrategy[SequenceCondition]:
        events = st.sampled_from(sorted(self.vocabulary.events))

        def step(event: str, within: st.SearchStrategy[timedelta | None]) -> st.SearchStrategy[Step]:
            return st.builds(Step, st.just(event), self._where(event), within)

        first = events.flatmap(lambda event: step(event, st.none()))
        pauses = st.one_of(st.none(), st.sampled_from(self.pools.durations))
        later = st.lists(events.flatmap(lambda event: step(event, pauses)), min_size=1, max_size=4)
        steps = st.tuples(first, later).map(lambda drawn: (drawn[0], *drawn[1]))
        return st.builds(SequenceCondition, steps, self._windows(), self._apps())


# The types a property has that nobody has seen yet: those that JSON and the operator can tell.
_INFERRED = frozenset({Type.TEXT, Type.NUMBER, Type.BOOLEAN, Type.TIMESTAMP, Type.VERSION, Type.LIST})


def _is_inferred(item: PropertyFilter) -> bool:
    value = encode_value(item.value)
    return infer_type(item.op, value) is item.type
