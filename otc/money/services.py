"""The only writers of rates: a new one, a correction, a withdrawal, and taking any of them back."""

from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

from django.db import connection

from otc.audit.services import audit_append
from otc.money.models import Rate
from otc.money.queries import corporate_currency
from otc.money.rules import check_rate, decimals_of, implausible_jump
from otc.tenancy.context import current_organization_id
from otc.tenancy.models import FOREVER, Organization, Person

FIRST_DAY, LAST_DAY = date(1970, 1, 1), date(2100, 12, 31)


class RateRefused(ValueError):
    """A rate that can't be written: which field, and in words what to do instead."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(reason)
        self.field, self.reason = field, reason


class ImplausibleRate(RateRefused):
    """More than ten times the rate before, or less than a tenth of it: to be confirmed."""


@dataclass(frozen=True)
class RateWritten:
    """The row that now counts (None after a withdrawal), what it replaced, and which row undo is asked about."""

    rate: Rate | None
    replaced: Rate | None
    undo_id: UUID | None


def rate_write(
    currency: str, *, valid_from: date, rate: Decimal, now: datetime, is_confirmed: bool = False
) -> RateWritten:
    """The rate of a currency from a day on; where that day has one already this corrects it.

    Raises RateRefused, MoneyError (an unknown currency, no rate), and ImplausibleRate unless confirmed.
    """
    rate = check_rate(rate)
    check_currency(currency)
    if not FIRST_DAY <= valid_from <= LAST_DAY:
        raise RateRefused("valid_from", f"A day from {FIRST_DAY} to {LAST_DAY}, please.")
    lock_rates()
    present = current_rate(currency, valid_from)
    if present is not None and present.rate == rate:
        return RateWritten(present, None, None)
    before = present.rate if present else _in_force_before(currency, valid_from)
    if not is_confirmed and (times := implausible_jump(rate, before=before)) and before is not None:
        raise ImplausibleRate(
            "rate",
            f"{rate:f} is {times:,.0f} times off the rate before it, {before.normalize():f}."
            " Look for a slipped decimal point, or say that it is right.",
        )
    if present is not None:
        _end(present, now)
    known_from = now if present else known_since(currency, valid_from, now=now)
    written = Rate(currency=currency, valid_from=valid_from, rate=rate, known_from=known_from)
    written.save()
    written.refresh_from_db()
    _audit("rate.corrected" if present else "rate.added", written, before=present)
    return RateWritten(written, present, written.id)


def rate_withdraw(rate_id: UUID, *, now: datetime) -> RateWritten:
    """End what is known of a rate without another one. Deals that need it become unconvertible."""
    lock_rates()
    present = Rate.objects.filter(id=rate_id, known_to=FOREVER).first()
    if present is None:
        raise RateRefused("rate", "Somebody changed this rate since; look at its history.")
    _end(present, now)
    _audit("rate.withdrawn", present, before=present)
    return RateWritten(None, present, present.id)


def rate_undo(rate_id: UUID, *, now: datetime) -> RateWritten:
    """Take back what was done to this row: its being added or having corrected another, or its withdrawal.

    Raises RateRefused when somebody has changed the rate of that day since.
    """
    lock_rates()
    row = Rate.objects.filter(id=rate_id).first()
    current = current_rate(row.currency, row.valid_from) if row else None
    if row is None or (current is not None and current.id != row.id):
        raise RateRefused("rate", "Somebody changed this rate since; look at its history.")
    again = row if current is None else _replaced_by(row)
    if current is not None:
        _end(current, now)
    written = None
    if again is not None:
        written = Rate(currency=again.currency, valid_from=again.valid_from, rate=again.rate, known_from=now)
        written.save()
        written.refresh_from_db()
    _audit("rate.restored" if written else "rate.withdrawn", written or row, before=current)
    return RateWritten(written, current, None)


def shown_currency_set(person_id: UUID, *, currency: str) -> str:
    """Show a person amounts in this currency from now on; "" or the organization's own is the organization's.

    Returns what is kept. Raises UnknownCurrency, and RateRefused for a currency without any rate.
    """
    own = corporate_currency()
    chosen = "" if currency in ("", own) else currency
    if chosen:
        decimals_of(chosen)
        if not Rate.objects.filter(currency=chosen, known_to=FOREVER).exists():
            raise RateRefused("currency", f"There is no rate of {chosen}; the settings have the currencies.")
    Person.objects.filter(id=person_id).update(shown_currency=chosen)
    return chosen


def check_currency(currency: str) -> None:
    """Raises UnknownCurrency, and RateRefused for the currency that rates count in."""
    decimals_of(currency)
    if currency == corporate_currency():
        raise RateRefused("currency", f"Rates count in {currency}; one {currency} is always 1.")


def known_since(currency: str, valid_from: date, *, now: datetime) -> datetime:
    """Since when a new rate counts as known: now where another rate was ever in force on its day.

    Where none was, nothing could be converted, so no number that anybody saw changes: it counts as known from
    its own day on, as imported history does.
    """
    if Rate.objects.filter(currency=currency, valid_from__lte=valid_from).exists():
        return now
    zone = ZoneInfo(Organization.objects.values_list("timezone", flat=True).get(id=current_organization_id()))
    return min(datetime.combine(valid_from, time(), tzinfo=zone), now)


def current_rate(currency: str, valid_from: date) -> Rate | None:
    found: Rate | None = Rate.objects.filter(
        currency=currency, valid_from=valid_from, known_to=FOREVER
    ).first()
    return found


def current_rate_before(currency: str, day: date) -> Rate | None:
    """The rate that is in force up to `day`, as known now."""
    rows = Rate.objects.filter(currency=currency, valid_from__lt=day, known_to=FOREVER)
    found: Rate | None = rows.order_by("-valid_from").first()
    return found


def lock_rates() -> None:
    """One writer of rates at a time in an organization, an import included."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_advisory_xact_lock(hashtextextended('rates:' || %s, 0))",
            [str(current_organization_id())],
        )


def _in_force_before(currency: str, day: date) -> Decimal | None:
    """What a new rate of `day` is held against: the one before it, or where it is the first, the one after."""
    before = current_rate_before(currency, day)
    after = Rate.objects.filter(currency=currency, valid_from__gt=day, known_to=FOREVER)
    near = before or after.order_by("valid_from").first()
    return near.rate if near else None


def _replaced_by(row: Rate) -> Rate | None:
    """The row that ended in the moment in which this one began."""
    found: Rate | None = Rate.objects.filter(
        currency=row.currency, valid_from=row.valid_from, known_to=row.known_from
    ).first()
    return found


def _end(rate: Rate, now: datetime) -> None:
    rate.known_to = now
    rate.save(update_fields=["known_to"])


def _audit(action: str, rate: Rate, *, before: Rate | None) -> None:
    words = {"rate.added": "", "rate.corrected": " corrected", "rate.withdrawn": " withdrawn"}
    detail = {
        "currency": rate.currency,
        "from": rate.valid_from.isoformat(),
        "rate": f"{rate.rate.normalize():f}",
    }
    if before is not None and action != "rate.withdrawn":
        detail["before"] = f"{before.rate.normalize():f}"
    audit_append(
        action,
        subject_kind="rate",
        subject_id=rate.id,
        summary=f"{rate.currency} from {rate.valid_from}: {detail['rate']}{words.get(action, ' put back')}",
        detail=detail,
    )
