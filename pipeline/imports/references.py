"""What the names in a deal's row mean: accounts, people, products, stages, competitors, reasons, deals."""

from otc.audit.services import audit_append
from otc.imports.kinds import ImportJob
from otc.imports.names import Reference, new_names
from otc.imports.people import CREATE_PERSON, PERSON_MATCHES
from otc.tenancy.models import Role
from pipeline.imports.deal_states import HOME

BY_ID_OR_NAME = ("t.external_id = n.name", "t.name_folded = n.folded")
# An account that was merged is a name of the one that it became, unless one that stands bears the name.
STANDING_FIRST = (
    "t.external_id = n.name",
    "t.name_folded = n.folded AND NOT t.was_merged",
    "t.name_folded = n.folded",
)
ACCOUNTS = (
    "SELECT organization_id, coalesce(merged_into_id, id) AS id, external_id, name_folded, "
    "merged_into_id IS NOT NULL AS was_merged FROM pipeline_account"
)
NEW_PROCESS = "Imported"

ACCOUNT = Reference(
    "account",
    "account",
    f"({ACCOUNTS})",
    STANDING_FIRST,
    "INSERT INTO pipeline_account (organization_id, id, name, name_folded, industry, country, attributes, created_at) "
    f"SELECT %(organization)s, n.id, n.name, n.folded, '', '', '{{}}', %(now)s FROM {new_names('account')}",
)
OWNER = Reference(
    "owner",
    "person",
    "otc_person",
    PERSON_MATCHES,
    CREATE_PERSON.format(role=Role.REP, names=new_names("owner")),
)
PERSON = Reference(
    "person",
    "person",
    "otc_person",
    PERSON_MATCHES,
    CREATE_PERSON.format(role=Role.REP, names=new_names("person")),
)
PRODUCT = Reference(
    "product",
    "product",
    "pipeline_product",
    BY_ID_OR_NAME,
    "INSERT INTO pipeline_product (organization_id, id, name, name_folded, family, currency, attributes) "
    f"SELECT %(organization)s, n.id, n.name, n.folded, '', '', '{{}}' FROM {new_names('product')}",
)
COMPETITOR = Reference(
    "competitor",
    "competitor",
    "pipeline_competitor",
    ("t.name_folded = n.folded",),
    "INSERT INTO pipeline_competitor (organization_id, id, name, name_folded) "
    f"SELECT %(organization)s, n.id, n.name, n.folded FROM {new_names('competitor')}",
)
REASON = Reference(
    "reason",
    "closing reason",
    "pipeline_closereason",
    ("t.name_folded = n.folded",),
    "INSERT INTO pipeline_closereason (organization_id, id, name, name_folded, outcomes, feeds, position) "
    "SELECT %(organization)s, n.id, n.name, n.folded, (SELECT coalesce(jsonb_agg(DISTINCT s.outcome), '[]') "
    "FROM import_stage s JOIN import_name x ON x.column_name = 'reason' AND x.name = s.reason "
    "WHERE x.id = n.id AND s.outcome IS NOT NULL AND s.refused_reason IS NULL), 'process', 100 "
    f"FROM {new_names('reason')}",
)
# The stage of a name in the file's process comes first, the default process's next, then another's.
STAGE = Reference(
    "stage",
    "stage",
    "(SELECT k.*, k.retired_at IS NULL AS stands, p.name AS process_name, p.is_default "
    "FROM pipeline_stage k JOIN pipeline_process p ON p.organization_id = k.organization_id AND p.id = k.process_id)",
    (
        "t.stands AND t.process_name = %(home)s AND lower(t.name) = lower(n.name)",
        "t.stands AND t.is_default AND lower(t.name) = lower(n.name)",
        "t.stands AND NOT t.is_default AND lower(t.name) = lower(n.name)",
        # A file about the past may name a stage that its process no longer has.
        "NOT t.stands AND lower(t.name) = lower(n.name)",
    ),
    # New stages stand after those that are there, in the mapping's order or else the file's. A new one proposes
    # the category that the file's open deals in it agree on, if they do.
    "INSERT INTO pipeline_stage (organization_id, id, process_id, name, position, objective, category, expected_days) "
    "SELECT %(organization)s, n.id, p.id, n.name, coalesce((SELECT max(k.position) FROM pipeline_stage k "
    "WHERE k.organization_id = p.organization_id AND k.process_id = p.id), 0) + row_number() OVER (ORDER BY "
    "array_position(%(order)s::text[], n.name), f.line), "
    f"'', f.category, 21 FROM {new_names('stage')} JOIN (SELECT x.id, min(s.line) AS line, CASE WHEN "
    "count(DISTINCT s.category) = 1 AND min(s.category) <> 'closed' THEN min(s.category) END AS category "
    "FROM import_stage s JOIN import_name x ON x.column_name = 'stage' AND x.name = s.stage "
    "WHERE s.refused_reason IS NULL GROUP BY x.id) f ON f.id = n.id "
    f"JOIN pipeline_process p ON p.organization_id = %(organization)s AND {HOME}",
)


