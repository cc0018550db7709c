"""What a token is made of: a secret shown once, the hash that is kept, and its limits. No Django."""

import hashlib
import secrets
from datetime import datetime, timedelta

PREFIX = "otc_"
SCOPES = ("read", "write")
LONGEST_LIFE = timedelta(days=365)


class TokenRefused(ValueError):
    """A token that may not be issued: which field, and why."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(reason)
        self.field, self.reason = field, reason


def new_secret() -> str:
    """256 random bits behind the prefix, so that a leaked one is recognized by scanners."""
    return PREFIX + secrets.token_urlsafe(32)


def hash_of(secret: str) -> str:
    """What is stored. A plain SHA-256 is enough: a random secret can't be guessed from a list."""
    return hashlib.sha256(secret.encode()).hexdigest()


def check_limits(*, name: str, scopes: frozenset[str], expires_at: datetime, now: datetime) -> None:
    """A token needs a name, a known scope, and an end within 365 days. Raises TokenRefused."""
    if not name.strip():
        raise TokenRefused("name", "Name the token after what will use it")
    unknown = sorted(scopes - set(SCOPES))
    if unknown or not scopes:
        raise TokenRefused("scopes", "Choose read, write or both")
    if expires_at <= now:
        raise TokenRefused("expires_at", "A token ends in the future")
    if expires_at > now + LONGEST_LIFE:
        raise TokenRefused("expires_at", "A token lives 365 days at most")
