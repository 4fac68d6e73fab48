"""`muster groups` and `muster catalog` against a running server, from an empty installation to an export."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from muster.kernel.ids import customer_id
from tests.integration.processes import muster, serving

# 90 people with one order each; every third bought in France: 30, more than the smallest group shown (G-21).
_ORDERS = "id,market,order\n" + "".join(f"u{n},{'FR' if n % 3 == 0 else 'NO'},o{n}\n" for n in range(90))
_MAPPING = """
kind: orders
app: notes
row:
  external_id: id
  happened_at: {value: "2026-01-01"}
  market: market
  currency: {value: EUR}
  products: {group_by: order, product_id: {value: pro}, price: {value: "10"}, quantity: {value: "1"}}
"""


def _definition(country: str) -> str:
    condition = {"attribute": "country", "op": "is", "value": country}
    return json.dumps({"version": 1, "match": {"all": [condition]}})


@pytest.fixture
def asks(environment: dict[str, str]) -> Iterator[dict[str, str]]:
    with serving(environment):
        yield environment


def _json(environment: dict[str, str], *arguments: str, stdin: str = "") -> Any:
    done = muster(environment, *arguments, "--json", stdin=stdin)
    assert (done.returncode, done.stderr) == (0, "")
    return json.loads(done.stdout)


def test_group_from_people_to_export(asks: dict[str, str], home: Path) -> None:
    (home / "orders.csv").write_text(_ORDERS, encoding="utf-8")
    (home / "mapping.yaml").write_text(_MAPPING, encoding="utf-8")
    _json(asks, "catalog", "apps", "create", "--set", "key=notes")
    imported = _json(
        asks,
        "customers",
        "import",
        str(home / "orders.csv"),
        "--kind",
        "orders",
        "--mapping",
        f"{home}/mapping.yaml",
    )
    assert [item["state"] for item in imported["items"]] == ["done"]

    made = _json(
        asks, "groups", "create", "french", "--name", "In France", "--definition", "-", stdin=_definition("FR")
    )
    assert (made["key"], made["state"], made["size"]) == ("french", "active", 30)
    previewed = _json(asks, "groups", "preview", "--definition", "-", stdin=_definition("NO"))
    assert previewed["size"] == 60

    exported = muster(asks, "groups", "export", "french", "--output", str(home / "french.csv"))
    assert (exported.returncode, exported.stdout, exported.stderr) == (0, "30 members\n", "")
    rows = list(csv.DictReader(io.StringIO((home / "french.csv").read_text(encoding="utf-8"))))
    # Customers are numbered in the order in which they came.
    assert [row["id"] for row in rows] == [customer_id(number) for number in range(1, 91, 3)]

    why = _json(asks, "groups", "explain", "french", "--customer", "external:u3")
    assert why["member"] is True
    stale = muster(asks, "groups", "edit", "french", "--name", "France", "--revision", "99")
    assert stale.stderr.startswith("error [revision_conflict]")
    edited = _json(asks, "groups", "edit", "french", "--name", "France")
    assert (edited["name"], edited["revision"]) == ("France", made["revision"] + 1)
    assert [item["key"] for item in _json(asks, "groups", "list")["items"]] == ["french"]
    assert muster(asks, "groups", "delete", "french").returncode == 0
    assert muster(asks, "groups", "show", "french").returncode == 3


def test_definition_that_is_wrong_names_every_place(asks: dict[str, str]) -> None:
    """G-10"""
    wrong = {
        "version": 1,
        "match": {
            "all": [
                {"attribute": "contry", "op": "is", "value": "FR"},
                {"attribute": "country", "op": "before", "value": "FR"},
            ]
        },
    }
    refused = muster(asks, "groups", "create", "french", "--definition", "-", stdin=json.dumps(wrong))
    assert refused.returncode == 1
    assert [line.partition(":")[0] for line in refused.stderr.splitlines()] == [
        "error [unknown_attribute] at /match/all/0/attribute",
        "error [operator_not_allowed] at /match/all/1/op",
    ]
    broken = muster(asks, "groups", "create", "french", "--definition", "-", stdin="{")
    assert broken.stderr.startswith("error [file_unreadable]: <stdin> is not JSON: ")


def test_catalog_is_told_with_fields(asks: dict[str, str]) -> None:
    app = _json(asks, "catalog", "apps", "create", "--set", "key=notes", "--set", "name={en: Notes}")
    assert (app["key"], app["name"]) == ("notes", {"en": "Notes"})
    assert [one["key"] for one in _json(asks, "catalog", "apps", "list")["items"]] == ["notes"]
    assert _json(asks, "catalog", "apps", "edit", "notes", "--set", "name={en: Note}")["name"] == {"en": "Note"}
    assert _json(asks, "catalog", "publisher", "edit", "--set", "time_zone=Europe/Oslo")["time_zone"] == "Europe/Oslo"
    assert muster(asks, "catalog", "apps", "show", "none").returncode == 3
    assert muster(asks, "catalog", "apps", "create").returncode == 2
