"""Which deals changed the open pipeline most since an instant, and what happened to each: in the waterfall's words."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from uuid import UUID

from forecasting.inspection.found import Pass
from forecasting.waterfall.queries import UNCONVERTIBLE, Line, Wanted, lines_of
from forecasting.waterfall.report import ENDPOINT, asked_of
from forecasting.waterfall.rules import STEPS, Bucket
from otc.question import Question

VERBS = {
    Bucket.NEW: "is new",
    Bucket.REOPENED: "reopened",
    Bucket.TRANSFERRED_IN: "was handed over to here",
    Bucket.PULLED_IN: "pulled in",
    Bucket.PUSHED_IN: "pushed in from before",
    Bucket.INCLUDED: "counts again",
    Bucket.INCREASED: "grew",
    Bucket.DECREASED: "shrank",
    Bucket.CURRENCY: "moved with its currency",
    Bucket.WON: "was won",
    Bucket.LOST: "was lost",
    Bucket.NO_DECISION: "ended without a decision",
    Bucket.TRANSFERRED_OUT: "was handed over",
    Bucket.PUSHED_OUT: "pushed out",
    Bucket.PULLED_OUT: "pulled out",
    Bucket.DELETED: "was deleted",
    Bucket.OMITTED: "was omitted",
}


@dataclass(frozen=True)
class Cause:
    """One deal's share of a change of the open pipeline in corporate minor units; `deal_id` None: it is out of the
    viewer's sight, or it stands for `others` deals together.
    """

    deal_id: UUID | None
    name: str
    verb: str
    amount_minor: int
    others: int = 0


def causes(question: Question, *, since: datetime, found: Pass) -> list[Cause]:
    """The deals that moved the open pipeline most, and the rest in one: they add up to its change. One query."""
    if not found.most_moved:
        return []
    effects = dict(found.most_moved)
    lines = _lines(question, since, list(effects))
    named = {deal_id: _cause(lines[deal_id], amount_minor=minor) for deal_id, minor in effects.items()}
    ordered = [named[deal_id] for deal_id, _ in found.most_moved]
    rest = found.moved_count - len(ordered)
    if rest:
        minor = found.moved_minor - sum(effects.values())
        ordered.append(Cause(None, f"{rest:,} {'other' if rest == 1 else 'others'}", "", minor, others=rest))
    return ordered


def _cause(lines: Sequence[Line], *, amount_minor: int) -> Cause:
    line, verb = lines[0], _verb(lines)
    if not line.is_visible:
        return Cause(None, "a deal of somebody else", verb, amount_minor)
    return Cause(line.deal_id, line.name, verb, amount_minor)


def _verb(lines: Sequence[Line]) -> str:
    """What took or brought the most of it, with the days of a push."""
    effects = [line for line in lines if line.bucket in VERBS]
    if not effects:
        return "lost its rate"
    largest = max(effects, key=lambda line: abs(line.amount_minor or 0))
    bucket, days = Bucket(largest.bucket), _days(largest.before_close, largest.after_close)
    if bucket in (Bucket.PUSHED_OUT, Bucket.PULLED_IN) and days:
        return f"{'pushed' if days > 0 else 'pulled in'} {abs(days)} {'day' if abs(days) == 1 else 'days'}"
    return VERBS[bucket]


def _days(before: date | None, after: date | None) -> int:
    return (after - before).days if before and after else 0


def _lines(question: Question, since: datetime, ids: list[UUID]) -> dict[UUID, list[Line]]:
    """Everything that these deals do in the waterfall, by id."""
    frame = {name: value for name, value in question.frame.items() if name != "viewer"}
    asked = asked_of(
        question.organization,
        visible=question.visible,
        period=question.period,
        since=since,
        group="",
        mode=ENDPOINT,
        **frame,
    )
    of_these = replace(asked, deals=tuple(ids))
    found: dict[UUID, list[Line]] = {}
    for line in lines_of(of_these, Wanted(), visible=question.visible, order=STEPS):
        found.setdefault(line.deal_id, []).append(line)
    if len(found) < len(ids):
        for line in lines_of(of_these, Wanted(UNCONVERTIBLE), visible=question.visible, order=STEPS):
            found.setdefault(line.deal_id, []).append(line)
    return found
