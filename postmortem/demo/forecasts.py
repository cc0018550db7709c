"""What an organization agreed on about its forecast over the past two years: when calls are due, of what there are
forecasts, what is paid, how a new rep's quota ramps up; and each quarter's grid as it was locked.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from uuid import UUID

from forecasting.calls.models import Call
from forecasting.locks.models import Lock, Unlock
from forecasting.locks.services import grid_keep
from forecasting.pay.models import Cycle, PayPlan
from forecasting.quotas.models import Quota, QuotaRamp
from forecasting.rhythm.models import Rhythm
from forecasting.types.models import ForecastType, ForecastTypeFilter
from otc.calendar.queries import calendar_of
from otc.calendar.rules import Kind, Period, following, period_of
from otc.demo.company import DemoCompany
from otc.demo.ids import demo_id
from otc.tenancy.models import Organization, Person, Role
from postmortem.demo.copying import copy_rows
from postmortem.demo.opinions import OpinionWriter

CALL_HOUR, LOCK_GRACE_DAYS = 17, 2
# Types came with a past quarter: so many lie between its first day and the running one.
TYPED_QUARTERS = 2
# Share of a quota in percent, by the kinds that the type asks for.
TYPES = (("New business", ("Expansion", "New business"), 88), ("Renewal", ("Renewal",), 12))
TYPED_CALLS_DAYS = timedelta(days=10)
RAMP = (0, 25, 50, 75)
PLANS = (
    (Role.REP, ((0, 400), (5_000, 600), (10_000, 900)), "Plan of the year: more from the quota on"),
    (Role.MANAGER, ((0, 80), (10_000, 150)), "Managers are paid for their teams"),
)
REOPENED_AFTER, CLOSED_AGAIN_AFTER = timedelta(days=3, hours=9), timedelta(days=4, hours=10)
REOPENED_BECAUSE = "Two orders of the last day were still with legal"
LOCKED_AGAIN_BECAUSE = "Both orders are in"


class ForecastWriter:
    """Writes for one company, whose deals, calls and quotas are written; every id follows from the company's seed."""

    def __init__(self, company: DemoCompany, people: dict[str, str], *, organization: Organization) -> None:
        self.company, self.people, self.organization = company, people, organization
        days = company.workdays
        self.since, self.morning = days.midnight(0), days.midnight(days.today)
        self.periods = self.quarters()
        self.running = self.periods[-1]
        by_role = Person.objects.filter(left_on=None).order_by("external_id")
        self.operations = by_role.filter(role=Role.OPERATIONS).first()

    def write(self) -> None:
        """Write all of it, in the order in which it happened: a lock keeps the grids of the types of its time."""
        Rhythm.objects.create(
            call_kind="quarter",
            call_weekday=4,
            call_hour=CALL_HOUR,
            reminds=True,
            lock_grace_days=LOCK_GRACE_DAYS,
            locks_weeks=False,
            mails=True,
            mail_weekday=0,
            mail_hour=7,
        )
        self.pay_plans()
        self.ramps()
        past = self.periods[:-1]
        OpinionWriter(self.company, self.people, organization=self.organization).write(
            past=past, running=self.running
        )
        for period in past[:-TYPED_QUARTERS]:
            self.lock(period)
        self.types(from_=self.periods[-1 - TYPED_QUARTERS])
        for period in past[-TYPED_QUARTERS:]:
            self.lock(period, is_reopened=period is past[-1])

    def quarters(self) -> list[Period]:
        """From the window's first to the running one."""
        days = self.company.workdays
        found = [period_of(days.first, kind=Kind.QUARTER, calendar=calendar_of(self.organization))]
        while found[-1].end <= days.dates[days.today]:
            found.append(following(found[-1]))
        return found

    # -- rules

    def pay_plans(self) -> None:
        starts_on = self.periods[0].first
        PayPlan.objects.bulk_create(
            PayPlan(
                id=self.id_of("pay plan", role, at=self.since),
                role=role,
                starts_on=starts_on,
                cycle=Cycle.QUARTER,
                tiers=[list(tier) for tier in tiers],
                reason=reason,
                made_by=self.operations,
                made_at=self.since + timedelta(hours=10),
            )
            for role, tiers, reason in PLANS
        )

    def ramps(self) -> None:
        """Of every rep who came in the window."""
        came = [one for one in self.company.people if one.role == Role.REP]
        copy_rows(
            QuotaRamp,
            columns=("id", "person_id", "starts_on", "shares", "said_at", "set_by_id"),
            rows=[
                (
                    self.id_of("ramp", one.key, at=self.since),
                    *(self.people[one.key], one.joined, list(RAMP)),
                    self.local(one.joined) + timedelta(hours=9),
                    self.operations.id if self.operations else None,
                )
                for one in came
                if one.joined > self.company.workdays.first
            ],
        )

    def types(self, *, from_: Period) -> None:
        """Two forecasts beside that of all deals from a quarter's first day on, with their share of the quotas."""
        at = self.local(from_.first)
        keys = [
            period.key for period in (*self.periods[self.periods.index(from_) :], following(self.running))
        ]
        whole = list(Quota.objects.filter(period__in=keys).order_by("period", "person_id", "valid_from"))
        for position, (name, kinds, percent) in enumerate(TYPES):
            made = ForecastType.objects.create(
                id=self.id_of("type", name, at=at),
                name=name,
                slug=name.lower().replace(" ", "-"),
                position=position,
            )
            ForecastTypeFilter.objects.create(
                id=self.id_of("type filter", name, at=at),
                type=made,
                conditions={"kind": list(kinds)},
                known_from=at,
                set_by=self.operations,
            )
            self.typed_quotas(made, whole, percent=percent)
            self.typed_calls(made, percent=percent)

    def typed_quotas(self, type_: ForecastType, whole: list[Quota], *, percent: int) -> None:
        columns = ("id", "person_id", "period", "type_id", "amount_minor", "valid_from", "valid_to", "reason")
        copy_rows(
            Quota,
            columns=columns,
            rows=[
                (
                    self.id_of("typed quota", f"{type_.slug}:{quota.id}", at=self.since),
                    *(quota.person_id, quota.period, type_.id, quota.amount_minor * percent // 100),
                    *(quota.valid_from, quota.valid_to, quota.reason),
                )
                for quota in whole
            ],
        )

    def typed_calls(self, type_: ForecastType, *, percent: int) -> None:
        """What was called last, apart by type."""
        recent = Call.objects.filter(
            period=self.running.key, type=None, submitted_at__gte=self.morning - TYPED_CALLS_DAYS
        )
        columns = (
            "id",
            "person_id",
            "period",
            "type_id",
            "column",
            "amount_minor",
            "currency",
            "submitted_at",
        )
        copy_rows(
            Call,
            columns=(*columns, "submitted_by_id"),
            rows=[
                (
                    self.id_of("typed call", f"{type_.slug}:{call.id}", at=call.submitted_at),
                    *(call.person_id, call.period, type_.id, call.column),
                    *(call.amount_minor * percent // 100, call.currency),
                    *(call.submitted_at + timedelta(minutes=2), call.submitted_by_id),
                )
                for call in recent.order_by("person__external_id", "column", "submitted_at")
            ],
        )

    # -- locks

    def lock(self, period: Period, *, is_reopened: bool = False) -> None:
        """The period's end locked it, once it had come. One was opened again for a day."""
        at = self.local(period.end + timedelta(days=LOCK_GRACE_DAYS))
        reopened, again = at + REOPENED_AFTER, at + CLOSED_AGAIN_AFTER
        if at >= self.morning:
            return
        lock = self.locked(period, at=at)
        if is_reopened and again < self.morning:
            Unlock.objects.create(
                id=self.id_of("unlock", period.key, at=reopened),
                lock=lock,
                unlocked_at=reopened,
                unlocked_by=self.operations,
                reason=REOPENED_BECAUSE,
            )
            self.locked(period, at=again, by=self.operations, reason=LOCKED_AGAIN_BECAUSE)

    def locked(self, period: Period, *, at: datetime, by: Person | None = None, reason: str = "") -> Lock:
        lock = Lock.objects.create(
            id=self.id_of("lock", period.key, at=at),
            period=period.key,
            label=period.label,
            first=period.first,
            end=period.end,
            locked_at=at,
            locked_by=by,
            reason=reason,
            currency=self.organization.currency,
        )
        grid_keep(self.organization, lock=lock, period=period, now=at)
        return lock

    # -- what they are made of

    def local(self, day: date) -> datetime:
        """The instant at which a day of the window begins."""
        days = self.company.workdays
        return days.midnight((day - days.first).days)

    def id_of(self, kind: str, key: str, *, at: datetime) -> UUID:
        return demo_id(self.company.seed, kind=f"forecast {kind}", key=key, at=at)
