"""`muster webhooks`, with a server and without one."""

from __future__ import annotations

from muster.webhooks.terms import TEST
from tests.integration.living import living
from tests.integration.processes import muster, wait_until
from tests.integration.webhooks.conftest import BOTH, LIVES
from tests.integration.webhooks.receivers import receiver, status


def test_every_verb_of_the_command_line(opened: dict[str, str]) -> None:
    with receiver(status(500), status(200)) as one, living(opened) as town:
        town.post("/groups", {"name": "Testers", "key": "testers", "kind": "known"}, 201)
        made = muster(opened, "webhooks", "create", one.address, "--event", BOTH[0], "--subject", "testers")
        identifier, secret = made.stdout.split()
        assert (made.returncode, identifier[:4], secret[:6]) == (0, "whk_", "whsec_")
        assert town.command("webhooks", "list")[1]["items"][0]["url"] == one.address
        assert [kind["key"] for kind in town.command("webhooks", "events")[1]["items"]] == [*BOTH, *LIVES]
        code, sent = town.command("webhooks", "test", identifier)
        assert (code, sent["event"]) == (0, TEST)
        wait_until(lambda: town.command("webhooks", "deliveries", identifier, "--state", "failed")[1]["items"])
        shown = town.command("webhooks", "deliveries", identifier, sent["id"])[1]
        assert ([attempt["status"] for attempt in shown["attempts"]], TEST in shown["body"]) == ([500], True)
        assert town.command("webhooks", "replay", identifier, sent["id"])[1]["state"] == "waiting"
        wait_until(lambda: town.command("webhooks", "deliveries", identifier)[1]["items"][0]["state"] == "sent")
        assert town.command("webhooks", "replay", identifier, "--since", "2020-01-01")[1] == {"deliveries": 0}
        assert town.command("webhooks", "rotate", identifier)[1]["secret"] != secret
        assert town.command("webhooks", "rotate", identifier)[1]["code"] == "rotation_under_way"
        assert town.command("webhooks", "rotate", identifier, "--at-once")[0] == 0
        edited = town.command("webhooks", "edit", identifier, "--off", "--all-subjects", "--event", BOTH[1])[1]
        assert (edited["active"], edited["subjects"], edited["events"]) == (False, [], [BOTH[1]])
        assert town.command("webhooks", "test", identifier)[1]["code"] == "webhook_inactive"
        assert muster(opened, "webhooks", "edit", identifier).returncode == 2
        assert muster(opened, "webhooks", "replay", identifier).returncode == 2
        assert muster(opened, "webhooks", "delete", identifier).returncode == 0
        assert muster(opened, "webhooks", "show", identifier).returncode == 3


def test_without_a_server_deliveries_wait_for_one(opened: dict[str, str]) -> None:
    with receiver() as one:
        made = muster(opened, "webhooks", "create", one.address, "--event", BOTH[0])
        identifier = made.stdout.split()[0]
        assert muster(opened, "webhooks", "test", identifier).stdout.endswith("It waits until a server runs.\n")
        assert one.heard == []
        with living(opened):
            wait_until(lambda: one.heard)
