"""Which mail does one notice ask for? Claimed before it leaves, given back where no mail server answered."""

from datetime import datetime
from uuid import UUID

from otc.notices.mail import Letter, letter
from otc.notices.models import Notice
from otc.notices.queries import addressees
from otc.notices.stops import AT_ONCE
from otc.tenancy.context import current_organization_id
from otc.tenancy.models import Organization

TEMPLATE = "otc/notices/mail/notice"


def notice_mail_claim(notice_id: UUID | None, *, now: datetime) -> Letter | None:
    """The notice's mail, from now on claimed; None where it is claimed already or nobody is to be mailed."""
    notice: Notice | None = Notice.objects.select_for_update().filter(id=notice_id).first()
    if notice is None or notice.mail_claimed_at is not None:
        return None
    organization = Organization.objects.get(id=current_organization_id())
    found = addressees(today=now.date(), person_ids=[notice.person_id])
    if not found or not found[0].mails.at_once:
        return None
    Notice.objects.filter(id=notice.id).update(mail_claimed_at=now)
    return letter(
        TEMPLATE,
        to=found[0].email,
        subject=notice.text,
        organization=organization,
        person_id=notice.person_id,
        sort=AT_ONCE,
        key=str(notice.id),
        context={"person": found[0].person, "notice": notice},
    )


def notice_mail_release(notice_id: UUID | None) -> None:
    """Nothing has left: let it be claimed again."""
    Notice.objects.filter(id=notice_id).update(mail_claimed_at=None)
