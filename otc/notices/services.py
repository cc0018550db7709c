"""Tell people what happened in the ways they chose, and remember what they chose and what they have seen."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from uuid import UUID

from otc.audit.services import audit_append
from otc.jobs.services import enqueue_many
from otc.notices.kinds import USUAL, WORK, Ways
from otc.notices.models import MailChoice, Notice, NoticeChoice
from otc.notices.queries import ways_of
from otc.tenancy.context import current_organization_id
from otc.tenancy.models import Organization

NOTICE_DAYS = 90
MAIL_JOB = "notice_mail"


def notice_send(
    person_id: UUID | None,
    *,
    text: str,
    path: str = "",
    is_bad: bool = False,
    kind: str = WORK,
    deal_id: UUID | None = None,
) -> None:
    """Tell the person; nobody where the work was asked for by a command. Commits with the transaction."""
    if person_id is not None:
        notices_send([person_id], text=text, path=path, is_bad=is_bad, kind=kind, deal_id=deal_id)


def notices_send(
    person_ids: Iterable[UUID],
    *,
    text: str,
    path: str = "",
    is_bad: bool = False,
    kind: str,
    deal_id: UUID | None = None,
    usual: Ways | None = None,
) -> None:
    """Tell several people the same, each in the ways they chose for `kind` (of kinds.py). At most three queries.

    `usual` are the ways for those who chose none, by default the kind's. Whoever asks has made sure that each of them
    may see what the text says.
    """
    ways = ways_of(dict.fromkeys(person_ids), kind, usual=usual)
    notices = {
        person_id: Notice(
            person_id=person_id,
            kind=kind,
            text=text[:300],
            path=path,
            deal_id=deal_id,
            is_bad=is_bad,
            is_shown=way.in_app,
            in_digest=way.in_digest,
        )
        for person_id, way in ways.items()
        if not way.is_off
    }
    Notice.objects.bulk_create(notices.values())
    mailed = [notice.id for person_id, notice in notices.items() if ways[person_id].is_mailed]
    if mailed:
        enqueue_many(MAIL_JOB, {str(notice_id): notice_id for notice_id in mailed})


def notices_seen(person_id: UUID, *, now: datetime) -> None:
    """The person looks at all of them."""
    Notice.objects.filter(person_id=person_id, seen_at__isnull=True).update(seen_at=now)


def notices_forget(*, now: datetime) -> int:
    """Delete notices older than NOTICE_DAYS. Returns how many."""
    deleted, _ = Notice.objects.filter(created_at__lt=now - timedelta(days=NOTICE_DAYS)).delete()
    return int(deleted)


def notice_choices_set(person_id: UUID, *, ways: Mapping[str, Ways]) -> None:
    """How the person wants to be told of each kind from now on; what is as usual keeps no row."""
    NoticeChoice.objects.filter(person_id=person_id, kind__in=list(ways)).delete()
    NoticeChoice.objects.bulk_create(
        NoticeChoice(
            person_id=person_id,
            kind=kind,
            in_app=way.in_app,
            in_digest=way.in_digest,
            is_mailed=way.is_mailed,
        )
        for kind, way in ways.items()
        if way != USUAL[kind]
    )


def mail_choice_set(person_id: UUID, *, digest: bool | None = None, at_once: bool | None = None) -> None:
    """Which mails the person gets at all; None leaves that as it is."""
    changes = {"gets_digest": digest, "gets_mails": at_once}
    given = {name: value for name, value in changes.items() if value is not None}
    MailChoice.objects.update_or_create(person_id=person_id, defaults=given)


def big_deal_set(*, amount_minor: int | None, percent: int) -> None:
    """From which corporate amount and chance of being won on a deal is big; None: none is."""
    organization = Organization.objects.select_for_update().get(id=current_organization_id())
    before = {"amount_minor": organization.big_deal_minor, "percent": organization.big_deal_percent}
    after = {"amount_minor": amount_minor, "percent": percent}
    if before == after:
        return
    organization.big_deal_minor, organization.big_deal_percent = amount_minor, percent
    organization.save(update_fields=["big_deal_minor", "big_deal_percent"])
    audit_append(
        "big_deal.changed",
        subject_kind="organization",
        subject_id=organization.id,
        summary="From where on a deal is big was changed",
        detail={"before": before, "after": after},
    )
