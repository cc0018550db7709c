"""What does an address ask? Period, scope, instant and whose knowledge, for page, API and CSV alike."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from otc.calendar.queries import calendar_of
from otc.calendar.rules import (
    FIRST_YEAR,
    LAST_YEAR,
    Calendar,
    Period,
    PeriodError,
    monday_before,
    parse_period,
    period_of,
)
from otc.money.queries import has_rates
from otc.tenancy.lines import EVERYONE, OWNED, Chart, Owners, chart_at, scope_owners
from otc.tenancy.middleware import Tenant
from otc.tenancy.models import Organization, Person
from otc.tenancy.reach import Reach

DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
INSTANT = re.compile(DAY.pattern + r"[T ][0-9]{2}")
CURRENCY = re.compile(r"[A-Z]{3}")
PAST_IS_READ = "The past can’t be edited; leave as_of out to write to what is now."


class BadQuestion(ValueError):
    """A parameter that can't be meant: which one, and what to write instead."""

    def __init__(self, parameter: str, message: str) -> None:
        super().__init__(message)
        self.parameter, self.message = parameter, message


@dataclass(frozen=True)
class Question:
    """One report's frame. `as_of` is the instant asked for, `known` the instant whose knowledge answers.

    `knowledge` is what was asked, then or now: a report that looks further back asks it of that instant too.
    What the viewer may see follows today's lines; `org_chart` (then or now) only groups.
    """

    organization: Organization
    viewer: Person
    now: datetime
    as_of: datetime
    known: datetime
    is_past: bool
    knowledge: str
    org_chart: str
    period: Period
    scope: str
    currency: str
    visible: Reach
    chart_today: Callable[[], Chart]

    @cached_property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.organization.timezone)

    @cached_property
    def day(self) -> date:
        """The organization's day at `as_of`."""
        return self.as_of.astimezone(self.zone).date()

    @property
    def since_monday(self) -> str:
        """How a page says it: of a Monday the one before is meant."""
        return "since last Monday" if self.day.weekday() == 0 else "since Monday"

    @cached_property
    def chart(self) -> Chart:
        return self.chart_of(self.as_of)

    @cached_property
    def owners(self) -> Owners:
        return self.owners_at(self.as_of)

    @property
    def calendar(self) -> Calendar:
        """The fiscal calendar as known at `known`."""
        return self.period.calendar

    @property
    def counted_scope(self) -> str:
        """The scope that lists just the deals that a sum counts: without those that only a seat opens."""
        return OWNED if self.scope == EVERYONE and self.visible.seated else self.scope

    @property
    def frame(self) -> dict[str, Any]:
        """What every report takes by keyword, beside the organization and the period."""
        return {
            "viewer": self.viewer,
            "as_of": self.as_of,
            "now": self.now,
            "scope": self.scope,
            "org_chart": self.org_chart,
            "currency": self.currency,
            "knowledge": self.knowledge,
        }

    def chart_of(self, instant: datetime) -> Chart:
        if self.org_chart == "now" or instant == self.now:
            return self.chart_today()
        if instant not in self._charts:
            self._charts[instant] = chart_at(instant)
        return self._charts[instant]

    @cached_property
    def _charts(self) -> dict[datetime, Chart]:
        """The charts of past instants that were asked for: a report asks for the same one several times."""
        return {}

    def owners_at(self, instant: datetime) -> Owners:
        """The owners that the scope meant at `instant`, as far as the viewer may see them today."""
        chart = self.chart if instant == self.as_of and "chart" in self.__dict__ else self.chart_of(instant)
        return scope_owners(self.scope, chart=chart, visible=self.visible.owners)

    @property
    def reach(self) -> Reach:
        """What a list shows: everything one may see, or the deals of the scope's owners."""
        return self.visible if self.scope == EVERYONE else Reach(self.owners)

    def start_of(self, day: date) -> datetime:
        """The instant at which `day` begins in the organization's zone."""
        return datetime.combine(day, time(), tzinfo=self.zone).astimezone(UTC)


def ask(tenant: Tenant, parameters: Mapping[str, str]) -> Question:
    """Read period, scope, as_of, knowledge, org_chart and currency.

    Raises BadQuestion, and UnknownScope for strangers. A currency that is asked for holds for the whole answer.
    """
    organization = tenant.organization
    as_of, is_past = _instant(parameters.get("as_of", ""), zone=tenant.zone, now=tenant.now)
    org_chart = _choice(parameters, "org_chart", ("then", "now"))
    knowledge = _choice(parameters, "knowledge", ("then", "now"))
    known = tenant.now if knowledge == "now" else as_of
    calendar = calendar_of(organization, known=known) if known < tenant.now else tenant.calendar
    question = Question(
        organization=organization,
        viewer=tenant.person,
        now=tenant.now,
        as_of=as_of,
        known=known,
        is_past=is_past,
        knowledge=knowledge,
        org_chart=org_chart,
        period=_period(parameters.get("period", ""), as_of.astimezone(tenant.zone).date(), calendar=calendar),
        scope=parameters.get("scope") or EVERYONE,
        currency=_currency(parameters.get("currency", ""), tenant),
        visible=tenant.visible,
        chart_today=lambda: tenant.chart,
    )
    _ = question.owners
    return question


