"""What besides its distance from now a question depends on: as long as that stands, it is compiled once."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from datetime import timedelta

from muster.engine.atoms import Atom, Beyond, Excluded, Ranked
from muster.engine.context import Context
from muster.engine.moments import start_of
from muster.kernel.civil import local_day
from muster.rules.nodes import (
    AttributeCondition,
    EventCondition,
    PropertyFilter,
    SequenceCondition,
    Window,
)
from muster.rules.vocabulary import Type

Phase = tuple[Hashable, ...]


def phase_of(atom: Atom, context: Context) -> Phase | None:
    """Equal phases: the question differs by instants alone, each as far from now as before. None: it may always differ,
    because it depends on the data."""
    match atom:
        case AttributeCondition():
            return _of_attribute(atom, context)
        case EventCondition():
            if _asks_labels(atom.where):
                return None
            return (*_of_window(atom.when, context), *_of_operator(atom.op, atom.value, is_day=False, context=context))
        case SequenceCondition():
            labels = any(_asks_labels(step.where) for step in atom.steps)
            return None if labels else _of_window(atom.when, context)
        case Excluded() if atom.reason != "profiling_denied":
            return (context.today,)
        case Ranked():
            return phase_of(atom.condition, context)
        case Beyond():
            return phase_of(atom.ranked.condition, context)
        case _:
            return ()


def _of_attribute(condition: AttributeCondition, context: Context) -> Phase:
    attribute = context.attribute(condition.attribute)
    if attribute.key in ("age", "age_group"):
        return (context.today,)
    if attribute.type in (Type.DATE, Type.TIMESTAMP):
        return _of_operator(condition.op, condition.value, is_day=attribute.type is Type.DATE, context=context)
    return ()


def _of_operator(op: str, value: object, *, is_day: bool, context: Context) -> Phase:
    """Windows of instants move with now, windows of days with the calendar."""
    if op == "anniversary_in_next":
        return (context.today,)
    if op in ("in_last", "in_next") and is_day:
        assert isinstance(value, timedelta)
        edge = context.now - value if op == "in_last" else context.now + value
        return (context.today, local_day(edge, context.zone))
    return ()


def _of_window(window: Window | None, context: Context) -> Phase:
    """A window that has an end ends now, until it is over."""
    return () if window is None or window.end is None else (context.now < start_of(window.end, context),)


def _asks_labels(where: Iterable[PropertyFilter]) -> bool:
    """Versions are compared among the texts that there are (C-30)."""
    return any(wanted.type is Type.VERSION for wanted in where)
