"""Django as a WSGI application; `installation` must be open before it answers."""

from __future__ import annotations

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "muster.wiring.settings")
application = get_wsgi_application()
