"""What the choices of the builder are called, in the reader's language."""

from __future__ import annotations

from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from muster.rules.vocabulary import Type


def category_labels() -> dict[str, str]:
    """By category of attributes, in the order in which they are offered."""
    return {
        "demographic": _("Demographic"),
        "store_spend": _("Store spend"),
        "store_purchases": _("Store purchases"),
        "store_acquisitions": _("Store acquisitions"),
        "usage": _("Usage"),
        "acquisitions": _("Acquisitions"),
        "acquisition_source": _("Acquisition source"),
        "device": _("Device"),
        "rating": _("Rating"),
        "churn_prediction": _("Churn prediction"),
        "custom": _("Custom attribute"),
    }


def kind_labels() -> dict[str, str]:
    """Of conditions that are not about an attribute."""
    return {
        "event": pgettext("condition", "Did"),
        "sequence": pgettext("condition", "Did one after the other"),
        "device": pgettext("condition", "Has one device that"),
        "group": pgettext("condition", "Is in group"),
        "sample": pgettext("condition", "Random sample"),
        "everyone": pgettext("condition", "Everyone"),
    }


def match_labels(*, nested: bool) -> dict[str, str]:
    labels = {"all": pgettext("match", "all"), "any": pgettext("match", "any")}
    return labels | {"none": pgettext("match", "none")} if nested else labels


def operator_labels(type: Type) -> dict[str, str]:
    if type in (Type.DATE, Type.TIMESTAMP):
        return _moments()
    return _comparisons()


def _comparisons() -> dict[str, str]:
    return {
        "is": pgettext("operator", "is"),
        "is_not": pgettext("operator", "is not"),
        "in": pgettext("operator", "is any of"),
        "not_in": pgettext("operator", "is none of"),
        "gt": pgettext("operator", "is more than"),
        "gte": pgettext("operator", "is at least"),
        "lt": pgettext("operator", "is less than"),
        "lte": pgettext("operator", "is at most"),
        "between": pgettext("operator", "is between"),
        "not_between": pgettext("operator", "is not between"),
        "contains": pgettext("operator", "contains"),
        "not_contains": pgettext("operator", "does not contain"),
        "starts_with": pgettext("operator", "starts with"),
        "ends_with": pgettext("operator", "ends with"),
        "is_set": pgettext("operator", "is known"),
        "is_not_set": pgettext("operator", "is not known"),
        "top_percent": pgettext("operator", "is in the highest"),
        "bottom_percent": pgettext("operator", "is in the lowest"),
        "top_count": pgettext("operator", "is one of the highest"),
        "has_any": pgettext("operator", "has any of"),
        "has_all": pgettext("operator", "has all of"),
        "has_none": pgettext("operator", "has none of"),
    }


def _moments() -> dict[str, str]:
    return {
        "in_last": pgettext("operator of dates", "is in the last"),
        "not_in_last": pgettext("operator of dates", "is not in the last"),
        "in_next": pgettext("operator of dates", "is in the next"),
        "anniversary_in_next": pgettext("operator of dates", "has its day of the year in the next"),
        "on": pgettext("operator of dates", "is on"),
        "not_on": pgettext("operator of dates", "is not on"),
        "before": pgettext("operator of dates", "is before"),
        "after": pgettext("operator of dates", "is after"),
        "between": pgettext("operator of dates", "is between"),
        "not_between": pgettext("operator of dates", "is not between"),
        "is_set": pgettext("operator", "is known"),
        "is_not_set": pgettext("operator", "is not known"),
    }


def count_labels() -> dict[str, str]:
    """Comparisons of how often."""
    return {
        "gte": pgettext("times", "at least"),
        "gt": pgettext("times", "more than"),
        "lte": pgettext("times", "at most"),
        "lt": pgettext("times", "less than"),
        "is": pgettext("times", "exactly"),
        "is_not": pgettext("times", "not exactly"),
        "in": pgettext("times", "one of"),
        "not_in": pgettext("times", "none of"),
        "between": pgettext("times", "between"),
        "not_between": pgettext("times", "not between"),
        "top_percent": pgettext("times", "among the most frequent"),
        "bottom_percent": pgettext("times", "among the least frequent"),
        "top_count": pgettext("times", "among the most frequent, at most"),
    }


def measure_labels() -> dict[str, str]:
    return {
        "count": pgettext("measure", "number of times"),
        "sum": pgettext("measure", "sum of"),
        "avg": pgettext("measure", "average of"),
        "min": pgettext("measure", "smallest"),
        "max": pgettext("measure", "largest"),
        "distinct": pgettext("measure", "different values of"),
        "first_at": pgettext("measure", "first time"),
        "last_at": pgettext("measure", "last time"),
    }


def unit_labels() -> dict[str, str]:
    return {"D": _("days"), "H": _("hours"), "M": _("minutes")}


def period_labels() -> dict[str, str]:
    return {
        "": pgettext("period", "at any time"),
        "last": pgettext("period", "in the last"),
        "between": pgettext("period", "between"),
    }


def joined_by(match: str) -> str:
    """What stands between two rows."""
    return _("and") if match == "all" else _("or")