def ensure_process(job: ImportJob) -> None:
    """The process that the mapping names is made if it is missing; new stages need one to stand in anyhow."""
    job.sql(
        "INSERT INTO pipeline_process (organization_id, name, is_default) SELECT %(organization)s, "
        "coalesce(%(home)s, %(name)s), NOT EXISTS (SELECT FROM pipeline_process p "
        "WHERE p.organization_id = %(organization)s AND p.is_default) "
        "WHERE (%(home)s::text IS NOT NULL OR EXISTS (SELECT FROM import_name "
        "WHERE column_name = 'stage' AND is_new)) AND NOT EXISTS (SELECT FROM pipeline_process p "
        f"WHERE p.organization_id = %(organization)s AND {HOME}) AND EXISTS (SELECT FROM import_stage "
        "WHERE refused_reason IS NULL AND NOT is_unchanged)",
        name=NEW_PROCESS,
        home=job.home,
    )


def note_process(job: ImportJob, *, columns: tuple[str, ...] = ("stage", "reason")) -> None:
    """One entry for what rows named and the file was told to create of the process. After `create_names`."""
    made = job.rows(
        "SELECT column_name, min(name) FROM import_name WHERE is_new AND column_name = ANY(%(columns)s) "
        "GROUP BY column_name, id ORDER BY min(name)",
        columns=list(columns),
    )
    if not made:
        return
    named = {f"{column}s": [name for of, name in made if of == column] for column in columns}
    counts = ", ".join(
        f"{len(names):,} {noun if len(names) > 1 else noun[:-1]}" for noun, names in named.items() if names
    )
    audit_append(
        "process.imported",
        subject_kind="import",
        subject_id=job.run_id,
        summary=f"A file brought in {counts}",
        detail={"process": job.home, **{noun: names for noun, names in named.items() if names}},
    )


# What a row calls its deal, where that may be the id that the deal has here: downloads bear it.
_OWN_ID = "CASE WHEN external_id ~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' THEN external_id::uuid END"


def match_deals(job: ImportJob, *, counts_as_new: bool = False) -> None:
    """Set target_id to the deal of external_id, else to the one whose own id it is, so that a download that comes
    back doubles nothing. Locked, so that nobody edits the deal before this import is done.
    """
    job.sql(
        "UPDATE import_stage s SET target_id = d.id, is_new = %(counts_as_new)s "
        "FROM (SELECT o.id, o.external_id FROM pipeline_opportunity o "
        "WHERE o.organization_id = %(organization)s AND o.external_id IN (SELECT external_id FROM import_stage "
        "WHERE refused_reason IS NULL) ORDER BY o.id FOR UPDATE) d "
        "WHERE d.external_id = s.external_id AND s.refused_reason IS NULL",
        counts_as_new=counts_as_new,
    )
    job.sql(
        "UPDATE import_stage s SET target_id = d.id, is_new = %(counts_as_new)s "
        "FROM (SELECT o.id FROM pipeline_opportunity o WHERE o.organization_id = %(organization)s "
        f"AND o.id IN (SELECT {_OWN_ID} FROM import_stage WHERE refused_reason IS NULL AND target_id IS NULL) "
        "ORDER BY o.id FOR UPDATE) d "
        "WHERE s.external_id = d.id::text AND s.target_id IS NULL AND s.refused_reason IS NULL",
        counts_as_new=counts_as_new,
    )


def refuse_merged(job: ImportJob, *, table: str, alike: str) -> None:
    """Refuse rows about a record that was merged into another. `alike` is SQL that says when a record `t` without the
    row's external id is meant by the row `s`.
    """
    merged = (
        f"FROM {table} t JOIN {table} k ON k.organization_id = t.organization_id AND k.id = t.merged_into_id "
        "WHERE t.organization_id = %(organization)s AND (t.external_id = s.external_id OR "
        f"(s.external_id IS NULL AND {alike} AND NOT EXISTS (SELECT FROM {table} x "
        "WHERE x.organization_id = t.organization_id AND x.merged_into_id IS NULL "
        "AND x.name_folded = t.name_folded)))"
    )
    job.refuse(
        "name",
        f"(SELECT 'was merged into “' || k.name || '”: import that one' {merged} LIMIT 1)",
        f"EXISTS (SELECT {merged})",
    )
