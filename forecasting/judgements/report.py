"""The deals of a person as the manager judges them in a cell: what may be judged, what was said, and what it does."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from forecasting.judgements.models import DealJudgement
from forecasting.judgements.queries import judgements_of_cell, open_parts, parts_judged
from forecasting.judgements.rules import DealPart, Judged
from otc.question import Question

# Deals that close this long after the period may be taken into it.
AHEAD = timedelta(days=92)


@dataclass(frozen=True)
class JudgedDeal:
    """A part of the person; `step` is the latest judgement of it, a withdrawn one too, `effect` what it does."""

    part: DealPart
    step: DealJudgement | None
    effect: Judged | None


def judged_deals(
    question: Question, *, person_id: UUID, column: str, effects: Iterable[Judged]
) -> list[JudgedDeal]:
    """The person's open deals of the period and the quarter after it, and whatever was judged; judged ones first."""
    asked: dict[str, Any] = {"as_of": question.as_of, "known": question.known, "corporate": question.currency}
    first, until = question.period.first, question.period.end + AHEAD
    parts = {part.opportunity_id: part for part in open_parts(person_id, first=first, until=until, **asked)}
    said = judgements_of_cell(question.period.key, column=column, person_id=person_id, as_of=question.as_of)
    counting = {one.opportunity_id: one for one in effects}
    missing = parts_judged([deal_id for deal_id in counting if deal_id not in parts], **asked)
    for (deal_id, _person), part in missing.items():
        parts.setdefault(deal_id, part)
    rows = [JudgedDeal(part, said.get(key), counting.get(key)) for key, part in parts.items()]
    return sorted(rows, key=lambda row: row.effect is None)
