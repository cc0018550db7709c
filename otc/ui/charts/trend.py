"""Is a rate getting better? One dot with its 95 % line per period, earlier periods hollow."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.safestring import SafeString, mark_safe

from otc.ui.charts import svg
from otc.ui.charts.scale import Scale, ticks
from otc.ui.charts.svg import Chart, ChartTable

TOP, BASE, HEIGHT = 16, 98, 142


@dataclass(frozen=True)
class RatePoint:
    """A period's rate of 0..1 with its bounds; text is what stands beside the dot, note the n below."""

    label: str
    low: float
    point: float
    high: float
    text: str
    note: str = ""
    href: str = ""
    is_subject: bool = True


def draw(*, label: str, points: Sequence[RatePoint], heading: str = "Period") -> Chart:
    """Rates by period, left to right."""
    table = ChartTable(
        headings=(heading, "Rate", "95 % interval", "Count"),
        rows=tuple(
            (point.label, point.text, f"{point.low * 100:.0f} to {point.high * 100:.0f} %", point.note)
            for point in points
        ),
        hrefs=tuple(point.href for point in points),
    )
    if not points:
        return Chart(svg=mark_safe(""), table=table)
    low = max(0.0, min(point.low for point in points) - 0.02)
    high = min(1.0, max(point.high for point in points) + 0.02)
    scale = Scale(low=low, high=high, start=BASE, end=TOP)
    return Chart(
        svg=_picture(points, label=label, scale=scale, left=0.07, is_narrow=False),
        narrow_svg=_picture(points, label=label, scale=scale, left=0.13, is_narrow=True),
        table=table,
    )


def _picture(
    points: Sequence[RatePoint], *, label: str, scale: Scale, left: float, is_narrow: bool
) -> SafeString:
    slot = (1 - left) / len(points)
    marks = [_grid(tick, scale=scale, left=left) for tick in ticks(scale.low, scale.high, count=3)]
    marks += [
        _point(point, x=left + (index + 0.4) * slot, slot=slot, scale=scale, is_narrow=is_narrow)
        for index, point in enumerate(points)
    ]
    return svg.picture(marks, height=HEIGHT, label=label, class_="trend")


def _grid(tick: float, *, scale: Scale, left: float) -> SafeString:
    y = scale(tick)
    return svg.node(
        "g",
        svg.line(svg.pct(left - 0.01), y, "100%", y, "grid"),
        svg.text(f"{tick * 100:.0f} %", x=0, y=y + 4, class_="axis-label t-start"),
    )


def _point(point: RatePoint, *, x: float, slot: float, scale: Scale, is_narrow: bool) -> SafeString:
    tone = "subject" if point.is_subject else "plain"
    middle, y = svg.pct(x), scale(point.point)
    # Beside the dot there is no room on a phone; above the interval there is.
    if is_narrow:
        value = svg.text(point.text, x=middle, y=scale(point.high) - 4, class_="value t-middle")
    else:
        value = svg.text(point.text, x=middle, y=y + 4, dx=9, class_="value t-start")
    return svg.link(
        point.href,
        ", ".join(part for part in (point.label, point.text, point.note) if part),
        svg.rect(x=svg.pct(x - 0.4 * slot), y=0, width=svg.pct(slot), height=HEIGHT, class_="hit"),
        svg.line(middle, scale(point.high), middle, scale(point.low), f"whisker whisker-{tone}"),
        svg.node("circle", cx=middle, cy=y, r=4, class_="dot-subject" if point.is_subject else "dot-hollow"),
        value,
        svg.text(
            _short(point.label) if is_narrow else point.label,
            x=middle,
            y=BASE + 26,
            class_="axis-label t-middle",
        ),
        svg.text(point.note, x=middle, y=BASE + 40, class_="axis-note t-middle"),
    )


def _short(label: str) -> str:
    """A year in two digits, as a phone has no room for four: Q1 2026 -> Q1 26."""
    return re.sub(r"\b(?:19|20)(\d\d)\b", r"\1", label)
