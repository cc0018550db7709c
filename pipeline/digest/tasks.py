"""Once a day, in the organization's morning: everybody's digest."""

import logging

from django.utils import timezone

from otc.jobs.lease import Lease
from otc.jobs.registry import long_job

log = logging.getLogger("otc.digest")
MORNING = 7


@long_job("digest_daily", is_daily=True, hour=MORNING)
def digest_daily(lease: Lease) -> None:
    """Person by person: kept in a committed step, sent outside of every transaction, marked in another step.

    A worker that dies between leaves one that may have arrived and is never sent again. A mail server that doesn't
    answer postpones the rest; one that breaks off in the middle of a mail costs that mail.
    """
    from otc.notices.mail import MailServerAway, letter_send
    from pipeline.digest.services import (
        day_of_job,
        digest_claim,
        digest_readers,
        digest_release,
        digest_sent,
    )

    with lease.step():
        day = day_of_job(lease.job_id, now=timezone.now())
        readers = digest_readers(today=day) if day else []
    for number, person_id in enumerate(readers):
        assert day is not None
        with lease.step(done=number, total=len(readers)):
            claimed = digest_claim(person_id, day=day, now=timezone.now())
        if claimed is None:
            continue
        try:
            letter_send(claimed.letter)
        except MailServerAway:
            with lease.step():
                digest_release(claimed.digest_id)
            raise
        except Exception:  # one address that the server chokes on must not keep the others waiting
            log.exception("a digest may not have left")
            continue
        with lease.step(done=number + 1):
            digest_sent(claimed.digest_id, now=timezone.now())
