"""The only writers of quotas and ramps. An amount is never overwritten: it ends, and the next one begins."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import connection
from django.utils import timezone

from forecasting.quotas.models import EVER, Quota, QuotaRamp
from forecasting.quotas.rules import Ramp
from forecasting.types.models import ForecastType
from otc.audit.services import audit_append
from otc.calendar.rules import Calendar, Kind, PeriodError, parse_period
from otc.tenancy.context import current_context, current_organization_id
from otc.tenancy.models import FOREVER, Organization, Person
from otc.ui.amounts import LARGEST_MINOR
from otc.undo.registry import CantUndo, undoes
from otc.undo.services import undo_offer

UNDO = "quotas"
MOST_AT_ONCE = 10_000
KINDS = (Kind.MONTH, Kind.QUARTER, Kind.YEAR)


@dataclass(frozen=True)
class QuotaWish:
    """What a person's quota for a period should be, in corporate minor units; None ends it. `row` is where it was
    asked: the number of a line, for the answer.
    """

    person_id: UUID
    period: str
    amount_minor: int | None
    type_id: UUID | None = None
    currency: str = ""
    row: int = 0

    @property
    def place(self) -> tuple[UUID, str, UUID | None]:
        return self.person_id, self.period, self.type_id


@dataclass(frozen=True)
class Unfit:
    """Why a wish can't be: in which row, of which field, and what to do instead."""

    row: int
    field: str
    message: str


class QuotasRefused(ValueError):
    """Some wishes can't be, so that none was written. `faults` says each."""

    def __init__(self, faults: Sequence[Unfit]) -> None:
        super().__init__("; ".join(f"row {one.row}: {one.message}" for one in faults[:3]))
        self.faults = tuple(faults)


@dataclass(frozen=True)
class QuotasSet:
    """How many quotas are others now, how many are as they were, and the step that Undo takes back."""

    changed: int
    kept: int
    undo_id: UUID | None


def quotas_checked(
    organization: Organization, wishes: Sequence[QuotaWish], *, calendar: Calendar
) -> list[Unfit]:
    """What is wrong with the wishes; nothing where all can be. Two queries."""
    if len(wishes) > MOST_AT_ONCE:
        return [Unfit(0, "quotas", f"Set at most {MOST_AT_ONCE:,} quotas at once")]
    people = dict(
        Person.objects.filter(id__in={one.person_id for one in wishes}).values_list("id", "left_on")
    )
    types = set(ForecastType.objects.filter(retired_at=None).values_list("id", flat=True))
    found: list[Unfit] = []
    places: set[tuple[UUID, str, UUID | None]] = set()
    for one in wishes:
        found += [Unfit(one.row, *fault) for fault in _faults(one, organization, people, types, calendar)]
        if one.place in places:
            found.append(Unfit(one.row, "person_id", "This person and period stand here twice; keep one"))
        places.add(one.place)
    return found


def _faults(
    one: QuotaWish,
    organization: Organization,
    people: Mapping[UUID, date | None],
    types: set[UUID],
    calendar: Calendar,
) -> list[tuple[str, str]]:
    found = []
    try:
        period = parse_period(one.period, calendar=calendar)
    except PeriodError as problem:
        return [("period", str(problem))]
    if period.kind not in KINDS:
        found.append(("period", "A quota is for a month, a quarter or a year"))
    elif period.key != one.period:
        found.append(("period", f"Write {period.key} for {period.label}"))
    if one.person_id not in people:
        found.append(("person_id", "There is no such person"))
    elif (left_on := people[one.person_id]) is not None and left_on <= period.first and one.amount_minor:
        found.append(("person_id", f"They left on {left_on}, before {period.label}"))
    if one.type_id is not None and one.type_id not in types:
        found.append(("type_id", "There is no such forecast type"))
    if one.currency and one.currency.upper() != organization.currency:
        text = f"Quotas are kept in {organization.currency}, not in “{one.currency[:10]}”; convert the amount first"
        found.append(("currency", text))
    if one.amount_minor is not None and not 0 <= one.amount_minor <= LARGEST_MINOR:
        found.append(("amount_minor", "A quota is zero or more, and no larger than any deal can be"))
    return found


