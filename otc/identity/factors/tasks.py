"""Tells the person by mail that their second factors were removed, as the audit has it."""

from otc.identity.factors.services import MAIL_JOB
from otc.jobs.lease import Lease
from otc.jobs.registry import long_job


@long_job(MAIL_JOB)
def second_factors_mail(lease: Lease) -> None:
    """Read inside a step, mail outside of every transaction: a mail server may take its time."""
    from otc.identity.factors.mail import reset_mail
    from otc.identity.factors.queries import latest_reset

    with lease.step():
        told = latest_reset(lease.subject)
    if told is not None:
        reset_mail(told)
