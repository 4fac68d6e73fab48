"""Groups written down for `muster plan`: the same text from the command line and from a page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import yaml

# What a group has unless somebody chose otherwise is left out.
_USUAL: Mapping[str, object] = {"kind": "segment", "tags": [], "exposure": "never", "definition": None}


def plan_document(groups: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """`groups`: as the API tells them; other fields than a plan's are left out."""
    return {"version": 1, "groups": [_described(one) for one in groups]}


def plan_text(document: Mapping[str, Any]) -> str:
    return str(yaml.safe_dump(dict(document), allow_unicode=True, sort_keys=False, width=100)).rstrip()


def _described(group: Mapping[str, Any]) -> dict[str, Any]:
    chosen = {name: group[name] for name, usual in _USUAL.items() if group[name] and group[name] != usual}
    return {"key": group["key"], "name": group["name"]} | chosen
