"""Does an organization ever reach into another? Raw SQL tries, on every tenant table that there is."""

from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from django.apps import apps
from django.db import IntegrityError, ProgrammingError, connection, transaction

from otc.tenancy.context import NoOrganization, use
from otc.tenancy.fields import TenantModel
from tests.cluster import superuser_connection, worker_database
from tests.conftest import House
from tests.furnishing import furnish

TENANT_MODELS = [model for model in apps.get_models() if issubclass(model, TenantModel)]
TABLES = sorted(model._meta.db_table for model in TENANT_MODELS)


@pytest.fixture
def furnished(house: House, elsewhere: House) -> Iterator[tuple[House, House]]:
    """Two houses with a row in every table."""
    furnish(house, owner=house.ana)
    furnish(elsewhere, owner=elsewhere.zoe)
    yield house, elsewhere


def fetch(sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return list(cursor.fetchall())


def count(table: str) -> int:
    return int(fetch(f'SELECT count(*) FROM "{table}"')[0][0])


def refusal(sql: str, *parameters: Any) -> str | None:
    """The SQLSTATE that the statement is refused with; None where it went through."""
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(sql, parameters)
    except (ProgrammingError, IntegrityError) as error:
        return str(getattr(error.__cause__, "pgcode", ""))
    return None


NO_RIGHT = "42501"  # row-level security and missing grants alike
BROKEN_CHECK = "23514"  # a trigger that keeps a deal's id and organization answers before the policies


def test_every_tenant_table_is_furnished_for_these_tests(furnished: tuple[House, House]) -> None:
    house, _ = furnished
    with use(house.organization.id):
        empty = [table for table in TABLES if count(table) == 0]
    assert empty == [], "add a row to tests/furnishing.py"


def test_without_an_organization_no_row_is_seen(furnished: tuple[House, House]) -> None:
    assert {table: count(table) for table in TABLES} == dict.fromkeys(TABLES, 0)
    assert count("otc_organization") == 0


def test_only_the_own_rows_are_seen(furnished: tuple[House, House]) -> None:
    for house in furnished:
        with use(house.organization.id):
            for table in TABLES:
                seen = {str(row[0]) for row in fetch(f'SELECT DISTINCT organization_id FROM "{table}"')}
                assert seen == {str(house.organization.id)}, table


@pytest.mark.parametrize("model", TENANT_MODELS, ids=lambda model: model._meta.label)
def test_a_manager_without_an_organization_raises(model: Any) -> None:
    with pytest.raises(NoOrganization):
        model.objects.count()
    with pytest.raises(NoOrganization):
        model._base_manager.first()


def test_a_row_of_another_organization_can_not_be_inserted(furnished: tuple[House, House]) -> None:
    house, other = furnished
    for table in TABLES:
        with use(house.organization.id):
            row = fetch(f'SELECT to_jsonb(t)::text FROM "{table}" t LIMIT 1')[0][0]
        with use(other.organization.id):
            code = refusal(
                f'INSERT INTO "{table}" SELECT * FROM jsonb_populate_record(NULL::"{table}", %s)', row
            )
        assert code == NO_RIGHT, table


def test_a_row_can_not_be_given_to_another_organization(furnished: tuple[House, House]) -> None:
    house, other = furnished
    for table in TABLES:
        with use(house.organization.id):
            code = refusal(f'UPDATE "{table}" SET organization_id = %s', str(other.organization.id))
        assert code in (NO_RIGHT, BROKEN_CHECK), table


def test_rows_of_another_organization_can_not_be_changed_or_deleted(furnished: tuple[House, House]) -> None:
    house, other = furnished
    with use(house.organization.id):
        before = {table: count(table) for table in TABLES}
        ids = {table: str(fetch(f'SELECT id FROM "{table}" LIMIT 1')[0][0]) for table in TABLES}
    with use(other.organization.id):
        for table in TABLES:
            for verb in (f'DELETE FROM "{table}"', f'UPDATE "{table}" SET id = id'):
                left = fetch_or_none(f"{verb} WHERE id = %s RETURNING id", ids[table])
                assert left in ([], None), table
    with use(house.organization.id):
        assert {table: count(table) for table in TABLES} == before


def fetch_or_none(sql: str, *parameters: Any) -> list[tuple[Any, ...]] | None:
    """The rows that a statement touched; None where the right to it is missing."""
    try:
        with transaction.atomic():
            return fetch(sql, *parameters)
    except ProgrammingError:
        return None


def test_leaving_a_context_leaves_no_organization_behind(furnished: tuple[House, House]) -> None:
    house, other = furnished
    with use(house.organization.id):
        with use(other.organization.id):
            pass
        seen = fetch("SELECT DISTINCT organization_id FROM pipeline_opportunity")
        assert seen == [(house.organization.id,)]
    assert count("pipeline_opportunity") == 0


UNFENCED = """
CREATE TABLE pipeline_stray (organization_id uuid, id uuid);
INSERT INTO pipeline_stray VALUES (gen_random_uuid(), gen_random_uuid());
GRANT SELECT ON pipeline_stray TO otc_app;
"""


@pytest.mark.parametrize(
    ("fence", "seen"),
    [
        ("", 1),
        ("ALTER TABLE pipeline_stray ENABLE ROW LEVEL SECURITY", 0),
    ],
)
def test_rows_of_a_table_without_a_fence_would_be_seen(db: None, fence: str, seen: int) -> None:
    """The negative control: it is the fence that hides rows from the application, nothing else."""
    with closing(superuser_connection(worker_database())) as superuser, superuser.cursor() as cursor:
        cursor.execute(
            f"BEGIN; {UNFENCED} {fence}; SET LOCAL ROLE otc_app; SELECT count(*) FROM pipeline_stray"
        )
        found = cursor.fetchone()
        cursor.execute("ROLLBACK")
    assert found == (seen,)
