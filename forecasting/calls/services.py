"""The only writer of calls. A call is never changed: who thinks otherwise submits the next one."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from itertools import pairwise
from uuid import UUID

from django.db import connection, transaction

from forecasting.calls.models import Call, CallColumn
from forecasting.locks.services import period_hold
from forecasting.types.models import ForecastType
from otc.audit.services import audit_append
from otc.calendar.rules import Period
from otc.money.rules import decimal_text
from otc.tenancy.context import current_context
from otc.tenancy.models import Organization, Person, Role
from pipeline.opportunities.rules import Refused

MAY_SUBMIT_FOR_OTHERS = frozenset({Role.ADMINISTRATOR, Role.INTEGRATION})
NEGATIVE = "A call is zero or more"


def call_submit(
    organization: Organization,
    *,
    author: Person,
    period: Period,
    amount_minor: int,
    now: datetime,
    today: date,
    person_id: UUID | None = None,
    column: str = CallColumn.COMMIT,
    note: str = "",
    type_id: UUID | None = None,
) -> Call:
    """Submit a call of corporate minor units, one's own unless `person_id` names another.

    Raises Refused for a period that is over or locked, a negative amount, an unknown column, and for somebody
    else's call by anybody but an administrator or an integration.
    """
    person_id = person_id or author.id
    if person_id != author.id and author.role not in MAY_SUBMIT_FOR_OTHERS:
        raise Refused("person_id", "Everybody submits their own call")
    if person_id != author.id and not Person.objects.filter(id=person_id).exists():
        raise Refused("person_id", "There is no such person")
    if column not in CallColumn.values:
        raise Refused("column", "Choose one of: " + ", ".join(CallColumn.values))
    if period.end <= today:
        raise Refused("period", f"{period.label} is over; call a period that still runs")
    if amount_minor < 0:
        raise Refused("amount_minor", NEGATIVE)
    if type_id is not None and not ForecastType.objects.filter(id=type_id, retired_at__isnull=True).exists():
        raise Refused("type_id", "There is no such type of forecast")
    now = period_hold(period.key, now=now, type_id=type_id)
    call = Call(
        person_id=person_id,
        period=period.key,
        type_id=type_id,
        column=column,
        amount_minor=amount_minor,
        currency=organization.currency,
        note=note.strip()[:500],
        submitted_at=_behind_the_latest(person_id, period=period, column=column, type_id=type_id, now=now),
        submitted_by_id=current_context().person_id or author.id,
    )
    call.save(force_insert=True)
    _note(call, author=author, period=period)
    return call


def faults_of(amounts: Mapping[str, int]) -> dict[str, str]:
    """What is wrong with numbers that are called together, by column: each holds the surer ones."""
    given = [(column, amounts[column]) for column in CallColumn.values if column in amounts]
    found = {column: NEGATIVE for column, amount_minor in given if amount_minor < 0}
    for (surer, less), (column, more) in pairwise(given):
        if more < less:
            larger, smaller = CallColumn(column).label, CallColumn(surer).label.lower()
            found.setdefault(column, f"{larger} holds {smaller}, so it can’t be less")
    return found


def calls_submit(
    organization: Organization,
    *,
    author: Person,
    period: Period,
    amounts: Mapping[str, int],
    now: datetime,
    today: date,
    note: str = "",
    type_id: UUID | None = None,
) -> list[Call]:
    """Submit several columns at once, with one note: all or none. They are cumulative, so none may be less than a
    surer one.

    Raises Refused as `call_submit` does, and for columns that contradict each other or no column at all.
    """
    given = [(column, amounts[column]) for column in CallColumn.values if column in amounts]
    if not given:
        raise Refused("amount", "Say at least one number")
    for reason in faults_of(amounts).values():
        raise Refused("amount", reason)
    with transaction.atomic():
        return [
            call_submit(
                organization,
                author=author,
                period=period,
                amount_minor=amount_minor,
                column=column,
                note=note,
                type_id=type_id,
                now=now,
                today=today,
            )
            for column, amount_minor in given
        ]


def _note(call: Call, *, author: Person, period: Period) -> None:
    """The note stays out of the log: it is free text."""
    others = Person.objects.filter(id=call.person_id).values_list("name", flat=True)
    whose = author.name if call.person_id == author.id else others.get()
    amount = decimal_text(call.amount_minor, currency=call.currency)
    audit_append(
        "call.submitted",
        subject_kind="call",
        subject_id=call.id,
        summary=f"{CallColumn(call.column).label} of {whose} for {period.label}: {amount} {call.currency}",
        detail={
            "person_id": call.person_id,
            "period": call.period,
            "type_id": call.type_id,
            "column": call.column,
            "amount_minor": call.amount_minor,
            "currency": call.currency,
        },
    )


def _behind_the_latest(
    person_id: UUID, *, period: Period, column: str, type_id: UUID | None, now: datetime
) -> datetime:
    """`now`, or just after the latest call, so that the later of two is the one that counts: two at once wait for
    each other here.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))",
            [f"call {person_id} {period.key} {column}"],
        )
    calls = Call.objects.filter(person_id=person_id, period=period.key, column=column, type_id=type_id)
    latest = calls.order_by("-submitted_at").values_list("submitted_at", flat=True).first()
    return now if latest is None else max(now, latest + timedelta(microseconds=1))
