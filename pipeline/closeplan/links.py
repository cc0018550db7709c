"""What a close plan's link is made of: a random secret and a signature over it; the database keeps a hash."""

import hashlib
import secrets

from django.core.signing import BadSignature, Signer

SIGNER = Signer(sep=".", salt="pipeline.closeplan")


class BrokenLink(ValueError):
    """The link was not made here, or was changed on the way."""


def new_token() -> str:
    """256 random bits with their signature, fit for an address."""
    return SIGNER.sign(secrets.token_urlsafe(32))


def hash_of(token: str) -> str:
    """What is stored and looked up. The signature is compared in constant time; raises BrokenLink."""
    try:
        secret = SIGNER.unsign(token)
    except BadSignature:
        raise BrokenLink from None
    return hashlib.sha256(secret.encode()).hexdigest()
