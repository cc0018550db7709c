"""May a session in, given what its organization asks for? Arithmetic over seconds and second factors."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

ANY_FACTOR, PASSKEY = "any", "passkey"
IDLE_CHOICES_MINUTES = (15, 30, 60, 4 * 60, 8 * 60, 24 * 60)
LENGTH_CHOICES_HOURS = (8, 12, 24, 7 * 24, 14 * 24)


class Verdict(StrEnum):
    """What has to happen before a page of the organization opens."""

    IN = "in"
    IDLE = "idle"
    OVER = "over"
    SET_UP = "set_up"
    CONFIRM = "confirm"


@dataclass(frozen=True)
class Policy:
    """What an organization asks for; None is no limit."""

    second_factor: str = "optional"
    idle_minutes: int | None = None
    length_hours: int | None = None


@dataclass(frozen=True)
class SessionFacts:
    """A session as it stands: `longest_gap` is the longest time between two of its requests, None is unknown.

    `used` are the kinds of second factor that this session has shown, `owned` those that its person has now.
    """

    started_at: datetime | None
    longest_gap: timedelta | None
    used: frozenset[str]
    owned: frozenset[str]


def accepted_factors(policy: Policy) -> frozenset[str]:
    """The kinds that have to be set up; recovery codes come with either and replace none."""
    return frozenset({"webauthn"}) if policy.second_factor == PASSKEY else frozenset({"totp", "webauthn"})


def verdict(policy: Policy, facts: SessionFacts, *, now: datetime) -> Verdict:
    """The first thing that is missing. What is unknown about a session counts against it.

    >>> verdict(Policy(idle_minutes=30), facts_with_a_gap_of_31_minutes, now=now)
    <Verdict.IDLE: 'idle'>
    """
    if policy.length_hours is not None:
        length = timedelta(hours=policy.length_hours)
        if facts.started_at is None or now - facts.started_at >= length:
            return Verdict.OVER
    if policy.idle_minutes is not None:
        idle = timedelta(minutes=policy.idle_minutes)
        if facts.longest_gap is None or facts.longest_gap >= idle:
            return Verdict.IDLE
    return _factor_verdict(policy, facts)


def _factor_verdict(policy: Policy, facts: SessionFacts) -> Verdict:
    if policy.second_factor not in (ANY_FACTOR, PASSKEY):
        return Verdict.IN
    accepted = accepted_factors(policy)
    if not accepted & facts.owned:
        return Verdict.SET_UP
    # A recovery code stands in for a lost device where any factor does.
    shown = accepted if policy.second_factor == PASSKEY else accepted | {"recovery_codes"}
    return Verdict.IN if shown & facts.used else Verdict.CONFIRM
