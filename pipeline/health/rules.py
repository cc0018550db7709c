"""How healthy an open deal is: fifteen checks, each with a published penalty and a sentence that says why.

Health = max(0, 100 - the penalty of each failed check). An organization may weigh the checks otherwise.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

from otc.ui import format as fmt

ENOUGH_WON_DEALS = 20


@dataclass(frozen=True, slots=True)
class Thresholds:
    """What counts as too long, too often, too few. These defaults hold until a stage has 20 won deals of its
    own.
    """

    silent_days: int = 14
    stalled_days: int = 30
    pushes: int = 2
    fall_percent: int = 20
    contacts: int = 2
    least_days_to_close: int = 3
    most_days_to_close: int = 365
    commit_p_won: float = 0.5
    won_deals: int = 0

    @property
    def is_default(self) -> bool:
        return self.won_deals < ENOUGH_WON_DEALS


DEFAULTS = Thresholds()


def learned(
    *,
    won_deals: int,
    stage_days_p80: float | None = None,
    silence_days_p80: float | None = None,
    days_to_close_p20: float | None = None,
    defaults: Thresholds = DEFAULTS,
) -> Thresholds:
    """Thresholds of a stage from the organization's won deals: percentiles of their days in the stage, of
    their longest silence there, and of the days it took them from there to the end. Defaults while there are
    too few.
    """
    if won_deals < ENOUGH_WON_DEALS:
        return replace(defaults, won_deals=won_deals)

    def days(percentile: float | None, default: int) -> int:
        whole = whole_days(percentile)
        return default if whole is None else whole

    return replace(
        defaults,
        won_deals=won_deals,
        stalled_days=days(stage_days_p80, defaults.stalled_days),
        silent_days=days(silence_days_p80, defaults.silent_days),
        least_days_to_close=days(days_to_close_p20, defaults.least_days_to_close),
    )


def whole_days(percentile: float | None) -> int | None:
    """A percentile of days as a limit: 16.2 -> 16, and never less than a day."""
    return None if percentile is None else max(1, round(percentile))


@dataclass(frozen=True, slots=True)
class Deal:
    """What the checks look at, of one open deal on one day. Amounts are minor units of one currency."""

    today: date
    close_date: date | None = None
    next_step: str = ""
    next_step_on: date | None = None
    days_silent: int | None = None
    stage: str = ""
    days_in_stage: int = 0
    push_count: int = 0
    last_push_on: date | None = None
    amount_minor: int | None = None
    highest_amount_minor: int | None = None
    contact_count: int = 0
    has_decision_maker: bool = False
    missing_milestones: tuple[str, ...] = ()
    late_milestones: tuple[str, ...] = ()
    moved_back_from: str = ""
    is_commit: bool = False
    p_won: float | None = None


@dataclass(frozen=True, slots=True)
class Failed:
    """A check that failed, what it costs, and why, as a sentence with its numbers."""

    check: str
    penalty: int
    detail: str


@dataclass(frozen=True, slots=True)
class Health:
    """0 (worst) to 100, and the failed checks in the order of the table."""

    score: int
    failed: tuple[Failed, ...]


@dataclass(frozen=True, slots=True)
class Scale:
    """What failed checks cost where that isn't what is published; the checks of `off` are not made."""

    penalties: Mapping[str, int] = field(default_factory=dict)
    off: frozenset[str] = frozenset()

    def penalty(self, check: "Check") -> int:
        return self.penalties.get(check.key, check.penalty)

    @property
    def made(self) -> tuple[tuple["Check", int], ...]:
        """The checks that are made, each with what it costs, in the order of the table."""
        return tuple((check, self.penalty(check)) for check in CHECKS if check.key not in self.off)


PUBLISHED = Scale()


def health(deal: Deal, *, thresholds: Thresholds = DEFAULTS, scale: Scale = PUBLISHED) -> Health:
    """The health of an open deal: a close date that passed (30) and no next step (10) leave 60."""
    return judged(deal, thresholds=thresholds, made=scale.made)


