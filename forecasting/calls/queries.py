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
