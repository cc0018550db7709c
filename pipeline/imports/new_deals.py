"""A history that came without its deals: each deal that nobody knows is made, as its rows leave it."""

from otc.imports.kinds import ImportJob
from otc.imports.names import join_name
from pipeline.imports.deal_states import HOME
from pipeline.imports.past_states import OPEN

# What a deal's rows leave it with: per column the last one that any row fills.
_LAST = "(array_agg({value} ORDER BY s.at DESC, s.line DESC) FILTER (WHERE {value} IS NOT NULL))[1]"
NAME_PREFIX = "Deal "


def choose_new_deals(job: ImportJob) -> None:
    """Rows of unknown deals get the id that their deal will bear; the deals stand in import_new_deal."""
    job.sql("DROP TABLE IF EXISTS pg_temp.import_new_deal")
    job.sql(
        "CREATE TEMP TABLE import_new_deal ON COMMIT DROP AS SELECT external_id, uuidv7() AS id FROM import_stage "
        "WHERE target_id IS NULL AND refused_reason IS NULL AND external_id IS NOT NULL GROUP BY external_id"
    )
    job.sql(
        "UPDATE import_stage s SET target_id = d.id, is_new = true FROM import_new_deal d "
        "WHERE d.external_id = s.external_id AND s.target_id IS NULL AND s.refused_reason IS NULL"
    )


def create_new_deals(job: ImportJob) -> None:
    """Make the deals of rows that weren't refused: open, or closed as the last told outcome says."""
    last = {
        "owner_id": _LAST.format(value="n_owner.id"),
        "stage_id": _LAST.format(value="n_stage.id"),
        "category": _LAST.format(value="s.category"),
        "amount": _LAST.format(value="s.amount"),
        "close_date": _LAST.format(value="s.close_date"),
        "outcome": _LAST.format(value="s.outcome"),
    }
    chosen = ", ".join(f"{value} AS {name}" for name, value in last.items())
    job.sql(
        "INSERT INTO pipeline_opportunity (organization_id, id, external_id, name, name_folded, created_at, "
        "owner_id, process_id, stage_id, category, category_set_by_person, amount_minor, currency, close_date, "
        "outcome, closed_at, source, kind, next_step, attributes) "
        "SELECT %(organization)s, d.id, d.external_id, %(prefix)s || d.external_id, "
        "lower(%(prefix)s || d.external_id), x.first_at, x.owner_id, coalesce(k.process_id, p.id), x.stage_id, "
        "CASE x.told WHEN 'won' THEN 'closed' WHEN 'lost' THEN 'omitted' WHEN 'no_decision' THEN 'omitted' "
        "ELSE nullif(coalesce(x.category, k.category), 'closed') END, false, "
        "x.amount / power(10, 4 - otc_decimals(%(currency)s))::bigint, %(currency)s, x.close_date, x.told, "
        "CASE WHEN x.told IS NOT NULL THEN x.turned_at END, '', '', '', '{}' "
        f"FROM import_new_deal d JOIN (SELECT g.*, nullif(g.outcome, '{OPEN}') AS told, ({_TURNED_AT}) AS turned_at "
        f"FROM (SELECT s.target_id, min(s.at) AS first_at, {chosen} FROM import_stage s "
        f"{join_name('owner')} {join_name('stage')} WHERE s.refused_reason IS NULL AND NOT s.is_unchanged "
        "GROUP BY s.target_id) g) x ON x.target_id = d.id "
        "LEFT JOIN pipeline_stage k ON k.organization_id = %(organization)s AND k.id = x.stage_id "
        f"LEFT JOIN pipeline_process p ON p.organization_id = %(organization)s AND {HOME}",
        prefix=NAME_PREFIX,
        home=job.home,
    )


# The instant of the last closing: the first row since the last one that told something else.
_TURNED_AT = (
    "SELECT min(r.at) FROM import_stage r WHERE r.target_id = g.target_id AND r.refused_reason IS NULL "
    "AND r.outcome = g.outcome AND r.at > coalesce((SELECT max(e.at) FROM import_stage e "
    "WHERE e.target_id = g.target_id AND e.refused_reason IS NULL AND e.outcome <> g.outcome), '-infinity')"
)