def judged(deal: Deal, *, thresholds: Thresholds, made: tuple[tuple["Check", int], ...]) -> Health:
    """The same for many deals: `made` is Scale.made, read once."""
    failed = tuple(
        Failed(check.key, penalty, detail)
        for check, penalty in made
        if (detail := check.why(deal, thresholds)) is not None
    )
    return Health(score_of(check.penalty for check in failed), failed)


def score_of(penalties: Iterable[int]) -> int:
    """A hundred less the penalties, not below 0."""
    return max(0, 100 - sum(penalties))


@dataclass(frozen=True, slots=True)
class Band:
    """Deals from `least` points up to the next better band."""

    key: str
    label: str
    least: int


# The best first. Below 60 a score is drawn as bad everywhere.
BANDS = (
    Band("healthy", "Healthy", 80),
    Band("watch", "Watch", 60),
    Band("weak", "Weak", 40),
    Band("critical", "Critical", 0),
)


def band_of(score: int) -> Band:
    """The band of a score: 79 -> watch."""
    return next(band for band in BANDS if score >= band.least)


def most_of(band: Band) -> int:
    """The best score of a band: 79 for watch."""
    better = [other.least for other in BANDS if other.least > band.least]
    return min(better) - 1 if better else 100


def told(failed: Iterable[str]) -> str:
    """The sentences of failed checks as one why: those that cost most are expected first."""
    return " ".join(failed) or "Every check passes."


def _close_date_passed(deal: Deal, _: Thresholds) -> str | None:
    if deal.close_date is None or deal.close_date >= deal.today:
        return None
    return f"The close date passed on {fmt.day(deal.close_date, today=deal.today)}."


def _no_next_step(deal: Deal, _: Thresholds) -> str | None:
    return None if deal.next_step.strip() else "There is no next step."


def _next_step_overdue(deal: Deal, _: Thresholds) -> str | None:
    due = deal.next_step_on
    if not deal.next_step.strip() or due is None or due >= deal.today:
        return None
    return f"The next step was due on {fmt.day(due, today=deal.today)}."


def _silent(deal: Deal, thresholds: Thresholds) -> str | None:
    if deal.days_silent is None:
        return "No activity has ever been logged."
    if deal.days_silent < thresholds.silent_days:
        return None
    return f"No activity since {_ago(deal, deal.days_silent)}; {_limit(thresholds.silent_days, thresholds)}."


def _stalled(deal: Deal, thresholds: Thresholds) -> str | None:
    if deal.days_in_stage <= thresholds.stalled_days:
        return None
    where = deal.stage or "its stage"
    return (
        f"In {where} since {_ago(deal, deal.days_in_stage)}; {_limit(thresholds.stalled_days, thresholds)}."
    )


def _pushed(deal: Deal, thresholds: Thresholds) -> str | None:
    if deal.push_count < thresholds.pushes:
        return None
    return f"The close date was moved later {deal.push_count} times."


def _pushed_this_week(deal: Deal, _: Thresholds) -> str | None:
    if deal.last_push_on is None or not 0 <= (deal.today - deal.last_push_on).days < 7:
        return None
    pushed = fmt.day(deal.last_push_on, today=deal.today)
    return f"The close date was moved later this week, on {pushed}."


def _amount_fell(deal: Deal, thresholds: Thresholds) -> str | None:
    now, highest = deal.amount_minor, deal.highest_amount_minor
    if now is None or highest is None or highest <= 0:
        return None
    if (highest - now) * 100 < thresholds.fall_percent * highest:
        return None
    return f"The amount fell by {(highest - now) * 100 // highest} % from its highest."


def _single_threaded(deal: Deal, thresholds: Thresholds) -> str | None:
    if deal.contact_count >= thresholds.contacts:
        return None
    known = "Nobody" if deal.contact_count == 0 else f"Only {deal.contact_count}"
    return f"{known} on the buyer's side is known; at least {thresholds.contacts} should be."


def _no_decision_maker(deal: Deal, _: Thresholds) -> str | None:
    return None if deal.has_decision_maker else "No decision maker is named."


