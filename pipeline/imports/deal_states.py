"""What state does each row leave its deal in? The columns that the file has, over what the deal had before."""

from otc.imports.kinds import ImportJob
from otc.imports.names import join_name

NAMED = ("account", "owner", "stage", "competitor", "product")
PLAIN = ("close_date", "next_step_on")
# The process `p` of deals without a stage and of new stages: the one the mapping names, else the default.
HOME = "CASE WHEN %(home)s::text IS NULL THEN p.is_default ELSE p.name = %(home)s END"
TEXTS = ("source", "kind", "next_step")


def compute_states(job: ImportJob) -> None:
    """Fill the temporary table import_deal: per row the deal's id, its full state after the row, and the category
    that it had while open. Rows that are refused or unchanged have none.
    """
    job.sql("DROP TABLE IF EXISTS pg_temp.import_deal")
    job.sql(
        "CREATE TEMP TABLE import_deal ON COMMIT DROP AS "
        f"WITH given AS MATERIALIZED ({_given(job)}), timed AS ({_TIMED}), placed AS ({_PLACED}) {_STATE}",
        home=job.home,
    )
    job.sql("CREATE INDEX ON import_deal (line)")
    job.sql("ANALYZE import_deal (line, id, is_new, outcome)")


def _given(job: ImportJob) -> str:
    """Column by column: the row's where the file has it, else the deal's."""
    present = job.present
    chosen = [f"{_pick(present, name, f'n_{name}.id', f'o.{name}_id')} AS {name}_id" for name in NAMED]
    chosen += [f"{_pick(present, name, f's.{name}', f'o.{name}')} AS {name}" for name in PLAIN]
    chosen += [f"{_pick(present, name, f's.{name}', f'o.{name}', empty=True)} AS {name}" for name in TEXTS]
    # An amount without a currency is in the organization's, whatever the deal had.
    in_file = "coalesce(s.currency, %(currency)s)"
    currency = in_file if present & {"currency", "amount"} else f"coalesce(o.currency, {in_file})"
    joins = " ".join(join_name(name) for name in (*NAMED, "reason"))
    return (
        "SELECT s.line, s.external_id, coalesce(o.id, uuidv7()) AS id, o.id IS NULL AS is_new, "
        f"coalesce({_pick(present, 'name', 's.name', 'o.name')}, o.name, s.external_id) AS name, "
        f"coalesce({_pick(present, 'name', 's.name_folded', 'o.name_folded')}, o.name_folded, "
        "lower(s.external_id)) AS name_folded, "
        f"{', '.join(chosen)}, {_pick(present, 'amount', 's.amount', 'o.amount_minor')} AS amount_minor, "
        f"{currency} AS currency, {_pick(present, 'outcome', 's.outcome', 'o.outcome')} AS outcome, "
        # An empty reason doesn't take away one that somebody gave.
        "coalesce(n_reason.id, o.reason_id) AS reason_id, "
        "coalesce(s.created_at, o.created_at) AS given_created_at, "
        "s.created_at IS NOT NULL AS is_created_at_given, "
        "coalesce(s.closed_at, o.closed_at) AS given_closed_at, "
        "s.category AS given_category, o.category AS old_category, o.outcome AS old_outcome, "
        "o.stage_id AS old_stage_id, o.process_id AS old_process_id, "
        "coalesce(o.category_set_by_person, false) AS was_set_by_person, o.deleted_at, "
        "jsonb_strip_nulls(coalesce(o.attributes, '{}') || s.attributes) AS attributes "
        f"FROM import_stage s LEFT JOIN pipeline_opportunity o ON o.organization_id = %(organization)s "
        f"AND o.id = s.target_id {joins} WHERE s.refused_reason IS NULL AND NOT s.is_unchanged"
    )


def _pick(present: frozenset[str], native: str, row: str, deal: str, *, empty: bool = False) -> str:
    value = row if native in present else deal
    return f"coalesce({value}, '')" if empty else value


# A closed deal's missing instant is the end of its day, or now if it is today's, and its missing day that of the
# instant. A midnight on the day of creation is a day without a time: the deal closed no earlier than it was created.
_TIMED = """
SELECT g.*, CASE WHEN g.outcome IS NOT NULL THEN coalesce(g.close_date,
         (g.given_closed_at AT TIME ZONE %(zone)s)::date) ELSE g.close_date END AS final_close_date,
       CASE WHEN g.outcome IS NULL THEN NULL
         WHEN c.moment < g.given_created_at AND c.moment = date_trunc('day', g.given_created_at, %(zone)s)
           THEN g.given_created_at
         ELSE c.moment END AS closed_at
FROM given g CROSS JOIN LATERAL (SELECT coalesce(g.given_closed_at,
  CASE WHEN g.close_date = (%(now)s::timestamptz AT TIME ZONE %(zone)s)::date THEN %(now)s
    ELSE (g.close_date + 1)::timestamp AT TIME ZONE %(zone)s - interval '1 microsecond' END) AS moment) c
"""

_PLACED = f"""
SELECT t.*, k.category AS proposed, coalesce(k.process_id, t.old_process_id, p.id) AS process_id,
       CASE WHEN t.given_category IS NOT NULL THEN t.given_category
         WHEN t.is_new OR t.old_outcome IS NOT NULL THEN k.category
         WHEN t.was_set_by_person OR t.stage_id IS NOT DISTINCT FROM t.old_stage_id THEN t.old_category
         ELSE k.category END AS wanted
FROM timed t
LEFT JOIN pipeline_stage k ON k.organization_id = %(organization)s AND k.id = t.stage_id
LEFT JOIN pipeline_process p ON p.organization_id = %(organization)s AND {HOME}
"""

_STATE = """
SELECT line, external_id, id, is_new, name, name_folded, account_id, owner_id, process_id, stage_id,
  CASE outcome WHEN 'won' THEN 'closed' WHEN 'lost' THEN 'omitted' WHEN 'no_decision' THEN 'omitted'
    ELSE nullif(wanted, 'closed') END AS category,
  CASE WHEN wanted IN ('closed', 'omitted') AND outcome IS NOT NULL THEN nullif(proposed, 'closed')
    ELSE nullif(wanted, 'closed') END AS open_category,
  outcome IS NULL AND CASE WHEN given_category IS NULL THEN was_set_by_person AND old_outcome IS NULL
    ELSE given_category IS DISTINCT FROM proposed AND proposed IS NOT NULL
      OR was_set_by_person AND given_category = old_category END AS category_set_by_person,
  amount_minor, currency, final_close_date AS close_date, outcome, closed_at,
  CASE WHEN outcome IS NOT NULL THEN reason_id END AS reason_id, competitor_id, product_id,
  source, kind, next_step, next_step_on, attributes, deleted_at, is_created_at_given,
  coalesce(given_created_at, closed_at, %(now)s) AS created_at
FROM placed
"""
