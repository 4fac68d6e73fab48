"""What a definition may say, and how what it may not say is reported (groups spec, sections 2 and 3)."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from muster.rules.codec import decode, decode_json, encode
from muster.rules.errors import DefinitionInvalid, Problem
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
    NoneOf,
    PropertyFilter,
    SampleCondition,
    SequenceCondition,
    Step,
    Window,
)
from muster.rules.vocabulary import Type
from tests.spec.rules.vocabularies import VOCABULARY

EVERYONE = {"everyone": True}


def _definition(match: object, app: str | None = None) -> dict[str, Any]:
    return {"version": 1, "app": app, "match": match}


def _read(match: object, app: str | None = None) -> object:
    return decode(_definition(match, app), VOCABULARY).match


def _problems(document: object) -> list[tuple[str, str, str | None]]:
    with pytest.raises(DefinitionInvalid) as caught:
        decode(document, VOCABULARY)
    return [(problem.pointer, problem.code, problem.nearest) for problem in caught.value.problems]


def _refused(match: object, app: str | None = None) -> list[tuple[str, str]]:
    """(Pointer below /match, code) of every problem."""
    return [(pointer.removeprefix("/match"), code) for pointer, code, _ in _problems(_definition(match, app))]


def test_example_of_the_specification_is_read() -> None:
    document = {
        "version": 1,
        "app": "notes",
        "match": {
            "all": [
                {"attribute": "age_group", "op": "in", "value": ["25-34", "18-24"]},
                {
                    "any": [
                        {"attribute": "app_spend", "op": "gt", "value": 10},
                        {
                            "event": "level_up",
                            "where": [{"property": "level", "op": "gte", "value": 5}],
                            "op": "gte",
                            "value": 3,
                            "when": {"last": "P90D"},
                        },
                    ]
                },
                {"none": [{"event": "session", "when": {"last": "P30D"}}, {"group": "staff"}]},
            ]
        },
    }
    assert decode(document, VOCABULARY) == Definition(
        app="notes",
        match=All(
            (
                AttributeCondition("age_group", "in", ("18-24", "25-34")),
                AnyOf(
                    (
                        AttributeCondition("app_spend", "gt", Decimal(10)),
                        EventCondition(
                            "level_up",
                            where=(PropertyFilter("level", "gte", Decimal(5), Type.NUMBER),),
                            when=Window(last=timedelta(days=90)),
                            value=Decimal(3),
                        ),
                    )
                ),
                NoneOf((EventCondition("session", when=Window(last=timedelta(days=30))), GroupCondition("grp_8staff"))),
            )
        ),
    )


@pytest.mark.parametrize(
    ("match", "node"),
    [
        (EVERYONE, Everyone()),
        ({"group": "grp_8staff"}, GroupCondition("grp_8staff")),
        ({"sample": {"percent": 12.5, "salt": "spring"}}, SampleCondition(1_250, "spring")),
        ({"sample": {"percent": 0, "salt": "s"}}, SampleCondition(0, "s")),
        ({"sample": {"percent": 0.29, "salt": "s"}}, SampleCondition(29, "s")),
        (
            {"device": {"all": [{"attribute": "os", "op": "is", "value": "Windows"}]}},
            DeviceCondition((AttributeCondition("os", "is", "Windows"),)),
        ),
        (
            {"event": "order_completed", "measure": {"sum": "revenue"}, "op": "between", "value": [1, 2.5]},
            EventCondition(
                "order_completed", measure=Measure("sum", "revenue"), op="between", value=(Decimal(1), Decimal("2.5"))
            ),
        ),
        (
            {"event": "session", "measure": "last_at", "op": "not_in_last", "value": "P2W"},
            EventCondition("session", measure=Measure("last_at"), op="not_in_last", value=timedelta(days=14)),
        ),
        (
            {"event": "session", "measure": {"avg": "length"}, "op": "is_not_set"},
            EventCondition("session", measure=Measure("avg", "length"), op="is_not_set", value=None),
        ),
        (
            {"event": "session", "measure": {"max": "length"}},
            EventCondition("session", measure=Measure("max", "length")),
        ),
        ({"event": "session", "op": "is", "value": 0}, EventCondition("session", op="is", value=Decimal(0))),
        ({"event": "session", "op": "top_count", "value": 10}, EventCondition("session", op="top_count", value=10)),
        (
            {"event": "session", "when": {"to": "2026-01-01"}, "app": "sketch"},
            EventCondition("session", app="sketch", when=Window(end=date(2026, 1, 1))),
        ),
        (
            {"event": "session", "when": {"from": "2026-01-01T01:00:00+01:00", "to": "2026-01-02T00:00:00.5Z"}},
            EventCondition(
                "session",
                when=Window(
                    start=datetime(2026, 1, 1, tzinfo=UTC), end=datetime(2026, 1, 2, 0, 0, 0, 500_000, tzinfo=UTC)
                ),
            ),
        ),
        (
            {"sequence": [{"event": "session"}, {"event": "level_up", "within": "PT36H"}], "when": {"last": "P7D"}},
            SequenceCondition(
                (Step("session"), Step("level_up", within=timedelta(hours=36))), when=Window(last=timedelta(days=7))
            ),
        ),
    ],
)
def test_every_kind_of_node_is_read(match: object, node: object) -> None:
    assert _read(match) == node


@pytest.mark.parametrize(
    ("condition", "value"),
    [
        ({"attribute": "gender", "op": "is", "value": "MALE"}, "male"),
        ({"attribute": "gender", "op": "contains", "value": "MAL"}, "MAL"),
        ({"attribute": "country", "op": "in", "value": ["FR", "DE", "FR"]}, ("DE", "FR")),
        ({"attribute": "campaign_id", "op": "is", "value": " e\u0301 "}, " é "),
        ({"attribute": "campaign_id", "op": "is", "value": ""}, ""),
        ({"attribute": "age", "op": "is", "value": 18.0}, Decimal(18)),
        ({"attribute": "age", "op": "in", "value": [2, 1.0, 1]}, (Decimal(1), Decimal(2))),
        ({"attribute": "has_purchased", "op": "is_not", "value": False}, False),
        ({"attribute": "age", "op": "is_set"}, None),
        ({"attribute": "age", "op": "top_percent", "value": 0.5}, Decimal("0.5")),
        ({"attribute": "age", "op": "top_count", "value": 3.0}, 3),
        ({"attribute": "os_version", "op": "gt", "value": " 10.0 "}, "10.0"),
        ({"attribute": "os_version", "op": "in", "value": ["10.0", "9.1"]}, ("9.1", "10.0")),
        ({"attribute": "os_version", "op": "between", "value": ["9.1", "10.0"]}, ("9.1", "10.0")),
        ({"attribute": "acquired_at", "op": "on", "value": "2026-02-28"}, date(2026, 2, 28)),
        (
            {"attribute": "acquired_at", "op": "before", "value": "2026-01-01t01:00:00z"},
            datetime(2026, 1, 1, 1, tzinfo=UTC),
        ),
        ({"attribute": "acquired_at", "op": "anniversary_in_next", "value": "P366D"}, timedelta(days=366)),
        ({"attribute": "custom_date", "op": "between", "value": ["2026-01-01", "2026-01-01"]}, (date(2026, 1, 1),) * 2),
        ({"attribute": "addons_owned", "op": "has_all", "value": ["b", "a"]}, ("a", "b")),
    ],
)
def test_value_takes_the_form_its_type_compares_by(condition: dict[str, Any], value: object) -> None:
    read = _read(condition)
    assert isinstance(read, AttributeCondition)
    assert (read.value, type(read.value)) == (value, type(value))


@pytest.mark.parametrize(
    ("item", "type"),
    [
        ({"property": "world", "op": "is", "value": "a"}, Type.TEXT),
        ({"property": "level", "op": "is_set"}, Type.NUMBER),
        ({"property": "x", "op": "is_set"}, Type.TEXT),
        ({"property": "x", "op": "is", "value": True}, Type.BOOLEAN),
        ({"property": "x", "op": "is", "value": 1}, Type.NUMBER),
        ({"property": "x", "op": "in", "value": [1, 2]}, Type.NUMBER),
        ({"property": "x", "op": "in", "value": ["1", "2"]}, Type.TEXT),
        ({"property": "x", "op": "is", "value": "2026-01-01"}, Type.TEXT),
        ({"property": "x", "op": "gt", "value": "1.2"}, Type.VERSION),
        ({"property": "x", "op": "between", "value": ["1.2", "1.3"]}, Type.VERSION),
        ({"property": "x", "op": "between", "value": ["2026-01-01", "2026-01-02"]}, Type.TIMESTAMP),
        ({"property": "x", "op": "in_last", "value": "P1D"}, Type.TIMESTAMP),
        ({"property": "x", "op": "contains", "value": "1"}, Type.TEXT),
        ({"property": "x", "op": "has_any", "value": ["1"]}, Type.LIST),
    ],
)
def test_property_has_the_type_known_or_inferred(item: dict[str, Any], type: Type) -> None:
    read = _read({"event": "level_up", "where": [item]})
    assert isinstance(read, EventCondition)
    assert [filter.type for filter in read.where] == [type]


def test_every_problem_is_reported_at_its_place() -> None:
    """G-10"""
    document = {
        "version": 1,
        "app": "note",
        "mtach": 1,
        "match": {
            "all": [
                {"attribute": "countri", "op": "is", "value": "DE"},
                {"attribute": "country", "op": "startswith", "value": "D"},
                {"evnt": "session"},
                {"event": "sesion"},
                {"group": "stuff"},
                {"attribute": "age_group", "op": "is", "value": "18-25"},
                {"attribute": "age", "op": "is", "valeu": 1},
            ]
        },
    }
    assert _problems(document) == [
        ("/mtach", "definition_invalid", "match"),
        ("/app", "unknown_app", "notes"),
        ("/match/all/0/attribute", "unknown_attribute", "country"),
        ("/match/all/1/op", "operator_not_allowed", "starts_with"),
        ("/match/all/2", "definition_invalid", "event"),
        ("/match/all/3/event", "unknown_event", "session"),
        ("/match/all/4/group", "unknown_group", "staff"),
        ("/match/all/5/value", "value_not_allowed", "18-24"),
        ("/match/all/6/valeu", "definition_invalid", "value"),
        ("/match/all/6", "definition_invalid", None),
    ]


def test_problem_is_a_sentence_with_the_nearest_choice() -> None:
    """G-10"""
    with pytest.raises(DefinitionInvalid) as caught:
        decode(_definition({"attribute": "countri", "op": "is_set"}), VOCABULARY)
    assert caught.value.problems == (
        Problem(
            "/match/attribute",
            "unknown_attribute",
            "unknown attribute `countri`; did you mean `country`?",
            "country",
        ),
    )
    assert (caught.value.code, caught.value.pointer) == ("definition_invalid", "/match/attribute")


@pytest.mark.parametrize("kind", ["all", "any", "none"])
def test_empty_list_is_an_error_never_everybody(kind: str) -> None:
    """G-10"""
    assert _refused({kind: []}) == [(f"/{kind}", "definition_invalid")]


@pytest.mark.parametrize(
    ("match", "problems"),
    [
        ([], [("", "definition_invalid")]),
        ({}, [("", "definition_invalid")]),
        (True, [("", "definition_invalid")]),
        ({"everyone": 1}, [("/everyone", "value_not_allowed")]),
        ({"all": [EVERYONE], "any": [EVERYONE]}, [("", "definition_invalid")]),
        ({"all": EVERYONE}, [("/all", "definition_invalid")]),
        ({"attribute": "age", "op": "is", "value": True}, [("/value", "value_not_allowed")]),
        ({"attribute": "age", "op": "is", "value": "18"}, [("/value", "value_not_allowed")]),
        ({"attribute": "age", "op": "is", "value": None}, [("/value", "value_not_allowed")]),
        ({"attribute": "age", "op": "is", "value": [18]}, [("/value", "value_not_allowed")]),
        ({"attribute": "age", "op": "is"}, [("", "definition_invalid")]),
        ({"attribute": "age", "op": "is_set", "value": None}, [("/value", "definition_invalid")]),
        ({"attribute": "age", "op": "in", "value": []}, [("/value", "definition_invalid")]),
        ({"attribute": "age", "op": "in", "value": [1, "2", True]},
         [("/value/1", "value_not_allowed"), ("/value/2", "value_not_allowed")]),
        ({"attribute": "age", "op": "is", "value": 10**15}, [("/value", "value_not_allowed")]),
        ({"attribute": "age", "op": "is", "value": 1e-10}, [("/value", "value_not_allowed")]),
        ({"attribute": "age", "op": "is", "value": float("nan")}, [("/value", "value_not_allowed")]),
        ({"attribute": "age", "op": "is", "value": float("inf")}, [("/value", "value_not_allowed")]),
        ({"attribute": "age", "op": "is", "value": Decimal("1e999999")}, [("/value", "value_not_allowed")]),
        ({"attribute": "age", "op": "is", "value": Decimal("123456789.0123456789")}, [("/value", "value_not_allowed")]),
        ({"attribute": "app_spend", "op": "is", "value": 0.0000001}, [("/value", "value_not_allowed")]),
        ({"attribute": "age", "op": "between", "value": [2, 1]}, [("/value", "value_not_allowed")]),
        ({"attribute": "age", "op": "between", "value": [1]}, [("/value", "definition_invalid")]),
        ({"attribute": "age", "op": "top_percent", "value": 0}, [("/value", "value_not_allowed")]),
        ({"attribute": "age", "op": "top_percent", "value": 100.5}, [("/value", "value_not_allowed")]),
        ({"attribute": "age", "op": "top_count", "value": 1.5}, [("/value", "value_not_allowed")]),
        ({"attribute": "age", "op": "contains", "value": "1"}, [("/op", "operator_not_allowed")]),
        ({"attribute": "age", "op": ["is"], "value": 1}, [("/op", "definition_invalid")]),
        ({"attribute": "campaign_id", "op": "is", "value": "a\0b"}, [("/value", "value_not_allowed")]),
        ({"attribute": "campaign_id", "op": "is", "value": "\ud800"}, [("/value", "value_not_allowed")]),
        ({"attribute": "campaign_id", "op": "contains", "value": ""}, [("/value", "value_not_allowed")]),
        ({"attribute": "os_version", "op": "gt", "value": "ten"}, [("/value", "value_not_allowed")]),
        ({"attribute": "os_version", "op": "gt", "value": 10}, [("/value", "value_not_allowed")]),
        ({"attribute": "os_version", "op": "between", "value": ["10.0", "9.1"]}, [("/value", "value_not_allowed")]),
        ({"attribute": "acquired_at", "op": "on", "value": "2026-01-01T00:00:00Z"}, [("/value", "value_not_allowed")]),
        ({"attribute": "acquired_at", "op": "on", "value": "2026-02-29"}, [("/value", "value_not_allowed")]),
        ({"attribute": "acquired_at", "op": "after", "value": "2026-01-01T00:00:00"},
         [("/value", "value_not_allowed")]),
        ({"attribute": "acquired_at", "op": "after", "value": "2026-01-01T24:00:00Z"},
         [("/value", "value_not_allowed")]),
        ({"attribute": "acquired_at", "op": "after", "value": "0001-01-01T00:00:00+14:00"},
         [("/value", "value_not_allowed")]),
        ({"attribute": "acquired_at", "op": "between", "value": ["2026-01-01", "2026-01-02T00:00:00Z"]},
         [("/value", "value_not_allowed")]),
        ({"attribute": "custom_date", "op": "before", "value": "2026-01-01T00:00:00Z"},
         [("/value", "value_not_allowed")]),
        ({"attribute": "acquired_at", "op": "in_last", "value": "P1M"}, [("/value", "value_not_allowed")]),
        ({"attribute": "acquired_at", "op": "in_last", "value": 30}, [("/value", "value_not_allowed")]),
        ({"attribute": "acquired_at", "op": "anniversary_in_next", "value": "PT36H"},
         [("/value", "value_not_allowed")]),
        ({"attribute": "acquired_at", "op": "anniversary_in_next", "value": "P367D"},
         [("/value", "value_not_allowed")]),
        ({"attribute": "age", "op": "is", "value": 1, "app": "notes"}, [("/app", "value_not_allowed")]),
        ({"attribute": "os", "op": "is", "value": "a", "app": "notes"}, [("/app", "value_not_allowed")]),
        ({"attribute": "rating", "op": "is", "value": 1, "app": "nots"}, [("/app", "unknown_app")]),
        ({"attribute": "rating", "op": "top_count", "value": 1}, [("", "app_required")]),
        ({"device": {"all": []}}, [("/device/all", "definition_invalid")]),
        ({"device": {"any": []}}, [("/device/any", "definition_invalid"), ("/device", "definition_invalid")]),
        ({"device": {"all": [{"attribute": "age", "op": "is", "value": 1}]}},
         [("/device/all/0/attribute", "value_not_allowed")]),
        ({"device": {"all": [{"attribute": "os", "op": "is", "value": "a", "app": "notes"}]}},
         [("/device/all/0/app", "value_not_allowed")]),
        ({"event": "session", "measure": "sum"}, [("/measure", "definition_invalid")]),
        ({"event": "session", "measure": "cuont"}, [("/measure", "definition_invalid")]),
        ({"event": "session", "measure": {"count": "x"}},
         [("/measure/count", "definition_invalid")]),
        ({"event": "session", "measure": {"sum": "x", "avg": "x"}}, [("/measure", "definition_invalid")]),
        ({"event": "level_up", "measure": {"sum": "world"}}, [("/measure/sum", "value_not_allowed")]),
        ({"event": "session", "measure": "first_at"}, [("/op", "operator_not_allowed")]),
        ({"event": "session", "op": "is_set"}, [("/op", "operator_not_allowed")]),
        ({"event": "session", "measure": {"distinct": "x"}, "op": "is_not_set"}, [("/op", "operator_not_allowed")]),
        ({"event": "session", "op": "between"}, [("", "definition_invalid")]),
        ({"event": "session", "where": []}, [("/where", "definition_invalid")]),
        ({"event": "session", "where": [{"property": "x", "op": "top_count", "value": 1}]},
         [("/where/0/op", "operator_not_allowed")]),
        ({"event": "level_up", "where": [{"property": "level", "op": "is", "value": "5"}]},
         [("/where/0/value", "value_not_allowed")]),
        ({"event": "session", "where": [{"property": "x", "op": "gt", "value": "2026-01-01"}]},
         [("/where/0/op", "operator_not_allowed")]),
        ({"event": "session", "where": [{"property": "", "op": "is", "value": 1}]},
         [("/where/0/property", "definition_invalid")]),
        ({"event": "session", "when": {}}, [("/when", "definition_invalid")]),
        ({"event": "session", "when": {"last": "P1D", "to": "2026-01-01"}}, [("/when", "definition_invalid")]),
        ({"event": "session", "when": {"from": "2026-01-01", "to": "2026-01-01"}}, [("/when", "value_not_allowed")]),
        ({"event": "session", "when": {"from": "2026-01-01", "to": "2026-01-02T00:00:00Z"}},
         [("/when", "value_not_allowed")]),
        ({"sequence": [{"event": "session"}]}, [("/sequence", "definition_invalid")]),
        ({"sequence": [{"event": "session"}] * 6}, [("/sequence", "definition_invalid")]),
        ({"sequence": [{"event": "session", "within": "P1D"}, {"event": "session"}]},
         [("/sequence/0/within", "definition_invalid")]),
        ({"sequence": [{"event": "session"}, {"event": "session", "within": "P1Y"}]},
         [("/sequence/1/within", "value_not_allowed")]),
        ({"sample": {"percent": 12.345, "salt": "s"}}, [("/sample/percent", "value_not_allowed")]),
        ({"sample": {"percent": 101, "salt": "s"}}, [("/sample/percent", "value_not_allowed")]),
        ({"sample": {"percent": True, "salt": "s"}}, [("/sample/percent", "value_not_allowed")]),
        ({"sample": {"percent": 1, "salt": ""}}, [("/sample/salt", "value_not_allowed")]),
        ({"sample": {"percent": 1, "salt": "s" * 101}}, [("/sample/salt", "value_not_allowed")]),
        ({"sample": {"percent": 1}}, [("/sample", "definition_invalid")]),
        ({"group": 4}, [("/group", "definition_invalid")]),
        ({"all": [{"a/b~c": 1, "everyone": True}]}, [("/all/0/a~1b~0c", "definition_invalid")]),
    ],
)  # fmt: skip  # a table, read by rows
def test_what_may_not_stand_there_is_refused(match: object, problems: list[tuple[str, str]]) -> None:
    """G-10"""
    assert _refused(match) == problems


@pytest.mark.parametrize("version", [0, 2, True, "1", None])
def test_other_versions_are_refused(version: object) -> None:
    document = {"version": version, "match": EVERYONE}
    assert _problems(document) == [("/version", "definition_invalid", None)]


@pytest.mark.parametrize(
    ("text", "nearest"), [("P1M", "P30D"), ("P1Y", "P365D"), ("P1Y6M", "P545D"), ("P2M5D", "P65D")]
)
def test_years_and_months_are_refused_with_the_nearest_fixed_length(text: str, nearest: str) -> None:
    document = _definition({"attribute": "acquired_at", "op": "in_last", "value": text})
    assert _problems(document) == [("/match/value", "value_not_allowed", nearest)]


@pytest.mark.parametrize("attribute", ["rating", "seat_count"])
def test_ranking_per_app_takes_the_app_of_the_definition_or_its_own(attribute: str) -> None:
    condition = {"attribute": attribute, "op": "top_percent", "value": 10}
    assert _refused(condition) == [("", "app_required")]
    assert _read(condition, app="notes") == AttributeCondition(attribute, "top_percent", Decimal(10))
    own = AttributeCondition(attribute, "top_percent", Decimal(10), app="sketch")
    assert _read(condition | {"app": "sketch"}) == own


def test_device_attribute_is_asked_of_any_device() -> None:
    """G-7"""
    assert _read({"attribute": "os", "op": "is", "value": "Windows"}) == AttributeCondition("os", "is", "Windows")


def _nested(levels: int) -> dict[str, Any]:
    node: dict[str, Any] = EVERYONE
    for _ in range(levels - 1):
        node = {"all": [node]}
    return node


def test_depth_8_is_the_deepest() -> None:
    """G-8"""
    assert decode(_definition(_nested(8)), VOCABULARY).version == 1
    assert _refused(_nested(9)) == [("/all/0" * 8, "too_many_conditions")]


def test_200_conditions_are_the_most() -> None:
    """G-8; filters of events and conditions of a device count too."""
    two = {"event": "session", "where": [{"property": "x", "op": "is_set"}]}
    assert decode(_definition({"any": [{"all": [two] * 50}, {"all": [two] * 50}]}), VOCABULARY).version == 1
    too_many = {"any": [{"all": [two] * 50}, {"all": [two] * 50}, EVERYONE]}
    assert _refused(too_many) == [("", "too_many_conditions")]


def test_list_holds_at_most_1000_values_and_100_nodes() -> None:
    """G-8"""
    condition = {"attribute": "age", "op": "in", "value": list(range(1_000))}
    assert decode(_definition(condition), VOCABULARY).version == 1
    assert _refused(condition | {"value": list(range(1_001))}) == [("/value", "too_many_conditions")]
    assert _refused({"all": [EVERYONE] * 101}) == [("/all", "too_many_conditions")]


def test_definition_holds_at_most_64_kib() -> None:
    """G-8; measured as it is saved, so that what was saved can be loaded."""
    empty = len(json.dumps(_definition({"attribute": "campaign_id", "op": "is", "value": ""}), separators=(",", ":")))
    fits = _definition({"attribute": "campaign_id", "op": "is", "value": "x" * (64 * 1024 - empty)})
    assert encode(decode_json(json.dumps(fits, separators=(",", ":")), VOCABULARY)) == fits
    over = _definition({"attribute": "campaign_id", "op": "is", "value": "x" * (64 * 1024 - empty + 1)})
    assert _problems(over) == [("", "too_many_conditions", None)]
    with pytest.raises(DefinitionInvalid) as caught:
        decode_json(json.dumps(over), VOCABULARY)
    assert [problem.code for problem in caught.value.problems] == ["too_many_conditions"]


def test_defaults_are_left_out_and_order_is_kept() -> None:
    """G-13"""
    document = _definition(
        {
            "any": [
                {"event": "session", "measure": "count", "op": "gte", "value": 1},
                {"attribute": "os_version", "op": "is", "value": "1.0"},
                {"event": "level_up", "op": "lt", "value": 2.5, "when": {"last": "PT48H"}},
                {"sample": {"percent": 12.50, "salt": "s"}},
                {"group": "staff"},
            ]
        },
        app="notes",
    )
    assert encode(decode(document, VOCABULARY)) == _definition(
        {
            "any": [
                {"event": "session"},
                {"attribute": "os_version", "op": "is", "value": "1.0"},
                {"event": "level_up", "op": "lt", "value": 2.5, "when": {"last": "P2D"}},
                {"sample": {"percent": 12.5, "salt": "s"}},
                {"group": "grp_8staff"},
            ]
        },
        app="notes",
    )


def test_decode_does_not_change_its_document() -> None:
    document = _definition({"attribute": "age", "op": "in", "value": [2, 1]})
    decode(document, VOCABULARY)
    assert document == _definition({"attribute": "age", "op": "in", "value": [2, 1]})
