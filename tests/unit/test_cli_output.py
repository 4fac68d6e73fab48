"""What commands print: tables nothing is cut from, CSV that no spreadsheet executes, errors with their nearest."""

from __future__ import annotations

import io

import pytest

from muster.cli.output import problem_text, table
from muster.cli.tables import cell, write_csv


def test_table_aligns_numbers_right_and_cuts_nothing() -> None:
    rows = [["spenders", 1204, None, ["a", "b"]], ["new\ncustomers", 7, True, {"x": 1}]]
    assert table(("key", "size", "small", "tags"), rows).splitlines() == [
        "KEY            SIZE  SMALL  TAGS",
        "spenders       1204         a, b",
        'new customers     7  yes    {"x": 1}',
    ]


def test_table_of_nothing_says_so() -> None:
    assert table(("key",), []) == "none"


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("=HYPERLINK(1)", "'=HYPERLINK(1)"),
        ("+4790000000", "'+4790000000"),
        ("-1+1", "'-1+1"),
        ("@sum", "'@sum"),
        ("\tx", "'\tx"),
        ("Ann", "Ann"),
        (-5, -5),
        (None, ""),
        (True, "true"),
        (["a"], '["a"]'),
    ],
)
def test_cell_is_no_formula(value: object, written: object) -> None:
    assert cell(value) == written


def test_csv_has_the_columns_of_its_first_row() -> None:
    file = io.StringIO(newline="")
    count = write_csv(file, iter([{"id": "cus_1", "name": 'A "B", C'}, {"id": "cus_2", "name": None, "new": 1}]))
    assert (count, file.getvalue()) == (2, 'id,name\r\ncus_1,"A ""B"", C"\r\ncus_2,\r\n')


def test_problem_is_one_line_for_each_thing_wrong() -> None:
    problem = {
        "code": "definition_invalid",
        "detail": "2 things",
        "errors": [
            {"pointer": "/all/0", "code": "unknown_attribute", "message": "unknown `contry`.", "nearest": "country"},
            {"pointer": "", "parameter": "limit", "code": "int_parsing", "message": "No number.", "nearest": None},
        ],
    }
    assert problem_text(problem).splitlines() == [
        "error [unknown_attribute] at /all/0: unknown `contry`. Nearest: country",
        "error [int_parsing] at limit: No number.",
    ]
