"""SQL: what the deals of an inspection were before: those that changed, and what stood all the time."""

from forecasting.inspection.parts import Counting
from otc.money.queries import corporate_minor_sql
from pipeline.history.queries import as_of_condition

CHANGED = "NOT n.is_same AND n.outcome IS NULL AND n.category IS DISTINCT FROM 'omitted'"


def was_sql(now: Counting) -> str:
    """SQL: what those of the open deals `n` that changed were before. Who was in the period is in `e`.

    Of all others, `m`, one look into an index each, however many versions there are: the limit keeps it so.
    """
    is_changed = " OR ".join(
        [
            *(
                f"a.{column} IS DISTINCT FROM n.{column}"
                for column in (
                    *("stage_id", "category", "amount_minor", "close_date", "owner_id"),
                    *(("split_people", "split_shares") if now.is_split else ()),
                )
            ),
            "a.currency <> n.currency",
        ]
    )
    read, looked_up = "a.minor", corporate_minor_sql("a", known="known0")
    if now.is_split:
        read, looked_up = (
            now.was_minor(minor, before="a", after="n", counts="n.counts")
            for minor in ("a.whole_minor", looked_up)
        )
    return f"""
  SELECT a.id, a.opportunity_id, {read} AS minor, {is_changed} AS is_changed
  FROM n JOIN e AS a ON a.opportunity_id = n.opportunity_id WHERE {CHANGED}
  UNION ALL
  SELECT a.id, n.opportunity_id, {looked_up} AS minor, {is_changed} AS is_changed
  FROM m AS n CROSS JOIN LATERAL (
    SELECT * FROM pipeline_opportunityversion a WHERE a.organization_id = n.organization_id
      AND a.opportunity_id = n.opportunity_id AND {as_of_condition("a", instant="t0", known="known0")} LIMIT 1) AS a"""


def unchanged_sql(now: Counting) -> str:
    """What a version that still holds came to before: the same, unless a rate was learned in between."""
    learned = (
        "(SELECT count(*) FROM otc_rate x WHERE x.organization_id = %(organization)s "
        "AND (x.known_from > %(known0)s AND x.known_from <= %(known)s "
        "OR x.known_to > %(known0)s AND x.known_to <= %(known)s)) = 0"
    )
    again = now.shown_minor(corporate_minor_sql("n", known="known0"), "n", counts="n.counts")
    return f"CASE WHEN n.currency = %(corporate)s OR {learned} THEN n.minor ELSE {again} END"


def unchanged_then_sql(now: Counting, then: Counting) -> str:
    """The same to those who were the scope then."""
    if not now.is_split:
        return unchanged_sql(now)
    again = then.minor(corporate_minor_sql("n", known="known0"), "n")
    return f"CASE WHEN n.split_people IS NULL THEN {unchanged_sql(now)} ELSE {again} END"
