"""Once a day: what nobody will undo any more is forgotten."""

from django.utils import timezone

from otc.jobs.lease import Lease
from otc.jobs.registry import long_job
from otc.undo.services import undo_forget


@long_job("forget_undo_steps", is_daily=True)
def forget_undo_steps(lease: Lease) -> None:
    with lease.step():
        undo_forget(now=timezone.now())
