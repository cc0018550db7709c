"""How deals go through the stages, how often and how fast they are won: for page, API and CSV."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from forecasting.funnel.queries import (
    SEGMENTS,
    Journey,
    SegmentRow,
    journey_of,
    segment_rows,
    velocity_over,
    won_unpriced,
)
from forecasting.funnel.rules import Cohort, StageFlow, Velocity, cohort_of, median_stay
from otc.calendar.rules import Period, PeriodError, previous
from otc.fields.queries import Book
from otc.fields.rules import PREFIX, Field
from otc.money.rules import CurrencySum
from otc.question import BadQuestion, Question, parse_uuid
from otc.tenancy.models import Person
from pipeline.fields.asked import field_named
from pipeline.opportunities.models import Opportunity, Product
from pipeline.process.models import Process, Stage

PERIODS_BACK = 7
# How many of the newest deals say which process is in use.
LATEST = 500
GROUPABLE = ("text", "number", "date", "choice", "person")


@dataclass(frozen=True)
class Funnel:
    """The cohort of deals created in the question's period; `process` None where there is none yet."""

    question: Question
    process: Process | None
    stages: tuple[StageFlow, ...]
    cohort: Cohort


@dataclass(frozen=True)
class Segment:
    """A segment with its velocity; `name` is empty where deals name none."""

    key: str | None
    name: str
    velocity: Velocity


@dataclass(frozen=True)
class Pace:
    """Win rate, cycle and velocity of the period in all, by segment (most won first), and of the periods before.

    `unconvertible`: what was won without a rate, by currency.
    """

    question: Question
    segment: str
    total: Velocity
    segments: tuple[Segment, ...]
    over_time: tuple[tuple[Period, Velocity], ...]
    unconvertible: tuple[CurrencySum, ...] = ()


def funnel_report(question: Question, *, process: str = "") -> Funnel:
    """What deals created in the period did in the stages of a process (its id; default: the one of most new deals).

    Three queries, four where there are several processes. Raises BadQuestion.
    """
    chosen = process_named(process)
    if chosen is None:
        return Funnel(question, None, (), cohort_of(()))
    journey = journey_of(question, process_id=chosen.id)
    stages = Stage.objects.filter(process=chosen).order_by("position")
    # A retired stage stays as long as a deal of the cohort was there.
    flows = (_flow(stage, journey) for stage in stages)
    shown = tuple(
        flow for flow, stage in zip(flows, stages, strict=True) if stage.retired_at is None or flow.entered
    )
    return Funnel(question, chosen, shown, cohort_of(journey.ends))


def process_named(key: str) -> Process | None:
    """The process of an id, else the one that most of the latest deals go through, else the default one, else any.

    Raises BadQuestion.
    """
    if not key:
        processes: list[Process] = list(Process.objects.order_by("-is_default", "name"))
        if len(processes) < 2:
            return processes[0] if processes else None
        latest = Opportunity.objects.order_by("-created_at", "-id").values_list("process_id", flat=True)
        used = Counter(latest[:LATEST])
        return max(processes, key=lambda one: used[one.id])
    found: Process | None = Process.objects.filter(id=parse_uuid(key, "process")).first()
    if found is None:
        raise BadQuestion("process", "There is no such process here")
    return found


def _flow(stage: Stage, journey: Journey) -> StageFlow:
    counts = journey.counts.get(stage.id)
    numbers = (
        (counts.entered, counts.advanced, counts.lost, counts.open, counts.skipped, counts.backward)
        if counts
        else (0, 0, 0, 0, 0, 0)
    )
    stay = median_stay(journey.stays.get(stage.id, []))
    return StageFlow(stage.id, stage.name, stage.position, *numbers, stay)


def pace_report(question: Question, *, segment: str = "owner", book: Book | None = None) -> Pace:
    """Win rate, cycle time and velocity of the deals closed in the period. `segment` is a key of SEGMENTS or
    field.<key>. Raises BadQuestion.
    """
    field = segment_field(segment, book=book or Book())
    rows = segment_rows(question, segment=segment, field=field)
    total = next(row.velocity for row in rows if row.is_total)
    names = _names(segment, rows, field)
    segments = [
        Segment(row.key, names.get(row.key or "", row.key or ""), row.velocity)
        for row in rows
        if not row.is_total
    ]
    segments.sort(key=lambda one: (-one.velocity.closed.won_minor, -one.velocity.open_count, one.name))
    periods = _periods(question)
    over = velocity_over(question, [(p.first, p.end, _until(question, p)) for p in periods])
    lacking = won_unpriced(question) if total.closed.won_unpriced else ()
    return Pace(question, segment, total, tuple(segments), tuple(zip(periods, over, strict=True)), lacking)


def segment_field(segment: str, *, book: Book) -> Field | None:
    """The custom field that a segment names; None for one of the house. Raises BadQuestion."""
    if segment in SEGMENTS:
        return None
    if not segment.startswith(PREFIX):
        raise BadQuestion("segment", f"“{segment[:60]}” is none of: {', '.join([*SEGMENTS, 'field.<key>'])}")
    found = field_named(segment, book=book)
    if found.kind not in GROUPABLE:
        raise BadQuestion("segment", f"{found.name} is a {found.kind}: deals aren’t grouped by amounts")
    return found


def _names(segment: str, rows: list[SegmentRow], field: Field | None) -> dict[str, str]:
    keys = [row.key for row in rows if row.key]
    if segment == "owner" or (field is not None and field.kind == "person"):
        people = Person.objects.filter(id__in=[UUID(key) for key in keys])
        return {str(key): name for key, name in people.values_list("id", "name")}
    if segment == "product":
        products = Product.objects.filter(id__in=[UUID(key) for key in keys])
        return {str(key): name for key, name in products.values_list("id", "name")}
    if field is not None and field.kind == "choice":
        return {option.key: option.label for option in field.options}
    return {}


def _periods(question: Question) -> list[Period]:
    """The period and those before it, oldest first."""
    found = [question.period]
    while len(found) <= PERIODS_BACK:
        try:
            found.append(previous(found[-1]))
        except PeriodError:
            break
    return found[::-1]


def _until(question: Question, period: Period) -> datetime:
    return min(question.start_of(period.end), question.as_of)
