"""A definition as one sentence: "Customers of Notes who are aged 18 to 24 and who …" (G-12).

Every condition reads as a whole relative clause, which is the one form that English, German and French can all join
by commas, "and" and "or" without inflecting anything. Negation is carried down to the conditions first, so that a
sentence never denies a bracket: none of (a, b) reads "not a and not b".
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from muster.rules.describe.attribute_clauses import CLAUSES, RANK_CLAUSES, SPECIAL_CLAUSES
from muster.rules.describe.events import describe_event, describe_sequence
from muster.rules.describe.labels import ATTRIBUTE_SUBJECTS
from muster.rules.describe.messages import Wording, message
from muster.rules.describe.statements import STATEMENTS
from muster.rules.describe.values import ValueWords, percent_of, positive_operator, quoted, type_from_value, wording_key
from muster.rules.describe.words import Words
from muster.rules.nodes import (
    All,
    AnyOf,
    AttributeCondition,
    Condition,
    Definition,
    DeviceCondition,
    EventCondition,
    Everyone,
    GroupCondition,
    Node,
    NoneOf,
    SampleCondition,
    SequenceCondition,
)
from muster.rules.operators import RANK_OPERATORS
from muster.rules.standard import STANDARD_ATTRIBUTES
from muster.rules.vocabulary import Scope, Type

_OF_APP = message("sentence", "Customers of {app} {conditions}.")
_OF_ANY_APP = message("sentence", "Customers of any app {conditions}.")
_ALL_OF_APP = message("sentence", "All customers of {app}.")
_ALL_OF_ANY_APP = message("sentence", "All customers of any app.")
_BRACKETS = message("sentence", "({conditions})")
_ATTRIBUTE_IN_APP = message("subject", "{attribute} in {app}")
_GROUP = Wording(message("group", "who are in the group {group}"), message("group", "who are not in the group {group}"))
_SAMPLE = Wording(
    message("sample", "who fall into the random sample {salt} of {percent}"),
    message("sample", "who do not fall into the random sample {salt} of {percent}"),
)
_DEVICE = Wording(
    message("device", "who have an active device whose {filters}"),
    message("device", "who have no active device whose {filters}"),
)
_EVERYONE = Wording(
    message("everyone", "who are available customers"), message("everyone", "who are not available customers")
)


@dataclass(frozen=True)
class _Joined:
    """Clauses of which all (`every`) or at least one holds."""

    every: bool
    parts: tuple[str | _Joined, ...]


def sentence(definition: Definition, words: Words) -> str:
    """The sentence, in the reader's language, ending with a full stop."""
    app = None if definition.app is None else words.names.app(definition.app)
    if definition.match == Everyone():
        return words.say(_ALL_OF_ANY_APP) if app is None else words.say(_ALL_OF_APP, app=app)
    clauses = _written(_phrase(definition.match, words, positive=True), words)
    if app is None:
        return words.say(_OF_ANY_APP, conditions=clauses)
    return words.say(_OF_APP, app=app, conditions=clauses)


def clause(condition: Condition, words: Words, *, positive: bool = True) -> str:
    """One condition as a relative clause, or its negation."""
    match condition:
        case AttributeCondition():
            return _attribute(condition, words, positive)
        case EventCondition():
            return describe_event(condition, words, positive)
        case SequenceCondition():
            return describe_sequence(condition, words, positive)
        case GroupCondition(group):
            return _say(_GROUP, words, positive, group=quoted(words, words.names.group(group)))
        case SampleCondition():
            percent = words.formats.percent(percent_of(condition))
            return _say(_SAMPLE, words, positive, percent=percent, salt=quoted(words, condition.salt))
        case DeviceCondition(conditions):
            filters = [_device_statement(item, words) for item in conditions]
            return _say(_DEVICE, words, positive, filters=words.formats.list_and(filters))
        case Everyone():
            return _say(_EVERYONE, words, positive)


def _say(wording: Wording, words: Words, positive: bool, **parts: str) -> str:
    return words.say(wording.positive if positive else wording.negative, **parts)


def _phrase(node: Node, words: Words, *, positive: bool) -> str | _Joined:
    """The clauses below a node, negation carried down by De Morgan's laws, brackets of the same kind opened."""
    if not isinstance(node, All | AnyOf | NoneOf):
        return clause(node, words, positive=positive)
    inner = positive is not isinstance(node, NoneOf)
    every = isinstance(node, All) is inner
    parts: list[str | _Joined] = []
    for child in node.nodes:
        part = _phrase(child, words, positive=inner)
        if isinstance(part, _Joined) and part.every is every:
            parts.extend(part.parts)
        else:
            parts.append(part)
    return parts[0] if len(parts) == 1 else _Joined(every, tuple(parts))


def _written(phrase: str | _Joined, words: Words) -> str:
    if isinstance(phrase, str):
        return phrase
    parts = [
        words.say(_BRACKETS, conditions=_written(part, words)) if isinstance(part, _Joined) else part
        for part in phrase.parts
    ]
    return words.formats.list_and(parts) if phrase.every else words.formats.list_or(parts)


def _attribute(condition: AttributeCondition, words: Words, positive: bool) -> str:
    condition = _of_one(condition)
    op, negated = positive_operator(condition.op)
    positive = positive is not negated
    standard = STANDARD_ATTRIBUTES.get(condition.attribute)
    if standard and standard.scope is Scope.DEVICE:
        # Of a customer's devices any one may match, so "is not" denies them all (G-7).
        statement = _device_statement(AttributeCondition(condition.attribute, op, condition.value), words)
        return _say(_DEVICE, words, positive, filters=statement)
    type = attribute_type(condition, words)
    family, key = wording_key(type, op, condition.value)
    special = SPECIAL_CLAUSES.get((condition.attribute, key)) if condition.app is None else None
    if special:
        bare = ValueWords(words, type, condition.attribute, quotes=False)
        return _say(special, words, positive, **bare.parts(op, condition.value))
    wording = RANK_CLAUSES[op] if op in RANK_OPERATORS else CLAUSES[family][key]
    values = ValueWords(words, type, condition.attribute).parts(op, condition.value)
    return _say(wording, words, positive, attribute=_subject(condition, words), **values)


def _of_one(condition: AttributeCondition) -> AttributeCondition:
    """A list of one is said as the one: "is not Germany", not "is not one of Germany"."""
    if condition.op in ("in", "not_in") and isinstance(condition.value, tuple) and len(condition.value) == 1:
        return replace(condition, op="is" if condition.op == "in" else "is_not", value=condition.value[0])
    return condition


def attribute_type(condition: AttributeCondition, words: Words) -> Type:
    return words.names.attribute_type(condition.attribute) or type_from_value(condition.op, condition.value)


def _subject(condition: AttributeCondition, words: Words) -> str:
    known = ATTRIBUTE_SUBJECTS.get(condition.attribute)
    subject = words.say(known) if known else quoted(words, words.names.attribute(condition.attribute))
    if condition.app is None:
        return subject
    return words.say(_ATTRIBUTE_IN_APP, attribute=subject, app=words.names.app(condition.app))


def _device_statement(condition: AttributeCondition, words: Words) -> str:
    op, negated = positive_operator(condition.op)
    type = attribute_type(condition, words)
    family, key = wording_key(type, op, condition.value)
    values = ValueWords(words, type, condition.attribute).parts(op, condition.value)
    return _say(STATEMENTS[family][key], words, not negated, property=_subject(condition, words), **values)
