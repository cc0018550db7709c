"""How one total became another: a column per bucket, dotted connectors, every column opens its deals."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.safestring import SafeString, mark_safe

from otc.ui.charts import svg
from otc.ui.charts.scale import Scale, axis_start
from otc.ui.charts.svg import Chart, ChartTable

HEIGHT = 168
TOP, BASE = 20, 132
LINE = 14
# What a label may take of the narrowest wide chart (its box at 601 px to 1000 px), before every other one moves down.
NARROWEST, LETTER = 960, 6.2
# What fits before the bars of the rows on a phone.
NARROW_LETTERS = 16
COLUMN_SHARE = 0.58
ROW_HEIGHT = 24
KINDS = ("total", "in", "won", "out")


@dataclass(frozen=True)
class Bar:
    """A column. value: a total's height, or a bucket's signed change; text is what stands on the mark."""

    label: str
    value: float
    text: str
    kind: str = "in"
    note: str = ""
    href: str = ""


@dataclass(frozen=True)
class _Span:
    bar: Bar
    low: float
    high: float
    after: float


def draw(*, label: str, bars: Sequence[Bar], axis_from: float = 0.0) -> Chart:
    """Vertical for wide pages, rows for narrow ones. Empty buckets are left out; deals without money (noted) stay."""
    spans = _spans([bar for bar in bars if bar.kind == "total" or bar.value or bar.note])
    rows = tuple((span.bar.label, span.bar.note or "–", span.bar.text) for span in spans)
    table = ChartTable(
        headings=("Step", "Behind it", "Amount"), rows=rows, hrefs=tuple(span.bar.href for span in spans)
    )
    if not spans:
        return Chart(svg=mark_safe(""), table=table)
    return Chart(
        svg=_columns(spans, label=label, axis_from=axis_from),
        narrow_svg=_rows(spans, label=label, axis_from=axis_from),
        table=table,
    )


def axis_from(bars: Sequence[Bar]) -> float:
    """Where these columns' axis may start; pass it to draw and say it in the caption when it is not 0."""
    spans = _spans(bars)
    if not spans:
        return 0.0
    return axis_start(min(span.after for span in spans), max(span.high for span in spans))


def _spans(bars: Sequence[Bar]) -> list[_Span]:
    running, spans = 0.0, []
    for bar in bars:
        before = 0.0 if bar.kind == "total" else running
        running = bar.value if bar.kind == "total" else running + bar.value
        spans.append(_Span(bar=bar, low=min(before, running), high=max(before, running), after=running))
    return spans


def _columns(spans: Sequence[_Span], *, label: str, axis_from: float) -> SafeString:
    scale = _value_scale(spans, axis_from=axis_from, start=BASE, end=TOP)
    slot = 1 / len(spans)
    deep = _label_lines(spans) if _is_dense(spans) else 0
    marks = []
    for index, span in enumerate(spans):
        if index + 1 < len(spans):
            y = scale(span.after)
            edge = slot * (1 - COLUMN_SHARE) / 2
            x1, x2 = (index + 1) * slot - edge, (index + 1) * slot + edge
            marks.append(svg.line(svg.pct(x1), y, svg.pct(x2), y, "connector"))
        lower = deep * LINE if index % 2 else 0
        marks.append(
            _column(
                span, index=index, slot=slot, scale=scale, is_broken=axis_from > 0, lower=lower, deep=deep
            )
        )
    marks.append(svg.line("0", BASE, "100%", BASE, "base"))
    return svg.picture(marks, height=HEIGHT + _more_height(deep), label=label, class_="waterfall")


def _is_dense(spans: Sequence[_Span]) -> bool:
    """Whether labels side by side would run into each other: then every other one stands below its neighbours."""
    widest = max(len(text) for span in spans for text in (span.bar.label, span.bar.note))
    return widest * LETTER > NARROWEST / len(spans)


def _label_lines(spans: Sequence[_Span]) -> int:
    """Lines of the tallest label with its note: one whose words stand below each other has two."""
    return 1 + max(len(_wrapped(span.bar.label)) for span in spans)


def _wrapped(label: str) -> list[str]:
    """The label in at most two lines, broken at the space nearest to its middle: "Transferred out" gives two."""
    spaces = [place for place, letter in enumerate(label) if letter == " "]
    if not spaces or len(label) < 8:
        return [label]
    at = min(spaces, key=lambda place: abs(place - len(label) / 2))
    return [label[:at], label[at + 1 :]]


def _more_height(deep: int) -> float:
    """Two storeys of labels where there was one of two lines."""
    return max(0, 2 * deep - 2) * LINE


