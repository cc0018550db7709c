"""The only writers of API tokens."""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from otc.audit.services import audit_append
from otc.identity.models import ApiToken
from otc.identity.tokens import check_limits, hash_of, new_secret
from otc.tenancy.context import use


@dataclass(frozen=True)
class IssuedToken:
    """A new token with its secret, which is nowhere else and can't be had again."""

    token: ApiToken
    secret: str


def token_issue(
    person_id: UUID, *, name: str, scopes: frozenset[str], expires_at: datetime, now: datetime
) -> IssuedToken:
    """Make a token that acts for the person until `expires_at`. Raises TokenRefused."""
    check_limits(name=name, scopes=scopes, expires_at=expires_at, now=now)
    secret = new_secret()
    token = ApiToken(
        person_id=person_id,
        name=name.strip(),
        token_hash=hash_of(secret),
        scopes=sorted(scopes),
        expires_at=expires_at,
    )
    token.save()
    detail = {"person_id": person_id, "scopes": token.scopes, "expires_at": expires_at}
    audit_append(
        "token.created",
        subject_kind="token",
        subject_id=token.id,
        summary=f"Made the API token “{token.name}”",
        detail=detail,
    )
    return IssuedToken(token, secret)


def token_revoke(token: ApiToken, *, now: datetime) -> None:
    """End a token at once; one that was revoked before keeps its first end."""
    if token.revoked_at is None:
        token.revoked_at = now
        token.save(update_fields=["revoked_at"])
        audit_append(
            "token.revoked",
            subject_kind="token",
            subject_id=token.id,
            summary=f"Revoked the API token “{token.name}”",
            detail={"person_id": token.person_id},
        )


def token_mark_used(token_hash: str, *, organization_id: UUID, today: date) -> None:
    """Remember the day of the token's latest use, in a transaction of its own; the first use of a day is audited."""
    with use(organization_id, channel="api"):
        used = ApiToken.objects.filter(token_hash=token_hash)
        if not used.exclude(last_used_on=today).update(last_used_on=today):
            return
        token = used.get()
        with use(organization_id, person_id=token.person_id, channel="api"):
            audit_append(
                "token.used",
                subject_kind="token",
                subject_id=token.id,
                summary=f"First use of the API token “{token.name}” on {today.isoformat()}",
            )
