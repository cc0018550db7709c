"""Why a deal is asked about, in words: one question with its number, and what else is wrong."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from otc.ui import format as fmt
from pipeline.opportunities.report import DealRow
from pipeline.today.rules import AMOUNT, CALL, LOSE, MAIL, NEXT_STEP, ON_TRACK, PUSH, pushes

LABELS = {
    ON_TRACK: "On track",
    PUSH: "Push",
    AMOUNT: "Amount",
    NEXT_STEP: "Next step",
    CALL: "Called",
    MAIL: "Mailed",
    LOSE: "Lose",
}
# They ask for more before they are given.
ASK_MORE = frozenset({AMOUNT, NEXT_STEP, LOSE})


@dataclass(frozen=True)
class Act:
    """An answer offered beside a deal of the queue: `kind` as it is posted, or the form that it opens."""

    kind: str
    label: str
    is_form: bool


Ask = Callable[[DealRow, date], str]


def why(deal: DealRow, reasons: Sequence[str], *, today: date) -> tuple[str, str]:
    """A headline that asks about the first of `reasons`, and sentences on it and on at most two others."""
    first = reasons[0]
    sentences = [_sentence(deal, key, today=today) for key in reasons[1:3]]
    own = _detail(deal, first) if first in DETAILED else ""
    return ASKS[first](deal, today), " ".join(sentence for sentence in (own, *sentences) if sentence)


def acts(deal: DealRow, kinds: Sequence[str], *, today: date) -> tuple[Act, ...]:
    """The answers of a reason; a push names the day a week later, so that one tap is enough."""
    week_later = dict(pushes(deal.close_date, today=today))["+1w"]
    return tuple(
        Act("push:+1w", f"Push to {fmt.day(week_later, today=today)}", False)
        if kind == PUSH
        else Act(kind, _label(kind, deal), kind in ASK_MORE)
        for kind in kinds
    )


def _label(kind: str, deal: DealRow) -> str:
    return "Done, next" if kind == NEXT_STEP and deal.next_step else LABELS[kind]


def _when(deal: DealRow, today: date) -> str:
    return fmt.day(deal.close_date, today=today)


def _ago(day: date | None, today: date) -> str:
    if day is None or day == today:
        return "today"
    days = (today - day).days
    return "yesterday" if days == 1 else f"{days} days ago"


def _due(deal: DealRow, today: date) -> str:
    if deal.next_step_on == today:
        return f"“{deal.next_step}” is due today. Done?"
    return f"“{deal.next_step}” was due {_ago(deal.next_step_on, today)}. Done?"


def _slip(deal: DealRow, today: date) -> str:
    return f"{fmt.percent(deal.p_slip)} likely to slip past {_when(deal, today)}. Still that day?"


ASKS: Mapping[str, Ask] = {
    "close_date_passed": lambda deal, today: (
        f"The close date passed {_ago(deal.close_date, today)}. When, or lost?"
    ),
    "next_step_due": _due,
    "commit_at_risk": lambda deal, today: "In commit, but at risk. Still on track?",
    "no_close_date": lambda deal, today: "There is no close date. When will it close?",
    "likely_slip": _slip,
    "no_next_step": lambda deal, today: "Nothing is planned. What comes next?",
    "next_step_undated": lambda deal, today: f"“{deal.next_step}” has no day. When?",
    "milestone_missing": lambda deal, today: "A required milestone is late. Still on track?",
    "silent": lambda deal, today: "It has gone silent. Still on track?",
    "no_amount": lambda deal, today: "There is no amount. What is it worth?",
    "moved_backward": lambda deal, today: f"It moved back. Still {_when(deal, today)}?",
    "amount_fell": lambda deal, today: "Its amount fell. Still on track?",
    "close_date_implausible": lambda deal, today: f"{_when(deal, today)} is hardly possible. When?",
    "pushed_often": lambda deal, today: f"Pushed again and again. Still {_when(deal, today)}?",
    "stalled": lambda deal, today: f"It stands still in {deal.stage_name or 'its stage'}. Still on track?",
}
# Their headline has no number: health's own sentence follows it.
DETAILED = frozenset(
    {
        "commit_at_risk",
        "milestone_missing",
        "silent",
        "moved_backward",
        "amount_fell",
        "close_date_implausible",
        "pushed_often",
        "stalled",
    }
)
STATED: Mapping[str, Ask] = {
    "next_step_due": lambda deal, today: f"“{deal.next_step}” was due {_ago(deal.next_step_on, today)}.",
    "no_close_date": lambda deal, today: "There is no close date.",
    "likely_slip": lambda deal, today: (
        f"{fmt.percent(deal.p_slip)} likely to slip past {_when(deal, today)}."
    ),
    "no_next_step": lambda deal, today: "There is no next step.",
    "next_step_undated": lambda deal, today: "The next step has no day.",
    "no_amount": lambda deal, today: "There is no amount.",
}


def _sentence(deal: DealRow, key: str, *, today: date) -> str:
    return STATED[key](deal, today) if key in STATED else _detail(deal, key)


def _detail(deal: DealRow, key: str) -> str:
    """Health's sentence on its own check; empty while it isn't computed anew."""
    return next((str(check["detail"]) for check in deal.failed if check["check"] == key), "")
