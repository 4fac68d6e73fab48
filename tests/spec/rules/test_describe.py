"""Definitions in words: sentence and expression in English, German and French (G-12, D-22, D-46, D-49)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from muster.rules.codec import decode
from muster.rules.describe.expression import expression
from muster.rules.describe.sentence import sentence
from muster.rules.describe.words import LANGUAGES, PlainNames, Words, count_units, load_words
from muster.rules.measures import MEASURE_OPERATORS, MEASURES, PROPERTY_MEASURES, measure_type
from muster.rules.nodes import (
    All,
    AnyOf,
    AttributeCondition,
    Definition,
    EventCondition,
    Everyone,
    GroupCondition,
    Measure,
    Node,
    NoneOf,
    PropertyFilter,
    Value,
    Window,
)
from muster.rules.operators import OPERATORS, RANK_OPERATORS, Operator, Shape
from muster.rules.vocabulary import Type
from tests.spec.rules.vocabularies import VOCABULARY


class _Names(PlainNames):
    """Names as an installation's catalog has them."""

    def app(self, key: str) -> str:
        return key.title()

    def group(self, identifier: str) -> str:
        return {"grp_8staff": "Staff", "grp_9beta": "Beta testers"}[identifier]


def _words(language: str) -> Words:
    words = load_words(language)
    return replace(words, names=_Names(words.translations, VOCABULARY.attributes))


WORDS = {language: _words(language) for language in LANGUAGES}


def _definition(*conditions: dict[str, Any], app: str | None = "notes") -> Definition:
    match = conditions[0] if len(conditions) == 1 else {"all": list(conditions)}
    return decode({"version": 1, "app": app, "match": match}, VOCABULARY)


AGED = {"attribute": "age_group", "op": "is", "value": "18-24"}
MALE = {"attribute": "gender", "op": "is", "value": "male"}
SPENT = {"attribute": "app_spend", "op": "gt", "value": 10}
STAFF = {"group": "staff"}
SESSION = {"event": "session", "when": {"last": "P30D"}}
LEVELS = {
    "event": "level_up",
    "where": [{"property": "level", "op": "gte", "value": 5}],
    "op": "gte",
    "value": 3,
    "when": {"last": "P90D"},
}


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "Age group == 18 to 24 && Gender == Male"),
        ("de", "Altersgruppe == 18 bis 24 && Geschlecht == Männlich"),
        ("fr", "Groupe d’âge == 18 à 24 && Sexe == Masculin"),
    ],
)
def test_expression_of_the_specification(language: str, text: str) -> None:
    """D-22"""
    assert expression(_definition(AGED, MALE), WORDS[language]) == text


@pytest.mark.parametrize(
    ("language", "text"),
    [
        (
            "en",
            (
                "Customers of Notes who are aged 18 to 24, (who spent more than 10 in the app or who performed "
                "“level_up” (where “level” is at least 5) at least 3 times in the last 90 days), who did not "
                "perform “session” in the last 30 days, and who are not in the group “Staff”."
            ),
        ),
        (
            "de",
            (
                "Kunden von Notes, die in der Altersgruppe 18 bis 24 sind, (die in der App mehr als 10 "
                "ausgegeben haben oder die „level_up“ (wobei „level“ mindestens 5 ist) innerhalb der letzten 90 "
                "Tage mindestens 3-mal ausgeführt haben), die „session“ innerhalb der letzten 30 Tage nicht "
                "ausgeführt haben und die nicht in der Gruppe „Staff“ sind."
            ),
        ),
        (
            "fr",
            (
                "Clients de Notes qui sont dans le groupe d’âge 18 à 24, (qui ont dépensé plus de 10 dans "
                "l’application ou qui ont effectué «\u00a0level_up\u00a0» (où «\u00a0level\u00a0» est d’au "
                "moins 5) au moins 3 fois depuis 90 jours), qui n’ont pas effectué «\u00a0session\u00a0» depuis "
                "30 jours et qui ne font pas partie du groupe «\u00a0Staff\u00a0»."
            ),
        ),
    ],
)
def test_sentence_of_the_example_of_the_specification(language: str, text: str) -> None:
    """G-12"""
    definition = _definition(AGED, {"any": [SPENT, LEVELS]}, {"none": [SESSION, STAFF]})
    assert sentence(definition, WORDS[language]) == text


