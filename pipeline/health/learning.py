"""What is too long in a stage: learned from the organization's own won deals, kept with dates."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from django.db import connection

from otc.tenancy.context import current_organization_id
from otc.tenancy.models import FOREVER
from pipeline.health.models import HealthThreshold
from pipeline.health.queries import WonDeals, won_deals_by_stage
from pipeline.health.rules import ENOUGH_WON_DEALS, Thresholds, learned, whole_days

# What stood at the instant; before anything was kept, the first that was.
STANDING = """
SELECT DISTINCT ON (stage_id) stage_id, won_deals, stalled_days, silent_days, least_days_to_close, valid_to <= %(at)s
FROM pipeline_healththreshold WHERE organization_id = %(organization)s
ORDER BY stage_id, valid_from > %(at)s, CASE WHEN valid_from > %(at)s THEN valid_from END, valid_from DESC,
  valid_to DESC
"""


def thresholds_learn(*, now: datetime) -> dict[UUID, Thresholds]:
    """Learn anew what won deals needed per stage. A threshold that moved gets a row from `now` on; one that didn't
    only counts the deals it was learned from.
    """
    found = {stage: _kept(won) for stage, won in won_deals_by_stage().items()}
    standing = {row.stage_id: row for row in HealthThreshold.objects.filter(valid_to=FOREVER)}
    moved, counted = [], []
    for stage, row in found.items():
        before = standing.get(stage)
        if before is None or _days(before) != _days(row):
            moved.append(row)
            row.stage_id, row.valid_from = stage, now
        elif before.won_deals != row.won_deals:
            before.won_deals = row.won_deals
            counted.append(before)
    ended = [row.stage_id for row in moved] + [stage for stage in standing if stage not in found]
    HealthThreshold.objects.filter(valid_to=FOREVER, stage_id__in=ended).update(valid_to=now)
    HealthThreshold.objects.bulk_create(moved)
    HealthThreshold.objects.bulk_update(counted, ["won_deals"])
    return {
        stage: _thresholds(row.won_deals, row.stalled_days, row.silent_days, row.least_days_to_close)
        for stage, row in found.items()
    }


def thresholds_at(at: datetime) -> Mapping[UUID, Thresholds]:
    """What deals in each stage were held against at `at`; stages without a row have the defaults. One query."""
    with connection.cursor() as cursor:
        cursor.execute(STANDING, {"organization": str(current_organization_id()), "at": at})
        return {row[0]: _thresholds(*row[1:5]) for row in cursor.fetchall() if not row[5]}


def _kept(won: WonDeals) -> HealthThreshold:
    return HealthThreshold(
        won_deals=won.won_deals,
        stalled_days=whole_days(won.stage_days_p80),
        silent_days=whole_days(won.silence_days_p80),
        least_days_to_close=whole_days(won.days_to_close_p20),
    )


def _days(row: HealthThreshold) -> tuple[object, ...]:
    """What a threshold says: as good as nothing while it is of too few deals."""
    is_enough = row.won_deals >= ENOUGH_WON_DEALS
    return (is_enough, row.stalled_days, row.silent_days, row.least_days_to_close)


def _thresholds(
    won_deals: int, stalled_days: int | None, silent_days: int | None, least_days_to_close: int | None
) -> Thresholds:
    return learned(
        won_deals=won_deals,
        stage_days_p80=stalled_days,
        silence_days_p80=silent_days,
        days_to_close_p20=least_days_to_close,
    )
