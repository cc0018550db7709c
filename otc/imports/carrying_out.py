"""Does an upload's check or import as a long job: watched by a thread, which tells how far it is and hears a cancel."""

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from threading import Event, Thread
from typing import Any

from django.db import OperationalError, connection

from otc.imports.kinds import Kind
from otc.imports.mapping import MappingError, parse_mapping
from otc.imports.models import RUNNING, ImportRun, ImportState
from otc.imports.progress import Cancelled, Progress
from otc.imports.reader import ImportFileError
from otc.imports.services import run_import
from otc.imports.uploads import stored_path
from otc.jobs.lease import Lease, LeaseLost
from otc.notices.services import notice_send
from otc.tenancy.context import use
from otc.tenancy.models import Organization

log = logging.getLogger("otc.imports")
LOOK_EVERY_SECONDS = 0.7
UNEXPECTED = (
    "Something went wrong here, and nothing was applied. Try again; if it stays, tell your administrator."
)


def carry_out(
    lease: Lease, *, kinds: Mapping[str, Kind], models: Mapping[str, Any], after: Callable[[], None]
) -> None:
    """Read the file of the run that the job names and check or apply it; `after` follows what was applied.

    The whole import is one step of the job: its row stays locked, so that nobody takes over while it runs, and
    a worker that dies leaves nothing behind.
    """
    with lease.step():
        run: ImportRun | None = ImportRun.objects.filter(id=lease.subject, state__in=RUNNING).first()
        if run is None:
            return
        organization = Organization.objects.get(id=lease.organization_id)
        ImportRun.objects.filter(id=run.id).update(phase="reading", progress_count=0)
        run.phase = "reading"
    progress = Progress()
    try:
        with _watched(lease, run, progress):
            _import(lease, run, organization, progress, kinds=kinds, models=models)
    except Cancelled:
        _end(lease, run, ImportState.CANCELLED)
    except (ImportFileError, MappingError) as error:
        _end(lease, run, ImportState.FAILED, str(error))
    except LeaseLost:
        raise
    except OperationalError:
        if not progress.cancelled.is_set():
            raise
        _end(lease, run, ImportState.CANCELLED)
    except Exception:  # whatever a room raises: the person must see that it ended
        log.exception("import %s failed", run.id)
        _end(lease, run, ImportState.FAILED, UNEXPECTED)
    else:
        if not run.is_dry_run:
            with lease.step():
                after()
                _announce(run)


def _import(
    lease: Lease,
    run: ImportRun,
    organization: Organization,
    progress: Progress,
    *,
    kinds: Mapping[str, Kind],
    models: Mapping[str, Any],
) -> None:
    if not run.stored_as or not (path := stored_path(run.organization_id, run.stored_as)).is_file():
        raise ImportFileError("the file was deleted; upload it again")
    with lease.step():
        run_import(
            organization,
            kind=kinds[run.kind],
            path=path,
            mapping=parse_mapping(run.mapping),
            is_dry_run=run.is_dry_run,
            creates_missing=run.creates_missing,
            run=run,
            model=models.get(run.kind),
            progress=progress,
        )


def _end(lease: Lease, run: ImportRun, state: ImportState, error: str = "") -> None:
    with lease.step():
        ImportRun.objects.filter(id=run.id).update(
            state=state, error=error[:2000].replace("\0", ""), phase=""
        )
        if state == ImportState.FAILED:
            _announce(run)


def _announce(run: ImportRun) -> None:
    """Tell whoever started it, who may have left the page."""
    found = ImportRun.objects.get(id=run.id)
    is_bad = found.state == ImportState.FAILED
    counts = f"{found.created_count:,} new, {found.updated_count:,} changed, {found.refused_count:,} refused"
    text = f"Import of {found.file_name}: {'failed' if is_bad else counts}"
    notice_send(found.person_id, text=text, path=f"settings/imports/{found.id}/", is_bad=is_bad)


@contextmanager
def _watched(lease: Lease, run: ImportRun, progress: Progress) -> Iterator[None]:
    """A thread with a connection of its own: the import's transaction is seen by nobody before it ends."""
    connection.ensure_connection()
    over, working = Event(), connection.connection

    def look() -> None:
        try:
            while not over.wait(LOOK_EVERY_SECONDS):
                if _tell(lease, run, progress) and not over.is_set():
                    progress.cancelled.set()
                    working.cancel()
        except Exception:  # the import goes on without being watched
            log.exception("watching import %s", run.id)
        finally:
            connection.close()

    watcher = Thread(target=look, name=f"import {run.id}", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()


def _tell(lease: Lease, run: ImportRun, progress: Progress) -> bool:
    """Show how far the import is; True when somebody asked it to stop."""
    with use(lease.organization_id, channel="task"):
        rows = ImportRun.objects.filter(id=run.id, state__in=RUNNING)
        rows.update(phase=progress.phase, progress_count=progress.row_count)
        return bool(rows.filter(is_cancel_asked=True).exists())
