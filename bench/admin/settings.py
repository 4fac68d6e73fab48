"""An installation's settings, with Django's admin beside its pages; for the benchmark only."""

from muster.wiring.settings import *  # noqa: F403 - all of them
from muster.wiring.settings import INSTALLED_APPS, TEMPLATES

INSTALLED_APPS = [*INSTALLED_APPS, "django.contrib.messages", "django.contrib.admin"]
ROOT_URLCONF = "bench.admin.urls"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
TEMPLATES[0]["OPTIONS"]["context_processors"].append("django.contrib.messages.context_processors.messages")
