"""Where will the period end, for a scope and for everyone in it? One report for panel, page, API and CSV."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from forecasting.landing.past import Taught, finished, here_in, taught_by
from forecasting.landing.queries import Standing, standing
from forecasting.landing.rules import Landing, Lessons, Open, ended, landed, learned
from forecasting.quotas.queries import branch_quotas, quota_minor, quotas_of
from forecasting.rollup.report import rules_instant
from forecasting.rollup.scope import chart_for, tree_of
from forecasting.trends.rules import start_of
from forecasting.trends.stages import NO_STAGE
from forecasting.types.models import ForecastType
from forecasting.types.queries import type_condition
from otc.question import Question
from otc.tenancy.lines import EVERYONE, OWNED, UNASSIGNED, people_by_id


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
    `pasts` their keys, the latest first, `strays` how far each strayed from what the others said of it, the whole
    organization together. `branches` come to `landing.mean_minor` but for the roundings of each.
    """

    question: Question
    type: ForecastType | None
    since: datetime
    landing: Landing
    before: Landing
    week: int
    pasts: tuple[str, ...]
    strays: Mapping[str, float]
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
    taught: dict[tuple[Any, ...], Taught] = {}
    now = _moment(question, question.as_of, question.known, type_, taught)
    known_then = question.now if question.knowledge == "now" else since
    then = _moment(question, since, known_then, type_, taught)
    landing, before = now.landing_of(now.everyone), then.landing_of(then.everyone)
    quotas = quotas_of(
        question.period,
        own=question.organization.currency,
        currency=question.currency,
        known=question.known,
        at=question.as_of,
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
        strays=now.lessons.strays,
        quota_minor=quota_minor(question, quotas),
        stages=_stage_rows(landing),
        branches=tuple(_branches(question, now, then, quotas)),
        stage_weighted_minor=_stage_weighted(now),
        run_rate_minor=_run_rate(now, landing.won_minor),
    )


def _moment(
    question: Question,
    as_of: datetime,
    known: datetime,
    type_: ForecastType | None,
    taught: dict[tuple[Any, ...], Taught],
) -> _Moment:
    """The scope at an instant; what the past teaches is looked up once for instants of the same day."""
    period, organization = question.period, question.organization
    condition = type_condition(
        organization,
        type_id=type_.id if type_ else None,
        instant=rules_instant(period, as_of, organization),
    )
    owners = question.owners_at(as_of)
    frame: dict[str, Any] = {"corporate": question.currency, "condition": condition, "owners": owners}
    people = standing(period, as_of=as_of, known=known, **frame)
    here = here_in(period, as_of, zone=question.zone)
    if here is None:
        nothing = learned(())
        return _Moment(people, {}, nothing, nothing, period.weeks, is_over=True)
    periods = finished(question, as_of)
    place = (here, tuple(one.key for one in periods), condition.sql, repr(condition.parameters))
    if place not in taught:
        taught[place] = taught_by(question, periods, here=here, condition=condition)
    past = taught[place]
    mine = {owner: minor for owner, minor in past.wins.items() if owners.contains(owner)}
    return _Moment(people, mine, past.lessons, past.from_start, here.week, is_over=False)


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
    asked = branch_quotas(chart=chart, quotas=quotas)
    left = set(now.everyone) | set(then.everyone)
    if question.scope == UNASSIGNED:
        return
    tops = [person for person in tree.manager_of if tree.is_top(person)]
    heads = [UUID(question.scope)] if question.scope not in ("", EVERYONE, OWNED) else tops
    root = heads[0] if len(heads) == 1 and chart.reports.get(heads[0]) else None
    if root:
        heads = [*chart.reports[root], root]
    for head in heads:
        is_own = head == root
        branch = ({head} if is_own else chart.counted_branch(head)) & left
        if not branch:
            continue
        left -= branch
        yield _branch(
            now,
            then,
            branch,
            person_id=head,
            name=f"{people[head].name}, own deals" if is_own else people[head].name,
            quota_minor=None if is_own else asked.get(head),
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
