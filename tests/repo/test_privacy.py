"""`privacy.yaml` names every place that holds personal data, and nothing that is not there."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest
import yaml
from django.apps import apps

from muster.customers.hooks import personal_data
from muster.warehouse.duckdb import erase, schema
from muster.wiring.configuration import Configuration

PRIVACY = yaml.safe_load((Path(__file__).parents[2] / "privacy.yaml").read_text(encoding="utf-8"))
# Field and column names that would hold something about a person; a new one must be declared or renamed.
_TELLING = ("email", "name", "first_name", "last_name", "phone", "address", "birth", "label", "gender", "country")
# Names of things of the publisher's, not of people.
_THINGS = {
    "catalog.Publisher.name", "catalog.App.name", "catalog.AddOn.name", "catalog.Attribute.label",
    "catalog.Event.label", "catalog.Event.names", "groups.Group.name", "groups.GroupVersion.name", "team.ApiToken.name",
    "catalog.Attribute.value_labels", "catalog.AppKey.name", "socialaccount.SocialApp.name",
}  # fmt: skip  # a table, read by rows
_PRODUCT_COLUMNS = {"order_lines.name", "purchases.name", "sources.name", "cursors.name"}


def _fields() -> set[str]:
    return {
        f"{model._meta.app_label}.{model.__name__}.{field.name}"
        for model in apps.get_models()
        if model.__module__.startswith(("muster.", "allauth."))
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
            assert set(said) - {"place"} == {"purpose", "retention", "erasure"}, place


def test_every_place_is_declared_and_registered() -> None:
    """C-45"""
    declared = {
        said["place"]
        for section in ("control_database", "files")
        for said in PRIVACY[section].values()
        if "place" in said
    }
    assert declared | {"warehouse"} == set(personal_data)


def test_every_table_of_the_warehouse_is_in_charge_of_somebody(columns: set[str]) -> None:
    """A new table says whether its rows are somebody's and how they are found."""
    tables = {column.partition(".")[0] for column in columns} - {"orders", "events", "sessions"}
    assert {*erase.RAW, *erase.DERIVED, *erase.BY_NAME, *erase.IMPERSONAL} == tables
    keyed = {column.partition(".")[0] for column in columns if column.endswith(".customer_key")} & tables
    assert keyed == {*erase.RAW, *erase.DERIVED, "order_entries"}
    assert {column.partition(".")[0] for column in PRIVACY["warehouse"]} & set(erase.IMPERSONAL) == set()


def test_every_directory_of_the_installation_is_declared() -> None:
    named = {name for name in vars(Configuration) if name.endswith("_directory")}
    # The warehouse is declared column by column, and what pages are drawn with is nobody's.
    declared_elsewhere = {"warehouse", "static"}
    directories = {getattr(Configuration(Path("/home")), name).name for name in named} - declared_elsewhere
    assert directories | {"ledger"} == set(PRIVACY["files"])
