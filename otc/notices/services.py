"""Tell somebody that long work has ended, and remember what they have seen."""

from datetime import datetime, timedelta
from uuid import UUID

from otc.notices.models import Notice

NOTICE_DAYS = 90


def notice_send(person_id: UUID | None, *, text: str, path: str = "", is_bad: bool = False) -> None:
    """Tell the person; nobody where the work was asked for by a command. Commits with the transaction."""
    if person_id is not None:
        Notice(person_id=person_id, text=text[:300], path=path, is_bad=is_bad).save(force_insert=True)


def notices_seen(person_id: UUID, *, now: datetime) -> None:
    """The person looks at all of them."""
    Notice.objects.filter(person_id=person_id, seen_at__isnull=True).update(seen_at=now)


def notices_forget(*, now: datetime) -> int:
    """Delete notices older than NOTICE_DAYS. Returns how many."""
    deleted, _ = Notice.objects.filter(created_at__lt=now - timedelta(days=NOTICE_DAYS)).delete()
    return int(deleted)
