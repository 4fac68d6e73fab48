"""`muster` that kills itself, as kill -9 does, before its n-th change of the files below MUSTER_HOME.

`python -m tests.integration.dying_child N ARGUMENTS...`; with N = 0 it lives and says on stderr how many there were.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import Any, NoReturn

_CHANGES = {"os.rename", "os.link", "os.mkdir", "os.remove", "os.rmdir", "os.chmod", "sqlite3.connect"}
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT


def _is_change(event: str, arguments: tuple[Any, ...], home: str) -> bool:
    if event == "open":
        path, _, flags = arguments
        return isinstance(flags, int) and bool(flags & _WRITING) and _is_below(path, home)
    return event in _CHANGES and any(_is_below(one, home) for one in arguments[:2])


def _is_below(path: Any, home: str) -> bool:
    try:
        return os.fspath(path).startswith(home)
    except TypeError:
        return False


def main() -> None:
    home, last = os.environ["MUSTER_HOME"], int(sys.argv[1])
    count = 0

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal count
        if (event == "open" or event in _CHANGES) and _is_change(event, arguments, home):
            count += 1
            if count == last:
                os.kill(os.getpid(), signal.SIGKILL)

    leave = os._exit

    def say(code: int) -> NoReturn:
        sys.stderr.write(f"changes={count}\n")
        leave(code)

    if not last:
        # The command's last deed: see `wiring.main`.
        os._exit = say
    sys.argv[:2] = ["muster"]
    sys.addaudithook(hook)
    from muster.wiring.main import main as muster

    muster()


if __name__ == "__main__":
    main()
