"""The only writers of locks. A lock is never changed or taken back: it ends by an unlock with its reason."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection

from forecasting.calls.models import Call
from forecasting.locks.models import Lock, LockedRow, RowKind, Unlock
from forecasting.locks.queries import lock_of
from forecasting.rollup.adjusted import EffectRow
from forecasting.rollup.report import PersonRow, RollupReport, rollup_report
from forecasting.types.models import ForecastType
from otc.audit.services import audit_append
from otc.calendar.rules import Period
from otc.jobs.services import enqueue
from otc.tenancy.context import NOBODY, current_context, current_organization_id
from otc.tenancy.models import Organization, Person, Role
from pipeline.opportunities.rules import Refused
from pipeline.process.columns import COLUMNS

GRID_JOB = "lock_grid"
LONGEST_REASON = 500
TICK = timedelta(microseconds=1)


class StillWriting(RuntimeError):
    """An edit that began before the lock hasn't ended yet: its instant may lie before the lock's."""


def period_hold(period_key: str, *, now: datetime, type_id: UUID | None = None) -> datetime:
    """Ask before writing a call or an adjustment: no lock comes before the transaction has ended.

    Returns the instant to write it under: `now`, or just after the last lock of the period, so that what was said
    after it never counts before it. Raises Refused while the period is locked.
    """
    _take(period_key, shared=True)
    lock = lock_of(period_key, type_id=type_id)
    if lock is not None:
        raise Refused(
            "period", f"{lock.label} is locked since {lock.locked_at:%-d %b %Y}; nobody calls or adjusts it"
        )
    last = (
        Lock.objects.filter(period=period_key)
        .order_by("-locked_at")
        .values_list("locked_at", flat=True)
        .first()
    )
    return now if last is None else max(now, last + TICK)


def period_lock(
    organization: Organization,
    *,
    period: Period,
    now: datetime | None = None,
    author: Person | None = None,
    reason: str = "",
    type_id: UUID | None = None,
) -> Lock:
    """Lock a period, or one type of it, at `now` (None: the database's clock, once everybody who is just calling is
    done) and keep its grid. `author` is empty where the period's end does it.

    Raises Refused where it is locked already.
    """
    clock = _take(period.key, shared=False)
    held = lock_of(period.key, type_id=type_id)
    if held is not None:
        raise Refused("period", f"{held.label} is locked already, since {held.locked_at:%-d %b %Y}")
    lock = Lock(
        period=period.key,
        label=period.label,
        first=period.first,
        end=period.end,
        locked_at=now or clock,
        locked_by_id=author.id if author else None,
        type_id=type_id,
        reason=reason.strip()[:LONGEST_REASON],
        currency=organization.currency,
    )
    lock.save(force_insert=True)
    audit_append(
        "period.locked",
        subject_kind="lock",
        subject_id=lock.id,
        summary=f"{period.label} is locked" + ("" if author else " at its end"),
        detail={"period": period.key, "locked_at": lock.locked_at, "reason": lock.reason},
    )
    # Its own number comes after the clock was read: whoever stamped an edit before that has a lower one.
    if is_settled(_number("pg_current_xact_id()")):
        grid_keep(organization, lock=lock, period=period, now=lock.locked_at)
    else:
        enqueue(GRID_JOB, subject=lock.id)
    return lock


def period_unlock(lock: Lock, *, reason: str, now: datetime, author: Person | None = None) -> Unlock:
    """End a lock, so that people call and adjust again. Its grid stays. Raises Refused without a reason, and where
    the lock has ended.
    """
    _take(lock.period, shared=False)
    reason = reason.strip()[:LONGEST_REASON]
    if not reason:
        raise Refused("reason", "Say why the period is unlocked: it goes on record")
    if Unlock.objects.filter(lock=lock).exists():
        raise Refused("lock", f"{lock.label} was unlocked already")
    unlock = Unlock(
        lock=lock,
        unlocked_at=max(now, lock.locked_at + TICK),
        unlocked_by_id=current_context().person_id or (author.id if author else None),
        reason=reason,
    )
    unlock.save(force_insert=True)
    audit_append(
        "period.unlocked",
        subject_kind="lock",
        subject_id=lock.id,
        summary=f"{lock.label} is unlocked: {reason}",
        detail={"period": lock.period, "locked_at": lock.locked_at, "reason": reason},
    )
    return unlock


def grid_keep(organization: Organization, *, lock: Lock, period: Period, now: datetime) -> None:
    """Store the grid of `lock`, every person and column, as of its instant. Once: a second time it does nothing."""
    row = Lock.objects.filter(id=lock.id, kept_at__isnull=True)
    if not row.exists():
        return
    rules: dict[str, Any] = {"columns": {column: list(parts) for column, parts in COLUMNS.items()}}
    rules |= {"currency": lock.currency, "effects": []}
    for type_id in kept_types(lock):
        report = rollup_report(
            organization,
            viewer=all_seeing(),
            period=period,
            as_of=lock.locked_at,
            now=lock.locked_at,
            type_id=type_id,
        )
        LockedRow.objects.bulk_create(_rows(lock, report, type_id), batch_size=1000)
        rules["effects"] += [_effect(effect, type_id) for effect in report.effects]
    row.update(kept_at=now, rules=rules)
    lock.kept_at = now


def kept_types(lock: Lock) -> list[UUID | None]:
    """Whose grids a lock keeps: its own type's, or that of all deals and of every type on offer."""
    if lock.type_id is not None:
        return [lock.type_id]
    return [None, *ForecastType.objects.filter(retired_at__isnull=True).values_list("id", flat=True)]


