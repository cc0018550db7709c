"""Which deals does a list ask for? One filter for the page, the CSV and the API."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

import django_filters
from django.db.models import Exists, OuterRef, Q
from django.http import QueryDict

from otc.calendar.rules import PeriodError, parse_period
from otc.question import BadQuestion, Question
from otc.tenancy.models import FOREVER
from otc.tenancy.services import fold
from pipeline.accounts.models import Account
from pipeline.history.models import OpportunityVersion
from pipeline.opportunities.models import Opportunity, Outcome
from pipeline.process.models import Category

OUTCOMES = (("open", "Open"), *Outcome.choices, ("closed", "Closed"), ("all", "Open and closed"))
NO_STAGE = "none"
# The largest code point: what starts with "kes" sorts from "kes" up to "kes" + LAST.
LAST = "\U0010ffff"


@dataclass(frozen=True)
class Frame:
    """What the conditions look from: the organization's day, the compared instant, and the instant shown.

    `id_name` is the field that bears the deal's id in the rows, `name_field` the one that bears its name:
    rows are deals, or versions where a past day is shown.
    """

    today: date
    since: datetime
    until: datetime
    fiscal_year_start_month: int = 1
    id_name: Literal["id", "opportunity_id"] = "id"
    name_field: Literal["name_folded", "name"] = "name_folded"


def frame_of(question: Question, *, since: datetime) -> Frame:
    """The frame of a question's list."""
    return Frame(
        today=question.day,
        since=since,
        until=question.as_of,
        fiscal_year_start_month=question.organization.fiscal_year_start_month,
        id_name="opportunity_id" if question.is_past else "id",
        name_field="name" if question.is_past else "name_folded",
    )


def is_overdue(frame: Frame) -> Q:
    return Q(outcome__isnull=True, close_date__lt=frame.today)


def has_no_close_date(frame: Frame) -> Q:
    return Q(close_date__isnull=True)


def has_no_amount(frame: Frame) -> Q:
    return Q(amount_minor__isnull=True)


def has_no_next_step(frame: Frame) -> Q:
    return Q(outcome__isnull=True, next_step="")


def has_changed(frame: Frame) -> Q:
    """Created or edited since the compared instant."""
    later = OpportunityVersion.objects.filter(
        opportunity_id=OuterRef(frame.id_name),
        valid_from__gt=frame.since,
        valid_from__lte=frame.until,
        known_to=FOREVER,
    )
    return Q(Exists(later))


@dataclass(frozen=True)
class Flag:
    """A yes-or-no condition that is also a tab of the list, with its count."""

    key: str
    label: str
    condition: Callable[[Frame], Q]


FLAGS = (
    Flag("changed", "Changed", has_changed),
    Flag("overdue", "Close date passed", is_overdue),
    Flag("no_next_step", "No next step", has_no_next_step),
    Flag("no_close_date", "No close date", has_no_close_date),
    Flag("no_amount", "No amount", has_no_amount),
)


class WordsIn(django_filters.BaseInFilter, django_filters.CharFilter):
    """Several values in one parameter: stage=a,b."""


class DealFilter(django_filters.FilterSet):
    """Conditions of a list of deals; each parameter of the address narrows it. Default outcome: open."""

    q = django_filters.CharFilter(method="named", max_length=200)
    stage = WordsIn(method="in_stages")
    category = WordsIn(method="in_categories")
    account = django_filters.UUIDFilter(field_name="account_id")
    owner = django_filters.UUIDFilter(field_name="owner_id")
    period = django_filters.CharFilter(method="closing_in")
    outcome = django_filters.ChoiceFilter(choices=OUTCOMES, method="ended")
    changed = django_filters.BooleanFilter(method="flagged")
    overdue = django_filters.BooleanFilter(method="flagged")
    no_next_step = django_filters.BooleanFilter(method="flagged")
    no_close_date = django_filters.BooleanFilter(method="flagged")
    no_amount = django_filters.BooleanFilter(method="flagged")

    class Meta:
        model = Opportunity
        fields: tuple[str, ...] = ()

    def __init__(self, parameters: Mapping[str, Any], *, queryset: Any, frame: Frame) -> None:
        data = parameters.dict() if isinstance(parameters, QueryDict) else dict(parameters)
        data.setdefault("outcome", "open")
        super().__init__(data, queryset=queryset)
        self.frame = frame

    def narrowed(self) -> Any:
        """The queryset under all conditions. Raises BadQuestion for a value that can't be meant."""
        for parameter, errors in self.errors.items():
            raise BadQuestion(parameter, " ".join(str(error) for error in errors))
        return self.qs

    def named(self, rows: Any, _: str, text: str) -> Any:
        """Deals whose name starts with the words or has them at a word's start, or whose account's does."""
        words = fold(text)
        field = self.frame.name_field
        if not words:
            return rows
        if field == "name":
            own = Q(name__istartswith=words) | Q(name__icontains=f" {words}")
        else:
            own = Q(name_folded__gte=words, name_folded__lt=words + LAST) | Q(
                name_folded__contains=f" {words}"
            )
        accounts = Account.objects.filter(name_folded__gte=words, name_folded__lt=words + LAST)
        return rows.filter(own | Q(account_id__in=accounts.values("id")))

    def in_stages(self, rows: Any, _: str, stages: list[str]) -> Any:
        ids = [stage for stage in stages if stage != NO_STAGE]
        try:
            condition = Q(stage_id__in=ids)
            return rows.filter(condition | Q(stage_id__isnull=True) if NO_STAGE in stages else condition)
        except ValueError as problem:
            raise BadQuestion("stage", f"“{','.join(stages)}” is not a stage’s id") from problem

    def in_categories(self, rows: Any, _: str, categories: list[str]) -> Any:
        unknown = [category for category in categories if category not in (*Category.values, NO_STAGE)]
        if unknown:
            raise BadQuestion("category", f"“{unknown[0]}” is none of: {', '.join(Category.values)}")
        condition = Q(category__in=categories)
        return rows.filter(condition | Q(category__isnull=True) if NO_STAGE in categories else condition)

    def closing_in(self, rows: Any, _: str, key: str) -> Any:
        try:
            period = parse_period(key, fiscal_year_start_month=self.frame.fiscal_year_start_month)
        except PeriodError as problem:
            raise BadQuestion("period", str(problem)) from problem
        return rows.filter(close_date__gte=period.first, close_date__lt=period.end)

    def ended(self, rows: Any, _: str, outcome: str) -> Any:
        if outcome == "open":
            return rows.filter(outcome__isnull=True)
        if outcome == "closed":
            return rows.filter(outcome__isnull=False)
        return rows if outcome == "all" else rows.filter(outcome=outcome)

    def flagged(self, rows: Any, name: str, wanted: bool) -> Any:
        condition = next(flag.condition for flag in FLAGS if flag.key == name)(self.frame)
        return rows.filter(condition) if wanted else rows.exclude(condition)
