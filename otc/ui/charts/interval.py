"""A rate with its 95 % line: a dot where it is, a hollow dot where it was or is without the factor."""

from dataclasses import dataclass

from django.utils.safestring import SafeString

from otc.ui.charts import svg
from otc.ui.charts.scale import Scale

PAD = 0.015


@dataclass(frozen=True)
class Interval:
    """A rate of 0..1 and its bounds."""

    low: float
    point: float
    high: float


def _scale(axis: tuple[float, float]) -> Scale:
    return Scale(low=axis[0], high=axis[1], start=PAD, end=1 - PAD, clamp=True)


def draw(
    now: Interval,
    *,
    before: float | None = None,
    axis: tuple[float, float] = (0.0, 1.0),
    is_subject: bool = False,
) -> SafeString:
    """One line as wide as its place: grey track, interval, dot, and a hollow dot for before.

    The numbers stand beside it as text, so the drawing is decoration.
    """
    scale, tone = _scale(axis), "subject" if is_subject else "ink"
    marks = [
        svg.line("0", 8, "100%", 8, "grid"),
        svg.line(svg.pct(scale(now.low)), 8, svg.pct(scale(now.high)), 8, f"whisker whisker-{tone}"),
    ]
    if before is not None:
        marks.append(svg.node("circle", cx=svg.pct(scale(before)), cy=8, r=4, class_="dot-hollow"))
    marks.append(svg.node("circle", cx=svg.pct(scale(now.point)), cy=8, r=4, class_=f"dot-{tone}"))
    return _fluid(marks, height=16)


def pair(
    *,
    with_factor: Interval,
    without_factor: Interval,
    axis: tuple[float, float] = (0.0, 1.0),
    overall: float | None = None,
    is_claimed: bool = True,
) -> SafeString:
    """With a factor (filled, above) and without it (hollow, below), the overall rate as a thin line."""
    scale = _scale(axis)
    marks = []
    if overall is not None:
        x = svg.pct(scale(overall))
        marks.append(svg.line(x, 0, x, 28, "tick"))
    lower, upper = without_factor, with_factor
    marks += [
        svg.line(svg.pct(scale(lower.low)), 18, svg.pct(scale(lower.high)), 18, "whisker whisker-plain"),
        svg.node("circle", cx=svg.pct(scale(lower.point)), cy=18, r=4, class_="dot-hollow"),
        svg.line(svg.pct(scale(upper.low)), 9, svg.pct(scale(upper.high)), 9, "whisker whisker-subject"),
        svg.node("circle", cx=svg.pct(scale(upper.point)), cy=9, r=4, class_="dot-subject"),
    ]
    return _fluid(marks, height=28)


def axis_labels(values: list[float], *, axis: tuple[float, float] = (0.0, 1.0)) -> SafeString:
    """The head above a column of intervals: '20 %', '40 %', '60 %' where they fall."""
    scale = _scale(axis)
    marks = [
        svg.text(f"{value * 100:.0f} %", x=svg.pct(scale(value)), y=12, class_="axis-note t-middle")
        for value in values
    ]
    return _fluid(marks, height=16)


def _fluid(marks: list[SafeString], *, height: float) -> SafeString:
    return svg.node("svg", *marks, class_="interval", width="100%", height=height, aria_hidden="true")
