"""What a policy says about a session, as arithmetic: limits at their edges, factors, and what is unknown."""

from datetime import UTC, datetime, timedelta

import pytest

from otc.identity.policy.rules import Policy, SessionFacts, Verdict, verdict

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
NONE: frozenset[str] = frozenset()


def facts(
    age: timedelta = timedelta(0), gap: timedelta = timedelta(0), used: str = "", owned: str = ""
) -> SessionFacts:
    return SessionFacts(NOW - age, gap, frozenset(used.split()), frozenset(owned.split()))


def test_without_a_policy_every_session_is_in() -> None:
    assert verdict(Policy(), SessionFacts(None, None, NONE, NONE), now=NOW) is Verdict.IN


@pytest.mark.parametrize(("minutes", "expected"), [(29, Verdict.IN), (30, Verdict.IDLE), (31, Verdict.IDLE)])
def test_a_session_that_rested_too_long_is_idle(minutes: int, expected: Verdict) -> None:
    assert verdict(Policy(idle_minutes=30), facts(gap=timedelta(minutes=minutes)), now=NOW) is expected


@pytest.mark.parametrize(
    ("age", "expected"),
    [(timedelta(hours=7, minutes=59), Verdict.IN), (timedelta(hours=8), Verdict.OVER)],
)
def test_a_session_ends_by_its_length_however_busy(age: timedelta, expected: Verdict) -> None:
    assert verdict(Policy(length_hours=8), facts(age=age), now=NOW) is expected


def test_what_is_unknown_counts_against_the_session() -> None:
    unknown = SessionFacts(None, None, NONE, NONE)
    assert verdict(Policy(length_hours=8), unknown, now=NOW) is Verdict.OVER
    assert verdict(Policy(idle_minutes=30), unknown, now=NOW) is Verdict.IDLE


@pytest.mark.parametrize(
    ("asked", "owned", "used", "expected"),
    [
        ("any", "", "", Verdict.SET_UP),
        ("any", "recovery_codes", "recovery_codes", Verdict.SET_UP),
        ("any", "totp", "", Verdict.CONFIRM),
        ("any", "totp", "totp", Verdict.IN),
        ("any", "totp recovery_codes", "recovery_codes", Verdict.IN),
        ("any", "webauthn", "webauthn", Verdict.IN),
        # A factor that was removed since it was shown.
        ("any", "", "totp", Verdict.SET_UP),
        ("passkey", "totp", "totp", Verdict.SET_UP),
        ("passkey", "totp webauthn", "totp", Verdict.CONFIRM),
        ("passkey", "webauthn recovery_codes", "recovery_codes", Verdict.CONFIRM),
        ("passkey", "webauthn", "webauthn", Verdict.IN),
        ("optional", "totp", "", Verdict.IN),
    ],
)
def test_a_second_factor_is_owned_and_shown(asked: str, owned: str, used: str, expected: Verdict) -> None:
    assert verdict(Policy(second_factor=asked), facts(owned=owned, used=used), now=NOW) is expected
