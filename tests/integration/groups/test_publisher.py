"""What could not be published is not taken as published, and is made up for (E-33, E-35)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from muster.catalog.actions import create_app, declare_attribute, edit_publisher
from muster.catalog.queries import warehouse_catalog
from muster.customers.queries import customer_key
from muster.groups.actions.publication import Publisher
from muster.groups.actions.segments import change_state, create_segment
from muster.online.port import Plan
from muster.online.writer import OnlineWriter
from muster.team.policies import LOCAL
from muster.warehouse.builder import batch_of
from tests.integration.groups.followed import NOW, item
from tests.integration.personas import open_store

pytestmark = pytest.mark.django_db(transaction=True)


class Full(OnlineWriter):
    """Whose disk is full while it is told so."""

    is_full = False

    def publish(self, publication: Any) -> None:
        if self.is_full:
            raise OSError(28, "No space left on device")
        super().publish(publication)


@pytest.fixture
def online(db: None, tmp_path: Path) -> Iterator[Full]:
    """u1 has one point, u2 two; nothing is published yet."""
    with open_store(tmp_path) as opened:
        create_app(LOCAL, key="notes")
        declare_attribute(LOCAL, key="points", type="number")
        edit_publisher(LOCAL, revision=None, minimum_size=0)
        items = [item(f"u{number}", NOW, traits={"points": number}) for number in (1, 2)]
        opened.append(batch_of(items, NOW), warehouse_catalog())
        writer = Full(tmp_path / "online")
        yield writer
        writer.close()


def _segment(key: str, points: int) -> None:
    match = {"attribute": "points", "op": "is", "value": points}
    create_segment(LOCAL, name=key, key=key, exposure="open", definition={"version": 1, "match": match})


def _answered(publisher: Publisher, online: Full) -> dict[str, list[str]]:
    """By the plan and the masks that are published, whatever the publisher thinks is."""
    found: dict[str, list[str]] = {}
    with online.view().snapshot() as now:
        plan = msgspec.json.decode(now.plan(1) or b"{}", type=Plan)
        for name in ("u1", "u2"):
            key = customer_key(f"external:{name}")
            assert key is not None
            mask = now.mask(key)
            found[name] = [one.key for one in plan.groups if mask >> one.bit & 1]
    return found


def test_group_that_takes_anothers_place_is_not_told_with_its_members(online: Full) -> None:
    publisher = Publisher(online)
    publisher.rebuild()
    _segment("ones", 1)
    publisher.exposure_changed()
    assert _answered(publisher, online) == {"u1": ["ones"], "u2": []}
    change_state(LOCAL, "ones", "archive")
    publisher.exposure_changed()
    _segment("twos", 2)
    online.is_full = True
    with pytest.raises(OSError, match="No space"):
        publisher.exposure_changed()
    assert publisher.is_behind
    online.is_full = False
    publisher.exposure_changed()
    assert _answered(publisher, online) == {"u1": [], "u2": ["twos"]}


def test_group_that_could_not_be_withdrawn_is_withdrawn_by_the_next_repair(online: Full) -> None:
    publisher = Publisher(online)
    publisher.rebuild()
    _segment("ones", 1)
    publisher.exposure_changed()
    change_state(LOCAL, "ones", "archive")
    online.is_full = True
    with pytest.raises(OSError, match="No space"):
        publisher.exposure_changed()
    online.is_full = False
    assert publisher.is_behind
    publisher.repair()
    assert (_answered(publisher, online), publisher.is_behind) == ({"u1": [], "u2": []}, False)
