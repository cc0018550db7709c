"""Is every table fenced? The catalogue is asked, so that a table added later is covered without a word here."""

import os
import tomllib
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import psycopg2
import pytest
from django.apps import apps
from django.db import connection

from otc.embedded.places import CLONE
from otc.tenancy.fields import TenantForeignKey, TenantModel

UNFENCED: dict[str, str] = tomllib.loads((CLONE / "pgrls.toml").read_text())["unfenced"]
OWN = (
    "(organization_id = ( SELECT (current_setting('otc.organization'::text, true))::uuid AS current_setting))"
)
OWN_ID = OWN.replace("(organization_id", "(id", 1)
# What beside the organization's own rows may be read, and why; nothing may be written through any of them.
DOORWAYS = {
    "otc_person": "a signed-in user finds their memberships",
    "otc_organization": "a signed-in user finds the organizations where they have a person; jobs iterate",
    "otc_apitoken": "a token is found by its hash",
    "otc_invitation": "an invitation is found by its link's hash",
    "pipeline_closeplanlink": "a close plan is found by its link's hash",
    "otc_job": "sweep and worker find what is due",
}
# A unique key that doesn't start with the organization, and why.
GLOBAL_KEYS = {"otc_organization": "a slug is an address of the whole house"}
# A primary key of another form, which still starts with the organization, and why.
OTHER_PRIMARY_KEYS = {
    # Several words lead to one deal or account, and one word to many.
    "pipeline_searchtoken": ["organization_id", "kind", "token", "id"],
}
ALL_COMMANDS = {"r", "a", "w", "d"}

Faults = list[str]


