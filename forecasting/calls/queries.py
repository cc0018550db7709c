"""Which calls counted at an instant?"""

from datetime import datetime
from uuid import UUID

from forecasting.calls.models import Call, CallColumn


def latest_calls(
    period_key: str, *, as_of: datetime, column: str = CallColumn.COMMIT, type_id: UUID | None = None
) -> dict[UUID, Call]:
    """The latest call of each person for a period, column and type (None: of all deals), as it stood at `as_of`."""
    calls = Call.objects.filter(period=period_key, column=column, type_id=type_id, submitted_at__lte=as_of)
    return {
        call.person_id: call for call in calls.order_by("person_id", "-submitted_at").distinct("person_id")
    }


def calls_of(person_id: UUID, period_key: str, *, until: datetime, type_id: UUID | None = None) -> list[Call]:
    """Every call of a person for a period and type, in all columns, submitted up to an instant, the earliest first."""
    calls = Call.objects.filter(
        person_id=person_id, period=period_key, type_id=type_id, submitted_at__lte=until
    )
    return list(calls.order_by("submitted_at"))
