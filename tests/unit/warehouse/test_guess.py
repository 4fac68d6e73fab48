"""What a file's columns are proposed to be, and the way from a choice to a mapping and back (C-35)."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from muster.rules.vocabulary import Type
from muster.warehouse.files.choices import FIXED, ROLES, Choice, Choices, choices_of, document_of
from muster.warehouse.files.dates import proposed_format
from muster.warehouse.files.guess import Head, head_of, propose
from muster.warehouse.files.mapping import KINDS, TRAIT_TYPES, read_mapping
from muster.warehouse.files.reading import Source, open_rows


def _head(header: str, *rows: str) -> Head:
    columns = tuple(header.split(","))
    cells = [row.split(",") for row in rows]
    return Head(columns, {name: [row[place] for row in cells] for place, name in enumerate(columns)})


def _roles(kind: str, header: str, *rows: str) -> list[str]:
    return [one.role for one in propose(kind, _head(header, *rows), {}).columns]


@pytest.mark.parametrize(
    ("kind", "header", "roles"),
    [
        ("customers", "CustomerKey,EmailAddress,Points", ["external_id", "email", "trait"]),
        ("customers", "Kunden-Nr,E-Mail-Adresse,PLZ", ["external_id", "email", "trait"]),
        ("customers", "id,user_id", ["trait", "external_id"]),
        (
            "orders",
            "CustomerID,OrderNumber,OrderDate,ProductKey,Price,Qty",
            ["external_id", "order_id", "happened_at", "line:product_id", "line:price", "line:quantity"],
        ),
        # Without the number of their order lines cannot be put together.
        ("orders", "customer,date,product,price", ["external_id", "happened_at", "", ""]),
        ("orders", "user,total,currency,created,country", ["external_id", "amount", "currency", "", "market"]),
        ("events", "userId,event,timestamp,plan", ["external_id", "event", "happened_at", "property"]),
        ("consents", "user_id,purpose,channel,consent,notes", ["external_id", "purpose", "channel", "granted", ""]),
        ("rates", "TIME_PERIOD,CURRENCY,OBS_VALUE", ["day", "currency", "rate"]),
    ],
)
def test_names_of_columns_say_what_they_are(kind: str, header: str, roles: list[str]) -> None:
    assert _roles(kind, header, ",".join("x" for _ in header.split(","))) == roles


def test_addresses_are_known_by_their_look() -> None:
    assert _roles("customers", "id,contact,other", "1,a@example.com,x@y", "2,b@example.org,nothing") == [
        "external_id",
        "email",
        "trait",
    ]


def test_types_are_those_of_most_values() -> None:
    """A few cells that do not fit get their verdicts; what the catalog knows already is not guessed."""
    rows = [f"{n},{n}.5,2026-01-{n:02},2026-01-{n:02}T10:00:00Z,yes,{n},00{n}" for n in range(10, 30)]
    head = _head("id,number,day,instant,flag,known,zip", *rows, "30,x,x,x,x,x,x")
    found = {one.column: one.type for one in propose("customers", head, {"known": Type.VERSION}).columns}
    assert found == {
        "id": Type.TEXT,
        "number": Type.NUMBER,
        "day": Type.DATE,
        "instant": Type.TIMESTAMP,
        "flag": Type.BOOLEAN,
        "known": Type.VERSION,
        "zip": Type.TEXT,
    }


def test_two_columns_never_become_one_attribute() -> None:
    names = [one.name for one in propose("customers", _head("id,Level Up,level_up", "1,2,3"), {}).columns]
    assert names == ["", "level_up", ""]


@pytest.mark.parametrize(
    ("values", "format"),
    [
        (["31.01.2026", "01.02.2026"], "%d.%m.%Y"),
        (["01/31/26", "02/01/26"], "%m/%d/%y"),
        (["01/02/2026", "03/04/2026"], None),
        (["31/01/2026", "01/31/2026"], None),
        (["2026-01-31"], None),
        (["31.01.2026", "x", "y"], None),
        ([], None),
    ],
)
def test_format_of_dates_is_proposed_only_where_one_reading_fits(values: list[str], format: str | None) -> None:
    assert proposed_format(values) == format


def test_empty_files_and_blank_headers_are_no_trouble(tmp_path: Path) -> None:
    for content in (b"", b"\n", b"id\n", b"id,,\n1,2,3\n", b"!!!,---\n1,2\n"):
        (tmp_path / "file").write_bytes(content)
        head = head_of(open_rows(tmp_path / "file", Source()))
        for kind in KINDS:
            assert len(propose(kind, head, {}).columns) == len(head.columns)


_NAMES = st.text("abcdefg_ ü", min_size=1, max_size=8)


@st.composite
def _choices(draw: st.DrawFn) -> Choices:
    """Any choice a form can say: at most one column a role, names of attributes all different."""
    kind = draw(st.sampled_from(KINDS))
    columns = draw(st.lists(_NAMES, min_size=1, max_size=8, unique=True))
    roles = draw(st.permutations([*ROLES[kind], *[""] * 8]))
    chosen = []
    for number, (column, role) in enumerate(zip(columns, roles, strict=False)):
        named = role in ("trait", "property")
        one = Choice(
            column, role, f"name {number}" if named else "", draw(st.sampled_from(TRAIT_TYPES)) if named else Type.TEXT
        )
        format = draw(st.sampled_from(["", "%d.%m.%Y"])) if one.is_date else ""
        chosen.append(Choice(column, role, one.name, one.type, format))
    if not any(one.role == "order_id" for one in chosen):
        chosen = [one if not one.role.startswith("line:") else Choice(one.column) for one in chosen]
    free = [name for name in FIXED[kind] if name not in {one.role for one in chosen}]
    fixed = {name: "x" for name in free if draw(st.booleans())}
    return Choices(kind=kind, app=draw(st.sampled_from(["", "notes"])), columns=tuple(chosen), fixed=fixed)


@given(_choices())
def test_choice_survives_the_way_to_a_mapping_and_back(chosen: Choices) -> None:
    back = choices_of(document_of(chosen), [one.column for one in chosen.columns])
    assert back == chosen


def test_styles_hold_for_every_number_and_date() -> None:
    chosen = Choices(
        kind="orders",
        app="shop",
        columns=(
            Choice("who", "external_id"),
            Choice("when", "happened_at", format="%d.%m.%Y"),
            Choice("sum", "amount"),
            Choice("no", "order_id"),
            Choice("each", "line:price"),
            Choice("what", "line:product_id"),
        ),
        fixed={"currency": "EUR", "market": ""},
        zone="Europe/Berlin",
        decimal=",",
        strip=".",
    )
    document = document_of(chosen)
    assert document["row"] == {
        "external_id": "who",
        "happened_at": {"column": "when", "format": "%d.%m.%Y", "zone": "Europe/Berlin"},
        "amount": {"column": "sum", "decimal": ",", "strip": "."},
        "order_id": "no",
        "currency": {"value": "EUR"},
        "products": {
            "group_by": "no",
            "price": {"column": "each", "decimal": ",", "strip": "."},
            "product_id": "what",
        },
    }
    mapping = read_mapping(document, tuple(one.column for one in chosen.columns))
    assert (mapping.lines["price"].decimal, mapping.fields["happened_at"].zone) == (",", "Europe/Berlin")
    assert choices_of(document, [one.column for one in chosen.columns]).decimal == ","
