"""Fit in the SQL of deals: the points of each as an expression, and the condition that a list makes of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import reduce
from operator import add
from typing import Any

from django.db.models import (
    BooleanField,
    Case,
    CharField,
    DecimalField,
    Expression,
    F,
    Func,
    IntegerField,
    Q,
    TextField,
    Value,
    When,
)
from django.db.models.expressions import RawSQL
from django.db.models.functions import Cast
from django.db.models.lookups import GreaterThanOrEqual, In, IsNull, LessThanOrEqual

from otc.fields.queries import Book
from otc.fields.rules import MILLIONTHS, Field
from otc.money.rules import decimals_of
from otc.tenancy.models import Organization
from pipeline.fields.queries import read_expression
from pipeline.fit.models import Scorecard
from pipeline.fit.queries import books, scorecard_now
from pipeline.fit.report import criteria_of
from pipeline.fit.rules import BAND_WORDS, IS_SET, ONE_OF, Criterion, FitAsked, folded, runs_of

POINTS, OF, BAND = "fit_points", "fit_of", "fit_band"
# From a row of deals to what has the attribute.
WAY_TO = {"account": "account__", "deal": ""}
# What str.split() parts at, beside the space itself.
SPACES = "".join(letter for letter in map(chr, range(0x3001)) if letter.isspace() and letter != " ")
MORE_SPACES = f"[{SPACES}]|^ |  | $"
_NEVER = Value(False, output_field=BooleanField())


@dataclass(frozen=True)
class FitCondition:
    """What a list asks, and the points that deals have; None where the organization asks for nothing."""

    asked: FitAsked
    measure: "Measure | None"

    def apply(self, rows: Any) -> Any:
        """Deals as they stand that fit so. Without a scorecard none does."""
        if self.measure is None:
            return _no(rows)
        return self.measure.matching(rows, self.asked)


@dataclass(frozen=True)
class Measure:
    """A scorecard as SQL over deals as they stand: no query until rows are read."""

    points: Expression
    of: int
    fair_percent: int
    good_percent: int

    def matching(self, rows: Any, asked: FitAsked) -> Any:
        runs = runs_of(asked, of=self.of, fair_percent=self.fair_percent, good_percent=self.good_percent)
        if runs == [(0, self.of)]:
            return rows
        return rows.alias(**{f"{POINTS}_held": self.points}).filter(self._held(runs)) if runs else _no(rows)

    def _held(self, runs: list[tuple[int, int]]) -> Q:
        """The points are counted once per condition, so there is one."""
        held = f"{POINTS}_held"
        if runs[0][0] == 0 and len(runs) == 1:
            return Q(**{f"{held}__lte": runs[0][1]})
        if runs[-1][1] == self.of and len(runs) == 1:
            return Q(**{f"{held}__gte": runs[0][0]})
        return Q(**{f"{held}__in": [points for low, high in runs for points in range(low, high + 1)]})

    def beside(self, rows: Any) -> Any:
        """The rows with POINTS, OF and BAND."""
        bands = {
            band: runs_of(
                FitAsked((band,)), of=self.of, fair_percent=self.fair_percent, good_percent=self.good_percent
            )
            for band in BAND_WORDS
        }
        # Good, fair, poor: the first whose lower end is reached.
        cases = [
            When(**{f"{POINTS}__gte": runs[0][0]}, then=Value(band)) for band, runs in bands.items() if runs
        ]
        return rows.annotate(
            **{POINTS: self.points, OF: Value(self.of), BAND: Case(*cases, output_field=CharField())}
        )


def _no(rows: Any) -> Any:
    """None of the rows, as a statement that still runs: sums and pages are asked of it."""
    return rows.filter(RawSQL("false", [], output_field=BooleanField()))


def measure_now(organization: Organization | None = None) -> Measure | None:
    """The scorecard that counts; None where nothing is asked for. One query, where the fields were read before."""
    card = scorecard_now()
    criteria = criteria_of(card)
    if card is None or not criteria:
        return None
    return _measure(card, criteria, books(organization))


def unmeasured(rows: Any) -> Any:
    """The rows with POINTS, OF and BAND where nothing is asked for."""
    nothing = {
        POINTS: Value(None, output_field=IntegerField()),
        OF: Value(None, output_field=IntegerField()),
        BAND: Value(None, output_field=CharField()),
    }
    return rows.annotate(**nothing)


def fit_condition(asked: FitAsked, *, organization: Organization | None = None) -> FitCondition:
    """One query, where the fields were read before."""
    return FitCondition(asked, measure_now(organization))


def _measure(card: Scorecard, criteria: Sequence[Criterion], known: dict[str, Book]) -> Measure:
    worth = [
        Case(When(_met(one, known), then=Value(one.points)), default=Value(0), output_field=IntegerField())
        for one in criteria
    ]
    total = sum(one.points for one in criteria)
    return Measure(reduce(add, worth), total, card.fair_percent, card.good_percent)


def _met(criterion: Criterion, known: dict[str, Book]) -> Any:
    """`pipeline.fit.rules.is_met` as a condition."""
    noun, _, rest = criterion.attribute.partition(".")
    way = WAY_TO[noun]
    if not rest.startswith("field."):
        return _text_met(
            criterion, Func(F(f"{way}{rest}"), Value(""), function="nullif", output_field=TextField())
        )
    field = known[noun].by_key(rest.removeprefix("field."))
    if field is None:
        return _NEVER
    value = read_expression(field, f"{way}attributes")
    if criterion.rule == IS_SET:
        return IsNull(value, False)
    if field.kind in ("number", "money"):
        return _NEVER if criterion.rule == ONE_OF else _number_met(criterion, field, value)
    if field.kind == "text":
        value = Func(F(f"{way}attributes"), Value(field.attribute), function="pipeline_field_words")
    return _text_met(criterion, Cast(value, TextField()))


def _text_met(criterion: Criterion, value: Any) -> Any:
    if criterion.rule == IS_SET:
        return IsNull(value, False)
    if criterion.rule != ONE_OF:
        return _NEVER
    wanted = list(dict.fromkeys(folded(one) for one in criterion.values))
    # Most texts have single spaces already, and folding those takes ten times as long.
    has_more = Func(
        value,
        Value(MORE_SPACES),
        template="(%(expressions)s)",
        arg_joiner=" ~ ",
        output_field=BooleanField(),
    )
    return Q(In(CaseFolded(value), wanted)) | (Q(has_more) & Q(In(_folded(value), wanted)))


def _number_met(criterion: Criterion, field: Field, value: Any) -> Any:
    """Fields hold whole millionths of a number, and minor units of an amount."""
    units = Decimal(MILLIONTHS) if field.kind == "number" else Decimal(10) ** decimals_of(field.currency)
    exact = DecimalField(max_digits=40, decimal_places=12)
    bounds = [(GreaterThanOrEqual, criterion.low), (LessThanOrEqual, criterion.high)]
    met = Q(IsNull(value, False))
    for compared, bound in bounds:
        if bound is not None:
            met &= Q(compared(Cast(value, exact), Value(bound * units, output_field=exact)))
    return met


class CaseFolded(Func):
    """As str.casefold() does it."""

    function = "casefold"
    template = "casefold((%(expressions)s) COLLATE pg_unicode_fast)"
    output_field = TextField()


def _folded(value: Any) -> Any:
    """A text as `pipeline.fit.rules.folded` makes it."""
    parted = Func(
        CaseFolded(value),
        Value(SPACES),
        Value(" " * len(SPACES)),
        function="translate",
        output_field=TextField(),
    )
    single = Func(
        parted, Value(" +"), Value(" "), Value("g"), function="regexp_replace", output_field=TextField()
    )
    return Func(single, function="btrim", output_field=TextField())
