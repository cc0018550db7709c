"""Old notices are forgotten once a day; a notice that its person wants by mail is mailed once."""

from django.utils import timezone

from otc.jobs.lease import Lease
from otc.jobs.registry import long_job
from otc.notices.services import MAIL_JOB, notices_forget


@long_job("forget_notices", is_daily=True)
def forget_notices(lease: Lease) -> None:
    with lease.step():
        notices_forget(now=timezone.now())


@long_job(MAIL_JOB)
def notice_mail(lease: Lease) -> None:
    """Claimed in a committed step, then sent outside of every transaction: a crash between loses it, none doubles."""
    from otc.notices.mail import MailServerAway, letter_send
    from otc.notices.mailing import notice_mail_claim, notice_mail_release

    with lease.step():
        claimed = notice_mail_claim(lease.subject, now=timezone.now())
    if claimed is None:
        return
    try:
        letter_send(claimed)
    except MailServerAway:
        with lease.step():
            notice_mail_release(lease.subject)
        raise
