"""Is this period ahead of the ones before? Lines over the weeks: the present one in accent, earlier ones behind it."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.safestring import SafeString, mark_safe

from otc.ui.charts import svg
from otc.ui.charts.scale import Scale, spread, ticks
from otc.ui.charts.svg import Chart, ChartTable

TOP, BASE, HEIGHT = 14, 158, 184
LINE_HEIGHT = 14


@dataclass(frozen=True)
class PacePoint:
    """A value at `week`, which may lie between two; text is the value written out."""

    week: float
    value: float
    text: str
    href: str = ""


@dataclass(frozen=True)
class PaceLine:
    """One period's points in the order of their weeks. `kind`: subject, past, or target (dashed)."""

    label: str
    points: tuple[PacePoint, ...]
    kind: str = "past"


def draw(
    *,
    label: str,
    lines: Sequence[PaceLine],
    weeks: int,
    table: ChartTable,
    unit: float = 1,
    tick_text: str = "{:,.0f}",
) -> Chart:
    """Lines from week 0 to `weeks`, on an axis from 0. `tick_text` formats a tick divided by `unit`."""
    drawn = [line for line in lines if line.points]
    if not drawn:
        return Chart(svg=mark_safe(""), table=table)
    high = max(point.value for line in drawn for point in line.points)
    scale = Scale(low=0, high=high or 1, start=BASE, end=TOP, clamp=True)
    pictures = [
        _picture(drawn, label=label, scale=scale, weeks=weeks, unit=unit, tick_text=tick_text, sides=sides)
        for sides in ((0.055, 0.87), (0.13, 0.76))
    ]
    return Chart(svg=pictures[0], narrow_svg=pictures[1], table=table)


def _picture(
    lines: Sequence[PaceLine],
    *,
    label: str,
    scale: Scale,
    weeks: int,
    unit: float,
    tick_text: str,
    sides: tuple[float, float],
) -> SafeString:
    left, right = sides
    across = Scale(low=0, high=max(1, weeks), start=left, end=right)
    marks = [
        _grid(tick, scale=scale, sides=sides, text=tick_text.format(tick / unit))
        for tick in ticks(0, scale.high, count=3)
    ]
    # What matters most is drawn last, on top.
    order = {"past": 0, "target": 1, "subject": 2}
    behind = sorted(lines, key=lambda line: order[line.kind])
    marks += [_path(line, scale=scale, across=across) for line in behind]
    marks += [
        _dot(point, line=line, is_last=point is line.points[-1], scale=scale, across=across, weeks=weeks)
        for line in lines
        if line.kind == "subject"
        for point in line.points
    ]
    marks += _names(lines, scale=scale, x=right)
    marks += _weeks(weeks, across=across)
    return svg.picture(marks, height=HEIGHT, label=label, class_="pace")


def _grid(tick: float, *, scale: Scale, sides: tuple[float, float], text: str) -> SafeString:
    y = scale(tick)
    return svg.node(
        "g",
        svg.line(svg.pct(sides[0]), y, svg.pct(sides[1]), y, "grid"),
        svg.text(text, x=svg.pct(sides[0] - 0.008), y=y + 4, class_="axis-label t-end"),
    )


def _path(line: PaceLine, *, scale: Scale, across: Scale) -> SafeString:
    corners = " ".join(
        f"{svg.number(across(point.week) * 1000)},{svg.number(scale(point.value))}" for point in line.points
    )
    return svg.node(
        "svg",
        svg.node("polyline", points=corners, class_=f"{line.kind}-line"),
        width="100%",
        height=HEIGHT,
        viewBox=f"0 0 1000 {HEIGHT}",
        preserveAspectRatio="none",
    )


def _dot(
    point: PacePoint, *, line: PaceLine, is_last: bool, scale: Scale, across: Scale, weeks: int
) -> SafeString:
    slot = (across.end - across.start) / max(1, weeks)
    return svg.link(
        point.href,
        f"{line.label}, {point.text}",
        svg.rect(
            x=svg.pct(max(0.0, across(point.week) - slot / 2)),
            y=0,
            width=svg.pct(slot),
            height=BASE,
            class_="hit",
        ),
        svg.node(
            "circle",
            cx=svg.pct(across(point.week)),
            cy=scale(point.value),
            r=4.5 if is_last else 3,
            class_="dot-subject" if is_last else "dot-ghost",
        ),
    )


def _names(lines: Sequence[PaceLine], *, scale: Scale, x: float) -> list[SafeString]:
    """Each line's name beside its end, moved apart where they would touch."""
    places = spread(
        [scale(line.points[-1].value) for line in lines], gap=LINE_HEIGHT, low=TOP, high=BASE + LINE_HEIGHT
    )
    tones = {"subject": "value-subject", "past": "axis-note", "target": "axis-label"}
    return [
        svg.text(line.label, x=svg.pct(x), dx=8, y=y + 4, class_=f"{tones[line.kind]} t-start")
        for line, y in zip(lines, places, strict=True)
    ]


def _weeks(weeks: int, *, across: Scale) -> list[SafeString]:
    step = max(1, round(weeks / 4))
    shown = [*range(0, weeks - step // 2, step), weeks] if weeks > 1 else [0, weeks]
    return [
        svg.text(
            "Start" if week == 0 else f"Week {week}",
            x=svg.pct(across(week)),
            y=BASE + 20,
            class_=f"axis-label t-{'start' if week == 0 else 'end' if week == weeks else 'middle'}",
        )
        for week in shown
    ]
