"""The history of deals from a file: what changed when. Deals themselves stay as they are."""

from collections.abc import Mapping

from otc.imports.columns import Column, ColumnType
from otc.imports.kinds import ImportJob
from otc.imports.names import create_names, look_up, prepare_names
from otc.tenancy.models import FOREVER
from pipeline.imports.followup import refresh_health
from pipeline.imports.new_deals import choose_new_deals, create_new_deals
from pipeline.imports.past_rates import refuse_without_rate
from pipeline.imports.past_states import OPEN, enter_past
from pipeline.imports.references import OWNER, STAGE, ensure_process, match_deals, note_process
from pipeline.opportunities.models import Outcome
from pipeline.process.models import Category

COLUMNS = (
    Column("external_id", is_required=True),
    Column("at", ColumnType.INSTANT, is_required=True),
    Column("stage", ColumnType.NAME, max_length=100),
    Column("category", ColumnType.CHOICE, choices=tuple(Category.values)),
    Column("amount", ColumnType.OPEN_AMOUNT),
    Column("close_date", ColumnType.DATE),
    Column("owner", ColumnType.NAME),
    Column("outcome", ColumnType.CHOICE, choices=(*Outcome.values, OPEN)),
)
REFERENCES = (STAGE, OWNER)


class History:
    """external_id is the deal's. An empty cell means unchanged. Rows enter by the checked history function.

    With `external_id` among what may be created, a deal that nobody knows is made from its rows.
    """

    name = "history"
    columns = COLUMNS
    keeps_others = False
    key_column = None
    creatable = frozenset({"stage", "owner", "external_id"})

    def key(self, values: Mapping[str, str | None]) -> str:
        return values["external_id"] or ""

    def resolve(self, job: ImportJob) -> None:
        match_deals(job, counts_as_new=True)
        if "external_id" in job.creatable:
            choose_new_deals(job)
        job.refuse("external_id", "'there is no deal “' || s.external_id || '”'", "s.target_id IS NULL")
        job.refuse("at", "'lies in the future'", "s.at > %(now)s")
        job.refuse("amount", "'an amount is not negative'", "s.amount < 0")
        _refuse_decimals(job)
        _refuse_after_edits(job)
        prepare_names(job)
        for reference in REFERENCES:
            look_up(job, reference)
        _digest_deals(job)
        refuse_without_rate(job)
        _mark_unchanged_deals(job)

    def apply(self, job: ImportJob) -> None:
        ensure_process(job)
        for reference in REFERENCES:
            create_names(job, reference)
        note_process(job)
        if "external_id" in job.creatable:
            create_new_deals(job)
        enter_past(job)
        refresh_health(job)


def _refuse_decimals(job: ImportJob) -> None:
    """Amounts are in the deal's currency; they were staged in ten-thousandths."""
    job.sql(
        "UPDATE import_stage s SET refused_column = 'amount', refused_reason = 'has more decimals than ' || "
        "o.currency || ' (' || otc_decimals(o.currency) || ')' FROM pipeline_opportunity o "
        "WHERE o.organization_id = %(organization)s AND o.id = s.target_id AND s.refused_reason IS NULL "
        "AND s.amount %% power(10, 4 - otc_decimals(o.currency))::bigint <> 0"
    )


def _refuse_after_edits(job: ImportJob) -> None:
    """What was edited here is known better here."""
    job.sql(
        "UPDATE import_stage s SET refused_column = 'at', refused_reason = 'the deal was edited here from ' || "
        "to_char(v.first_live AT TIME ZONE %(zone)s, 'YYYY-MM-DD HH24:MI') || ' on; history enters before that' "
        "FROM (SELECT opportunity_id, min(valid_from) AS first_live FROM pipeline_opportunityversion "
        "WHERE organization_id = %(organization)s AND known_to = %(forever)s AND provenance = 'live' "
        "GROUP BY opportunity_id) v "
        "WHERE v.opportunity_id = s.target_id AND s.at >= v.first_live AND s.refused_reason IS NULL",
        forever=FOREVER,
    )


def _digest_deals(job: ImportJob) -> None:
    """A deal's history counts as a whole: one fingerprint of all its rows."""
    job.sql("DROP TABLE IF EXISTS pg_temp.import_key")
    job.sql(
        "CREATE TEMP TABLE import_key ON COMMIT DROP AS SELECT key, "
        "md5(string_agg(fingerprint, '' ORDER BY at, line)) AS fingerprint, false AS is_unchanged FROM import_stage "
        "WHERE refused_reason IS NULL GROUP BY key"
    )


def _mark_unchanged_deals(job: ImportJob) -> None:
    job.sql(
        "UPDATE import_key k SET is_unchanged = true FROM otc_importedsource x "
        "WHERE x.organization_id = %(organization)s AND x.kind = 'history' AND x.external_id = k.key "
        "AND x.fingerprint = k.fingerprint"
    )
    job.sql(
        "UPDATE import_stage s SET is_unchanged = true FROM import_key k "
        "WHERE k.key = s.key AND k.is_unchanged AND s.refused_reason IS NULL"
    )
