"""Products from a file."""

from collections.abc import Mapping

from otc.imports.columns import Column, ColumnType
from otc.imports.kinds import ImportJob
from otc.imports.staging import mark_unchanged
from otc.imports.targets import (
    Written,
    choose_ids,
    insert_new,
    key_by_id_or_name,
    match_targets,
    update_changed,
)

TABLE = "pipeline_product"
COLUMNS = (
    Column("external_id"),
    Column("name", ColumnType.NAME, is_required=True),
    Column("family"),
    Column("list_price", ColumnType.AMOUNT),
    Column("currency", ColumnType.CURRENCY),
)
WRITTEN = {
    "external_id": Written("external_id", "s.external_id"),
    "name": Written("name", "s.name"),
    "name_folded": Written("name", "s.name_folded"),
    "family": Written("family", "coalesce(s.family, '')"),
    "list_price_minor": Written("list_price", "s.list_price"),
    # A price without a currency is in the organization's.
    "currency": Written(
        "list_price",
        "coalesce(s.currency, CASE WHEN s.list_price IS NOT NULL THEN %(currency)s ELSE '' END)",
    ),
    "attributes": Written("attributes", "jsonb_strip_nulls(s.attributes)"),
}


class Products:
    """Known by external_id, or by name where there is none; no two share a name."""

    name = "products"
    columns = COLUMNS
    keeps_others = True
    key_column = "name"
    creatable: frozenset[str] = frozenset()

    def key(self, values: Mapping[str, str | None]) -> str:
        return key_by_id_or_name(values)

    def resolve(self, job: ImportJob) -> None:
        match_targets(job, table=TABLE, noun="products")
        mark_unchanged(job, kind=self)
        choose_ids(job)
        job.refuse(
            "name",
            "'another product bears this name'",
            f"EXISTS (SELECT FROM {TABLE} t WHERE t.organization_id = %(organization)s "
            "AND t.name_folded = s.name_folded AND t.id <> s.target_id) "
            "OR EXISTS (SELECT FROM import_stage f WHERE f.name_folded = s.name_folded AND f.line < s.line "
            "AND f.refused_reason IS NULL)",
        )

    def apply(self, job: ImportJob) -> None:
        insert_new(job, table=TABLE, columns=WRITTEN)
        update_changed(job, table=TABLE, columns=WRITTEN)
