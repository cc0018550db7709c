"""The long work of fields: converting the values of many records, in short steps that can be taken up again."""

from uuid import UUID

from django.utils import timezone

from otc.jobs.lease import Lease
from otc.jobs.registry import long_job

KIND = "field_conversion"


@long_job(KIND)
def field_conversion(lease: Lease) -> None:
    """Convert what a definition waits for; done twice it comes out the same, since converted values read as done."""
    from pipeline.fields import conversion

    with lease.step():
        work = conversion.pending_work(lease.subject, today=timezone.now().date())
    if work is None:
        return
    last: UUID | None = None
    done = 0
    while True:
        with lease.step(done=done, total=work.total):
            ids = conversion.ids_with(work.object, work.attribute, after=last, limit=conversion.STEP)
            if not ids:
                conversion.finish(work)
                return
            conversion.write_step(work, ids)
        last, done = ids[-1], done + len(ids)
