"""A period's end locks it by itself; the grid of a lock is kept once whoever was writing is done."""

from time import sleep

from django.utils import timezone

from otc.jobs.lease import Lease
from otc.jobs.registry import long_job
from otc.tenancy.context import current_organization_id
from otc.tenancy.models import Organization

TRIES, PAUSE_SECONDS = 50, 0.1


@long_job("period_locks", is_daily=True)
def period_locks(lease: Lease) -> None:
    """In the night: every period whose day has come. Done twice it finds them locked."""
    from forecasting.locks.ends import ended_periods_lock

    with lease.step():
        organization = Organization.objects.get(id=current_organization_id())
        ended_periods_lock(organization, now=timezone.now())


@long_job("lock_grid")
def lock_grid(lease: Lease) -> None:
    """Wait for those who were writing at the lock, then keep its grid as of its instant; kept already it stays."""
    from forecasting.locks.models import Lock
    from forecasting.locks.queries import period_of_lock
    from forecasting.locks.services import StillWriting, grid_keep, is_settled, writers_mark

    with lease.step():
        mark = writers_mark()
    for _ in range(TRIES):
        with lease.step():
            if is_settled(mark):
                lock = Lock.objects.filter(id=lease.subject).first()
                if lock is not None:
                    organization = Organization.objects.get(id=current_organization_id())
                    period = period_of_lock(lock, organization=organization)
                    grid_keep(organization, lock=lock, period=period, now=timezone.now())
                return
        sleep(PAUSE_SECONDS)
    raise StillWriting("an edit that began before the lock is still running")
