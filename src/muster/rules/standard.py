"""The attributes every installation knows (groups spec, section 2): names and categories are Microsoft's."""

from __future__ import annotations

from muster.rules.vocabulary import Attribute, Scope, Type

_ACQUISITION_TYPES = (
    "free", "trial", "paid", "promo_code", "in_app", "subscription", "private_audience", "pre_order", "other",
)  # fmt: skip  # a table, read by rows
DEVICE_FAMILIES = ("desktop", "phone", "tablet", "console", "tv", "watch", "headset", "iot", "server", "other")
AGE_GROUPS = ("18-24", "25-34", "35-49", "50+")
GENDERS = ("male", "female", "other")


def _attribute(category: str, scope: Scope, type: Type, key: str, values: tuple[str, ...] = ()) -> Attribute:
    return Attribute(key=key, type=type, scope=scope, category=category, values=values)


_ALL = (
    _attribute("acquisitions", Scope.APP, Type.TIMESTAMP, "acquired_at"),
    _attribute("acquisitions", Scope.APP, Type.CATEGORY, "acquisition_type", _ACQUISITION_TYPES),
    _attribute("acquisitions", Scope.APP, Type.TIMESTAMP, "addon_acquired_at"),
    _attribute("acquisitions", Scope.APP, Type.LIST, "addons_owned"),
    _attribute("acquisition_source", Scope.APP, Type.TEXT, "campaign_id"),
    _attribute("acquisition_source", Scope.APP, Type.TEXT, "referrer_domain"),
    _attribute("acquisition_source", Scope.APP, Type.TIMESTAMP, "page_viewed_at"),
    _attribute("acquisition_source", Scope.APP, Type.CATEGORY, "channel_type", ("campaign", "store", "other")),
    _attribute("usage", Scope.APP, Type.TIMESTAMP, "first_used_at"),
    _attribute("usage", Scope.APP, Type.TIMESTAMP, "last_used_at"),
    _attribute("usage", Scope.APP, Type.NUMBER, "session_count"),
    _attribute("usage", Scope.APP, Type.NUMBER, "engagement_minutes"),
    _attribute("demographic", Scope.CUSTOMER, Type.CATEGORY, "age_group", AGE_GROUPS),
    _attribute("demographic", Scope.CUSTOMER, Type.NUMBER, "age"),
    _attribute("demographic", Scope.CUSTOMER, Type.CATEGORY, "gender", GENDERS),
    _attribute("demographic", Scope.CUSTOMER, Type.CATEGORY, "country"),
    _attribute("demographic", Scope.CUSTOMER, Type.CATEGORY, "language"),
    _attribute("demographic", Scope.CUSTOMER, Type.CATEGORY, "time_zone"),
    _attribute("rating", Scope.APP, Type.NUMBER, "rating"),
    _attribute("rating", Scope.APP, Type.TIMESTAMP, "rated_at"),
    _attribute("churn_prediction", Scope.APP, Type.BOOLEAN, "churn_predicted"),
    _attribute("churn_prediction", Scope.APP, Type.NUMBER, "churn_probability"),
    _attribute("store_purchases", Scope.CUSTOMER, Type.BOOLEAN, "has_purchased"),
    _attribute("store_purchases", Scope.CUSTOMER, Type.TIMESTAMP, "first_purchase_at"),
    _attribute("store_purchases", Scope.CUSTOMER, Type.TIMESTAMP, "last_purchase_at"),
    _attribute("store_purchases", Scope.CUSTOMER, Type.NUMBER, "purchase_count"),
    _attribute("store_acquisitions", Scope.CUSTOMER, Type.NUMBER, "acquisition_count"),
    _attribute("store_spend", Scope.APP, Type.MONEY, "app_spend"),
    _attribute("store_spend", Scope.CUSTOMER, Type.MONEY, "store_spend"),
    _attribute("device", Scope.DEVICE, Type.CATEGORY, "device_family", DEVICE_FAMILIES),
    _attribute("device", Scope.DEVICE, Type.CATEGORY, "os"),
    _attribute("device", Scope.DEVICE, Type.VERSION, "os_version"),
    _attribute("device", Scope.DEVICE, Type.VERSION, "app_version"),
    _attribute("device", Scope.DEVICE, Type.TEXT, "device_model"),
)

STANDARD_ATTRIBUTES = {attribute.key: attribute for attribute in _ALL}

# Counts and sums over nothing are 0, not missing: "spent less than 5" means those who spent nothing too. Ranking
# (`top_percent`, ...) still looks only at people with something behind the value (ADR 0004).
ZERO_WHEN_ABSENT = frozenset(
    {"session_count", "engagement_minutes", "purchase_count", "acquisition_count", "app_spend", "store_spend"}
)
