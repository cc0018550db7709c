"""Once a day, and whenever somebody asks: which records look like one?"""

from django.utils import timezone

from otc.jobs.lease import Lease
from otc.jobs.registry import long_job
from pipeline.duplicates import services  # noqa: F401  # registers how a merge is undone


@long_job("find_duplicates", is_daily=True)
def find_duplicates(lease: Lease) -> None:
    from pipeline.duplicates.finding import duplicates_find

    duplicates_find(lease, now=timezone.now())
