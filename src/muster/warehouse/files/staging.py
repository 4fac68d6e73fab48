"""The SQL of a stage: from parsed rows to items and verdicts.

Tables: `parsed` (every row), `doubles` (rows of things an earlier row has named) or `orders` (rows joined to orders),
`found` (what the warehouse has already), `erased` (items from before an erasure). Views: `items` (what would be
applied), `verdicts` (one of every row).
"""

from __future__ import annotations

from dataclasses import dataclass

from muster.warehouse.files.columns import COLUMNS
from muster.warehouse.files.mapping import ImportMapping

# Which rows of a kind are one and the same thing; null: each row is a thing of its own.
_THINGS = {
    "customers": "coalesce(external_id, chr(31) || anonymous_id)",
    "orders": "order_id",
    "events": "message_id",
    "consents": "NULL",
    "rates": "day || chr(31) || currency",
}


# Half of a SHA-256: as much as the hash that it goes into.
_DIGEST = 32

# As they are, about the size of the file: finding out how to compress them would cost as much as reading the cells.
_STORED = {"VARCHAR": "VARCHAR USING COMPRESSION uncompressed"}


@dataclass(frozen=True)
class Statements:
    """`create` before the first row, `finish` after the last."""

    create: list[str]
    finish: list[str]


def statements(mapping: ImportMapping, digest: str) -> Statements:
    columns = ", ".join(f"{name} {_STORED.get(kind, kind)}" for name, kind in COLUMNS[mapping.kind].items())
    create = [
        *(f"DROP VIEW IF EXISTS {view}" for view in ("verdicts", "items")),
        *(f"DROP TABLE IF EXISTS {table}" for table in ("parsed", "repeated", "doubles", "orders", "found", "erased")),
        f"CREATE TABLE parsed (row_number UINTEGER, {columns}, bad_column VARCHAR, bad_reason VARCHAR,"
        " bad_value VARCHAR)",
        "CREATE TABLE found (position UINTEGER, stored VARCHAR)",
        "CREATE TABLE erased (position UINTEGER)",
    ]
    return Statements(create, _grouped(digest) if mapping.lines else _single(mapping.kind, digest))


def _content(kind: str) -> str:
    """All that a row says as one text."""
    columns = ", ".join(f"coalesce(CAST({name} AS VARCHAR), chr(30))" for name in COLUMNS[kind])
    return f"concat_ws(chr(31), {columns})"


def _item_hash(digest: str, row: str, content: str) -> str:
    # An import row is known by file and row (C-19), its content beside it: a corrected mapping gives other items.
    return f"md5_number(concat('{digest[:_DIGEST]}:', {row}, ':', {content}))"


def _single(kind: str, digest: str) -> list[str]:
    """One row, one item. Repeated rows are `duplicate_in_file`; the same thing said differently is a conflict."""
    columns = ", ".join(
        f"coalesce(order_id, substr(md5('{digest}:' || row_number), 1, 20)) AS order_id" if name == "order_id" else name
        for name in COLUMNS[kind]
    )
    thing, content = _THINGS[kind], _content(kind)
    return [
        f"CREATE TABLE repeated AS SELECT {thing} AS thing, min(row_number) AS first_row FROM parsed"
        f" WHERE bad_reason IS NULL AND {thing} IS NOT NULL GROUP BY thing HAVING count(*) > 1",
        # Only the rows of things named twice are compared: in most files there are none.
        f"""CREATE TABLE doubles AS SELECT p.row_number, r.first_row, first(p.said ORDER BY p.row_number) OVER
            (PARTITION BY r.thing) = p.said AS same
            FROM (SELECT row_number, {thing} AS thing, {content} AS said FROM parsed WHERE bad_reason IS NULL) p
            JOIN repeated r USING (thing) QUALIFY p.row_number <> r.first_row""",
        f"CREATE VIEW items AS SELECT row_number AS position, {columns},"
        f" {_item_hash(digest, 'row_number', content)} AS hash FROM parsed p ANTI JOIN doubles USING (row_number)"
        " ANTI JOIN erased e ON e.position = p.row_number WHERE bad_reason IS NULL",
        """CREATE VIEW verdicts AS SELECT p.row_number, CASE
            WHEN p.bad_reason IS NOT NULL OR NOT d.same THEN 'invalid'
            WHEN d.same THEN 'duplicate_in_file'
            WHEN e.position IS NOT NULL THEN 'erased'
            ELSE coalesce(f.stored, 'new') END AS verdict,
            p.bad_column, CASE WHEN NOT d.same THEN 'conflict_in_file' ELSE p.bad_reason END AS bad_reason,
            CASE WHEN NOT d.same THEN 'row ' || d.first_row ELSE p.bad_value END AS bad_value
            FROM parsed p LEFT JOIN doubles d USING (row_number) LEFT JOIN found f ON f.position = p.row_number
            LEFT JOIN erased e ON e.position = p.row_number""",
    ]