def since_instant(question: Question, text: str, *, last_visit: datetime | None) -> tuple[str, datetime]:
    """What "changes since" means: monday (default), period, visit or a day; as its name and its instant.

    Never later than the question's own instant. On a Monday `monday` is the one before.
    """
    choice = text or "monday"
    if choice == "monday":
        instant = question.start_of(monday_before(question.day))
    elif choice == "period":
        instant = question.start_of(question.period.first)
    elif choice == "visit":
        instant = last_visit or question.start_of(monday_before(question.day))
    else:
        instant = question.start_of(_day(choice, "since"))
    return choice, min(instant, question.as_of)


def _currency(text: str, tenant: Tenant) -> str:
    """The currency of every total. One that the organization has no rates of converts nothing, so it is refused."""
    code = text.upper()
    is_known = not code or code == tenant.organization.currency
    if not is_known and not (CURRENCY.fullmatch(code) and has_rates(code)):
        raise BadQuestion(
            "currency", f"There is no rate of “{text[:20]}” here; ask for a currency that has rates"
        )
    tenant.asked_currency = code
    return tenant.currency


def _period(text: str, day: date, *, calendar: Calendar) -> Period:
    if not text:
        return period_of(day, calendar=calendar)
    try:
        return parse_period(text, calendar=calendar)
    except PeriodError as problem:
        raise BadQuestion("period", str(problem)) from problem


def _instant(text: str, *, zone: ZoneInfo, now: datetime) -> tuple[datetime, bool]:
    """A day means its end in the organization's zone; today and nothing mean now."""
    if not text or text == "now":
        return now, False
    try:
        instant = _end_of(date.fromisoformat(text), zone) if DAY.fullmatch(text) else aware(text, zone)
    except (ValueError, OverflowError):
        raise BadQuestion(
            "as_of", f"“{text}” is not a day like 2026-11-02 or an instant like 2026-11-02T18:00Z"
        ) from None
    if instant.year <= FIRST_YEAR:
        raise BadQuestion("as_of", f"{text} lies before any deal; years go from {FIRST_YEAR + 1}")
    if instant > now:
        if DAY.fullmatch(text) and date.fromisoformat(text) == now.astimezone(zone).date():
            return now, False
        raise BadQuestion("as_of", f"{text} lies in the future; nothing is known of it")
    return instant, True


def _end_of(day: date, zone: ZoneInfo) -> datetime:
    """The last microsecond of a day."""
    midnight = datetime.combine(day + timedelta(days=1), time(), tzinfo=zone).astimezone(UTC)
    return midnight - timedelta(microseconds=1)


def aware(text: str, zone: ZoneInfo) -> datetime:
    """An instant, which names its hour: "20261102" would else be a day's first moment, not its end."""
    if not INSTANT.match(text):
        raise ValueError(text)
    # A plus in an address that wasn't escaped arrives as a space.
    instant = datetime.fromisoformat(text.replace(" ", "+"))
    return (instant if instant.tzinfo else instant.replace(tzinfo=zone)).astimezone(UTC)


def _day(text: str, parameter: str) -> date:
    try:
        if not DAY.fullmatch(text):
            raise ValueError(text)
        day = date.fromisoformat(text)
    except ValueError:
        raise BadQuestion(parameter, f"“{text}” is not a day like 2026-11-02") from None
    if not FIRST_YEAR < day.year < LAST_YEAR:
        raise BadQuestion(
            parameter, f"{text} is out of reach; years go from {FIRST_YEAR + 1} to {LAST_YEAR - 1}"
        )
    return day


def _choice(parameters: Mapping[str, str], name: str, allowed: tuple[str, ...]) -> str:
    chosen = parameters.get(name) or allowed[0]
    if chosen not in allowed:
        raise BadQuestion(name, f"“{chosen}” is none of: {', '.join(allowed)}")
    return chosen


def parse_uuid(text: str, parameter: str) -> UUID:
    """An id from an address; raises BadQuestion."""
    try:
        return UUID(text)
    except ValueError:
        raise BadQuestion(parameter, f"“{text}” is not an id") from None
