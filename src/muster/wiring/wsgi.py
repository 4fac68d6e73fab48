"""Django as a WSGI application; it answers while an installation is open."""

from __future__ import annotations

from django.core.wsgi import get_wsgi_application

application = get_wsgi_application()
