"""Small bars in table cells: a share on a track, and horizontal bars of reasons."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.safestring import SafeString, mark_safe

from otc.ui.charts import svg
from otc.ui.charts.svg import Chart, ChartTable

WIDTH, HEIGHT = 36, 4
ROW_HEIGHT = 32


@dataclass(frozen=True)
class ReasonBar:
    """One reason: value sets the length, text is the number written beside it, note what else is known."""

    label: str
    value: float
    text: str
    href: str = ""
    note: str = ""
    is_subject: bool = False


@dataclass(frozen=True)
class Segment:
    """A part of one stacked bar, in the order drawn."""

    label: str
    value: float
    text: str
    href: str = ""


def small_bar(share: float, *, is_bad: bool = False, label: str = "") -> SafeString:
    """A share of 0..1 on a 36 by 4 track. The number stands beside it, so it is decoration by default."""
    width = max(svg.MIN_MARK, min(1.0, share) * WIDTH) if share > 0 else 0
    marks = [
        svg.rect(x=0, y=0, width=WIDTH, height=HEIGHT, rx=2, class_="track"),
        svg.rect(x=0, y=0, width=width, height=HEIGHT, rx=2, class_="bar-bad" if is_bad else "bar-plain"),
    ]
    return svg.tiny(marks, width=WIDTH, height=HEIGHT, label=label)


def value_bar(value: float, *, largest: float, is_subject: bool = False) -> SafeString:
    """A bar that fills its cell, as long as its value is of the largest; decoration beside its number."""
    share = value / largest if largest > 0 else 0
    mark = svg.rect(
        x=0, y=1, width=svg.pct(share), height=10, class_="bar-subject-ink" if is_subject else "bar-plain"
    )
    return svg.node("svg", mark, class_="cell-bar", width="100%", height=12, aria_hidden="true")


def signed_bar(value: float, *, largest: float, good: str = "down") -> SafeString:
    """A bar left or right of a middle line: what a cause adds to or takes from a chance; 100 wide."""
    share = min(1.0, abs(value) / largest) if largest > 0 else 0
    width = max(svg.MIN_MARK, share * 48) if value else 0
    is_good = (value > 0) == (good == "up")
    marks = [
        svg.rect(
            x=50 if value > 0 else 50 - width,
            y=4,
            width=width,
            height=8,
            class_="bar-won" if is_good else "bar-out",
        ),
        svg.line(50, 0, 50, 16, "tick-strong"),
    ]
    return svg.tiny(marks, width=100, height=16, label="")


def reasons(
    *, label: str, rows: Sequence[ReasonBar], headings: tuple[str, str] = ("Reason", "Deals")
) -> Chart:
    """Horizontal bars, longest in ink, each opening its deals."""
    table = ChartTable(
        headings=(*headings, "Note") if any(row.note for row in rows) else headings,
        rows=tuple(
            (row.label, row.text, row.note) if any(r.note for r in rows) else (row.label, row.text)
            for row in rows
        ),
        hrefs=tuple(row.href for row in rows),
    )
    if not rows:
        return Chart(svg=mark_safe(""), table=table)
    largest = max(row.value for row in rows) or 1
    room = 0.3 if any(row.note for row in rows) else 0.53
    marks = [_reason(row, y=index * ROW_HEIGHT, largest=largest, room=room) for index, row in enumerate(rows)]
    drawing = svg.picture(marks, height=len(rows) * ROW_HEIGHT, label=label, class_="reasons")
    return Chart(svg=drawing, table=table)


def _reason(row: ReasonBar, *, y: float, largest: float, room: float) -> SafeString:
    spoken = ", ".join(part for part in (row.label, row.text, row.note) if part)
    width = max(0.004, room * row.value / largest) if row.value else 0
    return svg.link(
        row.href,
        spoken,
        svg.rect(x=0, y=y, width="100%", height=ROW_HEIGHT, class_="hit"),
        svg.text(row.label, x=0, y=y + 20, class_="row-label t-start"),
        svg.text(row.text, x="45%", y=y + 20, class_="row-value t-end"),
        svg.rect(
            x="47%",
            y=y + 11,
            width=svg.pct(width),
            height=10,
            class_="bar-subject-ink" if row.is_subject else "bar-plain",
        ),
        svg.text(row.note, x="100%", y=y + 20, class_="axis-note t-end"),
        svg.line("0", y + ROW_HEIGHT - 0.5, "100%", y + ROW_HEIGHT - 0.5, "grid"),
    )


def stacked(
    *, label: str, segments: Sequence[Segment], headings: tuple[str, str] = ("Part", "Amount")
) -> Chart:
    """One bar cut into parts, each labelled below it; later parts get lighter."""
    table = ChartTable(
        headings=headings,
        rows=tuple((part.label, part.text) for part in segments),
        hrefs=tuple(part.href for part in segments),
    )
    total = sum(part.value for part in segments)
    if total <= 0:
        return Chart(svg=mark_safe(""), table=table)
    marks, start = [], 0.0
    for index, part in enumerate(segments):
        width = part.value / total
        marks.append(_segment(part, start=start, width=width, rank=index))
        start += width
    return Chart(svg=svg.picture(marks, height=44, label=label, class_="stacked"), table=table)


def _segment(part: Segment, *, start: float, width: float, rank: int) -> SafeString:
    class_ = "seg-1" if rank == 0 else "seg-3" if rank > 2 else "seg-2"
    return svg.link(
        part.href,
        f"{part.label}, {part.text}",
        svg.rect(x=svg.pct(start), y=1, width=svg.pct(max(0.002, width - 0.004)), height=10, class_=class_),
        svg.text(part.text, x=svg.pct(start), y=26, class_="row-value-small t-start"),
        svg.text(part.label, x=svg.pct(start), y=40, class_="axis-note t-start"),
    )