def _milestone_missing(deal: Deal, _: Thresholds) -> str | None:
    if deal.missing_milestones:
        return f"Required and not met in an earlier stage: {', '.join(deal.missing_milestones)}."
    if deal.late_milestones:
        return f"Late: {', '.join(deal.late_milestones)}."
    return None


def _moved_backward(deal: Deal, _: Thresholds) -> str | None:
    if not deal.moved_back_from:
        return None
    return f"It moved back from {deal.moved_back_from} to {deal.stage or 'no stage'}."


def _close_date_implausible(deal: Deal, thresholds: Thresholds) -> str | None:
    if deal.close_date is None:
        return "There is no close date."
    days_left = (deal.close_date - deal.today).days
    if days_left < 0:
        return None
    if thresholds.least_days_to_close <= days_left <= thresholds.most_days_to_close:
        return None
    closing = f"It is to close on {fmt.day(deal.close_date, today=deal.today)}"
    if days_left > thresholds.most_days_to_close:
        return f"{closing}, more than {_days(thresholds.most_days_to_close)} ahead."
    least = _days(thresholds.least_days_to_close)
    return f"{closing}; from {deal.stage or 'this stage'}, deals that are won take {least} or more."


def _no_amount(deal: Deal, _: Thresholds) -> str | None:
    return None if deal.amount_minor else "There is no amount."


def _commit_at_risk(deal: Deal, thresholds: Thresholds) -> str | None:
    if not deal.is_commit or deal.p_won is None or deal.p_won >= thresholds.commit_p_won:
        return None
    return (
        f"It is in commit, but past deals like it were won by their close date in {deal.p_won:.0%} of cases."
    )


def _days(count: int) -> str:
    return "1 day" if count == 1 else f"{count} days"


def _ago(deal: Deal, days: int) -> str:
    """The day so many days before. Sentences say days, not how long ago: they hold until something happens, so that
    a daily run writes only what changed.
    """
    return fmt.day(deal.today - timedelta(days=days), today=deal.today)


def _limit(days: int, thresholds: Thresholds) -> str:
    if thresholds.is_default:
        return f"the limit is {_days(days)}, a default"
    return f"4 of 5 won deals needed {_days(days)} at most"


@dataclass(frozen=True, slots=True)
class Check:
    """One row of the published table. `why` gives the sentence of a failed check, None where it passes."""

    key: str
    title: str
    penalty: int
    why: Callable[[Deal, Thresholds], str | None]


CHECKS: tuple[Check, ...] = (
    Check("close_date_passed", "Close date passed", 30, _close_date_passed),
    Check("no_next_step", "No next step", 10, _no_next_step),
    Check("next_step_overdue", "Next step overdue", 10, _next_step_overdue),
    Check("silent", "Silent", 15, _silent),
    Check("stalled", "Stalled in stage", 15, _stalled),
    Check("pushed_often", "Pushed twice or more", 10, _pushed),
    Check("pushed_this_week", "Pushed this week", 5, _pushed_this_week),
    Check("amount_fell", "Amount fell by 20 %", 10, _amount_fell),
    Check("single_threaded", "Single-threaded", 5, _single_threaded),
    Check("no_decision_maker", "No decision maker", 5, _no_decision_maker),
    Check("milestone_missing", "Required milestone missing or late", 10, _milestone_missing),
    Check("moved_backward", "Moved backward", 10, _moved_backward),
    Check("close_date_implausible", "Close date implausible for the stage", 10, _close_date_implausible),
    Check("no_amount", "No amount", 10, _no_amount),
    Check("commit_at_risk", "Commit at high risk", 15, _commit_at_risk),
)

TITLES = {check.key: check.title for check in CHECKS}
# The place of a check is its bit in what is kept: a check may be added at the end, never moved.
BITS = {check.key: 1 << place for place, check in enumerate(CHECKS)}


def bits_of(found: Health) -> int:
    """The failed checks as a number: silent (bit 3) and no next step (bit 1) are 10."""
    return sum(BITS[failed.check] for failed in found.failed)
