"""Who calls the API: the bearer of a token, found by the tenant middleware before any view runs."""

import hashlib
from typing import Any

from django.core.cache import cache
from django.db import transaction
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle

from otc.identity.services import token_mark_used
from otc.tenancy.middleware import Tenant
from otc.tenancy.models import Person

MISSING = "Send a token: Authorization: Bearer otc_..."
USELESS = "This token is unknown, expired or revoked, or its person has left."
SIX_HOURS = 6 * 3600


class TokenAuthentication(BaseAuthentication):
    """Takes the organization and the person from `request.tenant`; request.auth is the token's hash."""

    def authenticate(self, request: Request) -> tuple[Person, str] | None:
        tenant: Tenant | None = getattr(request._request, "tenant", None)
        header = request.headers.get("Authorization", "")
        if tenant is None or tenant.scopes is None:
            if header:
                raise AuthenticationFailed(USELESS)
            return None
        token_hash = hashlib.sha256(header.partition(" ")[2].strip().encode()).hexdigest()
        _note_use(token_hash, tenant)
        return tenant.person, token_hash

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="api"'


def _note_use(token_hash: str, tenant: Tenant) -> None:
    """Keep the day of the last use, after the request's own transaction: two first uses would collide in it."""
    if cache.add(f"token-used:{token_hash}:{tenant.today}", True, SIX_HOURS):
        transaction.on_commit(
            lambda: token_mark_used(token_hash, organization_id=tenant.organization.id, today=tenant.today),
            robust=True,
        )


class TokenThrottle(SimpleRateThrottle):
    """So many requests a minute for each token."""

    scope = "token"

    def get_cache_key(self, request: Request, view: Any) -> str | None:
        return f"throttle:{request.auth}" if request.auth else None
