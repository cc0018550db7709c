"""Judgements of deals as what they are to the grid: deltas made of deals, one for each person, column and manager."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from forecasting.judgements.models import DealJudgement
from forecasting.judgements.queries import parts_judged
from forecasting.judgements.rules import Judged, effect_of
from forecasting.rollup.rules import Adjustment, Kind
from otc.calendar.rules import Period
from otc.money.queries import shown_minor


def judged_adjustments(
    steps: Iterable[DealJudgement], *, period: Period, as_of: datetime, known: datetime, currency: str
) -> tuple[Adjustment, ...]:
    """The oldest first. A judgement follows its deal, so it is never stale; what has ended adds nothing and is shown.

    `currency` is that of the grid; own amounts were said in the organization's, and are converted at the rates of the
    period's last day, as adjustments are.
    """
    steps = list(steps)
    parts = parts_judged(
        [step.opportunity_id for step in steps], as_of=as_of, known=known, corporate=currency
    )
    amounts = _amounts(steps, period=period, known=known, currency=currency)
    names = {deal_id: part.name for (deal_id, _person), part in parts.items()}
    said: dict[Any, list[tuple[DealJudgement, Judged]]] = defaultdict(list)
    for step in steps:
        if step.amount_minor is not None and step.id not in amounts:
            continue
        minor, ended = effect_of(
            parts.get((step.opportunity_id, step.person_id)),
            verdict=step.verdict,
            amount_minor=amounts.get(step.id),
            close_date=step.close_date,
            column=step.column,
            first=period.first,
            end=period.end,
        )
        name = names.get(step.opportunity_id, "A deal that is gone")
        judged = Judged(step.id, step.opportunity_id, name, step.verdict, minor, ended)
        said[step.person_id, step.column, step.author_id].append((step, judged))
    return tuple(_adjustment(found) for found in said.values())


def _amounts(steps: list[DealJudgement], *, period: Period, known: datetime, currency: str) -> dict[Any, int]:
    said = {step.id: step.amount_minor for step in steps if step.amount_minor is not None}
    if not said or steps[0].currency == currency:
        return said
    return shown_minor(said, own=steps[0].currency, currency=currency, day=period.last, known=known)


def _adjustment(found: list[tuple[DealJudgement, Judged]]) -> Adjustment:
    last = found[-1][0]
    return Adjustment(
        person=last.person_id,
        column=last.column,
        author=last.author_id,
        kind=Kind.DELTA,
        amount_minor=sum(judged.effect_minor for _step, judged in found),
        reason=last.reason if len(found) == 1 else f"{len(found)} deals judged",
        step_id=last.id,
        made_at=last.made_at,
        deals=tuple(judged for _step, judged in found),
    )