def _grouped(digest: str) -> list[str]:
    """Many rows, one order: if one line is bad or contradicts the others, no line of the order is taken."""
    first = ", ".join(
        f"arg_min({name}, row_number) FILTER ({name} IS NOT NULL) AS {name}"
        for name in ("external_id", "anonymous_id", "happened_at", "currency", "coupon", "market")
    )
    differing = " OR ".join(
        f"count(DISTINCT {name}) > 1" for name in ("external_id", "happened_at", "currency", "amount_micros")
    )
    return [
        f"""CREATE TABLE orders AS SELECT group_key, min(row_number) AS position, {first},
            coalesce(arg_min(order_id, row_number), group_key) AS order_id,
            CAST(coalesce(max(amount_micros),
                sum(CAST(price_micros AS DECIMAL(38, 6)) * coalesce(quantity, 1))) AS BIGINT) AS amount_micros,
            count(bad_reason) AS bad, min(row_number) FILTER (bad_reason IS NOT NULL) AS first_bad,
            {differing} AS differs,
            md5(string_agg({_content("orders")}, ',' ORDER BY row_number)) AS content
            FROM parsed WHERE group_key IS NOT NULL GROUP BY group_key""",
        f"""CREATE VIEW items AS SELECT position, group_key, external_id, anonymous_id, order_id, happened_at,
            amount_micros, currency, coupon, market, {_item_hash(digest, "position", "content")} AS hash
            FROM orders ANTI JOIN erased USING (position) WHERE bad = 0 AND NOT differs""",
        """CREATE VIEW verdicts AS SELECT p.row_number,
            CASE WHEN p.bad_reason IS NOT NULL OR o.bad > 0 OR o.differs THEN 'invalid'
                WHEN e.position IS NOT NULL THEN 'erased' ELSE coalesce(f.stored, 'new') END AS verdict,
            p.bad_column,
            CASE WHEN p.bad_reason IS NOT NULL THEN p.bad_reason
                WHEN o.bad > 0 THEN 'order_incomplete' WHEN o.differs THEN 'conflict_in_file' END AS bad_reason,
            CASE WHEN p.bad_reason IS NOT NULL THEN p.bad_value
                WHEN o.bad > 0 THEN 'row ' || o.first_bad WHEN o.differs THEN 'order ' || p.group_key END AS bad_value
            FROM parsed p LEFT JOIN orders o USING (group_key) LEFT JOIN found f ON f.position = o.position
            LEFT JOIN erased e ON e.position = o.position""",
    ]


REFUSED = "INSERT INTO parsed BY NAME SELECT row_number, bad_reason, bad_value FROM refused_rows"
# A line too wide or too narrow still names its order, if its cell is where it should be on one side of the fault.
REFUSED_LINES = """
INSERT INTO parsed BY NAME
WITH named AS (SELECT DISTINCT group_key FROM parsed WHERE group_key IS NOT NULL)
SELECT r.row_number, r.bad_reason, r.bad_value, coalesce(a.group_key, b.group_key) AS group_key FROM refused_rows r
LEFT JOIN named a ON a.group_key = nfc_normalize(r.from_left)
LEFT JOIN named b ON b.group_key = nfc_normalize(r.from_right)
"""


def items(start: int, count: int) -> str:
    """The items of a range of positions in any order, with what the warehouse has already."""
    return (
        "SELECT i.*, f.stored FROM items i LEFT JOIN found f USING (position)"
        f" WHERE position >= {int(start)} AND position < {int(start) + int(count)}"
    )


# The lines of `asked_items` (position, item), numbered within their order.
ASKED_LINES = (
    "SELECT a.item, CAST(row_number() OVER (PARTITION BY a.item ORDER BY p.row_number) - 1 AS INTEGER) AS line,"
    " p.product_id, p.category, p.name, p.price_micros, p.quantity"
    " FROM asked_items a JOIN items i USING (position) JOIN parsed p USING (group_key)"
)


def lines(start: int, count: int) -> str:
    """The lines of the orders of a range, numbered within their order."""
    numbered = (
        "SELECT group_key, CAST(row_number() OVER (ORDER BY position) - 1 AS UINTEGER) AS item FROM items"
        f" WHERE position >= {int(start)} AND position < {int(start) + int(count)}"
    )
    return (
        "SELECT n.item, CAST(row_number() OVER (PARTITION BY n.item ORDER BY p.row_number) - 1 AS INTEGER) AS line,"
        " p.product_id, p.category, p.name, p.price_micros, p.quantity"
        f" FROM parsed p JOIN ({numbered}) n USING (group_key)"
    )
