"""What an opportunity looks like in JSON, coming in and going out. Rows go out straight from `.values()`."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from rest_framework import serializers

from otc.api.pages import PageQuery, Sort, sort_field
from otc.api.parameters import AttributesField, DayField, FrameQuery, Strict
from otc.fields.queries import Book
from otc.money.rules import LARGEST_MINOR, UnknownCurrency, decimals_of
from otc.tenancy.models import Organization
from otc.tenancy.reach import Reach
from pipeline.fields.api import FieldValues, with_fields
from pipeline.fit.matching import BAND, OF, POINTS, measure_now, unmeasured
from pipeline.fit.rules import BANDS
from pipeline.opportunities.filters import STATES, WITHOUT
from pipeline.opportunities.models import Outcome
from pipeline.opportunities.rules import OPEN_CATEGORIES
from pipeline.process.models import Category
from pipeline.team.queries import seen

# JSON name -> column, the same for a deal and for its versions.
STATE = {
    "name": "name",
    "account_id": "account_id",
    "account_name": "account__name",
    "owner_id": "owner_id",
    "owner_name": "owner__name",
    "process_id": "process_id",
    "stage_id": "stage_id",
    "stage_name": "stage__name",
    "category": "category",
    "category_set_by_person": "category_set_by_person",
    "amount_minor": "amount_minor",
    "currency": "currency",
    "close_date": "close_date",
    "outcome": "outcome",
    "closed_at": "closed_at",
    "reason_id": "reason_id",
    "reason_name": "reason__name",
    "competitor_id": "competitor_id",
    "competitor_name": "competitor__name",
    "product_id": "product_id",
    "product_name": "product__name",
    "source": "source",
    "kind": "kind",
    "next_step": "next_step",
    "next_step_on": "next_step_on",
    "attributes": "attributes",
}
PRESENT = {"id": "id", "external_id": "external_id", "created_at": "created_at"} | STATE
AS_OF = {
    "opportunity_id": "id",
    "opportunity__external_id": "external_id",
    "opportunity__created_at": "created_at",
}
SORTS = {
    "id": Sort("id", UUID),
    "created_at": Sort("created_at", datetime),
    "close_date": Sort("close_date", date, is_nullable=True),
    "amount_minor": Sort("amount_minor", int, is_nullable=True),
}
AS_OF_SORTS = SORTS | {
    "id": Sort("opportunity_id", UUID),
    "created_at": Sort("opportunity__created_at", datetime),
}
INCLUDED = ("fit",)
# Only where it is asked for.
FIT = {name: name for name in (POINTS, OF, BAND)}
PRESENT_NAMES = {column: name for name, column in PRESENT.items()}
AS_OF_NAMES = AS_OF | {column: name for name, column in STATE.items()}
NAME_OF = PRESENT_NAMES | AS_OF


def present_rows(deals: Any) -> Any:
    """A `.values()` queryset of deals as they stand."""
    return deals.values(*PRESENT.values())


def fitting_rows(deals: Any, *, organization: Organization) -> Any:
    """The same with how well each fits. One query, where the fields were read before."""
    measure = measure_now(organization)
    measured = measure.beside(deals) if measure else unmeasured(deals)
    return measured.values(*PRESENT.values(), *FIT)


def as_of_rows(versions: Any, *, visible: Reach) -> Any:
    """The same of versions: of deals that weren't deleted then and may be seen today."""
    found = versions.filter(
        seen(visible, deal="opportunity_id", owner="opportunity__owner"),
        deleted_at__isnull=True,
        opportunity__deleted_at__isnull=True,
    )
    return found.values(*AS_OF, *STATE.values())


def attribute_members(document: dict[str, Any], book: Book) -> dict[str, Any]:
    """What `items` makes of a row's attributes."""
    return with_fields({"attributes": document}, book)


def items(rows: Iterable[Mapping[str, Any]], book: Book) -> list[dict[str, Any]]:
    """Rows under their JSON names, custom fields under `fields`, the other attributes as they are."""
    return [with_fields({NAME_OF[column]: value for column, value in row.items()}, book) for row in rows]


class StateItem(serializers.Serializer):
    """Everything of a deal that has versions."""

    name = serializers.CharField()
    account_id = serializers.UUIDField(allow_null=True)
    account_name = serializers.CharField(allow_null=True)
    owner_id = serializers.UUIDField(allow_null=True)
    owner_name = serializers.CharField(allow_null=True)
    process_id = serializers.UUIDField(allow_null=True)
    stage_id = serializers.UUIDField(allow_null=True)
    stage_name = serializers.CharField(allow_null=True)
    category = serializers.ChoiceField(Category.choices, allow_null=True)
    category_set_by_person = serializers.BooleanField()
    amount_minor = serializers.IntegerField(allow_null=True, help_text="Minor units of `currency`.")
    currency = serializers.CharField()
    close_date = serializers.DateField(allow_null=True)
    outcome = serializers.ChoiceField(Outcome.choices, allow_null=True, help_text="Null while it is open.")
    closed_at = serializers.DateTimeField(allow_null=True)
    reason_id = serializers.UUIDField(allow_null=True)
    reason_name = serializers.CharField(allow_null=True)
    competitor_id = serializers.UUIDField(allow_null=True)
    competitor_name = serializers.CharField(allow_null=True)
    product_id = serializers.UUIDField(allow_null=True)
    product_name = serializers.CharField(allow_null=True)
    source = serializers.CharField(allow_blank=True)  # type: ignore[assignment]  # hides Field.source, on purpose
    kind = serializers.CharField(allow_blank=True)
    next_step = serializers.CharField(allow_blank=True)
    next_step_on = serializers.DateField(allow_null=True)
    attributes = AttributesField(help_text="What an import brought under no field.")
    fields = FieldValues()  # type: ignore[assignment]  # Serializer.fields stays: its metaclass takes this away


