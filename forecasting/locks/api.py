"""Locks over the API: which there are, what one kept beside what is now, locking and unlocking."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from django.http import Http404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from forecasting.api_frame import MINOR
from forecasting.locks.queries import locks_with_ends
from forecasting.locks.report import DifferenceRow, difference_report
from forecasting.locks.services import period_unlock
from forecasting.locks.views import SWITCH, difference_asked, lock_by_hand
from forecasting.types.queries import type_asked
from otc.api.endpoints import Endpoint
from otc.api.pages import PageQuery, Sort, keyset_page, page_schema, paged, sort_field
from otc.api.parameters import Strict
from otc.question import ask

TAGS = ["forecasting"]
COLUMNS = (
    "id",
    "period",
    "label",
    "type_id",
    "first",
    "end",
    "locked_at",
    "locked_by_id",
    "reason",
    "currency",
    "kept_at",
    "unlocked_at",
    "unlock_reason",
)
SORTS = {"locked_at": Sort("locked_at", datetime)}


class LockItem(serializers.Serializer):
    id = serializers.UUIDField()
    period = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]  # a field of ours, which DRF takes off the class
    type_id = serializers.UUIDField(allow_null=True, help_text="Null: the whole period, with every type.")
    first = serializers.DateField(help_text="The first day of the period, under the calendar of then.")
    end = serializers.DateField(help_text="The first day after it.")
    locked_at = serializers.DateTimeField()
    locked_by_id = serializers.UUIDField(allow_null=True, help_text="Null: the period’s end did it.")
    reason = serializers.CharField(allow_blank=True)
    currency = serializers.CharField(help_text="Of every kept amount.")
    kept_at = serializers.DateTimeField(allow_null=True, help_text="Null until the grid is kept.")
    unlocked_at = serializers.DateTimeField(allow_null=True)
    unlock_reason = serializers.CharField(allow_null=True)


class LockQuery(PageQuery):
    period = serializers.CharField(required=False, max_length=8)
    sort = sort_field(SORTS, default="-locked_at")


class LockInput(Strict):
    """Lock a period that has begun. It locks by itself when it ends."""

    period = serializers.CharField(max_length=8, help_text="2026-Q4, 2026-11 or 2026.")
    type = serializers.CharField(
        required=False,
        max_length=50,
        help_text="Only this forecast type, by its slug; default: the whole period.",
    )
    reason = serializers.CharField(required=False, allow_blank=True, max_length=500)


class UnlockInput(Strict):
    reason = serializers.CharField(max_length=500, help_text="Goes on record.")


class DifferenceQuery(Strict):
    as_of = serializers.CharField(
        required=False, max_length=40, help_text="Compare with this later day instead of now."
    )
    scope = serializers.CharField(
        required=False, max_length=40, help_text="Whose moved deals; default: all you see."
    )
    type = serializers.CharField(
        required=False, max_length=50, help_text="A forecast type's slug; default: all deals."
    )
    column = serializers.ChoiceField(
        [key for key, _ in SWITCH],
        required=False,
        help_text="Of the moved deals. Default: commit_cumulative.",
    )


class DifferenceCellItem(serializers.Serializer):
    then_minor = serializers.IntegerField(help_text=f"Final, as it was locked. {MINOR}")
    now_minor = serializers.IntegerField(help_text=MINOR)
    difference_minor = serializers.IntegerField(help_text=MINOR)
    deals_minor = serializers.IntegerField(help_text=f"What deals alone changed. {MINOR}")
    adjustments_minor = serializers.IntegerField(help_text=f"The rest of the difference. {MINOR}")


class DifferenceRowItem(serializers.Serializer):
    person_id = serializers.UUIDField(allow_null=True, help_text="Null for unassigned and for the total.")
    kind = serializers.CharField(help_text="person, unassigned or total.")
    name = serializers.CharField()
    depth = serializers.IntegerField()
    is_new = serializers.BooleanField(help_text="Came after the lock.")
    is_gone = serializers.BooleanField(help_text="In the lock only.")
    quota_then_minor = serializers.IntegerField(allow_null=True)
    quota_now_minor = serializers.IntegerField(allow_null=True)
    call_then_minor = serializers.IntegerField(allow_null=True, help_text="For commit.")
    call_now_minor = serializers.IntegerField(allow_null=True)
    columns = serializers.DictField(child=DifferenceCellItem(), help_text="By column.")


class MovedDealItem(serializers.Serializer):
    deal_id = serializers.UUIDField()
    name = serializers.CharField()
    then_minor = serializers.IntegerField(help_text=MINOR)
    now_minor = serializers.IntegerField(help_text=MINOR)
    because = serializers.CharField()


class DifferenceItem(LockItem):
    as_of = serializers.DateTimeField()
    rows = DifferenceRowItem(many=True)
    total = DifferenceRowItem(allow_null=True, help_text="Only for who sees everything.")
    column = serializers.CharField(help_text="Of the moved deals.")
    moved = MovedDealItem(many=True, help_text="The largest hundred.")
    moved_count = serializers.IntegerField()
    moved_difference_minor = serializers.IntegerField(help_text=f"Of all of them. {MINOR}")


class Locks(Endpoint):
    actions: ClassVar[dict[str, str]] = {"GET": "view_forecast", "POST": "lock_period"}

    @extend_schema(
        operation_id="forecast_locks_list", tags=TAGS, parameters=[LockQuery], responses=page_schema(LockItem)
    )
    def get(self, request: Request) -> Response:
        """Every lock, the latest first, with when it was opened again."""
        parameters = self.parameters(LockQuery)
        rows = locks_with_ends().order_by()
        if "period" in parameters:
            rows = rows.filter(period=parameters["period"])
        return Response(
            paged(request, keyset_page(rows.values(*COLUMNS), parameters=parameters, sorts=SORTS))
        )

    @extend_schema(
        operation_id="forecast_locks_lock", tags=TAGS, request=LockInput, responses={201: LockItem}
    )
    def post(self, request: Request) -> Response:
        """Lock a period now: nobody calls or adjusts it any more, and its grid is kept."""
        fields = self.content(LockInput)
        type_ = type_asked(fields.get("type", ""))
        lock = lock_by_hand(
            ask(self.tenant, {"period": fields["period"]}),
            reason=fields.get("reason", ""),
            type_id=type_.id if type_ else None,
        )
        return Response(lock_values(lock.id), status=201)


class LockDetail(Endpoint):
    actions: ClassVar[dict[str, str]] = {"GET": "view_forecast"}

    @extend_schema(
        operation_id="forecast_locks_difference",
        tags=TAGS,
        parameters=[DifferenceQuery],
        responses=DifferenceItem,
    )
    def get(self, request: Request, lock_id: UUID) -> Response:
        """The kept grid beside that of now or of a later day, and the deals that moved."""
        lock = locks_with_ends().filter(id=lock_id).first()
        if lock is None:
            raise Http404
        asked = self.parameters(DifferenceQuery)
        question, column = difference_asked(self.tenant, lock, asked)
        type_ = type_asked(asked.get("type", ""))
        report = difference_report(question, lock, column=column, type_id=type_.id if type_ else None)
        moved = [
            {
                "deal_id": deal.deal_id,
                "name": deal.name,
                "then_minor": deal.then_minor,
                "now_minor": deal.now_minor,
                "because": deal.because,
            }
            for deal in report.moved.deals
        ]
        return Response(
            lock_values(lock.id)
            | {
                "as_of": question.as_of,
                "rows": [row_item(row) for row in report.rows],
                "total": row_item(report.total) if report.total else None,
                "column": column,
                "moved": moved,
                "moved_count": report.moved.count,
                "moved_difference_minor": report.moved.difference_minor,
            }
        )


class LockEnd(Endpoint):
    actions: ClassVar[dict[str, str]] = {"POST": "lock_period"}

    @extend_schema(operation_id="forecast_locks_unlock", tags=TAGS, request=UnlockInput, responses=LockItem)
    def post(self, request: Request, lock_id: UUID) -> Response:
        """Open a period again, with a reason. What was kept stays."""
        lock = locks_with_ends().filter(id=lock_id).first()
        if lock is None:
            raise Http404
        fields = self.content(UnlockInput)
        period_unlock(lock, reason=fields["reason"], now=self.tenant.now, author=self.tenant.person)
        return Response(lock_values(lock_id))


def lock_values(lock_id: UUID) -> dict[str, Any]:
    values: dict[str, Any] = locks_with_ends().filter(id=lock_id).values(*COLUMNS).get()
    return values


def row_item(row: DifferenceRow) -> dict[str, Any]:
    return {
        "person_id": row.person_id,
        "kind": row.kind,
        "name": row.name,
        "depth": row.depth,
        "is_new": row.is_new,
        "is_gone": row.is_gone,
        "quota_then_minor": row.quota_then_minor,
        "quota_now_minor": row.quota_now_minor,
        "call_then_minor": row.call_then_minor,
        "call_now_minor": row.call_now_minor,
        "columns": {
            column: {
                "then_minor": cell.then_minor,
                "now_minor": cell.now_minor,
                "difference_minor": cell.difference_minor,
                "deals_minor": cell.deals_minor,
                "adjustments_minor": cell.adjustments_minor,
            }
            for column, cell in row.cells.items()
        },
    }
