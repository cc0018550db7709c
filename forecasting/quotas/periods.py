"""What becomes of quotas and calls when the fiscal calendar changes the days of their periods?"""

from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db.models import Count

from forecasting.calls.models import Call
from forecasting.quotas.models import Quota
from otc.audit.services import audit_append
from otc.calendar.holders import Shares
from otc.money.rules import allocate


class QuotaPeriods:
    """A quota is shared out over the new periods by the days that they have of the old one, to the minor unit."""

    name = "quotas"
    fate = "shared out by days"

    def held(self) -> Mapping[str, int]:
        return dict(Quota.objects.values_list("period").annotate(count=Count("id")).order_by())

    def share_out(self, keys: frozenset[str], shares: Shares) -> Any:
        rows = list(Quota.objects.filter(period__in=keys).order_by("period", "person_id"))
        wanted: dict[tuple[UUID, str], int] = Counter()
        for row in rows:
            parts = shares(row.period)
            amounts = allocate(row.amount_minor, weights=[days for _, days in parts])
            for (key, _), amount_minor in zip(parts, amounts, strict=True):
                wanted[row.person_id, key] += amount_minor
        Quota.objects.filter(period__in=keys).delete()
        Quota.objects.bulk_create(
            Quota(person_id=person_id, period=key, amount_minor=amount_minor)
            for (person_id, key), amount_minor in sorted(wanted.items(), key=str)
        )
        if rows:
            audit_append(
                "quota.shared_out",
                summary=f"{len(rows):,} quotas became {len(wanted):,}: the calendar's periods have other days",
                detail={
                    "before": sorted({row.period for row in rows}),
                    "after": sorted({key for _, key in wanted}),
                },
            )
        made: dict[str, list[str]] = defaultdict(list)
        for person_id, key in wanted:
            made[key].append(str(person_id))
        before = [[str(row.person_id), row.period, row.amount_minor] for row in rows]
        return {"made": made, "before": before}

    def restore(self, before: Any) -> None:
        for key, people in before["made"].items():
            Quota.objects.filter(period=key, person_id__in=people).delete()
        Quota.objects.bulk_create(
            Quota(person_id=UUID(person_id), period=period, amount_minor=amount_minor)
            for person_id, period, amount_minor in before["before"]
        )
        if before["before"]:
            audit_append(
                "quota.restored",
                summary=f"{len(before['before']):,} quotas are as they were before the calendar changed",
                detail={"after": sorted({period for _, period, _ in before["before"]})},
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
