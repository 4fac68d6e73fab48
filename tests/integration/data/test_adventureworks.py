"""Segments of real customers equal an independent computation in pandas, with a fixed clock."""

from __future__ import annotations

import io
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pandas as pd
import pycountry
import pytest

from muster.engine.context import Context
from muster.engine.evaluate import Evaluation, members_from
from muster.engine.plan import plan
from muster.rules.codec import decode
from muster.rules.standard import STANDARD_ATTRIBUTES
from muster.rules.standard_events import STANDARD_EVENTS
from muster.rules.vocabulary import Attribute, Event, Scope, Vocabulary
from muster.warehouse.duckdb.warehouse import DuckDBWarehouse
from tests.integration.data.conftest import CATALOG, unpacked

NOW = datetime(2017, 7, 1, 12, tzinfo=UTC)
TODAY = pd.Timestamp("2017-07-01 12:00")
VOCABULARY = Vocabulary(
    attributes=STANDARD_ATTRIBUTES
    | {one.key: Attribute(one.key, one.type, Scope.CUSTOMER, number=one.number) for one in CATALOG.attributes.values()},
    events={key: Event(key, event.number, event.properties) for key, event in STANDARD_EVENTS.items()},
    apps={key: app.number for key, app in CATALOG.apps.items()},
)
CONTEXT = Context(NOW, VOCABULARY)
SHOP, RIDES = "adventure-shop", "adventure-rides"


class Frames:
    """The files as pandas reads them: people indexed by id, orders with exact amounts in millionths of a dollar."""

    def __init__(self) -> None:
        people = pd.read_csv(io.BytesIO(unpacked("customers")), dtype=str, keep_default_na=False)
        self.people = people.set_index("customer")
        lines = pd.concat(
            pd.read_csv(io.BytesIO(unpacked(f"orders-{app}")), dtype=str, keep_default_na=False).assign(app=app)
            for app in (SHOP, RIDES)
        )
        lines["micros"] = [
            round(float(p) * 1e6) * int(q) for p, q in zip(lines["price"], lines["quantity"], strict=True)
        ]
        lines["day"] = pd.to_datetime(lines["day"])
        self.lines = lines
        self.orders = lines.groupby(["app", "order"]).agg(
            customer=("customer", "first"), day=("day", "first"), micros=("micros", "sum"), market=("market", "first")
        )
        self.orders["app"] = self.orders.index.get_level_values("app")
        newest = self.orders.sort_values("day").groupby("customer")
        latest = newest.tail(1).set_index("customer")["market"]
        self.country = latest.map(lambda name: pycountry.countries.lookup(name).alpha_2)

    def customers(self, app: str | None = None) -> set[str]:
        """The population: whoever ordered in the app; nobody here is younger than 17."""
        orders = self.orders if app is None else self.orders[self.orders["app"] == app]
        return set(orders["customer"])

    def spend(self, app: str | None = None) -> pd.Series:
        orders = self.orders if app is None else self.orders[self.orders["app"] == app]
        return orders.groupby("customer")["micros"].sum()

    def count(self) -> pd.Series:
        return self.orders.groupby("customer").size()

    def last(self) -> pd.Series:
        return self.orders.groupby("customer")["day"].max()

    def first(self) -> pd.Series:
        return self.orders.groupby("customer")["day"].min()

    def age(self) -> pd.Series:
        def years(text: str) -> int:
            born = date.fromisoformat(text)
            today = NOW.date()
            return today.year - born.year - ((today.month, today.day) < (born.month, born.day))

        return self.people["birthday"].map(years)

    def where(self, mask: pd.Series) -> set[str]:
        return set(mask.index[mask])


@pytest.fixture(scope="session")
def frames() -> Frames:
    return Frames()


@pytest.fixture(scope="session")
def external_ids(adventure_works: DuckDBWarehouse) -> dict[int, str]:
    with adventure_works.reader() as reader:
        rows = reader.sql_table("SELECT customer_key, text FROM identities WHERE kind = 'external'").to_pylist()
    return {row["customer_key"]: row["text"] for row in rows}


def attribute(key: str, op: str, value: Any = None, **more: Any) -> dict[str, Any]:
    return {"attribute": key, "op": op, **({} if value is None else {"value": value}), **more}


def _within(series: pd.Series, days: int) -> pd.Series:
    return (series > TODAY - pd.Timedelta(days=days)) & (series <= TODAY)


