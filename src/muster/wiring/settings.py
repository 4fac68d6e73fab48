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
# Behind a proxy that adds TLS a request looks like plain HTTP; browsers name the origin they see.
CSRF_TRUSTED_ORIGINS = [MUSTER.url] if MUSTER.url else []

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "muster.web.apps.WebConfig",
    "muster.audit.apps.AuditConfig",
    "muster.team.apps.TeamConfig",
    "muster.webhooks.apps.WebhooksConfig",
    "muster.catalog.apps.CatalogConfig",
    "muster.customers.apps.CustomersConfig",
    "muster.groups.apps.GroupsConfig",
    "muster.wiring.apps.WiringConfig",
    # Last: templates of ours stand in for theirs.
    "allauth",
    "allauth.account",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "allauth.mfa",
]
MIDDLEWARE = [
    "muster.web.headers.SecurityHeaders",
    "muster.wiring.static_files.CompressedPages",
    "muster.web.problems.Problems",
    "muster.web.asked.AskedOnce",
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "muster.team.pages.middleware.SessionLimits",
    "muster.team.pages.middleware.LoginRequired",
    "muster.team.pages.middleware.ReaderPreferences",
    "muster.web.idempotency.Idempotency",
]
ROOT_URLCONF = "muster.wiring.urls"
WSGI_APPLICATION = "muster.wiring.wsgi.application"
AUTH_USER_MODEL = "team.Member"
LOGIN_URL = "team:login"
LOGIN_REDIRECT_URL = "/"
AUTHENTICATION_BACKENDS = ["muster.team.entrance.backend.MemberBackend"]

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
STATIC_ROOT = MUSTER.static_directory
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "muster.wiring.static_files.StaticFiles"},
}
# Nothing is answered under a name that may mean another file tomorrow.
WHITENOISE_KEEP_ONLY_HASHED_FILES = True

SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = MUSTER.url.startswith("https:")
# Sooner by what `team.sessions` says.
SESSION_COOKIE_AGE = 14 * 24 * 3600
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

# Counts of attempts to log in outlive the process; what is culled would be counted anew.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "team_cache",
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    }
}

# Sign-in (ADR 0020). Addresses are not confirmed by mail: whoever invites vouches for them.
ACCOUNT_ADAPTER = "muster.team.entrance.adapters.AccountAdapter"
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_DEFAULT_HTTP_PROTOCOL = "https" if MUSTER.url.startswith("https:") else "http"
ACCOUNT_RATE_LIMITS = {"login_failed": "100/5m/ip,5/15m/key", "reauthenticate": "20/m/user"}
ACCOUNT_REAUTHENTICATION_TIMEOUT = 900
ACCOUNT_FORMS = {"reauthenticate": "muster.team.entrance.forms.PasswordAgainForm"}
MFA_ADAPTER = "muster.team.entrance.adapters.SecondFactorAdapter"
MFA_FORMS = {
    "authenticate": "muster.team.entrance.forms.CodeForm",
    "reauthenticate": "muster.team.entrance.forms.CodeAgainForm",
    "activate_totp": "muster.team.entrance.forms.AppForm",
    "add_webauthn": "muster.team.entrance.forms.AddPasskeyForm",
    "edit_webauthn": "muster.team.entrance.forms.RenamePasskeyForm",
}
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes", "webauthn"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_ALLOW_UNVERIFIED_EMAIL = True
# A code is taken 30 seconds before and after its time: telephones' clocks differ.
MFA_TOTP_TOLERANCE = 1
MFA_RATE_LIMITS = {"webauthn_login": "100/5m/ip"}
MFA_TOTP_ISSUER = "Muster"
MFA_RECOVERY_CODES_SHOW_ONCE = True
SOCIALACCOUNT_ADAPTER = "muster.team.entrance.adapters.ProviderAdapter"
SOCIALACCOUNT_ONLY = False
SOCIALACCOUNT_STORE_TOKENS = False
SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"OAUTH_PKCE_ENABLED": True, "APPS": MUSTER.oidc_apps}}

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "loggers": {
        "muster": {"handlers": ["stderr"], "level": "INFO"},
        "django.request": {"level": "ERROR"},
        # It would write a line for each request that has to wait, and anybody can send many at once.
        "waitress": {"level": "ERROR"},
    },
}