class OpportunityItem(StateItem):
    id = serializers.UUIDField()
    external_id = serializers.CharField(allow_null=True)
    created_at = serializers.DateTimeField()
    fit_points = serializers.IntegerField(
        required=False,
        allow_null=True,
        help_text="In the list, with `include=fit`; null where no scorecard asks for anything.",
    )
    fit_of = serializers.IntegerField(required=False, allow_null=True, help_text="The points there are.")
    fit_band = serializers.ChoiceField(BANDS, required=False, allow_null=True)


class OpportunityQuery(FrameQuery, PageQuery):
    """The list's filters; all of them hold together."""

    state = serializers.ChoiceField(STATES, required=False)
    category = serializers.ChoiceField(Category.choices, required=False)
    stage_id = serializers.UUIDField(required=False)
    account_id = serializers.UUIDField(required=False)
    product_id = serializers.UUIDField(required=False)
    close_date_from = DayField(required=False, help_text="This day or later.")
    close_date_before = DayField(required=False, help_text="Earlier than this day.")
    without = serializers.ChoiceField(WITHOUT, required=False, help_text="Where this is missing.")
    q = serializers.CharField(required=False, max_length=200, help_text="Words in the name.")
    fit = serializers.CharField(
        required=False,
        max_length=40,
        help_text=f"Bands with commas between: {', '.join(BANDS)}. Fit is of now: not with a past `as_of`.",
    )
    fit_from = serializers.IntegerField(
        required=False, min_value=0, max_value=100, help_text="This share of the points in percent, or more."
    )
    fit_to = serializers.IntegerField(
        required=False, min_value=0, max_value=100, help_text="This share of the points in percent, or less."
    )
    include = serializers.ChoiceField(
        INCLUDED, required=False, help_text="Also `fit_points`, `fit_of` and `fit_band` of each."
    )
    sort = sort_field(SORTS, default="id")


def next_step_field() -> serializers.CharField:
    """What whoever opens a deal is asked for, together with its day."""
    said = "Say what comes next: an open deal always has one next step"
    return serializers.CharField(
        max_length=500,
        error_messages={"required": said, "blank": said, "null": said},
        help_text="What is done next.",
    )


def next_step_day_field() -> DayField:
    """The day of the next step."""
    said = "Say on which day, like 2027-01-29: a next step has one"
    return DayField(error_messages={"required": said, "null": said}, help_text="Its day: today or later.")


class OpportunityInput(Strict):
    """What may be written. `attributes` replaces the whole object; `fields` changes those that are sent.

    A new deal is open, and an open one always has one next step with its day.
    """

    name = serializers.CharField(max_length=300)
    external_id = serializers.CharField(
        required=False, max_length=200, help_text="Yours; set when the deal is made and never again."
    )
    account_id = serializers.UUIDField(required=False, allow_null=True)
    owner_id = serializers.UUIDField(required=False, allow_null=True)
    process_id = serializers.UUIDField(
        required=False, help_text="Without `stage_id` the stage that the present one maps to, or the first."
    )
    stage_id = serializers.UUIDField(required=False, allow_null=True)
    category = serializers.ChoiceField(OPEN_CATEGORIES, required=False)
    amount_minor = serializers.IntegerField(
        required=False, allow_null=True, min_value=0, max_value=LARGEST_MINOR
    )
    currency = serializers.CharField(required=False, min_length=3, max_length=3)
    close_date = DayField(required=False, allow_null=True)
    competitor_id = serializers.UUIDField(required=False, allow_null=True)
    product_id = serializers.UUIDField(required=False, allow_null=True)
    source = serializers.CharField(  # type: ignore[assignment]  # as above
        required=False, allow_blank=True, max_length=100
    )
    kind = serializers.CharField(required=False, allow_blank=True, max_length=100)
    next_step = next_step_field()
    next_step_on = next_step_day_field()
    attributes = AttributesField(required=False)
    fields = FieldValues(required=False)  # type: ignore[assignment]  # as above

    def validate_currency(self, value: str) -> str:
        try:
            decimals_of(value)
        except UnknownCurrency as unknown:
            raise serializers.ValidationError(str(unknown)) from None
        return value


class OpportunityEdit(OpportunityInput):
    """Only what is sent changes."""

    name = serializers.CharField(max_length=300, required=False)
    next_step = serializers.CharField(required=False, allow_blank=True, max_length=500)
    next_step_on = DayField(required=False, allow_null=True)


class CloseInput(Strict):
    """How a deal ended; the close date becomes today unless an earlier one is given."""

    outcome = serializers.ChoiceField(Outcome.choices)
    reason_id = serializers.UUIDField()
    close_date = DayField(required=False)
    competitor_id = serializers.UUIDField(required=False, allow_null=True)


class NextStepInput(Strict):
    """What comes after the next step that is done, and on which day."""

    next_step = serializers.CharField(max_length=500)
    next_step_on = DayField()
