"""How a period's pipeline, wins and creation run beside the last four periods and quota: for page, API and CSV."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from forecasting.quotas.queries import quota_minor, quotas_by_period
from forecasting.trends.make_up import MakeUp, present_of
from forecasting.trends.queries import holding, kept_sums, summed_from_versions
from forecasting.trends.rules import (
    PAST_PERIODS,
    Point,
    Sample,
    Sums,
    created_needed,
    samples_of,
)
from forecasting.trends.scope import owners_over
from otc.calendar.rules import Period, PeriodError, previous
from otc.question import Question
from otc.tenancy.lines import Owners


@dataclass(frozen=True)
class PeriodTrend:
    """A period's points by week, oldest first; empty where it lies ahead."""

    period: Period
    quota_minor: int | None
    points: tuple[Point, ...]

    def at_week(self, week: int) -> Point | None:
        """The point at the end of a week; a shorter period stays at its last."""
        weekly = [point for point in self.points if not point.is_present]
        return next((point for point in reversed(weekly) if point.sample.week <= week), None)

    @property
    def last(self) -> Point | None:
        return self.points[-1] if self.points else None


@dataclass(frozen=True)
class Trends:
    """In minor units of the question's currency. `pasts` are the four periods before, the latest first.

    `needed` is the pipeline that past periods had created by the end of each week for wins of this quota, from week
    0. `from_sums` of all points were read from kept sums, the others from versions: the numbers are the same.
    """

    question: Question
    current: PeriodTrend
    pasts: tuple[PeriodTrend, ...]
    needed: tuple[int | None, ...]
    make_up: MakeUp
    from_sums: int

    @property
    def week(self) -> int:
        """The last week that ended, 0 before the first one did: where periods are compared."""
        weekly = [point.sample.week for point in self.current.points if not point.is_present]
        return weekly[-1] if weekly else 0


def trends_report(question: Question, *, knowledge: str = "then") -> Trends:
    """The period beside the four before it, by week, in the question's scope.

    Every week is told as it was known then; `knowledge` "now" tells all of them as they are known today. Kept sums
    answer the first in the organization's own currency; for all else versions are asked.
    """
    periods = [question.period, *_before(question.period)]
    sampled = {period.key: samples_of(period, zone=question.zone, until=question.as_of) for period in periods}
    samples = [sample for found in sampled.values() for sample in found]
    sums, from_sums = _sums_of(question, samples, knowledge=knowledge)
    quotas = _quotas(question, periods)
    trends = [
        PeriodTrend(
            period,
            quotas[period.key],
            tuple(Point(sample, sums[sample], quotas[period.key]) for sample in sampled[period.key]),
        )
        for period in periods
    ]
    present = present_of(question)
    current = _with_present(question, trends[0], present.sums)
    pasts = tuple(trends[1:])
    needed = created_needed(
        current.quota_minor, pasts=[past.points for past in pasts], weeks=question.period.weeks
    )
    return Trends(question, current, pasts, tuple(needed), present.make_up, from_sums)


def _before(period: Period) -> list[Period]:
    found: list[Period] = []
    while len(found) < PAST_PERIODS:
        try:
            period = previous(period)
        except PeriodError:
            break
        found.append(period)
    return found


def _sums_of(
    question: Question, samples: Sequence[Sample], *, knowledge: str
) -> tuple[dict[Sample, Sums], int]:
    """Every sample's sums in the scope, and how many of them were kept."""
    owners = owners_over(question, {sample.at for sample in samples})
    can_be_kept = knowledge == "then" and question.currency == question.organization.currency
    held = holding(samples) if can_be_kept else set()
    kept = kept_sums((sample, owners[sample.at]) for sample in samples if sample.key in held)
    asked = [sample for sample in samples if sample.key not in held]
    by_owner = summed_from_versions(
        asked, known=None if knowledge == "then" else question.now, corporate=question.currency
    )
    found = {
        sample: kept.get(sample.key, Sums())
        if sample.key in held
        else _in_scope(by_owner[sample.key], owners[sample.at])
        for sample in samples
    }
    return found, len(samples) - len(asked)


def _in_scope(by_owner: Mapping[UUID | None, Sums], owners: Owners) -> Sums:
    return sum((sums for owner, sums in by_owner.items() if owners.contains(owner)), Sums())


def _with_present(question: Question, trend: PeriodTrend, sums: Sums) -> PeriodTrend:
    """The period's row with the question's own instant behind it, while the period runs or is ahead."""
    if trend.points and trend.points[-1].sample.week == trend.period.weeks:
        return trend
    week = trend.period.week_of(question.day)
    sample = Sample(trend.period, week, question.as_of, start_at=_start(question, trend))
    present = Point(sample, sums, trend.quota_minor, is_present=True)
    return PeriodTrend(trend.period, trend.quota_minor, (*trend.points, present))


def _start(question: Question, trend: PeriodTrend) -> datetime:
    return question.start_of(trend.period.first)


def _quotas(question: Question, periods: Sequence[Period]) -> dict[str, int | None]:
    """The scope's target in each period, by the lines of the question. One query."""
    own, currency = question.organization.currency, question.currency
    found = quotas_by_period(periods, own=own, currency=currency, known=question.known, at=question.as_of)
    return {key: quota_minor(question, quotas) for key, quotas in found.items()}
