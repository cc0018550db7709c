"""Leads from a file: a fair's scans, a form's answers."""

from collections.abc import Mapping
from hashlib import blake2b

from otc.imports.columns import Column, ColumnType, folded
from otc.imports.kinds import MAX_KEY, ImportJob
from otc.imports.names import create_names, join_name, look_up, prepare_names
from otc.imports.staging import mark_unchanged
from otc.imports.targets import Written, choose_ids, insert_new, update_changed
from pipeline.imports.references import OWNER

TABLE = "pipeline_lead"
COLUMNS = (
    Column("external_id"),
    Column("name", ColumnType.NAME, max_length=300, is_required=True),
    Column("company", max_length=300),
    Column("contact_name"),
    Column("email", max_length=254),
    Column("phone", max_length=50),
    Column("source", max_length=100),
    Column("campaign"),
    Column("owner", ColumnType.NAME),
    Column("fit_note", max_length=2000),
    Column("created_at", ColumnType.INSTANT),
)
TEXTS = ("company", "contact_name", "email", "phone", "source", "campaign", "fit_note")
WRITTEN = {
    "external_id": Written("external_id", "s.external_id"),
    "name": Written("name", "s.name"),
    "name_folded": Written("name", "s.name_folded"),
    "owner_id": Written("owner", "n_owner.id"),
    "created_at": Written("created_at", "coalesce(s.created_at, %(now)s)"),
    **{name: Written(name, f"coalesce(s.{name}, '')") for name in TEXTS},
}
NEW = {
    "state": Written("name", "'open'"),
    "return_reason": Written("name", "''"),
    "return_note": Written("name", "''"),
}
JOINS = join_name("owner")


class Leads:
    """Known by external_id, or by name and e-mail among those that are open. What is decided is left as it is."""

    name = "leads"
    columns = COLUMNS
    keeps_others = False
    key_column = "name"
    creatable = frozenset({"owner"})

    def key(self, values: Mapping[str, str | None]) -> str:
        if external_id := values.get("external_id"):
            return external_id
        parts = (folded(values["name"] or ""), folded(values.get("email") or ""))
        key = "name:" + "\x1f".join(parts)
        return key if len(key) <= MAX_KEY else f"name:{blake2b(key.encode(), digest_size=32).hexdigest()}"

    def resolve(self, job: ImportJob) -> None:
        _match(job)
        job.refuse("created_at", "'lies in the future'", "s.created_at > %(now)s")
        job.refuse(
            "name",
            "'this lead is decided about already'",
            f"EXISTS (SELECT FROM {TABLE} t WHERE t.organization_id = %(organization)s AND t.id = s.target_id "
            "AND t.state <> 'open')",
        )
        mark_unchanged(job, kind=self)
        choose_ids(job)
        prepare_names(job)
        look_up(job, OWNER)

    def apply(self, job: ImportJob) -> None:
        create_names(job, OWNER)
        insert_new(job, table=TABLE, columns=WRITTEN | NEW, joins=JOINS)
        kept = {name: written for name, written in WRITTEN.items() if name != "created_at"}
        update_changed(job, table=TABLE, columns=kept, joins=JOINS)


def _match(job: ImportJob) -> None:
    """Set target_id to the lead of external_id, else to the open one of this name and address."""
    job.sql(
        f"UPDATE import_stage s SET target_id = t.id FROM {TABLE} t WHERE t.organization_id = %(organization)s "
        "AND t.external_id = s.external_id AND s.refused_reason IS NULL"
    )
    job.sql(
        "UPDATE import_stage s SET target_id = c.id FROM (SELECT DISTINCT ON (t.id) t.id, x.line "
        f"FROM import_stage x JOIN {TABLE} t ON t.organization_id = %(organization)s AND t.state = 'open' "
        "AND t.external_id IS NULL AND t.name_folded = x.name_folded AND lower(t.email) = lower(coalesce(x.email, '')) "
        "WHERE x.external_id IS NULL AND x.target_id IS NULL AND x.refused_reason IS NULL ORDER BY t.id, x.line) c "
        "WHERE c.line = s.line"
    )
