"""Where will the period end, for a scope and for everyone in it? One report for panel, page, API and CSV."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any
from uuid import UUID

from forecasting.landing.queries import Standing, kept_wins, standing
from forecasting.landing.rules import Landing, Lessons, Open, Past, between, ended, landed, learned
from forecasting.quotas.queries import branch_quota, quota_minor, quotas_of
from forecasting.rollup.queries import own_amounts
from forecasting.rollup.report import rules_instant
from forecasting.rollup.scope import chart_for, tree_of
from forecasting.trends.queries import holding, summed_from_versions
from forecasting.trends.rules import Sample, samples_of, start_of
from forecasting.trends.stages import NO_STAGE, Spot, became_of, kept_of
from forecasting.types.models import ForecastType
from forecasting.types.queries import TypeCondition, type_condition
from otc.calendar.rules import Period, PeriodError, previous
from otc.money.queries import shown_minor
from otc.question import Question
from otc.tenancy.lines import ALL_OWNERS, EVERYONE, OWNED, UNASSIGNED, people_by_id

# How many finished periods teach.
PASTS = 8
type Wins = dict[UUID | None, int]


@dataclass(frozen=True)
class BranchRow:
    """Somebody's branch: where it lands, how that changed since the compared instant, and its quota."""

    person_id: UUID | None
    name: str
    mean_minor: int
    change_minor: int
    quota_minor: int | None


@dataclass(frozen=True)
class StageRow:
    """What a stage's open deals are expected to win, and what that rests on: `won` of `seen` past deals."""

    stage_id: UUID | None
    count: int
    minor: int
    seen: int
    won: int
    share: float
    expected_minor: int


@dataclass(frozen=True)
class LandingReport:
    """In minor units of the question's currency. `week` is the last that ended: where past periods are looked at;
    `pasts` their keys, the latest first. `branches` come to `landing.mean_minor` but for the roundings of each.
    """

    question: Question
    type: ForecastType | None
    since: datetime
    landing: Landing
    before: Landing
    week: int
    pasts: tuple[str, ...]
    quota_minor: int | None
    stages: tuple[StageRow, ...]
    branches: tuple[BranchRow, ...]
    stage_weighted_minor: int
    run_rate_minor: int | None

    @property
    def change_minor(self) -> int:
        return self.landing.mean_minor - self.before.mean_minor

    @property
    def chance(self) -> float | None:
        """How likely the quota is reached, 0 to 1; None without one."""
        return self.landing.chance_of(self.quota_minor) if self.quota_minor else None

    @property
    def is_over(self) -> bool:
        return self.question.as_of >= start_of(self.question.period.end, zone=self.question.zone)


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
class _Moment:
    """The scope at an instant: what each person has, what they used to win, and what the past teaches there."""

    people: Mapping[UUID | None, Standing]
    wins: Mapping[UUID | None, int]
    lessons: Lessons
    from_start: Lessons
    week: int
    is_over: bool

    def landing_of(self, owners: Iterable[UUID | None]) -> Landing:
        won, wins, held = 0, 0, dict[str, Open]()
        for owner in owners:
            wins += self.wins.get(owner, 0)
            if owner in self.people:
                won += self.people[owner].won_minor
                for stage, more in self.people[owner].open.items():
                    held[stage] = held.get(stage, Open()) + more
        if self.is_over:
            return ended(won)
        return landed(won, held, past_wins_minor=wins, lessons=self.lessons)

    @property
    def everyone(self) -> list[UUID | None]:
        return list({*self.people, *self.wins})


