"""Goes through a definition leaf by leaf, with the places where a person finds them in the document."""

from __future__ import annotations

from collections.abc import Iterator

from muster.rules.nodes import (
    All,
    AnyOf,
    AttributeCondition,
    Condition,
    Definition,
    EventCondition,
    GroupCondition,
    Node,
    NoneOf,
    SequenceCondition,
)

_BRANCHES = {All: "all", AnyOf: "any", NoneOf: "none"}


def conditions(node: Node, pointer: str = "/match") -> Iterator[tuple[str, Condition]]:
    """(JSON Pointer, condition) of every leaf in document order; a device condition is one leaf."""
    if isinstance(node, All | AnyOf | NoneOf):
        kind = _BRANCHES[type(node)]
        for index, child in enumerate(node.nodes):
            yield from conditions(child, f"{pointer}/{kind}/{index}")
    else:
        yield pointer, node


def groups_used(definition: Definition) -> frozenset[str]:
    """The ids of the groups the definition refers to."""
    return frozenset(leaf.group for _, leaf in conditions(definition.match) if isinstance(leaf, GroupCondition))


def apps_used(definition: Definition) -> frozenset[str]:
    """The keys of the apps the definition names, its own among them."""
    own = {definition.app} if definition.app is not None else set()
    named = {
        leaf.app
        for _, leaf in conditions(definition.match)
        if isinstance(leaf, AttributeCondition | EventCondition | SequenceCondition) and leaf.app is not None
    }
    return frozenset(own | named)


def events_used(definition: Definition) -> frozenset[str]:
    """The keys of the events the definition counts or follows."""
    leaves = [leaf for _, leaf in conditions(definition.match)]
    counted = {leaf.event for leaf in leaves if isinstance(leaf, EventCondition)}
    followed = {step.event for leaf in leaves if isinstance(leaf, SequenceCondition) for step in leaf.steps}
    return frozenset(counted | followed)
