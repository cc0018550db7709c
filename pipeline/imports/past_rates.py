"""Which rows of an imported history leave their deal in a state that no rate converts?"""

from otc.imports.kinds import ImportJob
from otc.tenancy.models import FOREVER

# Rows since a column last had a value bear the same number in it. What stood before the file's first row is the
# deal's last imported state before it; a column that no row fills and that has no such state is as it is today.
_ROWS = """
WITH began AS (SELECT target_id, min(at) AS at FROM import_stage WHERE refused_reason IS NULL GROUP BY target_id),
seed AS (SELECT DISTINCT ON (v.opportunity_id) v.opportunity_id, v.amount_minor, v.close_date
  FROM began b JOIN pipeline_opportunityversion v ON v.opportunity_id = b.target_id AND v.valid_from < b.at
  WHERE v.organization_id = %(organization)s AND v.currency <> %(currency)s AND v.known_to = %(forever)s
    AND v.provenance IN ('imported', 'corrected')
  ORDER BY v.opportunity_id, v.valid_from DESC)
SELECT s.line, s.target_id, s.at, s.amount, s.close_date, o.currency,
  count(s.amount) OVER way AS n_amount, count(s.close_date) OVER way AS n_close,
  count(s.amount) OVER deal AS amounts, count(s.close_date) OVER deal AS closes,
  seed.opportunity_id IS NOT NULL AS has_seed, seed.amount_minor AS seed_amount, seed.close_date AS seed_close,
  o.amount_minor AS last_amount, o.close_date AS last_close
FROM import_stage s
JOIN pipeline_opportunity o ON o.organization_id = %(organization)s AND o.id = s.target_id
  AND o.currency <> %(currency)s
LEFT JOIN seed ON seed.opportunity_id = s.target_id
WHERE s.refused_reason IS NULL
WINDOW deal AS (PARTITION BY s.target_id), way AS (PARTITION BY s.target_id ORDER BY s.at, s.line)
"""
_STATES = f"""
SELECT r.line, r.target_id, r.currency,
  CASE WHEN n_amount > 0 THEN true WHEN has_seed THEN seed_amount IS NOT NULL
    ELSE amounts = 0 AND last_amount IS NOT NULL END AS has_amount,
  CASE WHEN n_close > 0 THEN max(r.close_date) OVER (PARTITION BY r.target_id, r.n_close)
    WHEN has_seed THEN seed_close WHEN closes = 0 THEN last_close END AS close_date
FROM ({_ROWS}) r
"""


def refuse_without_rate(job: ImportJob) -> None:
    """Refuse the whole history of a deal where one of its states has an amount that no rate turns into the
    organization's currency: without that row, the ones after it would say what never was.
    """
    job.sql(
        "UPDATE import_stage s SET refused_column = 'amount', refused_reason = 'there is no rate for ' || f.currency "
        "|| coalesce(' on ' || f.close_date, '') || CASE WHEN f.line = s.line THEN '' ELSE ', which line ' || f.line "
        "|| ' needs; a deal''s history comes in whole' END "
        f"FROM (SELECT DISTINCT ON (x.target_id) x.* FROM ({_STATES}) x WHERE x.has_amount AND NOT EXISTS ("
        "SELECT FROM otc_rate r WHERE r.organization_id = %(organization)s AND r.currency = x.currency "
        "AND r.known_to = %(forever)s AND (x.close_date IS NULL OR r.valid_from <= x.close_date)) "
        "ORDER BY x.target_id, x.line) f WHERE f.target_id = s.target_id AND s.refused_reason IS NULL",
        forever=FOREVER,
    )
