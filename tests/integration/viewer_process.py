"""Makes a viewer in the installation of MUSTER_HOME, beside its server: `ADDRESS PASSWORD`. Nobody is invited over the
API yet."""

from __future__ import annotations

import os
import sys

import django


def main() -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "muster.wiring.settings"
    django.setup()
    from muster.team.actions.members import create_member
    from muster.team.policies import LOCAL

    address, password = sys.argv[1:]
    create_member(LOCAL, address, password, "viewer")


if __name__ == "__main__":
    main()
