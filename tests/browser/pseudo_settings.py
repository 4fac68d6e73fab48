"""The settings of an installation that speaks the pseudo-locale; `MUSTER_PSEUDO` names the folder of its catalogues."""

import os
from pathlib import Path

from muster.rules.describe import words
from muster.wiring.settings import *  # noqa: F403 - all of them

_FOLDER = Path(os.environ["MUSTER_PSEUDO"])
LOCALE_PATHS = [_FOLDER / "web"]
words.LOCALE_FOLDER = _FOLDER / "rules"
