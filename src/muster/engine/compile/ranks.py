"""Conditions that compare customers with each other."""

from __future__ import annotations

from muster.engine.atoms import Ranked
from muster.engine.compile.attributes import attribute_values
from muster.engine.compile.events import event_values
from muster.engine.compile.registry import Values, compiles
from muster.engine.context import Context
from muster.rules.nodes import AttributeCondition
from muster.warehouse.port import Relations


@compiles(Ranked)
def ranked_values(atom: Ranked, context: Context, warehouse: Relations) -> Values:
    """The values a rank operator compares: of an attribute, or of a measure over events."""
    if isinstance(atom.condition, AttributeCondition):
        return attribute_values(atom.condition, context, warehouse)
    return event_values(atom.condition, context, warehouse)
