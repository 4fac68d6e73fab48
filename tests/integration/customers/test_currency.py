"""Another currency of the publisher: rates follow it, or it is refused (C-24, ADR 0019)."""

from __future__ import annotations

from tests.integration.living import Document, Living, csv_of, living, problem

ORDERS = {
    "kind": "orders",
    "app": "shop",
    "row": {"external_id": "id", "order_id": "order", "happened_at": "at", "amount": "amount", "currency": "currency"},
}
ROWS = ("eur,e,2026-01-08,10,EUR", "usd,u,2026-01-08,10,USD", "gbp,g,2026-01-08,10,GBP", "jpy,j,2026-01-08,10,JPY")


def _spends(installation: Living) -> dict[str, int | None]:
    found = {}
    for name in ("eur", "usd", "gbp", "jpy"):
        spend: Document = installation.get(f"/customers/external:{name}")["apps"]["shop"].get("app_spend") or {}
        found[name] = spend.get("amount_micros")
    return found


def test_rates_follow_the_publishers_currency(environment: dict[str, str]) -> None:
    with living(environment) as installation:
        installation.post("/apps", {"key": "shop", "name": {"en": "Shop"}}, 201)
        installation.bring_in(csv_of("id,order,at,amount,currency", *ROWS), ORDERS)
        pound = {"day": "2026-01-07", "currency": "GBP", "rate": "0.8"}
        installation.post("/rates", {"rates": [pound]}, 201)
        assert _spends(installation) == {"eur": 10_000_000, "usd": None, "gbp": 12_500_000, "jpy": None}
        refused = _edit(installation, "USD")
        assert (refused[0], refused[1]["code"], refused[1]["count"], refused[1]["day"]) == (
            422,
            "rate_missing",
            1,
            "2026-01-07",
        )
        code, said = installation.command("catalog", "publisher", "edit", "--set", "currency=USD")
        assert (code, said) == (1, refused[1])
        installation.post("/rates", {"rates": [{"day": "2026-01-05", "currency": "USD", "rate": "1.25"}]}, 201)
        installation.settle()
        assert _spends(installation)["usd"] == 8_000_000
        assert _edit(installation, "USD")[0] == 200
        installation.settle()
        assert _spends(installation) == {"eur": 12_500_000, "usd": 10_000_000, "gbp": 15_625_000, "jpy": None}
        shown = [(one["day"], one["currency"], one["to_base"]) for one in installation.get("/rates")["items"]]
        assert shown == [("2026-01-07", "GBP", "1.5625"), ("2026-01-05", "EUR", "1.25")]
        own = installation.local.post("/rates", json={"rates": [{"day": "2026-01-08", "currency": "USD", "rate": 1}]})
        assert problem(own) == (422, "value_not_allowed")


def _edit(installation: Living, currency: str) -> tuple[int, Document]:
    revision = installation.get("/publisher")["revision"]
    headers = {"If-Match": f'"{revision}"'}
    answer = installation.local.patch("/publisher", json={"currency": currency}, headers=headers)
    return answer.status_code, answer.json()
