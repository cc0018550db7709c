"""What will really become of a deal: the share of its simulated futures in which it is won, lost or still open.

Futures are drawn from the rates of hazards.py, from all that the simulation knows of the deal on a morning; nothing
of it stands where the product reads. The standard error of a share p from n futures is sqrt(p (1 - p) / n).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from random import Random

from otc.calendar.rules import Kind, month_years, period_of
from otc.demo.company import DemoCompany
from otc.demo.course import Standing, run
from otc.demo.draw import stream
from otc.demo.simulation import Lived, lives

TRUTH_SALT = 7_000_003


@dataclass(frozen=True, slots=True)
class Chances:
    """Shares of `futures` that end up so by the end of a day; they sum to 1."""

    p_won: float
    p_lost: float
    p_open: float


@dataclass(frozen=True, slots=True)
class Truth:
    """The truth about one open deal on a morning. `by_close_date` is None once that date has passed."""

    external_id: str
    stage: int
    close_date: date
    by_close_date: Chances | None
    by_period_end: Chances


def truths(company: DemoCompany, *, at: date, futures: int) -> Iterator[Truth]:
    """The truth about every deal that is open on the morning of `at`, in the order of their ids.

    `p_lost` holds lost and no decision; a deal that comes back until then counts as open. Raises ValueError for a
    day that the simulation doesn't reach.
    """
    days = company.workdays
    morning = (at - days.first).days
    if not 0 < morning <= days.today:
        raise ValueError(f"The simulation runs from {days.first} to {days.dates[days.today]}")
    quarter = period_of(at, kind=Kind.QUARTER, calendar=month_years(company.plan.fiscal_month))
    period_end = (quarter.end - days.first).days
    for lived in lives(company, keeps_standings=True):
        standing = standing_on(lived, morning)
        if standing is None or standing.outcome is not None:
            continue
        rng = Random(stream(company.seed, salt=TRUTH_SALT + lived.number))
        closes = standing.close_day + 1
        by_close, by_period = tallied(
            rng, company, lived, standing, horizons=(closes, period_end), futures=futures
        )
        yield Truth(
            external_id=f"D-{lived.number + 1:06}",
            stage=standing.stage,
            close_date=days.dates[standing.close_day],
            by_close_date=by_close if standing.close_day >= morning else None,
            by_period_end=by_period,
        )


def standing_on(lived: Lived, morning: int) -> Standing | None:
    """How the deal stood at the start of day `morning`; None before it was found."""
    if lived.prospect.created >= morning:
        return None
    taken = lived.log.standings or []
    last = next((found for found in reversed(taken) if found.day <= morning), None)
    if last is None:
        return None
    return replace(last, day=max(morning, last.day))


def tallied(
    rng: Random,
    company: DemoCompany,
    lived: Lived,
    standing: Standing,
    *,
    horizons: tuple[int, ...],
    futures: int,
) -> list[Chances]:
    """Let the deal live on `futures` times; how it stands before each of the days `horizons`."""
    in_order = sorted(range(len(horizons)), key=lambda place: horizons[place])
    counts = [[0, 0, 0] for _ in horizons]
    for _ in range(futures):
        future = replace(standing)
        for place in in_order:
            run(
                rng,
                lived.prospect,
                future,
                own=lived.own,
                until=horizons[place],
                days=company.workdays,
                log=None,
            )
            ended = future.outcome
            counts[place][2 if ended is None else 0 if ended == "won" else 1] += 1
    return [Chances(*(count / futures for count in row)) for row in counts]