def quotas_set(
    organization: Organization,
    wishes: Sequence[QuotaWish],
    *,
    author: Person,
    calendar: Calendar,
    now: datetime,
    reason: str = "",
    is_correction: bool = False,
) -> QuotasSet:
    """Let these quotas hold from now on, all or none; the first of a place counts for every day before it as well. A
    correction holds on every day of what it corrects, known from now on: what was mistyped stays what was known then.

    Raises QuotasRefused, and then nothing is written.
    """
    faults = quotas_checked(organization, wishes, calendar=calendar)
    if is_correction:
        text = "A correction needs an amount; to end a quota, change it from now on"
        faults += [Unfit(one.row, "amount_minor", text) for one in wishes if one.amount_minor is None]
    if faults:
        raise QuotasRefused(faults)
    _lock()
    before = _standing(wishes)
    wanted = {one.place: one.amount_minor for one in wishes}
    changed = {
        place: amount
        for place, amount in wanted.items()
        if amount != (before[place].amount_minor if place in before else None)
    }
    if not changed:
        return QuotasSet(0, len(wanted), None)
    now = max(now, *(max(quota.valid_from, quota.known_from) for quota in before.values()), EVER)
    told: dict[str, Any] = {"author": author, "now": now, "reason": reason}
    _write(changed, before=before, is_correction=is_correction, **told)
    step = undo_offer(
        UNDO,
        said=f"{len(changed):,} {'quota' if len(changed) == 1 else 'quotas'}",
        payload={
            "before": [
                [
                    str(person),
                    period,
                    str(type_id or ""),
                    before[place].amount_minor if place in before else None,
                ]
                for place in changed
                for person, period, type_id in [place]
            ],
            "after": list(changed.values()),
            "is_correction": is_correction,
        },
    )
    return QuotasSet(len(changed), len(wanted) - len(changed), step)


def _standing(wishes: Sequence[QuotaWish]) -> dict[tuple[UUID, str, UUID | None], Quota]:
    rows = Quota.objects.filter(
        person_id__in={one.person_id for one in wishes},
        period__in={one.period for one in wishes},
        valid_to=FOREVER,
        known_to=FOREVER,
    )
    return {(row.person_id, row.period, row.type_id): row for row in rows}


def _write(
    changed: Mapping[tuple[UUID, str, UUID | None], int | None],
    *,
    before: Mapping[tuple[UUID, str, UUID | None], Quota],
    author: Person,
    now: datetime,
    reason: str,
    is_correction: bool = False,
) -> None:
    ended = [before[place] for place in changed if place in before]
    starts, ends = ("known_from", "known_to") if is_correction else ("valid_from", "valid_to")
    # One that began at this very instant was nobody's quota yet.
    Quota.objects.filter(id__in=[row.id for row in ended if getattr(row, starts) >= now]).delete()
    Quota.objects.filter(id__in=[row.id for row in ended if getattr(row, starts) < now]).update(**{ends: now})
    known = set(
        Quota.objects.filter(person_id__in={person for person, _, _ in changed}).values_list(
            "person_id", "period", "type_id"
        )
    )
    Quota.objects.bulk_create(
        Quota(
            person_id=place[0],
            period=place[1],
            type_id=place[2],
            amount_minor=amount,
            **_begins(before.get(place) if is_correction else None, now=now, is_first=place not in known),
            set_by=author,
            reason=reason.strip()[:300],
        )
        for place, amount in changed.items()
        if amount is not None
    )
    periods = sorted({period for _, period, _ in changed})
    audit_append(
        "quota.corrected" if is_correction else "quota.set",
        summary=f"{len(changed):,} quotas {'corrected ' if is_correction else ''}for {', '.join(periods[:4])}"
        f"{' …' if len(periods) > 4 else ''}",
        detail={
            "quotas": [
                {
                    "person_id": person,
                    "period": period,
                    "type_id": type_id,
                    "before_minor": before[person, period, type_id].amount_minor
                    if (person, period, type_id) in before
                    else None,
                    "after_minor": amount,
                }
                for (person, period, type_id), amount in list(changed.items())[:100]
            ],
        },
    )


