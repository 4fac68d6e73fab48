"""One atom for one customer, by the meaning that the reference gives to its condition."""

from __future__ import annotations

from muster.engine.atoms import Acquired, Atom, Beyond, Excluded, Ranked
from muster.engine.context import Context
from muster.engine.plan import measure_type
from muster.engine.ranking import rank_holds
from muster.engine.reference.comparison import holds
from muster.engine.reference.evaluate import device_holds, has_acquired, measured, rank_value, sequence_ends
from muster.engine.reference.values import active_devices, age_of, attribute_values
from muster.kernel.bucketing import bucket
from muster.kernel.errors import InternalError
from muster.rules.nodes import (
    AttributeCondition,
    DeviceCondition,
    EventCondition,
    GroupCondition,
    SampleCondition,
    SequenceCondition,
)
from muster.warehouse.port import Person


def satisfies(atom: Atom, person: Person, context: Context) -> bool:
    """Whether the customer's own rows satisfy the atom. Who is in another group is no question of them."""
    match atom:
        case AttributeCondition():
            kind = context.attribute(atom.attribute).type
            return any(
                holds(kind, atom.op, value, atom.value, context) for value in attribute_values(person, atom, context)
            )
        case EventCondition():
            return holds(measure_type(atom.measure), atom.op, measured(atom, person, context), atom.value, context)
        case SequenceCondition():
            return bool(sequence_ends(atom, person, None, context))
        case SampleCondition():
            return bucket(atom.salt, person.profile["subject"]) < atom.basis_points
        case DeviceCondition():
            return any(
                all(device_holds(device, one, context) for one in atom.conditions)
                for device in active_devices(person, atom.conditions[0].app, context)
            )
        case Beyond():
            value = rank_value(atom.ranked.condition, person, context)
            return (
                value is not None and atom.limit is not None and rank_holds(value, atom.ranked.condition.op, atom.limit)
            )
        case Acquired():
            return has_acquired(person, atom.app, context)
        case Excluded():
            return _excluded(atom, person, context)
        case GroupCondition() | Ranked():
            raise InternalError(f"{type(atom).__name__} is no question of one customer")


def _excluded(atom: Excluded, person: Person, context: Context) -> bool:
    if atom.reason == "profiling_denied":
        return bool(person.profile.get("profiling_denied"))
    age = age_of(person, context)
    if atom.reason == "age_unknown":
        return age is None
    return age is not None and age < context.minimum_age
