"""The funnel as people read it: the finding in a sentence, a bar per stage, win rates by period."""

from collections.abc import Callable

from forecasting.funnel.report import Funnel, Pace
from forecasting.funnel.rules import Median
from otc.ui import format as fmt
from otc.ui.charts import bars, trend
from otc.ui.charts.bars import ReasonBar
from otc.ui.charts.svg import Chart
from otc.ui.charts.trend import RatePoint

# More don't fit on a phone; the table beside has all of them.
DRAWN = 5


def finding(funnel: Funnel) -> str:
    """The answer first: "Of 311 deals created in Q3 2026, 24 % are won as far as can be seen"."""
    cohort, label = funnel.cohort, funnel.question.period.label
    if not cohort.count:
        return f"No deal was created in {label}"
    if cohort.win_rate is None:
        return f"{fmt.plural(cohort.count, 'deal')} created in {label}, none of them closed yet"
    share = fmt.percent(cohort.win_rate)
    return f"Of {fmt.plural(cohort.count, 'deal')} created in {label}, {share} are won as far as can be seen"


def worst(funnel: Funnel) -> str:
    """Where most are lost: the stage of the lowest conversion, of those where enough ended to say so."""
    known = [stage for stage in funnel.stages if stage.advanced + stage.lost >= 10]
    if not known:
        return ""
    stage = min(known, key=lambda one: one.conversion or 0)
    return (
        f"Fewest go on from {stage.name}: {fmt.percent(stage.conversion)} of "
        f"{fmt.thousands(stage.advanced + stage.lost)}."
    )


def chart_of(funnel: Funnel, *, href: Callable[[str, str], str]) -> Chart:
    """A bar per stage, as long as deals entered it; `href` gives the address of a stage's number."""
    return bars.reasons(
        label="Deals that entered each stage",
        rows=[
            ReasonBar(
                label=stage.name,
                value=stage.entered,
                text=fmt.thousands(stage.entered),
                href=href(str(stage.stage_id), "entered") if stage.entered else "",
                note=f"{fmt.percent(stage.conversion)} go on" if stage.conversion is not None else "",
                is_subject=index == 0,
            )
            for index, stage in enumerate(funnel.stages)
        ],
        headings=("Stage", "Entered"),
    )


def rates_chart(pace: Pace) -> Chart:
    """Win rates of the periods, with their 95 % lines."""
    points = []
    for period, velocity in pace.over_time[-DRAWN:]:
        bounds = velocity.interval
        if velocity.win_rate is not None and bounds is not None:
            points.append(
                RatePoint(
                    label=period.label,
                    low=bounds[0],
                    point=float(velocity.win_rate),
                    high=bounds[1],
                    text=fmt.percent(velocity.win_rate),
                    note=f"{velocity.closed.won} of {velocity.closed.count}",
                    is_subject=period == pace.question.period,
                )
            )
    return trend.draw(label="Win rate by period", points=points)


def days_of(stay: Median) -> str:
    """12 d; over 30 d where fewer than half have left, but some; – without any."""
    if stay.days is not None:
        return fmt.age(stay.days)
    return "not half left" if stay.count else "–"


def bounds_of(stay: Median) -> str:
    """9 to 15 d, or from 9 d."""
    if stay.low is None:
        return ""
    return f"from {stay.low} d" if stay.high is None else f"{stay.low} to {stay.high} d"
