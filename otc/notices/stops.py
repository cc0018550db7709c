"""The link at a mail's foot: who stops which mails, signed, so that it needs no sign-in and no row of its own."""

from uuid import UUID

from django.core.signing import BadSignature, Signer

DIGEST, AT_ONCE, WEEKLY = "digest", "notice", "weekly_forecast"
SORTS = {
    DIGEST: "the daily digest",
    AT_ONCE: "mails about single events",
    WEEKLY: "the weekly forecast",
}
SIGNER = Signer(salt="otc.notices.stop")


class BrokenStop(ValueError):
    """The link was not made here, or was changed on the way."""


def stop_token(organization_id: UUID, person_id: UUID, sort: str) -> str:
    return SIGNER.sign_object([str(organization_id), str(person_id), sort]).replace(":", ".")


def stop_of(token: str) -> tuple[UUID, UUID, str]:
    """(organization, person, sort) of a token; raises BrokenStop before the database is asked."""
    payload, _, signature = token.rpartition(".")
    try:
        organization_id, person_id, sort = SIGNER.unsign_object(f"{payload}:{signature}")
    except (BadSignature, ValueError):
        raise BrokenStop from None
    return UUID(organization_id), UUID(person_id), sort
