"""A rule and what it noticed, in sentences."""

from collections.abc import Mapping
from datetime import date
from typing import Any
from uuid import UUID

from forecasting.alerts.models import AlertRule
from forecasting.alerts.queries import Holding, Step
from forecasting.alerts.rules import (
    COMMIT_AT_RISK,
    COVERAGE,
    FELL,
    LEFT_COMMIT,
    LOST,
    PUSHED_OUT,
    SILENT,
    WON,
    State,
)
from forecasting.quotas.rules import Coverage
from otc.ui import format as fmt
from pipeline.process.models import Category

ENDED = {"won": "was won", "lost": "was lost", "no_decision": "ended without a decision"}


def rule_told(rule: AlertRule, *, currency: str, names: Mapping[UUID, str]) -> str:
    """ "a deal of at least 500 k EUR is pushed out of the quarter, in Max Brandt’s branch"."""
    large = ""
    if rule.amount_minor is not None:
        large = f" of at least {fmt.money_short(rule.amount_minor, currency=currency)} {currency}"
    times = fmt.times((rule.times_hundredths or 0) / 100)
    told = {
        PUSHED_OUT: f"a deal{large} is pushed out of {rule.get_span_display()}",
        COMMIT_AT_RISK: f"a commit deal{large} turns high risk",
        LEFT_COMMIT: f"a deal{large} leaves commit",
        FELL: f"the amount of a deal{large} falls by {rule.percent} % or more",
        LOST: f"a deal{large} is lost or ends without a decision",
        WON: f"a deal{large} is won",
        SILENT: f"nothing happens on a deal{large} for {rule.days} days",
        COVERAGE: f"coverage of the quarter falls below {times}",
    }[rule.kind]
    return f"{told}, in {names.get(rule.scope_id, 'a')}’s branch" if rule.scope_id else told


def amount_told(state: State) -> str:
    amount, currency = state.native
    return "" if amount is None else f" ({fmt.money_full(amount, currency=currency)} {currency})"


def step_told(kind: str, step: Step, *, actor: str, today: date) -> str:
    """ "Kestrel Rail (386,000 EUR) was pushed from 18 Dec to 29 Jan 2027 by Ana Ruiz"."""
    before, after = step.before, step.after
    by = f" by {actor}" if actor else ""
    shown = f"{step.name}{amount_told(after if kind != FELL or before is None else before)}"
    if kind == PUSHED_OUT and before is not None:
        later = f"to {fmt.day(after.close_date, today=today)}" if after.close_date else "to no date at all"
        return f"{shown} was pushed from {fmt.day(before.close_date, today=today)} {later}{by}"
    if kind == FELL and before is not None:
        left = amount_told(after).strip(" ()") or "no amount"
        return f"{shown} fell to {left}{by}"
    if kind == LEFT_COMMIT:
        if after.is_deleted:
            return f"{shown} left commit: it was deleted{by}"
        category = str(Category(after.category).label).lower() if after.category else "no category"
        return f"{shown} left commit for {category}{by}"
    return f"{shown} {ENDED[after.outcome or 'lost']}{by}"


def holding_told(rule: AlertRule, found: Holding) -> str:
    amount = ""
    if found.amount_minor is not None:
        amount = f" ({fmt.money_full(found.amount_minor, currency=found.currency)} {found.currency})"
    if rule.kind == COMMIT_AT_RISK:
        return f"{found.name}{amount} is in commit and at high risk"
    return f"Nothing happened on {found.name}{amount} for {rule.days} days"


def coverage_told(found: Coverage, *, whose: str, times_hundredths: int) -> str:
    assert found.remaining is not None
    now, limit = fmt.times(found.remaining), fmt.times(times_hundredths / 100)
    return f"Coverage of {whose} is {now}, below {limit}"


def facts_of(state: State | None) -> dict[str, Any] | None:
    """A state as a webhook tells it."""
    if state is None:
        return None
    return {
        "amount_minor": state.native[0],
        "currency": state.native[1],
        "category": state.category,
        "close_date": state.close_date.isoformat() if state.close_date else None,
        "outcome": state.outcome,
        "is_deleted": state.is_deleted,
    }
