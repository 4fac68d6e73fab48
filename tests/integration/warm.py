"""Processes of Muster that begin warm: one process has loaded the libraries and is forked for each command.

A run of the tests starts Muster hundreds of times, and loading 2,000 modules takes most of each start. A fork is a
process as any other: its own environment, files, signals, memory and end; only what it loads is there already.
What Django's settings say is read by each anew, from its own environment. Tests about starting itself start cold
(`COLD` in `processes`).
"""

from __future__ import annotations

import atexit
import gc
import importlib
import json
import os
import pkgutil
import select
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from typing import Any

_LIBRARIES = (
    "babel.dates", "click", "cryptography.x509", "django.core.handlers.wsgi", "django.core.management",
    "django.db.backends.sqlite3.base", "django.db.migrations.executor", "django.forms", "django.template.engine",
    "django.test.signals", "duckdb", "fido2.server", "httpx", "ibis.backends.duckdb", "jsonschema", "langcodes",
    "lmdb", "msgspec", "numpy", "pyarrow.compute", "pyarrow.csv", "pycountry", "pydantic.networks", "pyroaring",
    "requests", "waitress", "whitenoise", "yaml",
)  # fmt: skip  # a table, read by rows
_ROOMS = ("muster.kernel", "muster.rules", "muster.warehouse", "muster.engine", "muster.cli")
"""Those that know nothing of Django (import-linter holds them to it)."""
_SETTINGS = "muster.wiring.settings"
_LARGEST_REQUEST = 1 << 17


class Process:
    """What tests ask of `subprocess.Popen`, of a fork."""

    def __init__(self, pid: int, status: socket.socket) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._status = status

    def poll(self) -> int | None:
        if self.returncode is None and select.select([self._status], [], [], 0)[0]:
            self._note_end()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        if self.returncode is None:
            if not select.select([self._status], [], [], timeout)[0]:
                raise subprocess.TimeoutExpired("muster", timeout or 0)
            self._note_end()
        assert self.returncode is not None
        return self.returncode

    def send_signal(self, sig: int, /) -> None:
        if self.poll() is None:
            os.kill(self.pid, sig)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def _note_end(self) -> None:
        told = self._status.recv(16)
        self._status.close()
        self.returncode = int(told) if told else -signal.SIGKILL


class Stove:
    """The process that is forked; it ends with whoever lit it."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._socket = ours
        with theirs:
            command = [sys.executable, "-m", __name__, str(theirs.fileno())]
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, pass_fds=[theirs.fileno()]
            )

    def start(
        self, module: str, arguments: Sequence[str], environment: Mapping[str, str], files: tuple[int, int, int]
    ) -> Process:
        """As `python -m module arguments` would, from and to these files: what it reads, says and complains of."""
        ours, theirs = socket.socketpair()
        request = {
            "module": module,
            "arguments": list(arguments),
            "environment": dict(environment),
            "folder": os.getcwd(),
        }
        with theirs:
            socket.send_fds(self._socket, [json.dumps(request).encode()], [*files, theirs.fileno()])
        return Process(int(self._socket.recv(16)), ours)

    def close(self) -> None:
        self._socket.close()
        self._process.wait(30)


def is_like_ours(environment: Mapping[str, str]) -> bool:
    """Whether a process with this environment would be as the one that is forked, as far as Python goes."""
    return _of_python(environment) == _of_python(os.environ)


def _of_python(environment: Mapping[str, str]) -> dict[str, str]:
    kinds = ("PYTHON", "LC_", "LANG", "TZ")
    # How it writes is set up in each fork; where it finds the sources is the same.
    aside = ("PYTHONUNBUFFERED", "PYTHONPATH")
    return {name: value for name, value in environment.items() if name.startswith(kinds) and name not in aside}


def _serve(control: socket.socket) -> dict[str, Any] | None:
    """Forks for each request. Answers the request in the fork, and None when nobody asks any more."""
    ends = selectors.DefaultSelector()
    ends.register(control, selectors.EVENT_READ)
    while True:
        for key, _ in ends.select():
            if key.fileobj is not control:
                ends.unregister(key.fileobj)
                _tell_end(*key.data)
                continue
            request, files, _, _ = socket.recv_fds(control, _LARGEST_REQUEST, 4)
            if not request:
                return None
            pid = os.fork()
            if not pid:
                control.close()
                for other in ends.get_map().values():
                    if other.data:
                        other.data[1].close()
                _take(files)
                return dict(json.loads(request))
            control.send(str(pid).encode())
            for file in files[:3]:
                os.close(file)
            told = socket.socket(fileno=files[3])
            ends.register(os.pidfd_open(pid), selectors.EVENT_READ, (pid, told))


def _tell_end(pid: int, told: socket.socket) -> None:
    _, status = os.waitpid(pid, 0)
    with told:
        told.send(str(os.waitstatus_to_exitcode(status)).encode())


def _take(files: Sequence[int]) -> None:
    for target, file in enumerate(files[:3]):
        os.dup2(file, target)
    for file in files:
        os.close(file)


def _become(request: dict[str, Any]) -> None:
    """The command, in this process from now on."""
    os.environ.clear()
    os.environ.update(request["environment"])
    os.chdir(request["folder"])
    # As `python -m` leaves them: texts of use name the program by these.
    module = request["module"]
    sys.argv = [f"{module.rpartition('.')[2]}.py", *request["arguments"]]
    sys.modules["__main__"].__package__ = module.rpartition(".")[0]
    _forget_settings()
    # Nothing was read or written yet: the streams go on, each with its new file.
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(write_through=bool(os.environ.get("PYTHONUNBUFFERED")))  # type: ignore[union-attr]  # texts
    importlib.import_module(module).main()


def _load() -> None:
    for name in _LIBRARIES:
        importlib.import_module(name)
    for room in _ROOMS:
        package = importlib.import_module(room)
        for module in pkgutil.walk_packages(package.__path__, f"{room}."):
            importlib.import_module(module.name)
    with tempfile.TemporaryDirectory() as home:
        os.environ |= {"MUSTER_HOME": home, "DJANGO_SETTINGS_MODULE": _SETTINGS}
        importlib.import_module("django").setup()
        for name in ("urls", "installation", "server"):
            importlib.import_module(f"muster.wiring.{name}")


def _forget_settings() -> None:
    """They are read again as Django starts in this process."""
    import django
    from django.apps import apps
    from django.conf import empty, settings
    from django.db import connections

    from muster.wiring.apps import WiringConfig

    # One was made ready, to look at, and nobody connected.
    for one in connections.all(initialized_only=True):
        assert one.connection is None
        del connections[one.alias]
    vars(connections).pop("settings", None)
    vars(connections)["_settings"] = None
    sys.modules.pop(_SETTINGS)
    settings.__dict__.clear()
    settings.__dict__["_wrapped"] = empty
    begin = django.setup

    def setup() -> None:
        begin()
        wiring = apps.get_app_config("wiring")
        assert isinstance(wiring, WiringConfig)
        wiring.tell_rooms()

    django.setup = setup


if __name__ == "__main__":
    gc.disable()
    _load()
    # What is never looked at is never copied either.
    gc.freeze()
    gc.enable()
    asked = _serve(socket.socket(fileno=int(sys.argv[1])))
    # DuckDB complains of what is not taken apart at the end.
    atexit.register(gc.unfreeze)
    if asked is not None:
        _become(asked)
