"""What an invitation's link is made of: a random secret and a signature over it; the database keeps a hash."""

import hashlib
import secrets
from datetime import timedelta

from django.core.signing import BadSignature, Signer

LIVES = timedelta(days=7)
SIGNER = Signer(sep=".", salt="otc.identity.invitation")


class BrokenLink(ValueError):
    """The link was not made here, or was changed on the way."""


def new_token() -> str:
    """256 random bits with their signature, fit for an address."""
    return SIGNER.sign(secrets.token_urlsafe(32))


def hash_of(token: str) -> str:
    """What is stored and looked up; raises BrokenLink before the database is asked."""
    try:
        secret = SIGNER.unsign(token)
    except BadSignature:
        raise BrokenLink(token[:8]) from None
    return hashlib.sha256(secret.encode()).hexdigest()