@pytest.mark.parametrize(
    ("definition", "text"),
    [
        (_definition({"everyone": True}), "All customers of Notes."),
        (_definition({"everyone": True}, app=None), "All customers of any app."),
        (_definition(MALE, app=None), "Customers of any app whose gender is “Male”."),
        (_definition({"none": [{"all": [MALE, STAFF]}]}),
         "Customers of Notes whose gender is not “Male” or who are not in the group “Staff”."),
        (_definition({"none": [{"none": [MALE]}]}), "Customers of Notes whose gender is “Male”."),
        (_definition({"none": [{"attribute": "gender", "op": "is_not", "value": "male"}]}),
         "Customers of Notes whose gender is “Male”."),
        (_definition({"any": [MALE, {"any": [STAFF, {"all": [AGED, SPENT]}]}]}),
         ("Customers of Notes whose gender is “Male”, who are in the group “Staff”, or (who are aged 18 to 24 and who "
         "spent more than 10 in the app).")),
        (_definition({"attribute": "os", "op": "is_not", "value": "Windows"}),
         "Customers of Notes who have no active device whose operating system is “Windows”."),
        (_definition({"device": {"all": [{"attribute": "os", "op": "is_not", "value": "Windows"},
                                         {"attribute": "os_version", "op": "gte", "value": "10.0"}]}}),
         ("Customers of Notes who have an active device whose operating system is not “Windows” and operating system "
         "version is 10.0 or newer.")),
        (_definition({"event": "session"}), "Customers of Notes who have performed “session”."),
        (_definition({"none": [{"event": "session"}]}), "Customers of Notes who have never performed “session”."),
        (_definition({"event": "session", "op": "is", "value": 1}),
         "Customers of Notes who performed “session” exactly 1 time in total."),
        (_definition({"event": "session", "op": "is_not", "value": 2, "when": {"from": "2026-01-01"}}),
         "Customers of Notes who did not perform “session” exactly 2 times on or after 2026-01-01."),
        (_definition({"event": "order_completed", "measure": {"sum": "revenue"}, "op": "top_percent", "value": 10,
                      "app": "sketch", "when": {"last": "P1D"}}),
         ("Customers of Notes who are in the top 10% by total “revenue” of “order_completed” in Sketch in the last 24 "
         "hours.")),
        (_definition({"attribute": "app_spend", "op": "gt", "value": 10, "app": "sketch"}),
         "Customers of Notes whose app spend in Sketch is more than 10."),
        (_definition({"attribute": "custom_text", "op": "contains", "value": "{brace}"}),
         "Customers of Notes whose “custom_text” contains “{brace}”."),
        (_definition({"attribute": "country", "op": "in", "value": ["FR", "DE", "AT"]}),
         "Customers of Notes whose country is AT, DE, or FR."),
        (_definition({"sample": {"percent": 12.5, "salt": "spring"}}),
         "Customers of Notes who fall into the random sample “spring” of 12.5%."),
        (_definition({"sequence": [{"event": "session"}, {"event": "level_up", "within": "PT36H"}]}),
         "Customers of Notes who performed “session”, then “level_up” (at most 36 hours later) in this order."),
    ],
)  # fmt: skip  # a table, read by rows
def test_sentence_reads_as_a_person_would_write_it(definition: Definition, text: str) -> None:
    assert sentence(definition, WORDS["en"]) == text


@pytest.mark.parametrize(
    ("definition", "text"),
    [
        (_definition({"everyone": True}), "Everyone"),
        (_definition({"any": [AGED, {"all": [MALE, STAFF]}]}),
         "Age group == 18 to 24 || Gender == Male && Group == Staff"),
        (_definition({"all": [AGED, {"any": [MALE, STAFF]}]}),
         "Age group == 18 to 24 && (Gender == Male || Group == Staff)"),
        (_definition({"all": [AGED, {"any": [MALE]}]}), "Age group == 18 to 24 && Gender == Male"),
        (_definition({"none": [AGED, MALE]}), "!(Age group == 18 to 24 || Gender == Male)"),
        (_definition({"all": [AGED, {"none": [MALE]}]}), "Age group == 18 to 24 && !(Gender == Male)"),
        (_definition({"attribute": "gender", "op": "not_in", "value": ["male", "other"]}),
         "!(Gender in (Male, Other))"),
        (_definition({"attribute": "age", "op": "between", "value": [18, 20]}), "18 <= Age <= 20"),
        (_definition({"attribute": "age", "op": "not_between", "value": [18, 20]}), "!(18 <= Age <= 20)"),
        (_definition({"attribute": "has_purchased", "op": "is", "value": True}), "Has purchased == true"),
        (_definition({"attribute": "campaign_id", "op": "is", "value": "a && b"}), "Campaign ID == “a && b”"),
        (_definition({"attribute": "rating", "op": "is_not_set", "app": "sketch"}), "!(Rating (Sketch) is set)"),
        (_definition(LEVELS), "Count(level_up[level >= 5], last 90 days) >= 3"),
        (_definition({"event": "order_completed", "measure": {"sum": "revenue"}, "op": "top_count", "value": 5}),
         "Sum(revenue, order_completed) in top 5"),
        (_definition({"event": "session", "when": {"from": "2026-01-01", "to": "2026-02-01"}, "app": "sketch"}),
         "Count(session, Sketch, >= 2026-01-01 && < 2026-02-01) >= 1"),
        (_definition({"sequence": [{"event": "session"}, {"event": "level_up", "within": "P2D"}]}),
         "Sequence(session -> (<= 2 days) level_up)"),
        (_definition({"sample": {"percent": 12.5, "salt": "spring"}}), "Sample(spring) == 12.5%"),
        (_definition({"device": {"all": [{"attribute": "os", "op": "is_set"},
                                         {"attribute": "os_version", "op": "lt", "value": "10.0"}]}}),
         "Device(Operating system is set && Operating system version < 10.0)"),
    ],
)  # fmt: skip  # a table, read by rows
def test_expression_has_brackets_where_they_are_needed(definition: Definition, text: str) -> None:
    assert expression(definition, WORDS["en"]) == text


