"""The import of 100,000 deals with 400,000 rows of history, beside a plain INSERT ... SELECT of what it wrote."""

import contextlib
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.files import write_files
from benchmarks.finding import Finding
from benchmarks.house import Bench
from benchmarks.timing import cpu_seconds

DEALS = 100_000
MOST_SECONDS, MOST_RATIO = 30.0, 2.0
TABLES = ("pipeline_opportunity", "pipeline_opportunityversion")


def measure(bench: Bench) -> list[Finding]:
    wall, work, organization_id = imported()
    findings = [
        Finding(
            f"import of {DEALS:,} deals and {4 * DEALS:,} rows of history",
            f"{wall:.1f} s ({work:.1f} s of CPU, Python and PostgreSQL)",
            "",
            None,
            f"at most {MOST_SECONDS:.0f} s",
            wall <= MOST_SECONDS,
        )
    ]
    for what, is_checked in (("foreign keys in force", True), ("foreign keys not checked either", False)):
        plain, plain_work = inserted(bench, organization_id, is_checked=is_checked)
        findings.append(
            Finding(
                f"the same by CPU, beside a plain INSERT ... SELECT without policies and triggers, {what}",
                f"{work:.1f} s",
                f"{plain_work:.1f} s ({plain:.1f} s by the clock)",
                work / plain_work,
                f"at most {MOST_RATIO:g}" if is_checked else "",
                work / plain_work <= MOST_RATIO if is_checked else None,
            )
        )
    return findings


def imported() -> tuple[float, float, Any]:
    """Seconds by the clock and of CPU, and the organization that everything came into."""
    from django.db import connection

    from otc.imports.services import run_import
    from otc.tenancy.context import use
    from otc.tenancy.services import organization_create
    from pipeline.imports.registry import KINDS
    from pipeline.process.services import process_install

    organization = organization_create(slug="import", name="Import", currency="EUR")
    with use(organization.id, channel="import"):
        process_install()
    connection.ensure_connection()
    backend = connection.connection.info.backend_pid
    with tempfile.TemporaryDirectory() as folder:
        paths = dict(zip(("opportunities", "history"), write_files(Path(folder), deals=DEALS), strict=True))
        started, before = time.perf_counter(), time.process_time() + cpu_seconds(backend)
        for kind, path in paths.items():
            report = run_import(organization, kind=KINDS[kind], path=path, creates_missing=True)
            assert report.refused_count == 0 and report.created_count == report.read_count, report
        wall = time.perf_counter() - started
        return wall, time.process_time() + cpu_seconds(backend) - before, organization.id


def inserted(bench: Bench, organization_id: Any, *, is_checked: bool) -> tuple[float, float]:
    """Seconds that it takes to insert the organization's rows once more under other ids; then taken back."""
    with contextlib.closing(bench.superuser()) as connection, connection.cursor() as cursor:
        cursor.execute(
            "CREATE TEMP TABLE o AS SELECT *, uuidv7() AS new_id FROM pipeline_opportunity WHERE organization_id = %s",
            [str(organization_id)],
        )
        cursor.execute("UPDATE o SET external_id = external_id || '-again'")
        cursor.execute(
            "CREATE TEMP TABLE v AS SELECT v.*, o.new_id FROM pipeline_opportunityversion v "
            "JOIN o ON o.id = v.opportunity_id WHERE v.organization_id = %s ORDER BY opportunity_id, valid_from",
            [str(organization_id)],
        )
        cursor.execute("ANALYZE o")
        cursor.execute("ANALYZE v")
        cursor.execute("ALTER TABLE pipeline_opportunity DISABLE TRIGGER USER")
        if not is_checked:
            cursor.execute("SET LOCAL session_replication_role = replica")
        backend = connection.info.backend_pid
        statements = list(_statements(cursor))
        started, before = time.perf_counter(), cpu_seconds(backend)
        for statement in [*statements, "SET CONSTRAINTS ALL IMMEDIATE"]:
            cursor.execute(statement)
        taken = time.perf_counter() - started, cpu_seconds(backend) - before
        connection.rollback()
    return taken


def _statements(cursor: Any) -> Iterator[str]:
    for table, source, renamed in zip(
        TABLES, "ov", ({"id": "new_id"}, {"opportunity_id": "new_id"}), strict=True
    ):
        cursor.execute(
            "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped",
            [table],
        )
        columns = [name for (name,) in cursor.fetchall() if name != "id" or "id" in renamed]
        yield (
            f"INSERT INTO {table} ({', '.join(columns)}) "
            f"SELECT {', '.join(renamed.get(name, name) for name in columns)} FROM {source}"
        )
