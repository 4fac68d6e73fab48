"""Django's settings of the processes that tests start: the installation's own, and coverage may look into templates."""

from muster.wiring.settings import *  # noqa: F403 - all of them
from muster.wiring.settings import TEMPLATES

TEMPLATES[0]["OPTIONS"]["debug"] = True