def landing_report(
    question: Question, *, since: datetime, type_: ForecastType | None = None
) -> LandingReport:
    """The landing as of the question beside that of `since`. Every past period is told as it was known at its own ends,
    all before the instant that is asked for: no later knowledge leaks in.
    """
    now = _moment(question, question.as_of, question.known, type_)
    known_then = question.now if question.knowledge == "now" else since
    then = _moment(question, since, known_then, type_)
    landing, before = now.landing_of(now.everyone), then.landing_of(then.everyone)
    quotas = quotas_of(
        question.period,
        own=question.organization.currency,
        currency=question.currency,
        known=question.known,
        type_id=type_.id if type_ else None,
    )
    return LandingReport(
        question=question,
        type=type_,
        since=since,
        landing=landing,
        before=before,
        week=now.week,
        pasts=tuple(past.key for past in now.lessons.pasts),
        quota_minor=quota_minor(question, quotas),
        stages=_stage_rows(landing),
        branches=tuple(_branches(question, now, then, quotas)),
        stage_weighted_minor=_stage_weighted(now),
        run_rate_minor=_run_rate(now, landing.won_minor),
    )


def _moment(question: Question, as_of: datetime, known: datetime, type_: ForecastType | None) -> _Moment:
    period, organization = question.period, question.organization
    condition = type_condition(
        organization,
        type_id=type_.id if type_ else None,
        instant=rules_instant(period, as_of, organization),
    )
    owners = question.owners_at(as_of)
    frame: dict[str, Any] = {"corporate": question.currency, "condition": condition, "owners": owners}
    people = standing(period, as_of=as_of, known=known, **frame)
    end = start_of(period.end, zone=question.zone)
    weeks = samples_of(period, zone=question.zone, until=end)
    week = max((sample.week for sample in weeks if sample.at <= as_of), default=0)
    if as_of >= end:
        nothing = learned(())
        return _Moment(people, {}, nothing, nothing, week, is_over=True)
    periods = _finished(question, as_of)
    begins, ends = (weeks[place].at.astimezone(question.zone).date() for place in (week, week + 1))
    days = (as_of.astimezone(question.zone).date() - begins).days
    share = max(Fraction(0), Fraction(days, (ends - begins).days))
    lessons, starts, wins = _taught(
        question,
        periods,
        here=Here(week, share, is_last=week + 1 == len(weeks) - 1),
        condition=condition,
        is_typed=type_ is not None,
    )
    mine = {owner: minor for owner, minor in wins.items() if owners.contains(owner)}
    return _Moment(people, mine, lessons, starts, week, is_over=False)


def _finished(question: Question, as_of: datetime) -> list[Period]:
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


def _taught(
    question: Question, periods: Sequence[Period], *, here: Here, condition: TypeCondition, is_typed: bool
) -> tuple[Lessons, Lessons, Wins]:
    """What the periods teach at a point and on their first day, and what each person won in one on average. A period
    in which nothing was ever open or won teaches nothing.
    """
    corporate = question.organization.currency
    looks = {period.key: _spots(period, here=here, question=question) for period in periods}
    own = {key: spots.end for key, spots in looks.items()}
    looked = _looked([spot for spots in looks.values() for spot in spots.all], corporate=corporate)
    samples = [spot.sample for spots in looks.values() for spot in (spots.now, spots.after)]
    won = _won(question, [*samples, *own.values()], condition=condition, is_typed=is_typed)

    def past(key: str, spot: Spot) -> Past:
        at = won.get(spot.sample.key, {})
        return Past(key, looked.get(spot, {}), sum(at.values()), sum(won[own[key].key].values()))

    pasts = [past(key, spots.now) for key, spots in looks.items()]
    telling = [one for one in pasts if one.stages or one.won_minor]
    starts = [Past(one.key, looked.get(looks[one.key].start, {}), 0, one.won_minor) for one in telling]
    after = None if here.is_last else learned([past(one.key, looks[one.key].after) for one in telling])
    totals: Wins = {}
    for one in telling:
        for owner, minor in won[own[one.key].key].items():
            totals[owner] = totals.get(owner, 0) + minor
    mean = {owner: round(minor / len(telling)) for owner, minor in totals.items()}
    lessons = between(learned(telling), after, share=here.share)
    return lessons, learned(starts), _in_currency(question, mean)


def _spots(period: Period, *, here: Here, question: Question) -> _Spots:
    """The same point of a past period, which may have been shorter: then the end of its last week but one."""
    every = samples_of(period, zone=question.zone, until=question.as_of)
    last = len(every) - 1
    week = min(here.week, last - 1)
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