Expected = Callable[[Frames], set[str]]
CASES: dict[str, tuple[str | None, dict[str, Any], Expected]] = {
    "everyone of the shop": (SHOP, {"everyone": True}, lambda f: f.customers(SHOP)),
    "everyone of any app": (None, {"everyone": True}, lambda f: f.customers()),
    "men": (None, attribute("gender", "is", "male"), lambda f: f.where(f.people["gender"] == "M") & f.customers()),
    "gender unknown": (
        None,
        attribute("gender", "is_not_set"),
        lambda f: f.where(f.people["gender"] == "") & f.customers(),
    ),
    "not women": (
        None,
        attribute("gender", "is_not", "female"),
        lambda f: f.where(f.people["gender"] != "F") & f.customers(),
    ),
    "in France": (None, attribute("country", "is", "FR"), lambda f: f.where(f.country == "FR")),
    "in France or Germany, riders": (
        RIDES,
        attribute("country", "in", ["FR", "DE"]),
        lambda f: f.where(f.country.isin(["FR", "DE"])) & f.customers(RIDES),
    ),
    "not in the United States": (None, attribute("country", "is_not", "US"), lambda f: f.where(f.country != "US")),
    "aged 35 to 49": (
        None,
        attribute("age_group", "is", "35-49"),
        lambda f: f.where(f.age().between(35, 49)) & f.customers(),
    ),
    "50 or older": (None, attribute("age", "gte", 50), lambda f: f.where(f.age() >= 50) & f.customers()),
    "40 to 45": (
        SHOP,
        attribute("age", "between", [40, 45]),
        lambda f: f.where(f.age().between(40, 45)) & f.customers(SHOP),
    ),
    "60 or older, said as a negation": (
        None,
        {"all": [attribute("age", "is_set"), {"none": [attribute("age", "lt", 60)]}]},
        lambda f: f.where(f.age() >= 60) & f.customers(),
    ),
    "spent over 3000": (None, attribute("store_spend", "gt", 3000), lambda f: f.where(f.spend() > 3000_000_000)),
    "spent under 50 in the shop": (
        SHOP,
        attribute("app_spend", "lt", 50),
        lambda f: f.where(f.spend(SHOP) < 50_000_000),
    ),
    "spent 100 to 200 in the shop": (
        SHOP,
        attribute("app_spend", "between", [100, 200]),
        lambda f: f.where(f.spend(SHOP).between(100_000_000, 200_000_000)),
    ),
    "exactly 34.99": (SHOP, attribute("app_spend", "is", 34.99), lambda f: f.where(f.spend(SHOP) == 34_990_000)),
    "never bought bikes app": (
        SHOP,
        attribute("app_spend", "is", 0, app=RIDES),
        lambda f: f.customers(SHOP) - f.customers(RIDES),
    ),
    "bought once": (None, attribute("purchase_count", "is", 1), lambda f: f.where(f.count() == 1)),
    "bought three times or more": (None, attribute("purchase_count", "gte", 3), lambda f: f.where(f.count() >= 3)),
    "has purchased": (None, attribute("has_purchased", "is", True), lambda f: f.customers()),
    "bought within 60 days": (
        None,
        attribute("last_purchase_at", "in_last", "P60D"),
        lambda f: f.where(_within(f.last(), 60)),
    ),
    "silent for 60 days": (
        None,
        attribute("last_purchase_at", "not_in_last", "P60D"),
        lambda f: f.customers() - f.where(_within(f.last(), 60)),
    ),
    "first bought in 2016": (
        None,
        attribute("first_purchase_at", "between", ["2016-01-01", "2016-12-31"]),
        lambda f: f.where(f.first().dt.year == 2016),
    ),
    "first bought before 1 July 2015": (
        None,
        attribute("first_purchase_at", "before", "2015-07-01"),
        lambda f: f.where(f.first() < "2015-07-01"),
    ),
    "last bought on the last day": (
        None,
        attribute("last_purchase_at", "on", "2017-06-30"),
        lambda f: f.where(f.last() == "2017-06-30"),
    ),
    "top 10 % of riders": (RIDES, attribute("app_spend", "top_percent", 10), lambda f: _top(f.spend(RIDES), 0.10)),
    "top 2.5 % of all": (None, attribute("store_spend", "top_percent", 2.5), lambda f: _top(f.spend(), 0.025)),
    "bottom 5 % of the shop": (
        SHOP,
        attribute("app_spend", "bottom_percent", 5),
        lambda f: _bottom(f.spend(SHOP), 0.05),
    ),
    "the 100 best": (None, attribute("store_spend", "top_count", 100), lambda f: _best(f.spend(), 100)),
    "income over 100,000": (
        None,
        attribute("annual_income", "gt", 100_000),
        lambda f: f.where(f.people["annual_income"].astype(int) > 100_000) & f.customers(),
    ),
    "home owners with children": (
        None,
        {"all": [attribute("home_owner", "is", True), attribute("total_children", "gte", 1)]},
        lambda f: (
            f.where((f.people["home_owner"] == "true") & (f.people["total_children"].astype(int) > 0)) & f.customers()
        ),
    ),
    "occupation contains MAN": (
        None,
        attribute("occupation", "contains", "MAN"),
        lambda f: f.where(f.people["occupation"].str.lower().str.contains("man")) & f.customers(),
    ),
    "two orders in 2017 by events": (
        None,
        {"event": "order_completed", "value": 2, "when": {"from": "2017-01-01", "to": "2018-01-01"}},
        lambda f: f.where(f.orders[f.orders["day"] >= "2017-01-01"].groupby("customer").size() >= 2),
    ),
    "no order in the last 180 days by events": (
        SHOP,
        {"event": "order_completed", "op": "is", "value": 0, "when": {"last": "P180D"}},
        lambda f: (
            f.customers(SHOP) - set(f.orders[(f.orders["app"] == SHOP) & _within(f.orders["day"], 180)]["customer"])
        ),
    ),
    "bought a bike": (
        RIDES,
        {"event": "product_purchased", "where": [{"property": "category", "op": "is", "value": "bikes"}]},
        lambda f: set(f.lines[(f.lines["app"] == RIDES) & (f.lines["category"] == "Bikes")]["customer"]),
    ),
    "five helmets or more": (
        None,
        {
            "event": "product_purchased",
            "where": [{"property": "name", "op": "contains", "value": "helmet"}],
            "measure": {"sum": "quantity"},
            "value": 5,
        },
        lambda f: _sum_of(f, "Helmet"),
    ),
    "three distinct products in an app": (
        SHOP,
        {"event": "product_purchased", "measure": {"distinct": "product_id"}, "op": "gte", "value": 8},
        lambda f: f.where(f.lines[f.lines["app"] == SHOP].groupby("customer")["product"].nunique() >= 8),
    ),
    "French who spent over 100 and are silent": (
        None,
        {
            "all": [
                attribute("country", "is", "FR"),
                attribute("store_spend", "gt", 100),
                {"none": [{"event": "order_completed", "when": {"last": "P60D"}}]},
            ]
        },
        lambda f: (f.where(f.country == "FR") & f.where(f.spend() > 100_000_000)) - f.where(_within(f.last(), 60)),
    ),
    "neither young nor poor": (
        None,
        {"none": [attribute("age", "lt", 40), attribute("store_spend", "lt", 1000)]},
        lambda f: f.customers() - f.where(f.age() < 40) - f.where(f.spend() < 1000_000_000),
    ),
    "rich or loyal, in Britain": (
        None,
        {
            "all": [
                attribute("country", "is", "GB"),
                {"any": [attribute("store_spend", "gte", 5000), attribute("purchase_count", "gte", 4)]},
            ]
        },
        lambda f: f.where(f.country == "GB") & (f.where(f.spend() >= 5000_000_000) | f.where(f.count() >= 4)),
    ),
}


