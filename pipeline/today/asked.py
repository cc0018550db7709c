"""What was typed or clicked as an answer, read as people write days and amounts."""

from collections.abc import Mapping
from datetime import date
from uuid import UUID

from otc.calendar.rules import Calendar
from otc.ui.amounts import AmountNotUnderstood, parse_amount
from otc.ui.dates import DayNotUnderstood, parse_day
from pipeline.opportunities.models import Opportunity
from pipeline.opportunities.rules import Refused
from pipeline.today.rules import AMOUNT, ANSWERS, LOSE, NEXT_STEP, PUSH, SNOOZE, pushes
from pipeline.today.services import Answer


def read_answer(posted: Mapping[str, str], *, deal: Opportunity, today: date, calendar: Calendar) -> Answer:
    """`kind` is one of ANSWERS, or with its day in one, like "push:+1w" and "snooze:tomorrow". Raises Refused."""
    kind, _, at_once = posted.get("kind", "").partition(":")
    if kind not in ANSWERS:
        raise Refused("kind", "Choose one of the answers on the card")
    text = (at_once or posted.get("day", "")).strip()
    if kind == PUSH:
        return Answer(kind, day=_push(text, deal=deal, today=today, calendar=calendar))
    if kind == SNOOZE:
        return Answer(kind, day=_day(text, today=today, base=today, calendar=calendar))
    if kind == AMOUNT:
        return Answer(kind, amount_minor=_amount(posted.get("amount", ""), currency=deal.currency))
    if kind == NEXT_STEP:
        day = _day(text, today=today, base=today, calendar=calendar)
        return Answer(kind, day=day, text=posted.get("text", ""), is_done=bool(posted.get("is_done")))
    if kind == LOSE:
        return _ending(kind, posted)
    return Answer(kind, text=posted.get("text", ""))


def _push(text: str, *, deal: Opportunity, today: date, calendar: Calendar) -> date | None:
    """One of the three quick days, or as typed: "+3w" counts from the close date, or from today once it passed."""
    quick = dict(pushes(deal.close_date, today=today))
    if text in quick:
        return quick[text]
    return _day(text, today=today, base=max(deal.close_date or today, today), calendar=calendar)


def _day(text: str, *, today: date, base: date, calendar: Calendar) -> date | None:
    if not text:
        return None
    try:
        return parse_day(text, today=today, base=base, calendar=calendar)
    except DayNotUnderstood as problem:
        raise Refused("day", str(problem)) from problem


def _amount(text: str, *, currency: str) -> int | None:
    if not text.strip():
        return None
    try:
        return parse_amount(text, currency=currency)
    except AmountNotUnderstood as problem:
        raise Refused("amount", str(problem)) from problem


def _ending(kind: str, posted: Mapping[str, str]) -> Answer:
    """`ending` is "lost:<reason>" or "no_decision:<reason>"."""
    outcome, _, reason = posted.get("ending", "").partition(":")
    if not reason:
        raise Refused("ending", "Say the primary reason: it is what the next deal learns from")
    return Answer(
        kind,
        outcome=outcome,
        reason_id=_id(reason, "ending", "reason"),
        competitor_id=_id(posted.get("competitor", ""), "competitor", "competitor"),
    )


def _id(text: str, field: str, what: str) -> UUID | None:
    try:
        return UUID(text) if text else None
    except ValueError as problem:
        raise Refused(field, f"There is no such {what}") from problem
