"""Trends as people read them: the finding in a sentence, the lines by week, their table, the ways to the deals."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from functools import partial
from urllib.parse import urlencode

from forecasting.trends.report import PeriodTrend, Trends
from forecasting.trends.rules import Point, Sums, mean_minor
from otc.calendar.rules import Period
from otc.question import Question
from otc.ui import format as fmt
from otc.ui.charts import pace
from otc.ui.charts.pace import PaceLine, PacePoint
from otc.ui.charts.svg import Chart, ChartTable

COVERAGE = "coverage"


@dataclass(frozen=True)
class Measure:
    """One thing that runs over the weeks. `column` is the forecast's column that its deals stand in."""

    label: str
    of: Callable[[Sums], int]
    column: str = ""
    count: Callable[[Sums], int] | None = None


MEASURES = {
    "open": Measure("Open", lambda sums: sums.open_minor, "open"),
    "commit": Measure("Commit", lambda sums: sums.commit_minor, "commit"),
    "most_likely": Measure("Most likely", lambda sums: sums.most_likely_minor, "most_likely"),
    "best_case": Measure("Best case", lambda sums: sums.best_case_minor, "best_case"),
    "pipeline": Measure("Pipeline", lambda sums: sums.pipeline_minor, "pipeline"),
    "no_category": Measure("No category", lambda sums: sums.no_category_minor, "no_category"),
    COVERAGE: Measure("Coverage", lambda sums: sums.open_minor, "open"),
    "won": Measure("Won", lambda sums: sums.won_minor, "closed"),
    "created": Measure("Created", lambda sums: sums.created_minor),
}


def value_of(measure: str, point: Point) -> int | Fraction | None:
    """The measure at a point: minor units, or the remaining coverage as a ratio (None where there is none)."""
    return point.coverage.remaining if measure == COVERAGE else MEASURES[measure].of(point.sums)


def text_of(measure: str, point: Point | None, *, currency: str) -> str:
    if point is None:
        return "–"
    if measure == COVERAGE:
        cover = point.coverage
        return (
            fmt.times(cover.remaining) if cover.remaining is not None else str(cover.state).replace("_", " ")
        )
    return fmt.money_full(MEASURES[measure].of(point.sums), currency=currency)


def deals_href(
    question: Question, measure: str, *, period: Period, at: datetime | None, knowledge: str
) -> str:
    """The deals behind a measure of a period; `at` is the instant, None the question's own."""
    asked = {"scope": question.counted_scope}
    if measure == "created":
        asked |= {"created_in": period.key, "state": "any"}
    else:
        asked |= {"period": period.key, "column": MEASURES[measure].column}
    if at is not None or question.is_past:
        asked["as_of"] = (at or question.as_of).isoformat()
        if knowledge == "now":
            asked["knowledge"] = "now"
    if question.org_chart == "now":
        asked["org_chart"] = "now"
    if question.currency != question.organization.currency:
        asked["currency"] = question.currency
    return f"/o/{question.organization.slug}/deals/?{urlencode(asked)}"


def point_href(trends: Trends, measure: str, point: Point, *, knowledge: str) -> str:
    at = None if point.is_present else point.sample.at
    return deals_href(trends.question, measure, period=point.sample.period, at=at, knowledge=knowledge)


def chart_of(trends: Trends, measure: str, *, knowledge: str, is_with_target: bool = True) -> Chart:
    """The period's line before those of the past, with quota (won) or what was needed (created) as the target."""
    weeks = trends.question.period.weeks
    href = partial(point_href, trends, measure, knowledge=knowledge)
    lines = [_line(trends.current, measure, trends=trends, kind="subject", href=href)]
    lines += [
        _line(past, measure, trends=trends, kind="past", href=href) for past in trends.pasts if _lived(past)
    ]
    if is_with_target:
        lines += _targets(trends, measure)
    unit, tick_text = _ticks(measure, lines, currency=trends.question.currency)
    return pace.draw(
        label=f"{MEASURES[measure].label} by week of the period",
        lines=lines,
        weeks=weeks,
        table=table_of(trends, measure),
        unit=unit,
        tick_text=tick_text,
    )


def _line(
    trend: PeriodTrend, measure: str, *, trends: Trends, kind: str, href: Callable[[Point], str]
) -> PaceLine:
    currency, period = trends.question.currency, trends.question.period
    points = [(point, value_of(measure, point)) for point in trend.points]
    return PaceLine(
        _short(trend.period),
        tuple(
            PacePoint(
                _place(trends, point, weeks=period.weeks),
                float(value),
                # Only the period's own points say what they are and open their deals; the table has the others.
                *(
                    (f"{_when(trends, point)}: {text_of(measure, point, currency=currency)}", href(point))
                    if kind == "subject"
                    else ("", "")
                ),
            )
            for point, value in points
            if value is not None
        ),
        kind,
    )


