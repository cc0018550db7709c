"""When does a change fire a rule? Kinds of rules as a table, states of a deal in, yes or no out. No Django."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

PUSHED_OUT, WON, LOST, FELL, LEFT_COMMIT = "pushed_out", "won", "lost", "fell", "left_commit"
COMMIT_AT_RISK, SILENT, COVERAGE = "commit_at_risk", "silent", "coverage"
SPANS = (("quarter", "the quarter"), ("month", "the month"))
COMMIT = "commit"

# Waits between the attempts to post to a hook; after the last one it is given up.
BACKOFF = tuple(
    timedelta(seconds=seconds) for seconds in (5, 60, 5 * 60, 30 * 60, 2 * 3600, 6 * 3600, 12 * 3600)
)


@dataclass(frozen=True)
class Kind:
    """`label` completes “Tell when …”. `asks` are the thresholds that must be given, `takes` those that may be."""

    key: str
    label: str
    asks: tuple[str, ...] = ()
    takes: tuple[str, ...] = ("amount_minor",)


KINDS = (
    Kind(PUSHED_OUT, "a deal is pushed out of its period", takes=("amount_minor", "span")),
    Kind(COMMIT_AT_RISK, "a commit deal turns high risk"),
    Kind(LEFT_COMMIT, "a deal leaves commit"),
    Kind(FELL, "a deal’s amount falls", asks=("percent",)),
    Kind(LOST, "a deal is lost or ends without a decision"),
    Kind(WON, "a deal is won"),
    Kind(SILENT, "nothing happens on a deal for days", asks=("days",)),
    Kind(COVERAGE, "coverage falls", asks=("times_hundredths",), takes=()),
)
KIND_KEYS = tuple(sorted(kind.key for kind in KINDS))
KIND_NAMED = {kind.key: kind for kind in KINDS}
DEAL_EVENTS = frozenset({PUSHED_OUT, WON, LOST, FELL, LEFT_COMMIT})
DEAL_STATES = frozenset({COMMIT_AT_RISK, SILENT})


@dataclass(frozen=True)
class Condition:
    """A rule's kind with its thresholds: corporate minor units, percent; None where it has none."""

    kind: str
    amount_minor: int | None = None
    percent: int | None = None
    span: str = "quarter"


@dataclass(frozen=True)
class State:
    """A deal between two edits. `corporate_minor` is None without an amount or a rate; `quarter_first` and
    `month_first` are the first days of the fiscal periods of its close date.
    """

    corporate_minor: int | None
    native: tuple[int | None, str]
    category: str | None
    close_date: date | None
    outcome: str | None
    is_deleted: bool
    quarter_first: date | None = None
    month_first: date | None = None

    @property
    def is_open(self) -> bool:
        return self.outcome is None and not self.is_deleted


def fires(condition: Condition, *, before: State | None, after: State) -> bool:
    """Whether this one change is what the rule waits for. `before` is None for a new deal.

    >>> was = State(500_00, (500_00, "EUR"), "commit", date(2026, 12, 18), None, False, date(2026, 10, 1))
    >>> later = State(500_00, (500_00, "EUR"), "commit", date(2027, 1, 8), None, False, date(2027, 1, 1))
    >>> fires(Condition("pushed_out", 400_00), before=was, after=later)
    True
    """
    return _is_large(condition, before, after) and _HAPPENED[condition.kind](condition, before, after)


def still_stands(condition: Condition, *, before: State | None, now: State) -> bool:
    """Whether what fired is still so: an edit that was taken back before anybody looked is no news."""
    return fires(condition, before=before, after=now)


def _is_large(condition: Condition, before: State | None, after: State) -> bool:
    """The amount that stood before counts; that of a deal that is won or lost is its last one."""
    if condition.amount_minor is None:
        return True
    counted = after if before is None or condition.kind in (WON, LOST) else before
    return counted.corporate_minor is not None and counted.corporate_minor >= condition.amount_minor


def _pushed_out(condition: Condition, before: State | None, after: State) -> bool:
    if before is None or not before.is_open or not after.is_open:
        return False
    was, now = _span_first(before, condition.span), _span_first(after, condition.span)
    return was is not None and (now is None or now > was)


def _span_first(state: State, span: str) -> date | None:
    return state.month_first if span == "month" else state.quarter_first


def _won(condition: Condition, before: State | None, after: State) -> bool:
    return after.outcome == "won" and not after.is_deleted and (before is None or before.outcome != "won")


def _lost(condition: Condition, before: State | None, after: State) -> bool:
    ended = ("lost", "no_decision")
    return after.outcome in ended and not after.is_deleted and (before is None or before.outcome not in ended)


def _fell(condition: Condition, before: State | None, after: State) -> bool:
    """By at least so many percent. A move of the close date alone changes the rate, not the amount."""
    if before is None or not before.is_open or not after.is_open or before.native == after.native:
        return False
    if not before.corporate_minor or condition.percent is None:
        return False
    fell_minor = before.corporate_minor - (after.corporate_minor or 0)
    if after.corporate_minor is None and after.native[0] is not None:
        return False
    return fell_minor * 100 >= condition.percent * before.corporate_minor


def _left_commit(condition: Condition, before: State | None, after: State) -> bool:
    """While it goes on: what was won or lost has left, too, and is told of as that."""
    if before is None or not before.is_open or before.category != COMMIT:
        return False
    return after.is_deleted or (after.outcome is None and after.category != COMMIT)


_HAPPENED: dict[str, Callable[[Condition, State | None, State], bool]] = {
    PUSHED_OUT: _pushed_out,
    WON: _won,
    LOST: _lost,
    FELL: _fell,
    LEFT_COMMIT: _left_commit,
}


def next_wait(attempts: int) -> timedelta | None:
    """How long to wait after so many failed attempts; None once enough were made.

    >>> next_wait(1)
    datetime.timedelta(seconds=5)
    """
    return BACKOFF[attempts - 1] if attempts <= len(BACKOFF) else None
