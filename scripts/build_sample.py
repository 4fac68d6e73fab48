"""Makes the bundled sample out of Microsoft's AdventureWorks files (MIT): joined and compressed, nothing invented.

    python scripts/build_sample.py SOURCE_FOLDER

writes customers.csv.zst and orders.csv.zst to src/muster/groups/sample/data. Run again only when the source changes;
the result is checked in. Orders carry one row a line: app, price, quantity, category and market are joined on.
"""

from __future__ import annotations

import csv
import gzip
import io
import sys
from datetime import date
from pathlib import Path
from typing import Any

import zstandard

TARGET = Path(__file__).parent.parent / "src" / "muster" / "groups" / "sample" / "data"
# Bikes are ridden, everything else is bought in the shop.
APP_OF_CATEGORY = {"Bikes": "adventure-rides"}
OTHER_APP = "adventure-shop"


def read(folder: Path, name: str) -> list[dict[str, str]]:
    path = folder / name
    data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"))))


def day(text: str) -> str:
    """Two forms in the source, `4/8/1966` and `04/08/1966`: month first in both."""
    month, of_month, year = (int(part) for part in text.split("/"))
    return date(year, month, of_month).isoformat()


def customers(folder: Path) -> list[dict[str, Any]]:
    return [
        {
            "customer": row["CustomerKey"],
            "first_name": row["FirstName"].title(),
            "last_name": row["LastName"].title(),
            "birthday": day(row["BirthDate"]),
            "gender": "" if row["Gender"] == "NA" else row["Gender"],
            "email": row["EmailAddress"],
            "annual_income": row["AnnualIncome"].strip("$ ").replace(",", ""),
            "total_children": row["TotalChildren"],
            "education": row["EducationLevel"],
            "occupation": row["Occupation"],
            "home_owner": "true" if row["HomeOwner"] == "Y" else "false",
            "marital_status": {"M": "married", "S": "single"}.get(row["MaritalStatus"], ""),
        }
        for row in read(folder, "AdventureWorks_Customers.csv.gz")
    ]


def orders(folder: Path) -> list[dict[str, Any]]:
    subcategories = {
        row["ProductSubcategoryKey"]: row for row in read(folder, "AdventureWorks_Product_Subcategories.csv")
    }
    categories = {
        row["ProductCategoryKey"]: row["CategoryName"] for row in read(folder, "AdventureWorks_Product_Categories.csv")
    }
    products = {row["ProductKey"]: row for row in read(folder, "AdventureWorks_Products.csv.gz")}
    markets = {row["SalesTerritoryKey"]: row["Country"] for row in read(folder, "AdventureWorks_Territories.csv")}
    lines = []
    for year in (2015, 2016, 2017):
        for row in read(folder, f"AdventureWorks_Sales_{year}.csv.gz"):
            product = products[row["ProductKey"]]
            category = categories[subcategories[product["ProductSubcategoryKey"]]["ProductCategoryKey"]]
            lines.append(
                {
                    "order": row["OrderNumber"],
                    "line": row["OrderLineItem"],
                    "day": day(row["OrderDate"]),
                    "customer": row["CustomerKey"],
                    "product": product["ProductSKU"],
                    "name": product["ProductName"],
                    "category": category,
                    "price": product["ProductPrice"],
                    "quantity": row["OrderQuantity"],
                    "market": markets[row["TerritoryKey"]],
                }
            )
    return _with_apps(lines)


def _with_apps(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """An order with a bike in it was placed in the riders' app, whole; every other one in the shop."""
    riders = {line["order"] for line in lines if line["category"] in APP_OF_CATEGORY}
    return [{"app": APP_OF_CATEGORY["Bikes"] if line["order"] in riders else OTHER_APP, **line} for line in lines]


def write(name: str, rows: list[dict[str, Any]]) -> None:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, fieldnames=list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    TARGET.mkdir(parents=True, exist_ok=True)
    packed = zstandard.ZstdCompressor(level=19).compress(text.getvalue().encode())
    (TARGET / name).write_bytes(packed)
    print(f"{name}: {len(rows):,} rows, {len(packed):,} bytes")


def main() -> None:
    folder = Path(sys.argv[1])
    write("customers.csv.zst", customers(folder))
    everything = orders(folder)
    for app in (OTHER_APP, "adventure-rides"):
        rows = [{k: v for k, v in line.items() if k != "app"} for line in everything if line["app"] == app]
        write(f"orders-{app}.csv.zst", rows)
    orders_of, customers_of = ({line[key] for line in everything} for key in ("order", "customer"))
    print(f"{len(orders_of):,} orders of {len(customers_of):,} customers")


if __name__ == "__main__":
    main()
