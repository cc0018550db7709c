"""How healthy are the open deals of a scope, and what fails: for page, CSV and API, now or of a past day."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from uuid import UUID

from otc.money.rules import CurrencySum
from otc.question import BadQuestion, Question
from pipeline.health import listing
from pipeline.health.days import BandDay, band_days
from pipeline.health.learning import thresholds_at
from pipeline.health.listing import HealthRow, Past
from pipeline.health.past import judged_at
from pipeline.health.queries import stage_places
from pipeline.health.rules import (
    BANDS,
    BITS,
    CHECKS,
    DEFAULTS,
    Band,
    Check,
    Scale,
    Thresholds,
)
from pipeline.health.scale import scale_at

ROWS_A_PAGE = 50
WEEKS = 13
SORTS = tuple(listing.SORTS)


@dataclass(frozen=True)
class Asked:
    """What the page's own controls say: the deals of a band, or those that fail a check; page from 0."""

    band: str = ""
    check: str = ""
    sort: str = "health"
    page: int = 0

    def __post_init__(self) -> None:
        for name, value, allowed in (
            ("band", self.band, ("", *(band.key for band in BANDS))),
            ("check", self.check, ("", *BITS)),
            ("sort", self.sort.removeprefix("-"), SORTS),
        ):
            if value not in allowed:
                raise BadQuestion(name, f"“{value}” is none of: {', '.join(key for key in allowed if key)}")
        if self.page < 0:
            raise BadQuestion("page", "Pages are counted from 0")


@dataclass(frozen=True)
class Sum:
    """Deals, and what they come to in minor units of the question's currency; `unconvertible` are in no sum."""

    count: int = 0
    amount_minor: int = 0
    unconvertible: int = 0

    def __add__(self, other: "Sum") -> "Sum":
        return Sum(
            self.count + other.count,
            self.amount_minor + other.amount_minor,
            self.unconvertible + other.unconvertible,
        )


@dataclass(frozen=True)
class BandSum:
    band: Band
    sum: Sum


@dataclass(frozen=True)
class CheckSum:
    """A check with what it costs, whether it is made, and the open deals that fail it."""

    check: Check
    penalty: int
    is_made: bool
    sum: Sum


@dataclass(frozen=True)
class StageThresholds:
    """What is too long in a stage, and from how many won deals that was learned (or that it is the default)."""

    stage_id: UUID
    name: str
    thresholds: Thresholds


@dataclass(frozen=True)
class HealthReport:
    """`total` are all open deals of the scope, `shown` those of the asked band or check, of which `rows` are a page.

    `mean` is the mean score. `unscored` deals wait for their first score. `days` are what was kept week by week.
    """

    total: Sum
    shown: Sum
    mean: float | None
    unscored: int
    bands: tuple[BandSum, ...]
    checks: tuple[CheckSum, ...]
    stages: tuple[StageThresholds, ...]
    days: tuple[BandDay, ...]
    rows: tuple[HealthRow, ...]
    asked: Asked
    unconvertible: tuple[CurrencySum, ...] = ()

    @property
    def has_more(self) -> bool:
        return (self.asked.page + 1) * ROWS_A_PAGE < self.shown.count

    @property
    def sick(self) -> Sum:
        """Deals below 60."""
        return sum((one.sum for one in self.bands if one.band.least < 60), Sum())

    @property
    def worst_checks(self) -> list[CheckSum]:
        """The checks that fail, those with most money first."""
        failing = [one for one in self.checks if one.sum.count]
        return sorted(failing, key=lambda one: (-one.sum.amount_minor, -one.sum.count))


def health_report(question: Question, *, asked: Asked) -> HealthReport:
    """Bands, checks and the deals behind them. Seven queries now; of a past day every deal is judged anew, in batches,
    by what was known then.
    """
    past = judged_then(question) if question.is_past else None
    sums = listing.sums(question, past=past)
    scale = scale_at(question.as_of)
    shown, unconvertible = listing.shown_sums(
        question, past=past, where=listing.where(asked.band, asked.check)
    )
    return HealthReport(
        total=sum((Sum(*row.sum) for row in sums), Sum()),
        shown=Sum(*shown),
        mean=_mean(sums),
        unscored=sum(row.sum[0] for row in sums if row.band is None),
        bands=tuple(BandSum(band, _of_band(sums, band)) for band in BANDS),
        checks=tuple(_check_sum(check, place, sums, scale) for place, check in enumerate(CHECKS)),
        stages=stage_thresholds(question),
        days=tuple(band_days(question, days=week_days(question.day))),
        rows=tuple(_rows(question, asked, past=past, limit=ROWS_A_PAGE)),
        asked=asked,
        unconvertible=unconvertible,
    )


def all_rows(question: Question, *, asked: Asked) -> list[HealthRow]:
    """Every deal of the asked band or check, for CSV."""
    past = judged_then(question) if question.is_past else None
    return _rows(question, replace(asked, page=0), past=past, limit=None)


def stage_thresholds(question: Question) -> tuple[StageThresholds, ...]:
    """The limits of every stage that stands, by process and place."""
    learned = thresholds_at(question.as_of)
    places = [(place[0], place[1], stage, place[2]) for stage, place in stage_places().items() if place[3]]
    return tuple(
        StageThresholds(stage, name, learned.get(stage, DEFAULTS)) for _, _, stage, name in sorted(places)
    )


def week_days(day: date) -> list[date]:
    """The day and the same weekday of the twelve weeks before, oldest first."""
    return [day - timedelta(weeks=back) for back in reversed(range(WEEKS))]


def judged_then(question: Question) -> Past:
    """Every deal of the scope that was open at the question's instant, judged by what was known of it."""
    return judged_at(listing.ids_then(question), at=question.as_of, known=question.known)


def _rows(question: Question, asked: Asked, *, past: Past | None, limit: int | None) -> list[HealthRow]:
    return listing.rows(
        question,
        past=past,
        where=listing.where(asked.band, asked.check),
        sort=asked.sort,
        offset=asked.page * ROWS_A_PAGE,
        limit=limit,
    )


def _of_band(sums: Sequence[listing.BandRow], band: Band) -> Sum:
    return sum((Sum(*row.sum) for row in sums if row.band == band.key), Sum())


def _check_sum(check: Check, place: int, sums: Sequence[listing.BandRow], scale: Scale) -> CheckSum:
    found = sum((Sum(*row.checks[place]) for row in sums), Sum())
    return CheckSum(check, scale.penalty(check), check.key not in scale.off, found)


def _mean(sums: Sequence[listing.BandRow]) -> float | None:
    scored = sum(row.sum[0] for row in sums if row.band is not None)
    return sum(row.score_sum for row in sums) / scored if scored else None