def _column(
    span: _Span, *, index: int, slot: float, scale: Scale, is_broken: bool, lower: float = 0, deep: int = 0
) -> SafeString:
    bar = span.bar
    x, width = (index + (1 - COLUMN_SHARE) / 2) * slot, slot * COLUMN_SHARE
    middle = svg.pct((index + 0.5) * slot)
    top, height = _extent(span, scale=scale)
    below = bar.kind in ("won", "out") or (bar.kind == "in" and bar.value < 0)
    label_y = top + height + 13
    # A column that reaches the base has its number above it: below stand the names.
    if not below or label_y > BASE - 2:
        label_y = top - 6
    parts = [
        svg.rect(
            x=svg.pct(index * slot),
            y=0,
            width=svg.pct(slot),
            height=HEIGHT + _more_height(deep),
            class_="hit",
        ),
        svg.rect(x=svg.pct(x), y=top, width=svg.pct(width), height=height, class_=f"bar-{bar.kind}"),
        svg.text(bar.text, x=middle, y=label_y, class_=f"value value-{bar.kind} t-middle"),
    ]
    lines = _wrapped(bar.label) if deep else [bar.label]
    for number, text in enumerate(lines):
        y = BASE + 16 + lower + number * LINE
        parts.append(svg.text(text, x=middle, y=y, class_="axis-label t-middle"))
    note_y = BASE + 16 + lower + len(lines) * LINE
    parts.append(svg.text(bar.note, x=middle, y=note_y, class_="axis-note t-middle"))
    if lower:
        parts.append(svg.line(middle, BASE, middle, BASE + lower + 4, "tick"))
    if is_broken and bar.kind == "total":
        parts.insert(2, _break_mark(x=svg.pct(x), width=svg.pct(width)))
    return svg.link(bar.href, _spoken(bar), *parts)


def _extent(span: _Span, *, scale: Scale) -> tuple[float, float]:
    top, bottom = scale(span.high), scale(span.low)
    if span.bar.kind == "total":
        bottom = BASE
    return top, max(svg.MIN_MARK, bottom - top)


def _break_mark(*, x: str, width: str) -> SafeString:
    # A slanted gap stretched over the column's width, a little wider than it, in the page's own colour.
    return svg.node(
        "svg",
        svg.node("polygon", points="-6,17 106,8 106,13 -6,22", class_="break-gap"),
        svg.node("path", d="M-6 17 106 8M-6 22 106 13", class_="break-line"),
        x=x,
        y=BASE - 26,
        width=width,
        height=26,
        viewBox="0 0 100 26",
        preserveAspectRatio="none",
        class_="break",
    )


def _rows(spans: Sequence[_Span], *, label: str, axis_from: float) -> SafeString:
    left, right = 0.27, 0.86
    scale = _value_scale(spans, axis_from=axis_from, start=left, end=right)
    marks = []
    for index, span in enumerate(spans):
        y = index * ROW_HEIGHT
        low = left if span.bar.kind == "total" else scale(span.low)
        width = max(0.005, scale(span.high) - low)
        if index + 1 < len(spans):
            x = svg.pct(scale(span.after))
            marks.append(svg.line(x, y + 19, x, y + ROW_HEIGHT + 5, "connector"))
        marks.append(_row(span, y=y, low=low, width=width))
        if axis_from > 0 and span.bar.kind == "total":
            marks.append(svg.line(svg.pct(left + 0.03), y + 21, svg.pct(left + 0.045), y + 3, "break-slash"))
    return svg.picture(marks, height=len(spans) * ROW_HEIGHT, label=label, class_="waterfall waterfall-rows")


def _row(span: _Span, *, y: float, low: float, width: float) -> SafeString:
    bar = span.bar
    label = f"{bar.label} {bar.note}" if bar.kind == "total" and bar.note else bar.label
    if len(label) > NARROW_LETTERS:
        label = bar.label
    return svg.link(
        bar.href,
        _spoken(bar),
        svg.rect(x=0, y=y, width="100%", height=ROW_HEIGHT, class_="hit"),
        svg.text(label, x=0, y=y + 16, class_="axis-label t-start"),
        svg.rect(x=svg.pct(low), y=y + 5, width=svg.pct(width), height=14, class_=f"bar-{bar.kind}"),
        svg.text(bar.text, x="100%", y=y + 16, class_=f"value value-{bar.kind} t-end"),
    )


def _value_scale(spans: Sequence[_Span], *, axis_from: float, start: float, end: float) -> Scale:
    lowest = min([axis_from, *(span.low for span in spans if span.bar.kind != "total")])
    highest = max([span.high for span in spans] + [lowest + 1])
    return Scale(low=lowest, high=highest, start=start, end=end, clamp=True)


def _spoken(bar: Bar) -> str:
    return ", ".join(part for part in (bar.label, bar.text, bar.note) if part)
