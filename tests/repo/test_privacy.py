"""`privacy.yaml` names every place that holds personal data, and nothing that is not there."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest
import yaml
from django.apps import apps

from muster.warehouse.duckdb import schema

PRIVACY = yaml.safe_load((Path(__file__).parents[2] / "privacy.yaml").read_text(encoding="utf-8"))
# Field and column names that would hold something about a person; a new one must be declared or renamed.
_TELLING = ("email", "name", "first_name", "last_name", "phone", "address", "birth", "label", "gender", "country")
# Names of things of the publisher's, not of people.
_THINGS = {
    "catalog.Publisher.name", "catalog.App.name", "catalog.AddOn.name", "catalog.Attribute.label",
    "catalog.Event.label", "catalog.Event.names", "groups.Group.name", "groups.GroupVersion.name", "team.ApiToken.name",
    "catalog.Attribute.value_labels",
}  # fmt: skip
_PRODUCT_COLUMNS = {"order_lines.name", "purchases.name", "sources.name", "cursors.name"}


def _fields() -> set[str]:
    return {
        f"{model._meta.app_label}.{model.__name__}.{field.name}"
        for model in apps.get_models()
        if model.__module__.startswith("muster.")
        for field in model._meta.get_fields()
        if not field.is_relation
    }


@pytest.fixture
def columns() -> set[str]:
    connection = duckdb.connect()
    schema.prepare(connection)
    rows = connection.execute("SELECT table_name, column_name FROM duckdb_columns() WHERE NOT internal").fetchall()
    connection.close()
    return {f"{table}.{column}" for table, column in rows}


def test_every_declared_field_exists() -> None:
    assert set(PRIVACY["control_database"]) - _fields() == set()


def test_telling_fields_are_declared() -> None:
    telling = {one for one in _fields() if any(word in one.rpartition(".")[2] for word in _TELLING)}
    undeclared = telling - set(PRIVACY["control_database"]) - _THINGS
    assert undeclared == set()


def test_every_declared_column_exists(columns: set[str]) -> None:
    assert set(PRIVACY["warehouse"]) - columns == set()


def test_telling_columns_are_declared(columns: set[str]) -> None:
    telling = {one for one in columns if one.rpartition(".")[2] in _TELLING}
    assert telling - set(PRIVACY["warehouse"]) - _PRODUCT_COLUMNS == set()


def test_declarations_say_what_for() -> None:
    for section in ("control_database", "files"):
        for place, said in PRIVACY[section].items():
            assert set(said) == {"purpose", "retention", "erasure"}, place