_SCALARS: dict[Type, Value] = {
    Type.TEXT: "text",
    Type.CATEGORY: "label",
    Type.LIST: "item",
    Type.VERSION: "1.2.3",
    Type.NUMBER: Decimal("1.5"),
    Type.MONEY: Decimal("2.5"),
    Type.BOOLEAN: True,
    Type.DATE: date(2026, 1, 1),
    Type.TIMESTAMP: datetime(2026, 1, 1, 12, tzinfo=UTC),
}


def _value(type: Type, operator: Operator) -> Value:
    scalar = date(2026, 1, 1) if operator.key in ("on", "not_on") else _SCALARS[type]
    by_shape: dict[Shape, Any] = {
        Shape.NOTHING: None,
        Shape.ONE: scalar,
        Shape.LIST: (scalar,) * 3,
        Shape.PAIR: (scalar, scalar),
        Shape.DURATION: timedelta(hours=36),
        Shape.DAYS: timedelta(days=7),
        Shape.PERCENT: Decimal(10),
        Shape.COUNT: 5,
    }
    return by_shape[operator.shape]  # type: ignore[no-any-return]  # a table of values


def _every_condition() -> Iterator[Node]:
    for type, operators in OPERATORS.items():
        for operator in operators.values():
            value = _value(type, operator)
            yield AttributeCondition(f"custom_{type}", operator.key, value)
            if operator.key not in RANK_OPERATORS:
                yield EventCondition("session", where=(PropertyFilter("x", operator.key, value, type),))
    for attribute in VOCABULARY.attributes.values():
        for operator in OPERATORS[attribute.type].values():
            yield AttributeCondition(attribute.key, operator.key, _value(attribute.type, operator))
    for kind in MEASURES:
        for operator in MEASURE_OPERATORS[kind].values():
            measure = Measure(kind, "amount" if kind in PROPERTY_MEASURES else None)
            for when in (None, Window(last=timedelta(days=1)), Window(end=date(2026, 1, 1))):
                value = _value(measure_type(kind), operator)
                yield EventCondition("session", when=when, measure=measure, op=operator.key, value=value)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_operator_of_every_type_and_measure_reads_both_ways(language: str) -> None:
    """D-46"""
    for condition in _every_condition():
        positive = sentence(Definition(condition), WORDS[language])
        negative = sentence(Definition(NoneOf((condition,))), WORDS[language])
        assert positive != negative, condition
        for text in (positive, negative, expression(Definition(condition), WORDS[language])):
            assert re.findall(r"[{}]|  |None", text) == [], condition


@pytest.mark.parametrize("language", ["de", "fr"])
def test_no_english_is_left_in_other_languages(language: str) -> None:
    for condition in _every_condition():
        for definition in (Definition(condition), Definition(NoneOf((condition,)))):
            text = sentence(definition, WORDS[language])
            assert re.findall(r"\b(who|whose|the|and|or|not|is|at|last)\b", text) == [], condition


@pytest.mark.parametrize("language", LANGUAGES)
def test_attribute_that_no_longer_exists_is_still_described(language: str) -> None:
    """G-13: a saved definition is shown even when the catalog has lost what it names."""
    words = load_words(language)
    for type, operators in OPERATORS.items():
        for operator in operators.values():
            condition = AttributeCondition("forgotten", operator.key, _value(type, operator))
            assert sentence(Definition(condition), words).count("forgotten") == 1
            assert expression(Definition(condition), words).count("forgotten") == 1


def test_everyone_inside_a_tree_is_said() -> None:
    group = GroupCondition("grp_8staff")
    assert sentence(Definition(AnyOf((Everyone(), group))), WORDS["en"]) == (
        "Customers of any app who are available customers or who are in the group “Staff”."
    )
    assert sentence(Definition(All((NoneOf((Everyone(),)), group))), WORDS["de"]) == (
        "Kunden irgendeiner App, die keine verfügbaren Kunden sind und die in der Gruppe „Staff“ sind."
    )


@pytest.mark.parametrize(
    ("length", "units"),
    [
        (timedelta(days=30), (30, "days")),
        (timedelta(days=1), (24, "hours")),
        (timedelta(hours=36), (36, "hours")),
        (timedelta(hours=1), (60, "minutes")),
        (timedelta(minutes=90), (90, "minutes")),
        (timedelta(minutes=1), (60, "seconds")),
        (timedelta(seconds=61), (61, "seconds")),
        (timedelta(seconds=1), (1, "seconds")),
    ],
)
def test_length_is_said_in_one_unit_that_stays_plural(length: timedelta, units: tuple[int, str]) -> None:
    assert count_units(length) == units
