"""Does row-level security keep organizations apart? Proven by pgrls (Z3) for every table, in five threat models.

pgrls lives in an environment of its own under .var, made from requirements-pgrls.txt when that file changes.
"""

import fcntl
import hashlib
import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from django.db import connection
from psycopg2 import sql

from otc.embedded.places import CLONE, VAR, private_folder, read_or_create_passwords
from otc.embedded.servers import PORT
from tests.cluster import cluster_folder, superuser_connection, worker_database
from tests.nightly import IS_NIGHTLY

REQUIREMENTS = CLONE / "requirements-pgrls.txt"
SETTINGS = CLONE / "pgrls.toml"
EXPECTED = tomllib.loads(SETTINGS.read_text())
MODES = ("anon", "cross-tenant", "write", "escalation", "reachability")


@pytest.fixture(scope="session")
def pgrls() -> Path:
    """The pgrls command, in an environment made once per state of its requirements."""
    folder = private_folder(VAR) / "pgrls-venv"
    made, wanted = folder / "made-from", hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()
    with (VAR / "pgrls-venv.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists() or made.read_text() != wanted:
            subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
            install = [folder / "bin" / "pip", "install", "--quiet", "--require-hashes", "-r", REQUIREMENTS]
            subprocess.run(install, check=True)
            made.write_text(wanted)
    return folder / "bin" / "pgrls"


def address(database: str) -> str:
    """The owner's URL of a database of the test cluster, for psycopg 3."""
    password = quote(read_or_create_passwords(cluster_folder()).owner)
    return f"postgresql://otc_owner:{password}@/{database}?host={cluster_folder()}&port={PORT}"


def verdicts(pgrls: Path, *, mode: str, database: str) -> dict[str, str]:
    """Verdict by subject (a table or a function): isolated, leak, unverified."""
    command = [pgrls, "verify", "--config", SETTINGS, "--mode", mode, "--format", "json", "--strict"]
    done = subprocess.run(
        [*command, "--database-url", address(database)],
        capture_output=True,
        text=True,
        env={name: value for name, value in os.environ.items() if not name.startswith("PG")},
    )
    assert done.returncode in (0, 1), done.stderr
    content: dict[str, Any] = json.loads(done.stdout)
    subjects = next((content[key] for key in ("tables", "subjects", "findings") if key in content), [])
    return {entry.get("table") or entry["subject"]: entry["verdict"] for entry in subjects}


def unproven(found: dict[str, str]) -> set[str]:
    return {subject for subject, verdict in found.items() if verdict != "isolated"}


def excepted(mode: str) -> set[str]:
    return {entry["subject"] for entry in EXPECTED["excepted"] if entry["mode"] == mode}


def fenced_tables() -> set[str]:
    return {f"public.{name}" for name, is_fenced in _tables() if is_fenced}


def _tables() -> list[tuple[str, bool]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname, relrowsecurity AND relforcerowsecurity FROM pg_class "
            "WHERE relkind IN ('r', 'p', 'm', 'f') AND relnamespace = 'public'::regnamespace"
        )
        return cursor.fetchall()


@pytest.mark.parametrize("mode", MODES)
def test_every_policy_is_proven_but_for_the_named_doorways(pgrls, db, mode):
    found = verdicts(pgrls, mode=mode, database=worker_database())
    assert unproven(found) == excepted(mode)
    if mode in ("anon", "cross-tenant", "write"):
        assert set(found) == fenced_tables()


def test_every_other_table_is_fenced_by_force(db):
    assert {name for name, is_fenced in _tables() if not is_fenced} == set(EXPECTED["unfenced"])


def test_every_exception_says_why():
    reasons = [entry["reason"] for entry in EXPECTED["excepted"]] + list(EXPECTED["unfenced"].values())
    assert all(len(reason) > 20 for reason in reasons)


def test_no_organization_can_bear_the_nil_uuid(db):
    """It is the context of a connection without one, for which pgrls finds such a row readable."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'organization_not_nobody'"
        )
        assert "<> '00000000-0000-0000-0000-000000000000'" in cursor.fetchone()[0]


@pytest.fixture
def broken_copy(django_db_setup: None) -> Iterator[str]:
    """A copy of the migrated database in which one table lets read, another lets write what is others'."""
    name = f"{worker_database()}_broken"
    everything = superuser_connection()
    # Copies of one template exclude each other; tests.databases makes its copies under the same lock.
    with (cluster_folder() / "migrating").open("w") as lock, everything.cursor() as cursor:
        fcntl.flock(lock, fcntl.LOCK_EX)
        cursor.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name)))
        cursor.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE otc OWNER otc_owner").format(sql.Identifier(name))
        )
    inside = superuser_connection(name)
    with inside.cursor() as cursor:
        for policy in ("tenant", "tenant_only"):
            cursor.execute(
                f"ALTER POLICY {policy} ON pipeline_account USING (organization_id = organization_id)"
            )
            cursor.execute(f"ALTER POLICY {policy} ON pipeline_contact WITH CHECK (name <> '')")
    inside.close()
    yield name
    with everything.cursor() as cursor:
        cursor.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
    everything.close()


def test_a_broken_policy_is_found(pgrls, broken_copy):
    """The guard's own proof: weaken two policies and see exactly those two fail."""
    if IS_NIGHTLY:
        read = unproven(verdicts(pgrls, mode="cross-tenant", database=broken_copy))
        assert read - excepted("cross-tenant") == {"public.pipeline_account"}
    written = unproven(verdicts(pgrls, mode="write", database=broken_copy))
    assert written - excepted("write") == {"public.pipeline_account", "public.pipeline_contact"}
