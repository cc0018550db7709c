"""Deals from a file: how rows become present states, and what is refused on the way."""

from collections.abc import Mapping

from otc.imports.columns import Column, ColumnType
from otc.imports.kinds import ImportJob
from otc.imports.names import create_names, look_up, prepare_names
from otc.imports.staging import mark_unchanged
from pipeline.history.models import STATE_COLUMNS
from pipeline.imports.deal_states import HOME, compute_states
from pipeline.imports.followup import refresh_health
from pipeline.imports.references import (
    ACCOUNT,
    COMPETITOR,
    OWNER,
    PRODUCT,
    REASON,
    STAGE,
    ensure_process,
    match_deals,
    note_process,
)
from pipeline.opportunities.models import Outcome
from pipeline.process.models import Category
from pipeline.process.services import NOT_GIVEN

REFERENCES = (ACCOUNT, OWNER, STAGE, REASON, COMPETITOR, PRODUCT)
COLUMNS = (
    Column("external_id", is_required=True),
    Column("name", ColumnType.NAME, max_length=300),
    Column("account", ColumnType.NAME, max_length=300),
    Column("owner", ColumnType.NAME),
    Column("stage", ColumnType.NAME, max_length=100),
    Column("category", ColumnType.CHOICE, choices=tuple(Category.values)),
    Column("amount", ColumnType.AMOUNT),
    Column("currency", ColumnType.CURRENCY),
    Column("close_date", ColumnType.DATE),
    Column("created_at", ColumnType.INSTANT),
    Column("closed_at", ColumnType.INSTANT, is_day_end=True),
    Column("outcome", ColumnType.CHOICE, choices=tuple(Outcome.values)),
    Column("reason", ColumnType.NAME),
    Column("competitor", ColumnType.NAME),
    Column("product", ColumnType.NAME),
    Column("source", max_length=100),
    Column("kind", max_length=100),
    Column("next_step", max_length=500),
    Column("next_step_on", ColumnType.DATE),
)
STATE = ", ".join(STATE_COLUMNS)
STATE_OF_DEAL = ", ".join(f"d.{column}" for column in STATE_COLUMNS)
# What a deal looked like before it closed, in the same order.
BEFORE_CLOSING = {
    "category": "d.open_category",
    "outcome": "NULL",
    "closed_at": "NULL",
    "reason_id": "NULL",
}
STATE_BEFORE_CLOSING = ", ".join(BEFORE_CLOSING.get(column, f"d.{column}") for column in STATE_COLUMNS)

# column, reason as SQL, condition over the state `d` of the row `s`
REFUSALS = (
    ("amount", "'an amount is not negative'", "s.amount < 0"),
    (
        "category",
        "'closed is for won deals: outcome says otherwise'",
        "s.category = 'closed' AND d.outcome IS NULL",
    ),
    (
        "closed_at",
        "'is set, but there is no outcome: use close_date for a day ahead'",
        "s.closed_at IS NOT NULL AND d.outcome IS NULL",
    ),
    (
        "closed_at",
        "'a closed deal needs closed_at or close_date'",
        "d.outcome IS NOT NULL AND d.closed_at IS NULL",
    ),
    (
        "close_date",
        "'a closed deal can''t close in the future'",
        "d.outcome IS NOT NULL AND d.close_date > (%(now)s::timestamptz AT TIME ZONE %(zone)s)::date",
    ),
    ("closed_at", "'lies in the future'", "d.closed_at > %(now)s"),
    ("created_at", "'lies in the future'", "d.created_at > %(now)s"),
    ("created_at", "'lies after closed_at'", "d.created_at > d.closed_at"),
    (
        "currency",
        "'there is no rate for ' || d.currency || coalesce(' on ' || d.close_date, '')",
        "d.amount_minor IS NOT NULL AND d.currency <> %(currency)s AND NOT EXISTS (SELECT FROM otc_rate r "
        "WHERE r.organization_id = %(organization)s AND r.currency = d.currency AND r.known_to = '9999-01-01 00:00+00' "
        "AND (d.close_date IS NULL OR r.valid_from <= d.close_date))",
    ),
)


