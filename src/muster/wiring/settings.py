"""Django's settings, made from the installation's configuration."""

from __future__ import annotations

import os
import secrets
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Any

from muster.wiring.configuration import read_configuration

MUSTER = read_configuration()


def _secret_key(path: Path) -> str:
    """The installation's own key, made at the first start; readable by its owner only."""
    try:
        return path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    # Written aside and linked, so that of two processes that start together both read the same whole key.
    with tempfile.NamedTemporaryFile("w", dir=path.parent, encoding="ascii") as file:
        file.write(secrets.token_urlsafe(48))
        file.flush()
        with suppress(FileExistsError):
            os.link(file.name, path)
    return path.read_text(encoding="ascii").strip()


SECRET_KEY = _secret_key(MUSTER.secret_key_file)
DEBUG = MUSTER.debug
ALLOWED_HOSTS = list(MUSTER.hosts)

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "muster.web.apps.WebConfig",
    "muster.audit.apps.AuditConfig",
    "muster.team.apps.TeamConfig",
    "muster.catalog.apps.CatalogConfig",
    "muster.customers.apps.CustomersConfig",
    "muster.groups.apps.GroupsConfig",
    "muster.wiring.apps.WiringConfig",
]
MIDDLEWARE = [
    "muster.web.headers.SecurityHeaders",
    "muster.web.problems.Problems",
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "muster.team.pages.LoginRequired",
    "muster.team.pages.MemberPreferences",
    "muster.web.idempotency.Idempotency",
]
ROOT_URLCONF = "muster.wiring.urls"
WSGI_APPLICATION = "muster.wiring.wsgi.application"
AUTH_USER_MODEL = "team.Member"
LOGIN_URL = "team:login"
LOGIN_REDIRECT_URL = "groups:list"

DATABASES: dict[str, dict[str, Any]] = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": MUSTER.control_database,
        "OPTIONS": {
            # IMMEDIATE: deferred transactions fail with "database is locked" when two of them want to write.
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            # secure_delete: what is deleted is overwritten (C-46).
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;"
            " PRAGMA secure_delete=ON;",
        },
    }
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.template.context_processors.i18n",
            ],
            "builtins": ["muster.web.templatetags.web"],
        },
    }
]

USE_TZ = True
TIME_ZONE = "UTC"
USE_I18N = True
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("de", "Deutsch"), ("fr", "Français")]
LOCALE_PATHS = [Path(__file__).parent.parent / "web" / "locale"]

STATIC_URL = "static/"

SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
SECURE_CONTENT_TYPE_NOSNIFF = True
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
# Uploads are streamed to disk in chunks; a page's form is never this large.
DATA_UPLOAD_MAX_MEMORY_SIZE = 4 * 1024 * 1024
FILE_UPLOAD_TEMP_DIR = None

PASSWORD_HASHERS = ["django.contrib.auth.hashers.ScryptPasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "loggers": {"muster": {"handlers": ["stderr"], "level": "INFO"}, "django.request": {"level": "ERROR"}},
}
