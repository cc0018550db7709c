"""What a person's account page shows: second factors, open sessions, and what organizations ask for."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession

from otc.identity.policy.gate import policy_of
from otc.identity.policy.rules import accepted_factors
from otc.identity.sessions.devices import device_name
from otc.tenancy.models import Organization
from otc.tenancy.permissions import may
from otc.tenancy.queries import memberships

MOST_SESSIONS = 50


@dataclass(frozen=True)
class Passkey:
    id: int
    name: str
    created_at: datetime
    last_used_at: datetime | None


@dataclass(frozen=True)
class Factors:
    """The second factors of a sign-in; `codes_left` is None where there are no recovery codes."""

    has_app: bool
    app_since: datetime | None
    passkeys: list[Passkey]
    codes_left: int | None

    @property
    def is_on(self) -> bool:
        return self.has_app or bool(self.passkeys)

    @property
    def kinds(self) -> frozenset[str]:
        return frozenset({"totp"} if self.has_app else ()) | ({"webauthn"} if self.passkeys else set())


def factors_of(user_id: UUID) -> Factors:
    """One query."""
    found: dict[str, list[Any]] = {}
    for authenticator in Authenticator.objects.filter(user_id=user_id).order_by("created_at", "id"):
        found.setdefault(str(authenticator.type), []).append(authenticator)
    apps, codes = found.get("totp", []), found.get("recovery_codes", [])
    return Factors(
        has_app=bool(apps),
        app_since=apps[0].created_at if apps else None,
        passkeys=[
            Passkey(one.pk, one.wrap().name, one.created_at, one.last_used_at)
            for one in found.get("webauthn", [])
        ],
        codes_left=len(codes[0].wrap().get_unused_codes()) if codes else None,
    )


@dataclass(frozen=True)
class OpenSession:
    """Where the person is signed in; the place is known by its address alone."""

    id: int
    device: str
    address: str
    started_at: datetime
    last_seen_at: datetime
    is_current: bool


def sessions_of(user: Any, *, current_key: str | None) -> list[OpenSession]:
    """Open sessions, this one first, then the latest seen; those that ended are forgotten on the way."""
    rows = UserSession.objects.purge_and_list(user)
    rows.sort(key=lambda row: (row.session_key == current_key, row.last_seen_at), reverse=True)
    return [
        OpenSession(
            id=row.pk,
            device=device_name(row.user_agent),
            address=row.ip,
            started_at=row.created_at,
            last_seen_at=row.last_seen_at,
            is_current=row.session_key == current_key,
        )
        for row in rows[:MOST_SESSIONS]
    ]


@dataclass(frozen=True)
class Workplace:
    """An organization of the person; `asks_for` is what is missing before its pages open, empty if nothing."""

    organization: Organization
    asks_for: str


def zone_of(places: list[Workplace]) -> ZoneInfo | None:
    """The time zone in which all of them live; None where there is none, or several: then the browser's counts."""
    zones = {place.organization.timezone for place in places}
    return ZoneInfo(zones.pop()) if len(zones) == 1 else None


def workplaces(user_id: UUID, *, factors: Factors, now: datetime) -> list[Workplace]:
    """Where the person works, and what each still asks for."""
    found = []
    for membership in memberships(user_id, today=now.date()):
        if may(membership.person.role, "use_pages"):
            policy = policy_of(membership.organization)
            accepted = accepted_factors(policy)
            is_missing = policy.second_factor != "optional" and not accepted & factors.kinds
            word = "a passkey" if accepted == {"webauthn"} else "a second factor"
            found.append(Workplace(membership.organization, word if is_missing else ""))
    return found
