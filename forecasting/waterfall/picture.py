"""The waterfall as a chart, a finding in words, and the causes of a change: labels and links, no arithmetic."""

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from forecasting.waterfall.report import WaterfallReport
from forecasting.waterfall.rules import CLOSING, OPENING, Booking, Bucket, Total
from otc.ui import format as fmt
from otc.ui.charts import waterfall as chart
from otc.ui.charts.svg import Chart

LABELS = {
    Bucket.NEW: "New",
    Bucket.REOPENED: "Reopened",
    Bucket.TRANSFERRED_IN: "Transferred in",
    Bucket.PULLED_IN: "Pulled in",
    Bucket.PUSHED_IN: "Pushed in",
    Bucket.INCLUDED: "Included",
    Bucket.MOVED_IN: "Moved in",
    Bucket.INCREASED: "Increased",
    Bucket.DECREASED: "Decreased",
    Bucket.CURRENCY: "Currency",
    Bucket.MOVED_OUT: "Moved out",
    Bucket.WON: "Won",
    Bucket.LOST: "Lost",
    Bucket.NO_DECISION: "No decision",
    Bucket.TRANSFERRED_OUT: "Transferred out",
    Bucket.PUSHED_OUT: "Pushed out",
    Bucket.PULLED_OUT: "Pulled out",
    Bucket.DELETED: "Deleted",
    Bucket.OMITTED: "Omitted",
}
STEP_LABELS: dict[str, str] = {
    OPENING: "Open at the start",
    **{str(bucket): label for bucket, label in LABELS.items()},
    CLOSING: "Open at the end",
    Booking.WON: "Booked: won",
    Booking.REVERSED: "Booked: wins reversed",
    Booking.CORRECTED: "Booked: wins corrected",
}
# What happened to one deal, said after its name.
VERBS = {
    Bucket.NEW: "is new",
    Bucket.REOPENED: "reopened",
    Bucket.TRANSFERRED_IN: "was handed over to here",
    Bucket.PULLED_IN: "pulled in",
    Bucket.PUSHED_IN: "pushed in from before",
    Bucket.INCLUDED: "counts again",
    Bucket.INCREASED: "grew",
    Bucket.DECREASED: "shrank",
    Bucket.CURRENCY: "moved with its currency",
    Bucket.WON: "was won",
    Bucket.LOST: "was lost",
    Bucket.NO_DECISION: "ended without a decision",
    Bucket.TRANSFERRED_OUT: "was handed over",
    Bucket.PUSHED_OUT: "pushed out",
    Bucket.PULLED_OUT: "pulled out",
    Bucket.DELETED: "was deleted",
    Bucket.OMITTED: "was omitted",
}
# A flow is told by what took the most out and what brought the most in.
GERUNDS = {
    Bucket.WON: "winning",
    Bucket.LOST: "losing",
    Bucket.NO_DECISION: "buyers’ indecision",
    Bucket.PUSHED_OUT: "pushing",
    Bucket.PULLED_OUT: "pulling out",
    Bucket.DECREASED: "shrinking",
    Bucket.TRANSFERRED_OUT: "handing over",
    Bucket.DELETED: "deleting",
    Bucket.OMITTED: "omitting",
}
BREAK_ABOVE = 0.55
NAMED_CAUSES = 3
SMALL_BELOW = 10_000


def draw(report: WaterfallReport, *, first: str, last: str, href: Callable[[str], str]) -> Chart:
    """A column per bucket that isn't empty; `href` gives the address of a bucket's deals by its name."""
    falls = report.waterfall
    bars = [_end(falls.opening, report, label=first, href=href("opening"))]
    for bucket in falls.buckets:
        if bucket.count:
            bars.append(
                chart.Bar(
                    label=LABELS[bucket.name],
                    value=bucket.amount_minor,
                    text=written(bucket.amount_minor, report, plus=True),
                    kind=_kind(bucket.name, bucket.amount_minor),
                    note=counted(bucket.count, report),
                    href=href(bucket.name),
                )
            )
    bars.append(_end(falls.closing, report, label=last, href=href("closing")))
    return chart.draw(label=f"From {first} to {last}, step by step", bars=bars, axis_from=axis_from(report))


