"""What do finished periods teach, seen from the same point of each? From kept sums where they hold, else versions."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from forecasting.landing.queries import kept_by_owner, kept_totals
from forecasting.landing.rules import Lessons, Past, between, learned, shares_of
from forecasting.rollup.queries import own_amounts
from forecasting.trends.queries import holding, summed_from_versions
from forecasting.trends.rules import Sample, samples_of, start_of
from forecasting.trends.stages import Spot, became_of, kept_of
from forecasting.types.queries import EVERY_DEAL, TypeCondition
from otc.calendar.rules import Period, PeriodError, previous
from otc.money.queries import shown_minor
from otc.question import Question
from otc.tenancy.lines import ALL_OWNERS

# How many finished periods teach.
PASTS = 8
type Wins = dict[UUID | None, int]


@dataclass(frozen=True, slots=True)
class Here:
    """A point of a period: the last week that ended, which share of the next one's days is over, and whether that one
    is the last.
    """

    week: int
    share: Fraction
    is_last: bool


@dataclass(frozen=True, slots=True)
class _Spots:
    """A past period at the same point, a week later, where it began and where it ended."""

    now: Spot
    after: Spot
    start: Spot
    end: Sample

    @property
    def all(self) -> tuple[Spot, ...]:
        return self.now, self.after, self.start


@dataclass(frozen=True)
class Taught:
    """What the past teaches from a point on and from the first day on, and what each person won in a past period."""

    lessons: Lessons
    from_start: Lessons
    wins: Wins


def finished(question: Question, as_of: datetime) -> list[Period]:
    """The periods before, of the same kind, that were over at the instant; the latest first."""
    found: list[Period] = []
    period = question.period
    for _ in range(PASTS * 2):
        try:
            period = previous(period)
        except PeriodError:
            break
        if start_of(period.end, zone=question.zone) <= as_of:
            found.append(period)
        if len(found) == PASTS:
            break
    return found


def here_in(period: Period, as_of: datetime, *, zone: ZoneInfo) -> Here | None:
    """Where in the period an instant lies; before it begins at its start, and None once it is over."""
    end = start_of(period.end, zone=zone)
    if as_of >= end:
        return None
    weeks = samples_of(period, zone=zone, until=end)
    week = max((sample.week for sample in weeks if sample.at <= as_of), default=0)
    begins, ends = (weeks[place].at.astimezone(zone).date() for place in (week, week + 1))
    days = (as_of.astimezone(zone).date() - begins).days
    share = max(Fraction(0), Fraction(days, (ends - begins).days))
    return Here(week, share, is_last=week + 1 == len(weeks) - 1)


def taught_by(
    question: Question, periods: Sequence[Period], *, here: Here, condition: TypeCondition
) -> Taught:
    """What the periods teach at a point and on their first day, and what each person won in one on average. A period
    in which nothing was ever open or won teaches nothing.
    """
    looks = {period.key: _spots(period, here=here, question=question) for period in periods}
    ends = {key: spots.end for key, spots in looks.items()}
    corporate = question.organization.currency
    looked = _looked([spot for spots in looks.values() for spot in spots.all], corporate=corporate)
    samples = [spot.sample for spots in looks.values() for spot in (spots.now, spots.after)]
    wins = _wins(question, samples, list(ends.values()), condition)

    def past(key: str, spot: Spot) -> Past:
        return Past(key, looked[spot], wins.totals.get(spot.sample.key, 0), wins.totals[ends[key].key])

    every = [past(key, spots.now) for key, spots in looks.items()]
    telling = [one for one in every if one.stages or one.won_minor]
    after = None if here.is_last else shares_of([past(one.key, looks[one.key].after) for one in telling])
    mean = {owner: round(minor / len(telling)) for owner, minor in wins.by_owner.items()} if telling else {}
    return Taught(
        between(learned(telling), after, share=here.share),
        shares_of([past(one.key, looks[one.key].start) for one in telling]),
        _in_currency(question, mean),
    )


def _spots(period: Period, *, here: Here, question: Question) -> _Spots:
    """The same point of a past period, which may have been shorter: then the end of its last week but one."""
    every = samples_of(period, zone=question.zone, until=question.as_of)
    week = min(here.week, len(every) - 2)
    now, after, start = (Spot(every[place], every[-1].at) for place in (week, week + 1, 0))
    return _Spots(now, after, start, end=every[-1])


def _in_currency(question: Question, amounts: Wins) -> Wins:
    return shown_minor(
        amounts,
        own=question.organization.currency,
        currency=question.currency,
        day=question.period.last,
        known=question.known,
    )


def _looked(spots: Sequence[Spot], *, corporate: str) -> dict[Spot, dict[str, Any]]:
    """What became of each spot's open deals: kept where it holds, else read from versions."""
    every = list(dict.fromkeys(spots))
    found = kept_of(every)
    return found | became_of([spot for spot in every if spot not in found], corporate=corporate)


@dataclass(frozen=True)
class _Wins:
    """What was won by each sample, and by each person in the last samples together."""

    totals: Mapping[tuple[Any, ...], int]
    by_owner: Mapping[UUID | None, int]


def _wins(
    question: Question, by_then: Sequence[Sample], last: Sequence[Sample], condition: TypeCondition
) -> _Wins:
    """Of all deals from the weekly sums, where those hold; else, and of a type's deals, from versions."""
    every = {sample.key: sample for sample in (*by_then, *last)}
    held = holding(list(every.values())) if condition is EVERY_DEAL else set()
    totals = kept_totals([sample for key, sample in every.items() if key in held])
    by_owner = Counter(kept_by_owner([sample for sample in last if sample.key in held]))
    ends = {sample.key for sample in last}
    for key, found in _read(
        question, [one for one in every.values() if one.key not in held], condition
    ).items():
        totals[key] = sum(found.values())
        if key in ends:
            by_owner.update(found)
    return _Wins(totals, by_owner)


def _read(
    question: Question, samples: Sequence[Sample], condition: TypeCondition
) -> dict[tuple[Any, ...], Wins]:
    corporate = question.organization.currency
    if condition is EVERY_DEAL:
        read = summed_from_versions(samples, known=None, corporate=corporate)
        return {key: {owner: sums.won_minor for owner, sums in found.items()} for key, found in read.items()}
    frame: dict[str, Any] = {"owners": ALL_OWNERS, "corporate": corporate, "condition": condition}
    return {
        sample.key: {
            row.owner_id: row.amount_minor
            for row in own_amounts(sample.period, as_of=sample.at, known=sample.at, **frame)
            if row.category == "closed"
        }
        for sample in samples
    }
