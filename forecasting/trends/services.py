"""Keep the weekly sums: clear those that no longer hold, and sum every week that ended and has none."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import asdict
from datetime import datetime
from typing import Protocol
from zoneinfo import ZoneInfo

from django.db import connection
from django.db.models import Min

from forecasting.trends.models import StageWeek, SumsStale, WeeklySample, WeeklySum
from forecasting.trends.queries import summed_from_versions
from forecasting.trends.rules import PAST_PERIODS, Sample, Sums, samples_of
from forecasting.trends.stages import NO_STAGE, Spot, StagePast, became_of, kept_of
from otc.calendar.queries import calendar_of
from otc.calendar.rules import Kind, Period, following, period_of, previous
from otc.tenancy.context import current_organization_id
from otc.tenancy.models import Organization
from pipeline.opportunities.models import Opportunity

# Weeks are summed from versions when they are asked for.
KEPT_KINDS = (Kind.YEAR, Kind.QUARTER, Kind.MONTH)


class Step(Protocol):
    """Opens one short transaction of a longer piece of work, in the organization's context."""

    def __call__(self) -> AbstractContextManager[None]: ...


def sums_refresh(step: Step, *, now: datetime) -> int:
    """Bring the organization's weekly sums up to date, one period a step. Returns how many samples were summed.

    A change that commits meanwhile leaves its own mark, which stays: what was summed without it isn't trusted.
    """
    with step():
        _lock()
        _clear_stale()
        periods = list(_periods(now))
        zone = _zone()
    return sum(_sum_period(step, period, zone=zone, now=now) for period in periods)


def sums_forget() -> None:
    """Drop every kept sum, so that the next refresh makes all of them anew."""
    _lock()
    WeeklySum.objects.all().delete()
    WeeklySample.objects.all().delete()
    StageWeek.objects.all().delete()


def _clear_stale() -> None:
    """What was marked up to now: its samples go first, then its marks, in one transaction."""
    marks = list(SumsStale.objects.values_list("id", "since"))
    if not marks:
        return
    since = min(instant for _, instant in marks)
    WeeklySum.objects.filter(at__gte=since).delete()
    WeeklySample.objects.filter(at__gte=since).delete()
    StageWeek.objects.filter(until__gte=since).delete()
    SumsStale.objects.filter(id__in=[mark for mark, _ in marks]).delete()


def _periods(now: datetime) -> Iterator[Period]:
    """Every kept period up to the present one, from those that a page sets beside the organization's first."""
    earliest = Opportunity.objects.aggregate(earliest=Min("created_at"))["earliest"]
    if earliest is None:
        return
    organization = Organization.objects.get(id=current_organization_id())
    calendar, zone = calendar_of(organization), ZoneInfo(organization.timezone)
    for kind in KEPT_KINDS:
        period = period_of(earliest.astimezone(zone).date(), kind=kind, calendar=calendar)
        for _ in range(PAST_PERIODS):
            period = previous(period)
        while period.first <= now.astimezone(zone).date():
            yield period
            period = following(period)


def _sum_period(step: Step, period: Period, *, zone: ZoneInfo, now: datetime) -> int:
    with step():
        _lock()
        ended = samples_of(period, zone=zone, until=now)
        there = set(
            WeeklySample.objects.filter(first=period.first, end=period.end).values_list("at", flat=True)
        )
        missing = [sample for sample in ended if sample.at not in there]
        _write(missing)
        if ended and ended[-1].week == period.weeks:
            _write_stages([Spot(sample, ended[-1].at) for sample in ended])
    return len(missing)


def _write_stages(spots: list[Spot]) -> None:
    """What became of each week's open deals by stage, once their period is over."""
    there = kept_of(spots)
    organization = Organization.objects.get(id=current_organization_id())
    found = became_of([spot for spot in spots if spot not in there], corporate=organization.currency)
    StageWeek.objects.bulk_create(
        StageWeek(
            first=spot.sample.period.first,
            end=spot.sample.period.end,
            at=spot.sample.at,
            until=spot.until,
            stage_id=stage or None,
            **asdict(past),
        )
        for spot, by_stage in found.items()
        for stage, past in (by_stage or {NO_STAGE: StagePast()}).items()
    )


def _write(samples: list[Sample]) -> None:
    if not samples:
        return
    organization = Organization.objects.get(id=current_organization_id())
    found = summed_from_versions(samples, known=None, corporate=organization.currency)
    WeeklySample.objects.bulk_create(
        WeeklySample(first=first, end=end, at=at, **sum(by_owner.values(), Sums()).by_column)
        for (first, end, at), by_owner in found.items()
    )
    WeeklySum.objects.bulk_create(
        (
            WeeklySum(first=first, end=end, at=at, owner_id=owner_id, **sums.by_column)
            for (first, end, at), by_owner in found.items()
            for owner_id, sums in by_owner.items()
        ),
        batch_size=1000,
    )


def _zone() -> ZoneInfo:
    return ZoneInfo(Organization.objects.values_list("timezone", flat=True).get(id=current_organization_id()))


def _lock() -> None:
    """One refresh at a time in an organization, until the step commits."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))",
            [f"weekly sums {current_organization_id()}"],
        )
