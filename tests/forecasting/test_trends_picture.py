"""What the trends' chart shows of periods in which there was nothing."""

from datetime import UTC, date, datetime
from types import SimpleNamespace
from typing import Any

from forecasting.trends.picture import chart_of
from forecasting.trends.report import PeriodTrend, Trends
from forecasting.trends.rules import Point, Sample, Sums
from otc.calendar.rules import parse_period


def trend(key: str, *sums: Sums) -> PeriodTrend:
    period = parse_period(key)
    at = datetime.combine(period.first, datetime.min.time(), UTC)
    points = [Point(Sample(period, week, at, at), found, None) for week, found in enumerate(sums)]
    return PeriodTrend(period, None, tuple(points))


def test_a_period_before_the_first_deal_draws_no_line() -> None:
    question: Any = SimpleNamespace(
        period=parse_period("2011-Q4"),
        currency="EUR",
        organization=SimpleNamespace(slug="loans", currency="EUR"),
        counted_scope="everyone",
        is_past=False,
        org_chart="then",
        as_of=datetime(2011, 10, 20, tzinfo=UTC),
        day=date(2011, 10, 20),
    )
    pasts = (trend("2011-Q3", Sums(pipeline_minor=500)), trend("2011-Q2", Sums()))
    found: Any = Trends(question, trend("2011-Q4", Sums(), Sums(pipeline_minor=900)), pasts, (), None, 0)  # type: ignore[arg-type]
    drawn = str(chart_of(found, "open", knowledge="then"))
    assert "Q3 11" in drawn
    assert "Q2 11" not in drawn