def rows(cursor: Any, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
    cursor.execute(sql, parameters)
    return list(cursor.fetchall())


def tables(cursor: Any) -> list[str]:
    """Every table of ours that isn't on the list of unfenced ones."""
    found = rows(
        cursor,
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') "
        "ORDER BY relname",
    )
    return [name for (name,) in found if name not in UNFENCED]


def fence_faults(cursor: Any, table: str) -> Faults:
    """Security enabled and forced; the owner isn't the application; every policy as the operation writes it."""
    enabled, forced, owner = rows(
        cursor,
        "SELECT relrowsecurity, relforcerowsecurity, pg_get_userbyid(relowner) FROM pg_class "
        "WHERE oid = to_regclass(%s)",
        table,
    )[0]
    faults = []
    if not (enabled and forced):
        faults.append(f"{table}: row-level security is not enabled and forced")
    if owner != "otc_owner":
        faults.append(f"{table}: owned by {owner}")
    return faults + policy_faults(cursor, table)


def policy_faults(cursor: Any, table: str) -> Faults:
    own = OWN_ID if table == "otc_organization" else OWN
    policies = rows(
        cursor,
        "SELECT polname, polpermissive, polcmd, pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid), "
        "polroles = '{0}' FROM pg_policy WHERE polrelid = to_regclass(%s)",
        table,
    )
    faults, covered = [], {True: set(), False: set()}
    for name, permissive, command, using, check, for_all in policies:
        covered[permissive] |= ALL_COMMANDS if command == "*" else {command}
        is_doorway = table in DOORWAYS and command == "r"
        if using not in (None, own) and not is_doorway:
            faults.append(f"{table}: policy {name} reads or changes by {using}")
        if check not in (None, own):
            faults.append(f"{table}: policy {name} writes by {check}")
        if not for_all:
            faults.append(f"{table}: policy {name} is for some roles only")
    kinds = {True: "permissive", False: "restrictive"}
    return faults + [
        f"{table}: not every command has a {kinds[kind]} policy"
        for kind in kinds
        if covered[kind] != ALL_COMMANDS
    ]


def key_faults(cursor: Any, table: str) -> Faults:
    """The primary key is (organization_id, id); every unique key and every foreign key starts with the organization."""
    if table == "otc_organization":
        return []
    faults = []
    keys = rows(
        cursor,
        "SELECT i.indisprimary, array_agg(coalesce(a.attname, '?') ORDER BY k.n) FROM pg_index i "
        "CROSS JOIN LATERAL unnest(i.indkey::int[]) WITH ORDINALITY AS k(attnum, n) "
        "LEFT JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum AND k.attnum > 0 "
        "WHERE i.indrelid = to_regclass(%s) AND i.indisunique GROUP BY i.indexrelid, i.indisprimary",
        table,
    )
    expected = OTHER_PRIMARY_KEYS.get(table, ["organization_id", "id"])
    if expected not in [columns for is_primary, columns in keys if is_primary]:
        faults.append(f"{table}: its primary key is not (organization_id, id)")
    faults += [
        f"{table}: unique key {columns} doesn't start with the organization"
        for _, columns in keys
        if columns[0] != "organization_id"
    ]
    return faults + foreign_key_faults(cursor, table)


def foreign_keys(cursor: Any, table: str) -> list[tuple[str, list[str], list[str]]]:
    """(target, own columns, target's columns) of every foreign key."""
    return [
        (target, list(columns), list(targets))
        for target, columns, targets in rows(
            cursor,
            "SELECT confrelid::regclass::text, "
            "(SELECT array_agg(attname ORDER BY n) FROM unnest(conkey) WITH ORDINALITY k(num, n) "
            " JOIN pg_attribute ON attrelid = conrelid AND attnum = num), "
            "(SELECT array_agg(attname ORDER BY n) FROM unnest(confkey) WITH ORDINALITY k(num, n) "
            " JOIN pg_attribute ON attrelid = confrelid AND attnum = num) "
            "FROM pg_constraint WHERE contype = 'f' AND conrelid = to_regclass(%s)",
            table,
        )
    ]


def foreign_key_faults(cursor: Any, table: str) -> Faults:
    return [
        f"{table}: foreign key {columns} -> {target}{targets} doesn't carry the organization"
        for target, columns, targets in foreign_keys(cursor, table)
        if target not in UNFENCED
        and target != "otc_organization"
        and not (columns[0] == targets[0] == "organization_id" and targets[1:] == ["id"])
    ]


def table_faults(cursor: Any) -> Faults:
    """Everything that is wrong with the fences of this database."""
    return [
        fault
        for table in tables(cursor)
        for fault in [*fence_faults(cursor, table), *key_faults(cursor, table)]
    ]


@pytest.fixture
def owner_cursor(db: None) -> Iterator[Any]:
    """A cursor of the owner, in a transaction that is rolled back."""
    with closing(psycopg2.connect(os.environ["DATABASE_OWNER_URL"])) as owned:
        yield owned.cursor()
        owned.rollback()


def test_every_table_is_fenced_and_keyed_by_organization(db: None) -> None:
    with connection.cursor() as cursor:
        assert len(tables(cursor)) > 20
        assert table_faults(cursor) == []


STRAY = "CREATE TABLE pipeline_stray (id uuid PRIMARY KEY, organization_id uuid NOT NULL, name text UNIQUE)"
FENCED_STRAY = """
CREATE TABLE pipeline_stray (id uuid, organization_id uuid NOT NULL, account_id uuid);
ALTER TABLE pipeline_stray ADD PRIMARY KEY (organization_id, id);
ALTER TABLE pipeline_stray ENABLE ROW LEVEL SECURITY;
ALTER TABLE pipeline_stray FORCE ROW LEVEL SECURITY;
CREATE POLICY a ON pipeline_stray AS RESTRICTIVE USING ({own}) WITH CHECK ({own});
CREATE POLICY b ON pipeline_stray USING ({own}) WITH CHECK ({own});
"""
RIGHT = "organization_id = (SELECT current_setting('otc.organization', true)::uuid)"


def stray_faults(cursor: Any) -> Faults:
    return [fault for fault in table_faults(cursor) if fault.startswith("pipeline_stray:")]


def test_an_unfenced_table_is_reported(owner_cursor: Any) -> None:
    owner_cursor.execute(STRAY)
    found = " ".join(stray_faults(owner_cursor))
    for what in ("not enabled", "permissive", "restrictive", "primary key", "unique key"):
        assert what in found


def test_a_rightly_fenced_table_is_not_reported(owner_cursor: Any) -> None:
    owner_cursor.execute(FENCED_STRAY.format(own=RIGHT))
    assert stray_faults(owner_cursor) == []


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ("ALTER TABLE pipeline_stray NO FORCE ROW LEVEL SECURITY", "forced"),
        ("DROP POLICY a ON pipeline_stray", "restrictive"),
        ("CREATE POLICY c ON pipeline_stray FOR SELECT USING (true)", "policy c reads"),
        ("CREATE POLICY c ON pipeline_stray FOR INSERT WITH CHECK (true)", "policy c writes"),
        ("CREATE UNIQUE INDEX ON pipeline_stray (id)", "unique key"),
        ("ALTER TABLE pipeline_stray ADD FOREIGN KEY (account_id) REFERENCES pipeline_stray2 (id)", "carry"),
    ],
)
def test_each_gap_in_a_fence_is_reported(owner_cursor: Any, change: str, fault: str) -> None:
    owner_cursor.execute("CREATE TABLE pipeline_stray2 (id uuid PRIMARY KEY, organization_id uuid)")
    owner_cursor.execute(FENCED_STRAY.format(own=RIGHT))
    owner_cursor.execute(change)
    assert [found for found in stray_faults(owner_cursor) if fault in found]


