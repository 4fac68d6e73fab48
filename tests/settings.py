"""Django's settings for tests: an installation of its own for every test process, in a real SQLite file."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from pathlib import Path

# Short: the path of a socket inside must stay under the system's limit.
_HOME = tempfile.mkdtemp(prefix="muster-")
atexit.register(shutil.rmtree, _HOME, ignore_errors=True)
os.environ["MUSTER_HOME"] = _HOME

from muster.wiring.settings import *  # noqa: E402, F403 - the home must be known first; these are all of them
from muster.wiring.settings import DATABASES, TEMPLATES  # noqa: E402 - as above

DATABASES["default"]["TEST"] = {"NAME": str(Path(_HOME) / "test.sqlite3")}
# Only so does coverage know which lines of a template were used.
TEMPLATES[0]["OPTIONS"]["debug"] = True
ALLOWED_HOSTS = ["testserver", "localhost", "127.0.0.1"]
