"""Makes a file of deals as a long job: what matches is read at one moment, then written in short steps."""

import logging
import pickle
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

from django.http import QueryDict
from django.utils import timezone

from otc.fields.queries import people_names
from otc.jobs.lease import Lease, LeaseLost
from otc.notices.services import notice_send
from otc.question import BadQuestion
from otc.tenancy.lines import UnknownScope
from otc.tenancy.middleware import Tenant
from otc.tenancy.models import Organization, Person
from otc.ui.format import thousands
from pipeline.exports.files import FILES
from pipeline.exports.models import RUNNING, DealExport, ExportState
from pipeline.exports.services import KEPT, file_path
from pipeline.exports.sheet import head, line
from pipeline.opportunities.report import deal_batches, with_facts
from pipeline.opportunities.views.frame import Frame, frame_of

log = logging.getLogger("otc.exports")
UNEXPECTED = "Something went wrong here. Ask for the file again; if it stays, tell your administrator."


class Cancelled(Exception):
    """Whoever asked for the file doesn't want it any more."""


class Unable(Exception):
    """The file can't be made; str(error) says why."""


@dataclass(frozen=True)
class _Work:
    """`path` is where the file grows, `spool` where what matches lies until it is written."""

    export: DealExport
    framed: Frame
    path: Path

    @property
    def spool(self) -> Path:
        return self.path.with_suffix(".spool")


def write_export(lease: Lease) -> None:
    """Make the file that the job names; done again it is made anew."""
    work = None
    try:
        with lease.step():
            work = _begin(lease)
            if work is None:
                return
            total = _spool(work)
            changes = {"state": ExportState.WRITING, "total_count": total, "row_count": 0}
            DealExport.objects.filter(id=work.export.id).update(**changes)
        _write(lease, work, total)
        _finish(lease, work, total)
    except Cancelled:
        _end(lease, ExportState.CANCELLED)
    except (Unable, BadQuestion, UnknownScope) as problem:
        _end(lease, ExportState.FAILED, str(problem))
    except LeaseLost:
        raise
    except Exception:  # whatever a room raises: the person must see that it ended
        log.exception("export %s failed", lease.subject)
        _end(lease, ExportState.FAILED, UNEXPECTED)
    finally:
        if work is not None:
            work.spool.unlink(missing_ok=True)
            work.path.with_suffix(".part").unlink(missing_ok=True)


def _begin(lease: Lease) -> _Work | None:
    export: DealExport | None = DealExport.objects.filter(id=lease.subject, state__in=RUNNING).first()
    if export is None:
        return None
    person = Person.objects.filter(id=export.person_id).first()
    organization = Organization.objects.get(id=lease.organization_id)
    now = timezone.now()
    tenant = Tenant(organization, person, now) if person is not None else None
    has_left = person is None or (person.left_on is not None and person.left_on <= now.date())
    if tenant is None or has_left or not tenant.may("view_deals"):
        raise Unable("Your role no longer lets you see deals")
    framed = frame_of(tenant, QueryDict(export.query))
    return _Work(export, framed, file_path(uuid4().hex))


def _spool(work: _Work) -> int:
    """One statement reads all that matches, so that the file shows one moment; returns how many."""
    count = 0
    with work.spool.open("wb") as file:
        for batch in deal_batches(work.framed.question, work.framed.asked, since=work.framed.since):
            pickle.dump(batch, file, protocol=pickle.HIGHEST_PROTOCOL)
            count += len(batch)
    return count


def _spooled(work: _Work) -> Iterator[list[dict[str, Any]]]:
    with work.spool.open("rb") as file:
        while True:
            try:
                yield pickle.load(file)
            except EOFError:
                return


def _write(lease: Lease, work: _Work, total: int) -> None:
    fields = work.framed.asked.book.active
    with lease.step(done=0, total=total):
        names = people_names() if any(one.kind == "person" for one in fields) else {}
    growing = FILES[work.export.format](work.path.with_suffix(".part"), head(fields))
    done = 0
    try:
        for batch in _spooled(work):
            done += len(batch)
            with lease.step(done=done, total=total):
                _hear_cancel(work.export)
                question, since = work.framed.question, work.framed.since
                for row in with_facts(batch, question, since=since, shows_fit=True):
                    growing.write(line(row, corporate=question.currency, fields=fields, names=names))
                DealExport.objects.filter(id=work.export.id).update(row_count=done)
    finally:
        growing.close()


def _hear_cancel(export: DealExport) -> None:
    if DealExport.objects.filter(id=export.id, is_cancel_asked=True).exists():
        raise Cancelled


def _finish(lease: Lease, work: _Work, total: int) -> None:
    part = work.path.with_suffix(".part")
    part.chmod(0o600)
    size_bytes = part.stat().st_size
    with lease.step():
        _hear_cancel(work.export)
        part.replace(work.path)
        now = timezone.now()
        DealExport.objects.filter(id=work.export.id).update(
            state=ExportState.DONE,
            stored_as=work.path.name,
            size_bytes=size_bytes,
            finished_at=now,
            expires_at=now + KEPT,
        )
        text = f"Your {work.export.format.upper()} of {thousands(total)} deals is ready"
        notice_send(work.export.person_id, text=text, path=f"deals/exports/{work.export.id}/")


def _end(lease: Lease, state: ExportState, error: str = "") -> None:
    with lease.step():
        export = DealExport.objects.filter(id=lease.subject).first()
        if export is None:
            return
        DealExport.objects.filter(id=export.id).update(
            state=state, error=error[:500], finished_at=timezone.now()
        )
        if state == ExportState.FAILED:
            text = f"Your file of deals was not made: {error}"
            notice_send(export.person_id, text=text, path=f"deals/exports/{export.id}/", is_bad=True)
