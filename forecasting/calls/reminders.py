"""Reminders of calls: a day before the deadline, once it has passed, and when a manager asks. Each once."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import connection

from forecasting.calls.models import Call, CallReminder, ReminderKind
from forecasting.locks.queries import is_locked
from forecasting.rhythm.queries import beat_now
from forecasting.rhythm.rules import WEEK, Beat
from otc.audit.services import audit_append
from otc.calendar.queries import calendar_of
from otc.calendar.rules import Kind, Period, period_of
from otc.notices.kinds import CALL_DUE
from otc.notices.services import notices_send
from otc.tenancy.context import current_organization_id
from otc.tenancy.lines import chart_at
from otc.tenancy.models import Organization, Person
from otc.tenancy.permissions import may

PATH = "forecast/calls/?period="


def callers(*, now: datetime, today: date) -> list[Person]:
    """Who is expected to call: whoever has a reporting line, is here and may submit one. Two queries."""
    lined = chart_at(now).manager_of
    people = Person.objects.filter(id__in=list(lined)).order_by("name_folded", "id")
    return [
        person
        for person in people
        if may(person.role, "submit_call") and (person.left_on is None or person.left_on > today)
    ]


def called_period(organization: Organization, *, day: date, beat: Beat) -> Period:
    """The period that weekly calls of a day are for."""
    return period_of(day, kind=Kind(beat.call_kind), calendar=calendar_of(organization))


def uncalled(period: Period, *, due: datetime, people: Iterable[Person], now: datetime) -> list[Person]:
    """Which of them haven't called the period in the week before the deadline, nor since."""
    called = set(
        Call.objects.filter(
            period=period.key, submitted_at__gt=due - WEEK, submitted_at__lte=now
        ).values_list("person_id", flat=True)
    )
    return [person for person in people if person.id not in called]


def calls_remind(
    person_ids: Iterable[UUID],
    *,
    author: Person,
    organization: Organization,
    period: Period,
    now: datetime,
) -> list[UUID]:
    """A manager asks people for their calls: each once a day at most, whoever asks. Returns whom it told.

    The caller has made sure that they may be seen by `author`.
    """
    today = now.astimezone(ZoneInfo(organization.timezone)).date()
    told = _claim(person_ids, kind=ReminderKind.ASKED, day=today, now=now, author=author)
    if told:
        notices_send(
            told,
            text=f"{author.name} asks for your call of {period.label}",
            path=f"{PATH}{period.key}",
            kind=CALL_DUE,
        )
        audit_append(
            "call.asked",
            summary=f"{author.name} asks {len(told)} people for their call of {period.label}",
            detail={"period": period.key, "people": told},
        )
    return told


def deadline_remind(
    organization: Organization, *, kind: ReminderKind, due_on: date, now: datetime
) -> list[UUID]:
    """Remind whoever hasn't called for the deadline of a day, before or after it. Nobody where that is no deadline
    any more, or the period is locked. Returns whom it told.
    """
    beat, zone = beat_now(), ZoneInfo(organization.timezone)
    due = beat.call_due(due_on, zone=zone)
    if not beat.reminds or due.astimezone(zone).date() != due_on:
        return []
    period = called_period(organization, day=due_on, beat=beat)
    if is_locked(period.key):
        return []
    today = now.astimezone(zone).date()
    missing = uncalled(period, due=due, people=callers(now=now, today=today), now=now)
    told = _claim([person.id for person in missing], kind=kind, day=due_on, now=now)
    at = f"{due.astimezone(zone):%A %H:%M}"
    text = {
        ReminderKind.BEFORE: f"Your call of {period.label} is due on {at}",
        ReminderKind.AFTER: f"Your call of {period.label} was due on {at}",
    }[kind]
    notices_send(
        told, text=text, path=f"{PATH}{period.key}", kind=CALL_DUE, is_bad=kind == ReminderKind.AFTER
    )
    return told


def reminder_instants(day: date, *, beat: Beat, zone: ZoneInfo) -> list[tuple[ReminderKind, date, datetime]]:
    """What of the next deadline is to be sent, seen from a day: a day before it, and right after it."""
    due = beat.call_due(day, zone=zone)
    due_on = due.astimezone(zone).date()
    return [
        (ReminderKind.BEFORE, due_on, due - timedelta(days=1)),
        (ReminderKind.AFTER, due_on, due + timedelta(minutes=5)),
    ]


def _claim(
    person_ids: Iterable[UUID], *, kind: ReminderKind, day: date, now: datetime, author: Person | None = None
) -> list[UUID]:
    """Those who weren't told yet, from now on claimed: two who ask at once wait for each other."""
    wanted = list(dict.fromkeys(person_ids))
    with connection.cursor() as cursor:
        key = f"call reminders {current_organization_id()}"
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [key])
    told = CallReminder.objects.filter(kind=kind, day=day, person_id__in=wanted)
    known = set(told.values_list("person_id", flat=True))
    left = [person_id for person_id in wanted if person_id not in known]
    CallReminder.objects.bulk_create(
        CallReminder(
            person_id=person_id,
            kind=kind,
            day=day,
            reminded_at=now,
            reminded_by_id=author.id if author else None,
        )
        for person_id in left
    )
    return left
