"""Once a day: old notices are forgotten."""

from django.utils import timezone

from otc.jobs.lease import Lease
from otc.jobs.registry import long_job
from otc.notices.services import notices_forget


@long_job("forget_notices", is_daily=True)
def forget_notices(lease: Lease) -> None:
    with lease.step():
        notices_forget(now=timezone.now())
