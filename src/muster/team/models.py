"""Who works for the publisher, and what programs of theirs log in with."""

from __future__ import annotations

import hashlib
import secrets
from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models.functions import Lower
from django.utils.crypto import salted_hmac

from muster.team.terms import DENSITIES, EVERY_SCOPE, ROLE_SCOPES, ROWS, THEMES


def new_secret() -> str:
    """For a link or a token; shown once."""
    return secrets.token_urlsafe(32)


def secret_hash(secret: str) -> str:
    """SHA-256 in hex: secrets are 32 random bytes, which nobody guesses however fast the hash is."""
    return hashlib.sha256(secret.encode()).hexdigest()


class Role(models.TextChoices):
    OWNER = "owner"
    EDITOR = "editor"
    VIEWER = "viewer"


class MemberManager(BaseUserManager["Member"]):
    def get_by_natural_key(self, username: str | None) -> Member:
        """E-mail addresses are found whatever their case."""
        return self.get(email__iexact=username)


class Member(AbstractBaseUser):
    """A team member; logs in with an e-mail address. The hash of the password is scrypt's."""

    id = models.CharField(primary_key=True, max_length=40)
    email = models.EmailField(max_length=254, unique=True)
    name = models.CharField(max_length=200, blank=True)
    role = models.CharField(max_length=16, choices=Role.choices)
    # Scopes beyond those of the role, and scopes of the role that this member has not. Owners have neither.
    granted = models.JSONField(default=list)
    withheld = models.JSONField(default=list)
    # Empty: what the browser asks for.
    language = models.CharField(max_length=8, blank=True)
    # Empty: the organisation's.
    time_zone = models.CharField(max_length=64, blank=True)
    theme = models.CharField(max_length=8, default=THEMES[0])
    density = models.CharField(max_length=16, default=DENSITIES[0])
    rows = models.PositiveSmallIntegerField(default=ROWS[0])
    # By the key of a table.
    hidden_columns = models.JSONField(default=dict)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField()
    # Counted up by "log out everywhere"; every session was begun under one of these.
    session_generation = models.PositiveIntegerField(default=0)

    USERNAME_FIELD = "email"
    objects: ClassVar[MemberManager] = MemberManager()

    class Meta:
        constraints = [
            models.UniqueConstraint(Lower("email"), name="member_email_once"),
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="member_role_known"),
        ]

    def __str__(self) -> str:
        return self.email

    @property
    def scopes(self) -> frozenset[str]:
        if self.role == Role.OWNER:
            return EVERY_SCOPE
        # What was granted before a scope was renamed or gone is nothing.
        return ((ROLE_SCOPES[self.role] | set(self.granted)) - set(self.withheld)) & EVERY_SCOPE

    def get_session_auth_hash(self) -> str:
        """Sessions end when this changes. Those from before there were generations are of the first."""
        own = super().get_session_auth_hash()
        if not self.session_generation:
            return own
        return salted_hmac("muster.team.session", f"{own}:{self.session_generation}", algorithm="sha256").hexdigest()


class MemberSession(models.Model):
    """A browser that is logged in, as its member reads about it. The session itself is Django's."""

    session_key = models.CharField(primary_key=True, max_length=40)
    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="sessions")
    began_at = models.DateTimeField()
    seen_at = models.DateTimeField()
    # What the browser says of itself.
    browser = models.CharField(max_length=300, blank=True)

    def __str__(self) -> str:
        return f"{self.member_id} {self.began_at:%Y-%m-%d %H:%M}"


class Invitation(models.Model):
    """A link with which somebody becomes a member: one use, 7 days; only its hash is kept."""

    id = models.CharField(primary_key=True, max_length=40)
    email = models.EmailField(max_length=254)
    role = models.CharField(max_length=16, choices=Role.choices)
    secret_hash = models.CharField(max_length=64, unique=True)
    invited_by = models.CharField(max_length=200)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(Lower("email"), name="invitation_email_once")]

    def __str__(self) -> str:
        return self.email


class PasswordLink(models.Model):
    """With it a member who has forgotten the password sets another: one use, 24 hours; only its hash is kept."""

    member = models.OneToOneField(Member, primary_key=True, on_delete=models.CASCADE, related_name="password_link")
    secret_hash = models.CharField(max_length=64, unique=True)
    expires_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.member_id} {self.expires_at:%Y-%m-%d %H:%M}"


class ApiToken(models.Model):
    """What a program sends as bearer; only the hash of the secret is kept."""

    id = models.CharField(primary_key=True, max_length=40)
    name = models.CharField(max_length=100)
    secret_hash = models.CharField(max_length=64, unique=True)
    scopes = models.JSONField()
    created_by = models.CharField(max_length=200)
    created_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return self.name


class SetupLink(models.Model):
    """A link that makes the first owner: one use, 24 hours; only its hash is kept."""

    secret_hash = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.created_at:%Y-%m-%d %H:%M}"


class CacheEntry(models.Model):
    """Django's cache in the control database: attempts to log in are counted across restarts (ADR 0020).

    The columns are those of `django.core.cache.backends.db`; nothing but that reads or writes here.
    """

    cache_key = models.CharField(max_length=255, primary_key=True)
    value = models.TextField()
    expires = models.DateTimeField(db_index=True)

    class Meta:
        db_table = "team_cache"

    def __str__(self) -> str:
        return self.cache_key
