"""Pytest plugin: one database per xdist worker, copied from a template that the owner migrated once.

`db` runs in the application's role and rolls back; `transactional_db` is emptied by the superuser.
"""

import contextlib
import fcntl
import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from psycopg2 import sql

from tests import template
from tests.cluster import cluster_folder, superuser_connection, worker_database

# Filled by Django itself after migrating; the same in every database.
KEPT = {"django_migrations", "django_content_type", "auth_permission"}
TRUNCATE_EVERY = 40


@pytest.fixture(scope="session")
def django_db_modify_db_settings() -> None:
    """The settings already name this worker's database."""


@pytest.fixture(scope="session")
def django_db_setup(django_test_environment: None, django_db_blocker: Any) -> Iterator[None]:
    """This worker's database, a copy of the migrated template; in place of pytest-django's fixture."""
    with django_db_blocker.unblock():
        template.wait(cluster_folder())
        copy_template(worker_database())
    _empty_past_the_fences()
    from django.db import connections

    from tests import kept_connections

    kept_connections.keep()
    yield

    connections.close_all()
    kept_connections.close()


@contextlib.contextmanager
def connected_to(database: str) -> Iterator[None]:
    """Point both roles' connections at another database for a while."""
    from django.db import connections

    names = {alias: connections[alias].settings_dict["NAME"] for alias in connections}
    connections.close_all()
    for alias in names:
        connections[alias].settings_dict["NAME"] = database
    try:
        yield
    finally:
        connections.close_all()
        for alias, name in names.items():
            connections[alias].settings_dict["NAME"] = name


def copy_template(database: str) -> None:
    """A new database as the migrations leave it."""
    with (
        (cluster_folder() / "copying").open("w") as lock,
        contextlib.closing(superuser_connection()) as connection,
    ):
        # Copies of one template exclude each other.
        fcntl.flock(lock, fcntl.LOCK_EX)
        with connection.cursor() as cursor:
            cursor.execute(
                sql.SQL("CREATE DATABASE {} TEMPLATE {} OWNER otc_owner STRATEGY file_copy").format(
                    sql.Identifier(database), sql.Identifier(template.NAME)
                )
            )


def _empty_past_the_fences() -> None:
    """Let transactional tests clean up as superuser: the application's role may neither truncate nor see every row.

    A test fills few tables with few rows: deleting those takes a hundredth of the time of truncating all. What is
    deleted leaves dead rows behind, so that every now and then all tables are truncated after all.
    """
    from django.conf import settings
    from django.test import TransactionTestCase

    assert settings.DATABASES["default"]["NAME"] == worker_database()
    # Kept open: to connect takes as long as to delete.
    connection = superuser_connection(worker_database())
    with connection.cursor() as cursor:
        tables = [sql.Identifier(name) for name in _tables_to_empty(cursor)]
        filled = sql.SQL(" UNION ALL ").join(
            sql.SQL("SELECT {} WHERE EXISTS (SELECT FROM {})").format(sql.Literal(table.string), table)
            for table in tables
        )
        cursor.execute(sql.SQL("PREPARE filled AS {}").format(filled))
        # A view left streaming would hold its lock for ever; better to fail with a name.
        cursor.execute("SET lock_timeout = '20s'; SET session_replication_role = replica")
    truncate = sql.SQL("TRUNCATE {}").format(sql.SQL(", ").join(tables))
    turns = itertools.count(1)

    def empty_all_tables(self: TransactionTestCase) -> None:
        with connection, connection.cursor() as cursor:
            if next(turns) % TRUNCATE_EVERY == 0:
                cursor.execute(truncate)
                return
            cursor.execute("EXECUTE filled")
            # Again: what is deleted may leave a mark in a table that was empty.
            while names := cursor.fetchall():
                deletes = (sql.SQL("DELETE FROM {}").format(sql.Identifier(name)) for (name,) in names)
                cursor.execute(sql.SQL("; ").join(deletes))
                cursor.execute("EXECUTE filled")

    TransactionTestCase._fixture_teardown = empty_all_tables  # type: ignore[method-assign]  # the one seam Django has


def _tables_to_empty(cursor: Any) -> list[str]:
    """Every table except Django's own and those that a migration filled."""
    cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename")
    tables = [name for (name,) in cursor.fetchall() if name not in KEPT]
    empty = []
    for name in tables:
        cursor.execute(sql.SQL("SELECT EXISTS (SELECT FROM {})").format(sql.Identifier(name)))
        if not cursor.fetchone()[0]:
            empty.append(name)
    return empty
