"""Accounts from a file, with the account each belongs to."""

from collections.abc import Mapping
from uuid import UUID

from otc.imports.columns import Column, ColumnType
from otc.imports.kinds import ImportJob
from otc.imports.names import Reference, create_names, join_name, look_up, new_names, prepare_names
from otc.imports.people import leads_back
from otc.imports.staging import mark_unchanged
from otc.imports.targets import (
    Written,
    choose_ids,
    insert_new,
    key_by_id_or_name,
    match_targets,
    update_changed,
)
from pipeline.imports.references import ACCOUNTS, STANDING_FIRST, refuse_merged

TABLE = "pipeline_account"
STANDING = f"(SELECT * FROM {TABLE} WHERE merged_into_id IS NULL)"
COLUMNS = (
    Column("external_id"),
    Column("name", ColumnType.NAME, max_length=300, is_required=True),
    Column("parent", ColumnType.NAME, max_length=300),
    Column("industry"),
    Column("country", max_length=100),
)
# A parent may be an account that is there or a row of the same file.
PARENT = Reference(
    "parent",
    "account",
    f"({ACCOUNTS} UNION ALL "
    "SELECT %(organization)s::uuid, target_id, external_id, name_folded, false FROM import_stage "
    "WHERE is_new AND refused_reason IS NULL)",
    STANDING_FIRST,
    f"INSERT INTO {TABLE} (organization_id, id, name, name_folded, industry, country, attributes, created_at) "
    f"SELECT %(organization)s, n.id, n.name, n.folded, '', '', '{{}}', %(now)s FROM {new_names('parent')}",
)
WRITTEN = {
    "external_id": Written("external_id", "s.external_id"),
    "name": Written("name", "s.name"),
    "name_folded": Written("name", "s.name_folded"),
    "industry": Written("industry", "coalesce(s.industry, '')"),
    "country": Written("country", "coalesce(s.country, '')"),
    "attributes": Written("attributes", "jsonb_strip_nulls(s.attributes)"),
}


class Accounts:
    """Known by external_id, or by name where there is none; other columns become attributes."""

    name = "accounts"
    columns = COLUMNS
    keeps_others = True
    key_column = "name"
    creatable = frozenset({"parent"})

    def key(self, values: Mapping[str, str | None]) -> str:
        return key_by_id_or_name(values)

    def resolve(self, job: ImportJob) -> None:
        refuse_merged(job, table=TABLE, alike="t.name_folded = s.name_folded")
        match_targets(job, table=STANDING, noun="accounts")
        mark_unchanged(job, kind=self)
        choose_ids(job)
        prepare_names(job)
        look_up(job, PARENT)
        job.refuse(
            "parent",
            "'an account can''t belong to itself'",
            "EXISTS (SELECT FROM import_name n WHERE n.column_name = 'parent' AND n.name = s.parent "
            "AND n.id = s.target_id)",
        )
        while _refuse_orphans(job) or _refuse_cycles(job):
            pass

    def apply(self, job: ImportJob) -> None:
        create_names(job, PARENT)
        insert_new(job, table=TABLE, columns=WRITTEN | {"created_at": Written("name", "%(now)s")})
        update_changed(job, table=TABLE, columns=WRITTEN)
        if "parent" in job.present:
            job.sql(
                f"UPDATE {TABLE} t SET parent_id = n_parent.id FROM import_stage s {join_name('parent')} "
                "WHERE t.organization_id = %(organization)s AND t.id = s.target_id "
                "AND s.refused_reason IS NULL AND NOT s.is_unchanged "
                "AND t.parent_id IS DISTINCT FROM n_parent.id"
            )


def _refuse_orphans(job: ImportJob) -> int:
    """Refuse rows whose parent is only in a refused row of the file."""
    return job.refuse(
        "parent",
        "'the row of “' || s.parent || '” is refused'",
        "EXISTS (SELECT FROM import_name n JOIN import_stage p ON p.target_id = n.id "
        "WHERE n.column_name = 'parent' AND n.name = s.parent AND p.is_new AND p.refused_reason IS NOT NULL)",
    )


def _refuse_cycles(job: ImportJob) -> int:
    """Refuse rows that would make an account belong to itself through others."""
    parents: dict[UUID, UUID | None] = dict(
        job.rows(
            f"SELECT id, parent_id FROM {TABLE} WHERE organization_id = %(organization)s AND parent_id IS NOT NULL"
        )
    )
    wanted = (
        job.rows(
            f"SELECT s.line, s.target_id, n_parent.id FROM import_stage s {join_name('parent')} "
            "WHERE s.refused_reason IS NULL AND NOT s.is_unchanged"
        )
        if "parent" in job.present
        else []
    )
    parents |= {account: parent for _, account, parent in wanted}
    cyclic = [line for line, account, _ in wanted if leads_back(account, parents)]
    if not cyclic:
        return 0
    return job.refuse(
        "parent",
        "'would belong to itself through “' || s.parent || '”'",
        "s.line = ANY(%(lines)s)",
        lines=cyclic,
    )
