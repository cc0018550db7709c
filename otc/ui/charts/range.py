"""Where the period will end: P10 to P90 as a band, P50 as the dot, quota or calls as marks on one line."""

from collections.abc import Sequence
from dataclasses import dataclass

from otc.ui.charts import svg
from otc.ui.charts.scale import Scale, spread
from otc.ui.charts.svg import Chart, ChartTable

HEIGHT = 50
LINE_Y = 24
# Widest label beside the line, as a share of the usual 300 px.
LABEL_SHARE = 0.16


@dataclass(frozen=True)
class Mark:
    """Another number on the same line, such as the quota. text: 'quota 3.15'."""

    label: str
    value: float
    text: str
    href: str = ""


def draw(
    *,
    label: str,
    p10: float,
    p50: float,
    p90: float,
    texts: tuple[str, str, str],
    marks: Sequence[Mark] = (),
    href: str = "",
) -> Chart:
    """texts: what to write for P10, P50 and P90, e.g. ('2.53', '3.08', '3.62')."""
    values = [p10, p90, *(mark.value for mark in marks)]
    room = (max(values) - min(values)) * 0.35 or 1.0
    scale = Scale(low=min(values) - room, high=max(values) + room, start=0.0, end=1.0)
    low_x, mid_x, high_x = spread(
        [scale(p10), scale(p50), scale(p90)], gap=LABEL_SHARE, low=0.1, high=1 - LABEL_SHARE / 2
    )
    parts = [
        svg.line("0", LINE_Y, "100%", LINE_Y, "track-line"),
        svg.rect(
            x=svg.pct(scale(p10)),
            y=LINE_Y - 5,
            width=svg.pct(scale(p90) - scale(p10)),
            height=10,
            rx=5,
            class_="band",
        ),
        *(_mark(mark, scale=scale) for mark in marks),
        svg.link(
            href,
            f"P50 {texts[1]}",
            svg.node("circle", cx=svg.pct(scale(p50)), cy=LINE_Y, r=5, class_="dot-subject"),
            svg.text(texts[1], x=svg.pct(mid_x), y=46, class_="value value-subject t-middle"),
        ),
        svg.text(f"P10 {texts[0]}", x=svg.pct(low_x), y=46, class_="value t-middle"),
        svg.text(f"P90 {texts[2]}", x=svg.pct(high_x), y=46, class_="value t-middle"),
    ]
    rows = (("P10", texts[0]), ("P50", texts[1]), ("P90", texts[2]))
    table = ChartTable(
        headings=("Landing", "Amount"), rows=(*rows, *((mark.label, mark.text) for mark in marks))
    )
    return Chart(svg=svg.picture(parts, height=HEIGHT, label=label, class_="landing-range"), table=table)


def _mark(mark: Mark, *, scale: Scale) -> svg.SafeString:
    share = scale(mark.value)
    is_late = share > 0.6
    return svg.link(
        mark.href,
        mark.text,
        svg.line(svg.pct(share), LINE_Y - 12, svg.pct(share), LINE_Y + 7, "quota"),
        svg.text(
            mark.text,
            x=svg.pct(share),
            y=LINE_Y - 10,
            dx=-6 if is_late else 6,
            class_=f"axis-label t-{'end' if is_late else 'start'}",
        ),
    )
