"""Which calls counted at an instant?"""

from datetime import datetime
from uuid import UUID

from forecasting.calls.models import Call, CallColumn


def latest_calls(period_key: str, *, as_of: datetime, column: str = CallColumn.COMMIT) -> dict[UUID, Call]:
    """The latest call of each person for a period and column, as it stood at `as_of`."""
    calls = Call.objects.filter(period=period_key, column=column, submitted_at__lte=as_of)
    return {
        call.person_id: call for call in calls.order_by("person_id", "-submitted_at").distinct("person_id")
    }
