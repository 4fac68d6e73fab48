"""Who works for the publisher, and what programs of theirs log in with."""

from __future__ import annotations

from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models
from django.db.models.functions import Lower

from muster.team.terms import ROLE_SCOPES


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
    # Empty: what the browser asks for.
    language = models.CharField(max_length=8, blank=True)
    # Empty: the organisation's.
    time_zone = models.CharField(max_length=64, blank=True)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField()

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
        return ROLE_SCOPES[self.role]


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