def all_seeing() -> Person:
    """Nobody in particular, who sees everything: the grid is kept whole."""
    return Person(id=NOBODY, role=Role.EXECUTIVE)


# Whoever writes holds the lock on the own number until the end.
OLDER_WRITERS = """
SELECT EXISTS (SELECT 1 FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
  WHERE l.locktype = 'transactionid' AND l.mode = 'ExclusiveLock' AND l.granted AND a.datname = current_database()
    AND l.pid <> pg_backend_pid() AND age(l.transactionid) > age(%s::xid8::xid))
"""


def writers_mark() -> int:
    """Every transaction that is writing now has a lower number."""
    return _number("pg_snapshot_xmax(pg_current_snapshot())")


def is_settled(mark: int) -> bool:
    """Whether every transaction below `mark` has ended in this database: what they wrote is to be seen.

    A snapshot would tell of every database of the server, and wait for strangers.
    """
    with connection.cursor() as cursor:
        cursor.execute(OLDER_WRITERS, [str(mark)])
        found: bool = cursor.fetchone()[0]
    return not found


def _number(expression: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {expression}::text")
        return int(cursor.fetchone()[0])


def _take(period_key: str, *, shared: bool) -> datetime:
    """Writers of calls and adjustments share the period; who locks it has it alone. Returns the clock under it."""
    name = "pg_advisory_xact_lock_shared" if shared else "pg_advisory_xact_lock"
    key = f"forecast {current_organization_id()} {period_key}"
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {name}(hashtextextended(%s, 0))", [key])
        cursor.execute("SELECT clock_timestamp()")
        clock: datetime = cursor.fetchone()[0]
        return clock


def _rows(lock: Lock, report: RollupReport, type_id: UUID | None) -> list[LockedRow]:
    calls = _calls(lock.period, as_of=lock.locked_at, type_id=type_id)
    rows = [_kept(lock, place, one, RowKind.PERSON, calls) for place, one in enumerate(report.rows)]
    rows.append(_kept(lock, len(rows), report.unassigned, RowKind.UNASSIGNED, {}))
    rows.append(_kept(lock, len(rows), report.total, RowKind.TOTAL, {}))
    rows[-1].without_amount = report.without_amount
    for row in rows:
        row.type_id = type_id
    return rows


def _kept(
    lock: Lock, place: int, row: PersonRow, kind: RowKind, calls: dict[UUID, dict[str, Any]]
) -> LockedRow:
    return LockedRow(
        lock=lock,
        kind=kind,
        place=place,
        person_id=row.person_id,
        manager_id=row.manager_id,
        name=row.name,
        title=row.title,
        depth=row.depth,
        is_unassigned=row.is_unassigned,
        deal_count=row.deal_count,
        quota_minor=row.quota_minor,
        amounts={column: list(five(row, column)) for column in COLUMNS},
        calls=calls.get(row.person_id, {}) if row.person_id else {},
    )


def five(row: PersonRow, column: str) -> tuple[int, int, int, int, int]:
    """The five amounts of a cell (DEFINITIONS 5), in their order."""
    one = row.amounts[column]
    return (one.own, one.rolled_up, one.with_reports_adjustments, one.seen, one.final)


def _calls(period_key: str, *, as_of: datetime, type_id: UUID | None) -> dict[UUID, dict[str, Any]]:
    """Everybody's latest call by column."""
    found: dict[UUID, dict[str, Any]] = {}
    calls = Call.objects.filter(period=period_key, type_id=type_id, submitted_at__lte=as_of)
    for call in calls.order_by("person_id", "column", "-submitted_at").distinct("person_id", "column"):
        said = {
            "amount_minor": call.amount_minor,
            "submitted_at": call.submitted_at.isoformat(),
            "note": call.note,
        }
        found.setdefault(call.person_id, {})[call.column] = said
    return found


def _effect(effect: EffectRow, type_id: UUID | None) -> dict[str, Any]:
    """An adjustment as it counted at the lock."""
    return {
        "type_id": str(type_id) if type_id else None,
        "person_id": str(effect.person_id),
        "author_id": str(effect.author_id),
        "column": effect.column,
        "kind": effect.kind,
        "amount_minor": effect.amount_minor,
        "below_minor": effect.below_minor,
        "effect_minor": effect.effect_minor,
        "is_stale": effect.is_stale,
    }
