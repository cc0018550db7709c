"""Which open deals need a decision today, why, in what order, and how long an answer holds. No Django."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from otc.ui.dates import add_months, end_of_month

ON_TRACK, PUSH, AMOUNT, NEXT_STEP, CALL, MAIL, LOSE, SNOOZE = ANSWERS = (
    "on_track",
    "push",
    "amount",
    "next_step",
    "call",
    "mail",
    "lose",
    "snooze",
)
# How long an answer keeps a reason quiet that no day makes worse: a week, so that each is looked at weekly.
SETTLED_DAYS = 7
LONGEST_SNOOZE_DAYS = 366
# A likely slip matters once the close date is this near.
NEAR_DAYS = 30
LIKELY_SLIP = 0.5
# Where no chance is known: what is assumed of a deal without any history (DEFINITIONS 8: the prior of risk).
ASSUMED_CHANCE_BP = 3_000
WEEK = timedelta(days=7)


class NotNow(ValueError):
    """An answer that can't be meant: of which field, and what to answer instead."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(reason)
        self.field, self.reason = field, reason


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a deal is asked about. `urgency` in percent of its expected amount.

    `is_due`: a day has come, so an answer that doesn't remove it holds for the rest of the day only. `answers` are
    offered first.
    """

    key: str
    title: str
    urgency: int
    answers: tuple[str, ...]
    is_due: bool = False
    is_bad: bool = False


# The most urgent first; a deal is asked about for the first of its reasons. Those of health bear its checks' names.
REASONS: tuple[Reason, ...] = (
    Reason("close_date_passed", "Close date passed", 100, (PUSH, LOSE), is_due=True, is_bad=True),
    Reason("next_step_due", "Next step due", 90, (NEXT_STEP, ON_TRACK), is_due=True),
    Reason("commit_at_risk", "Commit at risk", 90, (ON_TRACK, PUSH), is_bad=True),
    Reason("no_close_date", "No close date", 80, (PUSH, LOSE), is_bad=True),
    Reason("likely_slip", "Likely to slip", 80, (ON_TRACK, PUSH), is_bad=True),
    Reason("no_next_step", "No next step", 70, (NEXT_STEP, LOSE)),
    Reason("next_step_undated", "Next step has no day", 60, (NEXT_STEP, ON_TRACK)),
    Reason("milestone_missing", "Milestone late", 60, (ON_TRACK, PUSH)),
    Reason("silent", "Silent", 60, (CALL, ON_TRACK)),
    Reason("no_amount", "No amount", 50, (AMOUNT, LOSE)),
    Reason("moved_backward", "Moved back", 50, (ON_TRACK, PUSH)),
    Reason("amount_fell", "Amount fell", 50, (ON_TRACK, AMOUNT)),
    Reason("close_date_implausible", "Date implausible", 40, (PUSH, ON_TRACK)),
    Reason("pushed_often", "Pushed twice", 40, (ON_TRACK, PUSH)),
    Reason("stalled", "Stalled", 40, (ON_TRACK, PUSH)),
)
BY_KEY = {reason.key: reason for reason in REASONS}
# Whose close date passed or is missing isn't on track: it needs a date.
OFF_TRACK = frozenset({"close_date_passed", "no_close_date"})
DUE = frozenset(reason.key for reason in REASONS if reason.is_due)
# What the deal's own fields and its risk tell; the others are health's failed checks.
FROM_FIELDS = frozenset(
    {
        "close_date_passed",
        "no_close_date",
        "next_step_due",
        "no_next_step",
        "next_step_undated",
        "no_amount",
        "likely_slip",
    }
)
FROM_HEALTH = tuple(reason.key for reason in REASONS if reason.key not in FROM_FIELDS)


@dataclass(frozen=True, slots=True)
class Standing:
    """What the reasons look at. `p_slip` (0..1) is of the close date that stands; `failed` are health's checks."""

    today: date
    close_date: date | None = None
    next_step: str = ""
    next_step_on: date | None = None
    amount_minor: int | None = None
    p_slip: float | None = None
    failed: Collection[str] = ()


