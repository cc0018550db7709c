"""How one number moved over time: a single accent line with dots that open, and named moments."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.safestring import SafeString, mark_safe

from otc.ui.charts import svg
from otc.ui.charts.scale import Scale, ticks
from otc.ui.charts.svg import Chart, ChartTable

TOP, BASE, HEIGHT = 20, 92, 116
RIGHT = 0.88


@dataclass(frozen=True)
class LinePoint:
    """A value at a moment; text is the value written out."""

    label: str
    value: float
    text: str
    href: str = ""


@dataclass(frozen=True)
class Moment:
    """Something that happened at the index-th point: a vertical line with its name."""

    index: int
    text: str


def draw(
    *,
    label: str,
    points: Sequence[LinePoint],
    moments: Sequence[Moment] = (),
    low: float | None = None,
    high: float | None = None,
    unit: float = 1,
    tick_text: str = "{:,.0f}",
) -> Chart:
    """Equally spaced points; tick_text formats a tick divided by `unit` ('{:.0%}' for shares)."""
    table = ChartTable(
        headings=("When", "Value"),
        rows=tuple((point.label, point.text) for point in points),
        hrefs=tuple(point.href for point in points),
    )
    if not points:
        return Chart(svg=mark_safe(""), table=table)
    values = [point.value for point in points]
    floor = min(values) if low is None else low
    ceiling = max(values) if high is None else high
    scale = Scale(low=floor, high=ceiling if ceiling > floor else floor + 1, start=BASE, end=TOP, clamp=True)
    across = Scale(low=0, high=max(1, len(points) - 1), start=0.01, end=RIGHT)
    marks = [
        _grid(tick, scale=scale, text=tick_text.format(tick / unit))
        for tick in ticks(floor, ceiling, count=3)
    ]
    marks += [_moment(moment, across=across) for moment in moments]
    marks.append(_path(points, scale=scale, across=across))
    marks += [
        _dot(point, index=index, count=len(points), scale=scale, across=across)
        for index, point in enumerate(points)
    ]
    marks += _labels(points, across=across)
    return Chart(svg=svg.picture(marks, height=HEIGHT, label=label, class_="line-chart"), table=table)


def _grid(tick: float, *, scale: Scale, text: str) -> SafeString:
    y = scale(tick)
    return svg.node(
        "g",
        svg.line("0", y, svg.pct(RIGHT), y, "grid"),
        svg.text(text.replace("%", " %"), x="100%", y=y + 4, class_="axis-label t-end"),
    )


def _moment(moment: Moment, *, across: Scale) -> SafeString:
    x = svg.pct(across(moment.index))
    return svg.node(
        "g",
        svg.line(x, TOP - 8, x, BASE, "moment"),
        svg.text(moment.text, x=x, y=TOP - 6, dx=-5, class_="axis-label t-end"),
    )


def _path(points: Sequence[LinePoint], *, scale: Scale, across: Scale) -> SafeString:
    # Stretched to the width; the stroke keeps its thickness by vector-effect in the style sheet.
    corners = " ".join(
        f"{svg.number(across(index) * 1000)},{svg.number(scale(point.value))}"
        for index, point in enumerate(points)
    )
    return svg.node(
        "svg",
        svg.node("polyline", points=corners, class_="subject-line"),
        width="100%",
        height=HEIGHT,
        viewBox=f"0 0 1000 {HEIGHT}",
        preserveAspectRatio="none",
    )


def _dot(point: LinePoint, *, index: int, count: int, scale: Scale, across: Scale) -> SafeString:
    is_last = index == count - 1
    middle = svg.pct(across(index))
    slot = (RIGHT - 0.01) / max(1, count - 1)
    return svg.link(
        point.href,
        f"{point.label}, {point.text}",
        svg.rect(
            x=svg.pct(max(0.0, across(index) - slot / 2)),
            y=0,
            width=svg.pct(slot),
            height=HEIGHT,
            class_="hit",
        ),
        svg.node(
            "circle",
            cx=middle,
            cy=scale(point.value),
            r=4.5 if is_last else 3,
            class_="dot-subject" if is_last else "dot-ghost",
        ),
    )


def _labels(points: Sequence[LinePoint], *, across: Scale) -> list[SafeString]:
    last = len(points) - 1
    shown = sorted({0, round(last / 3), round(last * 2 / 3), last}) if last >= 6 else range(len(points))
    return [
        svg.text(
            points[index].label,
            x=svg.pct(across(index)),
            y=BASE + 18,
            class_=f"axis-label t-{'start' if index == 0 else 'middle'}",
        )
        for index in shown
    ]
