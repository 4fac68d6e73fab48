"""What a definition uses, and where in the document it stands."""

from __future__ import annotations

from muster.rules.codec import decode
from muster.rules.nodes import DeviceCondition, EventCondition, GroupCondition, SequenceCondition
from muster.rules.walk import apps_used, conditions, events_used, groups_used
from tests.spec.rules.vocabularies import VOCABULARY

DEFINITION = decode(
    {
        "version": 1,
        "app": "notes",
        "match": {
            "all": [
                {"group": "staff"},
                {"none": [{"group": "grp_9beta"}, {"event": "session", "app": "sketch"}]},
                {"device": {"all": [{"attribute": "os", "op": "is_set"}, {"attribute": "os_version", "op": "is_set"}]}},
                {"sequence": [{"event": "session"}, {"event": "level_up"}]},
            ]
        },
    },
    VOCABULARY,
)


def test_leaves_come_with_their_pointers_in_document_order() -> None:
    assert [(pointer, type(leaf)) for pointer, leaf in conditions(DEFINITION.match)] == [
        ("/match/all/0", GroupCondition),
        ("/match/all/1/none/0", GroupCondition),
        ("/match/all/1/none/1", EventCondition),
        ("/match/all/2", DeviceCondition),
        ("/match/all/3", SequenceCondition),
    ]


def test_groups_apps_and_events_used_are_found_everywhere() -> None:
    assert groups_used(DEFINITION) == {"grp_8staff", "grp_9beta"}
    assert apps_used(DEFINITION) == {"notes", "sketch"}
    assert events_used(DEFINITION) == {"session", "level_up"}