def reasons_of(deal: Standing) -> tuple[str, ...]:
    """The reasons for which an open deal needs a decision, the most urgent first; none: it runs."""
    today, close, step = deal.today, deal.close_date, bool(deal.next_step.strip())
    holds = {
        "close_date_passed": close is not None and close < today,
        "no_close_date": close is None,
        "next_step_due": step and deal.next_step_on is not None and deal.next_step_on <= today,
        "next_step_undated": step and deal.next_step_on is None,
        "no_next_step": not step,
        "no_amount": not deal.amount_minor,
        "likely_slip": close is not None
        and close <= today + timedelta(days=NEAR_DAYS)
        and deal.p_slip is not None
        and deal.p_slip >= LIKELY_SLIP,
        # Without a close date health calls it implausible; that is said once.
        "close_date_implausible": close is not None and "close_date_implausible" in deal.failed,
    }
    return tuple(reason.key for reason in REASONS if holds.get(reason.key, reason.key in deal.failed))


def worth(*, amount_minor: int | None, chance_bp: int | None, urgency: int) -> int:
    """What a decision is worth, for the order only: amount x chance x urgency, in minor units / 1,000,000.

    100,000.00 at 58 % with a reason of 60 % urgency: 10,000,000 x 5,800 x 60. Without an amount 0, so it comes last.
    """
    return (amount_minor or 0) * (ASSUMED_CHANCE_BP if chance_bp is None else chance_bp) * urgency


def urgency_of(reasons: Iterable[str]) -> int:
    """The urgency of the most urgent reason, in percent; 0 without any."""
    return max((BY_KEY[key].urgency for key in reasons), default=0)


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer that nobody's change has overtaken."""

    kind: str
    person_id: UUID
    reasons: tuple[str, ...]
    on: date
    holds_until: date


def still_open(
    reasons: Iterable[str], answers: Iterable[Answered], *, today: date, watchers: Collection[UUID]
) -> tuple[str, ...]:
    """The reasons that nobody has answered yet, as `watchers` see it: whose queue it is, and who looks at it.

    A snooze of theirs answers everything until its day. Any other answer settles the reasons that stood then: those
    of a day that has come for the rest of that day, the others until `holds_until`.
    """
    holding = [answer for answer in answers if answer.holds_until > today]
    if any(answer.kind == SNOOZE and answer.person_id in watchers for answer in holding):
        return ()
    settled = {
        key
        for answer in holding
        if answer.kind != SNOOZE
        for key in answer.reasons
        if key not in DUE or answer.on == today
    }
    return tuple(key for key in reasons if key not in settled)


def holds_until(kind: str, *, today: date, day: date | None = None) -> date:
    """Before which day an answer keeps its deal quiet. A snooze's `day` lies ahead; raises NotNow."""
    if kind != SNOOZE:
        return today + timedelta(days=SETTLED_DAYS)
    if day is None or day <= today:
        raise NotNow("day", "Snooze to a day that lies ahead, like tomorrow, fri or +2w")
    if day > today + timedelta(days=LONGEST_SNOOZE_DAYS):
        raise NotNow("day", "Snooze for a year at most; a deal that waits longer is lost for now")
    return day


def check_on_track(reasons: Collection[str]) -> None:
    """A deal whose close date passed, or that has none, isn't on track: it needs a date. Raises NotNow."""
    if "close_date_passed" in reasons:
        raise NotNow("kind", "The close date has passed; push it to a new day, or say that it is lost")
    if "no_close_date" in reasons:
        raise NotNow("kind", "There is no close date to be on track for; give it one")


def check_push(day: date | None, *, close_date: date | None, today: date) -> date:
    """The new close date: today or later, and another than the present one. Raises NotNow."""
    if day is None:
        raise NotNow("day", "Say the new close date, like fri, +2w or eom")
    if day < today:
        raise NotNow("day", "An open deal closes today or later; to book what has happened, close it")
    if day == close_date:
        raise NotNow("day", "That is its close date already; if it stands, the deal is on track")
    return day


def pushes(close_date: date | None, *, today: date) -> tuple[tuple[str, date], ...]:
    """The three days that one keystroke pushes to, counted from the close date, or from today once that has passed.

    The end of the month is that of the close date's month, or of the next where it ends there already.
    >>> pushes(date(2026, 12, 18), today=date(2026, 11, 19))[2]
    ('eom', datetime.date(2026, 12, 31))
    """
    base = today if close_date is None else max(close_date, today)
    end = end_of_month(base)
    return (
        ("+1w", base + WEEK),
        ("+2w", base + 2 * WEEK),
        ("eom", end if end > base else end_of_month(add_months(base, 1))),
    )
