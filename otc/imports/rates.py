"""Exchange rates from a file: what a unit of a currency is worth in the organization's, from which day on."""

from collections.abc import Mapping

from otc.audit.services import audit_append
from otc.imports.columns import Column, ColumnType
from otc.imports.kinds import ImportJob
from otc.imports.staging import counts, mark_unchanged
from otc.money.rules import IMPLAUSIBLE_JUMP
from otc.money.services import lock_rates
from otc.tenancy.models import FOREVER

COLUMNS = (
    Column("currency", ColumnType.CURRENCY, is_required=True),
    Column("from", ColumnType.DATE, is_required=True),
    Column("rate", ColumnType.RATE, is_required=True),
)
# The rates as they would stand after the file, each beside those of the days around it and the middle of five.
_NEIGHBOURS = """
SELECT line, before, after, (SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY x) FROM unnest(five) x) AS middle FROM (
SELECT line, lag(rate) OVER days AS before, lead(rate) OVER days AS after,
  array_agg(rate) OVER (PARTITION BY currency ORDER BY day ROWS BETWEEN 2 PRECEDING AND 2 FOLLOWING) AS five FROM (
  SELECT s.line, s.currency, s."from" AS day, s.rate FROM import_stage s WHERE s.refused_reason IS NULL
  UNION ALL
  SELECT NULL, r.currency, r.valid_from, r.rate FROM otc_rate r
  WHERE r.organization_id = %(organization)s AND r.known_to = %(forever)s AND NOT EXISTS (
    SELECT FROM import_stage s WHERE s.refused_reason IS NULL AND s.currency = r.currency AND s."from" = r.valid_from)
) a WINDOW days AS (PARTITION BY currency ORDER BY day)) b
"""


def _is_off(near: str) -> str:
    return f"greatest(s.rate / {near}, {near} / s.rate) > {IMPLAUSIBLE_JUMP}"


class Rates:
    """Known by currency and day. A rate that is there already with another value is corrected."""

    name = "rates"
    columns = COLUMNS
    keeps_others = False
    key_column = "from"
    creatable: frozenset[str] = frozenset()

    def key(self, values: Mapping[str, str | None]) -> str:
        return f"{values['currency']} {values['from']}"

    def resolve(self, job: ImportJob) -> None:
        lock_rates()
        job.refuse(
            "currency",
            "'is the organization''s own: one ' || s.currency || ' is always 1'",
            "s.currency = %(currency)s",
        )
        job.sql(
            "UPDATE import_stage s SET target_id = r.id, is_unchanged = r.rate = s.rate FROM otc_rate r "
            "WHERE r.organization_id = %(organization)s AND r.known_to = %(forever)s AND r.currency = s.currency "
            'AND r.valid_from = s."from" AND s.refused_reason IS NULL',
            forever=FOREVER,
        )
        mark_unchanged(job, kind=self)
        _refuse_implausible(job)

    def apply(self, job: ImportJob) -> None:
        wanted = "s.refused_reason IS NULL AND NOT s.is_unchanged"
        job.sql(f"UPDATE import_stage s SET is_new = true WHERE {wanted} AND s.target_id IS NULL")
        # Where a rate was ever in force on the day, what was known changes now. Where none was, no number that anybody
        # saw changes, and the rate counts as known from its own day on.
        job.sql(
            "CREATE TEMP TABLE import_rate ON COMMIT DROP AS "
            'SELECT s.currency, s."from", s.rate, CASE WHEN EXISTS (SELECT FROM otc_rate r '
            "WHERE r.organization_id = %(organization)s AND r.currency = s.currency "
            'AND r.valid_from <= s."from") THEN %(now)s '
            'ELSE least(%(now)s, s."from"::timestamp AT TIME ZONE %(zone)s) END AS known_from '
            f"FROM import_stage s WHERE {wanted}",
        )
        job.sql(
            "UPDATE otc_rate r SET known_to = %(now)s FROM import_stage s WHERE r.organization_id = %(organization)s "
            f"AND r.id = s.target_id AND r.known_to = %(forever)s AND {wanted}",
            forever=FOREVER,
        )
        job.sql(
            "INSERT INTO otc_rate (organization_id, currency, valid_from, rate, known_from, known_to) "
            'SELECT %(organization)s, currency, "from", rate, known_from, %(forever)s FROM import_rate',
            forever=FOREVER,
        )
        job.sql("DROP TABLE import_rate")
        done = counts(job)
        if done["created"] or done["updated"]:
            audit_append(
                "rate.imported",
                subject_kind="import",
                subject_id=job.run_id,
                summary=f"{done['created']} rates added, {done['updated']} corrected",
                detail={"added": done["created"], "corrected": done["updated"]},
            )


def _refuse_implausible(job: ImportJob) -> None:
    """A rate that is ten times off both its neighbours and what is usual there is a slip; a level that stays is not."""
    job.sql(
        "UPDATE import_stage s SET refused_column = 'rate', refused_reason = s.rate || ' is more than "
        f"{IMPLAUSIBLE_JUMP} times off the rates around it, ' || concat_ws(' and ', n.before, n.after) || "
        "'; if it is right, add it on the page' "
        f"FROM ({_NEIGHBOURS}) n WHERE n.line = s.line AND s.refused_reason IS NULL AND NOT s.is_unchanged "
        f"AND coalesce(n.before, n.after) IS NOT NULL AND (n.before IS NULL OR {_is_off('n.before')}) "
        f"AND (n.after IS NULL OR {_is_off('n.after')}) AND {_is_off('n.middle')}",
        forever=FOREVER,
    )
