"""One line of several numbers beside each other: a dot where one's own number is, a band around it, a mark to reach."""

from collections.abc import Sequence

from django.utils.safestring import SafeString

from otc.ui.charts import svg
from otc.ui.charts.scale import Scale

PAD = 0.03


def axis_of(values: Sequence[float]) -> Scale:
    """The scale that holds every value, for all lines of one list."""
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    return Scale(low=low, high=high if high > low else low + 1, start=PAD, end=1 - PAD, clamp=True)


def draw(
    value: float, *, axis: Scale, band: tuple[float, float] | None = None, mark: float | None = None
) -> SafeString:
    """The numbers stand beside it as text, so the drawing is decoration. `band` makes it the subject."""
    parts = [svg.line("0", 8, "100%", 8, "grid")]
    if band:
        low, high = axis(band[0]), axis(band[1])
        parts.append(svg.line(svg.pct(low), 8, svg.pct(high), 8, "whisker whisker-subject"))
    if mark is not None:
        parts.append(svg.line(svg.pct(axis(mark)), 0, svg.pct(axis(mark)), 16, "quota"))
    tone = "subject" if band else "ink"
    parts.append(svg.node("circle", cx=svg.pct(axis(value)), cy=8, r=4, class_=f"dot-{tone}"))
    return svg.node("svg", *parts, class_="interval", width="100%", height=16, aria_hidden="true")
