"""The drill: everything is kept, lost and brought back, and every table is counted and compared."""

import json
from collections.abc import Iterator
from contextlib import closing
from io import StringIO
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.utils import timezone
from psycopg2 import sql

from otc.backup import services
from otc.backup.manifest import UnusableBackup, manifest_path, read_manifest
from otc.backup.services import BackupFailed, NotEmpty, backup_restore, backup_write, table_rows
from otc.tenancy.context import use
from pipeline.opportunities.services import opportunity_create
from postmortem.demo.services import demo_seed
from tests.cluster import superuser_connection, worker_database
from tests.conftest import build_house

DIGEST = "SELECT count(*), coalesce(md5(string_agg(md5(t::text), '' ORDER BY md5(t::text))), '') FROM public.{} AS t"


@pytest.fixture
def lived(transactional_db: None) -> None:
    """An organization with deals, versions, activities, people and sign-ins, committed."""
    demo_seed("kept", deals=30, seed=4, now=timezone.now())


@pytest.fixture
def housed(transactional_db: None) -> None:
    """An organization with its people, a deal and its versions, committed: for what isn't about every table."""
    house = build_house()
    with use(house.organization.id, channel="ui"):
        opportunity_create(name="Kestrel Rail", owner_id=house.ana.id, now=timezone.now())


@pytest.fixture
def empty() -> Iterator[str]:
    """A new database of the owner's, made as roles.sql makes one."""
    name = f"drill_{worker_database()}"
    with closing(superuser_connection()) as connection, connection.cursor() as cursor:
        cursor.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name)))
        cursor.execute(
            sql.SQL("CREATE DATABASE {} OWNER otc_owner TEMPLATE template0").format(sql.Identifier(name))
        )
        with closing(superuser_connection(name)) as inside:
            inside.cursor().execute("ALTER SCHEMA public OWNER TO otc_owner")
            inside.cursor().execute("GRANT USAGE ON SCHEMA public TO otc_app")
        yield name
        cursor.execute(sql.SQL("DROP DATABASE {}").format(sql.Identifier(name)))


def reader(name: str = "") -> dict[str, Any]:
    return dict(settings.BACKUP_DATABASE) | ({"NAME": name} if name else {})


def owner(name: str) -> dict[str, Any]:
    return dict(settings.DATABASES["owner"]) | {"NAME": name}


def contents(name: str) -> dict[str, tuple[int, str]]:
    """Count and digest of every table, read by the superuser."""
    with closing(superuser_connection(name)) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        found = {}
        for (table,) in cursor.fetchall():
            cursor.execute(sql.SQL(DIGEST).format(sql.Identifier(table)))
            found[table] = cursor.fetchone()
        return found


def guards(name: str) -> set[tuple[Any, ...]]:
    """Policies, triggers, constraints and grants of a database."""
    with closing(superuser_connection(name)) as connection, connection.cursor() as cursor:
        cursor.execute(
            "SELECT 'policy', tablename, policyname, permissive, cmd, qual, with_check FROM pg_policies UNION ALL "
            "SELECT 'trigger', tgrelid::regclass::text, pg_get_triggerdef(oid), tgenabled::text, '', '', '' "
            "FROM pg_trigger WHERE NOT tgisinternal UNION ALL "
            # PostgreSQL spells the casts inside a check differently once it has read its own spelling.
            "SELECT 'key', conrelid::regclass::text, conname, "
            "CASE WHEN contype = 'c' THEN 'check' ELSE pg_get_constraintdef(oid) END, convalidated::text, '', '' "
            "FROM pg_constraint WHERE connamespace = 'public'::regnamespace UNION ALL "
            "SELECT 'fence', relname, relrowsecurity::text, relforcerowsecurity::text, relowner::regrole::text, "
            "relacl::text, '' FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace UNION ALL "
            "SELECT 'new tables', defaclobjtype::text, defaclrole::regrole::text, defaclacl::text, '', '', '' "
            "FROM pg_default_acl"
        )
        return set(cursor.fetchall())


def test_every_table_comes_back_with_every_row_and_every_fence(lived, empty: str, tmp_path: Path) -> None:
    file = tmp_path / "otc.dump"
    manifest = backup_write(file, database=reader())
    backup_restore(file, owner=owner(empty), reader=reader(empty))
    kept, back = contents(worker_database()), contents(empty)
    assert back == kept
    assert {table: count for table, (count, _) in back.items()} == dict(manifest.rows)
    assert (
        min(manifest.rows[f"pipeline_{name}"] for name in ("opportunityversion", "activity", "account")) > 10
    )
    assert guards(empty) == guards(worker_database())


def test_the_fences_hold_in_a_restored_database(housed, empty: str, tmp_path: Path) -> None:
    file = tmp_path / "otc.dump"
    backup_write(file, database=reader())
    backup_restore(file, owner=owner(empty), reader=reader(empty))
    with closing(services._connect(dict(settings.DATABASES["default"]) | {"NAME": empty})) as connection:
        cursor = connection.cursor()
        cursor.execute("SELECT count(*) FROM pipeline_opportunity")
        assert cursor.fetchone() == (0,)
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            cursor.execute("TRUNCATE pipeline_opportunity")


