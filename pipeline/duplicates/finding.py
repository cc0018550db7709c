"""Look for duplicates, as a long job: compare what shares a key, keep the pairs, let go of those that no longer are."""

from datetime import datetime

from django.db.models import Max

from otc.jobs.lease import Lease
from otc.jobs.models import Job
from otc.jobs.services import enqueue
from pipeline.duplicates.models import DuplicatePair, RecordKind
from pipeline.duplicates.sketches import COMPARED, Alike

FIND_JOB = "find_duplicates"
BATCH = 2000


def duplicates_ask() -> None:
    """Look again now."""
    enqueue(FIND_JOB)


def duplicates_find(lease: Lease, *, now: datetime) -> None:
    """All three kinds, one after the other. What somebody said is none stays so, whatever its score."""
    for done, kind in enumerate(RecordKind.values):
        with lease.step(done=done, total=len(RecordKind.values)):
            comparison = COMPARED[kind]()
        # Without the database: a transaction must not stand idle while names are compared.
        found = comparison.alike(lambda: _beat(lease))
        for start in range(0, len(found), BATCH):
            with lease.step():
                pairs_keep(kind, found[start : start + BATCH], now=now)
        with lease.step(done=done + 1):
            DuplicatePair.objects.filter(kind=kind, dismissed_at__isnull=True, found_at__lt=now).delete()


def _beat(lease: Lease) -> None:
    """Hold on to the lease."""
    with lease.step():
        pass


def pairs_keep(kind: str, found: list[Alike], *, now: datetime) -> None:
    rows = [
        DuplicatePair(
            kind=kind,
            first_id=one.first_id,
            second_id=one.second_id,
            score=one.likeness.score,
            reasons=list(one.likeness.reasons),
            found_at=now,
        )
        for one in found
    ]
    DuplicatePair.objects.bulk_create(
        rows,
        update_conflicts=True,
        update_fields=["score", "reasons", "found_at"],
        unique_fields=["organization", "kind", "first_id", "second_id"],
    )


def last_look() -> datetime | None:
    """When the last look ended, whoever asked for it."""
    found: datetime | None = Job.objects.filter(kind=FIND_JOB).aggregate(at=Max("finished_at"))["at"]
    return found


def is_looking() -> bool:
    return bool(Job.objects.filter(kind=FIND_JOB, state__in=("queued", "running")).exists())
