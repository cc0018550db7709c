"""The log as a file, oldest first and without a limit: CSV for people, JSON lines for whoever recomputes the chain."""

import csv
import json
from collections.abc import Iterator
from datetime import date
from typing import Any

from django.http import StreamingHttpResponse

from otc.audit.asked import Asked, narrowed
from otc.audit.checkpoints import as_line
from otc.audit.models import AuditCheckpoint
from otc.audit.queries import FIELDS, entries, spelled
from otc.tenancy.context import use
from otc.tenancy.middleware import Tenant
from otc.ui.csv import safe_cell

ROWS_AT_ONCE = 2000
TYPES = {"csv": "text/csv; charset=utf-8", "jsonl": "application/x-ndjson"}


class Line:
    """A file that gives back what is written to it, for csv.writer to make one line at a time."""

    def write(self, text: str) -> str:
        return text


def download(tenant: Tenant, asked: Asked, *, kind: str) -> StreamingHttpResponse:
    """`kind` is csv or jsonl: every entry that is asked for."""
    lines = csv_lines(tenant, asked) if kind == "csv" else json_lines(tenant, asked)
    return _file(lines, f"audit-{tenant.today.isoformat()}.{kind}", kind=kind)


def checkpoint_download(tenant: Tenant) -> StreamingHttpResponse:
    """Every signed checkpoint, one JSON line each, as `verify_audit --checkpoint` reads them."""
    return _file(checkpoint_lines(tenant), _checkpoint_name(tenant.today), kind="jsonl")


def _checkpoint_name(day: date) -> str:
    return f"audit-checkpoints-{day.isoformat()}.jsonl"


def _file(lines: Iterator[str], name: str, *, kind: str) -> StreamingHttpResponse:
    disposition = f'attachment; filename="{name}"'
    return StreamingHttpResponse(
        lines, content_type=TYPES[kind], headers={"Content-Disposition": disposition}
    )


def rows_of(tenant: Tenant, asked: Asked) -> Iterator[dict[str, Any]]:
    """Spelled entries, of one moment, read by a cursor in a transaction of its own."""
    with use(tenant.organization.id, person_id=tenant.person.id, channel="ui", repeatable_read=True):
        found = narrowed(entries(), asked, zone=tenant.zone).order_by("sequence")
        for row in found.values(*FIELDS).iterator(ROWS_AT_ONCE):
            yield spelled(row)


def csv_lines(tenant: Tenant, asked: Asked) -> Iterator[str]:
    writer = csv.writer(Line())
    yield "\ufeff" + writer.writerow(FIELDS)
    for row in rows_of(tenant, asked):
        row["detail"] = json.dumps(row["detail"], ensure_ascii=False)
        yield writer.writerow([safe_cell(row[name]) for name in FIELDS])


def json_lines(tenant: Tenant, asked: Asked) -> Iterator[str]:
    for row in rows_of(tenant, asked):
        yield json.dumps(row, ensure_ascii=False) + "\n"


def checkpoint_lines(tenant: Tenant) -> Iterator[str]:
    with use(tenant.organization.id, person_id=tenant.person.id, channel="ui", repeatable_read=True):
        kept = AuditCheckpoint.objects.exclude(signature="").order_by("made_at", "id")
        for checkpoint in kept.iterator(ROWS_AT_ONCE):
            yield json.dumps(as_line(checkpoint), ensure_ascii=False) + "\n"
