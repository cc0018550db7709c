"""Once a week, at the organization's hour: the forecast, to everybody who leads or decides."""

import logging

from django.utils import timezone

from otc.jobs.lease import Lease
from otc.jobs.registry import long_job

log = logging.getLogger("otc.forecast_mail")


@long_job("forecast_mail")
def forecast_mail(lease: Lease) -> None:
    """Person by person: kept in a committed step, sent outside of every transaction, marked in another step. What dies
    between claim and sending is never sent again.
    """
    from forecasting.mail.services import mail_claim, mail_day, mail_readers, mail_release, mail_sent
    from otc.notices.mail import MailServerAway, letter_send

    with lease.step():
        day = mail_day(lease.job_id, now=timezone.now())
        readers = mail_readers(today=day) if day else []
    for number, person_id in enumerate(readers):
        assert day is not None
        with lease.step(done=number, total=len(readers)):
            claimed = mail_claim(person_id, day=day, now=timezone.now())
        if claimed is None:
            continue
        try:
            letter_send(claimed.letter)
        except MailServerAway:
            with lease.step():
                mail_release(claimed.mail_id)
            raise
        except Exception:  # one address that the server chokes on must not keep the others waiting
            log.exception("a weekly forecast may not have left")
            continue
        with lease.step(done=number + 1):
            mail_sent(claimed.mail_id, now=timezone.now())
