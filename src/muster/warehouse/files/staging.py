"""The SQL of a stage: from parsed rows to items and verdicts.

Tables: `parsed` (every row), `doubles` (rows of things an earlier row has named), or `orders`, `members` (rows of
orders) and `strays` (rows far from the first of their order, copied), `found` (what the warehouse has already),
`erased` (items from before an erasure). Views: `items` (what would be applied), `verdicts` (one of every row).

Nothing collects lists or texts of a whole file: DuckDB spills rows and numbers, but not what aggregates collect.
"""

from __future__ import annotations

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


# Rows of the file whose orders are put together in one pass: tens of megabytes.
_PASS_ROWS = 100_000

# Lines this many rows behind the first of their order are copied to where its other lines are: only so a pass need not
# read the whole file.
_FAR = 50_000


def create(mapping: ImportMapping) -> list[str]:
    """What to execute before the first row is there."""
    columns = ", ".join(f"{name} {_STORED.get(kind, kind)}" for name, kind in COLUMNS[mapping.kind].items())
    tables = ("parsed", "repeated", "doubles", "groups", "unsorted", "members", "strays", "orders", "found", "erased")
    return [
        *(f"DROP VIEW IF EXISTS {view}" for view in ("verdicts", "items")),
        *(f"DROP TABLE IF EXISTS {table}" for table in tables),
        f"CREATE TABLE parsed (row_number UINTEGER, {columns}, bad_column VARCHAR, bad_reason VARCHAR,"
        " bad_value VARCHAR)",
        "CREATE TABLE found (position UINTEGER, stored VARCHAR)",
        "CREATE TABLE erased (position UINTEGER)",
    ]


def finish(mapping: ImportMapping, digest: str, end: int) -> list[str]:
    """What to execute after the last row; `end`: the row number behind it."""
    return _grouped(digest, end) if mapping.lines else _single(mapping.kind, digest)


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


# An order says what the first of its lines with a value says.
_TIMES = "CAST(price_micros AS DOUBLE) * coalesce(quantity, 1)"
# Exact, and of lines that no order has, nothing.
_LINES_AMOUNT = f"""CASE WHEN max(abs({_TIMES})) < 1e18 THEN try_cast(sum(CASE WHEN abs({_TIMES}) < 1e18
                THEN CAST(price_micros AS DECIMAL(38, 6)) * coalesce(quantity, 1) END) AS BIGINT) END"""
_ORDER_TEXTS = ("external_id", "anonymous_id", "happened_at", "currency", "coupon", "market")
# Lines contradict each other if these differ.
_ORDER_AGREES = ("hash(external_id)", "happened_at", "hash(currency)", "amount_micros")


def _grouped(digest: str, end: int) -> list[str]:
    """Many rows, one order: if one line is bad or contradicts the others, no line of the order is taken."""
    differing = " OR ".join(f"coalesce(min({value}) <> max({value}), false)" for value in _ORDER_AGREES)
    # Each line hashed with its row: then their order in the file counts, but not the order they are added up in.
    line = f"md5_number(concat_ws(chr(31), row_number, {_content('orders')}))"
    columns = ", ".join(f"{name} {COLUMNS['orders'][name]}" for name in _ORDER_TEXTS)
    first = ", ".join(f"arg_min({name}, row_number) FILTER ({name} IS NOT NULL) AS {name}" for name in _ORDER_TEXTS)
    return [
        """CREATE TABLE groups AS SELECT group_key, min(row_number) AS position
            FROM parsed WHERE group_key IS NOT NULL GROUP BY group_key""",
        # Joined first and sorted then, each with all the memory.
        "CREATE TABLE unsorted AS SELECT p.row_number, g.position FROM parsed p JOIN groups g USING (group_key)",
        "CREATE TABLE members AS SELECT * FROM unsorted ORDER BY position, row_number",
        "DROP TABLE groups",
        f"""CREATE OR REPLACE TABLE unsorted AS SELECT m.position, p.* FROM members m JOIN parsed p USING (row_number)
            WHERE m.row_number - m.position >= {_FAR}""",
        "CREATE TABLE strays AS SELECT * FROM unsorted ORDER BY position",
        "DROP TABLE unsorted",
        f"""CREATE TABLE orders (position UINTEGER, {columns}, order_id VARCHAR, amount_micros BIGINT, bad BIGINT,
            first_bad UINTEGER, differs BOOLEAN, content VARCHAR)""",
        *(
            f"""INSERT INTO orders BY NAME SELECT position, {first},
            coalesce(arg_min(order_id, row_number), min(group_key)) AS order_id,
            coalesce(max(amount_micros), {_LINES_AMOUNT}) AS amount_micros,
            count(bad_reason) AS bad, min(row_number) FILTER (bad_reason IS NOT NULL) AS first_bad,
            {differing} AS differs, hex(bit_xor({line})) AS content
            FROM ({_lines(start, _PASS_ROWS)}) GROUP BY position ORDER BY position"""
            for start in range(0, end, _PASS_ROWS)
        ),
        f"""CREATE VIEW items AS SELECT position, external_id, anonymous_id, order_id, happened_at,
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
            FROM parsed p LEFT JOIN members m USING (row_number) LEFT JOIN orders o USING (position)
            LEFT JOIN found f USING (position) LEFT JOIN erased e USING (position)""",
    ]


REFUSED = "INSERT INTO parsed BY NAME SELECT row_number, bad_reason, bad_value FROM refused_rows"
# A line too wide or too narrow still names its order, if its cell is where it should be on one side of the fault.
REFUSED_LINES = """
INSERT INTO parsed BY NAME
WITH named AS (
    SELECT DISTINCT group_key FROM parsed WHERE group_key IN (
        SELECT nfc_normalize(from_left) FROM refused_rows UNION SELECT nfc_normalize(from_right) FROM refused_rows))
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


def _lines(start: int, count: int) -> str:
    """All columns of the lines of the orders at a range of positions, with `position`, in any order."""
    first, end = int(start), int(start) + int(count)
    near = f"SELECT * FROM parsed WHERE row_number >= {first} AND row_number < {end + _FAR}"
    here = f"position >= {first} AND position < {end}"
    return (
        f"SELECT m.position, p.* FROM ({near}) p"
        f" JOIN (SELECT * FROM members WHERE {here} AND row_number - position < {_FAR}) m USING (row_number)"
        f" UNION ALL SELECT * FROM strays WHERE {here}"
    )


def lines(start: int, count: int, only: str = "items") -> str:
    """The lines of the items of a range of positions in any order; `only`: of those at the positions of a relation."""
    return (
        "SELECT position, row_number, product_id, category, name, price_micros, quantity"
        f" FROM ({_lines(start, count)}) SEMI JOIN {only} USING (position)"
    )
