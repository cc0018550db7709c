"""Pytest plugin: one throw-away PostgreSQL and Valkey per run, and no silent skips.

Loaded by `-p tests.cluster` before Django reads its settings; `tests.databases` has the fixtures.
"""

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg2
import pytest

from otc.embedded.places import CLONE, Passwords, read_or_create_passwords
from otc.embedded.servers import PORT, PostgresServer, ValkeyServer
from tests import template

FOLDER_VARIABLE = "OTC_TEST_CLUSTER"
SHARED_DATA = CLONE.parent / "shared" / "data"
ROOM_BYTES = 8 * 2**30
# A crash loses a test cluster and nobody minds.
CARELESS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "100",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "2GB",
    # What tests roll back lies around until it is swept: often, then.
    "autovacuum_naptime": "5s",
    "autovacuum_vacuum_cost_delay": "0",
    "max_parallel_workers_per_gather": "0",
}


def _worker() -> str:
    """`gw0`, `gw1`, ... in an xdist worker, else `main`."""
    return os.environ.get("PYTEST_XDIST_WORKER", "main")


def worker_database() -> str:
    """The name of this worker's database."""
    return f"test_{_worker()}"


def cluster_folder() -> Path:
    return Path(os.environ[FOLDER_VARIABLE])


def _passwords() -> Passwords:
    return read_or_create_passwords(cluster_folder())


def _url(*, user: str, password: str, database: str) -> str:
    return f"postgresql://{user}:{quote(password)}@/{database}?host={cluster_folder()}&port={PORT}"


def _addresses(database: str) -> dict[str, str]:
    passwords = _passwords()
    return {
        "DATABASE_URL": _url(user="otc_app", password=passwords.app, database=database),
        "DATABASE_OWNER_URL": _url(user="otc_owner", password=passwords.owner, database=database),
        "DATABASE_BACKUP_URL": _url(user="otc_backup", password=passwords.backup, database=database),
    }


def superuser_connection(database: str = "postgres") -> Any:
    """A psycopg2 connection in autocommit that may do anything; for tests of roles and policies."""
    connection = psycopg2.connect(
        host=str(cluster_folder()),
        port=PORT,
        user="postgres",
        password=_passwords().superuser,
        dbname=database,
    )
    connection.autocommit = True
    return connection


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Before Django reads its settings: start servers (controller only), name the worker's database."""
    is_first = FOLDER_VARIABLE not in os.environ
    if is_first:
        _start_servers(early_config)
    os.environ |= _addresses(worker_database())
    number = int(_worker().removeprefix("gw")) if _worker().startswith("gw") else 0
    os.environ["REDIS_URL"] = f"unix://{cluster_folder()}/valkey.sock?db={number % 16}"
    os.environ["DJANGO_SECRET_KEY"] = _passwords().django_secret_key
    if is_first:
        early_config.add_cleanup(template.begin(cluster_folder(), _addresses(template.NAME)))


def pytest_configure(config: pytest.Config) -> None:
    """Load the fixtures after pytest-django's, which they replace: of two plugins the later one's count."""
    config.pluginmanager.import_plugin("tests.databases")


def _quick_place() -> Path | None:
    """Memory, where there is room for a cluster; else wherever temporary files go."""
    memory = Path("/dev/shm")
    has_room = memory.is_dir() and shutil.disk_usage(memory).free > ROOM_BYTES
    return memory if has_room else None


def _start_servers(config: pytest.Config) -> None:
    folder = Path(tempfile.mkdtemp(prefix="otc-test-", dir=_quick_place()))
    os.environ[FOLDER_VARIABLE] = str(folder)
    postgres = PostgresServer(
        data=folder / "data",
        sockets=folder,
        passwords=read_or_create_passwords(folder),
        log=folder / "postgres.log",
        parameters=CARELESS,
    )
    valkey = ValkeyServer(data=folder / "valkey", sockets=folder, log=folder / "valkey.log")

    def clean_up() -> None:
        valkey.stop()
        postgres.stop()
        shutil.rmtree(folder, ignore_errors=True)
        os.environ.pop(FOLDER_VARIABLE, None)

    config.add_cleanup(clean_up)
    valkey.start()
    postgres.start()
    valkey.wait()
    postgres.wait()


def _is_excused(report: Any) -> bool:
    """A skip is excused only when ../shared/data is absent and the test says that this is why."""
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return not SHARED_DATA.exists() and "shared/data" in reason


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """A part that can't run fails the run."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or hasattr(session.config, "workerinput"):
        return
    unexcused = [report for report in reporter.stats.get("skipped", []) if not _is_excused(report)]
    if unexcused and session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED):
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Count the skips in the last lines, and name those that fail the run."""
    skipped = terminalreporter.stats.get("skipped", [])
    unexcused = [report for report in skipped if not _is_excused(report)]
    terminalreporter.section("skips", sep="-")
    for report in unexcused:
        terminalreporter.line(f"NOT EXCUSED, fails the run: {report.nodeid}: {report.longrepr[2]}", red=True)
    terminalreporter.line(
        f"{len(skipped)} skipped: {len(skipped) - len(unexcused)} for want of ../shared/data"
    )
