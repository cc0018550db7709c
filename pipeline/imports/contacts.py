"""People at accounts from a file."""

from collections.abc import Mapping
from hashlib import blake2b

from otc.imports.columns import Column, ColumnType, folded
from otc.imports.kinds import MAX_KEY, ImportJob
from otc.imports.names import create_names, join_name, look_up, prepare_names
from otc.imports.staging import mark_unchanged
from otc.imports.targets import Written, choose_ids, insert_new, update_changed
from pipeline.imports.references import ACCOUNT, refuse_merged

TABLE = "pipeline_contact"
COLUMNS = (
    Column("external_id"),
    Column("account", ColumnType.NAME, max_length=300, is_required=True),
    Column("name", ColumnType.NAME, is_required=True),
    Column("title"),
    Column("email", max_length=254),
    Column("phone", max_length=50),
)
WRITTEN = {
    "external_id": Written("external_id", "s.external_id"),
    "account_id": Written("account", "n_account.id"),
    "name": Written("name", "s.name"),
    "name_folded": Written("name", "s.name_folded"),
    "title": Written("title", "coalesce(s.title, '')"),
    "email": Written("email", "coalesce(s.email, '')"),
    "phone": Written("phone", "coalesce(s.phone, '')"),
    "attributes": Written("attributes", "jsonb_strip_nulls(s.attributes)"),
}
JOINS = join_name("account")


class Contacts:
    """Known by external_id, or by name within their account where there is none. Columns that are neither native nor
    a custom field are left out: what is kept of people was chosen.
    """

    name = "contacts"
    columns = COLUMNS
    keeps_others = False
    key_column = "name"
    creatable = frozenset({"account"})

    def key(self, values: Mapping[str, str | None]) -> str:
        if external_id := values.get("external_id"):
            return external_id
        key = f"name:{folded(values['account'] or '')}\x1f{folded(values['name'] or '')}"
        return key if len(key) <= MAX_KEY else f"name:{blake2b(key.encode(), digest_size=32).hexdigest()}"

    def resolve(self, job: ImportJob) -> None:
        prepare_names(job)
        look_up(job, ACCOUNT)
        _match(job)
        mark_unchanged(job, kind=self)
        choose_ids(job)

    def apply(self, job: ImportJob) -> None:
        create_names(job, ACCOUNT)
        insert_new(
            job, table=TABLE, columns=WRITTEN | {"created_at": Written("name", "%(now)s")}, joins=JOINS
        )
        update_changed(job, table=TABLE, columns=WRITTEN, joins=JOINS)


def _match(job: ImportJob) -> None:
    """Set target_id to the contact of external_id, else to the one of this name at the account."""
    refuse_merged(job, table=TABLE, alike="false")
    job.sql(
        f"UPDATE import_stage s SET target_id = t.id FROM {TABLE} t WHERE t.organization_id = %(organization)s "
        "AND t.external_id = s.external_id AND s.refused_reason IS NULL"
    )
    candidates = (
        "SELECT s.line, t.id, count(*) OVER (PARTITION BY s.line) AS found_count, "
        f"row_number() OVER (PARTITION BY t.id ORDER BY s.line) AS place FROM import_stage s {JOINS} JOIN {TABLE} t "
        "ON t.organization_id = %(organization)s AND t.account_id = n_account.id AND t.name_folded = s.name_folded "
        "AND t.merged_into_id IS NULL "
        "AND (s.external_id IS NULL OR t.external_id IS NULL) "
        "WHERE s.target_id IS NULL AND s.refused_reason IS NULL"
    )
    job.refuse(
        "name",
        "'several people of this name are at the account: give external_id'",
        f"s.line IN (SELECT c.line FROM ({candidates}) c WHERE c.found_count > 1)",
    )
    job.sql(
        f"UPDATE import_stage s SET target_id = c.id FROM ({candidates}) c "
        "WHERE c.line = s.line AND c.found_count = 1 AND c.place = 1"
    )