def axis_from(report: WaterfallReport) -> int:
    """Where the axis starts: at zero, unless the changes would drown below tall totals."""
    level = report.waterfall.opening.amount_minor
    lowest = level
    for bucket in report.waterfall.buckets:
        level += bucket.amount_minor
        lowest = min(lowest, level)
    highest = max(report.waterfall.opening.amount_minor, report.waterfall.closing.amount_minor, 1)
    if lowest <= highest * BREAK_ABOVE:
        return 0
    step = 10 ** max(len(str(highest)) - 2, 0)
    return int(lowest * 0.85) // step * step


def finding(report: WaterfallReport) -> str:
    """The chart's title: what took the most out, else what the pipeline did."""
    out = sorted(
        (bucket for bucket in report.waterfall.buckets if bucket.amount_minor < 0 and bucket.name in GERUNDS),
        key=lambda bucket: bucket.amount_minor,
    )
    if not out:
        change = report.waterfall.closing.amount_minor - report.waterfall.opening.amount_minor
        if not change:
            return "Nothing moved in or out"
        verb = "grew" if change > 0 else "shrank"
        return f"The open pipeline {verb} by {fmt.money_short(abs(change), currency=report.currency)}"
    first = (
        f"{GERUNDS[out[0].name]} took {fmt.money_short(-out[0].amount_minor, currency=report.currency)} out"
    )
    text = first[0].upper() + first[1:] + " of the pipeline"
    if len(out) > 1:
        amount = fmt.money_short(-out[1].amount_minor, currency=report.currency)
        text += f", {GERUNDS[out[1].name]} another {amount}"
    return text


@dataclass(frozen=True)
class Cause:
    """One deal's share of a change of the open pipeline; `deal_id` None stands for all the others."""

    deal_id: UUID | None
    name: str
    verb: str
    amount_minor: int


def causes(report: WaterfallReport) -> list[Cause]:
    """The deals that moved the open pipeline most, and the rest in one: they add up to the change."""
    names = report.names or {}
    named = [
        Cause(
            mover.deal_id if mover.deal_id in names else None,
            names.get(mover.deal_id, "a deal of somebody else"),
            VERBS.get(Bucket(mover.bucket), ""),
            mover.amount_minor,
        )
        for mover in report.movers
    ]
    if report.moved_count > len(named):
        rest = report.waterfall.change_minor - sum(cause.amount_minor for cause in named)
        named.append(Cause(None, fmt.plural(report.moved_count - len(named), "other"), "", rest))
    return named


def counted(count: int, report: WaterfallReport) -> str:
    """How many a step counts: a deal moves once between two ends, and as often as it does along a path."""
    return fmt.plural(count, "move" if report.asked.is_path else "deal")


def _end(total: Total[str], report: WaterfallReport, *, label: str, href: str) -> chart.Bar:
    return chart.Bar(
        label=label,
        value=total.amount_minor,
        text=written(total.amount_minor, report),
        kind="total",
        note=fmt.plural(total.count, "deal"),
        href=href,
    )


def is_small(report: WaterfallReport) -> bool:
    """Whether thousands would say too little: nothing in it reaches ten thousand."""
    totals = [report.waterfall.opening, *report.waterfall.buckets, report.waterfall.closing]
    largest = max(abs(total.amount_minor) for total in totals)
    return fmt.units(largest, currency=report.currency) < SMALL_BELOW


def unit(report: WaterfallReport) -> str:
    """What the marks' numbers count: EUR or thousand EUR."""
    return report.currency if is_small(report) else f"thousand {report.currency}"


def written(amount_minor: int, report: WaterfallReport, *, plus: bool = False) -> str:
    """An amount in the chart's unit."""
    write = fmt.money_full if is_small(report) else fmt.money_k
    return write(amount_minor, currency=report.currency, plus=plus)


def _kind(bucket: Bucket, amount_minor: int) -> str:
    """What leaves without money leaves too."""
    if bucket is Bucket.WON:
        return "won"
    leaves = amount_minor < 0 or (not amount_minor and bucket in GERUNDS)
    return "out" if leaves else "in"
