"""What becomes of quotas and calls when the fiscal calendar changes the days of their periods?"""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Count
from django.utils import timezone

from forecasting.calls.models import Call
from forecasting.quotas.models import Quota
from otc.audit.services import audit_append
from otc.calendar.holders import Shares
from otc.calendar.rules import CalendarRefused
from otc.money.rules import allocate
from otc.tenancy.models import FOREVER


class QuotaPeriods:
    """A quota is shared out over the new periods by the days that they have of the old one, to the minor unit."""

    name = "quotas"
    fate = "shared out by days"

    def held(self) -> Mapping[str, int]:
        standing = Quota.objects.filter(valid_to=FOREVER, known_to=FOREVER)
        return dict(standing.values_list("period").annotate(count=Count("id")).order_by())

    def share_out(self, keys: frozenset[str], shares: Shares) -> Any:
        standing = Quota.objects.filter(period__in=keys, valid_to=FOREVER, known_to=FOREVER)
        rows = list(standing.order_by("period", "person_id"))
        wanted: dict[tuple[UUID, str, UUID | None], int] = Counter()
        for row in rows:
            parts = shares(row.period)
            amounts = allocate(row.amount_minor, weights=[days for _, days in parts])
            for (key, _), amount_minor in zip(parts, amounts, strict=True):
                wanted[row.person_id, key, row.type_id] += amount_minor
        now = timezone.now()
        # What was a quota on a past day stays one; what stands is another from now on.
        Quota.objects.filter(id__in=[row.id for row in rows]).update(valid_to=now)
        Quota.objects.bulk_create(
            Quota(person_id=person, period=key, type_id=type_id, amount_minor=amount, valid_from=now)
            for (person, key, type_id), amount in sorted(wanted.items(), key=str)
        )
        if rows:
            audit_append(
                "quota.shared_out",
                summary=f"{len(rows):,} quotas became {len(wanted):,}: the calendar's periods have other days",
                detail={
                    "before": sorted({row.period for row in rows}),
                    "after": sorted({key for _, key, _ in wanted}),
                },
            )
        return {"at": now.isoformat(), "count": len(rows), "periods": sorted({row.period for row in rows})}

    def restore(self, before: Any) -> None:
        """Raises CalendarRefused where somebody set one of these quotas since: people say which one counts."""
        at = datetime.fromisoformat(before["at"])
        made = Quota.objects.filter(valid_from=at)
        restored = Quota.objects.filter(valid_to=at, known_to=FOREVER).values_list(
            "person_id", "period", "type_id"
        )
        standing = Quota.objects.filter(valid_to=FOREVER, known_to=FOREVER).exclude(valid_from=at)
        taken = set(standing.values_list("person_id", "period", "type_id"))
        is_other = made.exclude(valid_to=FOREVER, known_to=FOREVER).exists()
        if is_other or not taken.isdisjoint(restored):
            raise CalendarRefused("Quotas were changed since the calendar was; change the calendar by hand.")
        made.delete()
        Quota.objects.filter(valid_to=at, known_to=FOREVER).update(valid_to=FOREVER)
        if before["count"]:
            audit_append(
                "quota.restored",
                summary=f"{before['count']:,} quotas are as they were before the calendar changed",
                detail={"after": before["periods"]},
            )


class CallPeriods:
    """A call is what somebody said of the days that its period had then: it stays as it is."""

    name = "calls"
    fate = "they stay as they were said, under their old periods"

    def held(self) -> Mapping[str, int]:
        return dict(Call.objects.values_list("period").annotate(count=Count("id")).order_by())

    def share_out(self, keys: frozenset[str], shares: Shares) -> Any:
        return None

    def restore(self, before: Any) -> None:
        return
