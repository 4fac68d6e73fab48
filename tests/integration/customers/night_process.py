"""What a night does, at once, in the installation of MUSTER_HOME: `overwrite`, `keep-times` or `apply-ledger`."""

from __future__ import annotations

import json
import os
import sys

import django


def main() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "muster.wiring.settings"
    django.setup()
    from muster.customers.privacy.actions.erasures import apply_ledger
    from muster.customers.privacy.actions.retention import let_go, scrub
    from muster.wiring.configuration import read_configuration
    from muster.wiring.installation import open_installation

    with open_installation(read_configuration(), takes_all_jobs=False):
        match sys.argv[1]:
            case "overwrite":
                said: object = scrub()
            case "keep-times":
                said = let_go()
            case "apply-ledger":
                said = [view.receipt for view in apply_ledger()]
    sys.stdout.write(json.dumps(said))


if __name__ == "__main__":
    main()
