"""Erases `external:gone` in the installation of MUSTER_HOME: `N` dies after the Nth call of a place, `fail KEY` lets a
place fail, `run` goes on to the end. Prints the erasure."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

import django


def main() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "muster.wiring.settings"
    django.setup()
    from muster.customers.hooks import personal_data
    from muster.customers.models import Erasure
    from muster.customers.privacy.actions.erasures import request_erasure, run_erasure
    from muster.customers.queries import find_customers
    from muster.team.policies import LOCAL
    from muster.wiring.configuration import read_configuration
    from muster.wiring.installation import open_installation

    calls = 0

    def dying(work: Callable[..., Any], last: int) -> Callable[..., Any]:
        def call(*arguments: Any) -> Any:
            nonlocal calls
            answer = work(*arguments)
            calls += 1
            if calls == last:
                os.kill(os.getpid(), signal.SIGKILL)
            return answer

        return call

    def failing(*_: Any) -> Any:
        raise OSError("the disk is full of secrets")

    for key, place in list(personal_data.items()):
        if sys.argv[1].isdecimal():
            last = int(sys.argv[1])
            personal_data[key] = replace(place, erase=dying(place.erase, last), count=dying(place.count, last))
        elif sys.argv[1:] == ["fail", key]:
            personal_data[key] = replace(place, erase=failing)
    with open_installation(read_configuration(), takes_all_jobs=False):
        row = Erasure.objects.first()
        if row is None:
            [identifier] = find_customers("external:gone")
            # A grace keeps this process's runner from working at the same order.
            order = request_erasure(LOCAL, [identifier], confirm=identifier, grace_hours=1)
            row = Erasure.objects.get(id=order.id)
            row.due_at = row.requested_at
            row.save()
        view = run_erasure(row.id)
    sys.stdout.write(json.dumps(asdict(view), default=str))


if __name__ == "__main__":
    main()