class Opportunities:
    """Known by external_id. Columns that aren't native become custom attributes."""

    name = "opportunities"
    columns = COLUMNS
    keeps_others = True
    key_column = "external_id"
    creatable = frozenset(reference.column for reference in REFERENCES)

    def key(self, values: Mapping[str, str | None]) -> str:
        return values["external_id"] or ""

    def resolve(self, job: ImportJob) -> None:
        match_deals(job)
        mark_unchanged(job, kind=self)
        prepare_names(job)
        for reference in REFERENCES:
            look_up(job, reference)
        compute_states(job)
        for column, reason, condition in REFUSALS:
            _refuse(job, column, reason, condition)

    def apply(self, job: ImportJob) -> None:
        job.sql(
            "DELETE FROM import_deal d USING import_stage s WHERE s.line = d.line AND s.refused_reason IS NOT NULL"
        )
        ensure_process(job)
        for reference in REFERENCES:
            create_names(job, reference)
        note_process(job)
        _take_new_stages(job)
        _book_not_given(job)
        _update_changed(job)
        _enter_new(job)
        refresh_health(job)


def _refuse(job: ImportJob, column: str, reason: str, condition: str) -> None:
    job.sql(
        "UPDATE import_stage s SET refused_column = %(column)s, "
        f"refused_reason = {reason} FROM import_deal d "
        f"WHERE d.line = s.line AND s.refused_reason IS NULL AND ({condition})",
        column=column,
    )


def _take_new_stages(job: ImportJob) -> None:
    """Deals in a stage that was just created belong to its process; those without one, to the file's or the default."""
    job.sql(
        "UPDATE import_deal d SET process_id = coalesce(k.process_id, (SELECT p.id FROM pipeline_process p "
        f"WHERE p.organization_id = %(organization)s AND {HOME})) "
        "FROM import_deal x LEFT JOIN pipeline_stage k "
        "ON k.organization_id = %(organization)s AND k.id = x.stage_id "
        "WHERE x.line = d.line AND d.process_id IS NULL",
        home=job.home,
    )


def _book_not_given(job: ImportJob) -> None:
    """A closed deal without a reason is booked as “not given”."""
    job.sql(
        "INSERT INTO pipeline_closereason (organization_id, name, name_folded, outcomes, feeds, position) "
        "SELECT %(organization)s, %(not_given)s, %(not_given)s, '[]', 'process', 1000 "
        "WHERE EXISTS (SELECT FROM import_deal WHERE outcome IS NOT NULL AND reason_id IS NULL) "
        "ON CONFLICT (organization_id, name_folded) DO NOTHING",
        not_given=NOT_GIVEN,
    )
    job.sql(
        "UPDATE import_deal d SET reason_id = r.id FROM pipeline_closereason r "
        "WHERE r.organization_id = %(organization)s AND r.name_folded = %(not_given)s "
        "AND d.outcome IS NOT NULL AND d.reason_id IS NULL",
        not_given=NOT_GIVEN,
    )


def _update_changed(job: ImportJob) -> None:
    """Live edits from now on, as the trigger records them; a deal whose state stays gets no version."""
    sets = ", ".join(f"{column} = d.{column}" for column in (*STATE_COLUMNS, "name_folded", "created_at"))
    job.sql(
        f"UPDATE pipeline_opportunity o SET {sets} FROM import_deal d "
        "WHERE o.organization_id = %(organization)s AND o.id = d.id AND NOT d.is_new "
        f"AND ({', '.join(f'o.{column}' for column in (*STATE_COLUMNS, 'created_at'))}) "
        f"IS DISTINCT FROM ({STATE_OF_DEAL}, d.created_at)"
    )


def _enter_new(job: ImportJob) -> None:
    """New deals come to be with their history: open from created_at where that is given, and as they are now."""
    job.sql(
        f"INSERT INTO pipeline_historyrow (organization_id, run, opportunity_id, at, provenance, {STATE}) "
        f"SELECT %(organization)s, %(run)s, d.id, d.created_at, 'reconstructed', {STATE_BEFORE_CLOSING} "
        "FROM import_deal d WHERE d.is_new AND d.is_created_at_given AND d.outcome IS NOT NULL"
    )
    job.sql(
        "INSERT INTO pipeline_historyrow (organization_id, run, opportunity_id, at, provenance, external_id, "
        f"name_folded, created_at, {STATE}) SELECT %(organization)s, %(run)s, d.id, "
        "CASE WHEN d.outcome IS NULL THEN d.created_at WHEN d.is_created_at_given "
        "THEN greatest(d.closed_at, d.created_at + interval '1 microsecond') ELSE d.closed_at END, 'reconstructed', "
        f"d.external_id, d.name_folded, d.created_at, {STATE_OF_DEAL} "
        "FROM import_deal d WHERE d.is_new ORDER BY d.line"
    )
    job.sql("SELECT pipeline_enter_history(%(run)s)")