def _begins(corrected: Quota | None, *, now: datetime, is_first: bool) -> dict[str, datetime]:
    """When the next one begins: with what it corrects; else now, unless there never was one."""
    if corrected is not None:
        return {"valid_from": corrected.valid_from, "known_from": now}
    return {"valid_from": EVER if is_first else now}


@dataclass(frozen=True)
class RampWish:
    """On which ramp a person should be; None: on none. `row` is where it was asked."""

    person_id: UUID
    ramp: Ramp | None
    row: int = 0


def ramps_set(wishes: Sequence[RampWish], *, author: Person, now: datetime) -> int:
    """Put all these people on their ramps, or none of them. Returns how many are on another one now.

    Raises QuotasRefused, and then nothing is written.
    """
    people = {person.id: person for person in Person.objects.filter(id__in={one.person_id for one in wishes})}
    faults, seen = [], set()
    for one in wishes:
        if one.person_id not in people:
            faults.append(Unfit(one.row, "person_id", "There is no such person"))
        elif one.person_id in seen:
            faults.append(Unfit(one.row, "person_id", "This person stands here twice; keep one"))
        seen.add(one.person_id)
    if faults:
        raise QuotasRefused(faults)
    _lock()
    return sum(ramp_set(people[one.person_id], one.ramp, author=author, now=now) for one in wishes)


def ramp_set(person: Person, ramp: Ramp | None, *, author: Person, now: datetime) -> bool:
    """From now on the person is on this ramp, or on none: then the whole quota is asked for. Is that another?"""
    latest = QuotaRamp.objects.filter(person_id=person.id).order_by("-said_at").first()
    has = latest is not None and bool(latest.shares)
    wanted = list(ramp.shares) if ramp else []
    starts_on = ramp.starts_on if ramp else now.date()
    if (not has and not wanted) or (
        has and latest and (latest.shares, latest.starts_on) == (wanted, starts_on)
    ):
        return False
    QuotaRamp(person=person, starts_on=starts_on, shares=wanted, said_at=now, set_by=author).save()
    said = ", ".join(f"{share} %" for share in wanted)
    audit_append(
        "quota.ramp",
        subject_kind="person",
        subject_id=person.id,
        summary=f"{person.name} ramps up from {starts_on}: {said}"
        if wanted
        else f"{person.name} is on no ramp",
        detail={"starts_on": starts_on, "shares": wanted},
    )
    return True


@undoes(UNDO, action="manage_quotas")
def put_quotas_back(payload: Mapping[str, Any]) -> str:
    """Unless somebody has changed one of them again."""
    _lock()
    wishes = [
        QuotaWish(UUID(person), period, amount, UUID(type_id) if type_id else None)
        for person, period, type_id, amount in payload["before"]
    ]
    standing = _standing(wishes)
    now_there = [standing[one.place].amount_minor if one.place in standing else None for one in wishes]
    if now_there != payload["after"]:
        raise CantUndo("One of these quotas was changed again since")
    # A first quota that is taken back never was one: it would stand on every day before it.
    is_correction = bool(payload.get("is_correction"))
    firsts = [standing[one.place] for one in wishes if one.amount_minor is None and one.place in standing]
    Quota.objects.filter(id__in=[row.id for row in firsts if row.valid_from == EVER]).delete()
    standing = _standing(wishes)
    author = Person.objects.get(id=current_context().person_id)
    _write(
        {one.place: one.amount_minor for one in wishes},
        before=standing,
        author=author,
        now=timezone.now(),
        reason="Taken back",
        is_correction=is_correction,
    )
    return "The quotas are as they were"


def _lock() -> None:
    """One writer of quotas at a time in an organization, until it commits."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"quotas {current_organization_id()}"]
        )