def _won(
    question: Question, samples: Sequence[Sample], *, condition: TypeCondition, is_typed: bool
) -> dict[tuple[Any, ...], Wins]:
    """By sample what each person had won: of all deals from the weekly sums, of a type's from versions."""
    every = {sample.key: sample for sample in samples}
    corporate = question.organization.currency
    if is_typed:
        return {
            key: {
                row.owner_id: row.amount_minor
                for row in own_amounts(
                    sample.period,
                    as_of=sample.at,
                    known=sample.at,
                    owners=ALL_OWNERS,
                    corporate=corporate,
                    condition=condition,
                )
                if row.category == "closed"
            }
            for key, sample in every.items()
        }
    held = holding(list(every.values()))
    kept = kept_wins([sample for key, sample in every.items() if key in held])
    read = summed_from_versions(
        [sample for key, sample in every.items() if key not in held], known=None, corporate=corporate
    )
    return kept | {
        key: {owner: sums.won_minor for owner, sums in found.items() if sums.won_minor}
        for key, found in read.items()
    }


def _stage_rows(landing: Landing) -> tuple[StageRow, ...]:
    return tuple(
        StageRow(
            UUID(one.stage) if one.stage != NO_STAGE else None,
            one.open.count,
            one.open.minor,
            one.rate.seen,
            one.rate.won,
            float(one.rate.share),
            one.expected_minor,
        )
        for one in landing.stages
    )


def _branches(
    question: Question, now: _Moment, then: _Moment, quotas: Mapping[UUID, int]
) -> Iterable[BranchRow]:
    """The direct reports of whom the scope is (of everyone: of the tops), the own deals, and what nobody holds."""
    chart = chart_for(question.as_of, org_chart=question.org_chart, now=question.now)
    tree, people = tree_of(question.owners, chart=chart), people_by_id()
    left = set(now.everyone) | set(then.everyone)
    if question.scope == UNASSIGNED:
        return
    tops = [person for person in tree.manager_of if tree.is_top(person)]
    heads = [UUID(question.scope)] if question.scope not in ("", EVERYONE, OWNED) else tops
    if len(heads) == 1:
        heads = [*chart.reports.get(heads[0], ()), heads[0]]
    for head in heads:
        is_own = head in tops or str(head) == question.scope
        branch = ({head} if is_own and len(heads) > 1 else chart.counted_branch(head)) & left
        if not branch:
            continue
        left -= branch
        yield _branch(
            now,
            then,
            branch,
            person_id=head,
            name=f"{people[head].name}, own deals" if is_own and len(heads) > 1 else people[head].name,
            quota_minor=None if is_own else branch_quota(head, chart=chart, quotas=quotas),
        )
    if left:
        row = _branch(now, then, left, person_id=None, name="Unassigned", quota_minor=None)
        if row.mean_minor or row.change_minor:
            yield row


def _branch(now: _Moment, then: _Moment, owners: Iterable[UUID | None], **row: Any) -> BranchRow:
    branch = list(owners)
    mean = now.landing_of(branch).mean_minor
    return BranchRow(mean_minor=mean, change_minor=mean - then.landing_of(branch).mean_minor, **row)


def _stage_weighted(now: _Moment) -> int:
    """Won so far, and each open deal at the share of its stage's deals that past periods had won in the end, counted
    from their first day.
    """
    landing = now.landing_of(now.everyone)
    return landing.won_minor + sum(
        round(now.from_start.rate_of(one.stage).share * one.open.minor) for one in landing.stages
    )


def _run_rate(now: _Moment, won_minor: int) -> int | None:
    """Won so far at the pace of the last period: as much more as it still won from the same point on; None where it had
    won nothing by then.
    """
    last = now.lessons.pasts[0] if now.lessons.pasts else None
    if last is None or last.won_by_then_minor <= 0:
        return None
    return round(won_minor * last.won_minor / last.won_by_then_minor)