def _top(spend: pd.Series, share: float) -> set[str]:
    return _best(spend, -(-len(spend) * round(share * 1000) // 1000))


def _best(spend: pd.Series, count: int) -> set[str]:
    limit = spend.sort_values(ascending=False).iloc[count - 1]
    return set(spend.index[spend >= limit])


def _bottom(spend: pd.Series, share: float) -> set[str]:
    count = -(-len(spend) * round(share * 1000) // 1000)
    return set(spend.index[spend <= spend.sort_values().iloc[count - 1]])


def _sum_of(frames: Frames, word: str) -> set[str]:
    chosen = frames.lines[frames.lines["name"].str.contains(word)]
    return frames.where(chosen["quantity"].astype(int).groupby(chosen["customer"]).sum() >= 5)


@pytest.mark.parametrize("name", CASES)
def test_segment_equals_pandas(
    name: str, adventure_works: DuckDBWarehouse, frames: Frames, external_ids: dict[int, str]
) -> None:
    """G-2 to G-7 on 17,416 buyers and 25,164 orders."""
    app, match, expected = CASES[name]
    definition = decode({"version": 1, "app": app, "match": match}, VOCABULARY)
    with adventure_works.reader() as reader:
        evaluation = Evaluation(CONTEXT, adventure_works, reader, adventure_works.highest_key() + 1, members_from({}))
        found = evaluation.result(plan(definition, CONTEXT)).members.keys().tolist()
    assert {external_ids[key] for key in found} == expected(frames)


def test_totals_equal_pandas_to_the_cent(adventure_works: DuckDBWarehouse, frames: Frames) -> None:
    """C-23: amounts are exact."""
    with adventure_works.reader() as reader:
        [row] = reader.sql_table("SELECT count(*) AS orders, sum(base_micros) AS micros FROM orders").to_pylist()
    assert (row["orders"], int(row["micros"])) == (25_164, int(frames.orders["micros"].sum()))