def model_faults(models: Any) -> Faults:
    """Models without an organization that no list excuses; references between tenants by another field than ours."""
    faults = []
    for model in models:
        table = model._meta.db_table
        if not issubclass(model, TenantModel):
            if table not in UNFENCED and table != "otc_organization":
                faults.append(f"{table}: neither a TenantModel nor on the list of unfenced tables")
            continue
        faults += [
            f"{table}.{field.name}: a reference to a tenant table needs a TenantForeignKey"
            for field in model._meta.local_fields
            if field.is_relation
            and issubclass(field.related_model, TenantModel)
            and not isinstance(field, TenantForeignKey)
        ]
    return faults


def test_every_model_belongs_to_an_organization_or_says_why_not(db: None) -> None:
    assert model_faults(apps.get_models(include_auto_created=True)) == []


def test_every_reference_of_a_model_is_a_key_of_the_database(db: None) -> None:
    with connection.cursor() as cursor:
        for model in apps.get_models():
            kept = {columns[-1] for _, columns, _ in foreign_keys(cursor, model._meta.db_table)}
            asked = {field.column for field in model._meta.local_fields if field.is_relation}
            assert asked <= kept, f"{model._meta.db_table}: no foreign key for {asked - kept}"


def test_every_exception_has_a_reason_and_a_table(db: None) -> None:
    with connection.cursor() as cursor:
        existing = {name for (name,) in rows(cursor, "SELECT tablename FROM pg_tables")}
    listed = UNFENCED | DOORWAYS | GLOBAL_KEYS
    assert set(listed) <= existing
    assert all(len(reason) > 20 for reason in listed.values())


def test_the_application_owns_nothing_and_can_not_step_around(db: None) -> None:
    with connection.cursor() as cursor:
        attributes = rows(
            cursor,
            "SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication FROM pg_roles "
            "WHERE rolname = current_user",
        )
        owned = rows(cursor, "SELECT relname FROM pg_class WHERE pg_get_userbyid(relowner) = current_user")
        member_of = rows(
            cursor,
            "SELECT roleid::regrole::text FROM pg_auth_members WHERE member = current_user::regrole",
        )
        truncated = [
            table
            for table in tables(cursor)
            if rows(cursor, "SELECT has_table_privilege(%s, 'TRUNCATE, TRIGGER, REFERENCES')", table)[0][0]
        ]
    assert attributes == [(False,) * 5]
    assert owned == member_of == truncated == []


@pytest.mark.parametrize(
    ("table", "right"),
    [
        ("pipeline_opportunity", "DELETE"),
        ("pipeline_opportunityversion", "INSERT"),
        ("pipeline_opportunityversion", "UPDATE"),
        ("pipeline_opportunityversion", "DELETE"),
        ("otc_organization", "DELETE"),
        ("otc_auditentry", "UPDATE"),
        ("otc_auditentry", "DELETE"),
        ("otc_auditentry", "TRUNCATE"),
        ("otc_auditchain", "INSERT"),
        ("otc_auditchain", "UPDATE"),
        ("otc_auditcheckpoint", "UPDATE"),
        ("otc_auditcheckpoint", "DELETE"),
    ],
)
def test_what_must_stay_can_not_be_taken_away(db: None, table: str, right: str) -> None:
    with connection.cursor() as cursor:
        assert rows(cursor, "SELECT has_table_privilege(%s, %s)", table, right) == [(False,)]
