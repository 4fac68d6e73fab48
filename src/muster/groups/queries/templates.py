"""Segment templates (groups spec, section 7): definitions to start from, for any app."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

from muster.customers.queries import warehouse
from muster.groups.errors import TemplateUnknown
from muster.kernel.versions import is_version, version_key
from muster.kernel.worded import worded

_NEVER = "0"


@dataclass(frozen=True)
class Template:
    """`name` is English, as programs read it; `match` is made for an app, because one template looks at what the app's
    customers have.
    """

    key: str
    name: str
    match: Callable[[], dict[str, Any]]

    @property
    def title(self) -> str:
        """The name in the reader's language."""
        return gettext(self.name)

    def definition(self, app: str) -> dict[str, Any]:
        return {"version": 1, "app": app, "match": self.match()}


def _fixed(match: dict[str, Any]) -> Callable[[], dict[str, Any]]:
    return lambda: match


def _attribute(key: str, op: str, value: Any = None) -> dict[str, Any]:
    condition = {"attribute": key, "op": op}
    return condition if value is None else {**condition, "value": value}


def _outdated() -> dict[str, Any]:
    """Below the newest version seen on any device; once packages are published here, below the newest of those."""
    labels = warehouse().categories("devices", "app_version") or ()
    newest = max((label for label in labels if is_version(label)), key=version_key, default=_NEVER)
    return _attribute("app_version", "lt", newest)


_LAPSING = {
    "any": [
        {"all": [_attribute("last_used_at", "in_last", "P60D"), _attribute("last_used_at", "not_in_last", "P14D")]},
        _attribute("churn_predicted", "is", True),
    ]
}

TEMPLATES = {
    template.key: template
    for template in (
        Template("new-customers", _("New customers"), _fixed(_attribute("acquired_at", "in_last", "P30D"))),
        Template("first-time-payers", _("First-time payers"), _fixed(_attribute("has_purchased", "is", False))),
        Template("top-spenders", _("Top spenders"), _fixed(_attribute("app_spend", "top_percent", 10))),
        Template("lapsing", _("Lapsing"), _fixed(_LAPSING)),
        Template(
            "inactive-30-days", _("Inactive for 30 days"), _fixed(_attribute("last_used_at", "not_in_last", "P30D"))
        ),
        Template("trial-users", _("Trial users"), _fixed(_attribute("acquisition_type", "is", "trial"))),
        Template("unhappy-raters", _("Unhappy raters"), _fixed(_attribute("rating", "between", [1, 2]))),
        Template("campaign-arrivals", _("Campaign arrivals"), _fixed(_attribute("campaign_id", "is_set"))),
        Template("outdated-version", _("Outdated version"), _outdated),
        Template(
            "loyal",
            _("Loyal"),
            _fixed({"all": [_attribute("session_count", "gte", 10), _attribute("last_used_at", "in_last", "P7D")]}),
        ),
    )
}


def template(key: str) -> Template:
    if key not in TEMPLATES:
        raise TemplateUnknown(
            worded(
                "There is no template `{key}`. The templates are: {templates}.", key=key, templates=", ".join(TEMPLATES)
            )
        )
    return TEMPLATES[key]