def test_a_backup_reads_past_every_fence_and_writes_nothing(housed) -> None:
    with closing(services._connect(reader())) as connection:
        cursor = connection.cursor()
        cursor.execute("SELECT count(DISTINCT organization_id) FROM pipeline_opportunity")
        assert cursor.fetchone()[0] >= 1
        with pytest.raises((psycopg2.errors.InsufficientPrivilege, psycopg2.errors.ReadOnlySqlTransaction)):
            cursor.execute("DELETE FROM pipeline_opportunity")
        connection.rollback()
        cursor.execute("SET default_transaction_read_only = off")
        connection.commit()
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            cursor.execute("DELETE FROM pipeline_opportunity")


def test_rows_are_replaced_only_when_asked(lived, tmp_path: Path) -> None:
    name, file = worker_database(), tmp_path / "otc.dump"
    backup_write(file, database=reader())
    before, fences = contents(name), guards(name)
    with pytest.raises(NotEmpty):
        backup_restore(file, owner=owner(name), reader=reader())
    with closing(superuser_connection(name)) as connection:
        connection.cursor().execute("DELETE FROM pipeline_activity")
    assert contents(name) != before
    backup_restore(file, owner=owner(name), reader=reader(), replace=True)
    assert contents(name) == before
    # New tables are granted by default what some of them must not be: writing where the application only reads.
    assert guards(name) == fences


def test_a_table_that_came_back_short_is_found(
    lived, empty: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control: what the drill counts is counted in the database, not read from the file."""
    file = tmp_path / "otc.dump"
    backup_write(file, database=reader())
    run = services._run

    def lossy(program: str, *words: str, database: Any) -> None:
        run(program, *words, database=database)
        with closing(superuser_connection(empty)) as connection:
            connection.cursor().execute(
                "DELETE FROM pipeline_activity WHERE id = (SELECT min(id::text)::uuid FROM pipeline_activity)"
            )

    monkeypatch.setattr(services, "_run", lossy)
    with pytest.raises(BackupFailed, match="pipeline_activity"):
        backup_restore(file, owner=owner(empty), reader=reader(empty))


def test_a_damaged_file_touches_nothing(housed, empty: str, tmp_path: Path) -> None:
    file = tmp_path / "otc.dump"
    backup_write(file, database=reader())
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    with pytest.raises(UnusableBackup, match="digest differs"):
        backup_restore(file, owner=owner(empty), reader=reader(empty))
    assert contents(empty) == {}


def test_a_failed_restore_leaves_the_database_as_it_was(housed, empty: str, tmp_path: Path) -> None:
    """A dump whose manifest is right but whose content breaks off: one transaction, nothing of it stays."""
    file = tmp_path / "otc.dump"
    manifest = backup_write(file, database=reader())
    file.write_bytes(file.read_bytes()[:-2000])
    text = json.loads(manifest_path(file).read_text()) | {"sha256": services.digest_of(file)}
    manifest_path(file).write_text(json.dumps(text))
    with pytest.raises(BackupFailed, match="pg_restore"):
        backup_restore(file, owner=owner(empty), reader=reader(empty))
    assert contents(empty) == {}
    assert manifest.rows
    name = worker_database()
    before = contents(name), guards(name)
    with pytest.raises(BackupFailed, match="pg_restore"):
        backup_restore(file, owner=owner(name), reader=reader(), replace=True)
    assert (contents(name), guards(name)) == before


@pytest.mark.parametrize(
    "change",
    [{"format": 99}, {"migrations": None}, {"rows": {}, "surprise": 1}],
    ids=["format", "missing", "more"],
)
def test_a_manifest_that_is_not_ours_is_refused(tmp_path: Path, change: dict[str, Any]) -> None:
    file = tmp_path / "otc.dump"
    file.write_bytes(b"x")
    known = {"made_at": "", "postgres_version": 18, "rows": {}, "migrations": [], "sha256": "", "format": 1}
    manifest_path(file).write_text(json.dumps(known | change))
    with pytest.raises(UnusableBackup):
        read_manifest(file)


def test_the_commands_say_what_was_kept_and_never_overwrite(housed, tmp_path: Path) -> None:
    file, shown = tmp_path / "deep" / "otc.dump", StringIO()
    call_command("backup", file, stdout=shown)
    assert f"{sum(table_rows(reader()).values()):,} rows" in shown.getvalue()
    assert file.stat().st_mode & 0o077 == 0
    with pytest.raises(CommandError, match="never overwrites"):
        call_command("backup", file)
    with pytest.raises(CommandError, match="--replace"):
        call_command("restore", file)
    with pytest.raises(CommandError, match="missing"):
        call_command("restore", tmp_path / "nothing.dump")


def test_a_role_that_may_not_read_everything_makes_no_backup(housed, tmp_path: Path) -> None:
    file = tmp_path / "otc.dump"
    with pytest.raises(BackupFailed, match="row-level security"):
        backup_write(file, database=settings.DATABASES["owner"])
    assert list(tmp_path.iterdir()) == []
