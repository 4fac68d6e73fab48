"""Entry point of the command `muster`."""

from __future__ import annotations

import sys

from muster.wiring.configuration import read_configuration
from muster.wiring.server import serve


def main() -> None:
    serve(read_configuration(), print)


if __name__ == "__main__":
    sys.exit(main())
