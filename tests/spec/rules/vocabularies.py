"""The vocabulary of the tests of `rules`: standard attributes, a custom one of each type, events, apps, groups."""

from __future__ import annotations

from muster.rules.standard import STANDARD_ATTRIBUTES
from muster.rules.vocabulary import Attribute, Event, Scope, Type, Vocabulary

CUSTOM_ATTRIBUTES = {
    f"custom_{type}": Attribute(f"custom_{type}", type, Scope.CUSTOMER, number=number)
    for number, type in enumerate(Type, start=1)
} | {"seat_count": Attribute("seat_count", Type.NUMBER, Scope.APP, number=50)}

VOCABULARY = Vocabulary(
    attributes=STANDARD_ATTRIBUTES | CUSTOM_ATTRIBUTES,
    events={
        "session": Event("session", 1),
        "level_up": Event("level_up", 2, {"level": Type.NUMBER, "world": Type.TEXT}),
        "order_completed": Event(
            "order_completed",
            3,
            {
                "revenue": Type.MONEY,
                "coupon": Type.CATEGORY,
                "gift": Type.BOOLEAN,
                "items": Type.LIST,
                "promised_on": Type.DATE,
                "paid_at": Type.TIMESTAMP,
                "client": Type.VERSION,
            },
        ),
    },
    apps={"notes": 1, "sketch": 2},
    groups={"staff": "grp_8staff", "grp_8staff": "grp_8staff", "beta-testers": "grp_9beta", "grp_9beta": "grp_9beta"},
)