def _place(trends: Trends, point: Point, *, weeks: int) -> float:
    """The week, or how far the present one has come."""
    if not point.is_present:
        # A period of twelve weeks ends where one of thirteen does.
        return weeks if point.sample.week == point.sample.period.weeks else min(point.sample.week, weeks)
    period = point.sample.period
    elapsed = (trends.question.as_of - point.sample.start_at).total_seconds() / 86400
    return max(0.0, min(elapsed / period.days * period.weeks, weeks))


def _when(trends: Trends, point: Point) -> str:
    if not point.is_present:
        return f"week {point.sample.week}"
    return "that day" if trends.question.is_past else "now"


def _targets(trends: Trends, measure: str) -> list[PaceLine]:
    weeks, quota = trends.question.period.weeks, trends.current.quota_minor
    if measure == "won" and quota:
        ends = (PacePoint(0, quota, ""), PacePoint(weeks, quota, ""))
        return [PaceLine("Quota", ends, "target")]
    if measure == "created":
        needed = [(week, minor) for week, minor in enumerate(trends.needed) if minor is not None]
        points = tuple(PacePoint(week, minor, "") for week, minor in needed)
        return [PaceLine("Needed", points, "target")]
    return []


def _ticks(measure: str, lines: list[PaceLine], *, currency: str) -> tuple[float, str]:
    if measure == COVERAGE:
        return 1, "{:g} ×"
    high = max((point.value for line in lines for point in line.points), default=0)
    return fmt.money_axis(high, currency=currency)


def _short(period: Period) -> str:
    """Q4 2026 -> Q4 26, as a phone has no room for more."""
    head, _, year = period.label.rpartition(" ")
    return f"{head[:3]} {year[-2:]}" if head and year[-4:].isdecimal() else period.label


def table_of(trends: Trends, measure: str) -> ChartTable:
    """Weeks down, periods across."""
    periods = (trends.current, *trends.pasts)
    currency = trends.question.currency
    rows = [
        (
            "Start" if week == 0 else f"Week {week}",
            *(
                text_of(measure, trend.at_week(week) if _has(trend, week) else None, currency=currency)
                for trend in periods
            ),
        )
        for week in range(trends.question.period.weeks + 1)
    ]
    return ChartTable(("Week", *(trend.period.label for trend in periods)), tuple(rows))


def _has(trend: PeriodTrend, week: int) -> bool:
    """Whether the period had come to the end of that week."""
    return any(point.sample.week == week and not point.is_present for point in trend.points)


@dataclass(frozen=True)
class Beside:
    """A measure at the week at which periods are compared, and what the past ones had then, on the average."""

    label: str
    minor: int
    mean_minor: int | None

    @property
    def share(self) -> float | None:
        """+0.12: an eighth ahead; None beside nothing."""
        return self.minor / self.mean_minor - 1 if self.mean_minor else None


def beside(trends: Trends, measure: str) -> Beside | None:
    """None before the period began, or without a past to compare with."""
    point = trends.current.at_week(trends.week)
    if point is None:
        return None
    of = MEASURES[measure].of
    pasts = [past.at_week(trends.week) for past in trends.pasts if _lived(past)]
    mean = mean_minor(of(past.sums) for past in pasts if past is not None)
    return Beside(MEASURES[measure].label, of(point.sums), mean)


def _lived(past: PeriodTrend) -> bool:
    """A period in which there was anything at all: one before the first deal is nothing to compare with."""
    return any(any(point.sums.by_column.values()) for point in past.points)


def finding(trends: Trends) -> str:
    """The answer first: "Q4 2026 is ahead: 12 % more open at the end of week 7 than in the last four periods"."""
    period, compared = trends.question.period, beside(trends, "open")
    if compared is None or compared.mean_minor is None:
        return f"{period.label} has no earlier periods to compare with"
    if compared.share is None:
        if not compared.minor:
            return f"{period.label} had nothing open {when(trends)}, like the last periods"
        amount = fmt.money_short(compared.minor, currency=trends.question.currency)
        return f"{period.label} had {amount} open {when(trends)}; the last periods had nothing"
    share, more = abs(compared.share), "more" if compared.share > 0 else "less"
    if share < 0.02:
        return f"{period.label} had as much open {when(trends)} as the last periods"
    return f"{period.label} had {fmt.percent(share)} {more} open {when(trends)} than the last periods"


def when(trends: Trends) -> str:
    """Where periods are compared, in words."""
    if trends.week == 0:
        return "at the start"
    return "at the end" if trends.week == trends.question.period.weeks else f"after week {trends.week}"
